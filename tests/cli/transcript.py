"""Transcripts: sessions in a shell, written down as a user sees them, that are run and compared.

A transcript is a text file::

    What the session shows, in plain words.
    needs: openssl

    $ signkit key create --type EC_P256 \\
    > --alias alias/release
    created key ... with version 1, alias/release

    # A line like this, after an empty one, is a remark.
    $ signkit verify app.bin --trust root.pem
    signkit: error: ...
    signkit: hint: ...
    [exit 10]

    -- file app.bin --
    any text

- Everything before the first ``$`` is prose; a line ``needs: PROGRAM, PROGRAM`` there names components of the system.
- ``$`` begins a command, ``>`` goes on with it. Each command is one ``bash -c`` in the transcript's own folder: files
  stay from one to the next, the shell's variables and current folder do not.
- Then comes what it prints: stdout and stderr together, in order. Empty lines at the end do not count.
- ``...`` within a line stands for any text, alone on a line for any number of lines.
- ``[exit N]`` ends the output of a command whose exit status is not 0.
- From the first ``-- file NAME --`` on come the input files, each up to the next such line or the end.

``SIGNKIT_UPDATE_TRANSCRIPTS=1`` writes what was printed into the transcript, keeping the wildcards that still match.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

WILDCARD = "..."
_EXIT = re.compile(r"\[exit (\d+)\]")
_FILE = re.compile(r"-- file (\S+) --")
_NEEDS = re.compile(r"needs:\s*(.+)")
_TIMEOUT_SECONDS = 120


class Step(NamedTuple):
    """One command of a transcript.

    Attributes:
        source: its lines in the transcript, with prompts.
        command: what bash runs.
        expected: the lines it should print.
        status: the exit status it should end with.
        after: the remarks and empty lines that follow.
    """

    source: tuple[str, ...]
    command: str
    expected: tuple[str, ...]
    status: int
    after: tuple[str, ...]


class Transcript(NamedTuple):
    """A parsed transcript.

    Attributes:
        prose: the lines before the first command.
        steps: the commands.
        files: the lines from the first input file on.
    """

    prose: tuple[str, ...]
    steps: tuple[Step, ...]
    files: tuple[str, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """Programs that the session calls besides signkit and what every Linux has."""
        found = (_NEEDS.fullmatch(line) for line in self.prose)
        return tuple(name.strip() for match in found if match for name in match[1].split(","))

    def write_files(self, folder: Path) -> None:
        """Write the input files."""
        contents: dict[str, list[str]] = {}
        for line in self.files:
            if marker := _FILE.fullmatch(line):
                current = contents.setdefault(marker[1], [])
            else:
                current.append(line)
        for name, lines in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in lines))


class Outcome(NamedTuple):
    """What a command really did: the lines it printed and its exit status."""

    lines: tuple[str, ...]
    status: int


def parse(text: str) -> Transcript:
    """Parse a transcript.

    Raises:
        ValueError: it has no command.
    """
    lines = text.splitlines()
    end = next((number for number, line in enumerate(lines) if _FILE.fullmatch(line)), len(lines))
    starts = [number for number in range(end) if lines[number].startswith("$ ")]
    if not starts:
        raise ValueError("no line begins with '$ '")
    steps = [_parse_step(lines[start:stop]) for start, stop in zip(starts, [*starts[1:], end], strict=True)]
    return Transcript(tuple(lines[: starts[0]]), tuple(steps), tuple(lines[end:]))


def _parse_step(lines: Sequence[str]) -> Step:
    body = 1
    while body < len(lines) and lines[body].startswith("> "):
        body += 1
    end = len(lines)
    # Backwards over paragraphs that are empty or remarks only: they belong between this command and the next one.
    for number in range(len(lines) - 1, body - 1, -1):
        if not lines[number]:
            end = number
        elif not lines[number].startswith("# "):
            break
    # A remark directly below the command, without an empty line, is output.
    expected, status = list(lines[body:end]), 0
    if expected and (match := _EXIT.fullmatch(expected[-1])):
        expected, status = expected[:-1], int(match[1])
    command = "\n".join(line[2:] for line in lines[:body])
    return Step(tuple(lines[:body]), command, tuple(expected), status, tuple(lines[end:]))


def render(transcript: Transcript, outcomes: Sequence[Outcome]) -> str:
    """The transcript as it should read after these outcomes: where one is as expected, its text stays as it is."""
    lines = list(transcript.prose)
    for step, outcome in zip(transcript.steps, outcomes, strict=True):
        lines += step.source
        lines += step.expected if lines_match(step.expected, outcome.lines) else _keep_wildcards(step, outcome)
        if outcome.status:
            lines.append(f"[exit {outcome.status}]")
        lines += step.after
    return "\n".join([*lines, *transcript.files]) + "\n"


def _keep_wildcards(step: Step, outcome: Outcome) -> list[str]:
    """The printed lines, each in the form with wildcards that the transcript has for it, if it has one."""
    patterns = [line for line in step.expected if WILDCARD in line and line.strip() != WILDCARD]
    return [next((pattern for pattern in patterns if lines_match([pattern], [line])), line) for line in outcome.lines]


def lines_match(expected: Sequence[str], actual: Sequence[str]) -> bool:
    """Whether printed lines are as expected; ``...`` is a wildcard."""
    parts = []
    for line in expected:
        if line.strip() == WILDCARD:
            parts.append(r"(?:[^\n]*\n)*")
        else:
            parts.append("[^\\n]*".join(re.escape(part) for part in line.split(WILDCARD)) + "\\n")
    return re.fullmatch("".join(parts), "".join(f"{line}\n" for line in actual)) is not None


def run(transcript: Transcript, folder: Path) -> list[Outcome]:
    """Run the commands in ``folder / "work"``; home and settings lie beside it, in ``folder``."""
    work, home, programs = folder / "work", folder / "home", folder / "bin"
    for new in (work, home, programs):
        new.mkdir()
    shim = programs / "signkit"
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m signkit "$@"\n')
    shim.chmod(0o755)
    transcript.write_files(work)
    environment = {
        **{name: value for name, value in os.environ.items() if name == "PYTHONPATH"},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "SIGNKIT_HOME": str(home / "signkit"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_RUNTIME_DIR": str(home / ".run"),
        "NO_COLOR": "1",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    return [_run_command(step.command, work, environment) for step in transcript.steps]


def _run_command(command: str, folder: Path, environment: dict[str, str]) -> Outcome:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_TIMEOUT_SECONDS,
    )
    lines = done.stdout.decode(errors="replace").splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return Outcome(tuple(lines), done.returncode)


def difference(transcript: Transcript, outcomes: Sequence[Outcome], name: str) -> str:
    """A unified diff from the transcript to what really happened; empty when all is as expected."""
    expected = render(transcript, [Outcome(step.expected, step.status) for step in transcript.steps]).splitlines()
    found = render(transcript, outcomes).splitlines()
    return "\n".join(difflib.unified_diff(expected, found, f"{name} (expected)", f"{name} (found)", lineterm=""))
