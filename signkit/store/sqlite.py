"""The store in one SQLite file: raw SQL, STRICT tables, every change and its audit entries in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from signkit.audit.entry import AuditEntry
from signkit.audit.merkle import Frontier
from signkit.errors import OutputExistsError, StateError
from signkit.keys import states
from signkit.keys.model import Alias, AuditKey, BoundCertificate, Key, KeyState, KeyVersion, Permission, VersionState
from signkit.ports import NO_INTERVAL, CreatedKey, OpenRecord
from signkit.store.audit_log import AuditLog
from signkit.store.database import Database
from signkit.store.keys_table import KeysTable
from signkit.store.schema import StoreIdentity, create_tables, identify
from signkit.store.settings_table import SettingsTable
from signkit.store.versions_table import VersionsTable

if TYPE_CHECKING:
    from signkit.audit.checkpoint import Checkpoint

MAXIMUM_VERSIONS = 50
"""Versions a key may have unless told otherwise; as many as KMS allows."""

__all__ = ["MAXIMUM_VERSIONS", "Permission", "SqliteStore", "StoreIdentity"]


class SqliteStore:
    """A store (``signkit.ports.Store``) in one database file.

    It belongs to the thread that opened it. Any number of processes may use the same file at once. Every method raises
    ``StoreError`` when the database is locked for too long, full, read-only or damaged; then nothing was changed.

    Attributes:
        identity: what the store says about itself.
    """

    def __init__(self, database: Database, identity: StoreIdentity, maximum_versions: int = MAXIMUM_VERSIONS) -> None:
        self._database = database
        self._log = AuditLog(database)
        self._keys = KeysTable(database)
        self._versions = VersionsTable(database, maximum_versions)
        self._settings = SettingsTable(database)
        self.identity = identity

    @classmethod
    def create(
        cls,
        path: str,
        identity: StoreIdentity,
        wrapped_keks: Mapping[int, bytes],
        *,
        permissions: Sequence[Permission] = (),
        entries: Sequence[AuditEntry] = (),
        maximum_versions: int = MAXIMUM_VERSIONS,
    ) -> SqliteStore:
        """Make a new store; it is there whole or not at all.

        Args:
            path: the database file; its folder is made (mode 0700) when missing.
            identity: what the store will say about itself.
            wrapped_keks: number of each key-encryption key to its wrapped form.
            permissions: the first permission documents.
            entries: audit entries of making it.
            maximum_versions: versions a key may have.

        Raises:
            OutputExistsError: there is a store already.
            StoreError: it could not be made.
        """
        store = cls(Database.create(path), identity, maximum_versions)
        try:
            with store._change(entries):
                if store._database.rows("SELECT name FROM sqlite_schema"):
                    message = f"there is a store at {path} already"
                    raise OutputExistsError(message, path=path, hint="use it, or name another place")
                create_tables(store._database, identity)
                store._settings.add_keks(wrapped_keks)
                for permission in permissions:
                    store._settings.add_permission(permission)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open(cls, path: str, *, maximum_versions: int = MAXIMUM_VERSIONS) -> SqliteStore:
        """Open a store, and bring an older format up to date.

        Where the file or its folder is not writable the store can still be read, and every change raises StoreError.

        Args:
            path: the database file.
            maximum_versions: versions a key may have.

        Raises:
            StoreError: missing, not a store, damaged, or of a newer format.
        """
        database = Database.open(path)
        try:
            identity = identify(database)
            database.use_write_ahead_log()
            return cls(database, identity, maximum_versions)
        except BaseException:
            database.close()
            raise

    @staticmethod
    def restore(source: str, path: str) -> StoreIdentity:
        """Make a store from a backup: see ``signkit.store.copies.restore``."""
        from signkit.store import copies

        return copies.restore(source, path)

    def close(self) -> None:
        """Close the database; closing twice is allowed."""
        self._database.close()

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def id(self) -> str:
        """UUID of the store."""
        return self.identity.id

    # Keys and versions

    def create_key(
        self, key: Key, version: KeyVersion | None, alias: str | None, entries: Sequence[AuditEntry]
    ) -> None:
        """See ``ports.Store.create_key``."""
        with self._change(entries):
            self._keys.add(key)
            if version is not None:
                self._versions.add(version._replace(number=1))
            if alias is not None:
                self._keys.add_alias(Alias(alias, key.id, key.created_at))

    def update_key(self, seen: Key, key: Key, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.update_key``."""
        with self._change(entries):
            self._keys.replace(seen, key)

    def delete_key(self, seen: Key, now: datetime, entries: Sequence[AuditEntry]) -> bool:
        """See ``ports.Store.delete_key``."""
        with self._change(entries):
            self._keys.require_due(seen, now)
            self._versions.remove_all(seen.id)
            self._keys.remove(seen.id)
        return self._database.empty_log()

    def create_version(
        self, version: KeyVersion, entries: Sequence[AuditEntry], *, minimum_interval: timedelta = NO_INTERVAL
    ) -> KeyVersion:
        """See ``ports.Store.create_version``."""
        with self._change(entries):
            key = self._keys.require(version.key_id)
            if key.state is KeyState.PENDING_DELETION:
                raise StateError(
                    f"key {key.id} is {key.state.value} and gets no more versions", code="Rejected.PendingDeletion"
                )
            if minimum_interval:
                states.require_interval(version, self._versions.of(key.id), minimum_interval)
            return self._versions.add_next(version)

    def complete_version(self, version_id: str, created: CreatedKey, entries: Sequence[AuditEntry]) -> KeyVersion:
        """See ``ports.Store.complete_version``."""
        with self._change(entries):
            completed = self._versions.complete(version_id, created)
            self._keys.complete_import(completed.key_id)
        return completed

    def abandon_version(self, version_id: str, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.abandon_version``."""
        with self._change(entries):
            key_id = self._versions.pending(version_id).key_id
            self._versions.remove(version_id)
            if not self.versions(key_id) and self._keys.require(key_id).state is not KeyState.PENDING_IMPORT:
                self._keys.remove(key_id)

    def set_version_state(self, seen: KeyVersion, state: VersionState, entries: Sequence[AuditEntry]) -> KeyVersion:
        """See ``ports.Store.set_version_state``."""
        if state is VersionState.DESTROYED:
            raise ValueError("destroy_version destroys a version")
        with self._change(entries):
            return self._versions.change_state(seen, state)

    def destroy_version(self, seen: KeyVersion, entries: Sequence[AuditEntry]) -> bool:
        """See ``ports.Store.destroy_version``."""
        with self._change(entries):
            self._versions.change_state(seen, VersionState.DESTROYED)
        return self._database.empty_log()

    def key(self, key_id: str) -> Key | None:
        """See ``ports.Store.key``."""
        return self._keys.find(key_id)

    def keys(self) -> list[Key]:
        """See ``ports.Store.keys``."""
        return self._keys.all()

    def versions(self, key_id: str) -> list[KeyVersion]:
        """See ``ports.Store.versions``."""
        return self._versions.of(key_id)

    # Aliases, certificates, permissions

    def alias(self, name: str) -> Alias | None:
        """See ``ports.Store.alias``."""
        return self._keys.alias(name)

    def aliases(self) -> list[Alias]:
        """See ``ports.Store.aliases``."""
        return self._keys.aliases()

    def create_alias(self, alias: Alias, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.create_alias``."""
        with self._change(entries):
            self._keys.add_alias(alias)

    def update_alias(self, name: str, key_id: str, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.update_alias``."""
        with self._change(entries):
            self._keys.move_alias(name, key_id)

    def delete_alias(self, name: str, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.delete_alias``."""
        with self._change(entries):
            self._keys.remove_alias(name)

    def bind_certificate(self, bound: BoundCertificate, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.bind_certificate``."""
        with self._change(entries):
            self._versions.bind(bound)

    def certificates(self, version_id: str | None = None) -> list[BoundCertificate]:
        """See ``ports.Store.certificates``."""
        return self._versions.certificates(version_id)

    def attach_permission(self, permission: Permission, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.attach_permission``."""
        with self._change(entries):
            self._settings.add_permission(permission)

    def detach_permission(self, permission: Permission, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.detach_permission``."""
        with self._change(entries):
            self._settings.remove_permission(permission)

    def permissions(self, principal: str | None = None) -> list[Permission]:
        """See ``ports.Store.permissions``."""
        return self._settings.permissions(principal)

    # Audit log

    def record(self, entries: Sequence[AuditEntry]) -> int:
        """See ``ports.Store.record``."""
        encoded = [entry.encode() for entry in entries]
        with self._database.change():
            return self._log.append(encoded)

    def audit_entries(self) -> Iterator[AuditEntry]:
        """See ``ports.Store.audit_entries``."""
        return self._log.entries()

    def audit_encoded(self) -> Iterator[bytes]:
        """See ``ports.Store.audit_encoded``."""
        return self._log.encoded()

    def audit_leaves(self) -> list[bytes]:
        """See ``ports.Store.audit_leaves``."""
        return self._log.leaves()

    def audit_head(self) -> Frontier:
        """See ``ports.Store.audit_head``."""
        return self._log.head()

    def verify_audit(self, checkpoints: Sequence[Checkpoint] = ()) -> list[str]:
        """See ``ports.Store.verify_audit``."""
        return self._log.verify(checkpoints)

    def audit_key(self) -> AuditKey | None:
        """See ``ports.Store.audit_key``."""
        return self._settings.audit_key()

    def add_audit_key(self, key: AuditKey, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Store.add_audit_key``."""
        with self._change(entries):
            self._settings.add_audit_key(key)

    def add_checkpoint(self, size: int, note: bytes, entries: Sequence[AuditEntry] = ()) -> None:
        """See ``ports.Store.add_checkpoint``."""
        with self._change(entries):
            self._log.add_checkpoint(size, note)

    def checkpoints(self) -> list[bytes]:
        """See ``ports.Store.checkpoints``."""
        return self._log.checkpoints()

    # Custody

    def wrapped_keks(self) -> dict[int, bytes]:
        """See ``ports.Store.wrapped_keks``."""
        return self._settings.wrapped_keks()

    def replace_keks(
        self, seen: Mapping[int, bytes], wrapped: Mapping[int, bytes], root_key: str, entries: Sequence[AuditEntry]
    ) -> bool:
        """See ``ports.Store.replace_keks``."""
        with self._change(entries):
            self._settings.replace_keks(seen, wrapped, root_key)
        self.identity = self.identity._replace(root_key=root_key)
        return self._database.empty_log()

    def check(self, open_record: OpenRecord | None = None, checkpoints: Sequence[Checkpoint] = ()) -> list[str]:
        """See ``ports.Store.check``."""
        from signkit.store import check

        return check.check(self._database, open_record, checkpoints)

    def backup(self, path: str, *, overwrite: bool = False) -> None:
        """See ``ports.Store.backup``."""
        from signkit.store import copies

        copies.backup(self._database, path, overwrite=overwrite)

    @contextmanager
    def _change(self, entries: Sequence[AuditEntry]) -> Iterator[None]:
        """A transaction that ends with these audit entries."""
        encoded = [entry.encode() for entry in entries]
        with self._database.change():
            yield
            self._log.append(encoded)
