"""What one piece of revocation evidence says about a certificate, and what all the answers come to.

Of the answers the most careful reading counts:

- A revocation that was in force at the time of signing fails, whichever source knows it, even a stale one: nobody takes
  a revocation back, except a hold. It is overruled only by a fresh answer of the same source (the same CRL issuer and
  scope, or OCSP for the same issuer) that was made later and says otherwise: a hold was lifted, a date was corrected.
  What the signature brings along never overrules what the verifier brought.
- A time-stamping authority's revocation counts at every time, unless its reason says that the key was merely given up:
  whoever has the key writes the time (RFC 3161 section 4).
- A certificate is good when fresh answers cover all reasons for a revocation and none was in force.
- Everything else is unknown.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from signkit.evidence import Check, Verdict
from signkit.x509.crl import Revoked
from signkit.x509.distribution_point import ALL_REASONS

SKEW = timedelta(minutes=5)
"""How far ahead the clock of whoever made the evidence may be."""

WITHOUT_NEXT_UPDATE = timedelta(days=1)
"""How long evidence counts that does not say when newer information comes."""

MAXIMUM_CHILDREN, MAXIMUM_REASONS = 20, 5
"""Most answers that are listed below a check, and most reasons that its one sentence gives."""


class Clocks(NamedTuple):
    """The moments that matter, all aware UTC.

    Attributes:
        at: the time of signing.
        now: the present.
        embedded_at: when embedded evidence must have been fresh; ``now`` unless a timestamp proves another moment.
    """

    at: datetime
    now: datetime
    embedded_at: datetime

    def signed_at(self, stated: datetime, embedded: bool) -> datetime:
        """When whoever signed evidence must have been entitled to: the time it states proves nothing by itself."""
        return max(stated, self.embedded_at) if embedded else self.now

    def stale(self, this_update: datetime, next_update: datetime | None, embedded: bool) -> str:
        """Why evidence is not fresh, or an empty string.

        Evidence that was embedded may have been made after ``embedded_at``: it then says more, not less.
        """
        reference = self.embedded_at if embedded else self.now
        if this_update - self.now > SKEW:
            return f"it is from the future: thisUpdate {text(this_update)}, now {text(self.now)}"
        if next_update is None and reference - this_update > WITHOUT_NEXT_UPDATE:
            return f"it is stale: thisUpdate {text(this_update)} without nextUpdate, judged at {text(reference)}"
        if next_update is not None and next_update < reference:
            return f"it is stale: nextUpdate {text(next_update)}, judged at {text(reference)}"
        return ""


class Answer(NamedTuple):
    """What one piece of evidence says about one certificate.

    Attributes:
        source: ``crl`` or ``ocsp``.
        issuer: who made it, for people.
        this_update: when it was right.
        next_update: when newer information comes, or None.
        embedded: whether it came with the signature.
        problem: why it can't be used at all; the rest then means nothing.
        stale: why it does not show that the certificate is good; it may still show that it is revoked.
        revoked: the revocation, or None.
        reasons: the reasons for a revocation that it covers.
        family: equal for answers of one source, of which a later one replaces an earlier one.
        backdates: whether the revocation counts before its date too.
    """

    source: str
    issuer: str
    this_update: datetime
    next_update: datetime | None
    embedded: bool
    problem: str = ""
    stale: str = ""
    revoked: Revoked | None = None
    reasons: frozenset[str] = ALL_REASONS
    family: Hashable = None
    backdates: bool = False

    def in_force(self, at: datetime) -> bool:
        """Whether it says that the certificate was revoked at that time, for good or with fresh knowledge of a hold."""
        if self.problem or self.revoked is None or (self.revoked.since > at and not self.backdates):
            return False
        return not (self.stale and self.revoked.reason == "certificateHold")

    @property
    def covers(self) -> bool:
        """Whether it can show that a certificate is good."""
        return not self.problem and not self.stale

    def facts(self) -> dict[str, Any]:
        """The answer as JSON-able values."""
        revoked = self.revoked
        return {
            "source": self.source,
            "issuer": self.issuer,
            "embedded": self.embedded,
            "this_update": text(self.this_update),
            "next_update": text(self.next_update),
            "revocation_date": text(revoked.revocation_date) if revoked else None,
            "invalidity_date": text(revoked.invalidity_date) if revoked else None,
            "reason": revoked.reason if revoked else None,
        }

    def describe(self, at: datetime) -> str:
        """One sentence."""
        name = "CRL of" if self.source == "crl" else "OCSP response of"
        what = f"{name} {self.issuer}, {text(self.this_update)}"
        if self.problem:
            return f"{what}: {self.problem}"
        if self.revoked is None:
            return f"{what}: {self.stale or 'not revoked'}"
        revoked = self.revoked
        since = f"revoked on {text(revoked.revocation_date)} ({revoked.reason})"
        if revoked.invalidity_date:
            since += f", invalid since {text(revoked.invalidity_date)}"
        stale = f"; {self.stale}" if self.stale else ""
        if self.backdates and revoked.since > at:
            why = "expected a reason that leaves its earlier timestamps valid (RFC 3161 section 4)"
            return f"{what}: {since}{'' if revoked.reason_given else ', no reason given'}, {why}{stale}"
        order = "after" if revoked.since > at else "not after"
        return f"{what}: {since}, which is {order} the signing time {text(at)}{stale}"

    def check(self, name: str, at: datetime) -> Check:
        """The answer as a check below ``revocation.N``."""
        verdict = Verdict.PASS if self.covers else Verdict.INDETERMINATE
        if self.in_force(at):
            verdict = Verdict.FAIL
        source = "RFC 5280 6.3.3" if self.source == "crl" else "RFC 6960 3.2"
        return Check(f"{name}.{self.source}", verdict, self.describe(at), self.facts(), source)


def decide(
    name: str, who: str, answers: Sequence[Answer], clocks: Clocks, *, notes: Sequence[str] = (), **facts: Any
) -> Check:
    """What all the answers about one certificate come to.

    Args:
        name: of the check.
        who: the certificate, for people.
        answers: all that was found.
        clocks: the moments that matter.
        notes: what else kept evidence from being used.
        facts: further facts.
    """
    at = clocks.at
    children = tuple(answer.check(name, at) for answer in answers[:MAXIMUM_CHILDREN])
    times = {"at": text(at), "now": text(clocks.now)}
    source = "RFC 5280 6.3"
    decisive = [one for one in answers if one.in_force(at) and not _overruled(one, answers, at)]
    if decisive:
        worst = min(decisive, key=lambda one: one.revoked.since if one.revoked else at)
        detail = f"{who} is revoked: {worst.describe(at)}"
        return Check(name, Verdict.FAIL, detail, {**worst.facts(), **times, **facts}, source, children)
    covering = [one for one in answers if one.covers and not one.in_force(at)]
    covered = frozenset[str]().union(*(one.reasons for one in covering))
    if covered >= ALL_REASONS:
        best = max(covering, key=lambda one: (one.revoked is not None, one.this_update))
        later = best.revoked is not None
        detail = f"{who} {'was not revoked when it signed' if later else 'is not revoked'}: {best.describe(at)}"
        return Check(name, Verdict.PASS, detail, {**best.facts(), **times, **facts}, source, children)
    why = [one.describe(at) for one in answers if not one.covers or one.in_force(at)]
    if covering:
        why.append(f"reasons that no CRL covers: {', '.join(sorted(ALL_REASONS - covered))}")
    why = list(dict.fromkeys([*why[:MAXIMUM_REASONS], *notes]))
    if len(answers) > MAXIMUM_REASONS:
        why.append(f"{len(answers)} pieces of evidence in all")
    detail = f"revocation of {who} is unknown: {'; '.join(why) or 'no CRL and no OCSP response of its issuer'}"
    return Check(name, Verdict.INDETERMINATE, detail, {**times, **facts}, source, children)


def _overruled(revoked: Answer, answers: Sequence[Answer], at: datetime) -> bool:
    return any(
        one.covers
        and not one.in_force(at)
        and one.family == revoked.family
        and one.this_update > revoked.this_update
        and (revoked.embedded or not one.embedded)
        for one in answers
    )


def text(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, whole seconds."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
