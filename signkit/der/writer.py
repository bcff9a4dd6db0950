"""The few DER values that are written by hand: all are small and their form is fixed by a standard."""

from __future__ import annotations

from functools import lru_cache


def tlv(tag: int, *contents: bytes) -> bytes:
    """One DER element: tag, shortest length, contents."""
    body = b"".join(contents)
    length = len(body)
    if length < 0x80:
        return bytes((tag, length)) + body
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + body


def sequence(*contents: bytes) -> bytes:
    """A SEQUENCE of encoded elements."""
    return tlv(0x30, *contents)


def set_of(*contents: bytes) -> bytes:
    """A SET OF encoded elements, in DER's order (X.690 section 11.6)."""
    return tlv(0x31, *sorted(contents))


def integer(value: int) -> bytes:
    """An INTEGER."""
    octets = max(1, (value.bit_length() + 8) // 8) if value >= 0 else ((value + 1).bit_length() + 8) // 8
    return tlv(0x02, value.to_bytes(octets, "big", signed=True))


def octet_string(value: bytes) -> bytes:
    """An OCTET STRING."""
    return tlv(0x04, value)


def bit_string(value: bytes) -> bytes:
    """A BIT STRING without unused bits."""
    return tlv(0x03, b"\x00", value)


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form."""
    arcs = [int(arc) for arc in dotted.split(".")]
    out = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(0x80 | arc & 0x7F)
        out += bytes(reversed(octets))
    return tlv(0x06, bytes(out))


NULL = b"\x05\x00"
