"""Format of the SQLite store: numbered migrations, each applied once, all that are missing in one transaction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from signkit.errors import StoreError
from signkit.store.database import Database, statements
from signkit.store.rows import from_text, to_text

FORMAT = 3
"""Number of the newest migration: the format this release reads and writes."""

_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
_KNOWN = {
    1: "a287b28664b93265ddb021d84debe9860d06776f31e7d5d56905481b603e49ea",
    2: "f0f2b41123b2f6445d9286cae18cc132efca19b7e86cd8be6d5a47f90f838ede",
    3: "f0f2b41123b2f6445d9286cae18cc132efca19b7e86cd8be6d5a47f90f838ede",
}
"""Format to the SHA-256 of its tables and indexes, so that comparing them costs next to nothing."""


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
    _migrate(database, 0, FORMAT)
    database.execute(
        "INSERT INTO store (row, format, id, created_at, root_key) VALUES (1, ?, ?, ?, ?)",
        (FORMAT, identity.id, to_text(identity.created_at), identity.root_key),
    )


def identify(database: Database) -> StoreIdentity:
    """What the store says about itself, after an older format was brought up to date.

    Raises:
        StoreError: an unfinished store, another application's database, a newer format, or an older one that can't be
            brought up to date; or it was replaced just now.
    """
    found, identity = describe(database)
    database.require_in_place()
    if found < FORMAT:
        if not database.writable:
            raise StoreError(
                f"the store {database.path} has format {found}, expected {FORMAT}, and is read-only",
                hint="open it once where it can be written; that brings it up to date",
                code="StoreReadOnly",
            )
        with database.change():
            _migrate(database, _format(database), FORMAT)  # read again: another process may have been first
            database.execute("UPDATE store SET format = ?", (FORMAT,))
    return identity


def describe(database: Database) -> tuple[int, StoreIdentity]:
    """Format of a store and what it says about itself; nothing is changed.

    Raises:
        StoreError: an unfinished store, another application's database, a newer format, or a database with other
            tables, indexes, triggers or views than signkit makes.
    """
    objects = database.rows(_OBJECTS)
    if not objects:
        raise StoreError(f"the store {database.path} is empty: it was never finished", hint="run 'signkit init' again")
    if not any(name == "store" for _, name, _, _ in objects):
        raise StoreError(f"{database.path} is another application's database, expected a store of signkit")
    found = _format(database)
    _require_own(database, found, objects)
    [identity] = database.values("store", _to_identity, "SELECT id, created_at, root_key FROM store")
    return found, identity


def _to_identity(row: Sequence[Any]) -> StoreIdentity:
    store_id, created_at, root_key = row
    return StoreIdentity(store_id, from_text(created_at), root_key)


def digest_of(objects: Sequence[Sequence[Any]]) -> str:
    """SHA-256 over the rows of ``sqlite_schema``, as hex."""
    return sha256("\0".join(str(value) for row in objects for value in row).encode()).hexdigest()


def _require_own(database: Database, found: int, objects: Sequence[Sequence[Any]]) -> None:
    """Refuse a database with tables, indexes, triggers or views that no release of this format has made.

    A planted trigger or view could take audit entries away while all that is written seems to be there.

    Raises:
        StoreError: there are some, or some of ours are missing.
    """
    if digest_of(objects) == _KNOWN.get(found):
        return
    # Another release of SQLite may write down a changed table with other spaces, so they are compared without.
    expected = {row[:3]: _bare(row[3]) for row in _made_now(found)}
    present = {row[:3]: _bare(row[3]) for row in objects}
    names = sorted({"{} {}".format(*one[:2]) for one, _ in expected.items() ^ present.items()})
    if names:
        raise StoreError(
            f"the store {database.path} has been tampered with: format {found} is not made so: {', '.join(names)}",
            hint="find out who changed it; restore it from a backup",
        )


def _made_now(number: int) -> list[tuple[Any, ...]]:
    """The rows of ``sqlite_schema`` of a new store of some format."""
    database = Database.in_memory()
    try:
        _migrate(database, 0, number)
        return database.rows(_OBJECTS)
    finally:
        database.close()


def _bare(sql: str | None) -> str:
    """A statement without comments and spaces."""
    return "".join("".join(line.partition("--")[0] for line in (sql or "").splitlines()).split())


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
        raise database.damaged(f"it has {len(rows)} formats, expected one")
    found = int(rows[0][0])
    if found < 1:
        raise database.damaged(f"it has format {found}, expected 1 or more")
    if found > FORMAT:
        raise StoreError(
            f"the store {database.path} has format {found}, expected {FORMAT} or older",
            hint="a newer signkit made it: update this one",
        )
    return found


def _migrate(database: Database, found: int, wanted: int) -> None:
    for number, script in migrations().items():
        if found < number <= wanted:
            for statement in statements(script):
                database.execute(statement)
