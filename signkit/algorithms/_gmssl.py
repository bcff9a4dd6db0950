"""gmssl as a second implementation of SM2: around every part of it that is known to be wrong.

gmssl 3.2.2 draws its nonces from ``random``, strips leading zeros off keys, checks neither points nor ranges and is not
constant-time. Left are its curve arithmetic and its equations, which are right on checked input. Verifying works on
public data alone; signing tells the private key to whoever can measure its time, hence it has to be asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signkit.der import reader, writer
from signkit.errors import MalformedError, ProviderError

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_ATTEMPTS = 8

RandomBelow = Callable[[int], int]
"""A number from 0 to one less than the argument, from a source fit for keys (``secrets.randbelow``)."""


class GmsslKey:
    """A private key for signing alone, of which its range was checked and that its public key is a point."""

    def __init__(self, scalar: bytes, point: bytes, random_below: RandomBelow) -> None:
        """Take the key.

        Args:
            scalar: d, 32 bytes.
            point: its public key as an uncompressed point, 65 bytes.
            random_below: where nonces come from.

        Raises:
            MalformedError: d is out of range, or the public key is no point of the curve.
            ProviderError: gmssl is not installed.
        """
        if len(scalar) != 32 or not 1 <= int.from_bytes(scalar, "big") <= _N - 2:
            raise MalformedError("the private number of the SM2 key is out of range, expected 1 to n - 2")
        self._implementation = _implementation(point, scalar.hex())
        self._point = point
        self._random_below = random_below

    def sign(self, e: bytes) -> bytes:
        """DER signature over e, 32 bytes, verified before it is given.

        Raises:
            ProviderError: gmssl made none that is right; also when the public key belongs to another private key.
        """
        for _ in range(_ATTEMPTS):
            nonce = self._random_below(_N - 1) + 1
            made = self._implementation.sign(e, f"{nonce:064x}")
            if made is None:  # r or s was 0
                continue
            signature = writer.sequence(*(writer.integer(int(half, 16)) for half in (made[:64], made[64:])))
            if verify(self._point, e, signature):
                return signature
            break
        raise ProviderError(
            "gmssl made no right SM2 signature: the key does not fit its public key, or gmssl is broken"
        )


def verify(point: bytes, e: bytes, signature: bytes) -> bool:
    """Whether a DER signature over e is right.

    Args:
        point: the public key as an uncompressed point, 65 bytes.
        e: SM3(Z || M), 32 bytes.
        signature: DER SEQUENCE of r and s.

    Raises:
        MalformedError: the point is not on the curve, or the signature is not strict DER.
        ProviderError: gmssl is not installed.
    """
    verifier = _implementation(point, "")
    parts = reader.parse(signature, reader.SEQUENCE, "SM2 signature").children()
    if len(parts) != 2:
        raise MalformedError(f"SM2 signature has {len(parts)} numbers, expected 2")
    r, s = (reader.integer(part, "SM2 signature") for part in parts)
    if not (0 < r < _N and 0 < s < _N) or (r + s) % _N == 0:
        return False
    try:
        return bool(verifier.verify(f"{r:064x}{s:064x}", e))
    except TypeError:  # what it does with the point at infinity
        return False


def _implementation(point: bytes, scalar_hex: str) -> Any:
    try:
        from gmssl import sm2
    except ImportError as error:
        raise ProviderError("SM2 can't be verified: no libcrypto with SM2, and gmssl is not installed") from error
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if len(point) != 65 or point[0] != 4 or x >= _P or y >= _P or (y * y - x * x * x + 3 * x - _B) % _P:
        raise MalformedError("SM2 public key is not a point of the curve")
    made = sm2.CryptSM2(scalar_hex, "00")  # its constructor would strip leading zeros and fours off the real key
    made.public_key = point[1:].hex()
    return made
