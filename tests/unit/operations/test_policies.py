"""Policy files with the files they name: read relative to them, whole before any verdict, and only what is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from signkit import assess, system_trust, verify
from signkit.errors import ConfigurationError, FileError, RefusedError, UnavailableError, UsageError
from signkit.files import FileSource
from signkit.operations import policies
from signkit.operations.verify import VerifyingService
from signkit.verification.policy import Identity, Policy
from signkit.x509 import alternative_names, certificate
from tests.support import pki
from tests.support.cms_builder import ARTIFACT, signature

POLICY = """
version = 1
[[policy]]
name = "good"
artifacts = ["**/app.bin", "app.bin"]
trust-anchors = ["roots/root.pem"]
[[policy]]
name = "other"
artifacts = ["other/*"]
trust-anchors = ["roots/other.pem", "system"]
timestamp = "ignored"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "policies" / "roots").mkdir(parents=True)
    (tmp_path / "policies" / "F.toml").write_text(POLICY)
    (tmp_path / "policies" / "roots" / "root.pem").write_bytes(pki.as_pem(pki.chain().root))
    (tmp_path / "app.bin").write_bytes(ARTIFACT)
    (tmp_path / "app.bin.p7s").write_bytes(signature())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def service() -> VerifyingService:
    return VerifyingService(FileSource(), clock=lambda: pki.NOW)


def test_python_takes_a_path_or_a_policy(folder: Path) -> None:
    assert verify("app.bin", policy=Path("policies/F.toml"), at=pki.NOW).artifacts[0].policy == "good"
    assert assess("app.bin", policy="policies/F.toml", at=pki.NOW)
    assert assess("app.bin", trust="policies/roots/root.pem", policy=Policy(revocation="ignore"), at=pki.NOW)
    assert not assess("app.bin", at=pki.NOW)
    with pytest.raises(UsageError, match="--trust stands beside"):
        assess("app.bin", trust="policies/roots/root.pem", policy="policies/F.toml", at=pki.NOW)


def test_only_what_a_policy_in_question_names_is_read(folder: Path) -> None:
    found = service().load_policy("policies/F.toml")
    assert service().verify([str(folder / "app.bin")], policy=found)
    with pytest.raises(FileError, match=r"F.toml: policy 'other': trust-anchors: .*other.pem"):
        service().verify(["app.bin", "other/x"], policy=found)
    with pytest.raises(FileError, match="policy 'other'"):
        policies.check(FileSource(), "policies/F.toml")
    (folder / "policies" / "roots" / "other.pem").write_bytes(pki.as_pem(pki.chain().root))
    assert policies.check(FileSource(), "policies/F.toml").policies == found.policies
    with pytest.raises(UnavailableError, match="not connected"):
        service().verify(["other/x"], policy=found)


def test_a_policy_for_one_artifact_under_another_name(folder: Path) -> None:
    found = service().load_policy("policies/F.toml")
    result = service().verify(["app.bin"], policy=found, named="lib/other.bin")
    assert result.artifacts[0].reasons == ("policy.artifact",)
    with pytest.raises(UsageError):
        service().verify(["app.bin", "b"], policy=found, named="c")


def test_tests_of_a_policy(folder: Path) -> None:
    path = folder / "policies" / "F.toml"
    path.write_text(POLICY.replace('"roots/other.pem", "system"', '"roots/root.pem"'))
    with pytest.raises(ConfigurationError, match="no test case"):
        policies.test(FileSource(), service(), str(path))
    cases = '[[test]]\nartifact = "../app.bin"\nas = "app.bin"\nat = 2026-06-01\nsignature = "../app.bin.p7s"\n'
    Path(f"{path}.tests.toml").write_text(f"{cases}accepted = true\n{cases}reasons = ['path.0.validity']\n")
    good, bad = policies.test(FileSource(), service(), str(path))
    assert (good.agreed, bad.agreed) == (True, False)
    assert bad.found == "accepted status 0"
    policies.require_agreement([good])
    with pytest.raises(RefusedError, match="test '2': found accepted status 0, expected path.0.validity") as caught:
        policies.require_agreement([good, bad])
    assert (caught.value.code, caught.value.exit_status) == ("PolicyTestFailed", 4)


def test_the_system_has_trust_anchors_that_can_be_read() -> None:
    try:
        found = system_trust.certificates()
    except UnavailableError as error:
        pytest.skip(f"missing component: {error.message}")
    assert found
    assert len(set(found)) == len(found)
    assert certificate.load(found[0]).subject


@pytest.mark.parametrize("fault", [OSError("no file"), ValueError("bad"), None])
def test_a_system_without_trust_anchors(fault: Exception | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from oscrypto import trust_list

    def answer() -> list[object]:
        if fault is not None:
            raise fault
        return []

    monkeypatch.setattr(trust_list, "get_list", answer)
    with pytest.raises(UnavailableError) as caught:
        system_trust.certificates()
    assert caught.value.exit_status == 3
    assert caught.value.hint


def test_anchors_of_the_system_that_can_t_be_parsed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from asn1crypto import x509
    from oscrypto import trust_list

    class Broken:
        def dump(self) -> bytes:
            return b"\x30\x00"

    root = x509.Certificate.load(pki.chain().root)
    monkeypatch.setattr(trust_list, "get_list", lambda: [(Broken(), set(), set()), (root, set(), set())])
    assert system_trust.certificates() == (pki.chain().root,)


# --- subject alternative names ---


def with_names(*pieces: bytes) -> certificate.Certificate:
    from signkit.der import oids, writer

    value = writer.sequence(*pieces)
    der = pki.leaf("CN=Leaf", pki.key(3), pki.ISSUING, pki.key(2), extra=[pki.extension(oids.SUBJECT_ALT_NAME, value)])
    return certificate.load(der)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ("email:Release@ACME.example", True),
        ("email:Release@acme.example", True),
        ("email:release@acme.example", False),
        ("dns:Build.Acme.Example", True),
        ("dns:acme.example", False),
        ("uri:https://acme.example/ci", True),
        ("uri:https://acme.example/CI", False),
    ],
)
def test_alternative_names(wanted: str, matches: bool) -> None:
    from signkit.der import writer

    found = with_names(
        writer.tlv(0x81, b"Release@acme.EXAMPLE"),
        writer.tlv(0x82, b"build.acme.example"),
        writer.tlv(0x86, b"https://acme.example/ci"),
        writer.tlv(0x87, bytes(4)),
        writer.tlv(0x82, b"b\xfccher.example"),
    )
    assert (Identity.of(alternative_names=[wanted]).mismatches(found) == []) is matches


def test_names_that_can_t_be_compared_are_none() -> None:
    from signkit.der import writer

    assert alternative_names.of(certificate.load(pki.chain().leaf)) == ()
    many = with_names(*(writer.tlv(0x82, b"a.example") for _ in range(101)))
    assert alternative_names.of(many) == ()
    assert "subject alternative names are none" in Identity.of(alternative_names="dns:a.example").mismatches(many)[0]
