"""Manifests: one signature says which files a folder has, and nothing in the folder can change what it says."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from signkit.errors import (
    FileError,
    MalformedError,
    OutputExistsError,
    RefusedError,
    SignkitError,
    UsageError,
    VerificationError,
)
from signkit.files import FileSink, FileSource
from signkit.formats.checksums import Rules
from signkit.operations.manifest import ManifestService, TreeResult, raise_unless_accepted
from signkit.operations.sign import SigningService, SignOptions
from signkit.operations.verify import VerifyingService
from signkit.ports import ArtifactSource
from signkit.tree import FileTree
from signkit.verification.result import VerificationResult
from tests.unit.operations.test_sign import REFERENCE, House


class Yard:
    """A folder with files, next to a house that signs."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.house.certify()
        self.folder = folder / "tree"
        self.manifest = self.folder / "SHA256SUMS"
        self.signature = self.folder / "SHA256SUMS.p7s"
        self.put("app.bin", b"app")
        self.put("lib/one.so", b"one")
        self.put("lib/two.so", b"two")

    def put(self, name: str, data: bytes = b"") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def service(self) -> ManifestService:
        def signing(source: ArtifactSource) -> SigningService:
            house = self.house
            return SigningService(house.keys, house.certificates, source, FileSink(), clock=lambda: house.now)

        return ManifestService(FileTree(jobs=1), FileSource(), FileSink(), signing)

    def create(
        self, *, include: Collection[str] = (), exclude: Collection[str] = (), follow: bool = False, **options: Any
    ) -> Any:
        rules = Rules(tuple(include), tuple(exclude))
        return self.service().create(str(self.folder), REFERENCE, rules, SignOptions(**options), follow_links=follow)

    def judge(self, source: ArtifactSource, path: str) -> VerificationResult:
        service = VerifyingService(source, clock=lambda: self.house.now)
        return service.verify([path], trust=[str(self.house.folder / "root.pem")])

    def verify(self, *only: str) -> TreeResult:
        return self.service().verify(str(self.folder), self.judge, only=only)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def faults(result: TreeResult) -> tuple[tuple[str, ...], ...]:
    return result.changed, result.missing, result.unsigned


def test_what_was_signed_is_accepted(yard: Yard) -> None:
    made = yard.create()
    assert (made.files, made.size) == (3, 9)
    result = yard.verify()
    assert result and result.verified == 3 and result.exit_status == 0
    raise_unless_accepted(result)


def test_any_number_of_files_need_the_key_once(yard: Yard) -> None:
    for number in range(700):
        yard.put(f"many/{number}", b"%d" % number)
    yard.create()
    assert yard.house.provider.signed == 1
    assert yard.verify().verified == 703


def test_changed_missing_and_extra_files_are_told_apart(yard: Yard) -> None:
    yard.create()
    yard.put("app.bin", b"apP")
    (yard.folder / "lib/one.so").unlink()
    yard.put("lib/slipped in", b"")
    result = yard.verify()
    assert faults(result) == (("app.bin",), ("lib/one.so",), ("lib/slipped in",))
    assert result.verified == 1


@pytest.mark.parametrize(
    ("changed", "missing", "extra", "status"),
    [
        (True, False, False, 12),
        (False, True, False, 3),
        (False, False, True, 10),
        (True, True, False, 12),
        (False, True, True, 10),
        (True, True, True, 10),
    ],
)
def test_a_verdict_outranks_a_missing_file(yard: Yard, changed: bool, missing: bool, extra: bool, status: int) -> None:
    yard.create()
    if changed:
        yard.put("app.bin", b"other")
    if missing:
        (yard.folder / "lib/one.so").unlink()
    if extra:
        yard.put("extra")
    result = yard.verify()
    assert result.exit_status == status
    with pytest.raises(VerificationError) as raised:
        raise_unless_accepted(result)
    assert raised.value.exit_status == status and raised.value.hint


