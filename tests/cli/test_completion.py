"""Completion offers commands, options, keys and versions; in bash also behind the @, where bash takes words apart."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commands import Workshop, call, command_line, environment


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    shop = Workshop(tmp_path_factory.mktemp("completion"))
    shop.do("init", "--root-key", f"file:{shop.folder / 'root.key'}")
    shop.new_key("EC_P256", "release")
    shop.do("version", "create", "alias/release")
    return shop


def completed(shop: Workshop, line: str) -> list[str]:
    words = line.split(" ")
    variables = {"_SIGNKIT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        command_line(), capture_output=True, text=True, env=environment(SIGNKIT_HOME=str(shop.home), **variables)
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("signkit ver", ["version", "verify"]),
        ("signkit version sh", ["show"]),
        ("signkit version show --js", ["--json"]),
        ("signkit version show al", ["alias/release@1", "alias/release@2"]),
        ("signkit version show alias/release@2", ["alias/release@2"]),
        ("signkit sign x --key alias/rel", ["alias/release@1", "alias/release@2"]),
        ("signkit version list al", ["alias/release"]),
        ("signkit alias delete ", ["alias/release"]),
        ("signkit version show other", []),
    ],
)
def test_what_is_offered(shop: Workshop, line: str, expected: list[str]) -> None:
    assert completed(shop, line) == expected


def test_without_a_store_nothing_is_offered_and_nothing_said(shop: Workshop, tmp_path: Path) -> None:
    assert completed(Workshop(tmp_path), "signkit version show al") == []
    assert list(tmp_path.iterdir()) == []


def test_a_root_key_is_not_needed(shop: Workshop) -> None:
    root = shop.folder / "root.key"
    hidden = root.rename(shop.folder / "elsewhere")
    try:
        assert completed(shop, "signkit version show al")
    finally:
        hidden.rename(root)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(shell: str) -> None:
    done = call("completion", shell)
    assert done.status == 0 and "signkit" in done.out
    assert call("completion", shell, "--json").json() == {"shell": shell, "script": done.out}


def test_an_unknown_shell_is_told_which_there_are() -> None:
    assert call("completion", "tcsh").error(2) == "no completion for 'tcsh', expected one of bash zsh fish"


@pytest.fixture
def bash(shop: Workshop, tmp_path: Path) -> Path:
    """A start file for bash in which ``signkit`` is this program and is completed."""
    program = tmp_path / "bin" / "signkit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m signkit "$@"\n')
    program.chmod(0o755)
    start = tmp_path / "bashrc"
    script = call("completion", "bash").out
    start.write_text(f"PS1='ready> '\nPATH={program.parent}:$PATH\nbind 'set enable-bracketed-paste off'\n{script}")
    return start


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("signkit alias del\talias/re\t", "signkit alias delete alias/release "),
        ("signkit version show alias/release@\t", "signkit version show alias/release@"),
        ("signkit version show alias/re\t2", "signkit version show alias/release@2"),
    ],
)
def test_bash_completes_a_line_as_it_is_typed(shop: Workshop, bash: Path, typed: str, becomes: str) -> None:
    process, terminal = pty.fork()
    if process == 0:  # the child becomes the shell
        variables = environment(SIGNKIT_HOME=str(shop.home), TERM="dumb")
        os.execvpe("bash", ["bash", "--noprofile", "--rcfile", str(bash), "-i"], variables)
    try:
        read_until(terminal, "ready> ")
        *completed_parts, last = typed.split("\t")
        for part in completed_parts:
            os.write(terminal, part.encode() + b"\t")
            time.sleep(1.2)
        os.write(terminal, last.encode())
        os.write(terminal, b"\x01echo '[\x05]'\n")  # to the line's begin and end: print it and don't run it
        assert f"\n[{becomes}]" in read_until(terminal, "]\r\nready> ").replace("\r", "")
    finally:
        os.close(terminal)
        os.kill(process, 9)
        os.waitpid(process, 0)


def read_until(terminal: int, mark: str) -> str:
    seen = ""
    end = time.monotonic() + 20
    while mark not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    assert mark in seen, seen
    return seen
