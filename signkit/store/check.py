"""Whether a store is sound: the database, its audit log, and every sealed record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from signkit.errors import SignkitError, StoreError
from signkit.keys import log_key
from signkit.keys.model import Key, KeyVersion, VersionState
from signkit.ports import OpenRecord
from signkit.store.audit_log import AuditLog
from signkit.store.database import Database
from signkit.store.keys_table import KeysTable
from signkit.store.settings_table import SettingsTable
from signkit.store.versions_table import VersionsTable

if TYPE_CHECKING:
    from signkit.audit.checkpoint import Checkpoint

_MAXIMUM_PAGES = 20


def check(
    database: Database, open_record: OpenRecord | None = None, checkpoints: Sequence[Checkpoint] = ()
) -> list[str]:
    """Everything that is wrong with a store, most basic things first; empty when it is sound.

    Args:
        database: the store's.
        open_record: opens a sealed record; None = records are not opened, which needs no root key.
        checkpoints: verified checkpoints that the audit log must continue.
    """
    parts: list[Callable[[], Iterable[str]]] = [
        lambda: _pages(database),
        lambda: AuditLog(database).verify(checkpoints),
        lambda: _versions(database, open_record),
        lambda: _log_key(database, open_record),
    ]
    findings: list[str] = []
    for part in parts:
        try:
            findings += part()
        except StoreError as error:
            findings.append(error.message)
    return findings


def _pages(database: Database) -> list[str]:
    """What SQLite finds wrong with pages, indexes, columns and references."""
    findings = [
        f"the database is damaged: {line}"
        for (line,) in database.rows(f"PRAGMA integrity_check({_MAXIMUM_PAGES})")
        if line != "ok"
    ]
    for table, row, parent, _ in database.rows("PRAGMA foreign_key_check"):
        findings.append(f"the database is damaged: row {row} of table {table} names a {parent} that is not there")
    return findings


def _versions(database: Database, open_record: OpenRecord | None) -> Iterator[str]:
    """What is wrong with the versions of each key: numbers, and private keys that can't be opened."""
    versions = VersionsTable(database, 0)
    for key in KeysTable(database).all():
        found = versions.of(key.id)
        numbers = [version.number for version in found]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"key {key.id} has the versions {', '.join(map(str, numbers))}, expected 1 to {len(numbers)}"
        for version in found:
            problem = _problem(key, version, open_record)
            if problem:
                yield f"{key.id}@{version.number}: {problem}"


def _log_key(database: Database, open_record: OpenRecord | None) -> Iterator[str]:
    """What is wrong with the key that signs checkpoints."""
    found = SettingsTable(database).audit_key()
    if found is not None:
        key, version = log_key.as_version(found)
        problem = _problem(key, version, open_record)
        if problem:
            yield f"{key.id}@{version.number}: {problem}"


def _problem(key: Key, version: KeyVersion, open_record: OpenRecord | None) -> str:
    """Why the private key of a version can't be used, or an empty string."""
    has_private_key = version.state in (VersionState.ENABLED, VersionState.DISABLED)
    if has_private_key != bool(version.locator):
        return f"it is {version.state.value} and has {'a' if version.locator else 'no'} private key"
    if not has_private_key or open_record is None:
        return ""
    try:
        open_record(key, version)
    except SignkitError as error:
        return error.message
    return ""
