"""BER to DER for foreign signatures (openssl -stream, Java, Apple), bounded, and only as far as lengths go.

Indefinite and long-form lengths become definite and short, constructed OCTET STRINGs become primitive. Nothing is
sorted and no value is changed, so a certificate or attribute that was DER stays byte for byte what was signed.
"""

from __future__ import annotations

from signkit.der import writer
from signkit.errors import MalformedError

MAXIMUM_DEPTH = 32
MAXIMUM_ELEMENTS = 100_000
_CONSTRUCTED_OCTET_STRING, _OCTET_STRING = 0x24, 0x04
_END_OF_CONTENTS = b"\x00\x00"


def to_der(data: bytes) -> bytes:
    """The same structure with definite, shortest lengths (X.690 sections 8.1.3 and 10.1).

    Raises:
        MalformedError: not BER, bytes after the structure, or deeper or larger than any signature is.
    """
    converter = _Converter(data)
    out, end = converter.element(0, len(data), 0)
    if end != len(data):
        raise MalformedError(f"{len(data) - end} bytes after the end of the BER structure")
    return out


class _Converter:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.elements = 0

    def element(self, position: int, end: int, depth: int) -> tuple[bytes, int]:
        """Convert the element at ``position``; return its DER and where it ended."""
        self.elements += 1
        if depth > MAXIMUM_DEPTH or self.elements > MAXIMUM_ELEMENTS:
            raise MalformedError(f"BER is nested deeper than {MAXIMUM_DEPTH} or has over {MAXIMUM_ELEMENTS} elements")
        tag, body, length = self.header(position, end)
        if not tag & 0x20:
            if length is None:
                raise MalformedError(f"BER at byte {position}: a primitive element of indefinite length")
            return writer.tlv(tag, self.data[body : body + length]), body + length
        children, stop = self.children(body, end if length is None else body + length, length is None, depth)
        if tag == _CONSTRUCTED_OCTET_STRING:
            return writer.tlv(_OCTET_STRING, *(self.segment(child) for child in children)), stop
        return writer.tlv(tag, *children), stop

    def children(self, position: int, end: int, indefinite: bool, depth: int) -> tuple[list[bytes], int]:
        out: list[bytes] = []
        while position < end:
            if indefinite and self.data[position : min(position + 2, end)] == _END_OF_CONTENTS:
                return out, position + 2
            child, position = self.element(position, end, depth + 1)
            out.append(child)
        if indefinite:
            raise MalformedError("BER is truncated: an indefinite length has no end")
        return out, position

    def header(self, position: int, end: int) -> tuple[int, int, int | None]:
        """Tag, start of the contents, and length (None = indefinite) at ``position``."""
        if position + 2 > end:
            raise MalformedError(f"BER is truncated at byte {position}")
        tag, length = self.data[position], self.data[position + 1]
        if tag & 0x1F == 0x1F or tag == 0:
            raise MalformedError(f"BER tag 0x{tag:02x} at byte {position} is not one that signatures use")
        body = position + 2
        if length == 0x80:
            return tag, body, None
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(self.data[body : body + octets], "big")
            body += octets
        if body + length > end:
            raise MalformedError(
                f"BER is truncated: element at byte {position} ends {body + length - end} bytes too late"
            )
        return tag, body, length

    def segment(self, der: bytes) -> bytes:
        """Contents of a segment of a constructed OCTET STRING, already in DER."""
        if der[0] != _OCTET_STRING:
            raise MalformedError(f"constructed OCTET STRING holds tag 0x{der[0]:02x}, expected 0x04")
        return der[2:] if der[1] < 0x80 else der[2 + (der[1] & 0x7F) :]
