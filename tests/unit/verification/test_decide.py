"""Judgement: what refuses, what several signers mean together, and which exit status names the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from signkit.der import oids, writer
from signkit.errors import FileError, MalformedError, VerificationError
from signkit.evidence import Check, Verdict, failed, find, indeterminate, passed, skipped
from signkit.operations.verify import raise_unless_accepted
from signkit.verification import decide as decisions
from signkit.verification.decide import decide
from signkit.verification.examine import Evidence, examine
from signkit.verification.inputs import ArtifactInput, Trust
from signkit.verification.policy import ANYONE, Identity, Policy
from signkit.verification.result import (
    ArtifactResult,
    SignerResult,
    VerificationResult,
    combine_statuses,
    hint_for,
    status_of,
)
from signkit.x509 import certificate, names
from tests.support import pki
from tests.support.cms_builder import content_type, message_digest, signature, signer
from tests.support.judging import failures, judge

CHAIN, RSA = pki.chain(), pki.rsa_chain()
RIGHT = tuple(passed(name) for name in decisions.REQUIRED)
IDENTITY_OF_LEAF = Identity(subjects=(names.parse(pki.SIGNER),))


def a_signer(*checks: Check, der: bytes = CHAIN.leaf) -> SignerResult:
    leaf = certificate.load(der)
    return SignerResult(leaf, "named", leaf.key_type, "ECDSA_SHA_256", None, (), (), checks)


def decided(*signers: SignerResult, checks: tuple[Check, ...] = (), policy: Policy = ANYONE) -> ArtifactResult:
    return decide(Evidence("app.bin", "app.bin.p7s", {}, checks, signers), policy)


# --- what is required ---


def test_all_required_checks_make_a_signer_acceptable() -> None:
    assert decided(a_signer(*RIGHT)).accepted


@pytest.mark.parametrize("missing", decisions.REQUIRED)
def test_a_required_check_that_was_not_made_refuses(missing: str) -> None:
    result = decided(a_signer(*(check for check in RIGHT if check.name != missing)))
    assert not result.accepted
    assert result.reasons == (missing,)
    check = find(result.checks, missing)
    assert check is not None
    assert check.verdict is Verdict.FAIL


@pytest.mark.parametrize("missing", decisions.REQUIRED)
@pytest.mark.parametrize("make", [skipped, indeterminate, failed])
def test_a_required_check_that_did_not_pass_refuses(missing: str, make: Any) -> None:
    others = [check for check in RIGHT if check.name != missing]
    result = decided(a_signer(*others, make(missing, "not done")))
    assert not result.accepted
    assert missing in result.reasons


@pytest.mark.parametrize(
    "name",
    ["path.1.validity", "path.2.name-constraints", "signed-attributes.unique", "timestamp.signature", "revocation.0"],
)
@pytest.mark.parametrize("make", [failed, indeterminate])
def test_whatever_fails_or_is_left_open_refuses(name: str, make: Any) -> None:
    strict = Policy(timestamp="required", revocation="require")
    proof = passed("timestamp.present"), passed("time.established")
    result = decided(a_signer(*RIGHT, *proof, make(name, "bad")), policy=strict)
    assert not result.accepted
    assert result.reasons == (name,)


def test_no_signer_at_all_is_refused() -> None:
    assert not decided().accepted
    assert not decided(checks=(passed("signature.present"), passed("signature.format"))).accepted


def test_a_check_of_the_file_refuses_whoever_signed() -> None:
    result = decided(a_signer(*RIGHT), checks=(failed("signature.format", "bad"),))
    assert not result.accepted
    assert result.exit_status == 11


# --- several signers ---


def test_an_unacceptable_signer_beside_an_acceptable_one_is_tolerated() -> None:
    for check in (failed("path.built", "foreign"), indeterminate("signature.algorithm", "unknown")):
        result = decided(a_signer(*RIGHT), a_signer(check, der=RSA.leaf))
        assert result.accepted
        assert [one.accepted for one in result.signers] == [True, False]


@pytest.mark.parametrize(
    "name", ["signature.value", "artifact.digest", "artifact.embedded-content", "signed-attributes.signing-certificate"]
)
def test_a_wrong_value_by_any_signer_rejects_the_file(name: str) -> None:
    result = decided(a_signer(*RIGHT), a_signer(failed(name, "bad"), der=RSA.leaf))
    assert not result.accepted
    assert result.reasons == (name,)


def test_an_unsupported_algorithm_does_not_spoil_what_another_signed() -> None:
    unknown = replace(signer(), signature_algorithm=writer.sequence(writer.oid("1.3.101.112")))
    good = signer(key=RSA.leaf_key, certificate=RSA.leaf)
    assert judge(signature(unknown, good)).accepted
    result = judge(signature(unknown))
    assert (result.exit_status, result.reasons) == (19, ("signature.algorithm",))


def test_a_wrong_value_spoils_what_another_signed() -> None:
    wrong = replace(signer(), key=pki.key(60))
    good = signer(key=RSA.leaf_key, certificate=RSA.leaf)
    result = judge(signature(wrong, good))
    assert (result.accepted, result.exit_status) == (False, 13)


def test_the_threshold_counts_distinct_keys() -> None:
    two = Policy(threshold=2)
    twice = a_signer(*RIGHT), a_signer(*RIGHT)
    result = decided(*twice, policy=two)
    assert (result.accepted, result.exit_status, result.reasons) == (False, 19, ("threshold",))
    assert decided(a_signer(*RIGHT), a_signer(*RIGHT, der=RSA.leaf), policy=two).accepted


def test_one_key_with_two_certificates_counts_once() -> None:
    other = pki.leaf("CN=Second Certificate", pki.key(3), pki.ISSUING, pki.key(2))
    file = signature(signer(), signer(certificate=other))
    assert judge(file).accepted
    assert judge(file, policy=Policy(threshold=2)).reasons == ("threshold",)
    both = signature(signer(), signer(key=RSA.leaf_key, certificate=RSA.leaf))
    assert judge(both, policy=Policy(threshold=2)).accepted
    assert judge(both, policy=Policy(threshold=3)).reasons == ("threshold",)


def test_only_acceptable_signers_count() -> None:
    result = decided(
        a_signer(*RIGHT), a_signer(failed("path.built", "foreign"), der=RSA.leaf), policy=Policy(threshold=2)
    )
    assert result.reasons == ("threshold",)
    foreign = pki.leaf("CN=Foreign", pki.key(61), "CN=Foreign CA", pki.key(62))
    file = signature(signer(), signer(key=pki.key(61), certificate=foreign))
    assert judge(file, policy=Policy(threshold=2)).reasons == ("threshold",)


def test_a_signer_of_another_identity_does_not_count() -> None:
    both = signature(signer(), signer(key=RSA.leaf_key, certificate=RSA.leaf))
    assert judge(both, policy=Policy(IDENTITY_OF_LEAF)).accepted
    assert judge(both, policy=Policy(IDENTITY_OF_LEAF, threshold=2)).reasons == ("threshold",)


@pytest.mark.parametrize("threshold", [0, -1])
def test_no_threshold_accepts_nobody_at_all(threshold: int) -> None:
    assert not decided(a_signer(failed("path.built", "foreign")), policy=Policy(threshold=threshold)).accepted
    assert not decided(policy=Policy(threshold=threshold)).accepted


# --- the check-to-status table of the contract ---

TABLE = {
    "signature.present": 10,
    "signature.format": 11,
    "artifact.digest": 12,
    "artifact.embedded-content": 12,
    "signature.value": 13,
    "signed-attributes.content-type": 13,
    "signed-attributes.message-digest": 13,
    "signed-attributes.signing-certificate": 13,
    "signed-attributes.algorithm-protection": 13,
    "path.built": 14,
    "path.trust-anchor": 14,
    "path.0.signature": 14,
    "path.0.validity": 15,
    "path.12.validity": 15,
    "path.1.basic-constraints": 14,
    "path.1.key-usage": 14,
    "path.1.name-constraints": 14,
    "path.1.policies": 14,
    "path.1.key-strength": 14,
    "path.1.unknown-critical-extensions": 14,
    "path.leaf.extended-key-usage": 14,
    "path.1.extended-key-usage": 14,
    "time.established": 18,
    "timestamp.present": 18,
    "timestamp.message-imprint": 18,
    "timestamp.signature": 18,
    "timestamp.path.0.validity": 18,
    "identity": 19,
    "threshold": 19,
    "signature.algorithm": 19,
    "artifact.readable": 3,
}


@pytest.mark.parametrize("name", TABLE)
def test_check_to_status(name: str) -> None:
    for make in (failed, indeterminate):
        assert status_of(make(name, "bad")) == TABLE[name]
    assert status_of(failed("revocation.1", "revoked")) == 16
    assert status_of(indeterminate("revocation.1", "unknown")) == 17


@pytest.mark.parametrize("one", TABLE)
@pytest.mark.parametrize("other", ["signature.format", "path.0.validity", "threshold", "artifact.readable"])
def test_the_lowest_of_10_to_19_wins_and_outranks_3(one: str, other: str) -> None:
    result = decided(checks=(failed(one, "bad"), failed(other, "bad")))
    statuses = {TABLE[one], TABLE[other]}
    assert result.exit_status == min((status for status in statuses if status >= 10), default=3)
    assert TABLE[result.reasons[0]] == result.exit_status


def test_failures_stand_before_open_questions_of_the_same_status() -> None:
    result = decided(checks=(indeterminate("path.1.name-constraints", "open"), failed("path.built", "no path")))
    assert result.reasons == ("path.built", "path.1.name-constraints")


@pytest.mark.parametrize(
    ("statuses", "expected"), [([3, 14], 14), ([15, 12, 3], 12), ([3, 3], 3), ([19], 19), ([10, 19], 10), ([], 3)]
)
def test_combining_statuses(statuses: list[int], expected: int) -> None:
    assert combine_statuses(statuses) == expected


def test_several_artifacts() -> None:
    good, digest, unreadable = (
        decided(a_signer(*RIGHT)),
        decided(a_signer(failed("artifact.digest", "changed"))),
        decided(checks=(failed("artifact.readable", "no such file"),)),
    )
    assert VerificationResult((good, good), pki.NOW)
    assert VerificationResult((good, good), pki.NOW).exit_status == 0
    assert not VerificationResult((), pki.NOW)
    assert VerificationResult((good, unreadable), pki.NOW).exit_status == 3
    assert VerificationResult((unreadable, digest, good), pki.NOW).exit_status == 12
    assert not VerificationResult((good, digest), pki.NOW)
    assert not digest
    with pytest.raises(VerificationError) as caught:
        raise_unless_accepted(VerificationResult((unreadable, digest, good), pki.NOW))
    assert caught.value.exit_status == 12
    assert "artifact.digest" in caught.value.message
    assert caught.value.hint
    raise_unless_accepted(VerificationResult((good,), pki.NOW))


def test_every_reason_has_a_hint() -> None:
    for name in TABLE:
        assert hint_for(failed(name, "bad")), name


# --- evidence ---

TRUST = Trust((CHAIN.root,), (), pki.NOW)


@pytest.mark.parametrize(
    ("subject", "status", "reason"),
    [
        (ArtifactInput("a", "a.p7s", None, {}, False, FileError("a: no such file")), 3, "artifact.readable"),
        (ArtifactInput("a", "a.p7s", None, {}, True, FileError("a: is a directory")), 3, "artifact.readable"),
        (ArtifactInput("a", "a.p7s", None, {}, False, None), 10, "signature.present"),
        (ArtifactInput("a", "a.p7s", None, {}, True, MalformedError("broken")), 11, "signature.format"),
    ],
)
def test_what_could_not_be_read_is_evidence(subject: ArtifactInput, status: int, reason: str) -> None:
    result = decide(examine(subject, TRUST), ANYONE)
    assert (result.accepted, result.exit_status, result.reasons) == (False, status, (reason,))


def test_a_present_signature_that_nobody_parsed_is_refused() -> None:
    assert not decide(examine(ArtifactInput("a", "a.p7s", None, {}, True, None), TRUST), ANYONE).accepted


def test_expired_everything() -> None:
    result = judge(signature(), at=pki.NOT_AFTER + timedelta(days=1))
    assert result.exit_status == 15
    assert set(result.reasons) == {"path.0.validity", "path.1.validity", "path.2.validity"}


def test_all_faults_are_reported_at_once() -> None:
    wrong = signer(attributes=(content_type(oids.SIGNED_DATA), message_digest(b"evil")))
    result = judge(signature(wrong), anchors=[], policy=Policy(Identity(subjects=(names.parse("CN=Nobody"),))))
    assert failures(result) == {"artifact.digest", "signed-attributes.content-type", "path.built", "identity"}
    assert result.exit_status == 12


def test_a_timestamp_that_is_none_refuses() -> None:
    from tests.support.cms_builder import attribute

    stamped = signature(signer(unsigned=(attribute(oids.SIGNATURE_TIME_STAMP, writer.NULL),)))
    result = judge(stamped)
    assert result.exit_status == 18
    assert result.reasons == ("timestamp.format", "time.established")
    assert judge(stamped, timestamp="ignored").accepted
    assert judge(stamped, at=pki.NOT_AFTER + timedelta(days=1)).exit_status == 15
