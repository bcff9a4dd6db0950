"""The store in one SQLite file: raw SQL, STRICT tables, every change and its audit entries in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from signkit.audit.entry import AuditEntry
from signkit.audit.merkle import Frontier
from signkit.errors import ConflictError, NotFoundError, OutputExistsError, RefusedError, StateError, StoreError
from signkit.keys.model import Alias, BoundCertificate, Key, KeyVersion, VersionState
from signkit.ports import CreatedKey
from signkit.store.audit_log import AuditLog
from signkit.store.database import Database
from signkit.store.rows import Permission, join, to_alias, to_certificate, to_key, to_permission, to_text, to_version
from signkit.store.schema import StoreIdentity, create_tables, identify

MAXIMUM_VERSIONS = 50
"""Versions a key may have unless told otherwise; as many as KMS allows."""

__all__ = ["MAXIMUM_VERSIONS", "Permission", "SqliteStore", "StoreIdentity"]

_T = TypeVar("_T")


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
        self._maximum_versions = maximum_versions
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
                store._database.execute_many("INSERT INTO kek (id, wrapped) VALUES (?, ?)", wrapped_keks.items())
                for permission in permissions:
                    store._insert_permission(permission)
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

    def wrapped_keks(self) -> dict[int, bytes]:
        """Number of each key-encryption key to its wrapped form (``signkit.keys.sealing.Kek.unwrap``)."""
        return dict(self._database.rows("SELECT id, wrapped FROM kek ORDER BY id"))

    def create_key(self, key: Key, version: KeyVersion, alias: str | None, entries: Sequence[AuditEntry]) -> None:
        """Add a key with its first, pending version and possibly an alias.

        Raises:
            ConflictError: the alias exists.
        """
        with self._change(entries):
            self._database.execute(
                "INSERT INTO key (id, key_type, usage, state, provider, description, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*key[:-1], to_text(key.created_at)),
            )
            self._insert_version(version._replace(number=1))
            if alias is not None:
                self._insert_alias(Alias(alias, key.id, key.created_at))

    def create_version(self, version: KeyVersion, entries: Sequence[AuditEntry]) -> KeyVersion:
        """Add a pending version. Its number is one more than the key's highest, whatever the argument says.

        Raises:
            NotFoundError: no such key.
            RefusedError: the key has as many versions as it may have.
        """
        with self._change(entries):
            self._require_key(version.key_id)
            [(count, highest)] = self._database.rows(
                "SELECT count(*), coalesce(max(number), 0) FROM version WHERE key_id = ?", (version.key_id,)
            )
            if count >= self._maximum_versions:
                raise RefusedError(
                    f"key {version.key_id} has {count} versions, expected at most {self._maximum_versions}",
                    hint="create a new key",
                    code="Rejected.LimitExceeded",
                )
            numbered = version._replace(number=highest + 1)
            self._insert_version(numbered)
        return numbered

    def complete_version(self, version_id: str, created: CreatedKey, entries: Sequence[AuditEntry]) -> KeyVersion:
        """Turn a pending version into an enabled one.

        Raises:
            NotFoundError: no such version.
            StateError: it is not pending.
        """
        with self._change(entries):
            completed = self._pending(version_id)._replace(
                state=VersionState.ENABLED, public_key_info=created.public_key_info, locator=created.locator
            )
            self._database.execute(
                "UPDATE version SET state = ?, public_key_info = ?, locator = ? WHERE id = ?",
                (completed.state, completed.public_key_info, completed.locator, version_id),
            )
        return completed

    def abandon_version(self, version_id: str, entries: Sequence[AuditEntry]) -> None:
        """Take a pending version away again, and with a key's only version the key and its aliases.

        Raises:
            NotFoundError: no such version.
            StateError: it is not pending.
        """
        with self._change(entries):
            key_id = self._pending(version_id).key_id
            self._database.execute("DELETE FROM version WHERE id = ?", (version_id,))
            if not self.versions(key_id):
                self._database.execute("DELETE FROM alias WHERE key_id = ?", (key_id,))
                self._database.execute("DELETE FROM key WHERE id = ?", (key_id,))

    def key(self, key_id: str) -> Key | None:
        """The key of that id, or None."""
        keys = self._read(
            to_key,
            "SELECT id, key_type, usage, state, provider, description, created_at FROM key WHERE id = ?",
            (key_id,),
        )
        return keys[0] if keys else None

    def keys(self) -> list[Key]:
        """All keys, oldest first."""
        return self._read(
            to_key, "SELECT id, key_type, usage, state, provider, description, created_at FROM key ORDER BY position"
        )

    def versions(self, key_id: str) -> list[KeyVersion]:
        """Versions of a key by number."""
        return self._read(
            to_version,
            "SELECT id, key_id, number, state, created_at, public_key_info, locator FROM version"
            " WHERE key_id = ? ORDER BY number",
            (key_id,),
        )

    def alias(self, name: str) -> Alias | None:
        """The alias of that name, or None."""
        aliases = self._read(to_alias, "SELECT name, key_id, created_at FROM alias WHERE name = ?", (name,))
        return aliases[0] if aliases else None

    def aliases(self) -> list[Alias]:
        """All aliases by name."""
        return self._read(to_alias, "SELECT name, key_id, created_at FROM alias ORDER BY name")

    def create_alias(self, alias: Alias, entries: Sequence[AuditEntry]) -> None:
        """Add an alias.

        Raises:
            ConflictError: the name exists.
            NotFoundError: no such key.
        """
        with self._change(entries):
            self._require_key(alias.key_id)
            self._insert_alias(alias)

    def update_alias(self, name: str, key_id: str, entries: Sequence[AuditEntry]) -> None:
        """Move an alias to another key.

        Raises:
            NotFoundError: no such alias or key.
        """
        with self._change(entries):
            self._require_key(key_id)
            if not self._database.execute("UPDATE alias SET key_id = ? WHERE name = ?", (key_id, name)):
                raise _no_alias(name)

    def delete_alias(self, name: str, entries: Sequence[AuditEntry]) -> None:
        """Remove an alias; its key is not touched.

        Raises:
            NotFoundError: no such alias.
        """
        with self._change(entries):
            if not self._database.execute("DELETE FROM alias WHERE name = ?", (name,)):
                raise _no_alias(name)

    def bind_certificate(self, bound: BoundCertificate, entries: Sequence[AuditEntry]) -> None:
        """Bind a certificate to a version and make it the version's current one.

        One that is bound already becomes current again, with the chain and the provenance it came with this time.

        Raises:
            NotFoundError: no such version.
        """
        with self._change(entries):
            self._require_version(bound.version_id)
            self._database.execute(
                "INSERT INTO certificate"
                " (version_id, id, certificate, chain, imported_at, imported_by, source, binding)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, coalesce(max(binding), 0) + 1 FROM certificate WHERE version_id = ?"
                " ON CONFLICT (version_id, id) DO UPDATE SET chain = excluded.chain, binding = excluded.binding,"
                " imported_at = excluded.imported_at, imported_by = excluded.imported_by, source = excluded.source",
                (
                    bound.version_id,
                    bound.id,
                    bound.certificate,
                    join(bound.chain),
                    to_text(bound.imported_at),
                    bound.imported_by,
                    bound.source,
                    bound.version_id,
                ),
            )

    def certificates(self, version_id: str | None = None) -> list[BoundCertificate]:
        """Bound certificates of one version, or of all: the current one of each version comes first."""
        return self._read(
            to_certificate,
            "SELECT c.id, c.version_id, c.certificate, c.chain, c.imported_at, c.imported_by, c.source"
            " FROM certificate AS c JOIN version AS v ON v.id = c.version_id JOIN key AS k ON k.id = v.key_id"
            " WHERE ? IS NULL OR c.version_id = ? ORDER BY k.position, v.number, c.binding DESC",
            (version_id, version_id),
        )

    def attach_permission(self, permission: Permission, entries: Sequence[AuditEntry]) -> None:
        """Attach a permission document to a principal; one that is attached already stays as it is."""
        with self._change(entries):
            self._insert_permission(permission)

    def permissions(self, principal: str | None = None) -> list[Permission]:
        """Permission documents of one principal, or of all: by principal, oldest first."""
        return self._read(
            to_permission,
            "SELECT principal, document, created_at FROM permission WHERE ? IS NULL OR principal = ?"
            " ORDER BY principal, created_at, document",
            (principal, principal),
        )

    def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append audit entries durably, all or none."""
        with self._change(entries):
            pass

    def audit_entries(self) -> Iterator[AuditEntry]:
        """The audit log from its first entry, read as it is consumed."""
        return self._log.entries()

    def audit_head(self) -> Frontier:
        """Size and frontier of the audit log's Merkle tree, as kept beside the log."""
        return self._log.head()

    def verify_audit(self) -> list[str]:
        """Recompute the audit log's Merkle tree (RFC 6962 section 2.1) from its entries.

        A store that was rolled back as a whole is not found from inside.

        Returns:
            everything that is wrong, in the log's order; empty when the log is sound.
        """
        return self._log.verify()

    @contextmanager
    def _change(self, entries: Sequence[AuditEntry]) -> Iterator[None]:
        """A transaction that ends with these audit entries."""
        encoded = [entry.encode() for entry in entries]
        with self._database.change():
            yield
            self._log.append(encoded)

    def _read(self, convert: Callable[[Sequence[Any]], _T], statement: str, arguments: Sequence[Any] = ()) -> list[_T]:
        """The rows of a query as values."""
        rows = self._database.rows(statement, arguments)
        try:
            return [convert(row) for row in rows]
        except ValueError as error:
            path = self._database.path
            raise StoreError(f"the store {path} is damaged: {error}", hint="restore it from a backup") from error

    def _insert_version(self, version: KeyVersion) -> None:
        self._database.execute(
            "INSERT INTO version (id, key_id, number, state, created_at, public_key_info, locator)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*version[:4], to_text(version.created_at), version.public_key_info, version.locator),
        )

    def _insert_alias(self, alias: Alias) -> None:
        existing = self.alias(alias.name)
        if existing is not None:
            raise ConflictError(
                f"{alias.name} is taken: it names key {existing.key_id}", hint="choose another name, or move the alias"
            )
        self._database.execute(
            "INSERT INTO alias (name, key_id, created_at) VALUES (?, ?, ?)",
            (alias.name, alias.key_id, to_text(alias.created_at)),
        )

    def _insert_permission(self, permission: Permission) -> None:
        self._database.execute(
            "INSERT INTO permission (principal, document, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (permission.principal, permission.document, to_text(permission.created_at)),
        )

    def _require_key(self, key_id: str) -> None:
        if self.key(key_id) is None:
            raise NotFoundError(f"there is no key {key_id} in the store", hint="'signkit key list' shows them")

    def _require_version(self, version_id: str) -> KeyVersion:
        versions = self._read(
            to_version,
            "SELECT id, key_id, number, state, created_at, public_key_info, locator FROM version WHERE id = ?",
            (version_id,),
        )
        if not versions:
            raise NotFoundError(
                f"there is no key version {version_id} in the store", code="Forbidden.KeyVersionNotFound"
            )
        return versions[0]

    def _pending(self, version_id: str) -> KeyVersion:
        version = self._require_version(version_id)
        if version.state is not VersionState.PENDING:
            raise StateError(f"version {version.number} of key {version.key_id} is {version.state}, expected pending")
        return version


def _no_alias(name: str) -> NotFoundError:
    return NotFoundError(
        f"there is no {name} in the store", hint="'signkit alias list' shows them", code="Forbidden.AliasNotFound"
    )
