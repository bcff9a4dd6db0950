"""Values of options, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from signkit.errors import UsageError


def moment(text: str) -> datetime:
    """A time in RFC 3339's form with its zone, or a date (its first second in UTC), as aware UTC.

    Raises:
        UsageError: it has another form.
    """
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?", text):
            raise ValueError(text)
        found = datetime.fromisoformat(text)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return found.replace(tzinfo=UTC)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UsageError(f"'{text}' is not a time: expected RFC 3339 with a zone", hint="for example 2026-12-31T23:59:59Z")


def hexadecimal(text: str | None, option: str) -> bytes | None:
    """Bytes of a hexadecimal option, None when it was not given.

    Raises:
        UsageError: it is not hexadecimal.
    """
    try:
        return None if text is None else bytes.fromhex(text.replace(":", ""))
    except ValueError:
        raise UsageError(f"{option} is '{text}', expected hexadecimal digits") from None


def signer_id(text: str | None) -> bytes:
    """Identifier of an SM2 signer from hexadecimal; the usual one when it was not given.

    Raises:
        UsageError: it is not hexadecimal.
    """
    from signkit.algorithms import DEFAULT_SIGNER_ID

    found = hexadecimal(text, "--sm2-id")
    return DEFAULT_SIGNER_ID if found is None else found


def listed_files(data: bytes, *, null: bool) -> list[str]:
    """Paths from a list: one a line, or ended by NUL characters as ``find -print0`` writes them."""
    separator = b"\0" if null else b"\n"
    return [os.fsdecode(path) for path in data.split(separator) if path]


def tags(texts: Sequence[str] | None) -> dict[str, str]:
    """Tags from options ``K=V``.

    Raises:
        UsageError: one has another form, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not separator or not name or name in found:
            raise UsageError(f"tag '{text}': expected K=V, each name once")
        found[name] = value
    return found
