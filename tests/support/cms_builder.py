"""CMS SignedData for tests, field by field: signed correctly over whatever it says, however wrong that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from signkit.algorithms import digests
from signkit.der import oids, reader, writer
from signkit.x509 import certificate as x509_certificate
from tests.support import pki

Attribute = tuple[str, tuple[bytes, ...]]
"""Type (dotted) and DER values."""

ARTIFACT = b"an artifact of the tests\n"


def attribute(kind: str, *values: bytes) -> Attribute:
    return kind, values


def content_type(kind: str = oids.DATA) -> Attribute:
    return attribute(oids.CONTENT_TYPE, writer.oid(kind))


def message_digest(data: bytes = ARTIFACT, digest: str = "sha256") -> Attribute:
    return attribute(oids.MESSAGE_DIGEST, writer.octet_string(digests.digest(digest, data)))


def signing_time(moment: datetime = pki.NOW) -> Attribute:
    return attribute(oids.SIGNING_TIME, pki.time(moment))


def signing_certificate_v2(
    certificate: bytes, *, digest: str = "", issuer_serial: tuple[bytes, int] | None = None
) -> Attribute:
    """RFC 5035, with the digest algorithm named only when it is given."""
    return attribute(
        oids.SIGNING_CERTIFICATE_V2,
        _signing_certificate(certificate, digest or "sha256", digest, issuer_serial),
    )


def signing_certificate(certificate: bytes, *, issuer_serial: tuple[bytes, int] | None = None) -> Attribute:
    """RFC 2634, which knows SHA-1 only."""
    return attribute(oids.SIGNING_CERTIFICATE, _signing_certificate(certificate, "sha1", "", issuer_serial))


def _signing_certificate(certificate: bytes, digest: str, named: str, issuer_serial: tuple[bytes, int] | None) -> bytes:
    fields = [digests.identifier(named)] if named else []
    fields.append(writer.octet_string(digests.digest(digest, certificate)))
    if issuer_serial is not None:
        issuer, serial = issuer_serial
        fields.append(writer.sequence(writer.sequence(writer.tlv(0xA4, issuer)), writer.integer(serial)))
    return writer.sequence(writer.sequence(writer.sequence(*fields)))


def algorithm_protection(digest: bytes, signature: bytes, tag: int = 0xA1) -> Attribute:
    """RFC 6211; DER AlgorithmIdentifiers."""
    return attribute(oids.ALGORITHM_PROTECTION, writer.sequence(digest, bytes([tag]) + signature[1:]))


def encode_attributes(attributes: Sequence[Attribute], *, tag: int = 0x31, ordered: bool = True) -> bytes:
    encoded = [writer.sequence(writer.oid(kind), writer.set_of(*values)) for kind, values in attributes]
    return writer.tlv(tag, *(sorted(encoded) if ordered else encoded))


@dataclass(frozen=True)
class Signer:
    """One signer; every field can be replaced by what it should not be.

    Attributes:
        key: signs.
        certificate: DER; the signer identifier is taken from it.
        attributes: signed attributes; None = none, the signature is over the artifact.
        algorithm: what the key really does, one of ``pki.ALGORITHMS``.
        digest_algorithm: DER AlgorithmIdentifier of the SignerInfo.
        signature_algorithm: DER AlgorithmIdentifier of the SignerInfo.
        version: of the SignerInfo; 0 = the one that fits.
        by_key_identifier: subject key identifier instead of issuer and serial number.
        sid: DER of the signer identifier, to replace either.
        signature: replaces the signature value.
        unsigned: unsigned attributes.
        ordered: whether the signed attributes are in DER's order.
        extra: DER behind the last field.
    """

    key: pki.Key
    certificate: bytes
    attributes: tuple[Attribute, ...] | None = (content_type(), message_digest())
    algorithm: str = ""
    digest_algorithm: bytes = digests.identifier("sha256")
    signature_algorithm: bytes = b""
    version: int = 0
    by_key_identifier: bool = False
    sid: bytes = b""
    signature: bytes = b""
    unsigned: tuple[Attribute, ...] = ()
    ordered: bool = True
    extra: bytes = b""

    def encode(self, artifact: bytes) -> bytes:
        """DER SignerInfo."""
        algorithm = self.algorithm or self.key.algorithm
        to_be_signed = artifact
        attributes = b""
        if self.attributes is not None:
            to_be_signed = encode_attributes(self.attributes, ordered=self.ordered)
            attributes = b"\xa0" + to_be_signed[1:]
        value = self.signature or self.key.sign(to_be_signed, algorithm)
        return writer.sequence(
            writer.integer(self.version or (3 if self.by_key_identifier else 1)),
            self.sid or self._sid(),
            self.digest_algorithm,
            attributes,
            self.signature_algorithm or pki.ALGORITHMS[algorithm],
            writer.octet_string(value),
            encode_attributes(self.unsigned, tag=0xA1) if self.unsigned else b"",
            self.extra,
        )

    def _sid(self) -> bytes:
        parsed = x509_certificate.load(self.certificate)
        if self.by_key_identifier:
            return writer.tlv(0x80, parsed.subject_key_identifier or b"")
        return writer.sequence(parsed.issuer.raw, writer.integer(parsed.serial_number))


@dataclass(frozen=True)
class SignedData:
    """A SignedData; every field can be replaced by what it should not be."""

    signers: tuple[Signer, ...]
    certificates: tuple[bytes, ...]
    artifact: bytes = ARTIFACT
    version: int = 1
    digest_algorithms: tuple[bytes, ...] = (digests.identifier("sha256"),)
    content_type: str = oids.DATA
    content: bytes | None = None
    crls: tuple[bytes, ...] = ()
    ordered: bool = field(default=True)
    extra: bytes = b""
    kind: str = oids.SIGNED_DATA

    def encode(self) -> bytes:
        """DER ContentInfo."""
        content = b"" if self.content is None else writer.tlv(0xA0, writer.octet_string(self.content))
        infos = [signer.encode(self.artifact) for signer in self.signers]
        certificates = sorted(self.certificates) if self.ordered else self.certificates
        fields = writer.sequence(
            writer.integer(self.version),
            writer.set_of(*self.digest_algorithms),
            writer.sequence(writer.oid(self.content_type), content),
            writer.tlv(0xA0, *certificates) if certificates else b"",
            writer.tlv(0xA1, *self.crls) if self.crls else b"",
            writer.set_of(*infos) if self.ordered else writer.tlv(0x31, *infos),
            self.extra,
        )
        return writer.sequence(writer.oid(self.kind), writer.tlv(0xA0, fields))


def signer(**changes: Any) -> Signer:
    """A signer of the usual chain, with changes."""
    usual = pki.chain()
    return replace(Signer(usual.leaf_key, usual.leaf), **changes)


def signature(*signers: Signer, **changes: Any) -> bytes:
    """A detached signature of ``ARTIFACT`` by signers of the usual chain, with changes to the SignedData."""
    signers = signers or (signer(),)
    certificates = tuple(dict.fromkeys([*(one.certificate for one in signers), pki.chain().issuing]))
    return SignedData(**({"signers": signers, "certificates": certificates} | changes)).encode()


def to_ber(der: bytes, *, segment: int = 7) -> bytes:
    """The same in BER as ``openssl cms -sign -stream`` writes it, only more so: every constructed element of indefinite
    length, and every OCTET STRING outside certificates and attributes in segments.
    """
    return _to_ber(reader.parse(der), segment, 0)


def _to_ber(element: reader.Element, segment: int, depth: int) -> bytes:
    if element.tag == reader.OCTET_STRING:
        pieces = [element.content[i : i + segment] for i in range(0, len(element.content), segment)]
        return b"\x24\x80" + b"".join(writer.octet_string(piece) for piece in pieces) + b"\x00\x00"
    if not element.tag & 0x20 or depth > 4:
        return element.raw
    inner = b"".join(_to_ber(child, segment, depth + 1) for child in element.children())
    return bytes([element.tag, 0x80]) + inner + b"\x00\x00"
