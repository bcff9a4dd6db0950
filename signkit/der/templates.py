"""Requests and certificates to be signed, as asn1crypto writes them. Only for structures of our own making."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asn1crypto import algos, core, csr, keys, x509


def certification_request_info(
    subject: bytes, public_key_info: bytes, *, key_usage: Sequence[str], extended_key_usage: Sequence[str]
) -> bytes:
    """DER CertificationRequestInfo (RFC 2986 section 4.1).

    Args:
        subject: DER Name.
        public_key_info: DER SubjectPublicKeyInfo.
        key_usage: names of bits to ask for, critical.
        extended_key_usage: OBJECT IDENTIFIERs to ask for.
    """
    extensions = _usage_extensions(key_usage, extended_key_usage)
    attributes = [{"type": "extension_request", "values": [extensions]}] if extensions else []
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": x509.Name.load(subject),
            "subject_pk_info": keys.PublicKeyInfo.load(public_key_info),
            "attributes": csr.CRIAttributes(attributes),
        }
    )
    return bytes(info.dump())


def tbs_certificate(
    *,
    serial_number: int,
    signature_algorithm: bytes,
    issuer: bytes,
    not_before: datetime,
    not_after: datetime,
    subject: bytes,
    public_key_info: bytes,
    subject_key_identifier: bytes,
    authority_key_identifier: bytes,
    ca: bool,
    path_length: int | None = None,
    key_usage: Sequence[str] = (),
    extended_key_usage: Sequence[str] = (),
    extended_key_usage_critical: bool = False,
    comment: str = "",
) -> bytes:
    """DER TBSCertificate, version 3 (RFC 5280 section 4.1), for the throwaway authority of ``signkit.lab``.

    Args:
        serial_number: positive, at most 20 octets.
        signature_algorithm: DER AlgorithmIdentifier of the issuer's signature.
        issuer: DER Name.
        not_before: aware UTC, whole seconds.
        not_after: aware UTC, whole seconds.
        subject: DER Name.
        public_key_info: DER SubjectPublicKeyInfo.
        subject_key_identifier: octets.
        authority_key_identifier: octets.
        ca: whether it is a CA certificate.
        path_length: pathLenConstraint, None = no limit.
        key_usage: names of bits, critical.
        extended_key_usage: OBJECT IDENTIFIERs.
        extended_key_usage_critical: whether that extension is critical.
        comment: text of a Netscape comment extension; empty = none.
    """
    constraints = {"ca": ca} if path_length is None else {"ca": ca, "path_len_constraint": path_length}
    extensions = [
        _extension("basic_constraints", x509.BasicConstraints(constraints), critical=True),
        *_usage_extensions(key_usage, extended_key_usage, purposes_critical=extended_key_usage_critical),
        _extension("key_identifier", core.OctetString(subject_key_identifier)),
        _extension(
            "authority_key_identifier", x509.AuthorityKeyIdentifier({"key_identifier": authority_key_identifier})
        ),
    ]
    if comment:
        extensions.append(
            x509.Extension(
                {
                    "extn_id": "2.16.840.1.113730.1.13",
                    "extn_value": core.ParsableOctetString(core.IA5String(comment).dump()),
                }
            )
        )
    tbs = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": serial_number,
            "signature": algos.SignedDigestAlgorithm.load(signature_algorithm),
            "issuer": x509.Name.load(issuer),
            "validity": {"not_before": _time(not_before), "not_after": _time(not_after)},
            "subject": x509.Name.load(subject),
            "subject_public_key_info": keys.PublicKeyInfo.load(public_key_info),
            "extensions": extensions,
        }
    )
    return bytes(tbs.dump())


def _usage_extensions(
    key_usage: Sequence[str], extended_key_usage: Sequence[str], *, purposes_critical: bool = False
) -> list[x509.Extension]:
    extensions = []
    if key_usage:
        bits = {_snake_case(name) for name in key_usage}
        extensions.append(_extension("key_usage", x509.KeyUsage(bits), critical=True))
    if extended_key_usage:
        purposes = x509.ExtKeyUsageSyntax(list(extended_key_usage))
        extensions.append(_extension("extended_key_usage", purposes, critical=purposes_critical))
    return extensions


def _extension(kind: str, value: core.Asn1Value, *, critical: bool = False) -> x509.Extension:
    return x509.Extension({"extn_id": kind, "critical": critical, "extn_value": core.ParsableOctetString(value.dump())})


def _snake_case(name: str) -> str:
    special = {"cRLSign": "crl_sign", "nonRepudiation": "non_repudiation"}
    return special.get(name) or "".join("_" + c.lower() if c.isupper() else c for c in name)


def _time(moment: datetime) -> x509.Time:
    """UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5)."""
    return x509.Time({"utc_time" if moment.year < 2050 else "general_time": moment})
