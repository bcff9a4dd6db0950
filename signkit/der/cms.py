"""CMS SignedData (RFC 5652 section 5): read by cryptography's strict DER engine, written piece by piece.

The engine's interface is marked unstable, so no other module imports it (ADR 0002).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from cryptography.hazmat import asn1
from cryptography.hazmat.bindings._rust import ObjectIdentifier

from signkit.der import oids, reader, writer
from signkit.errors import MalformedError

SIGNED_DATA_KINDS = (oids.SIGNED_DATA, oids.SM2_SIGNED_DATA)
"""Content types of a ContentInfo with SignedData: RFC 5652's, and GM/T 0010's for the same structure."""

MAXIMUM_ELEMENTS = 100_000
"""Most elements in the sets of a SignedData: certificates, CRLs and values of attributes count as one each."""

_LEVELS = 5
"""From signerInfos down to the values of attributes."""

_SMALL = 1 << 16
"""A file of fewer bytes can't hold enough elements to matter."""


class Attribute(NamedTuple):
    """One attribute: its type (dotted) and the DER of its values."""

    type: str
    values: tuple[bytes, ...]


class SignerInfo(NamedTuple):
    """RFC 5652 section 5.3.

    Attributes:
        version: 1 with issuer and serial number, 3 with a subject key identifier.
        issuer: DER Name of the signer identifier, or None.
        serial_number: serial number of the signer identifier, or None.
        subject_key_identifier: octets, or None.
        digest_algorithm: DER AlgorithmIdentifier.
        signed_attributes: the signed attributes in their order, or None when there are none.
        signed_attributes_der: DER SET OF the signed attributes, the bytes that are signed; empty when there are none.
        signature_algorithm: DER AlgorithmIdentifier.
        signature: the signature value.
        unsigned_attributes: the unsigned attributes.
    """

    version: int
    issuer: bytes | None
    serial_number: int | None
    subject_key_identifier: bytes | None
    digest_algorithm: bytes
    signed_attributes: tuple[Attribute, ...] | None
    signed_attributes_der: bytes
    signature_algorithm: bytes
    signature: bytes
    unsigned_attributes: tuple[Attribute, ...]


class SignedData(NamedTuple):
    """RFC 5652 section 5.1.

    Attributes:
        version: CMS version number of the structure.
        digest_algorithms: DER AlgorithmIdentifiers.
        content_type: type of the encapsulated content (dotted).
        content: the content, or None when it is detached.
        certificates: DER of each element of the certificates field, in its order.
        crls: DER of each element of the crls field.
        signer_infos: the signers.
        kind: content type of the ContentInfo around it, one of ``SIGNED_DATA_KINDS``.
    """

    version: int
    digest_algorithms: tuple[bytes, ...]
    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    signer_infos: tuple[SignerInfo, ...]
    kind: str = oids.SIGNED_DATA


@asn1.sequence
class _Attribute:
    type: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _IssuerAndSerialNumber:
    issuer: asn1.TLV
    serial_number: int