@pytest.mark.parametrize("where", ["manifest", "signature"])
def test_a_flipped_bit_is_refused_before_any_file_is_looked_at(yard: Yard, where: str) -> None:
    yard.create()
    path = yard.manifest if where == "manifest" else yard.signature
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    result = yard.verify()
    assert not result and not result.verification.accepted and result.verified == 0
    with pytest.raises(VerificationError):
        raise_unless_accepted(result)


def test_rules_can_neither_be_changed_nor_added_nor_removed(yard: Yard) -> None:
    yard.put("build/x.log", b"log")
    yard.create(exclude=["**/*.log"])
    signed = yard.manifest.read_bytes()
    assert yard.verify().rules == Rules((), ("**/*.log",))
    rule = b"# exclude: **/*.log\n"
    for other in (b"# exclude: **/*\n", rule + b"# exclude: evil\n", b"", b"# include: **/*.log\n"):
        yard.manifest.write_bytes(signed.replace(rule, other))
        assert yard.verify().exit_status == 12
    yard.manifest.write_bytes(signed)
    assert yard.verify()


def test_rules_decide_what_is_an_extra_file(yard: Yard) -> None:
    yard.create(include=["lib/"], exclude=["**/*.tmp"])
    yard.put("beside", b"")
    yard.put("lib/x.tmp", b"")
    assert yard.verify() and yard.verify().verified == 2
    yard.put("lib/new", b"")
    assert yard.verify().unsigned == ("lib/new",)


def test_one_file_without_the_others(yard: Yard) -> None:
    yard.create()
    yard.put("app.bin", b"changed")
    yard.put("extra")
    (yard.folder / "lib/two.so").unlink()
    assert yard.verify("lib/one.so") and yard.verify("lib/one.so").verified == 1
    assert yard.verify(str(yard.folder / "lib" / "one.so"))
    assert faults(yard.verify("app.bin")) == (("app.bin",), (), ())
    assert faults(yard.verify("lib/two.so")) == ((), ("lib/two.so",), ())
    assert faults(yard.verify("extra")) == ((), (), ("extra",))
    assert faults(yard.verify("nowhere")) == ((), ("nowhere",), ())
    with pytest.raises(UsageError, match="not below"):
        yard.verify("../root.pem")


HOSTILE = [
    "a b",
    " lead",
    "-rf",
    "#hash",
    "new\nline",
    "back\\slash",
    "carriage\rreturn",
    "'\"$(x)",
    "\x1b[31m",
    "ü",
    "*",
]


def test_names_that_try_something(yard: Yard) -> None:
    for number, name in enumerate(HOSTILE):
        yard.put(f"odd/{name}", b"%d" % number)
    undecodable = os.fsencode(yard.folder / "odd") + b"/\xff\xfe"
    with open(undecodable, "wb") as file:
        file.write(b"bytes")
    assert yard.create().files == 3 + len(HOSTILE) + 1
    assert yard.verify()
    yard.put("odd/new\nline", b"changed")
    os.unlink(undecodable)
    result = yard.verify()
    assert result.changed == ("odd/new\nline",) and result.missing == ("odd/\udcff\udcfe",)


def test_links_are_refused_or_counted_and_never_lead_out(yard: Yard) -> None:
    (yard.folder / "inside").symlink_to("app.bin")
    with pytest.raises(RefusedError, match="symbolic link"):
        yard.create()
    assert yard.create(follow=True).files == 4
    assert yard.verify()
    (yard.folder / "out").symlink_to(yard.house.folder / "root.pem")
    with pytest.raises(RefusedError, match="leads out"):
        yard.create(follow=True, overwrite=True)
    assert yard.verify().unsigned == ("out",)


def test_a_file_replaced_by_a_link_out_of_the_folder_is_changed_even_with_the_same_content(yard: Yard) -> None:
    yard.create()
    same = yard.house.folder / "same"
    same.write_bytes(b"app")
    (yard.folder / "app.bin").unlink()
    (yard.folder / "app.bin").symlink_to(same)
    assert yard.verify().changed == ("app.bin",)
    assert yard.verify("app.bin").changed == ("app.bin",)


