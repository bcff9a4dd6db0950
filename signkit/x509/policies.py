"""Certificate policies (RFC 5280 section 6.1, with the policy graph of RFC 9618 in place of the tree).

The tree can grow exponentially with the length of a path; the graph has at most one node for each policy and depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from signkit.der import oids, reader
from signkit.errors import MalformedError
from signkit.x509.certificate import Certificate

ANY_POLICY = "2.5.29.32.0"
_EXTENSIONS = (
    oids.CERTIFICATE_POLICIES,
    oids.POLICY_MAPPINGS,
    oids.POLICY_CONSTRAINTS,
    oids.INHIBIT_ANY_POLICY,
)


class InitialPolicies(NamedTuple):
    """Inputs (c) and (e) to (g) of RFC 5280 section 6.1.1, under the names they have there.

    Attributes:
        user_initial_policy_set: dotted policies that are acceptable; any policy by default.
        initial_explicit_policy: the path must be valid for at least one of them.
        initial_policy_mapping_inhibit: no policy mappings.
        initial_any_policy_inhibit: anyPolicy in a certificate stands for nothing.
    """

    user_initial_policy_set: Iterable[str] = (ANY_POLICY,)
    initial_explicit_policy: bool = False
    initial_policy_mapping_inhibit: bool = False
    initial_any_policy_inhibit: bool = False


DEFAULT = InitialPolicies()


class Outcome(NamedTuple):
    """What policy processing came to.

    Attributes:
        policies: the user-constrained policy set of RFC 9618 section 5.5; it may hold anyPolicy.
        position: certificate at which the path failed, counted from the leaf; 0 when it did not.
        problem: why it failed, or an empty string.
        nodes: nodes that the graph needed.
    """

    policies: frozenset[str]
    position: int
    problem: str
    nodes: int


class _Extensions(NamedTuple):
    """The four policy extensions of a certificate; None = absent."""

    policies: tuple[str, ...] | None
    mappings: tuple[tuple[str, str], ...]
    require_explicit: int | None
    inhibit_mapping: int | None
    inhibit_any: int | None


class _Node:
    """A node of the graph: the policy it is for and those it expects below it (RFC 9618 section 3)."""

    __slots__ = ("expected", "parents", "policy")

    def __init__(self, policy: str, parents: Iterable[_Node]) -> None:
        self.policy = policy
        self.expected: set[str] = {policy}
        self.parents = tuple(parents)


class _Exhausted(Exception):
    """More nodes than allowed."""


class _Graph:
    """The valid_policy_graph: one stratum of nodes, by policy, for each certificate so far."""

    def __init__(self, maximum_nodes: int) -> None:
        self.strata: list[dict[str, _Node]] = [{ANY_POLICY: _Node(ANY_POLICY, ())}]
        self.valid = True
        self.nodes = 0
        self._maximum = maximum_nodes

    def _insert(self, policy: str, parents: Iterable[_Node]) -> _Node:
        self.nodes += 1
        if self.nodes > self._maximum:
            raise _Exhausted
        node = self.strata[-1][policy] = _Node(policy, parents)
        return node

    def extend(self, policies: tuple[str, ...], *, any_allowed: bool) -> None:
        """A stratum for the policies of the next certificate: RFC 9618 section 5.3 (d)."""
        above = self.strata[-1]
        expecting: dict[str, list[_Node]] = {}
        for node in above.values():
            for policy in node.expected:
                expecting.setdefault(policy, []).append(node)
        self.strata.append({})
        for policy in policies:
            if policy == ANY_POLICY:
                continue
            if policy in expecting:
                self._insert(policy, expecting[policy])
            elif ANY_POLICY in above:
                self._insert(policy, (above[ANY_POLICY],))
        if ANY_POLICY in policies and any_allowed:
            for policy, parents in expecting.items():
                if policy not in self.strata[-1]:
                    self._insert(policy, parents)
        self.valid = bool(self.strata[-1])

    def map(self, mappings: dict[str, set[str]], *, allowed: bool) -> None:
        """Policy mappings: RFC 9618 section 5.4 (b)."""
        stratum = self.strata[-1]
        for policy, targets in mappings.items():
            if not allowed:
                stratum.pop(policy, None)
            elif policy in stratum:
                stratum[policy].expected = targets
            elif ANY_POLICY in stratum:
                self._insert(policy, stratum[ANY_POLICY].parents).expected = targets
        self.valid = bool(stratum)

    def authority_constrained(self) -> set[str]:
        """The authority-constrained policy set: RFC 9618 section 5.5 (g) (i).

        Nodes without a descendant in the last stratum count as deleted, so only what leads there is visited.
        """
        found: set[str] = set()
        todo = list(self.strata[-1].values()) if self.valid else []
        seen = set(map(id, todo))
        if self.valid and ANY_POLICY in self.strata[-1]:
            found.add(ANY_POLICY)
        while todo:
            node = todo.pop()
            if node.policy != ANY_POLICY and any(parent.policy == ANY_POLICY for parent in node.parents):
                found.add(node.policy)
            for parent in node.parents:
                if id(parent) not in seen:
                    seen.add(id(parent))
                    todo.append(parent)
        return found


def process(path: Sequence[Certificate], initial: InitialPolicies = DEFAULT, *, maximum_nodes: int = 1024) -> Outcome:
    """Process the policies of a path.

    Args:
        path: the certificates from the leaf to the one that the anchor issued; the anchor itself is not among them.
        initial: what the caller demands.
        maximum_nodes: bound on the graph.
    """
    graph = _Graph(maximum_nodes)
    position = len(path)
    explicit, mapping, any_policy = (0 if inhibited else position + 1 for inhibited in initial[1:])
    try:
        while position:
            position -= 1
            certificate = path[position]
            found = _of(certificate)
            if found.policies is None:
                graph.valid = False
            if graph.valid and found.policies is not None:
                inherits = any_policy > 0 or (position > 0 and certificate.self_issued)
                graph.extend(found.policies, any_allowed=inherits)
            if explicit == 0 and not graph.valid:
                return Outcome(
                    frozenset(), position, "no policy is valid for the path, and one is required", graph.nodes
                )
            if position:
                if found.mappings:
                    _map(graph, found.mappings, allowed=mapping > 0)
                if not certificate.self_issued:
                    explicit, mapping, any_policy = (max(0, n - 1) for n in (explicit, mapping, any_policy))
                explicit = _least(explicit, found.require_explicit)
                mapping = _least(mapping, found.inhibit_mapping)
                any_policy = _least(any_policy, found.inhibit_any)
            else:
                explicit = 0 if found.require_explicit == 0 else max(0, explicit - 1)
    except MalformedError as error:
        return Outcome(frozenset(), position, error.message, graph.nodes)
    except _Exhausted:
        return Outcome(frozenset(), position, f"the policy graph has more than {maximum_nodes} nodes", graph.nodes)
    acceptable = _user_constrained(graph.authority_constrained(), frozenset(initial.user_initial_policy_set))
    problem = "" if acceptable or explicit else "none of the acceptable policies is valid for the path"
    return Outcome(acceptable, 0, problem, graph.nodes)


def _user_constrained(authority: set[str], user: frozenset[str]) -> frozenset[str]:
    """RFC 9618 section 5.5 (g) (ii) and (iii)."""
    if ANY_POLICY in user:
        return frozenset(authority)
    return user if ANY_POLICY in authority else user & authority


def _map(graph: _Graph, mappings: tuple[tuple[str, str], ...], *, allowed: bool) -> None:
    targets: dict[str, set[str]] = {}
    for issuer, subject in mappings:
        if ANY_POLICY in (issuer, subject):
            raise MalformedError("policyMappings maps anyPolicy (RFC 5280 6.1.4 (a))")
        targets.setdefault(issuer, set()).add(subject)
    if graph.valid:
        graph.map(targets, allowed=allowed)


def _least(state: int, constraint: int | None) -> int:
    return state if constraint is None else min(state, constraint)


def size(certificate: Certificate) -> int:
    """Bytes of the policy extensions of a certificate; 0 when it has none."""
    extensions = certificate.extensions
    return sum(len(extensions[oid].value) for oid in _EXTENSIONS if oid in extensions)


def _of(certificate: Certificate) -> _Extensions:
    found, problem = _parsed(certificate)
    if problem:
        raise MalformedError(problem)
    return found


@lru_cache(maxsize=512)
def _parsed(certificate: Certificate) -> tuple[_Extensions, str]:
    """The policy extensions, and why they can't be read."""
    try:
        require_explicit, inhibit_mapping = _constraints(certificate)
        found = _Extensions(
            _policies(certificate), _mappings(certificate), require_explicit, inhibit_mapping, _inhibit_any(certificate)
        )
        return found, ""
    except (MalformedError, IndexError) as error:
        return _Extensions(None, (), None, None, None), f"a policy extension is malformed: {error}"


