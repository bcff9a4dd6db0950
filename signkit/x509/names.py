"""Distinguished names: compared as RFC 5280 section 7.1 says, written and read as RFC 4514 says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache

from signkit.der import reader, writer
from signkit.errors import MalformedError, UsageError

ATTRIBUTE_TYPES = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",
    "serialNumber": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "title": "2.5.4.12",
    "businessCategory": "2.5.4.15",
    "postalCode": "2.5.4.17",
    "GN": "2.5.4.42",
    "pseudonym": "2.5.4.65",
    "organizationIdentifier": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "emailAddress": "1.2.840.113549.1.9.1",
    "jurisdictionL": "1.3.6.1.4.1.311.60.2.1.1",
    "jurisdictionST": "1.3.6.1.4.1.311.60.2.1.2",
    "jurisdictionC": "1.3.6.1.4.1.311.60.2.1.3",
}
"""Keywords of RFC 4514 section 3 and the ones that OpenSSL prints, with their attribute types."""

_KEYWORDS = {oid: keyword for keyword, oid in ATTRIBUTE_TYPES.items()}
_BY_UPPER = {keyword.upper(): oid for keyword, oid in ATTRIBUTE_TYPES.items()} | {
    "S": "2.5.4.8",
    "E": "1.2.840.113549.1.9.1",
    "EMAIL": "1.2.840.113549.1.9.1",
}
_PRINTABLE_ONLY = {"2.5.4.5", "2.5.4.6", "1.3.6.1.4.1.311.60.2.1.3"}
_IA5_ONLY = {"0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1"}
MAXIMUM_LENGTH = {
    "2.5.4.3": 64,
    "2.5.4.5": 64,
    "2.5.4.7": 128,
    "2.5.4.8": 128,
    "2.5.4.10": 64,
    "2.5.4.11": 64,
    "2.5.4.12": 64,
    "2.5.4.15": 128,
    "2.5.4.17": 40,
    "2.5.4.65": 128,
    "0.9.2342.19200300.100.1.25": 63,
    "1.2.840.113549.1.9.1": 255,
}
"""Attribute type to the most characters of its value (RFC 5280 appendix A.1; a label of the DNS; ITU-T X.520)."""

_REQUESTABLE = (reader.UTF8_STRING, reader.PRINTABLE_STRING, reader.IA5_STRING, reader.BMP_STRING)
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]+")
_ENCODINGS = {
    reader.UTF8_STRING: "utf-8",
    reader.PRINTABLE_STRING: "ascii",
    reader.IA5_STRING: "ascii",
    reader.T61_STRING: "latin-1",
    reader.BMP_STRING: "utf-16-be",
    reader.UNIVERSAL_STRING: "utf-32-be",
}

_BRIEF = 200
MAXIMUM_SIZE = 1 << 14
_MAXIMUM_MARKS = 30
"""Most bytes of a Name; the upper bounds of RFC 5280 appendix A.1 keep real ones far below."""

_OID = re.compile(r"([01]\.[1-3]?[0-9]|2\.(0|[1-9][0-9]{0,9}))(\.(0|[1-9][0-9]{0,37}))*")

_COMMA = "separate RDNs by commas; + joins values of different types in one RDN"

Attribute = tuple[str, int, bytes]
"""Attribute type (dotted), tag of the value, contents octets of the value."""


class Name:
    """A distinguished name, kept as the original DER. Equal when RFC 5280 section 7.1 says that two names match."""

    def __init__(self, raw: bytes) -> None:
        """Take the DER of a Name.

        Raises:
            MalformedError: it is not one, or a larger one than any real one.
        """
        if len(raw) > MAXIMUM_SIZE:
            raise MalformedError(f"Name has {len(raw)} bytes, expected at most {MAXIMUM_SIZE}")
        self.raw = raw
        self.rdns: tuple[tuple[Attribute, ...], ...] = tuple(
            _attributes(rdn) for rdn in reader.parse(raw, reader.SEQUENCE, "Name").children()
        )
        self.canonical = tuple(tuple(sorted(map(_canonical_attribute, rdn))) for rdn in self.rdns)
        self._hash = hash(self.canonical)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Name) and self._hash == other._hash and self.canonical == other.canonical
        )

    def __hash__(self) -> int:
        return self._hash

    def __bool__(self) -> bool:
        return bool(self.rdns)

    def __str__(self) -> str:
        return self.rfc4514

    def __repr__(self) -> str:
        return f"<Name {self.rfc4514}>"

    @cached_property
    def rfc4514(self) -> str:
        """The string form of RFC 4514; characters that could mislead a reader are escaped."""
        return ",".join("+".join(map(_format_attribute, rdn)) for rdn in reversed(self.rdns))

    @property
    def brief(self) -> str:
        """The string form, cut where it is longer than any that a person would read in a sentence."""
        text = self.rfc4514
        return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}..."

    @cached_property
    def short(self) -> str:
        """The common name with its keyword where there is one, else the whole name."""
        for rdn in reversed(self.rdns):
            for attribute in rdn:
                if attribute[0] == ATTRIBUTE_TYPES["CN"]:
                    return _format_attribute(attribute)
        return self.rfc4514

    def contains(self, wanted: Name) -> bool:
        """Whether every attribute of ``wanted`` stands in this name (in any order); an empty ``wanted`` never does."""
        mine = {attribute for rdn in self.canonical for attribute in rdn}
        return bool(wanted) and all(attribute in mine for rdn in wanted.canonical for attribute in rdn)


@lru_cache(maxsize=4096)
def load(raw: bytes) -> Name:
    """The name of that DER.

    Raises:
        MalformedError: it is not a Name.
    """
    return Name(raw)


def parse(text: str) -> Name:
    """Read a distinguished name in RFC 4514's string form, for example ``CN=Acme Release,O=Acme,C=DE``.

    The last-written RDN is the first in the encoding, as RFC 4514 section 2.1 demands.

    Raises:
        UsageError: empty, malformed, an unknown attribute type, or a value its type does not allow.
    """
    try:
        text.encode()
        rdns = [
            writer.set_of(*(_parse_attribute(item, text) for item in _split(rdn, "+")))
            for rdn in reversed(_split(text, ","))
        ]
        return load(writer.sequence(*rdns))
    except (MalformedError, UnicodeEncodeError) as error:
        raise UsageError(f"{text!r} is not a distinguished name: {error}") from error


def parse_subject(text: str) -> Name:
    """As ``parse``, for a name that is to be certified: only values that every authority's software can read.

    Raises:
        UsageError: as ``parse``; also a value of an odd ASN.1 type or beyond its bounds that was written as ``#hex``,
            and an RDN with two values of one type (X.501 section 9.3).
    """
    name = parse(text)
    for rdn in name.rdns:
        types = [oid for oid, _tag, _content in rdn]
        if len(set(types)) != len(types):
            raise UsageError(f"'{text}' has an RDN with two values of one type, expected one of each type", hint=_COMMA)
        for attribute in rdn:
            _require_certifiable(attribute)
    return name


def values(name: Name) -> Iterator[tuple[str, int, str]]:
    """Keyword, tag and text of every attribute value that is a string of the directory types."""
    for rdn in name.rdns:
        for oid, tag, content in rdn:
            if encoding := _ENCODINGS.get(tag):
                yield _KEYWORDS.get(oid, oid), tag, content.decode(encoding, "replace")


def _require_certifiable(attribute: Attribute) -> None:
    """Values in the plain form were checked as they were encoded; this is for those that were written as ``#hex``."""
    oid, tag, content = attribute
    keyword = _KEYWORDS.get(oid, oid)
    if tag not in _REQUESTABLE:
        raise UsageError(
            f"{keyword} of the distinguished name is an ASN.1 value of tag 0x{tag:02x}, expected UTF8String, "
            "PrintableString, IA5String or BMPString",
            hint="write the value as text; #hex is for strings in another encoding than the usual one",
        )
    value = content.decode(_ENCODINGS[tag], "replace")
    _encode_attribute(oid, value)
    if tag == reader.PRINTABLE_STRING and not _PRINTABLE.fullmatch(value):
        raise UsageError(f"{keyword} of the distinguished name has characters that no PrintableString has: '{value}'")
    if (oid in _PRINTABLE_ONLY and tag != reader.PRINTABLE_STRING) or (oid in _IA5_ONLY and tag != reader.IA5_STRING):
        raise UsageError(f"{keyword} of the distinguished name has tag 0x{tag:02x}, which its type does not allow")


