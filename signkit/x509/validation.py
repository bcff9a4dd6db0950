"""Path validation (RFC 5280 section 6.1, policies by RFC 9618): every check of every certificate of a path, by name.

The search goes in two passes. The first follows only certificates that fit where they would stand, so that no number of
faulty ones hides a good path. When it finds none, the second builds the faulty paths too, to tell what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.der import oids
from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict, failed, passed
from signkit.x509 import checks, constraints, policies, profiles
from signkit.x509.certificate import Certificate
from signkit.x509.checks import Rules
from signkit.x509.path import MAXIMUM_DEPTH, MAXIMUM_NOTE, MAXIMUM_NOTES, Bag, Builder
from signkit.x509.policies import InitialPolicies
from signkit.x509.profiles import Profile

MAXIMUM_PATHS = 64
MAXIMUM_NAMES = 1 << 16
"""Most names that are looked up in constraints while one leaf is judged."""

MAXIMUM_POLICY_NODES = 1024
"""Most nodes of the policy graph of one path."""

MAXIMUM_POLICY_BYTES = 4 << 20
"""Most bytes of policy extensions that are processed while one leaf is judged, counted again for each path."""

_PASS = Verdict.PASS
Revocation = Callable[[tuple[Certificate, ...]], Sequence[Check]]
"""Checks ``revocation.N`` of a path, leaf first and anchor last, that has no other fault."""


class PathResult(NamedTuple):
    """What validating a certification path came to. Its truth value is the verdict.

    Attributes:
        path: the path that was judged, leaf first, anchor last; only the leaf when none was built.
        checks: ``path.*`` and ``revocation.*`` checks of that path.
        tried: one line for each other path or branch, with the reason it was not taken.
        revocation_required: an open ``revocation.*`` check is a fault.
    """

    path: tuple[Certificate, ...]
    checks: tuple[Check, ...]
    tried: tuple[str, ...]
    revocation_required: bool = False

    def __bool__(self) -> bool:
        return not self.faults

    @property
    def faults(self) -> tuple[Check, ...]:
        """The checks that stand in the way."""
        others = [check for check in self.checks if check.verdict is not _PASS]
        return tuple(check for check in others if not self._bearable(check))

    def _bearable(self, check: Check) -> bool:
        return check.name.startswith("revocation.") and (
            check.verdict is Verdict.SKIPPED
            or (check.verdict is Verdict.INDETERMINATE and not self.revocation_required)
        )


def validate(
    leaf: Certificate,
    *,
    trust_anchors: Sequence[bytes],
    intermediates: Iterable[bytes] = (),
    at: datetime,
    purpose: str | None = oids.CODE_SIGNING,
    max_depth: int = MAXIMUM_DEPTH,
) -> PathResult:
    """Build and validate a certification path: ``validate_in`` with a bag of its own.

    Args:
        leaf: the certificate in question.
        trust_anchors: DER certificates that are trusted; trust is never implied.
        intermediates: DER certificates that may help, in any order, with anything among them.
        at: the moment to judge validity at, aware UTC.
        purpose: as for ``validate_in``.
        max_depth: as for ``validate_in``.

    Raises:
        MalformedError: a trust anchor can't be parsed.
    """
    return validate_in(leaf, Bag(trust_anchors, intermediates), at=at, purpose=purpose, max_depth=max_depth)


def validate_in(
    leaf: Certificate,
    bag: Bag,
    *,
    at: datetime,
    now: datetime | None = None,
    purpose: str | None = oids.CODE_SIGNING,
    profile: str | Profile = profiles.CODE_SIGNING,
    sm2_id: bytes = DEFAULT_SIGNER_ID,
    max_depth: int | None = None,
    policies: InitialPolicies | None = None,
    revocation: Revocation | None = None,
    revocation_required: bool = False,
) -> PathResult:
    """Build and validate a certification path through a bag that several leaves may share.

    Args:
        leaf: the certificate in question.
        bag: trust anchors and intermediates. Its budget of signature checks is shared by all that use it.
        at: the moment to judge validity at (the time of signing), aware UTC.
        now: the present, where it is another moment; stated in the evidence, and what ``revocation`` goes by.
        purpose: ``code-signing``, ``timestamping`` or the OBJECT IDENTIFIER of another purpose the leaf must be
            certified for; ``any`` or None = no purpose is asked for, and the leaf may be a CA.
        profile: name of a profile, or one made by the caller.
        sm2_id: identifier of SM2 signers; no other one is tried.
        max_depth: most certificates between leaf and anchor, self-issued ones not counted; None = 20.
        policies: inputs of policy processing; None = RFC 5280's most tolerant ones.
        revocation: gives the ``revocation.N`` checks of a path that is otherwise without fault; None = not checked.
        revocation_required: whether a revocation check that is left open is a fault.

    Returns:
        The first path without a fault; else, of the paths that were built, the one with the least serious fault.

    Raises:
        UsageError: no such profile.
    """
    search = _Search(
        leaf=leaf,
        bag=bag,
        at=at,
        now=now or at,
        rules=Rules(profiles.named(profile), checks.PURPOSES.get(purpose or "any", purpose)),
        sm2_id=sm2_id,
        max_depth=MAXIMUM_DEPTH if max_depth is None else max_depth,
        initial=policies,
        revocation=revocation,
        required=revocation_required,
    )
    return search.run()


def leaf_faults(leaf: Certificate, purpose: str = oids.CODE_SIGNING) -> list[str]:
    """What keeps a certificate from being a signer's, apart from its dates and its path; empty when nothing does."""
    found = checks.of_leaf(leaf, Rules(profiles.CODE_SIGNING, purpose))
    return [check.detail for check in found if not check.passed]


