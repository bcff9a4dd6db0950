"""What operations answer, as the documents that ``--json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signkit.report.json import Document, certificate, request, time

if TYPE_CHECKING:
    from signkit.formats.base import Signer
    from signkit.operations.certificates import Imported, Listed
    from signkit.operations.inspect import Inspected
    from signkit.operations.policies import Tested
    from signkit.operations.requests import Created
    from signkit.operations.sign import Signed
    from signkit.verification.policy_file import FilePolicy, PolicyFile


def created_request(created: Created, path: str | None) -> Document:
    """A request that was just made."""
    return {
        **request(created.request),
        "key_id": created.key.id,
        "version": created.version.number,
        "out": path,
        "pem": created.pem,
    }


def signed(signed: Signed) -> Document:
    """What ``sign`` wrote."""
    return {
        "key_id": signed.key.id,
        "version": signed.version.number,
        "algorithm": signed.algorithm.name,
        "signer": str(signed.certificate.subject),
        "certificate_sha256": signed.certificate.fingerprint,
        "signatures": [
            {
                "artifact": artifact.artifact,
                "signature": artifact.signature,
                "size": artifact.size,
                "digest": {artifact.digest_algorithm: artifact.digest_hex},
            }
            for artifact in signed.artifacts
        ],
        "skipped": list(signed.skipped),
    }


def imported(imported: Imported) -> Document:
    """What importing a certificate came to."""
    return {
        **certificate(imported.certificate),
        "chain": [certificate(one) for one in imported.chain],
        "complete": imported.complete,
        "unused": list(imported.unused),
        "warnings": list(imported.warnings),
        "imported_at": time(imported.bound.imported_at),
        "imported_by": imported.bound.imported_by,
        "source": imported.bound.source,
    }


def listed(listed: Listed) -> Document:
    """A bound certificate with its key version."""
    from signkit.x509.certificate import load

    return {
        **certificate(load(listed.bound.certificate)),
        "key_id": listed.key.id,
        "version": listed.version.number,
        "current": listed.current,
        "imported_at": time(listed.bound.imported_at),
        "imported_by": listed.bound.imported_by,
        "source": listed.bound.source,
    }


def inspected(found: Inspected) -> Document:
    """What is in a signature, certificate or request."""
    from signkit.operations.inspect import InspectedCertificates
    from signkit.x509.request import CertificationRequest

    if isinstance(found, InspectedCertificates):
        return {"kind": "certificates", "certificates": [certificate(one) for one in found.certificates]}
    if isinstance(found, CertificationRequest):
        return {"kind": "certification request", **request(found)}
    return {
        "kind": "signature",
        "encoding": found.encoding,
        "version": found.version,
        "content": "detached" if found.content_size is None else f"embedded, {found.content_size} bytes",
        "signers": [_signer(signer) for signer in found.signers],
        "certificates": [certificate(one) for one in found.certificates],
        "crls": found.crls,
        "unusual": list(found.unusual),
    }


def policy_file(found: PolicyFile, anything: str = "") -> Document:
    """A valid policy file.

    Args:
        found: the file.
        anything: stands in for lists of which an empty one means that everything is accepted.
    """
    return {
        "policy_file": found.name,
        "policies": [_policy(one, [anything] if anything else []) for one in found.policies],
        "tests": len(found.tests),
        "warnings": list(found.warnings),
    }


def _policy(one: FilePolicy, anything: list[str]) -> Document:
    policy = one.policy
    return {
        "name": policy.name,
        "artifacts": list(one.artifacts),
        "trust_anchors": list(one.trust_anchors),
        "profile": policy.profile,
        "signers": [str(signer) for signer in policy.signers] or anything,
        "threshold": policy.threshold,
        "algorithms": list(policy.algorithms) or anything,
        "timestamp": policy.timestamp,
        "tsa_trust_anchors": list(one.tsa_trust_anchors),
        "revocation": policy.revocation,
        "actions": [f"{pattern} = {action}" for pattern, action in policy.actions],
    }


def policy_tests(name: str, tested: Sequence[Tested]) -> Document:
    """What the test cases of a policy file came to."""
    return {
        "policy_file": name,
        "agreed": all(one.agreed for one in tested),
        "tests": [
            {
                "name": one.test.name,
                "artifact": one.test.artifact,
                "agreed": one.agreed,
                "expected": {name: value for name, value in one.test.expected._asdict().items() if value is not None},
                "found": {
                    "accepted": one.result.accepted,
                    "exit_status": one.result.exit_status,
                    "reasons": list(one.result.reasons),
                    "policy": one.result.policy or None,
                },
            }
            for one in tested
        ],
    }


def _signer(signer: Signer) -> Document:
    return {
        "signer": str(signer.certificate.subject) if signer.certificate else None,
        "named_by": signer.named,
        "algorithm": signer.algorithm,
        "digest_algorithm": signer.digest,
        "signing_time": time(signer.signing_time) if signer.signing_time else None,
        "signed_attributes": list(signer.attributes),
        "timestamps": signer.timestamps,
    }
