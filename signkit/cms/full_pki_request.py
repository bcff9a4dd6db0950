"""A certification request signed by the present certificate: a full PKI request (RFC 5272 section 3.2).

The certification request alone proves that its maker has the new key. Around it stands PKIData with that one request in
it, and around that SignedData by the key that is certified already: so the authority knows who asks (section 6.2).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.cms import attributes
from signkit.der import cms, oids, reader, writer
from signkit.der.cms import SignedData, SignerInfo
from signkit.errors import MalformedError
from signkit.x509.certificate import Certificate

_BODY_PART = 1
"""bodyPartID of the only request; 0 would mean the PKIData itself (section 3.2.1)."""


class Prepared(NamedTuple):
    """A request that waits for its signature.

    Attributes:
        content: DER PKIData.
        signed_attributes: DER SET OF signed attributes: the to-be-signed bytes.
        algorithm: the signer's algorithm.
        certificate: the signer's certificate.
        certificates: DER of the certificates that go along.
    """

    content: bytes
    signed_attributes: bytes
    algorithm: SignatureAlgorithm
    certificate: Certificate
    certificates: tuple[bytes, ...]


def pki_data(request: bytes) -> bytes:
    """DER PKIData with no control and one PKCS #10 request (section 3.2.1)."""
    tagged = writer.tlv(0xA0, writer.integer(_BODY_PART), request)
    return writer.sequence(writer.sequence(), writer.sequence(tagged), writer.sequence(), writer.sequence())


def prepare(
    request: bytes, certificate: Certificate, chain: tuple[bytes, ...], algorithm: SignatureAlgorithm, now: datetime
) -> Prepared:
    """The to-be-signed bytes around a request.

    Args:
        request: DER CertificationRequest.
        certificate: the present certificate, whose key signs.
        chain: DER of the certificates that issued it.
        algorithm: the signer's algorithm.
        now: signing time, aware UTC.
    """
    content, digest = pki_data(request), algorithm.content_digest
    signed = writer.set_of(
        *attributes.constant(certificate, algorithm, digest, oids.PKI_DATA),
        *attributes.variable(digests.digest(digest, content), now),
    )
    return Prepared(content, signed, algorithm, certificate, (certificate.der, *chain))


def assemble(prepared: Prepared, signature: bytes) -> bytes:
    """DER ContentInfo with the request, signed.

    Raises:
        MalformedError: the signature does not verify.
    """
    algorithm, certificate = prepared.algorithm, prepared.certificate
    reason = algorithms.verify_message(algorithm, certificate.public_key_info, prepared.signed_attributes, signature)
    if reason:
        raise MalformedError(f"the signature around the request does not verify: {reason}", hint="please report this")
    digest_algorithm = digests.identifier(algorithm.content_digest)
    info = SignerInfo(
        version=1,
        issuer=certificate.issuer.raw,
        serial_number=certificate.serial_number,
        subject_key_identifier=None,
        digest_algorithm=digest_algorithm,
        signed_attributes=(),
        signed_attributes_der=prepared.signed_attributes,
        signature_algorithm=algorithm.cms_identifier,
        signature=signature,
        unsigned_attributes=(),
    )
    # Version 3: the content is not of type data (RFC 5652 section 5.1).
    return cms.encode(
        SignedData(3, (digest_algorithm,), oids.PKI_DATA, prepared.content, prepared.certificates, (), (info,))
    )


def request_in(content: bytes) -> bytes:
    """DER of the PKCS #10 request in a PKIData.

    Raises:
        MalformedError: it is no PKIData with one such request.
    """
    parts = reader.parse(content, reader.SEQUENCE, "PKIData").children()
    requests = parts[1].children() if len(parts) == 4 else []
    if len(requests) != 1 or requests[0].tag != 0xA0 or len(requests[0].children()) != 2:
        raise MalformedError("PKIData does not hold one PKCS #10 request")
    return requests[0].children()[1].raw
