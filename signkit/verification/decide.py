"""Judge evidence by a policy. A check that is required and did not pass refuses, also when it was never made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from signkit.evidence import Check, Verdict, failed, passed, skipped
from signkit.verification.examine import Evidence
from signkit.verification.policy import Policy
from signkit.verification.result import ArtifactResult, SignerResult, status_of

REQUIRED = ("artifact.digest", "signature.algorithm", "signature.value", "path.built", "path.leaf.extended-key-usage")
"""Checks that must have passed for a signer to be accepted, whatever the policy says."""

IDENTITY_NOT_CHECKED = "not checked, any signer under the given anchors is accepted"

_NEVER_TOLERATED = ("artifact.", "signature.value", "signed-attributes.")
"""A failure of these by any signer refuses the file, even when other signers suffice."""


def decide(evidence: Evidence, policy: Policy) -> ArtifactResult:
    """Judge one artifact."""
    signers = tuple(sorted((_judge(signer, policy) for signer in evidence.signers), key=lambda one: not one.accepted))
    if len(signers) > 1:
        signers = tuple(_numbered(signer, number) for number, signer in enumerate(signers))
    checks = [*evidence.checks, *(check for signer in signers for check in signer.checks)]
    problems = _problems(evidence, signers)
    if not problems and signers:
        threshold = _threshold(signers, policy)
        checks.append(threshold)
        problems = [threshold] if not threshold.passed else []
    return ArtifactResult(
        artifact=evidence.artifact,
        signature=evidence.signature,
        digested=evidence.digested,
        checks=tuple(checks),
        signers=signers,
        accepted=bool(signers) and not problems,
        problems=tuple(sorted(problems, key=_weight)),
    )


def _numbered(signer: SignerResult, number: int) -> SignerResult:
    """Each check with the number of its signer, so that a reader of several knows whose it is."""
    checks = tuple(check._replace(facts={**check.facts, "signer": number}) for check in signer.checks)
    return signer._replace(checks=checks)


def _problems(evidence: Evidence, signers: Iterable[SignerResult]) -> list[Check]:
    """What refuses the file as a whole: its own checks, tampering by any signer, or no acceptable signer at all."""
    problems = [check for check in evidence.checks if not check.passed]
    refused = [signer for signer in signers if not signer.accepted]
    problems += [
        check
        for signer in refused
        for check in signer.problems
        if check.name.startswith(_NEVER_TOLERATED) and check.verdict is Verdict.FAIL
    ]
    if not any(signer.accepted for signer in signers):
        problems += [check for signer in refused for check in signer.problems if check not in problems]
    return problems


def _judge(signer: SignerResult, policy: Policy) -> SignerResult:
    checks = [*signer.checks, _identity(signer, policy)]
    if not any(check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE) for check in checks):
        made = {check.name for check in checks if check.passed}
        checks += [failed(name, "a required check was not made") for name in REQUIRED if name not in made]
    judged = signer._replace(checks=tuple(checks))
    return judged._replace(accepted=not judged.problems)


def _identity(signer: SignerResult, policy: Policy) -> Check:
    if not policy.identity:
        if policy.require_identity:
            return failed("identity", "an identity is required, and none was given to compare with")
        return skipped("identity", IDENTITY_NOT_CHECKED)
    if signer.certificate is None:
        return skipped("identity", "not checked: the signer's certificate is missing")
    mismatches = policy.identity.mismatches(signer.certificate)
    if mismatches:
        return failed("identity", "; ".join(mismatches), found=str(signer.certificate.subject))
    return passed("identity", str(signer.certificate.subject), found=str(signer.certificate.subject))


def _threshold(signers: tuple[SignerResult, ...], policy: Policy) -> Check:
    """Distinct keys count, so that one key can't sign twice."""
    keys = {signer.certificate.public_key_info for signer in signers if signer.accepted and signer.certificate}
    facts: dict[str, Any] = {"expected": policy.threshold, "found": len(keys)}
    detail = f"{len(keys)} acceptable signer(s), expected {policy.threshold}"
    make = passed if len(keys) >= policy.threshold else failed
    return make("threshold", detail, **facts)


def _weight(check: Check) -> tuple[bool, int, bool]:
    """Sort key: verdicts of 10 to 19 from the lowest, then what could not be done; failures before open questions."""
    status = status_of(check)
    return status < 10, status, check.verdict is not Verdict.FAIL
