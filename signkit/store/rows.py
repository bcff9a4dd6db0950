"""Values as columns of a table, and back. Columns that no value can come from raise ``ValueError``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from signkit.keys.model import Alias, BoundCertificate, Key, KeyState, KeyUsage, KeyVersion, VersionState

_LENGTH_SIZE = 4


class Permission(NamedTuple):
    """A permission document attached to a principal; the store does not interpret it.

    Attributes:
        principal: for example ``os:alice``.
        document: the document as text.
        created_at: aware UTC time.
    """

    principal: str
    document: str
    created_at: datetime


def to_text(at: datetime) -> str:
    """A time as RFC 3339 in UTC with microseconds, so that text sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """The aware UTC time that ``to_text`` wrote."""
    return datetime.fromisoformat(text)


def to_key(row: Sequence[Any]) -> Key:
    """A key from its columns, in the order of its fields."""
    key_id, key_type, usage, state, provider, description, created_at = row
    return Key(key_id, key_type, KeyUsage(usage), KeyState(state), provider, description, from_text(created_at))


def to_version(row: Sequence[Any]) -> KeyVersion:
    """A key version from its columns, in the order of its fields."""
    version_id, key_id, number, state, created_at, public_key_info, locator = row
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
