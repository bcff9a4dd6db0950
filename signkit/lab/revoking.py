"""Revocation by the throwaway authority: its CRLs (RFC 5280 section 5) and its answers to OCSP requests (RFC 6960)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.der import oids, writer
from signkit.errors import MalformedError, RefusedError, UsageError
from signkit.lab.authority import Authority, CertificateAuthority, key_identifier
from signkit.x509 import ocsp, path
from signkit.x509.certificate import Certificate
from signkit.x509.crl import REASONS, Revoked

CRL_DAYS, OCSP_DAYS = 30, 1
"""Days until the next CRL and the next OCSP response."""

CRL_NAME, OCSP_NAME = "issuing.crl", "ocsp"
"""Where the status of leaf certificates is served, below the base URL."""

LIFTS = "removeFromCRL"
"""The reason that lifts a hold."""

_CODES = {name: code for code, name in REASONS.items()}
_MALFORMED_REQUEST = writer.sequence(writer.tlv(0x0A, b"\x01"))


class Revocations(NamedTuple):
    """What a lab has revoked.

    Attributes:
        number: of the CRLs that say so.
        root: certificates of the root that are revoked.
        issuing: certificates of the issuing CA that are revoked.
    """

    number: int = 1
    root: tuple[Revoked, ...] = ()
    issuing: tuple[Revoked, ...] = ()

    def of(self, authority: Authority, ca: CertificateAuthority) -> tuple[Revoked, ...]:
        """What that CA has revoked."""
        return self.issuing if ca is authority.issuing else self.root


def revoke(
    authority: Authority, known: Revocations, certificate: Certificate, *, reason: str, when: datetime
) -> Revocations:
    """Revoke a certificate of the lab, or lift its hold (reason ``removeFromCRL``).

    Args:
        authority: the lab.
        known: what it has revoked so far.
        certificate: the certificate.
        reason: one of ``crl.REASONS``.
        when: from when on it is revoked.

    Raises:
        UsageError: no such reason.
        RefusedError: the lab did not issue it, or it is revoked already, or there is no hold to lift.
    """
    if reason not in _CODES:
        raise UsageError(f"'{reason}' is not a reason for a revocation: expected one of {' '.join(_CODES)}")
    ca = _issuer(authority, certificate)
    entries = known.of(authority, ca)
    found = next((one for one in entries if one.serial_number == certificate.serial_number), None)
    on_hold = found is not None and found.reason == "certificateHold"
    if found is not None and not on_hold:
        raise RefusedError(
            f"certificate {certificate.serial_number:x} was revoked on {found.revocation_date:%Y-%m-%d}"
            f" ({found.reason}): a revocation is final, only a hold can be lifted",
            hint="there is nothing left to do; 'signkit lab revoke DIR' alone makes fresh CRLs",
            code="AlreadyRevoked",
        )
    if reason == LIFTS and not on_hold:
        raise RefusedError(
            f"certificate {certificate.serial_number:x} is not on hold: there is nothing to lift",
            hint="a hold is made with --reason certificateHold",
            code="NotOnHold",
        )
    others = tuple(one for one in entries if one is not found)
    if reason != LIFTS:
        since = found.revocation_date if found else when
        others += (Revoked(certificate.serial_number, min(since, when).replace(microsecond=0), reason),)
    changed = known._replace(number=known.number + 1)
    return changed._replace(issuing=others) if ca is authority.issuing else changed._replace(root=others)


def crl(ca: CertificateAuthority, revoked: Iterable[Revoked], *, number: int, now: datetime) -> bytes:
    """DER of a complete CRL of a CA.

    Args:
        ca: signs it.
        revoked: its entries.
        number: cRLNumber.
        now: thisUpdate; nextUpdate is ``CRL_DAYS`` later.
    """
    entries = b"".join(map(_entry, revoked))
    key_id = writer.sequence(writer.tlv(0x80, key_identifier(ca.key.public_key_info)))
    extensions = [
        _extension(oids.AUTHORITY_KEY_IDENTIFIER, key_id),
        _extension(oids.CRL_NUMBER, writer.integer(number)),
    ]
    tbs = writer.sequence(
        writer.integer(1),
        ca.key.algorithm.identifier,
        ca.certificate.subject.raw,
        _time(now),
        _time(now + timedelta(days=CRL_DAYS)),
        writer.sequence(entries) if entries else b"",
        writer.tlv(0xA0, writer.sequence(*extensions)),
    )
    return _signed(ca, tbs)


def answer_ocsp(authority: Authority, known: Revocations, request: bytes, *, now: datetime) -> bytes:
    """DER OCSPResponse to a DER OCSPRequest, signed by the CA that is asked about first.

    A certificate of the lab that is not revoked is ``good``, also one that was never issued: the lab keeps no list
    (RFC 6960 section 2.2 allows this). One of another authority is ``unknown``.

    Args:
        authority: the lab.
        known: what it has revoked.
        request: what was asked.
        now: thisUpdate and producedAt; nextUpdate is ``OCSP_DAYS`` later.
    """
    try:
        asked = ocsp.parse_request(request)
    except MalformedError:
        return _MALFORMED_REQUEST
    if not asked.certificate_ids:
        return _MALFORMED_REQUEST
    cas = [_asked(authority, one) for one in asked.certificate_ids]
    signer = next((ca for ca in cas if ca is not None), authority.issuing)
    singles = []
    for wanted, raw, ca in zip(asked.certificate_ids, asked.raw_ids, cas, strict=True):
        # One signature can't speak for two CAs.
        status = _status(known.of(authority, ca), wanted.serial_number) if ca is signer else writer.tlv(0x82)
        next_update = writer.tlv(0xA0, _generalized(now + timedelta(days=OCSP_DAYS)))
        singles.append(writer.sequence(raw, status, _generalized(now), next_update))
    key_hash = digests.digest("sha1", ocsp.public_key_bits(signer.key.public_key_info))
    nonce = _extension(oids.OCSP_NONCE, writer.octet_string(asked.nonce)) if asked.nonce else b""
    tbs = writer.sequence(
        writer.tlv(0xA2, writer.octet_string(key_hash)),
        _generalized(now),
        writer.sequence(*singles),
        writer.tlv(0xA1, writer.sequence(nonce)) if nonce else b"",
    )
    basic = writer.octet_string(_signed(signer, tbs))
    return writer.sequence(
        writer.tlv(0x0A, b"\x00"), writer.tlv(0xA0, writer.sequence(writer.oid(oids.OCSP_BASIC), basic))
    )


def publication(base_url: str) -> list[bytes]:
    """Extensions that say where the status of leaf certificates is published (RFC 5280 sections 4.2.1.13 and 4.2.2.1).

    Args:
        base_url: ``http://...``; the CRL is at ``issuing.crl`` below it, OCSP at ``ocsp``.

    Raises:
        UsageError: it is not an HTTP URL.
    """
    base = base_url.rstrip("/")
    if not base.startswith(("http://", "https://")) or not base.isascii() or not base.isprintable():
        raise UsageError(f"'{base_url}' is not an HTTP URL: expected http://HOST:PORT")
    crl, ocsp = (writer.tlv(0x86, f"{base}/{name}".encode()) for name in (CRL_NAME, OCSP_NAME))
    point = writer.sequence(writer.tlv(0xA0, writer.tlv(0xA0, crl)))
    access = writer.sequence(writer.oid(oids.AD_OCSP), ocsp)
    return [
        writer.sequence(writer.oid(oid), writer.octet_string(writer.sequence(value)))
        for oid, value in ((oids.CRL_DISTRIBUTION_POINTS, point), (oids.AUTHORITY_INFO_ACCESS, access))
    ]


def _issuer(authority: Authority, certificate: Certificate) -> CertificateAuthority:
    for ca in (authority.issuing, authority.root):
        if certificate.issuer == ca.certificate.subject and not path.signature_problem(certificate, ca.certificate):
            if certificate != ca.certificate:
                return ca
            raise RefusedError(
                "the root of a lab can't be revoked: nobody is above it", hint="take it from the trust anchors"
            )
    raise RefusedError(
        f"certificate {certificate.serial_number:x} of {certificate.subject} was not issued by this lab: found issuer "
        f"{certificate.issuer}, expected {authority.issuing.certificate.subject}",
        code="CertificateOfAnotherAuthority",
    )


def _asked(authority: Authority, wanted: ocsp.CertificateId) -> CertificateAuthority | None:
    """The CA that an OCSP request means, or None when it is not of the lab."""
    for ca in (authority.issuing, authority.root):
        bits = ocsp.public_key_bits(ca.key.public_key_info)
        if wanted.digest and wanted.issuer_key == digests.digest(wanted.digest, bits):
            return ca
    return None


def _status(revoked: Iterable[Revoked], serial_number: int) -> bytes:
    found = next((one for one in revoked if one.serial_number == serial_number), None)
    if found is None:
        return writer.tlv(0x80)
    reason = writer.tlv(0xA0, writer.tlv(0x0A, bytes([_CODES[found.reason]])))
    return writer.tlv(0xA1, _generalized(found.revocation_date), reason if found.reason != "unspecified" else b"")


def _entry(revoked: Revoked) -> bytes:
    """An entry; a reason of ``unspecified`` is left out (RFC 5280 section 5.3.1)."""
    fields = [writer.integer(revoked.serial_number), _time(revoked.revocation_date)]
    if revoked.reason != "unspecified":
        code = writer.tlv(0x0A, bytes([_CODES[revoked.reason]]))
        fields.append(writer.sequence(_extension(oids.REASON_CODE, code)))
    return writer.sequence(*fields)


def _extension(oid: str, value: bytes) -> bytes:
    return writer.sequence(writer.oid(oid), writer.octet_string(value))


def _signed(ca: CertificateAuthority, tbs: bytes) -> bytes:
    return writer.sequence(tbs, ca.key.algorithm.identifier, writer.bit_string(ca.key.sign(tbs)))


def _time(moment: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 section 5.1.2.4)."""
    moment = moment.astimezone(UTC)
    return writer.tlv(0x17, f"{moment:%y%m%d%H%M%SZ}".encode()) if moment.year < 2050 else _generalized(moment)


def _generalized(moment: datetime) -> bytes:
    return writer.tlv(0x18, f"{moment.astimezone(UTC):%Y%m%d%H%M%SZ}".encode())
