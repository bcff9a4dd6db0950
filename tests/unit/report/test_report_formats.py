"""SARIF, JUnit, Markdown, GitHub and HTML say the same as the JSON report, and nothing in it can run or break out."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from signkit.errors import UsageError
from signkit.report import findings, github, html, junit, markdown, renderer, sarif
from tests.support.sample_report import HOSTILE, artifact, check, document, refused

ROOT = Path(__file__).resolve().parents[3]
SARIF = Draft202012Validator(json.loads((ROOT / "fixtures" / "schemas" / "sarif-2.1.0.json").read_text()))
GOOD = document(artifact("good.bin", check("artifact.digest")))
BAD = document(artifact("good.bin", check("artifact.digest")), refused())
UNREADABLE = document(artifact("gone.bin", check("artifact.readable", "fail", "no such file"), status=3))
NASTY = document(refused(HOSTILE, subject=HOSTILE))
EVERY = [GOOD, BAD, UNREADABLE, NASTY]


def sarif_run(report: dict[str, Any]) -> dict[str, Any]:
    """The only run, after the whole was held against OASIS's schema."""
    parsed = json.loads(sarif.render(report, ["signkit verify app.bin"]))
    assert not [f"{error.json_path}: {error.message}" for error in SARIF.iter_errors(parsed)]
    (run,) = parsed["runs"]
    return dict(run)


@pytest.mark.parametrize("report", EVERY)
def test_sarif_is_valid_and_its_references_lead_somewhere(report: dict[str, Any]) -> None:
    run = sarif_run(report)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        location = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert run["artifacts"][location["index"]]["location"]["uri"] == location["uri"]


def test_sarif_has_a_result_for_what_refused_and_a_weaker_one_for_what_was_tolerated() -> None:
    levels = {result["ruleId"]: result["level"] for result in sarif_run(BAD)["results"]}
    assert levels == {"artifact.digest": "error", "revocation.0": "warning", "identity": "note"}
    digest = next(r for r in sarif_run(BAD)["results"] if r["ruleId"] == "artifact.digest")
    assert digest["properties"]["found"] == "0" * 64
    assert digest["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "app.bin"
    assert sarif_run(BAD)["invocations"][0]["exitCode"] == 12


def test_sarif_of_what_was_accepted_has_no_result_that_alarms() -> None:
    assert not [r for r in sarif_run(GOOD)["results"] if r["level"] in ("error", "warning")]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("dist/my app#1.bin", "dist/my%20app%231.bin"),
        ("./a.bin", "a.bin"),
        ("/srv/a.bin", "file:///srv/a.bin"),
        ("a\udcff.bin", "a%FF.bin"),
        ("c:d", "c%3Ad"),
    ],
)
def test_sarif_locations_are_uris(path: str, uri: str) -> None:
    run = sarif_run(document(refused(path)))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_sarif_fingerprints_stay_when_only_what_was_found_changes() -> None:
    other = refused()
    other["checks"][1]["facts"]["found"] = "1" * 64
    prints = [
        [r["partialFingerprints"] for r in sarif_run(d)["results"]] for d in (document(refused()), document(other))
    ]
    assert prints[0] == prints[1]


def suites(report: dict[str, Any]) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(junit.render(report)))


def test_junit_has_a_suite_for_each_artifact_and_a_case_for_each_check() -> None:
    good, bad = suites(BAD)
    assert good.get("name") == "good.bin" and good.get("failures") == "0"
    assert (bad.get("tests"), bad.get("failures"), bad.get("errors"), bad.get("skipped")) == ("4", "1", "0", "2")
    failure = bad.find("testcase[@name='artifact.digest']/failure")
    assert failure is not None and "0" * 64 in str(failure.text)


def test_junit_calls_what_could_not_be_decided_an_error() -> None:
    (suite,) = suites(UNREADABLE)
    assert suite.get("errors") == "1" and suite.find("testcase/error") is not None


