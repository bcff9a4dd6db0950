"""A validated certification path as people and programs read it: verdict, path, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signkit.evidence import Verdict
from signkit.report import text, verification
from signkit.report.json import certificate, time
from signkit.verification.path_outcome import PathOutcome

SCHEMA = "signkit.path/v1"


def document(outcome: PathOutcome, *, tool_version: str) -> dict[str, Any]:
    """The report as a JSON-able object; checks have the form they have in the verification report."""
    return {
        "schema": SCHEMA,
        "accepted": bool(outcome),
        "exit_status": outcome.exit_status,
        "reasons": list(outcome.reasons),
        "at": time(outcome.at),
        "now": time(outcome.now),
        "purpose": outcome.purpose,
        "profile": outcome.profile,
        "tool": {"name": "signkit", "version": tool_version},
        "certificate": outcome.name,
        "path": [certificate(one) for one in outcome.result.path],
        "paths_tried": list(outcome.result.tried),
        "checks": [verification.check_object(check) for check in outcome.result.checks],
    }


def lines(outcome: PathOutcome, *, every_check: bool = False) -> Iterator[str]:
    """The report, line by line.

    Args:
        outcome: the outcome.
        every_check: list the checks that passed, and the other paths, too.
    """
    verdict = "ACCEPTED" if outcome else f"REFUSED ({outcome.exit_status}): {', '.join(outcome.reasons)}"
    yield f"{outcome.name}: {verdict}"
    yield f"  for {outcome.purpose} by profile {outcome.profile}, at {time(outcome.at)}"
    for position, one in enumerate(outcome.result.path):
        yield f"  {position} {one.subject}"
        yield f"    {one.key_type}, valid from {time(one.not_before)} to {time(one.not_after)}"
    for check in outcome.result.checks:
        if every_check or check.verdict is not Verdict.PASS or check.facts.get("warning"):
            yield from text.check_lines(check)
    if every_check or not outcome:
        yield from (f"  tried: {line}" for line in outcome.result.tried)
