"""Evidence: a tree of named checks with facts, before any policy has judged it.

A check says what was looked at, what was expected and what was found. Nothing here decides whether a signature is
accepted; ``verification.decide`` does, and a check that was required and is missing counts as a failure there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class Verdict(StrEnum):
    """What one check came to. ``INDETERMINATE`` = it could not be decided with what was at hand; never counted as good.

    After the three verdicts of ETSI EN 319 102-1 section 5.1; ``SKIPPED`` marks a check nobody asked for.
    """

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INDETERMINATE = "indeterminate"
    SKIPPED = "skipped"


class Check(NamedTuple):
    """One named check.

    Attributes:
        name: stable dotted name, for example ``path.1.validity``.
        verdict: what it came to.
        detail: one sentence for a person, with the found and the expected value.
        facts: JSON-able values; ``expected`` and ``found`` where there are such.
        source: the clause that demands it, for example ``RFC 5652 5.6``.
        children: the checks that this one is made of.
    """

    name: str
    verdict: Verdict
    detail: str = ""
    facts: Mapping[str, Any] = MappingProxyType({})
    source: str = ""
    children: tuple[Check, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the verdict is ``PASS``."""
        return self.verdict is Verdict.PASS

    def walk(self) -> Iterator[Check]:
        """This check and all below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()


def passed(name: str, detail: str = "", *, source: str = "", **facts: Any) -> Check:
    """A check that passed."""
    return Check(name, Verdict.PASS, detail, facts, source)


def failed(name: str, detail: str, *, source: str = "", **facts: Any) -> Check:
    """A check that failed."""
    return Check(name, Verdict.FAIL, detail, facts, source)


def indeterminate(name: str, detail: str, *, source: str = "", **facts: Any) -> Check:
    """A check that could not be decided."""
    return Check(name, Verdict.INDETERMINATE, detail, facts, source)


def skipped(name: str, detail: str, *, source: str = "", **facts: Any) -> Check:
    """A check that nobody asked for."""
    return Check(name, Verdict.SKIPPED, detail, facts, source)


def combine(checks: Sequence[Check]) -> Verdict:
    """The verdict of a group: one failure fails it, else one indeterminate leaves it open; an empty group is open."""
    verdicts = {check.verdict for check in checks}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if Verdict.INDETERMINATE in verdicts or not verdicts - {Verdict.SKIPPED}:
        return Verdict.INDETERMINATE
    return Verdict.PASS


def group(name: str, children: Sequence[Check], detail: str = "", *, source: str = "", **facts: Any) -> Check:
    """A check whose verdict is that of its children."""
    return Check(name, combine(children), detail, facts, source, tuple(children))


def find(checks: Sequence[Check], name: str) -> Check | None:
    """The first check of that name in the trees, depth first, or None."""
    for root in checks:
        for check in root.walk():
            if check.name == name:
                return check
    return None
