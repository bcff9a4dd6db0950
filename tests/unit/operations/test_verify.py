"""Verifying files: everything that can be wrong with them is a result, and only wrong calls raise."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from signkit.errors import FileError, MalformedError, SignkitError, UsageError, VerificationError
from signkit.files import FileSource
from signkit.operations import inspect as inspection
from signkit.operations.verify import VerifyingService, raise_unless_accepted
from signkit.x509 import pem
from tests.support import pki
from tests.support.cms_builder import ARTIFACT, signature, signer, to_ber

CHAIN = pki.chain()


class Bench:
    """A folder with an artifact, its signature and the root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.put("app.bin", ARTIFACT)
        self.put("app.bin.p7s", signature())
        self.put("root.pem", pki.as_pem(CHAIN.root))

    def put(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def verify(self, *names: str, trust: tuple[str, ...] = ("root.pem",), **arguments: Any) -> Any:
        for option in ("intermediates", "signature"):
            if isinstance(arguments.get(option), str):
                arguments[option] = self.path(arguments[option])
            elif option in arguments:
                arguments[option] = [self.path(name) for name in arguments[option]]
        service = VerifyingService(FileSource(), clock=lambda: pki.NOW)
        paths = [self.path(name) for name in names or ("app.bin",)]
        return service.verify(paths, trust=[self.path(name) for name in trust], **arguments)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_good_one(bench: Bench) -> None:
    result = bench.verify()
    assert result
    assert result.exit_status == 0
    assert result.now == pki.NOW
    assert result.network == ()
    raise_unless_accepted(result)


def test_no_trust_no_acceptance(bench: Bench) -> None:
    assert bench.verify(trust=()).exit_status == 14


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("app.bin", None, 3),
        ("app.bin", b"", 12),
        ("app.bin", b"changed", 12),
        ("app.bin.p7s", None, 10),
        ("app.bin.p7s", b"", 11),
        ("app.bin.p7s", b"random bytes", 11),
        ("app.bin.p7s", signature()[:-1], 11),
        ("app.bin.p7s", CHAIN.leaf, 11),
        ("app.bin.p7s", signature(signer(key=pki.key(9))), 13),
        ("app.bin.p7s", b"-----BEGIN CMS-----\n" * 1000, 11),
    ],
)
def test_what_is_wrong_is_a_result(bench: Bench, name: str, data: bytes | None, status: int) -> None:
    if data is None:
        os.unlink(bench.path(name))
    else:
        bench.put(name, data)
    result = bench.verify()
    assert (result.accepted, result.exit_status) == (False, status)
    with pytest.raises(VerificationError) as caught:
        raise_unless_accepted(result)
    assert caught.value.exit_status == status
    assert caught.value.result is result


def test_directories_and_pipes_are_a_result(bench: Bench) -> None:
    (bench.folder / "folder").mkdir()
    assert bench.verify("folder").exit_status == 3
    os.unlink(bench.path("app.bin.p7s"))
    os.mkfifo(bench.path("app.bin.p7s"))
    assert bench.verify().exit_status == 3


def test_a_dangling_link_as_signature_is_not_missing_but_unreadable(bench: Bench) -> None:
    os.unlink(bench.path("app.bin.p7s"))
    os.symlink("nowhere", bench.path("app.bin.p7s"))
    assert bench.verify().exit_status == 3


def test_a_huge_signature_is_not_read(bench: Bench) -> None:
    with open(bench.path("app.bin.p7s"), "wb") as file:
        file.truncate((16 << 20) + 1)
    result = bench.verify()
    assert (result.accepted, result.exit_status) == (False, 3)


def test_the_worst_of_several_names_the_status(bench: Bench) -> None:
    bench.put("other.bin", b"other")
    bench.put("other.bin.p7s", signature())
    result = bench.verify("app.bin", "absent", "other.bin")
    assert [one.accepted for one in result.artifacts] == [True, False, False]
    assert result.exit_status == 12


def test_each_artifact_once(bench: Bench) -> None:
    assert len(bench.verify("app.bin", "app.bin").artifacts) == 1


