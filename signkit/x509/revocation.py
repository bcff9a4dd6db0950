"""Revocation of the certificates of a path, judged from CRLs (RFC 5280 section 6.3) and OCSP responses (RFC 6960).

Two clocks: ``at``, the time of signing, decides whether a revocation counts; ``now`` decides whether evidence is fresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from signkit import algorithms
from signkit.errors import MalformedError
from signkit.evidence import Check
from signkit.x509 import crl, crl_status, ocsp, ocsp_status
from signkit.x509.certificate import Certificate
from signkit.x509.crl import CertificateList
from signkit.x509.crl_status import HeldList
from signkit.x509.names import Name
from signkit.x509.ocsp_status import HeldResponse
from signkit.x509.path import Bag
from signkit.x509.revocation_answer import Answer, Clocks, decide
from signkit.x509.revocation_signers import Signers, Subject

MAXIMUM_NOTES = 5
MAXIMUM_RESPONSES = 256
"""Most OCSP responses from outside that are read, and as many again that are embedded."""

KEPT_BY_CABF = timedelta(days=3652)
"""How long a public code-signing authority keeps revoked certificates on its CRLs after they expired (CSBR 7.2)."""

Checker = Callable[[tuple[Certificate, ...]], list[Check]]
"""Judges a path, leaf first, anchor last: one check ``revocation.N`` for each certificate but the anchor."""


class RevocationEvidence(NamedTuple):
    """What is known about revocation. All DER.

    Attributes:
        crls: CRLs from outside: files, network.
        ocsp_responses: OCSP responses from outside.
        embedded_crls: CRLs that came with the signature or its timestamp, chosen by whoever made it.
        embedded_ocsp_responses: OCSP responses that came with the signature, OCSPResponse or BasicOCSPResponse.
    """

    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    embedded_crls: tuple[bytes, ...] = ()
    embedded_ocsp_responses: tuple[bytes, ...] = ()


def checker(
    evidence: RevocationEvidence,
    *,
    bag: Bag,
    at: datetime,
    now: datetime,
    mode: str,
    profile: object | None = None,
    sm2_id: bytes = algorithms.DEFAULT_SIGNER_ID,
    embedded_at: datetime | None = None,
    stamping: bool = False,
) -> Checker:
    """What judges the certificates of paths by this evidence.

    Args:
        evidence: CRLs and OCSP responses.
        bag: certificates for the paths of CRL issuers and OCSP responders.
        at: time of signing: what was revoked later does not count.
        now: the present: evidence from outside must be fresh then.
        mode: ``check`` or ``require``; stands in the facts.
        profile: validation profile for the paths of CRL issuers and OCSP responders; None = the default one.
        sm2_id: identifier of SM2 signers.
        embedded_at: the proven time at which embedded evidence must have been fresh; None = ``now``.
        stamping: whether the paths are those of time-stamping authorities, whose ``at`` is their own word: a
            revocation then counts at every time, unless its reason is one that RFC 3161 section 4 exempts.
    """
    kept_for = KEPT_BY_CABF if str(getattr(profile, "name", profile)) == "cabf" else timedelta()
    clocks = Clocks(at, now, now if embedded_at is None else embedded_at)
    options = {} if profile is None else {"profile": profile}
    if sm2_id != algorithms.DEFAULT_SIGNER_ID:
        options["sm2_id"] = sm2_id
    return _Judge(evidence, bag, clocks, mode, kept_for, sm2_id, options, stamping)


class _Judge:
    """Judges paths. What was read and which signatures were checked is remembered from one path to the next."""

    def __init__(
        self,
        evidence: RevocationEvidence,
        bag: Bag,
        clocks: Clocks,
        mode: str,
        kept_for: timedelta,
        sm2_id: bytes,
        options: dict[str, Any],
        stamping: bool,
    ) -> None:
        self._stamping = stamping
        self._pool = _Pool(evidence)
        self._clocks = clocks
        self._mode = mode
        self._kept_for = kept_for
        self._signers = Signers(bag, sm2_id=sm2_id, options=options, judge=self)

    def __call__(self, path: tuple[Certificate, ...]) -> list[Check]:
        return [self._check(position, path) for position in range(len(path) - 1)]

    def _check(self, position: int, path: tuple[Certificate, ...]) -> Check:
        subject = Subject(path[position], path[position + 1], path[-1])
        answers: list[Answer] = []
        notes = []
        try:
            # What the verifier brought comes first: embedded junk must not use up the budget before it.
            for embedded in (False, True):
                responses = self._pool.responses(embedded)
                answers += ocsp_status.answers(subject, responses, self._signers, self._clocks)
                lists = self._pool.lists(crl_status.crl_issuers(subject.certificate), embedded, self._signers)
                answers += crl_status.answers(subject, lists, self._signers, self._clocks, kept_for=self._kept_for)
        except MalformedError as error:
            notes.append(error.message)
        if self._stamping:
            answers = [one._replace(backdates=one.revoked is not None and not one.revoked.retired) for one in answers]
        notes += filter(None, map(self._signers.exhausted, (False, True)))
        who = f"certificate {position} ({subject.certificate.subject})"
        notes += self._pool.notes
        return decide(f"revocation.{position}", who, answers, self._clocks, notes=notes, mode=self._mode)


class _Pool:
    """All evidence, read when it is first needed: CRLs are parsed only when their issuer's name matters."""

    def __init__(self, evidence: RevocationEvidence) -> None:
        self.notes: list[str] = []
        self._responses = {
            False: self._read_responses(evidence.ocsp_responses, False),
            True: self._read_responses(evidence.embedded_ocsp_responses, True),
        }
        self._lists = {False: self._by_issuer(evidence.crls), True: self._by_issuer(evidence.embedded_crls)}
        self._parsed: dict[bytes, CertificateList | None] = {}

    def responses(self, embedded: bool) -> list[HeldResponse]:
        """The OCSP responses that can be read."""
        return self._responses[embedded]

    def lists(self, issuers: frozenset[Name], embedded: bool, signers: Signers) -> Iterator[HeldList]:
        """The CRLs of some issuers that can be read, until the budget for their signatures is used up."""
        for issuer in issuers:
            for der in self._lists[embedded].get(issuer, ()):
                if problem := signers.exhausted(embedded):
                    self._note(problem)
                    return
                found = self._list(der)
                if found is not None:
                    yield HeldList(found, embedded)

    def _list(self, der: bytes) -> CertificateList | None:
        if der not in self._parsed:
            try:
                self._parsed[der] = crl.load(der)
            except MalformedError as error:
                self._parsed[der] = None
                self._note(f"a CRL of {crl.issuer_of(der)} can't be read: {error.message}")
        return self._parsed[der]

    def _by_issuer(self, ders: tuple[bytes, ...]) -> dict[Name, list[bytes]]:
        found: dict[Name, list[bytes]] = {}
        for der in dict.fromkeys(ders):
            try:
                found.setdefault(crl.issuer_of(der), []).append(der)
            except MalformedError as error:
                self._note(f"a CRL can't be read: {error.message}")
        return found

    def _read_responses(self, ders: tuple[bytes, ...], embedded: bool) -> list[HeldResponse]:
        found = []
        for der in list(dict.fromkeys(ders))[:MAXIMUM_RESPONSES]:
            try:
                found.append(HeldResponse(ocsp.load(der), embedded))
            except MalformedError as error:
                self._note(f"an OCSP response can't be read: {error.message}")
        return found

    def _note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < MAXIMUM_NOTES:
            self.notes.append(text)