@asn1.sequence
class _EncapsulatedContentInfo:
    content_type: ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class _SignerInfo:
    version: int
    sid: _IssuerAndSerialNumber | Annotated[bytes, asn1.Implicit(0)]
    digest_algorithm: asn1.TLV
    signed_attributes: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(0)]
    signature_algorithm: asn1.TLV
    signature: bytes
    unsigned_attributes: Annotated[list[_Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class _SignedData:
    version: int
    digest_algorithms: asn1.SetOf[asn1.TLV]
    encapsulated_content_info: _EncapsulatedContentInfo
    # Foreign writers keep these sets in the order of the path: read as lists, which are encoded alike.
    certificates: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    crls: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    signer_infos: asn1.SetOf[_SignerInfo]


@asn1.sequence
class _ContentInfo:
    content_type: ObjectIdentifier
    content: Annotated[asn1.TLV, asn1.Explicit(0)]


def decode(der: bytes) -> SignedData:
    """Read a ContentInfo that holds SignedData, in strict DER.

    Raises:
        MalformedError: not DER, or not that structure.
    """
    _refuse_oversized(der)
    try:
        content_info = asn1.decode_der(_ContentInfo, der)
        kind = content_info.content_type.dotted_string
        if kind not in SIGNED_DATA_KINDS:
            raise MalformedError(f"CMS content is {oids.name(kind)}, expected signedData")
        return _signed_data(content_info.content.parse(_SignedData), kind)
    except ValueError as error:
        reason = str(error).removeprefix("error parsing asn1 value: ")
        raise MalformedError(f"not CMS SignedData in DER: {reason}") from error


def encode(signed_data: SignedData) -> bytes:
    """DER ContentInfo holding the SignedData."""
    fields = [
        writer.integer(signed_data.version),
        writer.set_of(*signed_data.digest_algorithms),
        _encode_content(signed_data),
    ]
    if signed_data.certificates:
        fields.append(writer.tlv(0xA0, *sorted(signed_data.certificates)))
    if signed_data.crls:
        fields.append(writer.tlv(0xA1, *sorted(signed_data.crls)))
    fields.append(writer.set_of(*map(encode_signer_info, signed_data.signer_infos)))
    return writer.sequence(writer.oid(signed_data.kind), writer.tlv(0xA0, writer.sequence(*fields)))


def in_order(der: bytes) -> bytes:
    """The same ContentInfo with the sets of SignedData and of its signers in DER's order (X.690 section 11.6).

    Signed attributes are signed in that order whatever order they were written in (RFC 5652 section 5.4). Certificates,
    CRLs and the values of attributes stay byte for byte what they are. What has not the form of a SignedData, with
    definite, shortest lengths, is returned as it is.
    """
    _refuse_oversized(der)
    try:
        kind, wrapped = reader.parse(der, reader.SEQUENCE).children()
        (signed_data,) = wrapped.children()
        fields = signed_data.expect(reader.SEQUENCE, "SignedData").children()
        infos = [_signer_in_order(info) for info in fields[-1].expect(reader.SET, "signerInfos").children()]
        others = [writer.set_of(*_raws(one)) if one.tag == reader.SET else one.raw for one in fields[:-1]]
    except (MalformedError, ValueError, IndexError):
        return der
    return writer.sequence(kind.raw, writer.tlv(wrapped.tag, writer.sequence(*others, writer.set_of(*infos))))


def _signer_in_order(info: reader.Element) -> bytes:
    fields = []
    for position, field in enumerate(info.expect(reader.SEQUENCE, "SignerInfo").children()):
        # The signer identifier, second of the fields, may have the tag of signed attributes: it is no set.
        attributes = position > 1 and field.tag in (0xA0, 0xA1)
        fields.append(writer.tlv(field.tag, *sorted(_raws(field))) if attributes else field.raw)
    return writer.sequence(*fields)


def _raws(element: reader.Element) -> list[bytes]:
    return [child.raw for child in element.children()]


def _refuse_oversized(der: bytes) -> None:
    """Refuse what would cost far more than any real signature does, before it is taken apart.

    What is not even of the right form is left to the reader that follows, which says so better.

    Raises:
        MalformedError: a set of SignedData has more elements than any real one.
    """
    if len(der) < _SMALL:
        return
    try:
        (content_info,) = reader.first_children(reader.Element(der, 0, 0, 0, len(der)), 1)
        (signed_data,) = reader.first_children(reader.first_children(content_info, 2)[1], 1)
        fields = reader.first_children(signed_data, 6)
    except (MalformedError, ValueError, IndexError):
        return
    left = MAXIMUM_ELEMENTS
    for field in fields:
        left -= _count(field, left, _LEVELS if field.tag == reader.SET else 1)
    if left <= 0:
        raise MalformedError(f"SignedData has more than {MAXIMUM_ELEMENTS} elements in its sets")


def _count(element: reader.Element, most: int, levels: int) -> int:
    """How many elements there are in a constructed one, so many levels down; at most ``most``."""
    if not levels or not element.tag & 0x20 or most <= 0:
        return 0
    try:
        children = reader.first_children(element, most)
    except MalformedError:
        return 0
    total = len(children)
    for child in children:
        total += _count(child, most - total, levels - 1)
    return total


def encode_signer_info(info: SignerInfo) -> bytes:
    """DER SignerInfo."""
    if info.subject_key_identifier is not None:
        sid = writer.tlv(0x80, info.subject_key_identifier)
    else:
        sid = writer.sequence(info.issuer or b"", writer.integer(info.serial_number or 0))
    fields = [writer.integer(info.version), sid, info.digest_algorithm]
    if info.signed_attributes is not None:
        fields.append(b"\xa0" + info.signed_attributes_der[1:])
    fields += [info.signature_algorithm, writer.octet_string(info.signature)]
    if info.unsigned_attributes:
        fields.append(writer.tlv(0xA1, *sorted(map(encode_attribute, info.unsigned_attributes))))
    return writer.sequence(*fields)


def decode_attribute(der: bytes) -> Attribute:
    """Read one Attribute.

    Raises:
        MalformedError: it is not one.
    """
    fields = reader.parse(der, reader.SEQUENCE, "Attribute").children()
    if len(fields) != 2:
        raise MalformedError(f"Attribute has {len(fields)} fields, expected 2")
    return Attribute(reader.oid(fields[0]), tuple(_raws(fields[1].expect(reader.SET, "attrValues"))))


def encode_attribute(attribute: Attribute) -> bytes:
    """DER Attribute."""
    return writer.sequence(writer.oid(attribute.type), writer.set_of(*attribute.values))


def encode_attributes(attributes: Iterable[Attribute]) -> bytes:
    """DER SET OF attributes: what is signed (RFC 5652 section 5.4)."""
    return writer.set_of(*map(encode_attribute, attributes))


def _encode_content(signed_data: SignedData) -> bytes:
    content_type = writer.oid(signed_data.content_type)
    if signed_data.content is None:
        return writer.sequence(content_type)
    return writer.sequence(content_type, writer.tlv(0xA0, writer.octet_string(signed_data.content)))


def _signed_data(parsed: _SignedData, kind: str) -> SignedData:
    if parsed.version not in (1, 3, 4, 5):
        raise MalformedError("SignedData has an unknown version, expected 1, 3, 4 or 5 (RFC 5652 section 5.1)")
    return SignedData(
        version=parsed.version,
        digest_algorithms=tuple(map(asn1.encode_der, parsed.digest_algorithms.as_list())),
        content_type=parsed.encapsulated_content_info.content_type.dotted_string,
        content=parsed.encapsulated_content_info.content,
        certificates=tuple(map(asn1.encode_der, parsed.certificates or ())),
        crls=tuple(map(asn1.encode_der, parsed.crls or ())),
        signer_infos=tuple(map(_signer_info, parsed.signer_infos.as_list())),
        kind=kind,
    )


def _signer_info(parsed: _SignerInfo) -> SignerInfo:
    sid, attributes = parsed.sid, parsed.signed_attributes
    expected = 3 if isinstance(sid, bytes) else 1
    if parsed.version != expected:
        raise MalformedError(f"SignerInfo does not have version {expected}, which its kind of signer identifier needs")
    return SignerInfo(
        version=parsed.version,
        issuer=asn1.encode_der(sid.issuer) if isinstance(sid, _IssuerAndSerialNumber) else None,
        serial_number=sid.serial_number if isinstance(sid, _IssuerAndSerialNumber) else None,
        subject_key_identifier=sid if isinstance(sid, bytes) else None,
        digest_algorithm=asn1.encode_der(parsed.digest_algorithm),
        signed_attributes=None if attributes is None else tuple(map(_attribute, attributes.as_list())),
        signed_attributes_der=b"" if attributes is None else asn1.encode_der(attributes),
        signature_algorithm=asn1.encode_der(parsed.signature_algorithm),
        signature=parsed.signature,
        unsigned_attributes=tuple(map(_attribute, parsed.unsigned_attributes or ())),
    )


def _attribute(parsed: _Attribute) -> Attribute:
    return Attribute(parsed.type.dotted_string, tuple(map(asn1.encode_der, parsed.values.as_list())))
