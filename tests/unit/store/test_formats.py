"""Stores of older formats: opened, brought up to date once, and nothing in them lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from signkit.audit import merkle
from signkit.errors import StoreError
from signkit.keys.model import Alias, KeyOrigin, KeyState, Permission, VersionState
from signkit.store import schema
from signkit.store.database import Database
from signkit.store.rows import join, to_text
from signkit.store.sqlite import SqliteStore
from tests.support.stores import AT, STORE_ID, a_certificate, a_key, a_version, an_entry, new_id

KEY = a_key()
VERSIONS = [
    a_version(KEY.id)._replace(number=1, state=VersionState.ENABLED, public_key_info=b"public", locator=b"sealed"),
    a_version(KEY.id)._replace(number=2),
]
ENTRIES = [an_entry(detail=str(number)) for number in range(3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of format 1 with a row in each of its tables, made by its script alone."""
    path = tmp_path / "home" / "store.db"
    path.parent.mkdir()
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(schema.migrations()[1])
    database.execute("INSERT INTO store VALUES (1, 1, ?, ?, 'file:/root.key')", (STORE_ID, to_text(AT)))
    database.execute("INSERT INTO kek VALUES (1, x'00')")
    database.execute("INSERT INTO key VALUES (1, ?, ?, ?, ?, ?, ?, ?)", (*KEY[:6], to_text(KEY.created_at)))
    for version in VERSIONS:
        database.execute("INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?)", (*version[:4], to_text(AT), *version[5:]))
    database.execute("INSERT INTO alias VALUES ('alias/release', ?, ?)", (KEY.id, to_text(AT)))
    bound = a_certificate(VERSIONS[0].id)
    database.execute(
        "INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
        (
            bound.version_id,
            bound.id,
            bound.certificate,
            join(bound.chain),
            to_text(AT),
            bound.imported_by,
            bound.source,
        ),
    )
    database.execute("INSERT INTO permission VALUES ('os:alice', '{}', ?)", (to_text(AT),))
    leaves = [merkle.leaf_hash(entry.encode()) for entry in ENTRIES]
    for number, entry in enumerate(ENTRIES):
        database.execute("INSERT INTO audit VALUES (?, ?, ?)", (number, leaves[number], entry.encode()))
    head = merkle.append(merkle.EMPTY, leaves)
    database.execute("UPDATE audit_head SET size = ?, frontier = ?", (head.size, b"".join(head.subtrees)))
    database.close()
    return path


def format_of(path: Path) -> int:
    database = sqlite3.connect(path)
    [(found,)] = database.execute("SELECT format FROM store")
    database.close()
    return int(found)


def test_a_store_of_format_1_keeps_everything(path: Path) -> None:
    assert format_of(path) == 1
    for _ in range(2):
        with SqliteStore.open(str(path)) as store:
            assert store.identity == (STORE_ID, AT, "file:/root.key")
            assert store.wrapped_keks() == {1: b"\0"}
            assert store.keys() == [KEY]
            assert store.versions(KEY.id) == VERSIONS
            assert store.aliases() == [Alias("alias/release", KEY.id, AT)]
            assert store.certificates() == [a_certificate(VERSIONS[0].id)]
            assert store.permissions() == [Permission("os:alice", "{}", AT)]
            assert list(store.audit_entries()) == ENTRIES
            assert store.check() == []
        assert format_of(path) == schema.FORMAT == 3


def test_what_format_2_added_works_on_a_store_of_format_1(path: Path) -> None:
    with SqliteStore.open(str(path)) as store:
        [key] = store.keys()
        assert (key.origin, key.deletion_at, key.tags, key.policy) == (KeyOrigin.OWN, None, {}, "")
        changed = key._replace(state=KeyState.DISABLED, tags={"team": "release"}, deletion_protection=True)
        store.update_key(key, changed, [an_entry()])
        assert store.keys() == [changed]
        assert (store.audit_key(), store.checkpoints()) == (None, [])
        assert store.destroy_version(VERSIONS[0], [an_entry()])
        assert store.check() == []


def test_a_new_store_and_one_brought_up_to_date_have_the_same_tables(path: Path, tmp_path: Path) -> None:
    columns = "SELECT m.name, c.* FROM sqlite_schema AS m, pragma_table_info(m.name) AS c ORDER BY 1, 2"
    SqliteStore.open(str(path)).close()
    SqliteStore.create(str(tmp_path / "new.db"), schema.StoreIdentity(new_id(), AT, "file:/root.key"), {}).close()
    databases = [Database.open(str(file), read_only=True) for file in (path, tmp_path / "new.db")]
    old, new = (database.rows(columns) for database in databases)
    assert old == new
    for database in databases:
        database.close()


def test_an_older_format_that_can_not_be_written_says_so(path: Path) -> None:
    database = Database.open(str(path), read_only=True)
    with pytest.raises(StoreError, match="has format 1, expected 3, and is read-only") as caught:
        schema.identify(database)
    database.close()
    assert caught.value.code == "StoreReadOnly"
    assert caught.value.hint
    assert format_of(path) == 1
