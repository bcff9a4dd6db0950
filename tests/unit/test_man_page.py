"""The man page is that of the commands as they are, complete, and clean for the programs that show it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from signkit.cli.root import COMMANDS
from tests.support.commands import call

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "signkit.1"


def test_page_is_current(tmp_path: Path) -> None:
    """``make man`` writes it again."""
    made = tmp_path / "signkit.1"
    subprocess.run([sys.executable, DOCS / "make_man.py", made], check=True, cwd=DOCS.parent)
    assert made.read_text() == PAGE.read_text(), "run 'make man'"


@pytest.mark.component("groff")
def test_page_is_clean_for_groff() -> None:
    done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", PAGE], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.component("groff")
@pytest.mark.parametrize("command", COMMANDS)
def test_page_has_every_command_and_its_options(command: str) -> None:
    """As a reader sees it, and as ``--help`` lists it: no dash has become a hyphen, no word has vanished."""
    shown = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", "-rLL=200n", PAGE], capture_output=True, text=True)
    sections = re.split(r"^   (?=\w)", shown.stdout, flags=re.MULTILINE)
    own = "\n".join(part for part in sections if re.match(rf"{command}\b", part))
    assert own
    text = call(command, "--help").out
    verbs = re.findall(r"^  ([a-z][a-z-]*) ", text.partition("Commands:")[2], re.MULTILINE)
    for verb in verbs:
        assert re.search(rf"^{command} {verb}$", own, re.MULTILINE), verb
        text += call(command, verb, "--help").out
    wanted = set(re.findall(r"^  (--[a-z0-9-]+)", text, re.MULTILINE)) - {"--json", "--quiet", "--no-color", "--help"}
    assert wanted <= set(re.findall(r"--[a-z0-9-]+", own))
