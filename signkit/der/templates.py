"""Requests and certificates to be signed, as asn1crypto writes them. Only for structures of our own making."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asn1crypto import algos, core, csr, keys, x509

NETSCAPE_COMMENT = "2.16.840.1.113730.1.13"
"""A line of text for people in a certificate (Netscape Certificate Extensions, 1998); no verifier acts on it."""


def certification_request_info(
    subject: bytes,
    public_key_info: bytes,
    *,
    key_usage: Sequence[str],
    extended_key_usage: Sequence[str],
    extended_key_usage_critical: bool = False,
    alternative_names: bytes = b"",
) -> bytes:
    """DER CertificationRequestInfo (RFC 2986 section 4.1).

    Args:
        subject: DER Name.
        public_key_info: DER SubjectPublicKeyInfo.
        key_usage: names of bits to ask for (RFC 5280 section 4.2.1.3), critical.
        extended_key_usage: OBJECT IDENTIFIERs to ask for.
        extended_key_usage_critical: whether that extension shall be critical.
        alternative_names: DER GeneralNames to ask for; empty = no such extension.
    """
    extensions = _usage_extensions(key_usage, extended_key_usage, purposes_critical=extended_key_usage_critical)
    if alternative_names:
        extensions.append(_extension("subject_alt_name", x509.GeneralNames.load(alternative_names)))
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
    further_extensions: Sequence[bytes] = (),
) -> bytes:
    """DER TBSCertificate, version 3 (RFC 5280 section 4.1), for the throwaway authority of ``signkit.lab``.

    Args:
        serial_number: positive, at most 20 octets.
        signature_algorithm: DER AlgorithmIdentifier of the issuer's signature.
        issuer: DER Name.
        not_before: aware time; a fraction of a second is cut off.
        not_after: aware time; a fraction of a second is cut off.
        subject: DER Name.
        public_key_info: DER SubjectPublicKeyInfo.
        subject_key_identifier: octets that name the public key.
        authority_key_identifier: octets that name the issuer's public key.
        ca: whether it is a CA certificate.
        path_length: pathLenConstraint, None = no limit.
        key_usage: names of bits (RFC 5280 section 4.2.1.3), critical; empty = no such extension.
        extended_key_usage: OBJECT IDENTIFIERs; empty = no such extension.
        extended_key_usage_critical: whether that extension is critical.
        comment: ASCII text of a Netscape comment extension; empty = no such extension.
        further_extensions: DER Extensions that go in as they are.
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
        extensions.append(_extension(NETSCAPE_COMMENT, core.IA5String(comment)))
    extensions += map(x509.Extension.load, further_extensions)
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
    """An extension by asn1crypto's name or by OBJECT IDENTIFIER; a critical of FALSE is left out, as DER demands."""
    return x509.Extension({"extn_id": kind, "critical": critical, "extn_value": core.ParsableOctetString(value.dump())})


def _snake_case(name: str) -> str:
    """asn1crypto's name of a key usage: ``key_cert_sign`` for ``keyCertSign``."""
    return "crl_sign" if name == "cRLSign" else "".join("_" + c.lower() if c.isupper() else c for c in name)


def _time(moment: datetime) -> x509.Time:
    """UTCTime until 2049, GeneralizedTime without fraction from 2050 (RFC 5280 section 4.1.2.5), in UTC either way."""
    form = "utc_time" if moment.utctimetuple().tm_year < 2050 else "general_time"
    return x509.Time({form: moment.replace(microsecond=0)})
