"""Signing artifacts: nothing is written that does not verify, nothing is signed that can't be written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from signkit.audit.entry import AuditEntry
from signkit.errors import (
    BindingError,
    CertificateUnusableError,
    FileError,
    MalformedError,
    NotFoundError,
    OutputExistsError,
    ProviderError,
    SignkitError,
    StateError,
    StoreError,
    UsageError,
)
from signkit.files import FileSink, FileSource
from signkit.keys.model import VersionState
from signkit.keys.reference import parse_key_version
from signkit.operations import requests
from signkit.operations.certificates import CertificateService
from signkit.operations.keys import KeyService
from signkit.operations.sign import SigningService, SignOptions
from signkit.operations.verify import VerifyingService
from signkit.x509 import pem
from tests.support import pki
from tests.support.fakes import MemoryProvider, MemoryStore

REFERENCE = parse_key_version("alias/release@1")


class Provider(MemoryProvider):
    """Signs rightly until told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.signed = 0
        self.wrong_at = 0
        self.wrong: Any = lambda value: value[:-1] + bytes([value[-1] ^ 1])

    def sign(self, *arguments: Any, **named: Any) -> bytes:
        self.signed += 1
        value = super().sign(*arguments, **named)
        return self.wrong(value) if self.signed == self.wrong_at else value


class Store(MemoryStore):
    full = False

    def record(self, entries: Sequence[AuditEntry]) -> None:
        if self.full:
            raise StoreError("the store is full")
        super().record(entries)


