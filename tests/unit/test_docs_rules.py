"""The page with the rules is the tables themselves. ``SIGNKIT_UPDATE_DOCS=1`` writes it again."""

from __future__ import annotations

import os
from pathlib import Path

from signkit.x509 import lint

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lint-rules.md"
HEAD = """\
# Rules of `csr check` and `cert check`

`--rules private` has the rules whose names begin with `private.`; `--rules cabf` has all of them. An error ends the
command with status 4; warnings and notes do not. A finding says what was found, and repeats what is expected here.

| rule | severity | asked about | expected | source |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    rows = []
    for rule in lint.rules("cabf"):
        kinds = (
            "all" if rule.applies == lint.EVERYTHING else ", ".join(kind for kind in lint.Kind if kind in rule.applies)
        )
        rows.append(f"| `{rule.id}` | {rule.severity} | {kinds} | {rule.expected} | {rule.source} |\n")
    return HEAD + "".join(rows)


def test_the_page_is_up_to_date() -> None:
    if os.environ.get("SIGNKIT_UPDATE_DOCS"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()