class _Search:
    """One validation: its inputs, what is left of its budgets, and what was tried."""

    def __init__(
        self,
        *,
        leaf: Certificate,
        bag: Bag,
        at: datetime,
        now: datetime,
        rules: Rules,
        sm2_id: bytes,
        max_depth: int,
        initial: InitialPolicies | None,
        revocation: Revocation | None,
        required: bool,
    ) -> None:
        self.leaf, self.bag, self.at, self.rules = leaf, bag, at, rules
        self.at_text = checks.text(at)
        self.now_text = self.at_text if now is at else checks.text(now)
        self.sm2_id, self.max_depth = sm2_id, max_depth
        self.initial = initial or policies.DEFAULT
        self.revocation, self.required = revocation, required
        self.names_left = MAXIMUM_NAMES
        self.policy_bytes_left = MAXIMUM_POLICY_BYTES
        self.tried: list[str] = []
        self.best: PathResult | None = None
        self.leaf_checks = (checks.validity(0, leaf, at, self.at_text), *checks.of_leaf(leaf, rules))
        self._made: dict[tuple[object, ...], tuple[Check, ...]] = {}

    def run(self) -> PathResult:
        """The result."""
        notes: list[str] = []
        if all(check.verdict is _PASS for check in self.leaf_checks):
            strict = self._builder(prune=True)
            if found := self._first_good(strict):
                return found
            notes = strict.notes
            if strict.exhausted:
                notes.insert(0, f"path building was given up: {strict.exhausted}")
        tolerant = self._builder(prune=False)
        if self.best is None and (found := self._first_good(tolerant)):
            return found
        tried = tuple(dict.fromkeys((*self.tried, *notes, *tolerant.notes)))
        if self.best is not None:
            own_line = _summary(self.best)
            return self.best._replace(tried=tuple(line for line in tried if line != own_line))
        not_built = _not_built(self.bag, tolerant)
        own = [check for check in self.leaf_checks if check.name != "path.0.basic-constraints"]
        return PathResult((self.leaf,), (not_built, *own), tried, self.required)

    def _builder(self, *, prune: bool) -> Builder:
        return Builder(
            self.bag,
            self.at,
            max_depth=self.max_depth,
            sm2_id=self.sm2_id,
            weak_digests=self.rules.profile.weak_digests,
            prune=self._prune if prune else None,
        )

    def _first_good(self, builder: Builder) -> PathResult | None:
        """The first path without a fault; the least faulty one is remembered."""
        for count, path in enumerate(builder.paths(self.leaf)):
            result = self._judge(path)
            if result:
                return result._replace(tried=(*self.tried, *builder.notes))
            if len(self.tried) < MAXIMUM_NOTES:
                self.tried.append(_summary(result))
            if self.best is None or _seriousness(result) < _seriousness(self.best):
                self.best = result
            if count + 1 >= MAXIMUM_PATHS:
                self.tried.append(f"more than {MAXIMUM_PATHS} paths")
                break
        return None

    def _issuer_checks(
        self, path: tuple[Certificate, ...], issuer: Certificate, trusted: bool, below: int
    ) -> tuple[Check, ...]:
        """Checks of a certificate above a path, cheap ones first; made once for a place."""
        key = (*path, issuer, trusted)
        made = self._made.get(key)
        if made is None:
            position, rules = len(path), self.rules
            made = checks.of_issuer(position, issuer, below, trusted, rules)
            if rules.profile.anchor_binds or not trusted:
                made = (checks.validity(position, issuer, self.at, self.at_text), *made)
                if oids.NAME_CONSTRAINTS in issuer.extensions:
                    made = (*made, self._name_constraints(path, issuer))
            self._made[key] = made
        return made

    def _prune(self, path: tuple[Certificate, ...], issuer: Certificate, trusted: bool, below: int) -> str:
        """See ``path.Prune``: the first fault."""
        for check in self._issuer_checks(path, issuer, trusted, below):
            if check.verdict is not _PASS:
                return check.detail
        return ""

    def _name_constraints(self, path: tuple[Certificate, ...], issuer: Certificate) -> Check:
        """``path.N.name-constraints``: every name below, but those of self-issued authorities (section 6.1.3 (b))."""
        name, source = f"path.{len(path)}.name-constraints", "RFC 5280 6.1.3 (b)"
        if problem := self._constraint_problem(path, issuer):
            return failed(name, f"{checks.who(len(path), issuer)}: {problem}", source=source, found=problem)
        return passed(name, "every name below is in its subtrees", source=source)

    def _constraint_problem(self, path: tuple[Certificate, ...], issuer: Certificate) -> str:
        try:
            found = constraints.of(issuer)
            for position, certificate in enumerate(path):
                if found is None or (position and certificate.self_issued):
                    continue
                email = self.rules.profile.email_in_subject
                for name in constraints.names_of(certificate, email_in_subject=email):
                    self.names_left -= constraints.cost(name)
                    if self.names_left < 0:
                        return f"given up after looking up {MAXIMUM_NAMES} names"
                    if problem := found.problem(name):
                        return f"{checks.who(position, certificate)}: {problem}"
        except MalformedError as error:
            return error.message
        return ""

    def _judge(self, path: tuple[Certificate, ...]) -> PathResult:
        """Every check of a path that was built."""
        found = list(self._built(path))
        below, last = 0, len(path) - 1
        for position, certificate in enumerate(path):
            if position < last:
                found.append(_signed(position, path[position + 1]))
            if position == 0:
                found += self.leaf_checks
            else:
                found += self._issuer_checks(path[:position], certificate, position == last, below)
                below += not certificate.self_issued
        found.append(self._policies(path))
        result = PathResult(path, tuple(found), (), self.required)
        if self.revocation is not None and result:
            result = result._replace(checks=(*result.checks, *self.revocation(path)))
        return result

    def _built(self, path: tuple[Certificate, ...]) -> tuple[Check, Check]:
        anchor = path[-1]
        subjects = [certificate.subject.rfc4514 for certificate in path]
        detail = f"{len(path)} certificates, from {subjects[0]} to the trust anchor {subjects[-1]}"
        if len(path) == 1:
            detail = f"{subjects[0]} is itself a trust anchor"
        facts = {
            "path": subjects,
            "trust_anchor_sha256": anchor.fingerprint,
            "at": self.at_text,
            "now": self.now_text,
            "profile": self.rules.profile.name,
        }
        return (
            passed("path.built", detail, source="RFC 5280 6.1.3", **facts),
            passed(
                "path.trust-anchor",
                f"{subjects[-1]}, SHA-256 {anchor.fingerprint}",
                source="RFC 5280 6.1.1",
                found=anchor.fingerprint,
            ),
        )

    def _policies(self, path: tuple[Certificate, ...]) -> Check:
        """``path.N.policies``: 0 when the path as a whole is judged, else the certificate it failed at."""
        below = path[:-1]
        source = "RFC 5280 6.1.5 (g), RFC 9618"
        if self.initial is policies.DEFAULT and not any(map(policies.size, below)):
            return _NO_POLICIES
        self.policy_bytes_left -= sum(map(policies.size, below))
        if self.policy_bytes_left < 0:
            detail = f"given up after {MAXIMUM_POLICY_BYTES} bytes of policy extensions"
            return failed("path.0.policies", detail, source=source, found=[])
        outcome = policies.process(below, self.initial, maximum_nodes=MAXIMUM_POLICY_NODES)
        name, found = f"path.{outcome.position}.policies", sorted(outcome.policies)
        if outcome.problem:
            detail = f"{checks.who(outcome.position, path[outcome.position])}: {outcome.problem}"
            return failed(name, detail, source=source, found=found)
        return passed(
            name, ", ".join(map(oids.name, found)) or "none, and none is required", source=source, found=found
        )


