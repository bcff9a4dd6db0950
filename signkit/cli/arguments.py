"""Values of options, checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from signkit.errors import UsageError


def moment(text: str) -> datetime:
    """A time in RFC 3339's form with its zone, or a date (its first second in UTC), as aware UTC.

    Raises:
        UsageError: it has another form.
    """
    try:
        found = datetime.fromisoformat(text)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return found.replace(tzinfo=UTC)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UsageError(f"'{text}' is not a time: expected RFC 3339 with a zone", hint="for example 2026-12-31T23:59:59Z")
