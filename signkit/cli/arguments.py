"""Values of options, checked."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from signkit.errors import UsageError

if TYPE_CHECKING:
    from signkit.audit.checkpoint import LogKey


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


def vkey(text: str | None) -> LogKey | None:
    """The key of a log, None when it was not given.

    Raises:
        MalformedError: it is not one.
    """
    from signkit.audit.checkpoint import parse_log_key

    return None if text is None else parse_log_key(text)


def passphrase(data: bytes | None) -> str:
    """A passphrase as it stands in a file, without the line end behind it; empty when no file was named.

    Raises:
        UsageError: it is not UTF-8.
    """
    try:
        return "" if data is None else data.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError("the passphrase is not UTF-8", hint="save the file as UTF-8 text") from error
