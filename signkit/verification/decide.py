"""Judge evidence by a policy. A check that is required and did not pass refuses, also when it was never made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from signkit.evidence import Check, Verdict, failed, indeterminate, passed, skipped
from signkit.verification import checks as names
from signkit.verification.examine import Evidence
from signkit.verification.policy import Policy
from signkit.verification.result import IGNORE, WARN, ArtifactResult, SignerResult, refuses, status_of

REQUIRED = ("artifact.digest", "signature.algorithm", "signature.value", "path.built", "path.leaf.extended-key-usage")
"""Checks that must have passed for a signer to be accepted, unless the policy lowers one that can be lowered."""

IDENTITY_NOT_CHECKED = "not checked, any signer under the given anchors is accepted"

_NEVER_TOLERATED = ("artifact.", "signature.value", "signed-attributes.")
"""A failure of these by any signer refuses the file, even when other signers suffice."""

_NOT_MADE = "a required check was not made"


def decide(evidence: Evidence, policy: Policy) -> ArtifactResult:
    """Judge one artifact."""
    signers = tuple(_judge(signer, policy) for signer in evidence.signers)
    if len(signers) > 1:
        signers = tuple(_numbered(signer, number) for number, signer in enumerate(signers))
    checks = [*evidence.checks, *(check for signer in signers for check in signer.checks)]
    problems = _problems(evidence, signers)
    if not problems and signers:
        threshold = _threshold(signers, policy)
        checks.append(threshold)
        problems = list(filter(refuses, [threshold]))
    return ArtifactResult(
        artifact=evidence.artifact,
        signature=evidence.signature,
        digested=evidence.digested,
        checks=tuple(checks),
        signers=signers,
        accepted=bool(signers) and not problems,
        problems=tuple(sorted(problems, key=_weight)),
        policy=policy.name,
    )


def without_policy(evidence: Evidence, detail: str) -> ArtifactResult:
    """The refusal of an artifact that no policy is for.

    Args:
        evidence: what was found without any trust.
        detail: which policies there are, and what they are for.
    """
    checks = (*evidence.checks, failed("policy.artifact", detail, found=evidence.artifact))
    problems = tuple(sorted(filter(refuses, checks), key=_weight))
    return ArtifactResult(evidence.artifact, evidence.signature, evidence.digested, checks, (), False, problems)


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
    checks = [_algorithm(check, signer, policy) for check in signer.checks]
    checks = _timestamp([*checks, _identity(signer, policy)], policy)
    checks = [_lowered(check, policy) for check in checks]
    if not any(map(refuses, checks)):
        made = {check.name for check in checks if check.passed}
        missing = [failed(name, _NOT_MADE) for name in REQUIRED if name not in made]
        seen = {check.name for check in checks if check.verdict is not Verdict.SKIPPED}
        if policy.revocation == "require":
            missing += [indeterminate(name, _NOT_MADE) for name in _revocations(signer) if name not in seen]
        checks += [_lowered(check, policy) for check in missing if check.name not in seen or not _warned(check, policy)]
    judged = signer._replace(checks=tuple(checks))
    return judged._replace(accepted=not judged.problems)


def _revocations(signer: SignerResult) -> list[str]:
    """Every certificate below the trust anchor has a revocation status."""
    return [f"revocation.{position}" for position in range(max(len(signer.path) - 1, 0))]


def _algorithm(check: Check, signer: SignerResult, policy: Policy) -> Check:
    """The check of the algorithm, failed when it is none of those the policy names."""
    if check.name != "signature.algorithm" or not check.passed or not policy.algorithms:
        return check
    if signer.algorithm in policy.algorithms:
        return check
    expected = " or ".join(policy.algorithms)
    detail = f"the signature algorithm is {signer.algorithm}, and the policy expects {expected}"
    return failed(check.name, detail, source=check.source, expected=expected, found=signer.algorithm)


def _timestamp(checks: list[Check], policy: Policy) -> list[Check]:
    """The checks, with what the policy says about timestamps applied to theirs."""
    if policy.timestamp == "ignored":
        return [_with_action(check, IGNORE) if check.name.startswith("timestamp.") else check for check in checks]
    if policy.timestamp != "required":
        return checks
    seen = {check.name for check in checks if check.verdict is not Verdict.SKIPPED}
    if "timestamp.present" not in seen:
        reasons = [f" ({check.detail})" for check in checks if check.name == "timestamp.present"]
        detail = f"the policy requires a trusted timestamp, found none{''.join(reasons)}"
        checks = [check for check in checks if check.name != "timestamp.present"]
        checks.append(failed("timestamp.present", detail, source="RFC 5652 11.3"))
    if "time.established" not in seen:
        checks = [*checks, failed("time.established", _NOT_MADE)]
    return checks


def _lowered(check: Check, policy: Policy) -> Check:
    """The check, marked when it did not pass and the policy does not let that refuse."""
    if check.verdict is Verdict.PASS:  # nearly all of them, and there are many artifacts
        return check
    return _with_action(check, WARN) if _warned(check, policy) else check


def _warned(check: Check, policy: Policy) -> bool:
    if check.verdict is Verdict.INDETERMINATE:
        # Nobody asked for certainty: an unknown status is shown, and so is a token of which nobody can say whether it
        # is good; the moment of judgement is now in that case, so that what has expired is refused by its dates.
        if check.name.startswith(("revocation.", "timestamp.revocation.")) and policy.revocation != "require":
            return True
        if check.name.startswith(("timestamp.", "time.")) and policy.timestamp != "required":
            return True
    return names.lowered(check.name, policy.actions)


def _with_action(check: Check, action: str) -> Check:
    return check._replace(facts={**check.facts, "action": action}) if refuses(check) else check


def _identity(signer: SignerResult, policy: Policy) -> Check:
    if not policy.names_signers:
        if policy.require_identity:
            return failed("identity", "an identity is required, and none was given to compare with")
        return skipped("identity", IDENTITY_NOT_CHECKED)
    if signer.certificate is None:
        return skipped("identity", "not checked: the signer's certificate is missing")
    found = str(signer.certificate.subject)
    mismatches = policy.mismatches(signer.certificate)
    if mismatches:
        expected = [str(one) for one in (policy.identity, *policy.signers) if one]
        return failed("identity", f"certificate 0 ({found}): {'; '.join(mismatches)}", expected=expected, found=found)
    return passed("identity", found, found=found)


def _threshold(signers: tuple[SignerResult, ...], policy: Policy) -> Check:
    """Distinct keys count, so that one key can't sign twice."""
    keys = {signer.certificate.public_key_info for signer in signers if signer.accepted and signer.certificate}
    facts: dict[str, Any] = {"expected": policy.threshold, "found": len(keys)}
    detail = f"{len(keys)} acceptable signer(s), expected {policy.threshold}"
    make = passed if len(keys) >= policy.threshold else failed
    return _lowered(make("threshold", detail, **facts), policy)


def _weight(check: Check) -> tuple[bool, int, bool]:
    """Sort key: verdicts of 10 to 19 from the lowest, then what could not be done; failures before open questions."""
    status = status_of(check)
    return status < 10, status, check.verdict is not Verdict.FAIL
