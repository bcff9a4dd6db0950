"""The verification report as a JSON file; the same result gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from signkit.report.findings import Document


def render(document: Document, _repeat: Sequence[str] = ()) -> str:
    """A verification report as JSON; whatever would mislead a reader is written as an escape."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
