"""Scripts run as their users run them: in a process of their own, with ``signkit`` on the PATH."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.commands import Ran, environment

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / "workflows"
TIMEOUT_SECONDS = 120


def programs(folder: Path) -> Path:
    """A folder with ``signkit`` as an installation has it."""
    folder.mkdir(exist_ok=True)
    program = folder / "signkit"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m signkit "$@"\n')
    program.chmod(0o755)
    return folder


def script(path: Path, *arguments: str | Path, folder: Path, **variables: str) -> Ran:
    """Run a script.

    Args:
        path: the script.
        arguments: its command line.
        folder: the current folder; ``signkit`` is put beside it.
        variables: changes to its environment, which has no variable of signkit and of a CI system.
    """
    on_path = f"{programs(folder.parent / 'bin')}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in environment().items() if not name.startswith(("GITHUB_", "GITLAB_", "CI"))}
    done = subprocess.run(
        [path, *arguments],
        cwd=folder,
        env={**kept, "PATH": on_path, "HOME": str(folder.parent), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )
    return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def error(ran: Ran, status: int) -> str:
    """The message of a script that ended with a status and two lines: what is wrong, and what to do."""
    assert ran.status == status, f"exit {ran.status}, expected {status}\n{ran.out}{ran.err}"
    message, hint = ran.err.splitlines()[-2:]
    assert ": error: " in message and ": hint: " in hint, ran.err
    return message.partition(": error: ")[2]
