"""Key pairs of every type, made once per process, and signatures taken apart."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from signkit import algorithms
from signkit.algorithms.base import Family, KeyType, SignatureAlgorithm
from signkit.der import reader, writer

ORDERS = {
    "EC_P256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "EC_P384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    "EC_P521": (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
    "EC_P256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "EC_SM2": 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
}
"""Orders n of the groups of the key types that sign with two numbers."""


class KeyPair(NamedTuple):
    """A key pair of a type."""

    key_type: KeyType
    private_key_info: bytes
    public_key_info: bytes
    private_key: Any

    @property
    def family(self) -> Family:
        return algorithms.family(self.key_type.family)

    def sign(self, algorithm: SignatureAlgorithm, message: bytes) -> bytes:
        """Signature over a message."""
        return self.family.sign(
            self.private_key, algorithm, algorithms.prehash(algorithm, self.public_key_info, message)
        )

    def verify(self, algorithm: SignatureAlgorithm, message: bytes, signature: bytes) -> str:
        """Empty when the signature is right, else the reason."""
        return algorithms.verify_message(algorithm, self.public_key_info, message, signature)


def new_key_pair(name: str) -> KeyPair:
    """A new key pair."""
    key_type = algorithms.key_type(name)
    family = algorithms.family(key_type.family)
    private_key_info, public_key_info = family.generate(key_type)
    return KeyPair(key_type, private_key_info, public_key_info, family.load_private_key(private_key_info))


@lru_cache
def key_pair(name: str, number: int = 0) -> KeyPair:
    """A key pair of that type, always the same for the same number."""
    return new_key_pair(name)


def numbers(signature: bytes) -> tuple[int, int]:
    """r and s of a DER signature."""
    r, s = reader.parse(signature, reader.SEQUENCE).children()
    return reader.integer(r), reader.integer(s)


def encoded(r: int, s: int) -> bytes:
    """DER signature of r and s."""
    return writer.sequence(writer.integer(r), writer.integer(s))


def point_of(public_key_info: bytes) -> bytes:
    """Contents of the subjectPublicKey."""
    return reader.bit_string(reader.parse(public_key_info).children()[1])


def with_point(public_key_info: bytes, point: bytes) -> bytes:
    """The SubjectPublicKeyInfo with another subjectPublicKey."""
    return writer.sequence(reader.parse(public_key_info).children()[0].raw, writer.bit_string(point))
