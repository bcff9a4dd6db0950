"""The verification report ``signkit.verification/v1`` (JSON Schema in ``docs/verification-report.schema.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signkit.evidence import Check
from signkit.report.json import precise_time, seconds, time
from signkit.verification.result import ArtifactResult, SignerResult, VerificationResult
from signkit.x509.certificate import Certificate

SCHEMA = "signkit.verification/v1"


def document(result: VerificationResult, *, tool_version: str) -> dict[str, Any]:
    """The report as a JSON-able object; the same result gives the same bytes."""
    return {
        "schema": SCHEMA,
        "accepted": result.accepted,
        "exit_status": result.exit_status,
        "now": time(result.now),
        "network": list(result.network),
        "notices": list(result.notices),
        "tool": {"name": "signkit", "version": tool_version},
        "artifacts": [_artifact(artifact) for artifact in result.artifacts],
    }


def _artifact(artifact: ArtifactResult) -> dict[str, Any]:
    return {
        "artifact": artifact.artifact,
        "digest": artifact.digested,
        "signature": artifact.signature,
        "policy": artifact.policy or None,
        "accepted": artifact.accepted,
        "exit_status": artifact.exit_status,
        "reasons": list(artifact.reasons),
        "signers": [_signer(signer) for signer in artifact.signers],
        "checks": [check_object(check) for check in artifact.checks],
    }


def _signer(signer: SignerResult) -> dict[str, Any]:
    certificate = signer.certificate
    return {
        "subject": str(certificate.subject) if certificate else None,
        "issuer": str(certificate.issuer) if certificate else None,
        "serial_number": f"{certificate.serial_number:x}" if certificate else None,
        "certificate_sha256": certificate.fingerprint if certificate else None,
        "public_key_sha256": certificate.public_key_fingerprint if certificate else None,
        "key_type": signer.key_type or None,
        "algorithm": signer.algorithm,
        "signing_time": time(signer.signing_time) if signer.signing_time else None,
        "timestamp": _timestamp(signer),
        "accepted": signer.accepted,
        "path": [_certificate(one) for one in signer.path],
        "paths_tried": list(signer.tried),
    }


def _timestamp(signer: SignerResult) -> dict[str, Any] | None:
    """The token that counts; ``valid`` when it proves its time."""
    found = signer.timestamp
    if found is None:
        return None
    authority = found.certificate
    return {
        "valid": signer.proven_time is not None,
        "time": precise_time(found.time),
        "accuracy_seconds": seconds(found.accuracy),
        "policy": found.policy,
        "serial_number": f"{found.serial_number:x}",
        "digest_algorithm": found.digest,
        "subject": str(authority.subject) if authority else found.authority or None,
        "certificate_sha256": authority.fingerprint if authority else None,
        "path": [_certificate(one) for one in found.path],
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "subject": str(certificate.subject),
        "issuer": str(certificate.issuer),
        "serial_number": f"{certificate.serial_number:x}",
        "certificate_sha256": certificate.fingerprint,
        "not_before": time(certificate.not_before),
        "not_after": time(certificate.not_after),
    }


def check_object(check: Check) -> dict[str, Any]:
    """A check with those below it."""
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "detail": check.detail,
        "facts": _plain(check.facts),
        "source": check.source,
        "children": [check_object(child) for child in check.children],
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
