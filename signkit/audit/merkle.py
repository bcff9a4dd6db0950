"""The Merkle tree of RFC 6962 section 2.1 (SHA-256), kept as a frontier so that appending never reads old leaves.

A tree of ``size`` leaves is a row of perfect subtrees, one for each 1 bit of ``size``, largest first. Their roots, at
most 64 hashes, are all that is needed to append and to compute the root of the whole tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


# Proofs (RFC 6962 sections 2.1.1 and 2.1.2)


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Audit path ``PATH(index, D[n])`` of a leaf (RFC 6962 section 2.1.1), from the leaf's sibling to the root's child.

    Args:
        leaf_hashes: hashes of all leaves of the tree.
        index: number of the leaf, from 0.

    Raises:
        ValueError: the tree has no such leaf.
    """
    return inclusion_proofs(leaf_hashes, [index])[0]


def inclusion_proofs(leaf_hashes: Sequence[bytes], indexes: Sequence[int]) -> list[tuple[bytes, ...]]:
    """``inclusion_proof`` of several leaves; the tree is computed once.

    Pairing the nodes of a level from the left, and lifting a last one without a sibling as it is, gives the tree of
    RFC 6962 section 2.1 level by level.

    Raises:
        ValueError: the tree has no such leaf.
    """
    size, paths, level = len(leaf_hashes), [list[bytes]() for _ in indexes], list(leaf_hashes)
    if not all(0 <= index < size for index in indexes):
        raise ValueError(f"leaves {list(indexes)} of a tree of {size} leaves")
    positions = list(indexes)
    while len(level) > 1:
        for path, position in zip(paths, positions, strict=True):
            if position ^ 1 < len(level):
                path.append(level[position ^ 1])
        positions = [position >> 1 for position in positions]
        lone = level[-1:] if len(level) & 1 else []
        level = [node_hash(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + lone
    return [tuple(path) for path in paths]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether the proof leads from a leaf to the root of a tree (RFC 9162 section 2.1.3.2).

    Args:
        leaf: hash of the leaf.
        index: number of the leaf, from 0.
        size: leaves of the tree.
        proof: what ``inclusion_proof`` makes.
        root_hash: root of the tree.
    """
    if not 0 <= index < size or not _are_hashes([leaf, root_hash, *proof]):
        return False
    found, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and found == root_hash


def consistency_proof(leaf_hashes: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """``PROOF(size, D[n])``: that the first ``size`` leaves of a tree are the older tree (RFC 6962 section 2.1.2).

    Args:
        leaf_hashes: hashes of all leaves of the newer tree.
        size: leaves of the older tree; 0 and the size of the newer tree have the empty proof.

    Raises:
        ValueError: the older tree is larger than the newer one.
    """
    if not 0 <= size <= len(leaf_hashes):
        raise ValueError(f"{size} leaves of a tree of {len(leaf_hashes)} leaves")
    if size in (0, len(leaf_hashes)):
        return ()
    path, start, end = [], 0, len(leaf_hashes)
    while size != end:
        middle = start + _split(end - start)
        if size <= middle:
            path.append(_root_between(leaf_hashes, middle, end))
            end = middle
        else:
            path.append(_root_between(leaf_hashes, start, middle))
            start = middle
    if start:  # else it is the older tree itself, whose root the verifier has
        path.append(_root_between(leaf_hashes, start, end))
    return tuple(reversed(path))


def verify_consistency(
    size: int, root_hash: bytes, newer_size: int, newer_root_hash: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that one tree is the beginning of another (RFC 9162 section 2.1.4.2).

    Args:
        size: leaves of the older tree.
        root_hash: root of the older tree.
        newer_size: leaves of the newer tree.
        newer_root_hash: root of the newer tree.
        proof: what ``consistency_proof`` makes.
    """
    if not 0 <= size <= newer_size or not _are_hashes([root_hash, newer_root_hash, *proof]):
        return False
    if size == newer_size:
        return not proof and root_hash == newer_root_hash
    if size == 0:
        return not proof and root_hash == root(EMPTY)
    path = [root_hash, *proof] if size.bit_count() == 1 else list(proof)
    if not path:
        return False
    position, last = size - 1, newer_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and older == root_hash and newer == newer_root_hash


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (k in RFC 6962 section 2.1)."""
    return 1 << (size - 1).bit_length() - 1


def _root_between(leaf_hashes: Sequence[bytes], start: int, end: int) -> bytes:
    return root(append(EMPTY, leaf_hashes[start:end]))


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