class House:
    """A certified key, and artifacts in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.provider, self.now = folder, Store(), Provider(), pki.NOW
        numbers = count(1)
        parts: dict[str, Any] = {
            "clock": lambda: self.now,
            "new_id": lambda: f"00000000-0000-4000-8000-{next(numbers):012}",
            "principal": "os:alice",
        }
        self.keys = KeyService(self.store, {"memory": self.provider}, **parts)
        self.certificates = CertificateService(self.keys, FileSource())
        self.signing = SigningService(self.keys, self.certificates, FileSource(), FileSink(), clock=lambda: self.now)
        self.key, self.version = self.keys.create_key("EC_P256", alias="alias/release", provider="memory")
        (folder / "root.pem").write_bytes(pki.as_pem(pki.chain().root))

    def certify(self, *, root: bool = True, **changes: Any) -> None:
        leaf = pki.leaf(pki.SIGNER, self.version.public_key_info, pki.ISSUING, pki.key(2), **changes)
        chain = (pki.chain().issuing, pki.chain().root) if root else (pki.chain().issuing,)
        self.import_(leaf, *chain)

    def import_(self, *ders: bytes) -> Any:
        path = self.folder / "chain.pem"
        path.write_bytes(pki.as_pem(*ders))
        try:
            return self.certificates.import_certificate(REFERENCE, [str(path)])
        finally:
            path.unlink()

    def artifact(self, name: str = "app.bin", data: bytes = b"artifact") -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def sign(self, *paths: str, **options: Any) -> Any:
        return self.signing.sign(paths, REFERENCE, SignOptions(**options))

    def accepted(self, *paths: str) -> bool:
        service = VerifyingService(FileSource(), clock=lambda: self.now)
        return bool(service.verify(paths, trust=[str(self.folder / "root.pem")]))

    def signatures(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.p7s"))

    def leftovers(self) -> list[str]:
        return [path.name for path in self.folder.rglob("*.tmp")]

    def recorded(self) -> list[tuple[str, str]]:
        return [(entry.detail, entry.result) for entry in self.store.entries if entry.action == "AsymmetricSign"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.certify()
    return made


def test_one_artifact(house: House) -> None:
    path = house.artifact()
    made = house.sign(path)
    assert made.artifacts[0].signature == f"{path}.p7s"
    assert made.certificate.public_key_info == house.version.public_key_info
    assert house.accepted(path)
    assert house.recorded() == [(path, "ok")]
    assert house.store.entries[-1].digest_hex == made.artifacts[0].digest_hex


def test_the_root_is_left_out(house: House) -> None:
    from signkit import formats

    path = house.artifact()
    house.sign(path)
    carried = formats.format_named("cms").parse(Path(f"{path}.p7s").read_bytes()).certificates
    assert len(carried) == 2
    assert pki.chain().root not in carried


@pytest.mark.parametrize("number", [2, 25])
def test_many_artifacts(house: House, number: int) -> None:
    paths = [house.artifact(f"{n}.bin", bytes([n])) for n in range(number)]
    assert len(house.sign(*paths).artifacts) == number
    assert house.accepted(*paths)
    assert len(house.recorded()) == number


def test_the_same_file_twice_is_signed_once(house: House) -> None:
    path = house.artifact()
    assert len(house.sign(path, path).artifacts) == 1


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_digests(house: House, digest: str) -> None:
    path = house.artifact()
    assert house.sign(path, digest=digest).artifacts[0].digest_algorithm == digest
    assert house.accepted(path)


def test_a_changed_artifact_is_refused_afterwards(house: House) -> None:
    path = house.artifact()
    house.sign(path)
    house.artifact(data=b"artifacT")
    assert not house.accepted(path)


# --- nothing is written that is wrong ---


@pytest.mark.parametrize(
    "wrong",
    [
        lambda value: value[:-1] + bytes([value[-1] ^ 1]),
        lambda value: b"",
        lambda value: bytes(64),
        lambda value: value + b"\x00",
        lambda value: pki.key(9).sign(b"something else"),
    ],
    ids=["flipped", "empty", "zeros", "longer", "by another key"],
)
def test_a_wrong_signature_of_the_provider_is_not_written(house: House, wrong: Any) -> None:
    house.provider.wrong, house.provider.wrong_at = wrong, 1
    path = house.artifact()
    with pytest.raises(ProviderError, match="does not verify"):
        house.sign(path)
    assert house.signatures() == house.leftovers() == []


def test_of_several_only_those_that_verify_are_written(house: House) -> None:
    house.provider.wrong_at = 3
    paths = [house.artifact(f"{n}.bin") for n in range(5)]
    with pytest.raises(ProviderError, match=r"2\.bin"):
        house.sign(*paths)
    written = house.signatures()
    assert "2.bin.p7s" not in written
    assert all(house.accepted(str(house.folder / name.removesuffix(".p7s"))) for name in written)
    assert house.leftovers() == []


def test_without_a_record_nothing_is_written(house: House) -> None:
    path = house.artifact()
    house.store.full = True
    with pytest.raises(StoreError):
        house.sign(path)
    assert house.signatures() == house.leftovers() == []


def test_a_full_disk_leaves_nothing_behind(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    path = house.artifact()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match="disk is full"):
        house.sign(path)
    assert house.signatures() == house.leftovers() == []


# --- nothing is signed that can't be used ---


def untouched(house: House, *refusals: str) -> bool:
    """Whether no key was used and nothing written; what was refused stands in the audit log, by code."""
    recorded = [("alias/release@1", code) for code in refusals]
    return house.provider.signed == 0 and house.recorded() == recorded and house.leftovers() == []


def test_one_bad_artifact_of_several_and_no_key_is_used(house: House) -> None:
    good = house.artifact()
    for bad in ("absent", "."):
        with pytest.raises(FileError):
            house.sign(good, str(house.folder / bad))
    assert untouched(house)
    assert house.signatures() == []


def test_an_existing_signature_is_not_overwritten(house: House) -> None:
    path, other = house.artifact(), house.artifact("other.bin")
    Path(f"{other}.p7s").write_bytes(b"before")
    with pytest.raises(OutputExistsError):
        house.sign(path, other)
    assert untouched(house)
    assert house.signatures() == ["other.bin.p7s"]
    house.sign(path, other, overwrite=True)
    assert house.accepted(path, other)


def test_outputs_of_one_name_are_refused(house: House) -> None:
    one, other = house.artifact("a/app.bin"), house.artifact("b/app.bin")
    (house.folder / "out").mkdir()
    with pytest.raises(UsageError, match="would both be signed into"):
        house.sign(one, other, out_dir=str(house.folder / "out"))
    assert untouched(house)
    house.sign(one, other)
    assert house.signatures() == ["a/app.bin.p7s", "b/app.bin.p7s"]


def test_out_dir(house: House) -> None:
    path = house.artifact()
    with pytest.raises(FileError, match="does not exist"):
        house.sign(path, out_dir=str(house.folder / "out"))
    (house.folder / "out").mkdir()
    house.sign(path, out_dir=str(house.folder / "out"))
    assert house.signatures() == ["out/app.bin.p7s"]


def test_signatures_are_not_signed_unless_named_singly(house: House) -> None:
    path, other = house.artifact(), house.artifact("other.bin.p7s")
    made = house.sign(path, other)
    assert made.skipped == (other,)
    assert house.signatures() == ["app.bin.p7s", "other.bin.p7s"]
    house.sign(other)
    assert "other.bin.p7s.p7s" in house.signatures()


def test_no_artifact(house: House) -> None:
    with pytest.raises(UsageError, match="no artifact"):
        house.sign()


def test_dry_run(house: House) -> None:
    path = house.artifact()
    assert house.sign(path, dry_run=True).artifacts[0].signature == f"{path}.p7s"
    assert untouched(house)
    assert house.signatures() == []


@pytest.mark.parametrize(
    ("options", "error"),
    [({"digest": "md5"}, UsageError), ({"digest": "sha1"}, UsageError), ({"format": "x"}, UsageError)],
)
def test_options_that_are_not_there(house: House, options: dict[str, str], error: type[SignkitError]) -> None:
    with pytest.raises(error):
        house.sign(house.artifact(), **options)
    assert untouched(house, *(["InvalidParameter"] if "digest" in options else []))


def test_a_version_without_certificate(tmp_path: Path) -> None:
    house = House(tmp_path)
    with pytest.raises(NotFoundError, match="has no certificate"):
        house.sign(house.artifact())
    assert untouched(house, "Certificate.NotFound")


@pytest.mark.parametrize(
    ("changes", "moment", "why"),
    [
        ({}, pki.NOT_AFTER + timedelta(seconds=1), "has expired"),
        ({}, pki.NOT_BEFORE - timedelta(seconds=1), "is not yet valid"),
        ({"purposes": None}, pki.NOW, "not for code signing"),
        ({"purposes": ("1.3.6.1.5.5.7.3.1",)}, pki.NOW, "not for code signing"),
        ({"usages": ("keyEncipherment",)}, pki.NOW, "not for code signing"),
        ({"usages": None}, pki.NOW, "not for code signing"),
        ({"extra": [pki.basic_constraints()]}, pki.NOW, "not for code signing"),
        ({"extra": [pki.extension(pki.UNKNOWN_EXTENSION, b"\x05\x00", True)]}, pki.NOW, "not for code signing"),
    ],
)
def test_a_certificate_that_can_not_serve(tmp_path: Path, changes: dict[str, Any], moment: Any, why: str) -> None:
    house = House(tmp_path)
    house.certify(**changes)
    house.now = moment
    with pytest.raises(CertificateUnusableError, match=why) as caught:
        house.sign(house.artifact())
    assert caught.value.exit_status == 4
    assert untouched(house, caught.value.code)


@pytest.mark.parametrize("moment", [pki.NOT_BEFORE, pki.NOT_AFTER])
def test_both_ends_of_validity_are_inside(house: House, moment: Any) -> None:
    house.now = moment
    house.sign(house.artifact())
    assert len(house.signatures()) == 1


def test_a_disabled_version(house: House) -> None:
    house.store._versions[house.version.id] = house.version._replace(state=VersionState.DISABLED)
    with pytest.raises(StateError):
        house.sign(house.artifact())
    assert untouched(house, "Rejected.Disabled")


# --- certificates ---


def test_a_certificate_of_another_key_is_refused(house: House) -> None:
    before = house.store.certificates()
    with pytest.raises(BindingError, match="found CN=Test Signer,O=Acme") as caught:
        house.import_(pki.chain().leaf, pki.chain().issuing)
    assert caught.value.exit_status == 4
    assert house.store.certificates() == before


def test_the_certificate_is_found_anywhere_and_its_chain_put_in_order(house: House) -> None:
    leaf = pki.leaf("CN=Renewed", house.version.public_key_info, pki.ISSUING, pki.key(2))
    stranger = pki.ca("CN=Stranger", pki.key(8))
    impostor = pki.ca(pki.ISSUING, pki.key(8), pki.ROOT, pki.key(8))
    found = house.import_(pki.chain().root, stranger, impostor, leaf, pki.chain().issuing)
    assert found.certificate.der == leaf
    assert [one.der for one in found.chain] == [pki.chain().issuing, pki.chain().root]
    assert found.complete
    assert len(found.unused) == 2
    assert house.certificates.current(REFERENCE).certificate == leaf


def test_an_incomplete_chain_is_taken_and_said(tmp_path: Path) -> None:
    house = House(tmp_path)
    leaf = pki.leaf("CN=Alone", house.version.public_key_info, pki.ISSUING, pki.key(2))
    assert not house.import_(leaf).complete


def test_of_several_the_one_that_is_valid_longest_is_taken(house: House) -> None:
    public = house.version.public_key_info
    long = pki.leaf("CN=Long", public, pki.ISSUING, pki.key(2), not_after=pki.NOT_AFTER + timedelta(days=9))
    short = pki.leaf("CN=Short", public, pki.ISSUING, pki.key(2))
    for order in ((long, short), (short, long)):
        assert house.import_(*order).certificate.der == long


def test_a_loop_of_issuers_ends(tmp_path: Path) -> None:
    house = House(tmp_path)
    one = pki.ca("CN=One", pki.key(81), "CN=Two", pki.key(82))
    two = pki.ca("CN=Two", pki.key(82), "CN=One", pki.key(81))
    leaf = pki.leaf("CN=Leaf", house.version.public_key_info, "CN=One", pki.key(81))
    assert len(house.import_(leaf, one, two).chain) == 2


@pytest.mark.parametrize("data", [b"", b"junk", pki.chain().leaf[:-1], b"\x30\x00"])
def test_files_without_certificate(house: House, data: bytes) -> None:
    path = house.folder / "bad.pem"
    path.write_bytes(data)
    with pytest.raises(MalformedError, match=r"bad\.pem: ") as caught:
        house.certificates.import_certificate(REFERENCE, [str(path)])
    assert caught.value.exit_status == 11


def test_a_store_that_was_changed_underneath(house: House) -> None:
    bound = house.store._certificates[0]
    house.store._certificates[0] = bound._replace(certificate=pki.chain().leaf)
    with pytest.raises(BindingError, match="may be damaged"):
        house.sign(house.artifact())
    assert untouched(house, "CertificateOfAnotherKey")


def test_looking_up_and_exporting(house: House) -> None:
    bound = house.certificates.current(REFERENCE)
    shown = house.certificates.with_chain(REFERENCE)
    assert [one.der for one in shown] == [bound.certificate, *bound.chain]
    exported = pem.decode(house.certificates.export(REFERENCE, chain=True))
    assert [block.data for block in exported] == [bound.certificate, *bound.chain]
    assert len(pem.decode(house.certificates.export(REFERENCE))) == 1
    assert [one.current for one in house.certificates.certificates()] == [True]


# --- requests ---


def test_a_request_proves_possession(house: House) -> None:
    made = requests.create(house.keys, REFERENCE, "CN=Acme Release,O=Acme,C=DE")
    assert made.request.proof_of_possession() == ""
    assert made.request.public_key_info == house.version.public_key_info
    path = house.folder / "release.csr"
    path.write_text(made.pem)
    assert requests.read(FileSource(), str(path)).der == made.der
    requests.require_possession(made.request, "release.csr")


def test_a_request_that_does_not_verify_is_not_released(house: House) -> None:
    house.provider.wrong_at = 1
    with pytest.raises(SignkitError, match="does not verify"):
        requests.create(house.keys, REFERENCE, "CN=Acme")


@pytest.mark.parametrize(("subject", "template"), [("", "code-signing"), ("Acme", "code-signing"), ("CN=a", "x")])
def test_requests_that_can_not_be_made(house: House, subject: str, template: str) -> None:
    with pytest.raises(UsageError):
        requests.create(house.keys, REFERENCE, subject, template=template)
    assert untouched(house)


def test_possession_that_is_not_proved(house: House) -> None:
    made = requests.create(house.keys, REFERENCE, "CN=Acme")
    from signkit.x509 import request

    altered = request.load(made.der.replace(b"Acme", b"Evil"))
    with pytest.raises(SignkitError, match="not signed by the key it carries") as caught:
        requests.require_possession(altered, "x.csr")
    assert caught.value.exit_status == 13
