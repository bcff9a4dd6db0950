"""gmssl as a second implementation of SM2: verifying only, and around every part of it that is known to be wrong.

gmssl 3.2.2 draws its nonces from ``random``, strips leading zeros off keys, checks neither points nor ranges and is not
constant-time. Left are its curve arithmetic and its verification equation, which are right on checked input.
"""

from __future__ import annotations

from signkit.der import reader
from signkit.errors import MalformedError, ProviderError

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


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
    try:
        from gmssl import sm2
    except ImportError as error:
        raise ProviderError("SM2 can't be verified: no libcrypto with SM2, and gmssl is not installed") from error
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if len(point) != 65 or point[0] != 4 or x >= _P or y >= _P or (y * y - x * x * x + 3 * x - _B) % _P:
        raise MalformedError("SM2 public key is not a point of the curve")
    parts = reader.parse(signature, reader.SEQUENCE, "SM2 signature").children()
    if len(parts) != 2:
        raise MalformedError(f"SM2 signature has {len(parts)} numbers, expected 2")
    r, s = (reader.integer(part, "SM2 signature") for part in parts)
    if not (0 < r < _N and 0 < s < _N) or (r + s) % _N == 0:
        return False
    verifier = sm2.CryptSM2("", "00")  # its constructor would strip leading zeros and fours off the real key
    verifier.public_key = point[1:].hex()
    try:
        return bool(verifier.verify(f"{r:064x}{s:064x}", e))
    except TypeError:  # what it does with the point at infinity
        return False
