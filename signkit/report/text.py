"""The verification report as a person reads it: verdict first, then who signed, then what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator

from signkit.evidence import Check, Verdict
from signkit.report.json import time
from signkit.verification.result import ArtifactResult, SignerResult, VerificationResult, refuses, warns

_MARKS = {
    Verdict.PASS: "ok  ",
    Verdict.FAIL: "FAIL",
    Verdict.INDETERMINATE: "open",
    Verdict.SKIPPED: "-   ",
}
_SHORT = 20


def lines(result: VerificationResult, *, every_check: bool = False) -> Iterator[str]:
    """The report, line by line.

    Args:
        result: the outcome.
        every_check: list the checks that passed too.
    """
    for artifact in result.artifacts:
        yield from _artifact(artifact, every_check, len(result.artifacts) > _SHORT)
    accepted = sum(artifact.accepted for artifact in result.artifacts)
    if len(result.artifacts) > 1:
        yield f"{accepted} of {len(result.artifacts)} artifacts accepted, judged at {time(result.now)}"
    if len(result.artifacts) > _SHORT:
        yield from sorted({line.strip() for a in result.artifacts for line in _identity(a)})


def _artifact(artifact: ArtifactResult, every_check: bool, short: bool) -> Iterator[str]:
    if artifact.accepted:
        yield f"{artifact.artifact}: ACCEPTED"
    else:
        word = "REFUSED" if artifact.exit_status >= 10 else "NOT DECIDED"
        yield f"{artifact.artifact}: {word} ({artifact.exit_status}): {', '.join(artifact.reasons)}"
    if short and artifact.accepted:
        for check in artifact.warnings:
            yield from check_lines(check)
        return
    if artifact.policy:
        yield f"  policy: {artifact.policy}"
    for number, signer in enumerate(artifact.signers):
        yield from _signer(signer, number if len(artifact.signers) > 1 else None)
    yield from _identity(artifact)
    for check in artifact.checks:
        if refuses(check) or warns(check) or (every_check and check.name != "identity"):
            yield from check_lines(check)


def _signer(signer: SignerResult, number: int | None) -> Iterator[str]:
    label = "signer" if number is None else f"signer {number} ({'accepted' if signer.accepted else 'NOT ACCEPTED'})"
    yield f"  {label}: {signer.certificate.subject if signer.certificate else signer.named}"
    yield f"    {signer.algorithm}" + (f", key {signer.key_type}" if signer.key_type else "")
    if signer.certificate:
        yield f"    certificate SHA-256 {signer.certificate.fingerprint}"
    if len(signer.path) > 1:
        yield f"    path: {' < '.join(one.subject.short for one in signer.path)}"
    if signer.signing_time:
        yield f"    claims to have signed at {time(signer.signing_time)}"
    if signer.timestamp is not None:
        word = "signed before" if signer.proven_time is not None else "timestamp that proves nothing, of"
        found = signer.timestamp
        whom = found.certificate.subject if found.certificate else found.authority or "an authority without certificate"
        yield f"    {word} {time(found.time)}, stamped by {whom}"


def _identity(artifact: ArtifactResult) -> Iterator[str]:
    """An identity that nobody checked is said in every output, also for accepted artifacts."""
    for check in artifact.checks:
        if check.name == "identity" and check.verdict is Verdict.SKIPPED:
            yield f"  identity: {check.detail}"
            return


def check_lines(check: Check) -> Iterator[str]:
    """One check as a line."""
    detail = f": {check.detail}" if check.detail else ""
    whose = f" (signer {check.facts['signer']})" if "signer" in check.facts else ""
    yield f"  {'WARN' if warns(check) else _MARKS[check.verdict]} {check.name}{whose}{detail}"
