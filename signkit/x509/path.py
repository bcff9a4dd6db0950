"""Path building: every way from a leaf to a trust anchor through an unordered, possibly hostile bag of certificates.

RFC 4158 describes the problem. Names that no anchor can reach are pruned before any signature is checked, a key
identifier orders the candidates and never excludes one, each signature is checked once, and budgets bound the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.errors import MalformedError
from signkit.x509 import certificate as certificates
from signkit.x509.certificate import Certificate
from signkit.x509.names import Name

MAXIMUM_DEPTH = 20
MAXIMUM_SIGNATURES = 128
MAXIMUM_EDGES = 4096
MAXIMUM_NOTES, MAXIMUM_NOTE = 20, 500


class Candidate(NamedTuple):
    """A certificate that may stand in a path; ``trusted`` = it is a trust anchor."""

    certificate: Certificate
    trusted: bool


class Bag:
    """Trust anchors and intermediates, found by subject. Certificates that can't be parsed are left out and counted."""

    def __init__(self, trust_anchors: Sequence[bytes], intermediates: Iterable[bytes]) -> None:
        """Take DER certificates.

        Raises:
            MalformedError: a trust anchor can't be parsed; what is trusted must be readable.
        """
        self.anchors = tuple(map(certificates.load, dict.fromkeys(trust_anchors)))
        self.unreadable = 0
        self._by_subject: dict[Name, list[Candidate]] = {}
        children: dict[Name, set[Name]] = {}
        for candidate in self._candidates(intermediates):
            found = candidate.certificate
            self._by_subject.setdefault(found.subject, []).append(candidate)
            children.setdefault(found.issuer, set()).add(found.subject)
        self.signatures: dict[tuple[bytes, bytes], str] = {}
        """What came of each signature that was checked; shared by all paths through this bag, and their budget."""
        self._reachable = _closure((anchor.subject for anchor in self.anchors), children)

    def _candidates(self, intermediates: Iterable[bytes]) -> Iterator[Candidate]:
        known = {(anchor.subject, anchor.public_key_info) for anchor in self.anchors}
        for anchor in self.anchors:
            yield Candidate(anchor, True)
        for der in dict.fromkeys(intermediates):
            try:
                found = certificates.load(der)
            except MalformedError:
                self.unreadable += 1
                continue
            # The self-signed form of an anchor adds nothing; a cross-certificate for its key does.
            if not (found.self_issued and (found.subject, found.public_key_info) in known):
                yield Candidate(found, False)

    def trusts(self, certificate: Certificate) -> bool:
        """Whether this very certificate is a trust anchor."""
        return certificate in self.anchors

    def named(self, name: Name) -> list[Certificate]:
        """Every certificate with that subject, trust anchors first; none of them is trusted for being here."""
        return [candidate.certificate for candidate in self._by_subject.get(name, ())]

    def issuers(self, child: Certificate, at: datetime) -> list[Candidate]:
        """Candidates for the issuer of a certificate, likeliest first."""
        if child.issuer not in self._reachable:
            return []
        return sorted(self._by_subject.get(child.issuer, ()), key=lambda candidate: _rank(child, candidate, at))


class Builder:
    """Depth-first search for paths. ``notes`` says why branches ended, ``exhausted`` whether a budget did."""

    def __init__(self, bag: Bag, at: datetime, *, max_depth: int = MAXIMUM_DEPTH) -> None:
        self.bag = bag
        self.at = at
        self.max_depth = max_depth
        self.notes: list[str] = []
        self.exhausted = ""
        self._edges = 0

    def paths(self, leaf: Certificate) -> Iterator[tuple[Certificate, ...]]:
        """Paths from the leaf to an anchor in which names chain and signatures verify; the anchor comes last."""
        if self.bag.trusts(leaf):
            yield (leaf,)
        yield from self._extend((leaf,))

    def _extend(self, path: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        child, position = path[-1], len(path) - 1
        candidates = self.bag.issuers(child, self.at)
        if not candidates:
            self._note(f"certificate {position} ({child.subject}): no certificate of its issuer {child.issuer}")
        for candidate in candidates:
            issuer = candidate.certificate
            self._edges += 1
            if self._edges > MAXIMUM_EDGES:
                self.exhausted = f"more than {MAXIMUM_EDGES} steps"
            if self.exhausted:
                return
            if any(issuer.subject == c.subject and issuer.public_key_info == c.public_key_info for c in path):
                continue
            if len(path) > self.max_depth:
                self._note(f"certificate {position} ({child.subject}): the path is longer than {self.max_depth}")
                continue
            if reason := self._signature(child, issuer):
                self._note(f"certificate {position} ({child.subject}) is not by this {issuer.subject}: {reason}")
                continue
            if candidate.trusted:
                yield (*path, issuer)
            else:
                yield from self._extend((*path, issuer))

    def _signature(self, child: Certificate, issuer: Certificate) -> str:
        """An empty string when the child is signed by the issuer's key, else the reason; each pair is checked once."""
        key = (child.der, issuer.public_key_info)
        if key not in self.bag.signatures:
            if len(self.bag.signatures) >= MAXIMUM_SIGNATURES:
                self.exhausted = f"more than {MAXIMUM_SIGNATURES} signatures to check"
                return self.exhausted
            self.bag.signatures[key] = signature_problem(child, issuer)
        return self.bag.signatures[key]

    def _note(self, text: str) -> None:
        text = text[:MAXIMUM_NOTE]
        if len(self.notes) < MAXIMUM_NOTES and text not in self.notes:
            self.notes.append(text)


def signature_problem(child: Certificate, issuer: Certificate) -> str:
    """Why a certificate is not signed by the issuer's key, or an empty string (RFC 5280 section 6.1.3 (a)(1))."""
    try:
        algorithm = algorithms.identify(child.signature_algorithm)
    except (MalformedError, ValueError, IndexError) as error:
        return f"its signature algorithm is malformed: {error}"
    if algorithm is None:
        return f"signature algorithm {algorithms.describe(child.signature_algorithm)} is not accepted"
    return algorithms.verify_message(algorithm, issuer.public_key_info, child.tbs, child.signature)


def _closure(start: Iterable[Name], children: dict[Name, set[Name]]) -> set[Name]:
    """All names reachable from the start names."""
    reached = set(start)
    todo = list(reached)
    while todo:
        fresh = children.get(todo.pop(), set()) - reached
        reached |= fresh
        todo += fresh
    return reached


def _rank(child: Certificate, candidate: Candidate, at: datetime) -> tuple[bool, int, bool]:
    """Sort key: anchors first, then matching key identifiers, then those valid at the time."""
    issuer = candidate.certificate
    identifiers = (child.authority_key_identifier, issuer.subject_key_identifier)
    match = 1 if None in identifiers else 0 if identifiers[0] == identifiers[1] else 2
    return not candidate.trusted, match, not issuer.not_before <= at <= issuer.not_after
