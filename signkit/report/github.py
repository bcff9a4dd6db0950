"""A verification as workflow commands of GitHub Actions: annotations that stand beside the job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signkit.report import findings, rules
from signkit.report.findings import Document, Finding
from signkit.report.printable import printable

MAXIMUM_ANNOTATIONS = 10
"""GitHub shows at most 10 errors and 10 warnings of a step; the last line says when there were more."""


def render(document: Document, _repeat: Sequence[str] = ()) -> str:
    """The annotations, a line each; nothing when there is nothing to look at."""
    found = [finding for finding in findings.of_verification(document) if finding.level != findings.NOTE]
    return "".join(f"{line}\n" for line in _lines(found))


def _lines(found: list[Finding]) -> Iterator[str]:
    for level in (findings.ERROR, findings.WARNING):
        of_level = [finding for finding in found if finding.level == level]
        shown = of_level[:MAXIMUM_ANNOTATIONS]
        if len(of_level) > MAXIMUM_ANNOTATIONS:
            shown = shown[:-1]
        yield from map(_annotation, shown)
        if len(of_level) > len(shown):
            yield f"::{level} title=signkit::and {len(of_level) - len(shown)} more, see the report"


def _annotation(finding: Finding) -> str:
    title = f"{finding.rule}: {rules.rule(finding.rule).title}"
    what = finding.message + (f". {finding.hint}" if finding.hint else "")
    path = _property(finding.subject)
    return f"::{finding.level} file={path},title={_property(title)}::{_data(f'{finding.subject}: {what}')}"


def _data(text: str) -> str:
    """Printable first: a line break in a file name must not begin another command."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
