"""Keys and their aliases in a SQLite database. Every change happens within a transaction of the caller."""

from __future__ import annotations

from datetime import datetime

from signkit.errors import ConflictError, NotFoundError, StateError
from signkit.keys.model import Alias, Key, KeyState
from signkit.store.database import Database
from signkit.store.rows import KEY_COLUMNS, from_key, to_alias, to_key, to_text

_PLACES = ", ".join("?" * len(KEY_COLUMNS.split(",")))
_FIND = f"SELECT {KEY_COLUMNS} FROM key WHERE id = ?"  # noqa: S608
_ALL = f"SELECT {KEY_COLUMNS} FROM key ORDER BY position"  # noqa: S608
_DUE = f"SELECT {KEY_COLUMNS} FROM key WHERE state = ? AND deletion_at <= ? ORDER BY position"  # noqa: S608
_ADD = f"INSERT INTO key ({KEY_COLUMNS}) VALUES ({_PLACES})"  # noqa: S608
_REPLACE = f"UPDATE key SET ({KEY_COLUMNS}) = ({_PLACES}) WHERE id = ?"  # noqa: S608


class KeysTable:
    """Keys and aliases of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key_id: str) -> Key | None:
        """The key of that id, or None."""
        keys = self._database.values("key", to_key, _FIND, (key_id,))
        return keys[0] if keys else None

    def all(self) -> list[Key]:
        """All keys, oldest first."""
        return self._database.values("key", to_key, _ALL)

    def due(self, now: datetime) -> list[Key]:
        """Keys whose time to be deleted has come, oldest first."""
        return self._database.values("key", to_key, _DUE, (KeyState.PENDING_DELETION, to_text(now)))

    def require(self, key_id: str) -> Key:
        """The key of that id.

        Raises:
            NotFoundError: there is none.
        """
        key = self.find(key_id)
        if key is None:
            raise NotFoundError(f"there is no key {key_id} in the store", hint="'signkit key list' shows them")
        return key

    def require_unchanged(self, seen: Key) -> None:
        """Refuse when a key is no longer what the caller saw and decided on.

        Raises:
            NotFoundError: it is gone.
            StateError: somebody changed it.
        """
        found = self.require(seen.id)
        if found != seen:
            changed = [name for name, new, old in zip(Key._fields, found, seen, strict=True) if new != old]
            raise StateError(
                f"key {seen.id} was changed by somebody else meanwhile ({', '.join(changed)}), nothing was done",
                hint="look at it again, then repeat what you want",
                code="Rejected.StateModifiedFailed",
            )

    def add(self, key: Key) -> None:
        """Add a key."""
        self._database.execute(_ADD, from_key(key))

    def replace(self, seen: Key, key: Key) -> None:
        """Change a key from what the caller saw to what it shall be.

        Raises:
            NotFoundError: it is gone.
            StateError: somebody changed it.
            ValueError: what never changes would.
        """
        if _fixed(seen) != _fixed(key):
            raise ValueError(f"key {seen.id}: its id, type, usage, provider, origin and time of creation never change")
        self.require_unchanged(seen)
        self._database.execute(_REPLACE, (*from_key(key), key.id))

    def complete_import(self, key_id: str) -> None:
        """Enable a key whose import was pending; any other stays as it is."""
        self._database.execute(
            "UPDATE key SET state = ? WHERE id = ? AND state = ?", (KeyState.ENABLED, key_id, KeyState.PENDING_IMPORT)
        )

    def require_due(self, seen: Key, now: datetime) -> None:
        """Refuse unless a key may be deleted now.

        Raises:
            NotFoundError: it is gone.
            StateError: somebody changed it, it is protected, or its deletion is not pending or not yet due.
        """
        self.require_unchanged(seen)
        if seen.state is not KeyState.PENDING_DELETION or seen.deletion_at is None:
            message = f"key {seen.id} is {seen.state.value}, expected {KeyState.PENDING_DELETION.value}"
            raise StateError(message, code="Rejected.StateModifiedFailed")
        if seen.deletion_protection:
            raise StateError(f"key {seen.id} is protected from deletion", code="Rejected.StateModifiedFailed")
        if now < seen.deletion_at:
            raise StateError(
                f"key {seen.id} is not due: found {now:%Y-%m-%dT%H:%M:%SZ},"
                f" expected {seen.deletion_at:%Y-%m-%dT%H:%M:%SZ} or later",
                code="Rejected.PendingDeletion",
            )

    def remove(self, key_id: str) -> None:
        """Take away a key, which has no version left, and its aliases."""
        self._database.execute("DELETE FROM alias WHERE key_id = ?", (key_id,))
        self._database.execute("DELETE FROM key WHERE id = ?", (key_id,))

    def alias(self, name: str) -> Alias | None:
        """The alias of that name, or None."""
        aliases = self._database.values(
            "alias", to_alias, "SELECT name, key_id, created_at FROM alias WHERE name = ?", (name,)
        )
        return aliases[0] if aliases else None

    def aliases(self) -> list[Alias]:
        """All aliases by name."""
        return self._database.values("alias", to_alias, "SELECT name, key_id, created_at FROM alias ORDER BY name")

    def add_alias(self, alias: Alias) -> None:
        """Add an alias.

        Raises:
            ConflictError: the name exists.
            NotFoundError: no such key.
        """
        existing = self.alias(alias.name)
        if existing is not None:
            raise ConflictError(
                f"{alias.name} is taken: it names key {existing.key_id}", hint="choose another name, or move the alias"
            )
        self.require(alias.key_id)
        self._database.execute(
            "INSERT INTO alias (name, key_id, created_at) VALUES (?, ?, ?)",
            (alias.name, alias.key_id, to_text(alias.created_at)),
        )

    def move_alias(self, name: str, key_id: str) -> None:
        """Move an alias to another key.

        Raises:
            NotFoundError: no such alias or key.
        """
        self.require(key_id)
        if not self._database.execute("UPDATE alias SET key_id = ? WHERE name = ?", (key_id, name)):
            raise _no_alias(name)

    def remove_alias(self, name: str) -> None:
        """Remove an alias.

        Raises:
            NotFoundError: no such alias.
        """
        if not self._database.execute("DELETE FROM alias WHERE name = ?", (name,)):
            raise _no_alias(name)


def _fixed(key: Key) -> tuple[object, ...]:
    """What never changes of a key."""
    return key.id, key.key_type, key.usage, key.provider, key.origin, key.created_at


def _no_alias(name: str) -> NotFoundError:
    return NotFoundError(
        f"there is no {name} in the store", hint="'signkit alias list' shows them", code="Forbidden.AliasNotFound"
    )
