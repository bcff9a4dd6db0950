"""The committed fixtures: made again they have the same bytes, and each signature gets the verdict that it should."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from signkit.files import FileSource
from signkit.operations.verify import VerifyingService

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
EXPECTED: list[dict[str, Any]] = json.loads((FIXTURES / "expected.json").read_text())
NOT_MADE = (
    "README.md",
    "make.py",
    "conformance/",
    "schemas/",
    "keys/rsa-",
    "__pycache__/",
    "store-format-1/",
    "store-format-2/",
)


def contents(folder: Path) -> dict[str, bytes]:
    """Files below a folder that the script makes."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith(NOT_MADE)}


def rows(path: Path) -> list[str]:
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_made_again_they_have_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FIXTURES / "make.py", tmp_path], check=True, capture_output=True, timeout=60)
    made, committed = contents(tmp_path), contents(FIXTURES)
    store = "store-format-3/store.db"
    assert rows(tmp_path / store) == rows(FIXTURES / store)  # its bytes depend on the release of SQLite
    assert made.keys() == committed.keys()
    del made[store], committed[store]
    assert [name for name in made if made[name] != committed[name]] == []


def test_every_private_key_says_what_it_is() -> None:
    keys = [path for path in FIXTURES.rglob("*") if path.is_file() and b"PRIVATE KEY-----" in path.read_bytes()]
    assert len(keys) >= 6
    for path in keys:
        if path.name != "make.py":
            assert path.name.endswith(".for-tests-only.pem")
            assert path.read_text().startswith("FOR TESTS ONLY")


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["signature"])
def test_verdict(case: dict[str, Any]) -> None:
    at = datetime.fromisoformat(case["at"])
    result = VerifyingService(FileSource(), clock=lambda: at).verify(
        [str(FIXTURES / case["artifact"])],
        trust=[str(FIXTURES / name) for name in case["trust"]],
        intermediates=[str(FIXTURES / name) for name in case["intermediates"]],
        signature=str(FIXTURES / case["signature"]),
    )
    assert result.exit_status == case["exit_status"], result.artifacts[0].problems
    assert result.accepted is (case["exit_status"] == 0)


def test_every_signature_has_an_expectation() -> None:
    files = {str(path.relative_to(FIXTURES)) for path in FIXTURES.rglob("*.p7s")}
    assert files == {case["signature"] for case in EXPECTED}
