"""What a report's reader must look at: the checks of a verification that did not pass, each with its weight.

SARIF, JUnit, Markdown, GitHub and HTML are written from the JSON document of ``report.verification`` by way of this
module, so they agree with it and with each other, and an archived JSON report can be rendered again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from signkit.verification.result import hint_for_name

Document = Mapping[str, Any]

ERROR, WARNING, NOTE = "error", "warning", "note"
"""How much a finding weighs: it refuses, it should be looked at, it should be known. SARIF's words."""


class Finding(NamedTuple):
    """One thing that somebody must look at.

    Attributes:
        rule: stable name of what was checked, for example ``artifact.digest``.
        level: ``ERROR``, ``WARNING`` or ``NOTE``.
        subject: the file it is about.
        message: one sentence.
        expected: what was expected; empty when the check has no such value.
        found: what was found, likewise.
        source: the clause that demands it.
        hint: what to do about it.
        signer: number of the signer in its signature file, or None when it is not one of several.
    """

    rule: str
    level: str
    subject: str
    message: str
    expected: str = ""
    found: str = ""
    source: str = ""
    hint: str = ""
    signer: int | None = None


def of_verification(document: Document) -> Iterator[Finding]:
    """All findings of a verification report (``signkit.verification/v1``), in its order."""
    for artifact in document["artifacts"]:
        for check in artifact["checks"]:
            if level := level_of(check, artifact):
                yield _finding(check, artifact, level)


def level_of(check: Document, artifact: Document) -> str:
    """How much a check weighs in the verdict on its artifact; empty when there is nothing to look at."""
    if check["verdict"] in ("fail", "indeterminate"):
        decisive = not artifact["accepted"] and check["name"] in artifact["reasons"]
        return ERROR if decisive and check["facts"].get("action") != "warn" else WARNING
    return NOTE if check["name"] == "identity" and check["verdict"] == "skipped" else ""


def text(value: object) -> str:
    """A fact as text: lists with commas, absent values empty."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def count(document: Document) -> tuple[int, int]:
    """How many artifacts were accepted, and how many there are."""
    artifacts: Sequence[Document] = document["artifacts"]
    return sum(artifact["accepted"] for artifact in artifacts), len(artifacts)


def verdict(artifact: Document) -> str:
    """The verdict on one artifact in words."""
    if artifact["accepted"]:
        return "ACCEPTED"
    return "REFUSED" if artifact["exit_status"] >= 10 else "NOT DECIDED"


def _finding(check: Document, artifact: Document, level: str) -> Finding:
    facts = check["facts"]
    return Finding(
        rule=check["name"],
        level=level,
        subject=artifact["artifact"],
        message=check["detail"] or check["name"],
        expected=text(facts.get("expected")),
        found=text(facts.get("found")),
        source=check["source"],
        hint=hint_for_name(check["name"]),
        signer=facts.get("signer"),
    )
