"""What the nouns of the command line print with ``--json``: field names of the contract, RFC 3339 times, lower hex."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signkit.keys.model import Alias, BoundCertificate, Key, KeyVersion
    from signkit.tsp.token import TimeStampToken
    from signkit.x509.certificate import Certificate
    from signkit.x509.request import CertificationRequest

Document = dict[str, Any]


def time(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def key(key: Key, versions: Sequence[tuple[KeyVersion, BoundCertificate | None]], aliases: Sequence[str]) -> Document:
    """A key with its versions, each with its current certificate, and the aliases that name it."""
    return {
        "id": key.id,
        "key_type": key.key_type,
        "usage": key.usage.value,
        "state": key.state.value,
        "origin": key.origin.value,
        "provider": key.provider,
        "description": key.description,
        "created_at": time(key.created_at),
        "aliases": list(aliases),
        "versions": [version_object(version, certificate) for version, certificate in versions],
    }


def version_object(version: KeyVersion, certificate: BoundCertificate | None = None) -> Document:
    """A key version; with its current certificate where that was looked up."""
    import hashlib

    fingerprint = hashlib.sha256(version.public_key_info).hexdigest() if version.public_key_info else ""
    return {
        "id": version.id,
        "key_id": version.key_id,
        "number": version.number,
        "state": version.state.value,
        "created_at": time(version.created_at),
        "public_key_sha256": fingerprint,
        "certificate_sha256": certificate.id if certificate is not None else None,
    }


def alias(alias: Alias) -> Document:
    """An alias."""
    return {"name": alias.name, "key_id": alias.key_id, "created_at": time(alias.created_at)}


def certificate(certificate: Certificate) -> Document:
    """A certificate."""
    from signkit.der import oids

    usages = certificate.key_usage
    purposes = certificate.extended_key_usage
    return {
        "subject": str(certificate.subject),
        "issuer": str(certificate.issuer),
        "serial_number": f"{certificate.serial_number:x}",
        "not_before": time(certificate.not_before),
        "not_after": time(certificate.not_after),
        "key_type": certificate.key_type,
        "certificate_sha256": certificate.fingerprint,
        "public_key_sha256": certificate.public_key_fingerprint,
        "ca": certificate.is_ca,
        "key_usage": None if usages is None else sorted(usages),
        "extended_key_usage": None if purposes is None else [oids.name(purpose) for purpose in purposes],
    }


def token(token: TimeStampToken) -> Document:
    """What a timestamp token says; nothing was checked of it."""
    from signkit.errors import MalformedError
    from signkit.x509.certificate import load

    certificates = []
    for der in token.certificates:
        try:
            certificates.append(str(load(der).subject))
        except MalformedError as error:
            certificates.append(f"malformed: {error.message}")
    return {
        "time": precise_time(token.time),
        "accuracy_seconds": seconds(token.info.accuracy),
        "policy": token.info.policy,
        "serial_number": f"{token.info.serial_number:x}",
        "digest_algorithm": token.digest,
        "message_imprint": token.info.imprint.digest.hex(),
        "nonce": None if token.info.nonce is None else f"{token.info.nonce:x}",
        "names_authority": token.authority or None,
        "certificates": certificates,
    }


def precise_time(moment: datetime) -> str:
    """RFC 3339 in UTC, with the fraction of a second where there is one."""
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def seconds(duration: timedelta | None) -> float | None:
    """A duration in seconds, None when there is none."""
    return None if duration is None else duration.total_seconds()


def request(request: CertificationRequest) -> Document:
    """A certification request."""
    from signkit import algorithms
    from signkit.der import oids

    return {
        "subject": str(request.subject),
        "key_type": request.key_type,
        "public_key_sha256": request.public_key_fingerprint,
        "signature_algorithm": algorithms.describe(request.signature_algorithm),
        "requested_extensions": [oids.name(oid) for oid in request.extensions],
    }
