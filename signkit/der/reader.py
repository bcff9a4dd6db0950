"""Strict DER, read in place: elements are slices of the original bytes, so nothing ever depends on re-encoding.

ITU-T X.690: definite lengths in their shortest form, low tag numbers, shortest INTEGERs and OBJECT IDENTIFIERs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from signkit.errors import MalformedError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
UTF8_STRING, PRINTABLE_STRING, T61_STRING, IA5_STRING = 0x0C, 0x13, 0x14, 0x16
UTC_TIME, GENERALIZED_TIME, UNIVERSAL_STRING, BMP_STRING = 0x17, 0x18, 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31
_MAXIMUM_NAMED_BITS = 64


class Element(NamedTuple):
    """One DER element inside a buffer.

    Attributes:
        data: the buffer it stands in.
        tag: identifier octet.
        start: where the element begins.
        body: where its contents begin.
        end: one past its last octet.
    """

    data: bytes
    tag: int
    start: int
    body: int
    end: int

    @property
    def raw(self) -> bytes:
        """The whole element, header included."""
        return self.data[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The contents octets."""
        return self.data[self.body : self.end]

    def children(self) -> list[Element]:
        """The elements inside a constructed element.

        Raises:
            MalformedError: the contents are not a row of DER elements.
        """
        return list(self.each())

    def each(self) -> Iterator[Element]:
        """As ``children``, one at a time: for the many entries of a large CRL."""
        position, data, end = self.body, self.data, self.end
        while position < end:
            element = _read(data, position, end)
            yield element
            position = element.end

    def few(self, maximum: int = 16) -> list[Element]:
        """As ``children``, when there are no more than that: a hostile structure may have millions.

        Raises:
            MalformedError: there are more, or they are not DER.
        """
        found = list(islice(self.each(), maximum + 1))
        if len(found) > maximum:
            raise MalformedError(f"more than {maximum} elements inside the one at byte {self.start}")
        return found

    def expect(self, tag: int, what: str) -> Element:
        """This element, when it has the tag.

        Raises:
            MalformedError: it has another one.
        """
        if self.tag != tag:
            raise MalformedError(f"{what}: expected tag 0x{tag:02x}, found 0x{self.tag:02x}")
        return self


def parse(data: bytes, tag: int | None = None, what: str = "DER") -> Element:
    """Read one element that fills the buffer.

    Raises:
        MalformedError: not strict DER, another tag than ``tag``, or bytes after the element.
    """
    element = _read(data, 0, len(data))
    if element.end != len(data):
        raise MalformedError(f"{what}: {len(data) - element.end} bytes after the end of the structure")
    return element if tag is None else element.expect(tag, what)


def at(data: bytes, position: int) -> Element:
    """The element that begins at a position of a buffer.

    Raises:
        MalformedError: not strict DER.
    """
    return _read(data, position, len(data))


def _read(data: bytes, position: int, end: int) -> Element:
    if position + 2 > end:
        raise MalformedError(f"DER is truncated at byte {position}")
    tag, length = data[position], data[position + 1]
    if tag & 0x1F == 0x1F:
        raise MalformedError(f"DER tag of more than one octet at byte {position}")
    body = position + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 0 < octets <= 4 or body + octets > end:
            raise MalformedError(f"DER length at byte {position} is indefinite, too long or truncated")
        length = int.from_bytes(data[body : body + octets], "big")
        if length < 0x80 or data[body] == 0:
            raise MalformedError(f"DER length at byte {position} is not in its shortest form")
        body += octets
    if body + length > end:
        raise MalformedError(f"DER is truncated: element at byte {position} needs {body + length - end} bytes more")
    return Element(data, tag, position, body, body + length)


def first_children(element: Element, count: int) -> list[Element]:
    """The first elements inside one, at most so many; what follows is not looked at.

    Raises:
        MalformedError: one of these is not DER.
    """
    out: list[Element] = []
    position = element.body
    while position < element.end and len(out) < count:
        out.append(_read(element.data, position, element.end))
        position = out[-1].end
    return out


