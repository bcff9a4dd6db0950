"""What a policy makes of evidence: each check, verdict and action; algorithms, timestamps, revocation, signers."""

from __future__ import annotations

from typing import Any

import pytest

from signkit.evidence import Check, Verdict, failed, find, indeterminate, passed, skipped
from signkit.report import text, verification
from signkit.verification import checks
from signkit.verification import decide as decisions
from signkit.verification.decide import decide
from signkit.verification.examine import Evidence
from signkit.verification.policy import Identity, Policy
from signkit.verification.result import ArtifactResult, SignerResult, VerificationResult, refuses, warns
from signkit.x509 import certificate, names
from tests.support import pki
from tests.support.reports import check_document

LEAF = certificate.load(pki.chain().leaf)
RIGHT = tuple(passed(name) for name in decisions.REQUIRED)
SUBJECT = names.parse(pki.SIGNER)
OF_SIGNER = [name for name in checks.NAMES if not name.startswith(("signature.present", "signature.format", "policy"))]


def decided(*made: Check, policy: Policy, path: int = 1, algorithm: str = "ECDSA_SHA_256") -> ArtifactResult:
    """The verdict about one signer with these checks."""
    signer = SignerResult(LEAF, "named", LEAF.key_type, algorithm, None, (LEAF,) * path, (), made)
    return decide(Evidence("app.bin", "app.bin.p7s", {}, (), (signer,)), policy)


def with_check(check: Check) -> tuple[Check, ...]:
    return (*(one for one in RIGHT if one.name != check.name), check)


@pytest.mark.parametrize("name", [name for name in OF_SIGNER if name not in ("identity", "threshold")])
@pytest.mark.parametrize("make", [failed, indeterminate, skipped])
@pytest.mark.parametrize("action", ["none", "enforce", "warn", "star"])
def test_matrix(name: str, make: Any, action: str) -> None:
    check = make(name.replace("N", "0"), "bad")
    pattern = name.replace("N", "*") if action == "star" else check.name
    strict = {"timestamp": "required", "revocation": "require"}
    actions = () if action == "none" else ((pattern, "warn" if action == "star" else action),)
    proof = tuple(passed(one) for one in ("timestamp.present", "time.established") if one != check.name)
    result = decided(*with_check(check), *proof, policy=Policy(actions=actions, **strict))
    lowered = action in ("warn", "star") and name not in checks.NEVER_LOWERED
    unneeded = check.verdict is Verdict.SKIPPED and check.name not in (
        *decisions.REQUIRED,
        "timestamp.present",
        "time.established",
    )
    assert result.accepted is (lowered or unneeded)
    if lowered and not unneeded:
        assert check.name in {one.name for one in result.warnings}
    elif not result.accepted:
        assert check.name in result.reasons
    for one in result.checks:  # what is lowered keeps its own verdict
        assert one.verdict in (check.verdict, Verdict.PASS, Verdict.FAIL, Verdict.SKIPPED)
        assert not (warns(one) and one.passed)


@pytest.mark.parametrize("name", ["artifact.digest", "signature.value", "path.built"])
@pytest.mark.parametrize("pattern", ["*", "{name}"])
def test_the_three_can_t_be_lowered_even_by_a_policy_made_in_python(name: str, pattern: str) -> None:
    actions = ((pattern.format(name=name), "warn"),)
    missing = tuple(check for check in RIGHT if check.name != name)
    for made in (missing, (*missing, failed(name, "bad")), (*missing, skipped(name, "not done"))):
        assert decided(*made, policy=Policy(actions=actions)).reasons == (name,)


def test_a_lowered_check_is_visible_in_every_output() -> None:
    policy = Policy(name="release", actions=(("path.*.policies", "warn"),))
    artifact = decided(*RIGHT, failed("path.0.policies", "no such policy", expected="1.2", found="1.3"), policy=policy)
    assert artifact.accepted
    assert artifact.policy == "release"
    for count in (1, 30):
        result = VerificationResult((artifact,) * count, pki.NOW)
        assert "  WARN path.0.policies: no such policy" in list(text.lines(result))
        document = verification.document(result, tool_version="0")
        check_document(document)
        [check] = [one for one in document["artifacts"][0]["checks"] if one["name"] == "path.0.policies"]
        assert (check["verdict"], check["facts"]["action"], check["facts"]["found"]) == ("fail", "warn", "1.3")
        assert document["artifacts"][0]["policy"] == "release"


def test_a_lowered_check_of_one_signer_does_not_spoil_the_file() -> None:
    name = "signed-attributes.signing-certificate"
    assert decided(*RIGHT, failed(name, "bad"), policy=Policy(actions=((name, "warn"),))).accepted
    assert not decided(*RIGHT, failed(name, "bad"), policy=Policy()).accepted


# --- algorithms ---


def test_an_algorithm_the_policy_does_not_name_is_refused() -> None:
    policy = Policy(algorithms=("RSA_PSS_SHA_256", "SM2DSA"))
    result = decided(*RIGHT, policy=policy)
    assert (result.exit_status, result.reasons) == (19, ("signature.algorithm",))
    check = find(result.checks, "signature.algorithm")
    assert check is not None
    assert (check.facts["expected"], check.facts["found"]) == ("RSA_PSS_SHA_256 or SM2DSA", "ECDSA_SHA_256")
    assert decided(*RIGHT, policy=policy, algorithm="SM2DSA").accepted


# --- timestamps ---