def _elements(certificate: Certificate, oid: str) -> list[reader.Element] | None:
    extension = certificate.extensions.get(oid)
    if extension is None:
        return None
    elements = reader.parse(extension.value, reader.SEQUENCE, oids.name(oid)).children()
    if not elements:
        raise MalformedError(f"{oids.name(oid)} is empty")
    return elements


def _policies(certificate: Certificate) -> tuple[str, ...] | None:
    """certificatePolicies, RFC 5280 section 4.2.1.4; a policy must not occur twice."""
    elements = _elements(certificate, oids.CERTIFICATE_POLICIES)
    if elements is None:
        return None
    found = tuple(reader.oid(e.expect(reader.SEQUENCE, "PolicyInformation").children()[0]) for e in elements)
    if len(set(found)) != len(found):
        raise MalformedError("certificatePolicies names a policy twice")
    return found


def _mappings(certificate: Certificate) -> tuple[tuple[str, str], ...]:
    """policyMappings, RFC 5280 section 4.2.1.5."""
    out = []
    for element in _elements(certificate, oids.POLICY_MAPPINGS) or ():
        parts = element.expect(reader.SEQUENCE, "policy mapping").children()
        if len(parts) != 2:
            raise MalformedError(f"a policy mapping has {len(parts)} fields, expected 2")
        out.append((reader.oid(parts[0]), reader.oid(parts[1])))
    return tuple(out)


def _constraints(certificate: Certificate) -> tuple[int | None, int | None]:
    """policyConstraints, RFC 5280 section 4.2.1.11: requireExplicitPolicy and inhibitPolicyMapping."""
    found: dict[int, int] = {}
    for element in _elements(certificate, oids.POLICY_CONSTRAINTS) or ():
        if element.tag not in (0x80, 0x81) or any(element.tag <= tag for tag in found):
            raise MalformedError("policyConstraints has an unknown or repeated field")
        found[element.tag] = _skip_certificates(b"\x02" + element.raw[1:])
    return found.get(0x80), found.get(0x81)


def _inhibit_any(certificate: Certificate) -> int | None:
    """inhibitAnyPolicy, RFC 5280 section 4.2.1.14."""
    extension = certificate.extensions.get(oids.INHIBIT_ANY_POLICY)
    return None if extension is None else _skip_certificates(extension.value)


def _skip_certificates(der: bytes) -> int:
    value = reader.integer(reader.parse(der, reader.INTEGER, "SkipCerts"), "SkipCerts")
    if value < 0:
        raise MalformedError(f"SkipCerts is {value}, expected at least 0")
    return value
