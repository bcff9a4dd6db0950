"""The Merkle tree of RFC 6962 section 2.1 (SHA-256), kept as a frontier so that appending never reads old leaves.

A tree of ``size`` leaves is a row of perfect subtrees, one for each 1 bit of ``size``, largest first. Their roots, at
most 64 hashes, are all that is needed to append and to compute the root of the whole tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

HASH_SIZE = 32
"""Bytes of a hash."""

_LEAF, _NODE = b"\x00", b"\x01"


class Frontier(NamedTuple):
    """All of a tree that is needed to go on with it.

    Attributes:
        size: number of leaves.
        subtrees: roots of the perfect subtrees, largest first; as many as ``size`` has 1 bits.
    """

    size: int
    subtrees: tuple[bytes, ...]


EMPTY = Frontier(0, ())
"""The tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: ``SHA-256(0x00 || data)`` (RFC 6962 section 2.1)."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: ``SHA-256(0x01 || left || right)`` (RFC 6962 section 2.1)."""
    return sha256(_NODE + left + right).digest()


def append(frontier: Frontier, leaf_hashes: Iterable[bytes]) -> Frontier:
    """The tree with more leaves, in their order; on average one node hash for each.

    A new leaf is a subtree of one. While the size before it ends in a 1 bit, the last subtree is as large as the one in
    hand, and the two become one (RFC 6962 section 2.1: the left part of a tree is the largest power of two).
    """
    size, subtrees = frontier.size, list(frontier.subtrees)
    for leaf in leaf_hashes:
        subtree, bits = leaf, size
        while bits & 1:
            subtree = node_hash(subtrees.pop(), subtree)
            bits >>= 1
        subtrees.append(subtree)
        size += 1
    return Frontier(size, tuple(subtrees))


def root(frontier: Frontier) -> bytes:
    """Merkle Tree Hash of the whole tree; of the empty tree the hash of nothing (RFC 6962 section 2.1)."""
    if not frontier.subtrees:
        return sha256(b"").digest()
    *larger, total = frontier.subtrees
    for subtree in reversed(larger):
        total = node_hash(subtree, total)
    return total


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Merkle Tree Hash of a list of leaf data (RFC 6962 section 2.1)."""
    return root(append(EMPTY, map(leaf_hash, leaves)))
