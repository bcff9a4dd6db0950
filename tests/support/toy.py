"""A key type of the tests: Schnorr signatures modulo a small prime. It shows that a key type is one file; no more.

Two to the 127 less one is prime, and far too small to protect anything: FOR TESTS ONLY.
"""

from __future__ import annotations

import hashlib
import secrets

from signkit.algorithms.base import KeyType, SignatureAlgorithm
from signkit.algorithms.containers import PrivateKeyInfo
from signkit.der import reader, writer
from signkit.errors import MalformedError

P, G = (1 << 127) - 1, 3
OID = "2.999.1"
_IDENTIFIER = writer.sequence(writer.oid(OID))
SCHNORR = SignatureAlgorithm("TOY_SCHNORR_SHA_256", "sha256", _IDENTIFIER, _IDENTIFIER)
KEY_TYPES = (KeyType("TOY_127", "toy", (SCHNORR,), None),)


def identify(oid: str, parameters: bytes, digest: str | None) -> SignatureAlgorithm | None:
    return SCHNORR if oid == OID and not parameters else None


def key_type_of(oid: str, parameters: bytes, public_key: bytes) -> str | None:
    return "TOY_127" if oid == OID and not parameters else None


def weakness(key_type: str) -> str:
    return ""


def generate(key_type: KeyType) -> tuple[bytes, bytes]:
    return _encoded(secrets.randbelow(P - 3) + 2)


def load_private_key(private_key_info: bytes) -> int:
    return int.from_bytes(reader.parse(private_key_info).children()[2].content, "big")


def prehash(algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, signer_id: bytes) -> bytes:
    return hashlib.sha256(message).digest()


def sign(private_key: int, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    nonce = secrets.randbelow(P - 1)
    commitment = pow(G, nonce, P)
    answer = (nonce + _challenge(commitment, data) * private_key) % (P - 1)
    return commitment.to_bytes(16, "big") + answer.to_bytes(16, "big")


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    public_key = int.from_bytes(reader.bit_string(reader.parse(public_key_info).children()[1]), "big")
    commitment, answer = int.from_bytes(signature[:16], "big"), int.from_bytes(signature[16:], "big")
    expected = commitment * pow(public_key, _challenge(commitment, data), P) % P
    right = len(signature) == 32 and answer < P - 1 and pow(G, answer, P) == expected
    return "" if right else "the toy signature does not verify"


def import_private_key(key: PrivateKeyInfo) -> tuple[bytes, bytes] | None:
    if key.oid != OID:
        return None
    number = int.from_bytes(key.private_key, "big")
    if not 2 <= number < P - 1:
        raise MalformedError("the private number of the toy key is out of range")
    return _encoded(number)


def _encoded(number: int) -> tuple[bytes, bytes]:
    public_key = pow(G, number, P).to_bytes(16, "big")
    return (
        writer.sequence(writer.integer(0), _IDENTIFIER, writer.octet_string(number.to_bytes(16, "big"))),
        writer.sequence(_IDENTIFIER, writer.bit_string(public_key)),
    )


def _challenge(commitment: int, data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(commitment.to_bytes(16, "big") + data).digest()[:15], "big")
