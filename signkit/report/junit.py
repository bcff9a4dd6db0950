"""A verification as JUnit XML: a suite for each artifact, a case for each check, for the test pages of CI systems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from signkit.report import findings
from signkit.report.findings import Document, Finding
from signkit.report.printable import printable

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(document: Document, _repeat: Sequence[str] = ()) -> str:
    """A verification report as JUnit XML.

    What leaves the verdict open for want of a file is an error there, and not a failure.
    """
    suites = [list(_suite(artifact, document["now"])) for artifact in document["artifacts"]]
    return _whole(suites)


def render_findings(found: Iterable[Finding], subject: str, rule_names: Iterable[str]) -> str:
    """Findings about one file as JUnit XML, with a case for each rule that was applied."""
    by_rule: dict[str, list[Finding]] = {name: [] for name in rule_names}
    for finding in found:
        by_rule.setdefault(finding.rule, []).append(finding)
    cases = [_case(subject, rule, _of_findings(listed)) for rule, listed in by_rule.items()]
    return _whole([[_head(subject, cases, ""), *cases, "  </testsuite>"]])


def _whole(suites: Iterable[Iterable[str]]) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="signkit">']
    lines += [line for suite in suites for line in suite]
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(artifact: Document, now: str) -> Iterator[str]:
    name = artifact["artifact"]
    cases = [_case(name, _case_name(check), _outcome(check, artifact)) for check in artifact["checks"]]
    if not artifact["accepted"] and not any("<failure" in case or "<error" in case for case in cases):
        reasons = ", ".join(artifact["reasons"])
        cases.append(_case(name, "verdict", f'      <failure message={_quoted(reasons)} type="verdict"/>'))
    yield _head(name, cases, now)
    yield from cases
    yield "  </testsuite>"


def _head(name: str, cases: list[str], now: str) -> str:
    numbers = {kind: sum(f"<{kind}" in case for case in cases) for kind in ("failure", "error", "skipped")}
    stamp = f" timestamp={_quoted(now.removesuffix('Z'))}" if now else ""
    return (
        f'  <testsuite name={_quoted(name)} tests="{len(cases)}" failures="{numbers["failure"]}" '
        f'errors="{numbers["error"]}" skipped="{numbers["skipped"]}" time="0"{stamp}>'
    )


def _case_name(check: Document) -> str:
    signer = check["facts"].get("signer")
    return check["name"] if signer is None else f"{check['name']} (signer {signer})"


def _case(classname: str, name: str, outcome: str) -> str:
    head = f'    <testcase classname={_quoted(classname)} name={_quoted(name)} time="0"'
    return f"{head}>\n{outcome}\n    </testcase>" if outcome else f"{head}/>"


def _outcome(check: Document, artifact: Document) -> str:
    """The element inside a case; empty for a check that passed."""
    level = findings.level_of(check, artifact)
    if level == findings.ERROR:
        kind = "failure" if artifact["exit_status"] >= 10 else "error"
        facts = [f"{name}: {findings.text(value)}" for name, value in check["facts"].items()]
        body = "\n".join([check["detail"], *facts, *([f"source: {check['source']}"] if check["source"] else [])])
        return f"      <{kind} message={_quoted(check['detail'])} type={_quoted(check['name'])}>{_text(body)}</{kind}>"
    if check["verdict"] != "pass":
        said = check["detail"] if check["verdict"] == "skipped" else f"{check['verdict']}: {check['detail']}"
        return f"      <skipped message={_quoted(said)}/>"
    return ""


def _of_findings(found: list[Finding]) -> str:
    errors = [finding for finding in found if finding.level == findings.ERROR]
    if errors:
        body = "\n".join(finding.message for finding in found)
        return (
            f"      <failure message={_quoted(errors[0].message)} type={_quoted(errors[0].rule)}>"
            f"{_text(body)}</failure>"
        )
    return f"      <skipped message={_quoted('; '.join(f.message for f in found))}/>" if found else ""


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", printable(text)))


def _text(text: str) -> str:
    shown = "\n".join(printable(line) for line in text.split("\n"))
    return escape(_NOT_XML.sub("\ufffd", shown))