def _attributes(rdn: reader.Element) -> tuple[Attribute, ...]:
    out = []
    for element in rdn.expect(reader.SET, "RelativeDistinguishedName").children():
        parts = element.expect(reader.SEQUENCE, "AttributeTypeAndValue").children()
        if len(parts) != 2:
            raise MalformedError(f"attribute of a name has {len(parts)} fields, expected 2")
        out.append((reader.oid(parts[0], "attribute type"), parts[1].tag, parts[1].content))
    if not out:
        raise MalformedError("RelativeDistinguishedName is empty")
    return tuple(out)


def _canonical_attribute(attribute: Attribute) -> tuple[str, int, bytes, str]:
    """Strings of the directory types compare by folded characters, everything else by its octets."""
    oid, tag, content = attribute
    encoding = _ENCODINGS.get(tag)
    if encoding is None:
        return oid, tag, content, ""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise MalformedError(f"attribute {_KEYWORDS.get(oid, oid)} of a name is not valid {encoding}") from error
    return oid, 0, b"", " ".join(_folded(text).split())


def _folded(text: str) -> str:
    """Text without differences of case and form. Long runs of combining marks, which no name has, are refused: putting
    them in order takes time that grows with the square of their number.
    """
    if text.isascii():
        return text.casefold()
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MAXIMUM_MARKS:
            raise MalformedError(f"an attribute of a name has more than {_MAXIMUM_MARKS} combining marks in a row")
    return unicodedata.normalize("NFKC", text).casefold()


