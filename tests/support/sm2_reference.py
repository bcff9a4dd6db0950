"""SM2 straight from GB/T 32918.2, in a few lines of integers: slow, leaking, independent. For tests only."""

from __future__ import annotations

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int] | None


def add(one: Point, other: Point) -> Point:
    """Sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiply(number: int, point: Point) -> Point:
    """The point so many times."""
    out: Point = None
    for bit in bin(number)[2:]:
        out = add(out, out)
        out = add(out, point) if bit == "1" else out
    return out


def public_point(d: int) -> bytes:
    """Uncompressed public key of a private key."""
    point = multiply(d, G)
    assert point is not None
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def sign(d: int, e: bytes, k: int) -> tuple[int, int]:
    """r and s over e with the random number k (section 6.1)."""
    point = multiply(k, G)
    assert point is not None
    r = (int.from_bytes(e, "big") + point[0]) % N
    return r, pow(1 + d, -1, N) * (k - r * d) % N


def verify(point: bytes, e: bytes, r: int, s: int) -> bool:
    """Section 7.1."""
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N and t):
        return False
    public = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    found = add(multiply(s, G), multiply(t, public))
    return found is not None and (int.from_bytes(e, "big") + found[0]) % N == r