def test_a_signature_elsewhere(bench: Bench) -> None:
    os.rename(bench.path("app.bin.p7s"), bench.path("elsewhere"))
    assert bench.verify(signature="elsewhere")
    assert bench.verify().exit_status == 10
    bench.put("two", b"")
    with pytest.raises(UsageError, match="names one signature"):
        bench.verify("app.bin", "two", signature="elsewhere")


@pytest.mark.parametrize(
    "data",
    [to_ber(signature(content=ARTIFACT)), pem.encode("PKCS7", signature()).encode(), signature(content=ARTIFACT)],
    ids=["BER", "PEM", "embedded"],
)
def test_other_forms(bench: Bench, data: bytes) -> None:
    bench.put("app.bin.p7s", data)
    assert bench.verify()


def test_intermediates_from_files(bench: Bench) -> None:
    bench.put("app.bin.p7s", signature(certificates=()))
    bench.put("more.pem", pki.as_pem(pki.ca("CN=X", pki.key(9)), CHAIN.issuing, CHAIN.leaf))
    assert not bench.verify()
    assert bench.verify(intermediates=["more.pem"])
    assert not bench.verify(trust=(), intermediates=["more.pem", "root.pem"])


@pytest.mark.parametrize(
    ("data", "error"),
    [(None, FileError), (b"", MalformedError), (b"junk", MalformedError), (b"\x30\x00", MalformedError)],
)
@pytest.mark.parametrize("option", ["trust", "intermediates"])
def test_certificate_files_must_be_right(
    bench: Bench, option: str, data: bytes | None, error: type[SignkitError]
) -> None:
    """What the caller names is the caller's to get right: an error, not a verdict."""
    if data is not None:
        bench.put("bad.pem", data)
    with pytest.raises(error, match=r"bad\.pem"):
        bench.verify(**{option: ("bad.pem",)})


def test_no_artifact(bench: Bench) -> None:
    service = VerifyingService(FileSource(), clock=lambda: pki.NOW)
    with pytest.raises(UsageError):
        service.verify([], trust=[])
    with pytest.raises(UsageError):
        bench.verify(format="openpgp")


def test_the_moment_of_judgement(bench: Bench) -> None:
    assert bench.verify(at=pki.NOT_AFTER)
    result = bench.verify(at=pki.NOT_AFTER.replace(year=2035))
    assert result.exit_status == 15
    assert result.now.year == 2035


def test_a_time_without_zone_is_a_usage_error(bench: Bench) -> None:
    with pytest.raises(UsageError):
        bench.verify(at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_artifact_that_is_anothers_signed_attributes(bench: Bench) -> None:
    """See ``tests/unit/formats``: through the files, too."""
    from tests.support.cms_builder import encode_attributes

    attributes = encode_attributes(signer().attributes or ())
    bench.put("forged.bin", attributes)
    bench.put("forged.bin.p7s", signature(signer(attributes=None), artifact=attributes))
    assert bench.verify("forged.bin").exit_status == 13


# --- looking without judging ---


@pytest.mark.parametrize("data", [signature(), to_ber(signature()), CHAIN.leaf, pki.as_pem(CHAIN.leaf, CHAIN.root)])
def test_inspect(bench: Bench, data: bytes) -> None:
    assert inspection.inspect(FileSource(), bench.put("file", data))


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x00", b"-----BEGIN X-----\n", signature(version=1 << 20_000)])
def test_inspect_what_is_none_of_these(bench: Bench, data: bytes) -> None:
    with pytest.raises(MalformedError, match="neither a signature"):
        inspection.inspect(FileSource(), bench.put("file", data))


def test_inspect_says_what_is_unusual(bench: Bench) -> None:
    bare = signature(signer(attributes=None), content=b"", certificates=())
    found = inspection.inspect(FileSource(), bench.put("file", to_ber(bare)))
    assert isinstance(found, inspection.InspectedSignature)
    assert len(found.unusual) == 4
    broken = signature(certificates=(CHAIN.leaf, b"\x30\x00"))
    found = inspection.inspect(FileSource(), bench.put("file", broken))
    assert isinstance(found, inspection.InspectedSignature)
    assert len(found.certificates) == 1
    assert any("can't be parsed" in line for line in found.unusual)
