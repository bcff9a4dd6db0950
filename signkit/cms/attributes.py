"""Signed attributes: the ones that signkit writes, and how each is read and checked.

RFC 5652 section 11 (content-type, message-digest, signing-time), RFC 5035 and RFC 2634 (signing-certificate),
RFC 6211 (algorithm protection).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.der import cms, oids, reader, writer
from signkit.der.cms import Attribute
from signkit.errors import MalformedError
from signkit.x509.certificate import Certificate

_SAME = 16
"""Values remembered of attributes that are alike in all signatures of one signer: a batch reads each once."""


class CertificateIdentifier(NamedTuple):
    """ESSCertID or ESSCertIDv2: how the signer names its own certificate inside what it signs.

    Attributes:
        digest: name of the digest algorithm, or its dotted identifier when unknown.
        value: the digest of the certificate.
        issuer: DER of the GeneralName's directoryName, or None when there is no issuerSerial.
        serial_number: serial number, or None when there is no issuerSerial.
    """

    digest: str
    value: bytes
    issuer: bytes | None
    serial_number: int | None


class AlgorithmProtection(NamedTuple):
    """RFC 6211: DER AlgorithmIdentifiers of digest and signature; ``signature`` is empty when a MAC is protected."""

    digest: bytes
    signature: bytes


def constant(
    certificate: Certificate, algorithm: SignatureAlgorithm, digest: str, content_type: str = oids.DATA
) -> tuple[bytes, ...]:
    """The encoded signed attributes that are the same for everything of one content type that one signer signs."""
    hash_algorithm = () if digest == "sha256" else (digests.identifier(digest),)
    issuer_serial = writer.sequence(
        writer.sequence(writer.tlv(0xA4, certificate.issuer.raw)), writer.integer(certificate.serial_number)
    )
    identifier = writer.sequence(
        *hash_algorithm, writer.octet_string(digests.digest(digest, certificate.der)), issuer_serial
    )
    protection = writer.sequence(digests.identifier(digest), b"\xa1" + algorithm.cms_identifier[1:])
    return (
        _encode(oids.CONTENT_TYPE, writer.oid(content_type)),
        _encode(oids.SIGNING_CERTIFICATE_V2, writer.sequence(writer.sequence(identifier))),
        _encode(oids.ALGORITHM_PROTECTION, protection),
    )


def variable(message_digest: bytes, signing_time: datetime) -> tuple[bytes, ...]:
    """The encoded signed attributes of one artifact: its digest and the (claimed) time of signing."""
    return (
        _encode(oids.MESSAGE_DIGEST, writer.octet_string(message_digest)),
        _encode(oids.SIGNING_TIME, _time(signing_time)),
    )


def single(attributes: tuple[Attribute, ...], kind: str) -> bytes | None:
    """The one value of the one attribute of that type, None when there is no such attribute.

    Raises:
        MalformedError: the attribute stands there twice or has not exactly one value (RFC 5652 section 11).
    """
    found = [attribute for attribute in attributes if attribute.type == kind]
    if not found:
        return None
    if len(found) > 1:
        raise MalformedError(f"the {oids.name(kind)} attribute stands there {len(found)} times, expected once")
    if len(found[0].values) != 1:
        raise MalformedError(f"the {oids.name(kind)} attribute has {len(found[0].values)} values, expected one")
    return found[0].values[0]


def repeated(attributes: tuple[Attribute, ...]) -> list[str]:
    """Types that stand there more than once, which RFC 5652 section 5.3 forbids."""
    seen: set[str] = set()
    twice: set[str] = set()
    for attribute in attributes:
        (twice if attribute.type in seen else seen).add(attribute.type)
    return sorted(twice)


@lru_cache(maxsize=_SAME)
def read_content_type(value: bytes) -> str:
    """Value of a content-type attribute (dotted)."""
    return reader.oid(reader.parse(value))


def read_message_digest(value: bytes) -> bytes:
    """Value of a message-digest attribute."""
    return reader.parse(value, reader.OCTET_STRING, "message-digest").content


@lru_cache(maxsize=_SAME)
def read_signing_time(value: bytes) -> datetime:
    """Value of a signing-time attribute, as aware UTC. It is the signer's own word."""
    return reader.time(reader.parse(value), "signing-time")


@lru_cache(maxsize=_SAME)
def read_algorithm_protection(value: bytes) -> AlgorithmProtection:
    """Value of a CMSAlgorithmProtection attribute."""
    fields = reader.parse(value, reader.SEQUENCE, "CMSAlgorithmProtection").children()
    if len(fields) != 2 or fields[1].tag not in (0xA1, 0xA2):
        raise MalformedError("CMSAlgorithmProtection: expected a digest and a signature algorithm")
    return AlgorithmProtection(fields[0].raw, b"\x30" + fields[1].raw[1:] if fields[1].tag == 0xA1 else b"")


@lru_cache(maxsize=_SAME)
def read_signing_certificate(kind: str, value: bytes) -> CertificateIdentifier:
    """First identifier of a signing-certificate attribute of either version: that of the signer's certificate."""
    certs = reader.parse(value, reader.SEQUENCE, "SigningCertificate").children()[0].children()
    if not certs:
        raise MalformedError("the signing-certificate attribute names no certificate")
    fields = certs[0].expect(reader.SEQUENCE, "ESSCertID").children()
    digest = "sha1" if kind == oids.SIGNING_CERTIFICATE else "sha256"
    if kind == oids.SIGNING_CERTIFICATE_V2 and fields and fields[0].tag == reader.SEQUENCE:
        oid, _parameters = algorithms.split_identifier(fields.pop(0).raw)
        digest = oids.DIGESTS.get(oid, oid)
    if not fields:
        raise MalformedError("ESSCertID has no digest")
    value = fields.pop(0).expect(reader.OCTET_STRING, "certHash").content
    if not fields:
        return CertificateIdentifier(digest, value, None, None)
    general_names, serial_number = fields[0].children()
    issuer = next((name.content for name in general_names.children() if name.tag == 0xA4), b"")
    return CertificateIdentifier(digest, value, issuer, reader.integer(serial_number))


def _encode(kind: str, value: bytes) -> bytes:
    return cms.encode_attribute(Attribute(kind, (value,)))


@lru_cache(maxsize=_SAME)
def _time(moment: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime from 2050 (RFC 5652 section 11.3)."""
    if 1950 <= moment.year < 2050:
        return writer.tlv(reader.UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return writer.tlv(reader.GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
