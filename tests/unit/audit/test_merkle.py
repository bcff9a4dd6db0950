"""The Merkle tree against known answers and against RFC 6962's own recursive definition."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.audit import merkle

# The leaves and roots that the implementations of certificate transparency share (certificate-transparency, trillian).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH(D[n]), word for word from RFC 6962 section 2.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_known_roots(size: int) -> None:
    assert merkle.root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_a_leaf_is_not_mistaken_for_a_node() -> None:
    """The prefixes keep two leaves apart from one leaf that holds their hashes (RFC 6962 section 2.1)."""
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.root_of([b"a", b"b"]) == merkle.node_hash(left, right)
    assert merkle.root_of([left + right]) != merkle.root_of([b"a", b"b"])


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert merkle.root_of(leaves) == naive_root(leaves)


@given(st.lists(st.binary(max_size=4), max_size=40), st.integers(0, 40))
def test_appending_in_parts_is_appending_at_once(leaves: list[bytes], cut: int) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    in_parts = merkle.append(merkle.append(merkle.EMPTY, hashes[:cut]), hashes[cut:])
    assert in_parts == merkle.append(merkle.EMPTY, hashes)
    assert in_parts.size == len(leaves)
    assert len(in_parts.subtrees) == len(leaves).bit_count()


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40, unique=True), st.data())
def test_any_changed_leaf_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:position], leaves[position] + b"!", *leaves[position + 1 :]]
    assert merkle.root_of(changed) != merkle.root_of(leaves)
