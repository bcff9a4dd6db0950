"""Key versions and their certificates in a SQLite database. Every change happens within a transaction of the caller."""

from __future__ import annotations

from signkit.errors import NotFoundError, RefusedError, StateError
from signkit.keys.model import BoundCertificate, KeyVersion, VersionState
from signkit.ports import CreatedKey
from signkit.store.database import Database
from signkit.store.rows import VERSION_COLUMNS, join, to_certificate, to_text, to_version

_OF_KEY = f"SELECT {VERSION_COLUMNS} FROM version WHERE key_id = ? ORDER BY number"  # noqa: S608
_FIND = f"SELECT {VERSION_COLUMNS} FROM version WHERE id = ?"  # noqa: S608
_ADD = f"INSERT INTO version ({VERSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


class VersionsTable:
    """Key versions and certificates of one database."""

    def __init__(self, database: Database, maximum: int) -> None:
        """Take the parts.

        Args:
            database: where the tables are.
            maximum: versions a key may have.
        """
        self._database = database
        self._maximum = maximum

    def of(self, key_id: str) -> list[KeyVersion]:
        """Versions of a key by number."""
        return self._database.values("key version", to_version, _OF_KEY, (key_id,))

    def require(self, version_id: str) -> KeyVersion:
        """The version of that id.

        Raises:
            NotFoundError: there is none.
        """
        versions = self._database.values("key version", to_version, _FIND, (version_id,))
        if not versions:
            raise NotFoundError(
                f"there is no key version {version_id} in the store", code="Forbidden.KeyVersionNotFound"
            )
        return versions[0]

    def add(self, version: KeyVersion) -> None:
        """Add a version as it is."""
        self._database.execute(
            _ADD,
            (*version[:4], to_text(version.created_at), version.public_key_info, version.locator),
        )

    def add_next(self, version: KeyVersion) -> KeyVersion:
        """Add a version under the lowest number that is free; numbers of abandoned versions are given again.

        Raises:
            RefusedError: the key has as many versions as it may have.
        """
        taken = self._database.rows("SELECT number FROM version WHERE key_id = ? ORDER BY number", (version.key_id,))
        if len(taken) >= self._maximum:
            raise RefusedError(
                f"key {version.key_id} has {len(taken)} versions, expected at most {self._maximum}",
                hint="create a new key",
                code="Rejected.LimitExceeded",
            )
        free = next((number for number, (one,) in enumerate(taken, 1) if number != one), len(taken) + 1)
        numbered = version._replace(number=free)
        self.add(numbered)
        return numbered

    def pending(self, version_id: str) -> KeyVersion:
        """The version of that id, which must be pending.

        Raises:
            NotFoundError: no such version.
            StateError: it is not pending.
        """
        version = self.require(version_id)
        if version.state is not VersionState.PENDING:
            raise StateError(
                f"version {version.number} of key {version.key_id} is {version.state.value}, expected pending"
            )
        return version

    def complete(self, version_id: str, created: CreatedKey) -> KeyVersion:
        """Turn a pending version into an enabled one.

        Raises:
            NotFoundError: no such version.
            StateError: it is not pending.
        """
        completed = self.pending(version_id)._replace(
            state=VersionState.ENABLED, public_key_info=created.public_key_info, locator=created.locator
        )
        self._database.execute(
            "UPDATE version SET state = ?, public_key_info = ?, locator = ? WHERE id = ?",
            (completed.state, completed.public_key_info, completed.locator, version_id),
        )
        return completed

    def change_state(self, seen: KeyVersion, state: VersionState) -> KeyVersion:
        """Change the state of a version that has its key pair. A destroyed one loses its locator, for good.

        Raises:
            NotFoundError: it is gone.
            StateError: it is pending or destroyed, or somebody changed it.
        """
        if state is VersionState.PENDING:
            raise ValueError("a version can't become pending")
        name = f"version {seen.number} of key {seen.key_id}"
        if seen.state in (VersionState.PENDING, VersionState.DESTROYED):
            raise StateError(
                f"{name} is {seen.state.value}, expected enabled or disabled", code="Rejected.StateModifiedFailed"
            )
        found = self.require(seen.id)
        if found != seen:
            raise StateError(
                f"{name} was changed by somebody else meanwhile, nothing was done:"
                f" found {found.state.value}, expected {seen.state.value}",
                hint="look at it again, then repeat what you want",
                code="Rejected.StateModifiedFailed",
            )
        changed = seen._replace(state=state, locator=b"" if state is VersionState.DESTROYED else seen.locator)
        self._database.execute(
            "UPDATE version SET state = ?, locator = ? WHERE id = ?", (changed.state, changed.locator, changed.id)
        )
        return changed

    def remove(self, version_id: str) -> None:
        """Take away a version that never got its key pair."""
        self._database.execute("DELETE FROM version WHERE id = ?", (version_id,))

    def remove_all(self, key_id: str) -> None:
        """Take away all versions of a key and their certificates."""
        self._database.execute(
            "DELETE FROM certificate WHERE version_id IN (SELECT id FROM version WHERE key_id = ?)", (key_id,)
        )
        self._database.execute("DELETE FROM version WHERE key_id = ?", (key_id,))

    def bind(self, bound: BoundCertificate) -> None:
        """Bind a certificate to a version and make it the version's current one.

        One that is bound already becomes current again, with the chain and the provenance it came with this time.

        Raises:
            NotFoundError: no such version.
        """
        self.require(bound.version_id)
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

    def certificates(self, version_id: str | None) -> list[BoundCertificate]:
        """Bound certificates of one version, or of all: the current one of each version comes first."""
        return self._database.values(
            "certificate",
            to_certificate,
            "SELECT c.id, c.version_id, c.certificate, c.chain, c.imported_at, c.imported_by, c.source"
            " FROM certificate AS c JOIN version AS v ON v.id = c.version_id JOIN key AS k ON k.id = v.key_id"
            " WHERE ? IS NULL OR c.version_id = ? ORDER BY k.position, v.number, c.binding DESC",
            (version_id, version_id),
        )
