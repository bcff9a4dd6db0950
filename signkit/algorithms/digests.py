"""Digest algorithms: names, sizes, and streaming objects."""

from __future__ import annotations

import hashlib
from typing import Protocol

from signkit.der import oids, writer

SIZES = {"sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
"""Digest algorithms that can be computed, with their output in bytes."""

SIGNING = ("sha256", "sha384", "sha512")
"""Digest algorithms that signkit signs with. SHA-1 and MD5 are only ever named in refusals."""

_OID = {name: dotted for dotted, name in oids.DIGESTS.items()}


class Digest(Protocol):
    """A digest being computed."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take in more bytes."""

    def digest(self) -> bytes:
        """The digest of all bytes so far."""


def new(name: str) -> Digest:
    """A fresh digest object for one of ``SIZES``."""
    return hashlib.new(name, usedforsecurity=name not in ("sha1",))


def digest(name: str, data: bytes) -> bytes:
    """Digest of ``data`` by one of ``SIZES``."""
    hasher = new(name)
    hasher.update(data)
    return hasher.digest()


def identifier(name: str) -> bytes:
    """DER AlgorithmIdentifier of a digest algorithm, parameters absent (RFC 5754 section 2)."""
    return writer.sequence(writer.oid(_OID[name]))
