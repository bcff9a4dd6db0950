"""Runs every session in ``transcripts/``, and tests the matcher that compares them (see ``transcript.py``)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.transcript import Outcome, difference, lines_match, parse, render, run
from tests.support.components import need_component
from tests.support.reports import check_report

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
UPDATE = os.environ.get("SIGNKIT_UPDATE_TRANSCRIPTS") == "1"


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_transcript(file: Path, tmp_path: Path) -> None:
    transcript = parse(file.read_text())
    need_component(*transcript.needs)
    outcomes = run(transcript, tmp_path)
    for step, outcome in zip(transcript.steps, outcomes, strict=True):
        check_report(outcome.lines, step.command)
    found = difference(transcript, outcomes, file.name)
    if found and UPDATE:
        file.write_text(render(transcript, outcomes).replace(str(tmp_path), "..."))
    elif found:
        pytest.fail(f"{found}\n\nSIGNKIT_UPDATE_TRANSCRIPTS=1 takes over what was found.", pytrace=False)


SESSION = """\
A file is read.
needs: openssl, strace

$ cat in/a.txt
one
two ... four

# The next one fails.
$ cat \\
> absent
cat: absent: ...
[exit 1]

$ echo "# no remark"
# no remark

-- file in/a.txt --
one
two three four
-- file empty --
"""


def test_parse_takes_a_session_apart() -> None:
    transcript = parse(SESSION)
    assert transcript.needs == ("openssl", "strace")
    assert [step.command for step in transcript.steps] == ["cat in/a.txt", "cat \\\nabsent", 'echo "# no remark"']
    assert [step.expected for step in transcript.steps] == [
        ("one", "two ... four"),
        ("cat: absent: ...",),
        ("# no remark",),
    ]
    assert [step.status for step in transcript.steps] == [0, 1, 0]


def test_parse_refuses_a_session_without_commands() -> None:
    with pytest.raises(ValueError, match="no line begins"):
        parse("only prose\n")


def test_unchanged_session_is_rendered_as_it_was(tmp_path: Path) -> None:
    transcript = parse(SESSION)
    outcomes = run(transcript, tmp_path)
    assert difference(transcript, outcomes, "session") == ""
    assert render(transcript, outcomes) == SESSION


@pytest.mark.parametrize(
    ("expected", "actual", "matches"),
    [
        (["a"], ["a"], True),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
        ([], [], True),
        ([], ["a"], False),
        (["a.c"], ["abc"], False),
        (["key ... created"], ["key 12 created"], True),
        (["key ... created"], ["key 12 destroyed"], False),
        (["a...b"], ["ab"], True),
        (["a...b"], ["a", "b"], False),
        (["..."], [], True),
        (["..."], ["a", "b"], True),
        (["a", "...", "d"], ["a", "b", "c", "d"], True),
        (["a", "  ...", "d"], ["a", "d"], True),
        (["a", "...", "d"], ["a", "b", "c"], False),
        (["...", "b", "..."], ["a", "b", "c"], True),
        (["(1) ..."], ["(1) x"], True),
    ],
)
def test_lines_match(expected: list[str], actual: list[str], matches: bool) -> None:
    assert lines_match(expected, actual) is matches


def test_difference_shows_what_changed_and_render_keeps_wildcards() -> None:
    transcript = parse("$ run\nid ... made\nold line\n")
    outcomes = [Outcome(("id 7 made", "new line"), 3)]
    lines = difference(transcript, outcomes, "session").splitlines()
    assert "-old line" in lines
    assert "+new line" in lines
    assert "+[exit 3]" in lines
    assert " id ... made" in lines
    assert render(transcript, outcomes) == "$ run\nid ... made\nnew line\n[exit 3]\n"


def test_other_exit_status_alone_is_a_difference() -> None:
    transcript = parse("$ run\nsame\n[exit 1]\n")
    assert "-[exit 1]" in difference(transcript, [Outcome(("same",), 0)], "session").splitlines()


def test_session_sees_nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNKIT_CONFIG", "/etc/passwd")
    monkeypatch.setenv("SIGNKIT_HOME", "/nowhere")
    session = """\
$ echo ${SIGNKIT_CONFIG-unset} ${SIGNKIT_HOME#$HOME} $NO_COLOR $COLUMNS
$ pwd; cat; echo error >&2; echo out
"""
    outcomes = run(parse(session), tmp_path)
    assert outcomes[0].lines == ("unset /signkit 1 80",)
    assert outcomes[1] == Outcome((str(tmp_path / "work"), "error", "out"), 0)
    assert (tmp_path / "bin" / "signkit").exists()
