"""X.509 certificates (RFC 5280 section 4), sliced from their original bytes."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.der import oids, reader
from signkit.errors import MalformedError
from signkit.x509 import names
from signkit.x509.names import Name

KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
"""Names of the bits of keyUsage, bit 0 first (RFC 5280 section 4.2.1.3)."""

_MAXIMUM_PARSED = 4096


class Extension(NamedTuple):
    """One certificate extension: whether it is critical, and the DER inside its OCTET STRING."""

    critical: bool
    value: bytes


class BasicConstraints(NamedTuple):
    """RFC 5280 section 4.2.1.9. ``path_length`` = most non-self-issued CA certificates below, None = no limit."""

    ca: bool
    path_length: int | None


class Certificate:
    """A certificate. Attributes are named after RFC 5280; ``der`` and ``tbs`` are the original bytes."""

    def __init__(self, der: bytes) -> None:
        """Take the DER of a certificate; ``load`` is the way in from outside.

        Raises:
            MalformedError: it can't be parsed, or is inconsistent (differing algorithm fields, a repeated extension).
        """
        self.der = der
        self._hash = hash(der)
        tbs, outer_algorithm, signature = reader.parse(der, reader.SEQUENCE, "Certificate").children()
        self.tbs = tbs.raw
        self.signature_algorithm = outer_algorithm.raw
        self.signature = reader.bit_string(signature, "signatureValue")
        fields = tbs.children()
        self.version = 1
        if fields[0].tag == 0xA0:
            self.version = reader.integer(fields.pop(0).children()[0], "version") + 1
        self.serial_number = reader.integer(fields[0], "serialNumber")
        if fields[1].raw != self.signature_algorithm:
            raise MalformedError("certificate names two signature algorithms, inside and outside: expected one")
        self.issuer: Name = names.load(fields[2].raw)
        not_before, not_after = fields[3].children()
        self.not_before: datetime = reader.time(not_before, "notBefore")
        self.not_after: datetime = reader.time(not_after, "notAfter")
        self.subject: Name = names.load(fields[4].raw)
        self.public_key_info = fields[5].raw
        self.key_type = algorithms.key_type_of(self.public_key_info)
        """Type of the public key, for example ``RSA_3072``."""
        self.extensions = _extensions(fields[6:])
        if self.extensions and self.version != 3:
            raise MalformedError(f"certificate of version {self.version} has extensions: expected version 3")
        self.explicit_ca_false = False
        """Whether basicConstraints spells out cA FALSE, which DER leaves out."""
        self.basic_constraints = self._basic_constraints()
        self.key_usage = self._key_usage()
        self.extended_key_usage = self._extended_key_usage()
        self.subject_key_identifier = self._subject_key_identifier()
        self.authority_key_identifier = self._authority_key_identifier()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Certificate) and self.der == other.der)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        # The hash of bytes is another in each process, so worker processes parse anew.
        return load_accepted, (self.der,)

    def __repr__(self) -> str:
        return f"<Certificate {self.subject} serial {self.serial_number:x}>"

    @cached_property
    def fingerprint(self) -> str:
        """Lower-case hex SHA-256 of the whole certificate."""
        return digests.digest("sha256", self.der).hex()

    @cached_property
    def public_key_fingerprint(self) -> str:
        """Lower-case hex SHA-256 of the SubjectPublicKeyInfo."""
        return digests.digest("sha256", self.public_key_info).hex()

    @cached_property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name (RFC 5280 section 6.1)."""
        return self.subject == self.issuer

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints says CA."""
        return self.basic_constraints is not None and self.basic_constraints.ca

    def _parsed(self, oid: str, tag: int) -> reader.Element | None:
        extension = self.extensions.get(oid)
        return None if extension is None else reader.parse(extension.value, tag, oids.name(oid))

    def _basic_constraints(self) -> BasicConstraints | None:
        element = self._parsed(oids.BASIC_CONSTRAINTS, reader.SEQUENCE)
        if element is None:
            return None
        fields = element.children()
        # An explicit cA FALSE is not DER, but real authorities write it, and it can't be misread.
        explicit = bool(fields) and fields[0].tag == reader.BOOLEAN
        ca = reader.boolean(fields.pop(0), "cA") if explicit else False
        self.explicit_ca_false = explicit and not ca
        path_length = reader.integer(fields.pop(0), "pathLenConstraint") if fields else None
        if fields or (path_length is not None and not 0 <= path_length < 1 << 31):
            raise MalformedError("basicConstraints is malformed")
        return BasicConstraints(ca, path_length)

    def _key_usage(self) -> frozenset[str] | None:
        element = self._parsed(oids.KEY_USAGE, reader.BIT_STRING)
        if element is None:
            return None
        bits = reader.named_bits(element, "keyUsage")
        if bits and max(bits) >= len(KEY_USAGES):
            raise MalformedError(f"keyUsage has bit {max(bits)}, expected 0 to {len(KEY_USAGES) - 1}")
        return frozenset(KEY_USAGES[bit] for bit in bits)

    def _extended_key_usage(self) -> tuple[str, ...] | None:
        element = self._parsed(oids.EXTENDED_KEY_USAGE, reader.SEQUENCE)
        if element is None:
            return None
        purposes = tuple(reader.oid(child, "KeyPurposeId") for child in element.children())
        if not purposes:
            raise MalformedError("extKeyUsage is empty: expected at least one purpose")
        return purposes

    def _subject_key_identifier(self) -> bytes | None:
        element = self._parsed(oids.SUBJECT_KEY_IDENTIFIER, reader.OCTET_STRING)
        return None if element is None else element.content

    def _authority_key_identifier(self) -> bytes | None:
        element = self._parsed(oids.AUTHORITY_KEY_IDENTIFIER, reader.SEQUENCE)
        if element is None:
            return None
        return next((child.content for child in element.children() if child.tag == 0x80), None)


_PARSED: dict[bytes, Certificate] = {}


def load(der: bytes) -> Certificate:
    """The certificate of these bytes; parsed once per process.

    Raises:
        MalformedError: it can't be parsed.
    """
    found = _PARSED.get(der)
    if found is None:
        from signkit.der import gate  # cryptography.x509 costs 20 ms, which signing does without

        gate.certificate(der)
        found = load_accepted(der)
    return found


def load_accepted(der: bytes) -> Certificate:
    """As ``load``, for bytes that went through the gate before they came into our own store.

    Raises:
        MalformedError: it can't be parsed.
    """
    found = _PARSED.get(der)
    if found is None:
        try:
            found = Certificate(der)
        except (ValueError, IndexError) as error:
            raise MalformedError(f"certificate can't be parsed: {error}") from error
        if len(_PARSED) >= _MAXIMUM_PARSED:
            _PARSED.clear()
        _PARSED[der] = found
    return found


def _extensions(fields: list[reader.Element]) -> dict[str, Extension]:
    extensions: dict[str, Extension] = {}
    for field in fields:
        if field.tag != 0xA3:
            continue
        for element in field.children()[0].children():
            parts = element.children()
            oid = reader.oid(parts[0], "extension identifier")
            if oid in extensions:
                raise MalformedError(f"certificate has the extension {oids.name(oid)} twice")
            critical = len(parts) == 3 and reader.boolean(parts[1], "critical")
            extensions[oid] = Extension(critical, parts[-1].expect(reader.OCTET_STRING, oids.name(oid)).content)
    return extensions
