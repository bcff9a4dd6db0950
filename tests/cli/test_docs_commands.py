"""What the documents tell people to type works as written.

A code block whose fence reads ````` ```sh runnable ````` or ````` ```python runnable ````` is run. The blocks of one
document are run from top to bottom in one empty folder, each by a shell or interpreter of its own, and must end well.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.components import need_component

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w+) runnable\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^(`{3,})(\w*)(.*)$", re.MULTILINE)
_TIMEOUT_SECONDS = 120


class Block(NamedTuple):
    """A runnable code block: its language, its text, and the line it begins in."""

    language: str
    text: str
    line: int


def blocks(document: Path) -> list[Block]:
    text = document.read_text()
    return [Block(found[1], found[2], text.count("\n", 0, found.start()) + 2) for found in _BLOCK.finditer(text)]


RUNNABLE = [document for document in DOCUMENTS if blocks(document)]


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a new user's shell has: a home, and ``signkit`` on the PATH."""
    programs, home = tmp_path / "bin", tmp_path / "home"
    programs.mkdir()
    home.mkdir()
    for name, command in (("signkit", "-P -m signkit"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {command} "$@"\n')
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "LD_LIBRARY_PATH")}
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "TMPDIR": str(tmp_path)}


@pytest.mark.parametrize("document", RUNNABLE, ids=name_of)
def test_blocks_work_as_written(document: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    found = blocks(document)
    if any(re.search(r"^openssl ", block.text, re.MULTILINE) for block in found):
        need_component("openssl")
    work = tmp_path / "work"
    work.mkdir()
    runners = {"sh": ["bash", "-eu", "-o", "pipefail", "-c"], "python": [sys.executable, "-P", "-W", "error", "-c"]}
    for block in found:
        done = subprocess.run(
            [*runners[block.language], block.text],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
        output = f"{done.stdout}{done.stderr}"
        assert done.returncode == 0, f"{name_of(document)}:{block.line} ended with {done.returncode}\n{output}"


def test_readme_shows_the_pipeline_and_the_library() -> None:
    languages = [block.language for block in blocks(ROOT / "README.md")]
    assert languages == ["sh", "sh", "python", "sh", "sh"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_blocks_that_look_runnable_are_run_or_named(document: Path) -> None:
    """A block of commands or Python that nobody runs goes stale; the ones that can't be run here are named."""
    # They make a virtual environment and run these very tests.
    exceptions = {"README.md": 1}
    fences = [match for match in _FENCE.finditer(document.read_text()) if match[2]]
    unmarked = [match[0] for match in fences if match[2] in ("sh", "bash", "python") and "runnable" not in match[3]]
    assert len(unmarked) == exceptions.get(name_of(document), 0)
