"""SignedData as a file: read from DER, BER or PEM, and put together for detached signatures."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.cms import attributes
from signkit.der import ber, cms, oids, writer
from signkit.der.cms import SignedData, SignerInfo
from signkit.errors import MalformedError
from signkit.x509 import pem
from signkit.x509.certificate import Certificate


class Parsed(NamedTuple):
    """A SignedData and how it was encoded (``DER``, ``BER``, ``PEM``)."""

    signed_data: SignedData
    encoding: str


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
        return Parsed(cms.decode(data), encoding)
    except MalformedError:
        der = cms.in_order(ber.to_der(data))
        if der == data:
            raise
        return Parsed(cms.decode(der), "BER" if encoding == "DER" else encoding)


class SignerTemplate(NamedTuple):
    """All parts of a signature by one signer that do not depend on what is signed.

    Attributes:
        digest: name of the digest algorithm.
        algorithm: the signature algorithm.
        certificate: the signer's certificate.
        certificates: DER of the certificates that go into the file.
        constant_attributes: encoded signed attributes that are the same for all artifacts.
        content_type: type of what is signed (dotted).
    """

    digest: str
    algorithm: SignatureAlgorithm
    certificate: Certificate
    certificates: tuple[bytes, ...]
    constant_attributes: tuple[bytes, ...]
    content_type: str = oids.DATA


def template(
    certificate: Certificate,
    chain: tuple[bytes, ...],
    algorithm: SignatureAlgorithm,
    digest: str,
    content_type: str = oids.DATA,
) -> SignerTemplate:
    """Prepare signatures by one signer.

    Args:
        certificate: the signer's certificate.
        chain: DER of the intermediates that go along, without the root.
        algorithm: signature algorithm.
        digest: name of the digest algorithm, the one that ``algorithm`` signs where it signs a digest.
        content_type: type of what is signed (dotted).
    """
    constant = attributes.constant(certificate, algorithm, digest, content_type)
    return SignerTemplate(digest, algorithm, certificate, (certificate.der, *chain), constant, content_type)


def signed_attributes(prepared: SignerTemplate, message_digest: bytes, signing_time: datetime) -> bytes:
    """DER SET OF the signed attributes of one artifact: the to-be-signed bytes (RFC 5652 section 5.4)."""
    return writer.set_of(*prepared.constant_attributes, *attributes.variable(message_digest, signing_time))


def assemble(prepared: SignerTemplate, to_be_signed: bytes, signature: bytes, *, content: bytes | None = None) -> bytes:
    """DER ContentInfo of a signature by one signer.

    Args:
        prepared: what ``template`` gave.
        to_be_signed: what ``signed_attributes`` gave.
        signature: signature value over it.
        content: what is signed, when it goes along; None = a detached signature.
    """
    digest_algorithm = digests.identifier(prepared.digest)
    info = SignerInfo(
        version=1,
        issuer=prepared.certificate.issuer.raw,
        serial_number=prepared.certificate.serial_number,
        subject_key_identifier=None,
        digest_algorithm=digest_algorithm,
        signed_attributes=(),
        signed_attributes_der=to_be_signed,
        signature_algorithm=prepared.algorithm.cms_identifier,
        signature=signature,
        unsigned_attributes=(),
    )
    return cms.encode(
        SignedData(
            version=1 if prepared.content_type == oids.DATA else 3,  # RFC 5652 section 5.1
            digest_algorithms=(digest_algorithm,),
            content_type=prepared.content_type,
            content=content,
            certificates=prepared.certificates,
            crls=(),
            signer_infos=(info,),
        )
    )
