"""SignedData as a file: read from DER, BER or PEM, and put together for detached signatures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import DEFAULT_SIGNER_ID, digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.cms import attributes
from signkit.der import ber, cms, oids, writer
from signkit.der.cms import SignedData, SignerInfo
from signkit.errors import MalformedError
from signkit.x509 import pem
from signkit.x509.certificate import Certificate

_ATTRIBUTE_CERTIFICATE_1, _ATTRIBUTE_CERTIFICATE_2, _OTHER_CERTIFICATE = b"\xa1", b"\xa2", b"\xa3"
_OTHER_REVOCATION_INFO = b"\xa1"
"""First octets of choices that decide the version (RFC 5652 sections 10.2.1 and 10.2.2)."""


class Parsed(NamedTuple):
    """A SignedData, how it was encoded (``DER``, ``BER``, ``PEM``), and the DER of its ContentInfo."""

    signed_data: SignedData
    encoding: str
    der: bytes


def parse(data: bytes) -> Parsed:
    """Read a ContentInfo with SignedData from DER, BER or PEM.

    Raises:
        MalformedError: it is none of them.
    """
    if not data:
        raise MalformedError("the signature file is empty")
    encoding = "DER"
    if pem.looks_like(data):
        blocks = [block for block in pem.decode(data) if block.label in pem.PKCS7_LABELS]
        if len(blocks) != 1:
            raise MalformedError(f"the signature file has {len(blocks)} PEM blocks of type CMS or PKCS7, expected 1")
        data, encoding = blocks[0].data, "PEM"
    try:
        return Parsed(cms.decode(data), encoding, data)
    except MalformedError:
        der = cms.in_order(ber.to_der(data))
        if der == data:
            raise
        return Parsed(cms.decode(der), "BER" if encoding == "DER" else encoding, der)


class SignerTemplate(NamedTuple):
    """All parts of a signature by one signer that do not depend on what is signed.

    Attributes:
        digest: name of the digest algorithm.
        algorithm: the signature algorithm.
        certificate: the signer's certificate.
        certificates: DER of the certificates that go into the file.
        constant_attributes: encoded signed attributes that are the same for all artifacts; None = there are no signed
            attributes, and the signature is over the content itself.
        content_type: type of what is signed (dotted).
        kind: content type of the ContentInfo around it (dotted).
        signature_algorithm: DER AlgorithmIdentifier of the signature.
        signer_id: identifier of an SM2 signer.
    """

    digest: str
    algorithm: SignatureAlgorithm
    certificate: Certificate
    certificates: tuple[bytes, ...]
    constant_attributes: tuple[bytes, ...] | None
    content_type: str
    kind: str
    signature_algorithm: bytes
    signer_id: bytes


def template(
    certificate: Certificate,
    chain: tuple[bytes, ...],
    algorithm: SignatureAlgorithm,
    digest: str,
    content_type: str = oids.DATA,
    signer_id: bytes = DEFAULT_SIGNER_ID,
) -> SignerTemplate:
    """Prepare signatures by one signer.

    Args:
        certificate: the signer's certificate.
        chain: DER of the intermediates that go along, without the root.
        algorithm: signature algorithm.
        digest: name of the digest algorithm, the one that ``algorithm`` signs where it signs a digest.
        content_type: type of what is signed (dotted).
        signer_id: identifier of an SM2 signer.
    """
    return SignerTemplate(
        digest,
        algorithm,
        certificate,
        (certificate.der, *chain),
        attributes.constant(certificate, algorithm, digest, content_type),
        content_type,
        oids.SIGNED_DATA,
        algorithm.cms_identifier,
        signer_id,
    )


def gmt0010_template(
    certificate: Certificate, chain: tuple[bytes, ...], algorithm: SignatureAlgorithm, signer_id: bytes
) -> SignerTemplate:
    """As ``template``, for an SM2 signer after GM/T 0010: its own content types, and no signed attributes."""
    return SignerTemplate(
        "sm3",
        algorithm,
        certificate,
        (certificate.der, *chain),
        None,
        oids.SM2_DATA,
        oids.SM2_SIGNED_DATA,
        writer.sequence(writer.oid(oids.SM2_SIGN), writer.NULL),
        signer_id,
    )


def signed_attributes(prepared: SignerTemplate, message_digest: bytes, signing_time: datetime) -> bytes:
    """DER SET OF the signed attributes of one artifact: the to-be-signed bytes (RFC 5652 section 5.4)."""
    constant = prepared.constant_attributes or ()
    return writer.set_of(*constant, *attributes.variable(message_digest, signing_time))


def signer(
    prepared: SignerTemplate, to_be_signed: bytes, signature: bytes, unsigned_attributes: Iterable[bytes] = ()
) -> SignerInfo:
    """One signer of a SignedData.

    Args:
        prepared: what ``template`` gave.
        to_be_signed: what ``signed_attributes`` gave; of no use where there are none.
        signature: signature value over it.
        unsigned_attributes: DER Attributes.
    """
    bare = prepared.constant_attributes is None
    return SignerInfo(
        version=1,
        issuer=prepared.certificate.issuer.raw,
        serial_number=prepared.certificate.serial_number,
        subject_key_identifier=None,
        digest_algorithm=digests.identifier(prepared.digest),
        signed_attributes=None if bare else (),
        signed_attributes_der=b"" if bare else to_be_signed,
        signature_algorithm=prepared.signature_algorithm,
        signature=signature,
        unsigned_attributes=tuple(map(cms.decode_attribute, unsigned_attributes)),
    )


def assemble(
    prepared: Sequence[SignerTemplate],
    signers: Sequence[SignerInfo],
    *,
    content: bytes | None = None,
    certificates: Iterable[bytes] = (),
    crls: Iterable[bytes] = (),
) -> SignedData:
    """A SignedData by these signers.

    Args:
        prepared: what ``template`` gave for each signer; all are of one content type.
        signers: what ``signer`` gave for each.
        content: what is signed, when it goes along; None = a detached signature.
        certificates: DER certificates beside those of the signers.
        crls: DER of revocation values.
    """
    own = (der for one in prepared for der in one.certificates)
    found = SignedData(
        version=1,
        digest_algorithms=tuple(dict.fromkeys(signer.digest_algorithm for signer in signers)),
        content_type=prepared[0].content_type,
        content=content,
        certificates=tuple(dict.fromkeys((*own, *certificates))),
        crls=tuple(dict.fromkeys(crls)),
        signer_infos=tuple(signers),
        kind=prepared[0].kind,
    )
    return found._replace(version=version_of(found))


def version_of(found: SignedData) -> int:
    """The CMSVersion that a SignedData must have (RFC 5652 section 5.1); GM/T 0010 knows 1 only."""
    if found.kind == oids.SM2_SIGNED_DATA:
        return 1
    if any(der[:1] == _OTHER_CERTIFICATE for der in found.certificates):
        return 5
    if any(der[:1] == _OTHER_REVOCATION_INFO for der in found.crls):
        return 5
    if any(der[:1] == _ATTRIBUTE_CERTIFICATE_2 for der in found.certificates):
        return 4
    third = any(der[:1] == _ATTRIBUTE_CERTIFICATE_1 for der in found.certificates)
    third = third or any(info.version == 3 for info in found.signer_infos)
    return 3 if third or found.content_type != oids.DATA else 1