@pytest.mark.parametrize(
    ("made", "accepted"),
    [
        ((passed("timestamp.present"), passed("time.established")), True),
        ((skipped("timestamp.present", "no token"), passed("time.established")), False),
        ((passed("time.established"),), False),
        ((passed("timestamp.present"),), False),
        ((passed("timestamp.present"), failed("timestamp.signature", "bad"), passed("time.established")), False),
        ((passed("timestamp.present"), indeterminate("time.established", "open")), False),
        ((failed("timestamp.present", "none"), passed("time.established")), False),
        ((), False),
    ],
)
def test_a_required_timestamp(made: tuple[Check, ...], accepted: bool) -> None:
    result = decided(*RIGHT, *made, policy=Policy(timestamp="required"))
    assert result.accepted is accepted
    assert result.exit_status == (0 if accepted else 18)
    assert len({check.name for check in result.checks}) == len(result.checks)


@pytest.mark.parametrize(
    ("made", "accepted"),
    [
        ((), True),
        ((skipped("timestamp.present", "no token"),), True),
        ((failed("timestamp.signature", "bad"),), False),
        ((failed("time.established", "bad"),), False),
        ((indeterminate("timestamp.signature", "open"), indeterminate("time.established", "open")), True),
        ((indeterminate("time.established", "open"), failed("path.0.validity", "expired")), False),
    ],
)
def test_a_timestamp_if_expired(made: tuple[Check, ...], accepted: bool) -> None:
    result = decided(*RIGHT, *made, policy=Policy(timestamp="if-expired"))
    assert result.accepted is accepted
    assert {check.name for check in made if check.verdict is Verdict.INDETERMINATE} == {c.name for c in result.warnings}


def test_an_ignored_timestamp() -> None:
    policy = Policy(timestamp="ignored")
    assert decided(*RIGHT, failed("timestamp.signature", "bad"), policy=policy).accepted
    assert not decided(*RIGHT, failed("path.0.validity", "expired"), policy=policy).accepted


# --- revocation ---


@pytest.mark.parametrize(
    ("mode", "made", "status"),
    [
        ("require", (), 17),
        ("require", (passed("revocation.0"),), 17),
        ("require", (passed("revocation.0"), passed("revocation.1")), 0),
        ("require", (passed("revocation.0"), skipped("revocation.1", "not asked")), 17),
        ("require", (passed("revocation.0"), indeterminate("revocation.1", "no CRL")), 17),
        ("require", (failed("revocation.0", "revoked"), passed("revocation.1")), 16),
        ("check", (), 0),
        ("check", (indeterminate("revocation.0", "no CRL"), passed("revocation.1")), 0),
        ("check", (failed("revocation.0", "revoked"),), 16),
        ("ignore", (), 0),
        ("ignore", (failed("revocation.0", "revoked"),), 16),
    ],
)
def test_revocation(mode: str, made: tuple[Check, ...], status: int) -> None:
    result = decided(*RIGHT, *made, policy=Policy(revocation=mode), path=3)
    assert result.exit_status == status
    for check in result.checks:
        if check.verdict is Verdict.INDETERMINATE:
            assert warns(check) is (mode != "require")


# --- signers ---

OTHER = Identity(subjects=(names.parse("CN=Other"),))


@pytest.mark.parametrize(
    ("signers", "identity", "accepted"),
    [
        ((), Identity(), True),
        ((Identity(subjects=(SUBJECT,)),), Identity(), True),
        ((OTHER, Identity(certificate_sha256=(LEAF.fingerprint,))), Identity(), True),
        ((OTHER,), Identity(), False),
        ((Identity((SUBJECT,), names.parse("CN=Other")),), Identity(), False),
        ((Identity(subjects=(SUBJECT,)),), OTHER, False),
        ((OTHER,), Identity(subjects=(SUBJECT,)), False),
        ((Identity(alternative_names=("email:a@b",)),), Identity(), False),
        ((Identity(public_key_sha256=(LEAF.fingerprint,)),), Identity(), False),
    ],
)
def test_signers(signers: tuple[Identity, ...], identity: Identity, accepted: bool) -> None:
    result = decided(*RIGHT, policy=Policy(identity, signers=signers))
    assert result.accepted is accepted
    check = find(result.checks, "identity")
    assert check is not None
    if not accepted:
        assert result.reasons == ("identity",)
        assert check.detail.startswith(f"certificate 0 ({pki.SIGNER}): ")
        assert check.facts["found"] == pki.SIGNER
        assert check.facts["expected"]


def test_all_signers_are_named_in_a_refusal() -> None:
    second = Identity(public_key_sha256=("0" * 64,))
    check = find(decided(*RIGHT, policy=Policy(signers=(OTHER, second))).checks, "identity")
    assert check is not None
    assert "none of the 2 signers of the policy: [1] subject is" in check.detail
    assert f"[2] public key has SHA-256 {LEAF.public_key_fingerprint}, expected {'0' * 64}" in check.detail
    assert check.facts["expected"] == ["subject CN=Other", f"spki-sha256 {'0' * 64}"]


def test_required_identity_is_met_by_the_policy_s_signers() -> None:
    assert decided(*RIGHT, policy=Policy(require_identity=True, signers=(Identity(subjects=(SUBJECT,)),))).accepted
    assert decided(*RIGHT, policy=Policy(require_identity=True)).reasons == ("identity",)


def test_a_lowered_threshold_warns() -> None:
    assert decided(*RIGHT, policy=Policy(threshold=2)).reasons == ("threshold",)
    result = decided(*RIGHT, policy=Policy(threshold=2, actions=(("threshold", "warn"),)))
    assert result.accepted
    assert [check.name for check in result.warnings] == ["threshold"]
    assert not any(map(refuses, result.checks))
