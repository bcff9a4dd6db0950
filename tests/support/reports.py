"""Verification reports held against ``docs/verification-report.schema.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "verification-report.schema.json"


@cache
def validator() -> Draft202012Validator:
    """Judges reports."""
    return Draft202012Validator(json.loads(_SCHEMA.read_text()))


def check_document(document: Any) -> None:
    """Fail unless a document is a report as the schema has it."""
    errors = [
        f"{error.json_path}: {error.message}" for error in validator().iter_errors(json.loads(json.dumps(document)))
    ]
    assert not errors, errors


def check_report(lines: Sequence[str], command: str) -> bool:
    """Hold the report that a command printed against the schema, if it printed one as a whole.

    Returns:
        whether there was one.
    """
    if '  "schema": "signkit.verification/v1",' not in lines:
        return False
    begin = max(number for number, line in enumerate(lines) if line == "{")
    try:
        end = lines.index("}", begin)
    except ValueError:  # cut short, as by head
        return False
    check_document(json.loads("\n".join(lines[begin : end + 1])))
    return True
