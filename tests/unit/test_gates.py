"""The structure of the code: layers, imports, docstrings, sizes. ruff and mypy hold the rest (``make gates``)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "signkit"
FILES = sorted(PACKAGE.rglob("*.py"))
PUBLIC_FILES = [file for file in FILES if not file.name.startswith("_") or file.name.startswith("__")]

FILE_BUDGET = 400
FUNCTION_BUDGET = 60
FUNCTION_AIM = 40
FUNCTIONS_OVER_AIM = 0.05

# What may be longer than its budget, and why: "store/sqlite.py" for a file, "cli/sign.py:sign" for a function.
EXCEPTIONS: dict[str, str] = {}


def name_of(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Qualified names and lengths of the functions of a file; decorators and the docstring don't count."""
    yield from _functions(ast.parse(file.read_bytes()), f"{name_of(file)}:")


def _functions(parent: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for node in ast.iter_child_nodes(parent):
        name = prefix
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, _length(node)
            name += "."
        yield from _functions(node, name)


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    counted = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    signature = function.body[0].lineno - function.lineno
    return signature + (counted[-1].end_lineno or 0) - counted[0].lineno + 1 if counted else signature


def test_import_contracts_hold() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    environment = os.environ | {"COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_module_does_not_import_the_public_api(file: Path) -> None:
    """``signkit/__init__.py`` re-exports for users; modules inside import from where a thing is defined."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    offending = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            offending += [alias.name for alias in node.names if alias.name == "signkit"]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            if node.module == "signkit":
                offending += [f"signkit.{alias.name}" for alias in node.names if alias.name not in modules]
    assert not offending


@pytest.mark.parametrize("file", PUBLIC_FILES, ids=name_of)
def test_public_module_has_a_docstring(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_bytes()))


def test_files_are_within_the_budget() -> None:
    lengths = {name_of(file): len(file.read_text().splitlines()) for file in FILES}
    too_long = {name: length for name, length in lengths.items() if length > FILE_BUDGET and name not in EXCEPTIONS}
    assert not too_long


def test_functions_are_within_the_budget() -> None:
    lengths = dict(pair for file in FILES for pair in functions(file))
    too_long = {name: length for name, length in lengths.items() if length > FUNCTION_BUDGET and name not in EXCEPTIONS}
    assert not too_long


def test_most_functions_are_within_the_aim() -> None:
    lengths = [length for file in FILES for _, length in functions(file)]
    longer = [length for length in lengths if length > FUNCTION_AIM]
    assert len(longer) <= FUNCTIONS_OVER_AIM * len(lengths), f"{len(longer)} of {len(lengths)} functions"


def test_every_exception_is_still_needed() -> None:
    lengths = {name_of(file): len(file.read_text().splitlines()) for file in FILES}
    lengths |= dict(pair for file in FILES for pair in functions(file))
    for name, reason in EXCEPTIONS.items():
        assert reason
        assert lengths.get(name, 0) > (FUNCTION_BUDGET if ":" in name else FILE_BUDGET), name
