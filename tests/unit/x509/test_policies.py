"""Certificate policies: the graph of RFC 9618 against the tree of RFC 5280 section 6.1, and cases by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from signkit.der import oids, writer
from signkit.x509 import certificate, policies, validation
from signkit.x509.path import Bag
from signkit.x509.policies import ANY_POLICY, InitialPolicies
from tests.support import extensions as made
from tests.support import pki

P = [f"1.3.6.1.4.1.99999.2.{n}" for n in range(4)]
CHAIN = pki.chain()


class Node:
    """A node of the valid_policy_tree: RFC 5280 section 6.1.2 (a)."""

    def __init__(self, policy: str, expected: set[str], parent: Node | None) -> None:
        self.policy, self.expected, self.parent = policy, expected, parent
        self.children: list[Node] = []
        if parent:
            parent.children.append(self)


def level(root: Node, depth: int) -> list[Node]:
    nodes = [root]
    for _ in range(depth):
        nodes = [child for node in nodes for child in node.children]
    return nodes


def prune(root: Node, depth: int) -> bool:
    """Drop nodes above that depth that have no children; whether anything is left."""
    for above in range(depth - 1, 0, -1):
        for node in level(root, above):
            if not node.children and node.parent:
                node.parent.children.remove(node)
    return bool(root.children) or depth == 0


def tree(path: list[dict[str, Any]], initial: InitialPolicies) -> bool:  # noqa: C901, PLR0915
    """Whether a path is valid by RFC 5280 section 6.1, written down from its text: the tree, not the graph.

    Args:
        path: certificates from the one that the anchor issued to the leaf.
        initial: inputs.
    """
    n = len(path)
    root: Node | None = Node(ANY_POLICY, {ANY_POLICY}, None)
    user = set(initial.user_initial_policy_set)
    explicit = 0 if initial.initial_explicit_policy else n + 1
    mapping = 0 if initial.initial_policy_mapping_inhibit else n + 1
    inhibit = 0 if initial.initial_any_policy_inhibit else n + 1
    for i, one in enumerate(path, 1):
        found, last = one["policies"], i == n
        if found is None:
            root = None
        elif root:
            above = level(root, i - 1)
            for policy in [p for p in found if p != ANY_POLICY]:
                parents = [node for node in above if policy in node.expected]
                parents = parents or [node for node in above if node.policy == ANY_POLICY]
                for parent in parents:
                    Node(policy, {policy}, parent)
            if ANY_POLICY in found and (inhibit > 0 or (not last and one["self_issued"])):
                for node in above:
                    for policy in node.expected - {child.policy for child in node.children}:
                        Node(policy, {policy}, node)
            root = root if prune(root, i) else None
        if explicit == 0 and root is None:
            return False
        if last:
            break
        for issuer in dict.fromkeys(a for a, _ in one["mappings"]):
            targets = {b for a, b in one["mappings"] if a == issuer}
            here = level(root, i) if root else []
            if mapping > 0:
                for node in [node for node in here if node.policy == issuer]:
                    node.expected = targets
                if not any(node.policy == issuer for node in here):
                    for node in [node for node in here if node.policy == ANY_POLICY]:
                        assert node.parent
                        Node(issuer, targets, node.parent)
            else:
                for node in [node for node in here if node.policy == issuer]:
                    assert node.parent
                    node.parent.children.remove(node)
            if root:
                root = root if prune(root, i) and level(root, i) else None
        if not one["self_issued"]:
            explicit, mapping, inhibit = max(0, explicit - 1), max(0, mapping - 1), max(0, inhibit - 1)
        explicit = min(explicit, explicit if one["explicit"] is None else one["explicit"])
        mapping = min(mapping, mapping if one["inhibit_mapping"] is None else one["inhibit_mapping"])
        inhibit = min(inhibit, inhibit if one["inhibit_any"] is None else one["inhibit_any"])
    explicit = 0 if path[-1]["explicit"] == 0 else max(0, explicit - 1)
    if root and ANY_POLICY not in user:
        valid = [node for d in range(1, n + 1) for node in level(root, d)]
        valid = [node for node in valid if node.parent and node.parent.policy == ANY_POLICY]
        for node in valid:
            if node.policy not in user and node.policy != ANY_POLICY and node.parent and node in node.parent.children:
                node.parent.children.remove(node)
        for node in [node for node in level(root, n) if node.policy == ANY_POLICY]:
            assert node.parent
            for policy in user - {other.policy for other in valid}:
                Node(policy, {policy}, node.parent)
            node.parent.children.remove(node)
        root = root if prune(root, n) and level(root, n) else None
    return explicit > 0 or root is not None


def random_path(chance: random.Random) -> list[dict[str, Any]]:
    """Certificates from the anchor's side to the leaf."""
    known = [*P, ANY_POLICY]

    def some(probability: float, value: Any) -> Any:
        return value if chance.random() < probability else None

    return [
        {
            "policies": some(0.95, chance.sample(known, chance.randint(1, 4))),
            "mappings": [(chance.choice(P), chance.choice(P)) for _ in range(chance.choice((0, 0, 0, 1, 2, 3)))],
            "explicit": some(0.3, chance.randint(0, 3)),
            "inhibit_mapping": some(0.2, chance.randint(0, 3)),
            "inhibit_any": some(0.2, chance.randint(0, 3)),
            "self_issued": chance.random() < 0.2,
        }
        for _ in range(chance.randint(1, 5))
    ]