def test_junit_of_a_refusal_never_looks_green() -> None:
    silent = artifact("a", check("artifact.digest"), status=19)
    silent["reasons"] = ["policy.matched"]
    (suite,) = suites(document(silent))
    assert suite.get("failures") == "1"


@pytest.mark.parametrize("report", EVERY)
def test_junit_counts_are_those_of_its_elements(report: dict[str, Any]) -> None:
    for suite in suites(report):
        for kind in ("failure", "error", "skipped"):
            name = {"failure": "failures", "error": "errors", "skipped": "skipped"}[kind]
            assert int(suite.get(name, "")) == len(suite.findall(f"testcase/{kind}"))


def test_markdown_keeps_hostile_text_in_its_cell() -> None:
    page = markdown.render(NASTY)
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5, 8}
    outside = re.sub(r"(`+) ?.*?[^`]\1(?!`)", "", page)
    for piece in ("<script", "](javascript", "@everyone", "\x1b", "\u202e"):
        assert piece not in outside


def test_markdown_says_verdict_reason_and_that_nobody_checked_the_identity() -> None:
    page = markdown.render(BAD, ["signkit verify app.bin"])
    assert page.startswith("## signkit verification: REFUSED (status 12)")
    assert "artifact.digest | **refuses**" in page and "identity: not checked" in page
    assert "    signkit verify app.bin" in page


def test_github_annotations_are_one_line_each_and_no_file_name_can_begin_another() -> None:
    lines = github.render(NASTY).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("::error file=") and lines[1].startswith("::warning file=")
    properties = lines[0].removeprefix("::error ").split("::")[0]
    assert len(properties.split(",")) == 2 and properties.count(":") == 0


def test_github_shows_no_more_than_its_page_does_and_says_so() -> None:
    many = document(*[refused(f"{number}.bin") for number in range(30)])
    errors = [line for line in github.render(many).splitlines() if line.startswith("::error")]
    assert len(errors) == github.MAXIMUM_ANNOTATIONS
    assert errors[-1].endswith("and 21 more, see the report")


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and the references to something outside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.references += [
            str(value) for name, value in attrs if name in ("href", "src") and not str(value).startswith("#")
        ]
        assert not [name for name, _value in attrs if name.startswith("on") or name == "style"]
        if tag not in ("meta", "br", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "br", "rect"):
            assert self.open.pop() == tag


@pytest.mark.parametrize("report", EVERY)
def test_html_is_well_formed_and_self_contained(report: dict[str, Any]) -> None:
    page = Page(html.render(report, ["signkit verify"]))
    assert not page.open and not page.references
    assert "script" not in page.elements and "h1" in page.elements


def test_html_says_the_verdict_first_and_shows_every_check() -> None:
    page = html.render(BAD)
    assert page.index("REFUSED") < page.index("good.bin") < page.index("artifact.digest")
    for artifact_ in BAD["artifacts"]:
        for one in artifact_["checks"]:
            assert f">{one['name']}</code>" in page
    assert "1 of 2 artifacts accepted" in page and "judged at: 2026-06-01" in page and "timestamp: 2026-02-01" in page


def test_a_check_that_a_policy_lowered_is_no_error() -> None:
    lowered = artifact("a", check("path.1.policies", "fail", "no policy", action="warn"))
    (finding,) = findings.of_verification(document(lowered))
    assert finding.level == findings.WARNING


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_a_report(name: str, subject: str, detail: str) -> None:
    one = artifact(
        name, check("artifact.digest", "fail", detail, expected=subject, found=detail), status=12, subject=subject
    )
    whole = document(one)
    sarif_run(whole)
    assert suites(whole)[0].get("failures") == "1"
    Page(html.render(whole, [detail]))
    assert len(github.render(whole).splitlines()) == 1
    assert len([line for line in markdown.render(whole).split("\n") if line.startswith("|")]) == 6


def test_an_unknown_format_is_named_with_those_there_are() -> None:
    with pytest.raises(
        UsageError, match="'pdf' is not a report format: expected one of html json junit markdown sarif"
    ):
        renderer("pdf")
