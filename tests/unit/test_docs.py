"""The documents: every relative link leads somewhere, and the README's commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "fixtures", "workflows", "benchmarks", "tests")
DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```+|~~~+).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.MULTILINE)
_COMMAND = re.compile(r"^(?:\$ )?signkit((?: [a-z][a-z-]*)*)", re.MULTILINE)
_GLOBAL_OPTION = re.compile(r" --(?:home|config) \S+| --(?:json|quiet|no-color)")


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def links(document: Path) -> list[str]:
    """Targets of the links outside code."""
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", document.read_text()))
    return [first or second for first, second in _LINK.findall(text)]


def anchors(document: Path) -> set[str]:
    """Anchors of a document's headings, as code hosts make them."""
    headings = _HEADING.findall(_FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_relative_links_resolve(document: Path) -> None:
    broken = []
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or not target.is_relative_to(ROOT):
            broken.append(link)
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            broken.append(link)
    assert not broken


def commands(document: Path) -> list[str]:
    """The commands of signkit that a document's code blocks call, without arguments: ``key create``."""
    blocks = "\n".join(match[0] for match in _FENCE.finditer(document.read_text()))
    return sorted(set(_COMMAND.findall(_GLOBAL_OPTION.sub("", blocks))))


@pytest.mark.parametrize("command", commands(ROOT / "README.md") if (ROOT / "README.md").exists() else [])
def test_commands_of_the_readme_exist(command: str) -> None:
    noun, *verb = command.split()
    words = [noun] if noun in ("inspect", "sign", "verify") else [noun, *verb]  # what follows these is a file
    done = subprocess.run([sys.executable, "-m", "signkit", *words, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
