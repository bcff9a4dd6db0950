"""PKCS #10 certification requests (RFC 2986)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from signkit.x509 import extensions, names, pem
from signkit.x509.certificate import Extension
from signkit.x509.names import Name

LABEL = "CERTIFICATE REQUEST"
"""PEM label of a request (RFC 7468 section 7)."""

MAXIMUM_SIZE = 1 << 18
"""Most bytes of a request; one with an ML-DSA key and a hundred names has 30 kB."""
MAXIMUM_ATTRIBUTES = 64


class CertificationRequest:
    """A certification request, sliced from its original bytes."""

    def __init__(self, der: bytes) -> None:
        """Take the DER of a request.

        Raises:
            MalformedError: it can't be parsed, or is larger than any real one.
        """
        if len(der) > MAXIMUM_SIZE:
            raise MalformedError(f"request has {len(der)} bytes, expected at most {MAXIMUM_SIZE}")
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
        self.attributes = _attributes(attributes)
        """Attribute type (dotted) to the DER of its SET OF values."""
        self.extensions = _requested_extensions(self.attributes)

    @cached_property
    def key_usage(self) -> frozenset[str] | None:
        """Names of the key usages asked for, None when none are; MalformedError when they can't be read."""
        found = self.extensions.get(oids.KEY_USAGE)
        return None if found is None else extensions.key_usage(found.value)

    @cached_property
    def extended_key_usage(self) -> tuple[str, ...] | None:
        """OBJECT IDENTIFIERs of the purposes asked for, None when none are; MalformedError when they can't be read."""
        found = self.extensions.get(oids.EXTENDED_KEY_USAGE)
        return None if found is None else extensions.key_purposes(found.value)

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
    subject: Name,
    public_key_info: bytes,
    *,
    key_usage: tuple[str, ...],
    purposes: tuple[str, ...],
    alternative_names: tuple[bytes, ...] = (),
) -> bytes:
    """DER CertificationRequestInfo for a subject and key, asking for a key usage and key purposes.

    Args:
        subject: the name the certificate shall carry.
        public_key_info: DER SubjectPublicKeyInfo.
        key_usage: names of ``certificate.KEY_USAGES``; empty = none asked for.
        purposes: OBJECT IDENTIFIERs for extKeyUsage; empty = none asked for. For timestamping alone it is critical, as
            RFC 3161 section 2.3 demands of the certificate.
        alternative_names: DER GeneralNames for subjectAltName; empty = none asked for.
    """
    from signkit.der import templates  # asn1crypto costs 30 ms: only where a request is made

    return templates.certification_request_info(
        subject.raw,
        public_key_info,
        key_usage=key_usage,
        extended_key_usage=purposes,
        extended_key_usage_critical=purposes == (oids.TIME_STAMPING,),
        alternative_names=writer.sequence(*alternative_names) if alternative_names else b"",
    )


def assemble(info: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """DER CertificationRequest from its signed part and the signature."""
    return writer.sequence(info, algorithm.identifier, writer.bit_string(signature))


def _attributes(fields: list[reader.Element]) -> dict[str, bytes]:
    """Attributes of a request by type."""
    if len(fields) != 1 or fields[0].tag != 0xA0:
        raise MalformedError("request has no attributes field, expected one [0], which may be empty")
    found: dict[str, bytes] = {}
    for attribute in fields[0].children():
        kind, values = attribute.children()
        oid = reader.oid(kind, "attribute type")
        if oid in found:
            raise MalformedError(f"request has the attribute {oids.name(oid)} twice")
        found[oid] = values.expect(reader.SET, oids.name(oid)).raw
        if len(found) > MAXIMUM_ATTRIBUTES:
            raise MalformedError(f"request has more than {MAXIMUM_ATTRIBUTES} attributes")
    return found


def _requested_extensions(attributes: Mapping[str, bytes]) -> dict[str, Extension]:
    """Extensions asked for by the extensionRequest attribute (RFC 2985 section 5.4.2)."""
    found: dict[str, Extension] = {}
    values = attributes.get(oids.EXTENSION_REQUEST) or attributes.get(oids.MICROSOFT_EXTENSION_REQUEST)
    if values is None:
        return found
    requested = reader.parse(values).children()
    if len(requested) != 1:
        raise MalformedError(f"extensionRequest has {len(requested)} values, expected one")
    for element in requested[0].children():
        parts = element.children()
        oid = reader.oid(parts[0])
        if oid in found:
            raise MalformedError(f"request asks for the extension {oids.name(oid)} twice")
        critical = len(parts) == 3 and reader.boolean(parts[1], "critical")
        found[oid] = Extension(critical, parts[-1].expect(reader.OCTET_STRING, oids.name(oid)).content)
    return found
