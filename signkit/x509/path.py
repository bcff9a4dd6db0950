"""Path building: every way from a leaf to a trust anchor through an unordered, possibly hostile bag of certificates.

RFC 4158 describes the problem. Names that no anchor can reach are pruned before any signature is checked, a key
identifier orders the candidates and never excludes one, each signature is checked once, and budgets bound the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.errors import MalformedError
from signkit.x509 import certificate as certificates
from signkit.x509.certificate import Certificate
from signkit.x509.names import Name

MAXIMUM_DEPTH = 20
"""Most certificates between leaf and trust anchor; self-issued ones don't count (RFC 5280 section 6.1.4 (l))."""

MAXIMUM_LENGTH = 64
"""Most certificates in a path, whatever they are."""

MAXIMUM_SIGNATURES = 128
MAXIMUM_EDGES = 4096
MAXIMUM_NOTES, MAXIMUM_NOTE = 64, 500


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
        self.signatures: dict[tuple[object, ...], str] = {}
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
        found = self._by_subject.get(child.issuer, [])
        return found if len(found) < 2 else sorted(found, key=lambda candidate: _rank(child, candidate, at))


Prune = Callable[[tuple[Certificate, ...], Certificate, bool, int], str]
"""Why an issuer can't stand above a path, or an empty string. Arguments: the path so far, leaf first; the issuer;
whether it is a trust anchor; how many certificates between it and the leaf are not self-issued.
"""


class Builder:
    """Depth-first search for paths. ``notes`` says why branches ended, ``exhausted`` whether a budget did."""

    def __init__(
        self,
        bag: Bag,
        at: datetime,
        *,
        max_depth: int = MAXIMUM_DEPTH,
        sm2_id: bytes = DEFAULT_SIGNER_ID,
        weak_digests: frozenset[str] = frozenset(),
        prune: Prune | None = None,
    ) -> None:
        """Prepare a search.

        Args:
            bag: trust anchors and intermediates.
            at: issuers that are valid then are tried first.
            max_depth: most certificates between leaf and anchor; self-issued ones don't count.
            sm2_id: identifier of SM2 signers.
            weak_digests: ``md5``, ``sha1``, where signatures with them count.
            prune: called before a signature is checked, so that faulty branches are not followed.
        """
        self.bag = bag
        self.at = at
        self.max_depth = max_depth
        self.notes: list[str] = []
        self.exhausted = ""
        self._edges = 0
        self._sm2_id = sm2_id
        self._weak_digests = weak_digests
        self._prune = prune

    def paths(self, leaf: Certificate) -> Iterator[tuple[Certificate, ...]]:
        """Paths from the leaf to an anchor in which names chain and signatures verify; the anchor comes last."""
        if self.bag.trusts(leaf):
            yield (leaf,)
        yield from self._extend((leaf,), 0)

    def _extend(self, path: tuple[Certificate, ...], below: int) -> Iterator[tuple[Certificate, ...]]:
        child = path[-1]
        candidates = self.bag.issuers(child, self.at)
        if not candidates:
            known = self.bag.named(child.issuer)
            what = "no trust anchor is above its issuer" if known else "no certificate of its issuer"
            self._note(path, f"{what} {child.issuer}")
        for candidate in candidates:
            issuer = candidate.certificate
            self._edges += 1
            if self._edges > MAXIMUM_EDGES:
                self.exhausted = f"more than {MAXIMUM_EDGES} steps"
            if self.exhausted:
                return
            if _occurs(issuer, path):
                continue
            deeper = below + (not issuer.self_issued)
            if not candidate.trusted and (deeper > self.max_depth or len(path) >= MAXIMUM_LENGTH):
                self._note(path, f"the path is longer than {self.max_depth}")
                continue
            if self._prune and (reason := self._prune(path, issuer, candidate.trusted, below)):
                self._note(path, f"not by way of {_label(issuer)}: {reason}")
                continue
            if reason := self._signature(child, issuer):
                self._note(path, f"not by this {_label(issuer)}: {reason}")
                continue
            if candidate.trusted:
                yield (*path, issuer)
            else:
                yield from self._extend((*path, issuer), deeper)

    def _signature(self, child: Certificate, issuer: Certificate) -> str:
        """An empty string when the child is signed by the issuer's key, else the reason; each pair is checked once."""
        key = (child.der, issuer.public_key_info, self._sm2_id, self._weak_digests)
        found = self.bag.signatures.get(key)
        if found is None:
            if len(self.bag.signatures) >= MAXIMUM_SIGNATURES:
                self.exhausted = f"more than {MAXIMUM_SIGNATURES} signatures to check"
                return self.exhausted
            found = signature_problem(child, issuer, sm2_id=self._sm2_id, weak_digests=self._weak_digests)
            self.bag.signatures[key] = found
        return found

    def _note(self, path: tuple[Certificate, ...], reason: str) -> None:
        """Keep why a branch ended; a hostile bag has no end of them."""
        if len(self.notes) < MAXIMUM_NOTES:
            text = f"certificate {len(path) - 1} ({path[-1].subject}): {reason}"[:MAXIMUM_NOTE]
            if text not in self.notes:
                self.notes.append(text)
        elif len(self.notes) == MAXIMUM_NOTES:
            self.notes.append(f"and more than {MAXIMUM_NOTES} other branches")


def signature_problem(
    child: Certificate,
    issuer: Certificate,
    *,
    sm2_id: bytes = DEFAULT_SIGNER_ID,
    weak_digests: frozenset[str] = frozenset(),
) -> str:
    """Why a certificate is not signed by the issuer's key, or an empty string (RFC 5280 section 6.1.3 (a)(1)).

    Args:
        child: the certificate.
        issuer: whose key shall have signed it.
        sm2_id: identifier of an SM2 signer; no other one is tried.
        weak_digests: ``md5``, ``sha1``, where signatures with them count.
    """
    try:
        algorithm = algorithms.identify(child.signature_algorithm)
        if algorithm is not None:
            key, signature = issuer.public_key_info, child.signature
            return algorithms.verify_message(algorithm, key, child.tbs, signature, signer_id=sm2_id)
        if weak_digests:
            from signkit.algorithms import weak

            found = weak.identify(child.signature_algorithm)
            if found is not None and found.digest in weak_digests:
                return weak.verify(found, issuer.public_key_info, child.tbs, child.signature)
    except (MalformedError, ValueError, IndexError) as error:
        return f"its signature algorithm is malformed: {error}"
    return f"signature algorithm {algorithms.describe(child.signature_algorithm)} is not accepted"


def _occurs(issuer: Certificate, path: tuple[Certificate, ...]) -> bool:
    """Whether its name and key stand in the path already: RFC 4158 section 2.4.2."""
    for certificate in path:  # a loop, since it runs on every step
        if certificate.public_key_info == issuer.public_key_info and certificate.subject == issuer.subject:
            return True
    return False


def _label(certificate: Certificate) -> str:
    """Two certificates of one name are told apart by serial number and fingerprint."""
    return f"{certificate.subject} (serial {certificate.serial_number:x}, SHA-256 {certificate.fingerprint[:16]})"


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
