"""``prompt:``: a passphrase from a private file or from a terminal, never from standard input."""

from __future__ import annotations

import getpass
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from signkit.custody import parse_root_key, prompt
from signkit.errors import RootKeyError, UsageError

ROOT = Path(__file__).resolve().parents[3]
LOAD = "from signkit.custody import parse_root_key; print(parse_root_key('prompt:').{verb}().value)"


@pytest.fixture(autouse=True)
def passphrase_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A passphrase file as it should be, named by the environment."""
    path = tmp_path / "passphrase"
    path.write_bytes(b"correct horse\n")
    path.chmod(0o600)
    monkeypatch.setenv(prompt.PASSPHRASE_FILE, str(path))
    return path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What will be typed, in order, on a terminal that is there."""
    lines: list[str] = []
    monkeypatch.delenv(prompt.PASSPHRASE_FILE)
    monkeypatch.setattr(prompt, "_require_terminal", lambda: None)
    monkeypatch.setattr(getpass, "getpass", lambda _: lines.pop(0))
    return lines


# Refused


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_passphrase_file_open_to_others_is_refused(passphrase_file: Path, mode: int) -> None:
    passphrase_file.chmod(mode)
    with pytest.raises(RootKeyError, match=f"passphrase file .* found mode {mode:04o}, expected 0600"):
        parse_root_key("prompt:").load()


def test_a_linked_or_missing_passphrase_file_is_refused(passphrase_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = passphrase_file.with_name("link")
    link.symlink_to(passphrase_file)
    monkeypatch.setenv(prompt.PASSPHRASE_FILE, str(link))
    with pytest.raises(RootKeyError, match="symbolic link"):
        parse_root_key("prompt:").load()
    link.unlink()
    with pytest.raises(RootKeyError, match="is missing"):
        parse_root_key("prompt:").create()


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_passphrase_file_is_refused(passphrase_file: Path, content: bytes) -> None:
    passphrase_file.write_bytes(content)
    for use in (parse_root_key("prompt:").load, parse_root_key("prompt:").create):
        with pytest.raises(RootKeyError, match="the passphrase is empty"):
            use()


def test_a_huge_passphrase_file_is_refused(passphrase_file: Path) -> None:
    passphrase_file.write_bytes(b"x" * 4097)
    with pytest.raises(RootKeyError, match="too large: expected at most 4096 bytes"):
        parse_root_key("prompt:").load()


def test_an_empty_typed_passphrase_is_refused(typed: list[str]) -> None:
    typed += [""]
    with pytest.raises(RootKeyError, match="the passphrase is empty"):
        parse_root_key("prompt:").load()


def test_two_different_new_passphrases_are_refused(typed: list[str]) -> None:
    typed += ["correct horse", "correct house"]
    with pytest.raises(RootKeyError, match="the two passphrases differ"):
        parse_root_key("prompt:").create()


def test_a_closed_terminal_is_refused(typed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", closed)
    with pytest.raises(RootKeyError, match="no passphrase was typed"):
        parse_root_key("prompt:").load()


def test_standard_input_is_not_read_where_there_is_no_terminal() -> None:
    environment = {name: value for name, value in os.environ.items() if name != prompt.PASSPHRASE_FILE}
    command = [sys.executable, "-c", LOAD.format(verb="load")]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input="secret\n", capture_output=True, text=True, start_new_session=True
    )
    assert "RootKeyError: there is no terminal to ask for the passphrase" in done.stderr
    assert "secret" not in done.stdout


def test_anything_after_the_colon_is_refused() -> None:
    """Nobody should be led to put the passphrase on the command line."""
    with pytest.raises(UsageError, match="takes nothing after the colon"):
        parse_root_key("prompt:secret")


# Accepted


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"correct horse\n", b"correct horse"), (b"a\n\n", b"a\n"), (b" a ", b" a "), ("ü".encode(), "ü".encode())],
)
def test_one_newline_at_the_end_does_not_count(passphrase_file: Path, content: bytes, expected: bytes) -> None:
    passphrase_file.write_bytes(content)
    for use in (parse_root_key("prompt:").load, parse_root_key("prompt:").create):
        assert use() == ("passphrase", expected)


def test_a_typed_passphrase_is_asked_for_once_and_a_new_one_twice(typed: list[str]) -> None:
    typed += ["ü", "ü", "ü", "not read"]
    assert parse_root_key("prompt:").load().value == "ü".encode()
    assert parse_root_key("prompt:").create().value == "ü".encode()
    assert typed == ["not read"]


def test_a_passphrase_is_typed_unseen_on_a_real_terminal() -> None:
    environment = {name: value for name, value in os.environ.items() if name != prompt.PASSPHRASE_FILE}
    own, terminal = pty.openpty()
    # The first terminal that a new session opens becomes its controlling one, which is what /dev/tty means.
    code = f"import os; os.open({os.ttyname(terminal)!r}, os.O_RDWR); {LOAD.format(verb='load')}"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    seen = b""
    while not seen.endswith(b"Passphrase of the store: "):
        seen += os.read(own, 100)
    os.write(own, b"unseen\n")
    out, error = child.communicate(timeout=10)
    os.close(terminal)
    seen += os.read(own, 100)
    os.close(own)
    assert out == b"b'unseen'\n", error
    assert b"unseen" not in seen
