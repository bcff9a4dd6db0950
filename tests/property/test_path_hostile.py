"""Hostile input to path validation: it ends soon, takes little memory, has a verdict, and raises nothing of others.

Bags with exponentially many paths and very long chains are in ``tests/unit/x509/test_path.py``, constraints by the ten
thousand in ``tests/unit/x509/test_constraints.py``.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import signkit
from signkit.der import writer
from signkit.errors import SignkitError
from signkit.x509 import certificate
from tests.support import extensions as made
from tests.support import keys, pki

CHAIN = pki.chain()
SEED = 20260601
SECONDS, BYTES = 2.0, 200 << 20


@contextmanager
def bounded() -> Iterator[None]:
    """What runs inside ends within the CPU time that any input may take."""
    started = time.process_time()
    yield
    took = time.process_time() - started
    assert took < SECONDS


def judge(leaf: bytes, bag: list[bytes], root: bytes = CHAIN.root, purpose: str = "code-signing") -> signkit.PathResult:
    return signkit.validate_path(leaf, trust_anchors=[root], intermediates=bag, at=pki.NOW, purpose=purpose)


def huge_name(parts: int, size: int) -> bytes:
    value = writer.tlv(0x0C, b"a" * size)
    part = writer.set_of(writer.sequence(writer.oid("2.5.4.3"), value))
    return writer.sequence(*[part] * parts)


@pytest.mark.parametrize(("parts", "size"), [(200, 10_000), (5000, 1), (1, 2_000_000), (1300, 2)])
def test_huge_names(parts: int, size: int) -> None:
    """As subject, as issuer, as alternative name, and as constraint."""
    name = huge_name(parts, size)
    general = writer.tlv(0xA4, name)
    bad_issuing = pki.ca(name, pki.key(2), pki.ROOT, pki.key(1))
    constrained = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), extra=[made.constraints([general] * 3)])
    inputs = [
        (pki.leaf(name, pki.key(3), pki.ISSUING, pki.key(2)), [CHAIN.issuing]),
        (pki.leaf(pki.SIGNER, pki.key(3), name, pki.key(2)), [bad_issuing]),
        (
            pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=[made.alternative_names(*[general] * 5)]),
            [constrained],
        ),
    ]
    tracemalloc.start()
    with bounded():
        for leaf, bag in inputs:
            assert judge(leaf, bag).checks
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BYTES


def test_many_certificates_of_one_name_and_key() -> None:
    """Four thousand faulty ones before the good one: each is looked at, none costs a signature."""
    faulty = [
        pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), serial=n + 1, usages=("cRLSign",)) for n in range(2000)
    ]
    for der in faulty:
        certificate.load(der)
    with bounded():
        assert judge(CHAIN.leaf, [*faulty, CHAIN.issuing])
        assert not judge(CHAIN.leaf, faulty)


def test_many_constraints_in_every_authority_of_a_mesh() -> None:
    """Branches times constraints times names: the budget of names ends it."""
    names = [made.dns(f"h{n}.example.com") for n in range(500)]
    subtrees = made.constraints([made.dns("com"), *(made.dns(f"c{n}.org") for n in range(500))])
    bag, above, above_name = [], [pki.key(1)], pki.ROOT
    for layer in range(7):
        own = [pki.key(7000 + 4 * layer + n) for n in range(3)]
        bag += [pki.ca(f"CN=L{layer}", k, above_name, i, extra=[subtrees]) for k in own for i in above]
        above, above_name = own, f"CN=L{layer}"
    leaf = pki.leaf(pki.SIGNER, pki.key(3), above_name, above[0], extra=[made.alternative_names(*names)])
    bad_root = pki.ca(pki.ROOT, pki.key(1), not_after=pki.NOT_BEFORE)
    for der in bag:
        certificate.load(der)
    with bounded():
        assert judge(leaf, bag)
    with bounded():
        assert not judge(leaf, bag, bad_root)


def test_many_policies_and_mappings() -> None:
    many = [f"1.2.3.{n}" for n in range(60)]
    extra = [made.policies(*many), made.mappings(*((a, b) for a in many for b in many))]
    extra.append(made.policy_constraints(0))
    names = [f"CN=P{n}" for n in range(18)]
    bag = [
        pki.ca(one, pki.key(8000 + n), names[n + 1] if n < 17 else pki.ROOT, pki.key(8001 + n if n < 17 else 1),
               extra=extra)
        for n, one in enumerate(names)
    ]  # fmt: skip
    leaf = pki.leaf(pki.SIGNER, pki.key(3), names[0], pki.key(8000), extra=[made.policies(*many)])
    with bounded():
        result = judge(leaf, bag)
    assert [check.name for check in result.faults if "more than 1024 nodes" in check.detail]


def test_many_paths_with_big_policy_extensions() -> None:
    """Each of the paths has thousands of mappings in each of its authorities, and ends in a fault of policies."""
    many = [f"1.2.3.{n}" for n in range(3000)]
    pairs = made.mappings(*((many[n], many[-n - 1]) for n in range(3000)))
    extra = [made.policies(*many[:40]), pairs]
    bag, above, above_name = [], [pki.key(1)], pki.ROOT
    for layer in range(6):
        own = [pki.key(9000 + 2 * layer + n) for n in range(2)]
        bag += [pki.ca(f"CN=M{layer}", k, above_name, i, extra=extra) for k in own for i in above]
        above, above_name = own, f"CN=M{layer}"
    strict = made.policy_constraints(0)
    last = pki.key(9100)
    bag += [pki.ca("CN=End", last, above_name, k, extra=[*extra, strict]) for k in above]
    leaf = pki.leaf(pki.SIGNER, pki.key(3), "CN=End", last, extra=[made.policies("1.2.4")])
    for der in bag:
        certificate.load(der)
    with bounded():
        assert not judge(leaf, bag)


def test_malformed_constraints_are_parsed_once() -> None:
    """A big extension that ends in nonsense must not be read again on each of four thousand branches."""
    broken = made.constraints([*(made.dns(f"d{n}.example") for n in range(5000)), writer.tlv(0x9E, b"x")])
    bag = [pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), serial=n + 1, extra=[broken]) for n in range(20)]
    for der in bag:
        certificate.load_accepted(der)
    with bounded():
        assert not judge(CHAIN.leaf, bag)


# --- mutants ---


def mutants(der: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """Changed bytes, single bits, cut ends and doubled pieces."""
    for _ in range(count):
        changed = bytearray(der)
        position = chance.randrange(len(der))
        kind = chance.randrange(8)
        if kind < 4:
            changed[position] ^= 1 << chance.randrange(8)
        elif kind < 6:
            changed[position] = chance.choice([0x00, 0x01, 0x30, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        elif kind == 6:
            del changed[position : position + chance.randrange(1, 5)]
        else:
            changed[position:position] = changed[position : position + chance.randrange(1, 20)]
        if bytes(changed) != der:
            yield bytes(changed)


def chains() -> dict[str, pki.Chain]:
    kinds = ("RSA_2048", "EC_P256", "EC_SM2", "ED25519", "ML_DSA_44")
    made_chains = {kind: keys.chain(*(keys.any_key(kind, n) for n in range(3))) for kind in kinds}
    names, policy = made.alternative_names(made.dns("a.example"), made.email("a@example")), "1.2.3"
    extra = [made.constraints([made.dns("example"), made.directory("O=Acme")]), made.policies(policy)]
    rich_issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), extra=[*extra, made.policy_constraints(0)])
    rich_leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=[names, made.policies(policy)])
    return made_chains | {"extensions": pki.Chain(CHAIN.root, rich_issuing, rich_leaf, pki.key(3))}


@pytest.mark.parametrize("kind", ["RSA_2048", "EC_P256", "EC_SM2", "ED25519", "ML_DSA_44", "extensions"])
def test_no_mutant_of_a_leaf_or_an_intermediate_is_accepted(kind: str) -> None:
    chain, chance = chains()[kind], random.Random(SEED)
    assert judge(chain.leaf, [chain.issuing], chain.root)
    for mutant in mutants(chain.leaf, chance, 600):
        assert not judge(mutant, [chain.issuing], chain.root)
    for mutant in mutants(chain.issuing, chance, 600):
        assert not judge(chain.leaf, [mutant], chain.root)


@pytest.mark.parametrize("kind", ["EC_P256", "EC_SM2", "extensions"])
def test_a_mutant_of_the_anchor_is_accepted_only_for_what_nobody_signed(kind: str) -> None:
    """What is trusted is trusted as it stands; its key and name must be those that made the chain."""
    chain, chance = chains()[kind], random.Random(SEED)
    root = certificate.load(chain.root)
    for mutant in mutants(chain.root, chance, 400):
        try:
            if judge(chain.leaf, [chain.issuing], mutant):
                changed = certificate.load(mutant)
                assert (changed.subject, changed.public_key_info) == (root.subject, root.public_key_info)
        except SignkitError:
            continue


def test_every_byte_of_a_chain() -> None:
    """Each byte of leaf and intermediate in turn, also as another purpose and with odd company."""
    for position in range(len(CHAIN.leaf)):
        changed = bytearray(CHAIN.leaf)
        changed[position] ^= 0xFF
        assert not judge(bytes(changed), [CHAIN.issuing], purpose="any")
    for position in range(len(CHAIN.issuing)):
        changed = bytearray(CHAIN.issuing)
        changed[position] ^= 0x01
        assert not judge(CHAIN.leaf, [bytes(changed)])
        assert judge(CHAIN.leaf, [bytes(changed), CHAIN.issuing])


def glued(chance: random.Random) -> bytes:
    first, second = (chance.choice([CHAIN.leaf, CHAIN.issuing, CHAIN.root]) for _ in range(2))
    return first[: chance.randrange(1, len(first))] + second[chance.randrange(1, len(second)) :]


def test_pieces_glued_together() -> None:
    chance = random.Random(SEED)
    for _ in range(500):
        assert not judge(glued(chance), [CHAIN.issuing, glued(chance), glued(chance)], purpose="any")
        assert not judge(CHAIN.leaf, [glued(chance), glued(chance)])