def certificates(path: list[dict[str, Any]]) -> list[certificate.Certificate]:
    """The same as certificates, leaf first; nobody checks their signatures here."""
    out = []
    for number, one in enumerate(path):
        extra = [made.policies(*one["policies"])] if one["policies"] is not None else []
        extra += [made.mappings(*one["mappings"])] if one["mappings"] else []
        if one["explicit"] is not None or one["inhibit_mapping"] is not None:
            extra.append(made.policy_constraints(one["explicit"], one["inhibit_mapping"]))
        extra += [made.inhibit_any(one["inhibit_any"])] if one["inhibit_any"] is not None else []
        issuer = f"CN=C{number}" if one["self_issued"] else "CN=Other"
        out.append(certificate.load_accepted(pki.certificate(f"CN=C{number}", pki.key(3), issuer, pki.key(1), extra)))
    return out[::-1]


@pytest.mark.parametrize("seed", range(8))
def test_the_graph_decides_as_the_tree_does(seed: int) -> None:
    chance = random.Random(seed)
    verdicts = set()
    for _ in range(150):
        path = random_path(chance)
        initial = InitialPolicies(
            (ANY_POLICY,) if chance.random() < 0.5 else tuple(chance.sample(P, chance.randint(1, 3))),
            *(chance.random() < 0.3 for _ in range(3)),
        )
        expected = tree(path, initial)
        found = policies.process(certificates(path), initial)
        assert (not found.problem) is expected, (path, initial, found)
        verdicts.add(expected)
    assert verdicts == {True, False}


def judge(
    issuing: Sequence[bytes], leaf: Sequence[bytes], initial: InitialPolicies | None = None
) -> validation.PathResult:
    ca = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), extra=issuing)
    end = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=leaf)
    bag = Bag([CHAIN.root], [ca])
    return validation.validate_in(certificate.load_accepted(end), bag, at=pki.NOW, policies=initial)


def faults(result: validation.PathResult) -> list[str]:
    return [check.name for check in result.faults]


def test_nothing_is_demanded_by_default() -> None:
    assert judge([], [])
    assert judge([made.policies(P[0])], [made.policies(P[1])])


def test_an_explicit_policy_is_demanded() -> None:
    strict = InitialPolicies(initial_explicit_policy=True)
    assert faults(judge([], [], strict)) == ["path.1.policies"]
    assert faults(judge([made.policies(P[0])], [], strict)) == ["path.0.policies"]
    good = judge([made.policies(P[0])], [made.policies(P[0], P[1])], strict)
    assert good
    assert next(check for check in good.checks if check.name == "path.0.policies").facts["found"] == [P[0]]
    wanted = InitialPolicies((P[1],), True)
    assert faults(judge([made.policies(P[0])], [made.policies(P[0])], wanted)) == ["path.0.policies"]
    assert judge([made.policies(ANY_POLICY)], [made.policies(P[1])], wanted)
    assert faults(judge([made.policy_constraints(0)], [])) == ["path.0.policies"]


def test_inhibit_any_policy() -> None:
    strict = InitialPolicies(initial_explicit_policy=True)
    issuing = [made.policies(P[0]), made.inhibit_any(0)]
    assert faults(judge(issuing, [made.policies(ANY_POLICY)], strict)) == ["path.0.policies"]
    assert judge(issuing[:1], [made.policies(ANY_POLICY)], strict)


def test_mappings() -> None:
    strict = InitialPolicies((P[0],), True)
    issuing = [made.policies(P[0]), made.mappings((P[0], P[1]))]
    assert judge(issuing, [made.policies(P[1])], strict)
    assert not judge(issuing, [made.policies(P[0])], strict)
    inhibited = InitialPolicies((P[0],), True, True)
    assert not judge(issuing, [made.policies(P[1])], inhibited)


@pytest.mark.parametrize(
    "extension",
    [
        made.policies(P[0], P[0]),
        pki.extension(oids.CERTIFICATE_POLICIES, writer.sequence()),
        pki.extension(oids.CERTIFICATE_POLICIES, writer.sequence(writer.sequence())),
        made.mappings((ANY_POLICY, P[0])),
        made.mappings((P[0], ANY_POLICY)),
        pki.extension(oids.POLICY_MAPPINGS, writer.sequence(writer.sequence(writer.oid(P[0])))),
        pki.extension(oids.POLICY_CONSTRAINTS, writer.sequence()),
        pki.extension(oids.POLICY_CONSTRAINTS, writer.sequence(writer.tlv(0x81, b"\0"), writer.tlv(0x80, b"\0"))),
        pki.extension(oids.POLICY_CONSTRAINTS, writer.sequence(writer.tlv(0x80, b"\xff"))),
        pki.extension(oids.INHIBIT_ANY_POLICY, writer.integer(-1)),
        pki.extension(oids.INHIBIT_ANY_POLICY, writer.NULL),
    ],
)
def test_malformed_extensions_are_refused(extension: bytes) -> None:
    assert faults(judge([extension], [])) == ["path.1.policies"]


def test_the_graph_is_bounded() -> None:
    """Twenty certificates with many policies and mappings each: the tree would have 30^20 nodes."""
    many = [f"1.2.3.{n}" for n in range(30)]
    one = {
        "policies": many,
        "mappings": [(a, b) for a in many for b in many],
        "explicit": 0,
        "inhibit_mapping": None,
        "inhibit_any": None,
        "self_issued": False,
    }
    path = certificates([one] * 20)
    assert policies.process(path).problem == ""
    assert policies.process(path).nodes == 600
    assert "more than 100 nodes" in policies.process(path, maximum_nodes=100).problem