def _format_attribute(attribute: Attribute) -> str:
    oid, tag, content = attribute
    keyword = _KEYWORDS.get(oid, oid)
    encoding = _ENCODINGS.get(tag)
    if encoding is None:
        return f"{keyword}=#{writer.tlv(tag, content).hex()}"
    text = content.decode(encoding, "replace")
    out = []
    for position, character in enumerate(text):
        edge = position == 0 or position == len(text) - 1
        if character in ',+"\\<>;=' or (edge and character == " ") or (position == 0 and character == "#"):
            out.append("\\" + character)
        elif unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            out.append("".join(f"\\{octet:02X}" for octet in character.encode("utf-8", "surrogatepass")))
        else:
            out.append(character)
    return f"{keyword}={''.join(out)}"


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that are neither escaped nor quoted."""
    parts, current, position, quoted = [], "", 0, False
    while position < len(text):
        character = text[position]
        if character == "\\":
            current += text[position : position + 2]
            position += 2
            continue
        if character == '"':
            quoted = not quoted
        if character == separator and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
        position += 1
    return [*parts, current]


def _split_attribute(item: str, whole: str) -> tuple[str, str]:
    keyword, equals, value = item.partition("=")
    keyword = keyword.strip()
    if not equals or not keyword:
        raise UsageError(
            f"'{whole}' is not a distinguished name: expected TYPE=value, found '{item.strip()}'",
            hint='for example "CN=Acme Release,O=Acme,C=DE", without slashes; write a comma inside a value as \\,',
        )
    oid = _BY_UPPER.get(keyword.upper()) or keyword
    if not _OID.fullmatch(oid):
        raise UsageError(
            f"'{keyword}' is not a known attribute type of a name: expected one of {' '.join(ATTRIBUTE_TYPES)}",
            hint="other types can be given by their dotted object identifier",
        )
    return oid, _strip(value)


def _strip(value: str) -> str:
    """Without the spaces around it; a last one that is escaped stays."""
    bare = value.strip(" ")
    escaped = (len(bare) - len(bare.rstrip("\\"))) % 2 == 1
    return bare + " " if escaped and value.endswith(" ") else bare


def _parse_attribute(item: str, whole: str) -> bytes:
    """DER AttributeTypeAndValue of ``TYPE=value`` or ``TYPE=#hexadecimal DER`` (RFC 4514 section 2.4)."""
    oid, value = _split_attribute(item, whole)
    if not value.startswith("#"):
        return _encode_attribute(oid, _unescape(value, item))
    if not re.fullmatch("#([0-9A-Fa-f]{2})+", value):
        raise UsageError(
            f"'{item}' begins with '#', expected the DER of a value in hexadecimal", hint="write a leading # as \\#"
        )
    return writer.sequence(writer.oid(oid), reader.parse(bytes.fromhex(value[1:])).raw)


def _unescape(value: str, item: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    out = bytearray()
    position = 0
    while position < len(value):
        character = value[position]
        if character == '"':
            raise UsageError(f"'{item}' has a quotation mark in its middle", hint='write it as \\"')
        if character != "\\":
            out += character.encode()
            position += 1
        elif re.fullmatch(r"[0-9A-Fa-f]{2}", value[position + 1 : position + 3]):
            out.append(int(value[position + 1 : position + 3], 16))
            position += 3
        elif position + 1 < len(value):
            out += value[position + 1].encode()
            position += 2
        else:
            raise UsageError(f"'{item}' ends in a single backslash", hint="write a backslash as \\\\")
    try:
        return out.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"'{item}' is not valid UTF-8 after its escapes are undone") from error


def _encode_attribute(oid: str, value: str) -> bytes:
    keyword = _KEYWORDS.get(oid, oid)
    if not value:
        raise UsageError(f"{keyword} of the distinguished name is empty: expected at least one character")
    if "\x00" in value:
        raise UsageError(f"{keyword} of the distinguished name has a NUL character")
    limit = MAXIMUM_LENGTH.get(oid, 256)
    if len(value) > limit:
        raise UsageError(
            f"{keyword} of the distinguished name has {len(value)} characters, expected at most {limit}",
            hint="RFC 5280 appendix A.1 sets the upper bounds",
        )
    if keyword in ("C", "jurisdictionC") and not re.fullmatch("[A-Za-z]{2}", value):
        raise UsageError(f"{keyword} is '{value}', expected a country code of two letters (ISO 3166)")
    if oid in _PRINTABLE_ONLY:
        if not _PRINTABLE.fullmatch(value):
            raise UsageError(f"{keyword} is '{value}', expected only letters, digits and ' ( ) + , - . / : = ?")
        encoded = writer.tlv(reader.PRINTABLE_STRING, value.encode())
    elif oid in _IA5_ONLY:
        if not value.isascii():
            raise UsageError(f"{keyword} is '{value}', expected ASCII only")
        encoded = writer.tlv(reader.IA5_STRING, value.encode())
    else:
        encoded = writer.tlv(reader.UTF8_STRING, value.encode())
    return writer.sequence(writer.oid(oid), encoded)
