"""Inclusion and consistency proofs against known answers and against the definitions of RFC 6962 section 2.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.audit import merkle
from tests.unit.audit.test_merkle import LEAVES, ROOTS, naive_root

HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]
SIZES = range(1, 34)


def leaves_of(size: int) -> list[bytes]:
    return [str(number).encode() for number in range(size)]


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]), word for word from RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b), word for word from RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if known else [naive_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], known), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


# The proofs that the implementations of certificate transparency share (certificate-transparency, trillian).
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_known_inclusion_proofs(index: int, size: int) -> None:
    proof = merkle.inclusion_proof(HASHES[:size], index)
    assert [one.hex() for one in proof] == INCLUSION[index, size]
    assert merkle.verify_inclusion(HASHES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("older", "newer"), CONSISTENCY)
def test_known_consistency_proofs(older: int, newer: int) -> None:
    proof = merkle.consistency_proof(HASHES[:newer], older)
    assert [one.hex() for one in proof] == CONSISTENCY[older, newer]
    roots = [bytes.fromhex(root) for root in ROOTS]
    assert merkle.verify_consistency(older, roots[older], newer, roots[newer], proof)


def test_inclusion_proofs_are_those_of_the_definition_and_prove_nothing_else() -> None:
    for size in SIZES:
        leaves = leaves_of(size)
        hashes, root = [merkle.leaf_hash(leaf) for leaf in leaves], naive_root(leaves)
        proofs = merkle.inclusion_proofs(hashes, range(size))
        assert [list(proof) for proof in proofs] == [naive_path(index, leaves) for index in range(size)]
        for index, proof in enumerate(proofs):
            assert proof == merkle.inclusion_proof(hashes, index)
            proven = [
                (leaf, place) for leaf in range(size) for place in range(size)
                if merkle.verify_inclusion(hashes[leaf], place, size, proof, root)
            ]  # fmt: skip
            assert proven == [(index, index)]


def test_consistency_proofs_are_those_of_the_definition_and_prove_nothing_else() -> None:
    leaves = leaves_of(SIZES[-1])
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    roots = [naive_root(leaves[:size]) for size in range(len(leaves) + 1)]
    for newer in SIZES:
        for older in range(newer + 1):
            proof = merkle.consistency_proof(hashes[:newer], older)
            assert list(proof) == (naive_subproof(older, leaves[:newer]) if older else [])
            assert merkle.verify_consistency(older, roots[older], newer, roots[newer], proof)
            for other in {older - 1, older + 1} & set(range(newer + 1)):
                assert not merkle.verify_consistency(older, roots[other], newer, roots[newer], proof)
                assert not merkle.verify_consistency(other, roots[older], newer, roots[newer], proof)
            if older:
                assert not merkle.verify_consistency(older, roots[older], newer, roots[older - 1], proof)


def damaged(proof: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    """Another proof: a bit flipped, cut, lengthened, or in another order."""
    spare = merkle.leaf_hash(b"spare")
    position = data.draw(st.integers(0, max(0, len(proof) - 1)))
    changes = [(*proof, spare), (spare, *proof)]
    if proof:
        flipped = bytes([proof[position][0] ^ 1]) + proof[position][1:]
        changes += [proof[:-1], proof[1:], (*proof[:position], flipped, *proof[position + 1 :])]
        changes += [(*proof[:position], proof[position][:-1], *proof[position + 1 :])]
    if len(proof) > 1:
        changes += [proof[::-1], proof[1:] + proof[:1]]
    return data.draw(st.sampled_from(changes))


@given(st.integers(1, 200), st.data())
def test_a_changed_inclusion_proof_proves_nothing(size: int, data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves_of(size)]
    index, root = data.draw(st.integers(0, size - 1)), merkle.root(merkle.append(merkle.EMPTY, hashes))
    proof = merkle.inclusion_proof(hashes, index)
    assert merkle.verify_inclusion(hashes[index], index, size, proof, root)
    assert not merkle.verify_inclusion(hashes[index], index, size, damaged(proof, data), root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"spare"), index, size, proof, root)


@given(st.integers(1, 200), st.data())
def test_a_changed_consistency_proof_proves_nothing(newer: int, data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves_of(newer)]
    older = data.draw(st.integers(0, newer))
    roots = [merkle.root(merkle.append(merkle.EMPTY, hashes[:size])) for size in (older, newer)]
    proof = merkle.consistency_proof(hashes, older)
    assert merkle.verify_consistency(older, roots[0], newer, roots[1], proof)
    assert not merkle.verify_consistency(older, roots[0], newer, roots[1], damaged(proof, data))


@given(st.integers(2, 100), st.data())
def test_a_history_that_was_rewritten_has_no_consistency_proof(newer: int, data: st.DataObject) -> None:
    older = data.draw(st.integers(1, newer - 1))
    leaves = leaves_of(newer)
    leaves[data.draw(st.integers(0, older - 1))] = b"rewritten"
    before, after = naive_root(leaves_of(older)), naive_root(leaves)
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    assert not merkle.verify_consistency(older, before, newer, after, merkle.consistency_proof(hashes, older))


def test_places_outside_the_tree_are_refused() -> None:
    root, one = merkle.root(merkle.append(merkle.EMPTY, HASHES)), HASHES[0]
    for index in (-1, 8):
        with pytest.raises(ValueError, match="of a tree of 8 leaves"):
            merkle.inclusion_proof(HASHES, index)
        assert not merkle.verify_inclusion(one, index, 8, (), root)
    for size in (-1, 9):
        with pytest.raises(ValueError, match="of a tree of 8 leaves"):
            merkle.consistency_proof(HASHES, size)
        assert not merkle.verify_consistency(size, root, 8, root, ())
    assert not merkle.verify_inclusion(one, 0, 0, (), root)
    empty = merkle.root(merkle.EMPTY)
    assert merkle.verify_consistency(0, empty, 8, root, ())
    assert not merkle.verify_consistency(0, root, 8, root, ())
    assert not merkle.verify_consistency(0, empty, 8, root, (one,))
    assert not merkle.verify_consistency(3, one, 8, root, ())
