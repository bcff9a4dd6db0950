"""Path building through unordered, hostile bags: the right path is found where there is one, and work is bounded."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest

from signkit.der import writer
from signkit.errors import MalformedError
from signkit.x509 import certificate, path, validation
from tests.support import pki

CHAIN = pki.chain()


def build(leaf: bytes, anchors: Sequence[bytes], bag: Sequence[bytes] = ()) -> list[list[bytes]]:
    """Every path that is found."""
    builder = path.Builder(path.Bag(anchors, bag), pki.NOW)
    return [[one.der for one in found] for found in builder.paths(certificate.load(leaf))]


def accepted(leaf: bytes, anchors: Sequence[bytes], bag: Sequence[bytes] = ()) -> validation.PathResult:
    return validation.validate(certificate.load(leaf), trust_anchors=anchors, intermediates=bag, at=pki.NOW)


def test_leaf_to_root() -> None:
    assert build(CHAIN.leaf, [CHAIN.root], [CHAIN.issuing]) == [[CHAIN.leaf, CHAIN.issuing, CHAIN.root]]


def test_no_trust_is_implied() -> None:
    assert build(CHAIN.leaf, [], [CHAIN.issuing, CHAIN.root]) == []
    assert build(CHAIN.root, [], [CHAIN.root]) == []
    assert build(CHAIN.leaf, [CHAIN.root], [CHAIN.root]) == []


def test_an_intermediate_may_be_the_anchor() -> None:
    assert build(CHAIN.leaf, [CHAIN.issuing], [CHAIN.root]) == [[CHAIN.leaf, CHAIN.issuing]]


def test_the_leaf_may_be_the_anchor() -> None:
    assert build(CHAIN.leaf, [CHAIN.leaf]) == [[CHAIN.leaf]]


def hostile_bag() -> list[bytes]:
    """Junk, duplicates, strangers and impostors around the one certificate that is needed."""
    impostor = pki.key(60)
    return [
        b"",
        b"\x30\x00",
        b"junk",
        CHAIN.issuing[:-1],
        CHAIN.issuing + b"\x00",
        CHAIN.issuing,
        CHAIN.issuing,
        CHAIN.leaf,
        CHAIN.root,
        pki.ca(pki.ISSUING, impostor, pki.ROOT, impostor),
        pki.ca(pki.ISSUING, impostor),
        pki.ca(pki.ROOT, impostor),
        pki.ca(pki.ROOT, impostor, pki.ISSUING, pki.key(2)),
        pki.ca("CN=Stranger", impostor),
        pki.certificate(pki.ISSUING, pki.key(2), pki.ROOT, impostor, [pki.basic_constraints()]),
        pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), serial=-5),
        pki.ca(pki.ISSUING, pki.key(2), "CN=Stranger", impostor),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_path_is_found_in_a_hostile_bag_in_any_order(seed: int) -> None:
    bag = hostile_bag()
    random.Random(seed).shuffle(bag)
    found = accepted(CHAIN.leaf, [CHAIN.root], bag)
    assert found
    assert [one.der for one in found.path][::2] == [CHAIN.leaf, CHAIN.root]


def test_an_unreadable_anchor_is_an_error() -> None:
    """What the caller trusts must be readable; what a file brings along need not be."""
    with pytest.raises(MalformedError):
        path.Bag([CHAIN.root, b"junk"], [])
    assert path.Bag([CHAIN.root], [b"junk", b"more"]).unreadable == 2


def test_a_decoy_with_issuer_and_serial_number_of_the_issuer_does_not_shadow_it() -> None:
    serial = certificate.load(CHAIN.issuing).serial_number
    decoys = [pki.ca(pki.ISSUING, pki.key(n), pki.ROOT, pki.key(n), serial=serial) for n in range(61, 66)]
    for bag in ([*decoys, CHAIN.issuing], [CHAIN.issuing, *decoys]):
        assert build(CHAIN.leaf, [CHAIN.root], bag) == [[CHAIN.leaf, CHAIN.issuing, CHAIN.root]]


def test_an_authority_key_identifier_is_a_hint_and_no_filter() -> None:
    """RFC 5280 section 6.1 has no check of it: a wrong one hides no issuer, and makes no other one right."""
    wrong = pki.leaf(
        pki.SIGNER,
        pki.key(3),
        pki.ISSUING,
        pki.key(2),
        identified=False,
        extra=[pki.authority_key_identifier(b"wrong")],
    )
    assert build(wrong, [CHAIN.root], [CHAIN.issuing]) == [[wrong, CHAIN.issuing, CHAIN.root]]
    enticing = pki.certificate(
        pki.ISSUING,
        pki.key(60),
        pki.ROOT,
        pki.key(60),
        [pki.basic_constraints(), pki.subject_key_identifier(b"wrong")],
    )
    assert build(wrong, [CHAIN.root], [enticing, CHAIN.issuing]) == [[wrong, CHAIN.issuing, CHAIN.root]]


def test_issuers_of_one_name_are_all_tried() -> None:
    anonymous = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), identified=False)
    others = [pki.ca(pki.ISSUING, pki.key(n), pki.ROOT, pki.key(1)) for n in range(61, 71)]
    assert build(anonymous, [CHAIN.root], [*others, CHAIN.issuing]) == [[anonymous, CHAIN.issuing, CHAIN.root]]


def test_cross_signing_gives_every_path() -> None:
    """One issuing CA under two roots, each of which certified the other."""
    one, two = pki.ca("CN=One", pki.key(71)), pki.ca("CN=Two", pki.key(72))
    one_by_two = pki.ca("CN=One", pki.key(71), "CN=Two", pki.key(72))
    two_by_one = pki.ca("CN=Two", pki.key(72), "CN=One", pki.key(71))
    issuing = pki.ca("CN=Issuing", pki.key(73), "CN=One", pki.key(71))
    leaf = pki.leaf("CN=Leaf", pki.key(74), "CN=Issuing", pki.key(73))
    bag = [issuing, one_by_two, two_by_one]
    assert build(leaf, [one], bag) == [[leaf, issuing, one]]
    assert build(leaf, [two], bag) == [[leaf, issuing, one_by_two, two]]
    assert build(leaf, [one, two], bag) == [[leaf, issuing, one], [leaf, issuing, one_by_two, two]]


def test_another_path_is_taken_when_the_first_has_a_fault() -> None:
    expired = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), not_after=pki.NOT_BEFORE)
    no_ca = pki.certificate(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), [pki.key_usage("keyCertSign")])
    for bag in ([expired, no_ca, CHAIN.issuing], [CHAIN.issuing, no_ca, expired]):
        found = accepted(CHAIN.leaf, [CHAIN.root], bag)
        assert found
        assert found.path[1].der == CHAIN.issuing
    refused = accepted(CHAIN.leaf, [CHAIN.root], [no_ca, expired])
    assert [check.name for check in refused.checks if not check.passed] == ["path.1.validity"]


def test_loops_end() -> None:
    a_by_b = pki.ca("CN=A", pki.key(81), "CN=B", pki.key(82))
    b_by_a = pki.ca("CN=B", pki.key(82), "CN=A", pki.key(81))
    a_by_a = pki.ca("CN=A", pki.key(81))
    leaf = pki.leaf("CN=Leaf", pki.key(83), "CN=A", pki.key(81))
    assert build(leaf, [CHAIN.root], [a_by_b, b_by_a, a_by_a]) == []
    b_by_root = pki.ca("CN=B", pki.key(82), pki.ROOT, pki.key(1))
    assert build(leaf, [CHAIN.root], [a_by_b, b_by_a, a_by_a, b_by_root]) == [[leaf, a_by_b, b_by_root, CHAIN.root]]


def test_a_self_signed_leaf_is_its_own_issuer_nowhere() -> None:
    alone = pki.leaf("CN=Alone", pki.key(84), "CN=Alone", pki.key(84))
    assert build(alone, [CHAIN.root], [alone]) == []
    assert build(alone, [CHAIN.root], [alone, pki.ca("CN=Alone", pki.key(84))]) == []


def test_a_leaf_that_issues_itself_under_the_root_name_gets_nowhere() -> None:
    """A self-signed certificate with the anchor's name, and the same with the anchor's serial number and identifier."""
    forged = pki.key(85)
    serial = certificate.load(CHAIN.root).serial_number
    extension = pki.subject_key_identifier(pki.key(1).identifier)
    root = pki.certificate(pki.ROOT, forged, pki.ROOT, forged, [pki.basic_constraints(), extension], serial=serial)
    leaf = pki.leaf("CN=Leaf", pki.key(86), pki.ROOT, forged)
    assert build(leaf, [CHAIN.root], [root]) == []
    assert not accepted(leaf, [CHAIN.root], [root])


def layered(layers: int, width: int, *, anchored: bool) -> tuple[bytes, bytes, list[bytes]]:
    """A bag in which each layer has several keys under one name, each certified by all keys of the layer above."""
    bag: list[bytes] = []
    above = [pki.key(1)]
    above_name = pki.ROOT if anchored else "CN=Nobody"
    for layer in range(layers):
        keys = [pki.key(1000 + 10 * layer + n) for n in range(width)]
        bag += [pki.ca(f"CN=Layer {layer}", one, above_name, issuer) for one in keys for issuer in above]
        above, above_name = keys, f"CN=Layer {layer}"
    leaf = pki.leaf("CN=Leaf", pki.key(3), above_name, above[0], identified=False)
    return leaf, CHAIN.root, bag


@pytest.mark.parametrize(("layers", "width"), [(14, 2), (6, 4), (6, 8), (18, 2)])
@pytest.mark.parametrize("anchored", [True, False])
def test_bags_with_exponentially_many_paths_end_fast(layers: int, width: int, anchored: bool) -> None:
    leaf, root, bag = layered(layers, width, anchored=anchored)
    for der in bag:
        certificate.load(der)  # parsing is linear and not what is measured
    started = time.perf_counter()
    found = accepted(leaf, [root], bag)
    assert time.perf_counter() - started < 2
    assert bool(found) is anchored


def test_a_bag_whose_every_path_is_faulty_ends_fast() -> None:
    """The validator must not be led through 2^14 paths that all verify and all have a fault."""
    leaf, _root, bag = layered(14, 2, anchored=True)
    bad_root = pki.ca(pki.ROOT, pki.key(1), not_after=pki.NOT_BEFORE)
    started = time.perf_counter()
    found = accepted(leaf, [bad_root], bag)
    assert time.perf_counter() - started < 2
    assert not found
    assert any("more than 64 paths" in line for line in found.tried)


def test_a_chain_of_1500_certificates_is_too_long_and_ends_fast() -> None:
    keys = [pki.key(2000 + n % 40) for n in range(1500)]
    bag = [pki.ca(f"CN={n}", keys[n], f"CN={n + 1}", keys[n + 1]) for n in range(1499)]
    anchor = pki.ca("CN=1499", keys[1499])
    leaf = pki.leaf("CN=Leaf", pki.key(3), "CN=0", keys[0])
    for der in bag:
        certificate.load(der)
    started = time.perf_counter()
    found = accepted(leaf, [anchor], bag)
    assert time.perf_counter() - started < 2
    assert [check.name for check in found.checks if not check.passed] == ["path.built"]
    assert any("longer than 20" in line for line in found.tried)


@pytest.mark.parametrize(("length", "expected"), [(20, True), (21, False)])
def test_the_depth_is_what_it_says(length: int, expected: bool) -> None:
    """Twenty certificates between the leaf and the anchor."""
    names = [f"CN=Step {n}" for n in range(length)] + [pki.ROOT]
    keys = [pki.key(3000 + n) for n in range(length)] + [pki.key(1)]
    bag = [pki.ca(names[n], keys[n], names[n + 1], keys[n + 1]) for n in range(length)]
    leaf = pki.leaf("CN=Leaf", pki.key(3), names[0], keys[0])
    assert bool(accepted(leaf, [CHAIN.root], bag)) is expected


def test_the_signature_budget_ends_the_search_and_says_so() -> None:
    impostors = [
        pki.certificate(pki.ISSUING, pki.key(4000 + n), pki.ROOT, pki.key(1), [pki.basic_constraints()])
        for n in range(200)
    ]
    anonymous = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(4999), identified=False)
    found = accepted(anonymous, [CHAIN.root], impostors)
    assert not found
    assert "more than 128 signatures" in found.checks[0].detail


def test_the_likeliest_issuer_is_tried_first() -> None:
    """Two hundred impostors of the right name do not eat the budget when the identifiers tell who it was."""
    impostors = [pki.ca(pki.ISSUING, pki.key(4000 + n), pki.ROOT, pki.key(1)) for n in range(200)]
    assert accepted(CHAIN.leaf, [CHAIN.root], [*impostors, CHAIN.issuing])


def test_many_anchors() -> None:
    anchors = [pki.ca(f"CN=Root {n}", pki.key(5000 + n % 20)) for n in range(300)]
    assert accepted(CHAIN.leaf, [*anchors, CHAIN.root], [CHAIN.issuing])
    refused = accepted(CHAIN.leaf, anchors, [CHAIN.issuing])
    assert "and 297 more" in refused.checks[0].detail


@pytest.mark.parametrize(
    "algorithm",
    [
        writer.sequence(writer.oid("1.2.840.113549.1.1.10")),
        writer.sequence(writer.oid("1.2.840.113549.1.1.10"), writer.sequence()),
        writer.sequence(writer.oid("1.2.840.113549.1.1.10"), writer.sequence(writer.tlv(0xA0), writer.tlv(0xA1))),
        writer.sequence(writer.oid("1.2.840.10045.4.3.2"), writer.NULL),
        writer.sequence(writer.oid("1.2.840.113549.1.1.11"), writer.integer(1)),
        writer.sequence(writer.oid("1.2.3.4")),
    ],
    ids=["PSS without parameters", "PSS by default", "PSS of empty fields", "ECDSA with NULL", "RSA with 1", "unknown"],
)
def test_odd_signature_algorithms_lead_nowhere(algorithm: bytes) -> None:
    der = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), inner=algorithm, outer=algorithm)
    odd = certificate.load_accepted(der)  # some the gate refuses already
    assert path.signature_problem(odd, certificate.load(CHAIN.issuing))