def test_a_folder_replaced_by_a_link_is_not_looked_into(yard: Yard) -> None:
    yard.create()
    (yard.folder / "lib").rename(yard.house.folder / "elsewhere")
    (yard.folder / "lib").symlink_to(yard.house.folder / "elsewhere")
    result = yard.verify()
    assert faults(result) == ((), ("lib/one.so", "lib/two.so"), ("lib",))
    assert faults(yard.verify("lib/one.so"))[1] == ("lib/one.so",)


@pytest.mark.parametrize("kind", ["pipe", "socket folder"])
def test_what_is_no_file_is_told(yard: Yard, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(yard.folder / "odd")
    else:
        (yard.folder / "odd").symlink_to("nowhere")
    with pytest.raises(RefusedError, match="expected regular files"):
        yard.create()
    yard.create(exclude=["odd"])
    assert yard.verify()


def test_an_empty_folder_inside_claims_nothing(yard: Yard) -> None:
    (yard.folder / "empty").mkdir()
    yard.create()
    assert yard.verify()


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ({"include": ["nothing/**"]}, UsageError),
        ({"exclude": ["**"]}, UsageError),
        ({"include": [""]}, UsageError),
        ({"include": ["/etc/**"]}, UsageError),
        ({"exclude": ["a\nb"]}, UsageError),
        ({"exclude": ["x" * 1001]}, UsageError),
    ],
)
def test_rules_that_mean_nothing_sign_nothing(
    yard: Yard, rules: dict[str, list[str]], error: type[SignkitError]
) -> None:
    with pytest.raises(error):
        yard.create(**rules)
    assert not yard.manifest.exists() and yard.house.provider.signed == 0


def test_an_existing_manifest_is_not_overwritten(yard: Yard) -> None:
    yard.create()
    yard.put("more")
    with pytest.raises(OutputExistsError):
        yard.create()
    assert yard.create(overwrite=True).files == 4
    assert yard.verify()


def test_a_dry_run_writes_nothing(yard: Yard) -> None:
    assert yard.create(dry_run=True).files == 3
    assert not yard.manifest.exists() and not yard.signature.exists() and yard.house.provider.signed == 0


def test_a_missing_folder_manifest_or_signature(yard: Yard) -> None:
    assert yard.verify().exit_status == 3
    yard.create()
    yard.signature.unlink()
    assert yard.verify().exit_status == 10
    yard.manifest.unlink()
    with pytest.raises(FileError):
        yard.service().create(str(yard.folder / "absent"), REFERENCE, Rules(), SignOptions())


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage\n", b"0" * 64 + b"  ../up\n", b"0" * 64 + b"  /etc/passwd\n", b"0" * 64 + b"  cut"],
    ids=["empty", "garbage", "up", "absolute", "cut off"],
)
def test_a_signed_manifest_that_is_none(yard: Yard, data: bytes) -> None:
    """Who holds the key may have signed nonsense; it is malformed, and no name in it leads out of the folder."""
    yard.manifest.write_bytes(data)
    yard.house.sign(str(yard.manifest))
    result = yard.verify()
    if not data:
        assert result.unsigned == ("app.bin", "lib/one.so", "lib/two.so") and result.exit_status == 10
        return
    assert result.problem is not None and result.exit_status == 11
    with pytest.raises(MalformedError):
        raise_unless_accepted(result)


def test_a_manifest_swapped_between_judging_and_reading_has_no_effect(yard: Yard) -> None:
    """What is judged is the bytes that were read; the file is opened once."""
    yard.create()
    signed = yard.manifest.read_bytes()

    def judge(source: ArtifactSource, path: str) -> VerificationResult:
        yard.manifest.write_bytes(b"")
        return yard.judge(source, path)

    result = yard.service().verify(str(yard.folder), judge)
    assert result and result.verified == 3
    yard.manifest.write_bytes(signed)
