"""What operations answer, as the documents that ``--json`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signkit.report.json import Document, certificate, request, time, token, version_object
from signkit.report.json import key as key_object

if TYPE_CHECKING:
    from signkit.formats.base import Signer
    from signkit.keys.model import Key
    from signkit.operations.audit import SignedHead
    from signkit.operations.audit_evidence import AuditReport, Numbered
    from signkit.operations.certificates import Imported, Listed
    from signkit.operations.inspect import Inspected
    from signkit.operations.lifecycle import Changed
    from signkit.operations.permissions import Attached, Simulated
    from signkit.operations.requests import Created
    from signkit.operations.sign import Signed, SignedArtifact
    from signkit.operations.stores import Checked
    from signkit.wiring import Wiring
    from signkit.wiring.lab import Published


def key(key: Key, wiring: Wiring) -> Document:
    """A key with its versions and names."""
    return key_object(key, wiring.certificates.find_of_key(key), wiring.keys.directory.find_aliases(key))


def changed(changed: Changed, wiring: Wiring) -> Document:
    """A key, or the one version of it, that was changed."""
    if changed.version is not None:
        return version_object(changed.version, wiring.certificates.find_current(changed.version))
    return key(changed.key, wiring)


def attached(attached: Attached) -> Document:
    """A permission document of a principal."""
    document = attached.document
    return {
        "principal": attached.permission.principal,
        "id": attached.id,
        "statements": [] if document is None else [one.sid or None for one in document.statements],
        "attached_at": time(attached.permission.created_at),
        "document": attached.permission.document,
        "problem": attached.problem,
    }


def simulated(simulated: Simulated) -> Document:
    """What a request would come to."""
    decision = simulated.decision
    return {
        "principal": simulated.principal,
        "action": simulated.action,
        "key_id": simulated.key_id or None,
        "allowed": decision.allowed,
        "decision": decision.how.value,
        "document": decision.document or None,
        "statement": decision.statement or None,
        "resource": decision.resource or None,
        "explanation": decision.explanation,
    }


def created_request(created: Created, path: str | None) -> Document:
    """A request that was just made."""
    return {
        **request(created.request),
        "alternative_names": list(created.alternative_names),
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
        "signers": [
            {
                "key_id": one.key.id,
                "version": one.version.number,
                "algorithm": one.algorithm.name,
                "signer": str(one.certificate.subject),
                "certificate_sha256": one.certificate.fingerprint,
            }
            for one in signed.signers
        ],
        "notices": list(signed.notices),
        "signatures": [_signature(artifact) for artifact in signed.artifacts],
        "skipped": list(signed.skipped),
        "unchanged": [_signature(artifact) for artifact in signed.unchanged],
        "failures": [
            {"artifact": artifact, "code": error.code, "message": error.message, "hint": error.hint}
            for artifact, error in signed.failures
        ],
    }


def _signature(artifact: SignedArtifact) -> Document:
    return {
        "artifact": artifact.artifact,
        "signature": artifact.signature,
        "size": artifact.size,
        "digest": artifact.digests,
        "receipt": artifact.receipt or None,
    }


def imported(imported: Imported) -> Document:
    """What importing a certificate came to."""
    return {
        **certificate(imported.certificate),
        "chain": [certificate(one) for one in imported.chain],
        "complete": imported.complete,
        "earlier": [certificate(one) for one in imported.earlier],
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
    """What is in a signature, timestamp, certificate or request."""
    from signkit.operations.inspect import InspectedCertificates, InspectedTimestamp
    from signkit.x509.request import CertificationRequest

    if isinstance(found, InspectedCertificates):
        return {"kind": "certificates", "certificates": [certificate(one) for one in found.certificates]}
    if isinstance(found, InspectedTimestamp):
        status = {} if found.status is None else {"status": found.status}
        return {"kind": "timestamp", **status, **({} if found.token is None else token(found.token))}
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


def published(done: Published) -> Document:
    """CRLs of the throwaway authority that were just made."""
    revoked = done.revoked
    return {
        "serial_number": f"{revoked.serial_number:x}" if revoked else None,
        "revocation_date": time(revoked.revocation_date) if revoked else None,
        "reason": revoked.reason if revoked else None,
        "crl_number": done.number,
        "files": list(done.files),
    }


def published_lines(done: Published, *, dry_run: bool) -> list[str]:
    """The same for people."""
    lines = [f"{'would write' if dry_run else 'wrote'} {path}" for path in done.files]
    if done.subject:
        what = (
            "is on no CRL any more" if done.revoked is None else f"revoked from {time(done.revoked.revocation_date)} on"
        )
        reason = f" ({done.revoked.reason})" if done.revoked else ""
        lines.insert(0, f"{done.subject}: {'would be ' if dry_run and done.revoked else ''}{what}{reason}")
    return lines


def timestamp(data: bytes) -> Document:
    """A timestamp token, or why it can't be read."""
    from signkit.errors import MalformedError
    from signkit.tsp.token import load

    try:
        return token(load(data))
    except MalformedError as error:
        return {"malformed": error.message}


def _signer(signer: Signer) -> Document:
    return {
        "signer": str(signer.certificate.subject) if signer.certificate else None,
        "named_by": signer.named,
        "algorithm": signer.algorithm,
        "digest_algorithm": signer.digest,
        "signing_time": time(signer.signing_time) if signer.signing_time else None,
        "signed_attributes": list(signer.attributes),
        "timestamps": [timestamp(data) for data in signer.timestamps],
    }


def numbered(found: Numbered) -> Document:
    """An entry of the audit log."""
    return {"number": found.number, **found.entry._asdict(), "at": time(found.entry.at)}


def audited(found: AuditReport) -> Document:
    """What was found in the audit log."""
    return {
        "sound": not found.findings,
        "entries": found.size,
        "root_hash": found.root_hash.hex(),
        "key": str(found.key) if found.key else None,
        "checkpoints": [{"entries": one.size, "root_hash": one.root_hash.hex()} for one in found.continued],
        "proved": [] if found.findings else found.proved,
        "not_proved": found.not_proved,
        "findings": list(found.findings),
    }


def checked(found: Checked) -> Document:
    """What was found in the store."""
    return {
        "sound": not found.findings,
        "private_keys_opened": found.opened,
        "findings": list(found.findings),
        "notes": list(found.notes),
        "audit": audited(found.log) if found.log else None,
    }


def signed_head(made: SignedHead) -> Document:
    """A checkpoint that was just signed."""
    return {
        "origin": made.checkpoint.origin,
        "entries": made.checkpoint.size,
        "root_hash": made.checkpoint.root_hash.hex(),
        "key": str(made.key) if made.key else None,
        "new_key": made.new_key,
        "note": made.note.decode(),
    }
