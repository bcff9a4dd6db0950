"""Format of the SQLite store: numbered migrations, each applied once, all that are missing in one transaction."""

from __future__ import annotations

import os
from datetime import datetime
from typing import NamedTuple

from signkit.errors import StoreError
from signkit.store.database import Database, statements
from signkit.store.rows import from_text, to_text

FORMAT = 2
"""Number of the newest migration: the format this release reads and writes."""


class StoreIdentity(NamedTuple):
    """What a store says about itself.

    Attributes:
        id: UUID of the store.
        created_at: aware UTC time.
        root_key: URI of the root-key source; no secret.
    """

    id: str
    created_at: datetime
    root_key: str


def is_free(path: str) -> bool:
    """Whether a store can be made at that path: nothing is there, or only what a crash left of making one."""
    if not os.path.lexists(path):
        return True
    try:
        database = Database.open(path)
    except StoreError:
        return False
    try:
        return not database.rows("SELECT name FROM sqlite_schema")
    except StoreError:
        return False
    finally:
        database.close()


def create_tables(database: Database, identity: StoreIdentity) -> None:
    """Give an empty database the newest format, within a transaction of the caller."""
    _migrate(database, 0)
    database.execute(
        "INSERT INTO store (row, format, id, created_at, root_key) VALUES (1, ?, ?, ?, ?)",
        (FORMAT, identity.id, to_text(identity.created_at), identity.root_key),
    )


def identify(database: Database) -> StoreIdentity:
    """What the store says about itself, after an older format was brought up to date.

    Raises:
        StoreError: an unfinished store, another application's database, a newer format, or an older one that can't be
            brought up to date.
    """
    found, identity = describe(database)
    if found < FORMAT:
        if not database.writable:
            raise StoreError(
                f"the store {database.path} has format {found}, expected {FORMAT}, and is read-only",
                hint="open it once where it can be written; that brings it up to date",
                code="StoreReadOnly",
            )
        with database.change():
            _migrate(database, _format(database))  # read again: another process may have been first
            database.execute("UPDATE store SET format = ?", (FORMAT,))
    return identity


def describe(database: Database) -> tuple[int, StoreIdentity]:
    """Format of a store and what it says about itself; nothing is changed.

    Raises:
        StoreError: an unfinished store, another application's database, or a newer format.
    """
    tables = {name for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables:
        raise StoreError(f"the store {database.path} is empty: it was never finished", hint="run 'signkit init' again")
    if "store" not in tables:
        raise StoreError(f"{database.path} is another application's database, expected a store of signkit")
    found = _format(database)
    [(store_id, created_at, root_key)] = database.rows("SELECT id, created_at, root_key FROM store")
    return found, StoreIdentity(store_id, from_text(created_at), root_key)


def migrations() -> dict[int, str]:
    """Number of each migration to its SQL, in order."""
    from importlib import resources

    files = resources.files("signkit.store").joinpath("migrations").iterdir()
    scripts = {file.name: file for file in files if file.name.endswith(".sql")}
    return {int(name[:4]): scripts[name].read_text(encoding="utf-8") for name in sorted(scripts)}


def _format(database: Database) -> int:
    """Format of the store.

    Raises:
        StoreError: it has none, or one that this release does not know.
    """
    rows = database.rows("SELECT format FROM store")
    if len(rows) != 1:
        raise StoreError(f"the store {database.path} is damaged: it has {len(rows)} formats, expected one")
    found = int(rows[0][0])
    if found > FORMAT:
        raise StoreError(
            f"the store {database.path} has format {found}, expected {FORMAT} or older",
            hint="a newer signkit made it: update this one",
        )
    return found


def _migrate(database: Database, found: int) -> None:
    for number, script in migrations().items():
        if number > found:
            for statement in statements(script):
                database.execute(statement)
