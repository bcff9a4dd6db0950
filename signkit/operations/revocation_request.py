"""The letter to an authority that a private key is compromised: what it needs to revoke, and from when on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from signkit.errors import NotFoundError, UsageError
from signkit.keys.model import Key, KeyOrigin, KeyVersion, VersionState
from signkit.keys.reference import KeyReference
from signkit.operations.certificates import CertificateService
from signkit.operations.keys import KeyService
from signkit.x509.certificate import Certificate, load_accepted

DEADLINE = timedelta(hours=24)
"""How soon a public authority must revoke once it knows of a compromise (CSBR section 4.9.1.1)."""


class RevocationRequest(NamedTuple):
    """A drafted request.

    Attributes:
        key: the key.
        version: the compromised version.
        certificates: its certificates that have not run out, the newest first.
        compromised_at: since when signatures by it can't be trusted, aware UTC.
        requested_at: when it was drafted, aware UTC.
        text: the letter.
    """

    key: Key
    version: KeyVersion
    certificates: tuple[Certificate, ...]
    compromised_at: datetime
    requested_at: datetime
    text: str

    @property
    def advice(self) -> str:
        """What to do besides sending it."""
        named, state = f"{self.key.id}@{self.version.number}", self.version.state
        now = f"disable it now: 'signkit key disable {named}'" if state is VersionState.ENABLED else "it must stay so"
        return f"{named} is {state.value}, {now}; send the request at once, and sign again with another version"


def draft(
    keys: KeyService,
    certificates: CertificateService,
    reference: KeyReference,
    *,
    compromised_at: datetime,
    now: datetime,
) -> RevocationRequest:
    """Draft the request to revoke every certificate of a key version that has not run out.

    Args:
        keys: the key service; the version need not be enabled.
        certificates: certificates of key versions.
        reference: key and version.
        compromised_at: since when signatures by it can't be trusted, aware UTC.
        now: the present, aware UTC.

    Raises:
        VersionRequiredError: no version was named.
        NotFoundError: no such key or version, or it has no certificate that is still valid.
        AccessDeniedError: the caller may not describe the version or list certificates.
        UsageError: the moment of compromise lies in the future, or before the version was made.
    """
    key, version = keys.directory.version(reference)
    if compromised_at > now:
        raise UsageError(f"--compromised-at is {_time(compromised_at)}, which is after now, {_time(now)}")
    made = version.created_at.replace(microsecond=0)
    if key.origin is KeyOrigin.OWN and compromised_at < made:  # an imported key is older than its version
        raise UsageError(
            f"--compromised-at is {_time(compromised_at)}, and {reference} was made only at {_time(made)}",
            hint="was it an earlier version? 'signkit version list' shows when each was made",
        )
    listed = certificates.certificates(KeyReference(reference.key, version.id))
    found = sorted({load_accepted(one.bound.certificate) for one in listed}, key=lambda c: c.not_before, reverse=True)
    valid = tuple(one for one in found if one.not_after >= now)
    if not valid:
        raise NotFoundError(
            f"{reference} has no certificate that could be revoked: found {len(found)}, all of them expired",
            hint="a version without a valid certificate needs no revocation: 'signkit key disable' is enough",
            code="Certificate.NotFound",
        )
    return RevocationRequest(key, version, valid, compromised_at, now, _text(valid, compromised_at, now))


def _text(certificates: Sequence[Certificate], compromised_at: datetime, now: datetime) -> str:
    lines = [
        "Request for revocation: key compromise",
        "",
        f"Drafted at: {_time(now)}",
        f"Please revoke by: {_time(now + DEADLINE)} (within 24 hours of notice: CA/B Forum CSBR 4.9.1.1)",
        "Reason: keyCompromise (RFC 5280 section 5.3.1, reason code 1)",
        f"Requested revocation date: {_time(compromised_at)}",
        "",
        "The private key of the certificates below is compromised since the date above, or may be. Please set that",
        "date as revocationDate: signatures with a timestamp before it were made by us and stay valid (CSBR 4.9.6).",
    ]
    for number, one in enumerate(certificates, 1):
        lines += [
            "",
            f"Certificate {number} of {len(certificates)}",
            f"  Subject: {one.subject}",
            f"  Issuer: {one.issuer}",
            f"  Serial number (hex): {one.serial_number:x}",
            f"  Valid: {_time(one.not_before)} to {_time(one.not_after)}",
            f"  Certificate SHA-256: {one.fingerprint}",
            f"  Public key SHA-256: {one.public_key_fingerprint}",
        ]
    lines += ["", "Please confirm the revocation, its date, and the CRL it appears in.", ""]
    return "\n".join(lines)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
