"""Every report that a test of the command line makes in this process is held against its JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest

from signkit.report import verification
from tests.support.reports import check_document


@pytest.fixture(autouse=True)
def checked_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validate each document where it is made."""
    make = verification.document

    def checked(*arguments: Any, **options: Any) -> dict[str, Any]:
        document = make(*arguments, **options)
        check_document(document)
        return document

    monkeypatch.setattr(verification, "document", checked)
