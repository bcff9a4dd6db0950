"""PKCS #10 certification requests (RFC 2986)."""

from __future__ import annotations

from functools import cached_property

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from signkit.x509 import names, pem
from signkit.x509.certificate import Extension
from signkit.x509.names import Name

LABEL = "CERTIFICATE REQUEST"
"""PEM label of a request (RFC 7468 section 7)."""


class CertificationRequest:
    """A certification request, sliced from its original bytes."""

    def __init__(self, der: bytes) -> None:
        """Take the DER of a request.

        Raises:
            MalformedError: it can't be parsed.
        """
        from signkit.der import gate  # cryptography.x509 costs 20 ms, which signing does without

        gate.certification_request(der)
        self.der = der
        info, algorithm, signature = reader.parse(der, reader.SEQUENCE, "CertificationRequest").children()
        self.info = info.raw
        self.signature_algorithm = algorithm.raw
        self.signature = reader.bit_string(signature, "signature")
        version, subject, public_key_info, *attributes = info.children()
        if reader.integer(version, "version") != 0:
            raise MalformedError(f"request has version {reader.integer(version) + 1}, expected 1")
        self.subject: Name = names.load(subject.raw)
        self.public_key_info = public_key_info.raw
        self.extensions = _requested_extensions(attributes)

    @cached_property
    def key_type(self) -> str:
        """Type of the public key, for example ``EC_P256``."""
        return algorithms.key_type_of(self.public_key_info)

    @cached_property
    def public_key_fingerprint(self) -> str:
        """Lower-case hex SHA-256 of the SubjectPublicKeyInfo."""
        return digests.digest("sha256", self.public_key_info).hex()

    def proof_of_possession(self) -> str:
        """An empty string when the request is signed by the key it carries (RFC 2986 section 3), else the reason."""
        algorithm = algorithms.identify(self.signature_algorithm)
        if algorithm is None:
            return f"signature algorithm {algorithms.describe(self.signature_algorithm)} is not accepted"
        return algorithms.verify_message(algorithm, self.public_key_info, self.info, self.signature)


def load(der: bytes) -> CertificationRequest:
    """The request of these bytes.

    Raises:
        MalformedError: it can't be parsed.
    """
    try:
        return CertificationRequest(der)
    except (ValueError, IndexError) as error:
        raise MalformedError(f"certification request can't be parsed: {error}") from error


def from_file(data: bytes) -> CertificationRequest:
    """The only request in a PEM (either label) or DER file.

    Raises:
        MalformedError: there is none, there are several, or it can't be parsed.
    """
    if not data.strip():
        raise MalformedError("the file is empty, expected a certification request")
    if not pem.looks_like(data):
        return load(data)
    blocks = pem.decode(data)
    found = [block.data for block in blocks if block.label in pem.REQUEST_LABELS]
    if len(found) != 1:
        labels = ", ".join(block.label for block in blocks)
        raise MalformedError(f"found {len(found)} certification requests, expected 1 (PEM blocks: {labels})")
    return load(found[0])


def to_be_signed(
    subject: Name, public_key_info: bytes, *, key_usage: tuple[str, ...], purposes: tuple[str, ...]
) -> bytes:
    """DER CertificationRequestInfo for a subject and key, asking for a key usage and key purposes.

    Args:
        subject: the name the certificate shall carry.
        public_key_info: DER SubjectPublicKeyInfo.
        key_usage: names of ``certificate.KEY_USAGES``; empty = none asked for.
        purposes: OBJECT IDENTIFIERs for extKeyUsage; empty = none asked for.
    """
    from signkit.der import templates  # asn1crypto costs 30 ms: only where a request is made

    return templates.certification_request_info(
        subject.raw, public_key_info, key_usage=key_usage, extended_key_usage=purposes
    )


def assemble(info: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """DER CertificationRequest from its signed part and the signature."""
    return writer.sequence(info, algorithm.identifier, writer.bit_string(signature))


def _requested_extensions(attributes: list[reader.Element]) -> dict[str, Extension]:
    """Extensions asked for by the extensionRequest attribute (RFC 2985 section 5.4.2)."""
    extensions: dict[str, Extension] = {}
    for attribute in (child for field in attributes if field.tag == 0xA0 for child in field.children()):
        kind, values = attribute.children()
        if reader.oid(kind) != oids.EXTENSION_REQUEST:
            continue
        for element in values.children()[0].children():
            parts = element.children()
            oid = reader.oid(parts[0])
            if oid in extensions:
                raise MalformedError(f"request asks for the extension {oids.name(oid)} twice")
            critical = len(parts) == 3 and reader.boolean(parts[1], "critical")
            extensions[oid] = Extension(critical, parts[-1].expect(reader.OCTET_STRING, oids.name(oid)).content)
    return extensions
