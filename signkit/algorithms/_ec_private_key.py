"""ECPrivateKey (RFC 5915 section 3), which EC and SM2 keys share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signkit.der import reader
from signkit.errors import MalformedError

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

FORMS = (2, 3, 4)
"""First octets of compressed and uncompressed points (SEC 1 section 2.3.3); RFC 5480 section 2.2 forbids hybrids."""


def require_form(point: bytes) -> None:
    """Refuse a public key whose point is neither uncompressed nor compressed.

    Raises:
        MalformedError: it is in another form.
    """
    if not point or point[0] not in FORMS:
        found = f"0x{point[0]:02x}" if point else "nothing"
        raise MalformedError(
            f"the point of the public key begins with {found}, expected 04, 02 or 03 (RFC 5480 section 2.2)"
        )


def scalar(key: PrivateKeyInfo, name: str, order: int, *, margin: int = 1) -> tuple[int, bytes | None]:
    """The private number d, checked to be in its range, and the public key beside it.

    Args:
        key: the container.
        name: name of the key type, for messages.
        order: order n of the group. d may have fewer octets than n, or a zero in front, as old programs wrote it.
        margin: how far below n the largest d is that is allowed.

    Raises:
        MalformedError: not an ECPrivateKey, of another curve, or d is out of range.
    """
    version, octets, *rest = _fields(key)
    if reader.integer(version, "version of the EC private key") != 1:
        raise MalformedError("EC private key does not have version 1 (RFC 5915 section 3)")
    number = octets.expect(reader.OCTET_STRING, "EC private key").content
    if rest and rest[0].tag == 0xA0 and [child.raw for child in rest.pop(0).children()] != [key.parameters]:
        raise MalformedError("EC private key names two different curves")
    point = None
    if rest and rest[0].tag == 0xA1:
        inner = rest.pop(0).children()
        point = reader.bit_string(inner[0], "public key of the EC private key") if len(inner) == 1 else b""
        require_form(point)
    if rest:
        raise MalformedError(f"EC private key has a field with tag 0x{rest[0].tag:02x} where none is expected")
    d = int.from_bytes(number, "big")
    if len(number) > (order.bit_length() + 7) // 8 + 1 or not 1 <= d <= order - margin:
        raise MalformedError(f"the private number of the {name} key is out of range, expected 1 to n - {margin}")
    return d, point


def _fields(key: PrivateKeyInfo) -> list[reader.Element]:
    fields = reader.parse(key.private_key, reader.SEQUENCE, "EC private key").children()
    if len(fields) < 2:
        raise MalformedError(f"EC private key has {len(fields)} fields, expected at least 2 (RFC 5915 section 3)")
    return fields


def require_point(key: PrivateKeyInfo, beside: bytes | None, point: bytes) -> None:
    """Refuse public keys that came with the private key and do not belong to it.

    Args:
        key: the container.
        beside: the public key in the ECPrivateKey, or None.
        point: the right one, uncompressed.

    Raises:
        MalformedError: one is another one.
    """
    size = len(point) // 2
    compressed = bytes((2 + (point[-1] & 1),)) + point[1 : 1 + size]
    key.require_public_key(point, compressed)
    key._replace(public_key=beside).require_public_key(point, compressed)
