"""Values as columns of a table, and back. Columns that no value can come from raise ``ValueError``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from signkit.keys.model import (
    NO_TAGS,
    Alias,
    AuditKey,
    BoundCertificate,
    Key,
    KeyOrigin,
    KeyState,
    KeyUsage,
    KeyVersion,
    Permission,
    VersionState,
)

_LENGTH_SIZE = 4
_KEY_TYPE = re.compile(r"[A-Z][A-Z0-9_]+")


def to_text(at: datetime) -> str:
    """A time as RFC 3339 in UTC with microseconds, so that text sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """The aware UTC time that ``to_text`` wrote.

    Raises:
        ValueError: it did not.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is not UTC:
        raise ValueError(f"'{text}' is not a time in UTC")
    return found


KEY_COLUMNS = (
    "id, key_type, usage, state, provider, description, created_at, origin, deletion_at, state_before_deletion,"
    " deletion_protection, deletion_protection_description, tags, policy"
)
"""Columns of a key, in the order of its fields."""

VERSION_COLUMNS = "id, key_id, number, state, created_at, public_key_info, locator"
"""Columns of a key version, in the order of its fields."""


def to_key(row: Sequence[Any]) -> Key:
    """A key from ``KEY_COLUMNS``."""
    key_id, key_type, usage, state, provider, description, created_at = row[:7]
    origin, deletion_at, before, protected, why_protected, tags, policy = row[7:]
    if not key_id or not _KEY_TYPE.fullmatch(key_type):
        raise ValueError(f"found the key type '{key_type}', expected an id and the name of a key type")
    return Key(
        key_id,
        key_type,
        KeyUsage(usage),
        KeyState(state),
        provider,
        description,
        from_text(created_at),
        KeyOrigin(origin),
        None if deletion_at is None else from_text(deletion_at),
        None if before is None else KeyState(before),
        bool(protected),
        why_protected,
        NO_TAGS if tags == "{}" else _to_tags(tags),
        policy,
    )


def from_key(key: Key) -> tuple[Any, ...]:
    """``KEY_COLUMNS`` of a key."""
    return key._replace(
        created_at=to_text(key.created_at),  # type: ignore[arg-type]
        deletion_at=None if key.deletion_at is None else to_text(key.deletion_at),  # type: ignore[arg-type]
        tags=_from_tags(key.tags),  # type: ignore[arg-type]
    )


def _to_tags(text: str) -> Mapping[str, str]:
    try:
        tags = json.loads(text)
    except RecursionError:
        tags = None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise ValueError("the tags of a key are not names and values")
    return MappingProxyType(tags)


def _from_tags(tags: Mapping[str, str]) -> str:
    return json.dumps(dict(tags), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def to_version(row: Sequence[Any]) -> KeyVersion:
    """A key version from ``VERSION_COLUMNS``."""
    version_id, key_id, number, state, created_at, public_key_info, locator = row
    if not version_id:
        raise ValueError("it has no id")
    return KeyVersion(version_id, key_id, number, VersionState(state), from_text(created_at), public_key_info, locator)


def to_alias(row: Sequence[Any]) -> Alias:
    """An alias from its columns, in the order of its fields."""
    name, key_id, created_at = row
    return Alias(name, key_id, from_text(created_at))


def to_certificate(row: Sequence[Any]) -> BoundCertificate:
    """A bound certificate from its columns, in the order of its fields."""
    certificate_id, version_id, certificate, chain, imported_at, imported_by, source = row
    return BoundCertificate(
        certificate_id, version_id, certificate, split(chain), from_text(imported_at), imported_by, source
    )


def to_permission(row: Sequence[Any]) -> Permission:
    """A permission document from its columns, in the order of its fields."""
    principal, document, created_at = row
    return Permission(principal, document, from_text(created_at))


def to_audit_key(row: Sequence[Any]) -> AuditKey:
    """The key of the audit log from its columns, in the order of its fields."""
    origin, public_key, locator, created_at = row
    return AuditKey(origin, public_key, locator, from_text(created_at))


def join(parts: Iterable[bytes]) -> bytes:
    """Several byte strings as one: each behind its length (4 bytes, big-endian)."""
    return b"".join(len(part).to_bytes(_LENGTH_SIZE, "big") + part for part in parts)


def split(data: bytes) -> tuple[bytes, ...]:
    """What ``join`` joined.

    Raises:
        ValueError: it is cut short.
    """
    parts, position = [], 0
    while position < len(data):
        start = position + _LENGTH_SIZE
        position = start + int.from_bytes(data[position:start], "big")
        parts.append(data[start:position])
    if position != len(data):
        raise ValueError(f"a chain is cut short: found {len(data)} bytes, expected {position}")
    return tuple(parts)