def integer(element: Element, what: str = "INTEGER") -> int:
    """Value of an INTEGER.

    Raises:
        MalformedError: another tag, or not in its shortest form.
    """
    content = element.expect(INTEGER, what).content
    if not content or (len(content) > 1 and content[0] in (0x00, 0xFF) and (content[0] ^ content[1]) & 0x80 == 0):
        raise MalformedError(f"{what} is not in its shortest form")
    return int.from_bytes(content, "big", signed=True)


def boolean(element: Element, what: str = "BOOLEAN") -> bool:
    """Value of a BOOLEAN.

    Raises:
        MalformedError: another tag or value than 00 and FF.
    """
    content = element.expect(BOOLEAN, what).content
    if content not in (b"\x00", b"\xff"):
        raise MalformedError(f"{what} is neither 00 nor FF")
    return content == b"\xff"


def enumerated(element: Element, what: str = "ENUMERATED") -> int:
    """Value of an ENUMERATED.

    Raises:
        MalformedError: another tag, or not in its shortest form.
    """
    return integer(element.expect(ENUMERATED, what)._replace(tag=INTEGER), what)


def bit_string(element: Element, what: str = "BIT STRING") -> bytes:
    """Octets of a BIT STRING that has no unused bits (signatures and public keys).

    Raises:
        MalformedError: another tag, empty, or with unused bits.
    """
    content = element.expect(BIT_STRING, what).content
    if not content or content[0] != 0:
        raise MalformedError(f"{what} is empty or has unused bits")
    return content[1:]


def named_bits(element: Element, what: str = "BIT STRING") -> frozenset[int]:
    """Numbers of the bits that are set in a BIT STRING with named bits.

    Raises:
        MalformedError: another tag, or bits that can't be.
    """
    content = element.expect(BIT_STRING, what).content
    if not content or content[0] > 7 or (len(content) == 1 and content[0]) or len(content) > _MAXIMUM_NAMED_BITS // 8:
        raise MalformedError(f"{what} is malformed")
    if content[0] and content[-1] & ((1 << content[0]) - 1):
        raise MalformedError(f"{what} has unused bits that are set")
    bits = content[1:]
    return frozenset(n for n in range(len(bits) * 8) if bits[n >> 3] >> (7 - (n & 7)) & 1)


def oid(element: Element, what: str = "OBJECT IDENTIFIER") -> str:
    """Dotted form of an OBJECT IDENTIFIER.

    Raises:
        MalformedError: another tag, or not well-formed.
    """
    return decode_oid(element.expect(OID, what).content)


@lru_cache(maxsize=1024)
def decode_oid(content: bytes) -> str:
    """Dotted form of the contents octets of an OBJECT IDENTIFIER.

    Raises:
        MalformedError: empty, truncated, padded, or an arc of more than 128 bits.
    """
    if not content or content[-1] & 0x80:
        raise MalformedError("OBJECT IDENTIFIER is empty or truncated")
    arcs: list[int] = []
    value, started, octets = 0, False, 0
    for octet in content:
        if not started and octet == 0x80:
            raise MalformedError("OBJECT IDENTIFIER has a padded arc")
        started, octets = True, octets + 1
        if octets > 19:
            raise MalformedError("OBJECT IDENTIFIER has an arc of more than 128 bits")
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value, started, octets = 0, False, 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def time(element: Element, what: str = "Time") -> datetime:
    """A UTCTime or GeneralizedTime in the only forms that RFC 5280 section 4.1.2.5 allows, as aware UTC.

    Raises:
        MalformedError: another tag or form, or no such date.
    """
    text = element.content.decode("latin-1")
    digits = text[:-1]
    if text[-1:] == "Z" and digits.isascii() and digits.isdigit():
        if element.tag == UTC_TIME and len(digits) == 12:
            digits = ("19" if digits[:2] >= "50" else "20") + digits
        elif element.tag != GENERALIZED_TIME:
            digits = ""
        if len(digits) == 14:
            parts = (digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12], digits[12:14])
            year, month, day, hour, minute, second = map(int, parts)
            try:
                return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            except ValueError:
                pass
    raise MalformedError(f"{what} '{text[:40]!s}' is not a UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ")
