"""Digest algorithms: names, sizes, and streaming objects."""

from __future__ import annotations

import hashlib
from typing import Protocol

from signkit.der import oids, writer

SIZES = {"sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64, "sm3": 32}
"""Digest algorithms that can be computed, with their output in bytes."""

MU, MU_SIZE = "mu", 64
"""ML-DSA's message representative, SHAKE256 of the hash of the public key, the context and the message (FIPS 204
algorithm 7, line 6), and its bytes. It stands where a digest does, and is made outside ("external mu")."""

SIGNING = ("sha256", "sha384", "sha512", "sm3")
"""Digest algorithms that signkit signs with. SHA-1 and MD5 are only ever named in refusals."""

_OID = {name: dotted for dotted, name in oids.DIGESTS.items()}


class Digest(Protocol):
    """A digest being computed."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take in more bytes."""

    def digest(self) -> bytes:
        """The digest of all bytes so far."""


class _Sm3:
    """SM3 by cryptography: hashlib has it only where the system's OpenSSL was built with it."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.hashes import SM3, Hash

        self._hash = Hash(SM3())
        self.update = self._hash.update

    def digest(self) -> bytes:
        return self._hash.copy().finalize()


_PREFIX = ":"


def with_prefix(name: str, prefix: bytes) -> str:
    """Name of the digest of some bytes behind a prefix, for whoever streams them: ``sm3:`` and the prefix in hex.

    SM2 signs SM3(Z || M): so an artifact is digested for one signer without anybody holding it whole.
    """
    return f"{name}{_PREFIX}{prefix.hex()}" if prefix else name


def is_plain(name: str) -> bool:
    """Whether it is a digest of the bytes alone, without a prefix."""
    return _PREFIX not in name


def new(name: str) -> Digest:
    """A fresh digest object for one of ``SIZES``, also with a prefix (``with_prefix``), which it has taken in."""
    name, _, prefix = name.partition(_PREFIX)
    hasher: Digest = _Sm3() if name == "sm3" else hashlib.new(name, usedforsecurity=name not in ("sha1",))
    if prefix:
        hasher.update(bytes.fromhex(prefix))
    return hasher


def size(name: str) -> int:
    """Bytes of one of ``SIZES``, or of ``MU``."""
    return MU_SIZE if name == MU else SIZES[name]


def digest(name: str, data: bytes) -> bytes:
    """Digest of ``data`` by one of ``SIZES``."""
    hasher = new(name)
    hasher.update(data)
    return hasher.digest()


def identifier(name: str) -> bytes:
    """DER AlgorithmIdentifier of a digest: parameters absent (RFC 5754 section 2); for SM3 NULL, as everyone writes."""
    return writer.sequence(writer.oid(_OID[name]), *([writer.NULL] if name == "sm3" else []))
