"""References: ``KEY`` (id or ``alias/NAME``) and ``KEY@VERSION`` (number or version id)."""

from __future__ import annotations

import re
from typing import NamedTuple

from signkit.errors import UsageError

ALIAS_PREFIX = "alias/"
_ALIAS = re.compile(r"alias/[A-Za-z0-9_/-]{1,255}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


class KeyReference(NamedTuple):
    """A key, and possibly one of its versions, as a user names them.

    Attributes:
        key: key id or ``alias/NAME``.
        version: version number (digits) or version id, or None when none was named.
    """

    key: str
    version: str | None

    def __str__(self) -> str:
        return self.key if self.version is None else f"{self.key}@{self.version}"

    @property
    def is_alias(self) -> bool:
        """Whether the key is named by an alias."""
        return self.key.startswith(ALIAS_PREFIX)

    @property
    def number(self) -> int | None:
        """The version number, or None when the version is named by its id or not at all."""
        return int(self.version) if self.version is not None and self.version.isdecimal() else None


def parse_alias(text: str) -> str:
    """Check an alias name (KMS: ``alias/`` and 1 to 255 of ``A-Z a-z 0-9 _ / -``; ``alias/acs`` is reserved).

    Raises:
        UsageError: the name has another form.
    """
    if not _ALIAS.fullmatch(text) or text.startswith("alias/acs"):
        raise UsageError(
            f"'{text}' is not an alias: expected alias/NAME with 1 to 255 of A-Z a-z 0-9 _ / - (not alias/acs...)",
            hint="for example alias/release",
        )
    return text


def parse_key(text: str) -> KeyReference:
    """Parse ``KEY``.

    Raises:
        UsageError: it is neither an id nor an alias, or it names a version.
    """
    reference = _parse(text)
    if reference.version is not None:
        raise UsageError(
            f"'{text}' names a version, and this command works on the whole key",
            hint=f"use {reference.key}",
        )
    return reference


def parse_key_version(text: str) -> KeyReference:
    """Parse ``KEY@VERSION``. That a version is missing is for whoever knows the key's versions to say.

    Raises:
        UsageError: it has another form.
    """
    return _parse(text)


def _parse(text: str) -> KeyReference:
    key, separator, version = text.partition("@")
    if key.startswith(ALIAS_PREFIX):
        parse_alias(key)
    elif not _ID.fullmatch(key):
        raise UsageError(
            f"'{text}' is not a key: expected a key id or alias/NAME",
            hint="'signkit key list' shows keys and aliases",
        )
    if not separator:
        return KeyReference(key, None)
    if not _ID.fullmatch(version) or (version.isdecimal() and int(version) < 1):
        raise UsageError(
            f"'{text}' does not name a version: expected a number from 1 or a version id after '@', found '{version}'",
            hint=f"for example {key}@1",
        )
    return KeyReference(key, version.lstrip("0") if version.isdecimal() else version)
