"""A verification as Markdown (GitHub's and GitLab's dialect), for job summaries and merge-request comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from signkit.report import findings
from signkit.report.findings import Document, Finding
from signkit.report.printable import printable

_LEVELS = {findings.ERROR: "**refuses**", findings.WARNING: "warning", findings.NOTE: "note"}
MAXIMUM_ROWS = 1000
"""Most rows of a table; pages that show the report have limits of their own (1 MiB on GitHub)."""


def render(document: Document, repeat: Sequence[str] = ()) -> str:
    """A verification report as Markdown, with the commands that repeat the verification."""
    commands = ["", "Repeat it with:", "", *(f"    {printable(line)}" for line in repeat)] if repeat else []
    return "\n".join([*_lines(document), *commands, ""])


def _lines(document: Document) -> Iterator[str]:
    accepted, total = findings.count(document)
    word = "ACCEPTED" if document["accepted"] else f"REFUSED (status {document['exit_status']})"
    if not document["accepted"] and document["exit_status"] < 10:
        word = f"NOT DECIDED (status {document['exit_status']})"
    yield f"## signkit verification: {word}"
    yield ""
    yield f"{accepted} of {total} artifacts accepted, judged at {document['now']}."
    yield ""
    yield "| artifact | verdict | signer | reasons |"
    yield "| --- | --- | --- | --- |"
    rows = sorted(document["artifacts"], key=lambda artifact: artifact["accepted"])
    for artifact in rows[:MAXIMUM_ROWS]:
        signers = ", ".join(signer["subject"] or "unknown" for signer in artifact["signers"])
        yield f"| {_cell(artifact['artifact'])} | {findings.verdict(artifact)} | {_cell(signers)} | " + (
            f"{_cell(', '.join(artifact['reasons']))} |"
        )
    if total > MAXIMUM_ROWS:
        yield f"| and {total - MAXIMUM_ROWS} more | | | |"
    found = list(findings.of_verification(document))
    decisive = [finding for finding in found if finding.level != findings.NOTE]
    if decisive:
        yield ""
        yield from _findings(decisive)
    for message in dict.fromkeys(finding.message for finding in found if finding.level == findings.NOTE):
        yield ""
        yield f"identity: {message}"


def _findings(found: Iterable[Finding]) -> Iterator[str]:
    yield "| artifact | check | | what | expected | found | what to do |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for number, one in enumerate(found):
        if number == MAXIMUM_ROWS:
            yield "| ... | | | | | | |"
            return
        texts = [_cell(text) for text in (one.message, one.expected, one.found)]
        yield f"| {_cell(one.subject)} | {one.rule} | {_LEVELS[one.level]} | {' | '.join(texts)} | {one.hint} |"


def _cell(text: str) -> str:
    """Text as it is, whatever it says: in a code span nothing becomes a link, an image, a mention, HTML or a cell."""
    shown = printable(text).replace("|", "\\|")
    if not shown:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    padding = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"