_NO_POLICIES = passed(
    "path.0.policies", "no certificate speaks of policies", source="RFC 5280 6.1.5 (g), RFC 9618", found=[]
)


@lru_cache(maxsize=1024)
def _signed(position: int, issuer: Certificate) -> Check:
    """What is said once the signature was checked."""
    detail = f"certificate {position} is signed by {issuer.subject.rfc4514}"
    return passed(f"path.{position}.signature", detail, source="RFC 5280 6.1.3 (a)(1)")


def _not_built(bag: Bag, builder: Builder) -> Check:
    if not bag.anchors:
        detail = "no trust anchor was given, and trust is never implied: expected at least one"
    elif builder.exhausted:
        detail = f"path building was given up: {builder.exhausted}"
    else:
        reasons = "; ".join(builder.notes[:3]) or "no certificate leads on"
        anchors = ", ".join(str(anchor.subject) for anchor in bag.anchors[:3])
        more = f" and {len(bag.anchors) - 3} more" if len(bag.anchors) > 3 else ""
        detail = f"no path to a trust anchor ({anchors}{more}): {reasons}"
    facts = {"trust_anchors": len(bag.anchors), "unreadable": bag.unreadable}
    return failed("path.built", detail, source="RFC 5280 6.1.3", **facts)


def _summary(result: PathResult) -> str:
    faults = "; ".join(check.detail or check.name for check in result.faults)
    return f"path {' < '.join(str(certificate.subject) for certificate in result.path)}: {faults}"[:MAXIMUM_NOTE]


def _seriousness(result: PathResult) -> tuple[bool, int]:
    """Expiry alone is the least serious fault; then fewer faults before more."""
    faults = [check.name for check in result.faults]
    return any(not name.endswith(".validity") for name in faults), len(faults)
