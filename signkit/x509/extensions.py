"""What the extensions of certificates and requests say: read one by one (RFC 5280 section 4.2), and in words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from signkit.der import oids, reader
from signkit.errors import MalformedError
from signkit.x509 import general_names, names
from signkit.x509.certificate import KEY_USAGES, Extension

MAXIMUM_WORDS = 50
"""Most entries of one extension that are shown."""
_MAXIMUM_HEX = 64


class Described(NamedTuple):
    """One extension for people.

    Attributes:
        oid: its identifier (dotted).
        name: the standard's name of it, or the dotted form.
        critical: whether it is critical.
        words: what it says, one line an entry.
    """

    oid: str
    name: str
    critical: bool
    words: tuple[str, ...]


class Access(NamedTuple):
    """One entry of authorityInfoAccess: access method (dotted) and where, ``TYPE:VALUE``."""

    method: str
    location: str


def key_usage(value: bytes) -> frozenset[str]:
    """Names of the bits of a keyUsage.

    Raises:
        MalformedError: it is not one.
    """
    bits = reader.named_bits(reader.parse(value), "keyUsage")
    if bits and max(bits) >= len(KEY_USAGES):
        raise MalformedError(f"keyUsage has bit {max(bits)}, expected 0 to {len(KEY_USAGES) - 1}")
    return frozenset(KEY_USAGES[bit] for bit in bits)


def key_purposes(value: bytes) -> tuple[str, ...]:
    """OBJECT IDENTIFIERs of an extKeyUsage.

    Raises:
        MalformedError: it is not one, or empty.
    """
    found = tuple(reader.oid(child, "KeyPurposeId") for child in _sequence(value, "extKeyUsage"))
    if not found:
        raise MalformedError("extKeyUsage is empty: expected at least one purpose")
    return found


def alternative_names(extensions: Mapping[str, Extension]) -> tuple[bytes, ...]:
    """DER GeneralNames of the subjectAltName, none when there is no such extension.

    Raises:
        MalformedError: it is malformed.
    """
    found = extensions.get(oids.SUBJECT_ALT_NAME)
    return () if found is None else general_names.read(found.value)


def crl_locations(value: bytes) -> tuple[str, ...]:
    """Where the CRLs of cRLDistributionPoints are: ``uri:...`` or a directory name (section 4.2.1.13).

    Raises:
        MalformedError: it is not one.
    """
    found: list[str] = []
    for point in _sequence(value, "cRLDistributionPoints"):
        for field in point.expect(reader.SEQUENCE, "DistributionPoint").children():
            if field.tag == 0xA0:
                for full_name in field.children():
                    if full_name.tag == 0xA0:
                        found += (general_names.describe(name.raw) for name in full_name.children())
    return tuple(found)


def accesses(value: bytes) -> tuple[Access, ...]:
    """The entries of authorityInfoAccess (section 4.2.2.1).

    Raises:
        MalformedError: it is not one.
    """
    found = []
    for description in _sequence(value, "authorityInfoAccess"):
        parts = description.expect(reader.SEQUENCE, "AccessDescription").children()
        if len(parts) != 2:
            raise MalformedError(f"AccessDescription has {len(parts)} fields, expected 2")
        found.append(Access(reader.oid(parts[0]), general_names.describe(parts[1].raw)))
    return tuple(found)


def policies(value: bytes) -> tuple[str, ...]:
    """OBJECT IDENTIFIERs of certificatePolicies (section 4.2.1.4).

    Raises:
        MalformedError: it is not one.
    """
    found = []
    for information in _sequence(value, "certificatePolicies"):
        parts = information.expect(reader.SEQUENCE, "PolicyInformation").children()
        if not parts:
            raise MalformedError("PolicyInformation is empty")
        found.append(reader.oid(parts[0]))
    return tuple(found)


def describe(extensions: Mapping[str, Extension]) -> list[Described]:
    """All extensions in words, in their order. What is unknown or malformed is shown in hexadecimal, and cut."""
    return [_describe(oid, extension) for oid, extension in extensions.items()]


def _describe(oid: str, extension: Extension) -> Described:
    speak = _WORDS.get(oid)
    try:
        if speak is None:
            raise MalformedError("unknown")
        found = list(itertools.islice(speak(extension.value), MAXIMUM_WORDS + 1))
        if len(found) > MAXIMUM_WORDS:
            found[MAXIMUM_WORDS:] = ["... and more"]
        words = tuple(found)
    except (MalformedError, ValueError, IndexError) as error:
        shown = extension.value[:_MAXIMUM_HEX].hex() + ("..." if len(extension.value) > _MAXIMUM_HEX else "")
        words = (shown if speak is None else f"malformed ({error}): {shown}",)
    return Described(oid, oids.name(oid), extension.critical, words)


def _sequence(value: bytes, what: str) -> list[reader.Element]:
    return reader.parse(value, reader.SEQUENCE, what).children()


def _constraint_words(value: bytes) -> Iterator[str]:
    fields = _sequence(value, "basicConstraints")
    authority = bool(fields) and fields[0].tag == reader.BOOLEAN and reader.boolean(fields.pop(0))
    yield "a CA" if authority else "not a CA"
    if authority and fields:
        yield f"at most {reader.integer(fields[0])} CA certificates below it"


def _name_words(value: bytes) -> Iterator[str]:
    return map(general_names.describe, general_names.read(value))


def _access_words(value: bytes) -> Iterator[str]:
    return (f"{oids.name(access.method)} at {access.location}" for access in accesses(value))


def _identifier_words(value: bytes) -> Iterator[str]:
    yield reader.parse(value, reader.OCTET_STRING).content.hex()


def _authority_identifier_words(value: bytes) -> Iterator[str]:
    for field in _sequence(value, "authorityKeyIdentifier"):
        if field.tag == 0x80:
            yield field.content.hex()
        elif field.tag == 0xA1:
            yield from (f"issuer {general_names.describe(name.raw)}" for name in field.children())
        elif field.tag == 0x82:
            yield f"serial number {field.content.hex()}"


def _name_constraint_words(value: bytes) -> Iterator[str]:
    for side in _sequence(value, "nameConstraints"):
        word = {0xA0: "only", 0xA1: "not"}.get(side.tag, "?")
        for subtree in side.children():
            yield f"{word} {_base(subtree.children()[0])}"


def _base(name: reader.Element) -> str:
    """The base of a subtree: for addresses it is an address with its mask (section 4.2.1.10)."""
    if name.tag == 0x87:
        return f"ip:{name.content.hex()}"
    if name.tag == 0xA4:
        return f"dirname:{names.load(name.content)}"
    return general_names.describe(name.raw)


def _number_words(value: bytes) -> Iterator[str]:
    yield str(reader.integer(reader.parse(value)))


def _text_words(value: bytes) -> Iterator[str]:
    yield reader.parse(value, reader.IA5_STRING).content.decode("ascii")


def _constraint_number_words(value: bytes) -> Iterator[str]:
    labels = {0x80: "explicit policy", 0x81: "no policy mapping"}
    for field in _sequence(value, "policyConstraints"):
        yield f"{labels.get(field.tag, '?')} after {int.from_bytes(field.content[:8], 'big')} certificates"


def _ordered(bits: Iterable[str]) -> Sequence[str]:
    return sorted(bits, key=KEY_USAGES.index)


_WORDS: Mapping[str, Callable[[bytes], Iterator[str]]] = {
    oids.KEY_USAGE: lambda value: iter(_ordered(key_usage(value))),
    oids.EXTENDED_KEY_USAGE: lambda value: map(oids.name, key_purposes(value)),
    oids.BASIC_CONSTRAINTS: _constraint_words,
    oids.SUBJECT_ALT_NAME: _name_words,
    oids.ISSUER_ALT_NAME: _name_words,
    oids.SUBJECT_KEY_IDENTIFIER: _identifier_words,
    oids.AUTHORITY_KEY_IDENTIFIER: _authority_identifier_words,
    oids.CRL_DISTRIBUTION_POINTS: lambda value: iter(crl_locations(value)),
    oids.AUTHORITY_INFO_ACCESS: _access_words,
    oids.CERTIFICATE_POLICIES: lambda value: map(oids.name, policies(value)),
    oids.NAME_CONSTRAINTS: _name_constraint_words,
    oids.INHIBIT_ANY_POLICY: _number_words,
    oids.POLICY_CONSTRAINTS: _constraint_number_words,
    oids.NETSCAPE_COMMENT: _text_words,
}
