"""Reports of every kind are what ``docs/verification-report.schema.json`` says, and nothing else is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from signkit import Identity, Policy, Signkit, VerificationResult, assess
from signkit.der import cms
from signkit.report import verification
from signkit.wiring import Wiring

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs" / "verification-report.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
Change = Callable[[bytes], bytes]


@pytest.fixture
def signed(workdir: Path) -> Path:
    """The artifacts ``a`` and ``b`` with signatures, the authority in ``ca`` and a foreign one in ``other``."""
    kit = Signkit.init("store", root_key="file:root.key")
    kit.create_key("EC_P256", alias="alias/release")
    Path("release.csr").write_text(kit.create_request("alias/release@1", "CN=Acme Release,O=Acme").pem)
    lab = Wiring({}, home="store")
    lab.create_lab("ca")
    lab.create_lab("other")
    issued = lab.issue_in_lab("ca", "release.csr", days=30)
    for number, certificate in enumerate(issued):
        Path(f"{number}.der").write_bytes(certificate.der)
    kit.import_certificate("alias/release@1", "0.der", "1.der")
    for name in ("a", "b"):
        Path(name).write_text(f"artifact {name}")
    kit.sign("a", "b", key="alias/release@1")
    kit.close()
    return workdir


def validated(result: VerificationResult) -> dict[str, Any]:
    """The report as a reader gets it, after it was held against the schema."""
    report = json.loads(json.dumps(verification.document(result, tool_version="1.2.3")))
    errors = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(report)]
    assert not errors
    return report


def change(path: str, how: Change) -> None:
    Path(path).write_bytes(how(Path(path).read_bytes()))


def without_certificates(data: bytes) -> bytes:
    return cms.encode(cms.decode(data)._replace(certificates=()))


def with_another_value(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_accepted(signed: Path) -> None:
    report = validated(assess("a", "b", trust=["ca/root.pem"]))
    assert report["accepted"] is True
    assert [len(artifact["signers"][0]["path"]) for artifact in report["artifacts"]] == [3, 3]


@pytest.mark.parametrize(
    ("status", "path", "how"),
    [
        (11, "a.p7s", lambda data: data[:-40]),
        (11, "a.p7s", lambda data: b""),
        (12, "a", lambda data: data + b"!"),
        (13, "a.p7s", with_another_value),
        (14, "a.p7s", without_certificates),
    ],
    ids=["truncated", "empty", "changed artifact", "changed value", "no certificates"],
)
def test_refused(signed: Path, status: int, path: str, how: Change) -> None:
    change(path, how)
    report = validated(assess("a", trust=["ca/root.pem"]))
    assert (report["accepted"], report["exit_status"]) == (False, status)


def test_no_signature_and_no_artifact(signed: Path) -> None:
    Path("a.p7s").unlink()
    report = validated(assess("a", "absent", "b", trust=["ca/root.pem"]))
    assert [artifact["exit_status"] for artifact in report["artifacts"]] == [10, 3, 0]
    assert report["exit_status"] == 10


def test_no_path(signed: Path) -> None:
    assert validated(assess("a", trust=["other/root.pem"]))["exit_status"] == 14
    assert validated(assess("a", trust=[]))["exit_status"] == 14


def test_outside_validity(signed: Path) -> None:
    report = validated(assess("a", trust=["ca/root.pem"], at=datetime(2099, 1, 1, tzinfo=UTC)))
    assert report["exit_status"] == 15


def test_another_signer(signed: Path) -> None:
    policy = Policy(Identity(public_key_sha256=("0" * 64,)))
    assert validated(assess("a", trust=["ca/root.pem"], policy=policy))["exit_status"] == 19
    assert validated(assess("a", trust=["ca/root.pem"], policy=Policy(require_identity=True)))["exit_status"] == 19


def test_signer_without_certificate_has_nulls(signed: Path) -> None:
    change("a.p7s", without_certificates)
    signer = validated(assess("a", trust=["ca/root.pem"]))["artifacts"][0]["signers"][0]
    names = ("subject", "issuer", "serial_number", "certificate_sha256", "public_key_sha256", "key_type")
    assert [signer[name] for name in names] == [None] * 6


def _objects(value: Any) -> list[dict[str, Any]]:
    """All objects in a document but those whose names are free (facts, digests)."""
    if isinstance(value, list):
        return [found for item in value for found in _objects(item)]
    if not isinstance(value, dict):
        return []
    inner = [found for name, item in value.items() if name not in ("facts", "digest") for found in _objects(item)]
    return [value, *inner]


def test_nothing_may_be_added_or_left_out(signed: Path) -> None:
    report = validated(assess("a", trust=["ca/root.pem"]))
    for number, found in enumerate(_objects(report)):
        changed = copy.deepcopy(report)
        _objects(changed)[number]["surprise"] = 1
        assert not VALIDATOR.is_valid(changed), f"an extra field in {found}"
        for name in found:
            changed = copy.deepcopy(report)
            del _objects(changed)[number][name]
            assert not VALIDATOR.is_valid(changed), f"no {name} in {found}"


def test_contradictions_are_refused(signed: Path) -> None:
    report = validated(assess("a", trust=["ca/root.pem"]))
    for field, value in (("accepted", False), ("exit_status", 12), ("exit_status", 1), ("now", "today")):
        assert not VALIDATOR.is_valid({**report, field: value})
