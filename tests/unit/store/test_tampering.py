"""Whoever can write to the database can plant objects and rows in it: both are refused in words, never as a defect."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from signkit.errors import StoreError
from signkit.store import schema
from signkit.store.sqlite import SqliteStore
from tests.support import sealed
from tests.support.commands import Workshop
from tests.support.stores import an_entry

PLANTED = {
    "trigger": ("CREATE TRIGGER swallow AFTER INSERT ON audit BEGIN DELETE FROM audit; END", "trigger swallow"),
    "view": ("CREATE VIEW shadow AS SELECT * FROM key", "view shadow"),
    "table": ("CREATE TABLE extra (x TEXT)", "table extra"),
    "index": ("CREATE UNIQUE INDEX one_result ON audit (length(entry))", "index one_result"),
    "dropped index": ("DROP INDEX alias_by_key", "index alias_by_key"),
    "added column": ("ALTER TABLE audit ADD COLUMN x TEXT DEFAULT ''", "table audit"),
    "renamed table": ("ALTER TABLE checkpoint RENAME TO other", "table checkpoint, table other"),
    "view for a table": (
        "ALTER TABLE permission RENAME TO hidden; CREATE VIEW permission AS SELECT * FROM hidden",
        "table hidden, .*view permission",
    ),
}


def script(path: Path, statements: str) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(statements)
    database.close()


@pytest.mark.parametrize(("statements", "named"), PLANTED.values(), ids=list(PLANTED))
def test_a_database_that_signkit_did_not_make_so_is_refused(tmp_path: Path, statements: str, named: str) -> None:
    path = tmp_path / "store.db"
    with sealed.new_sealed_store(path) as store:
        store.record([an_entry()])
    script(path, statements)
    with pytest.raises(StoreError, match=f"tampered with: format 3 is not made so: .*{named}") as caught:
        SqliteStore.open(str(path))
    assert caught.value.hint


def test_a_schema_that_is_no_text_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    sealed.new_sealed_store(path).close()
    for change in ("name = CAST(x'61c1' AS TEXT)", "sql = CAST(x'c1c1' AS TEXT)", "sql = 'CREATE TABLE key (x)'"):
        copy = tmp_path / "copy.db"
        copy.write_bytes(path.read_bytes())
        script(copy, f"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET {change} WHERE name = 'key'")
        with pytest.raises(StoreError) as caught:
            SqliteStore.open(str(copy))
        assert caught.value.hint


def test_an_older_store_is_looked_at_before_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    script(path, schema.migrations()[1])
    script(path, "INSERT INTO store VALUES (1, 1, 'id', '2025-01-02T03:04:05.000000Z', 'file:/root.key')")
    script(path, "CREATE TRIGGER late AFTER UPDATE ON store BEGIN DELETE FROM audit; END")
    with pytest.raises(StoreError, match="format 1 is not made so: trigger late"):
        SqliteStore.open(str(path))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_digest_of_each_format_is_that_of_its_tables(number: int) -> None:
    assert schema.digest_of(schema._made_now(number)) == schema._KNOWN[number]


def test_other_spaces_and_comments_in_the_tables_are_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.db"
    sealed.new_sealed_store(path).close()
    monkeypatch.setattr(schema, "_KNOWN", {})
    spaced = {number: text.replace(", ", ",  ") for number, text in schema.migrations().items()}
    monkeypatch.setattr(schema, "migrations", lambda: spaced)
    SqliteStore.open(str(path)).close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    shop = Workshop.create(tmp_path_factory.mktemp("tampering"), "EC_P256")
    (shop.folder / "app").write_bytes(b"app")
    shop.do("audit", "checkpoint", "--out", shop.folder / "checkpoint")
    return shop


TABLES = {
    "store": ("format", "id", "created_at", "root_key"),
    "kek": ("id", "wrapped"),
    "key": (
        *("key_type", "usage", "state", "provider", "description", "created_at", "origin", "deletion_at"),
        *("state_before_deletion", "deletion_protection", "tags", "policy", "id"),
    ),
    "version": ("id", "key_id", "number", "state", "created_at", "public_key_info", "locator"),
    "alias": ("name", "key_id", "created_at"),
    "certificate": ("id", "certificate", "chain", "imported_at", "source", "version_id"),
    "permission": ("principal", "document", "created_at"),
    "audit": ("seq", "leaf", "entry"),
    "audit_head": ("size", "frontier"),
    "audit_key": ("origin", "public_key", "locator", "created_at"),
    "checkpoint": ("size", "note"),
}
VALUES: tuple[object, ...] = ("", "x", "2025-01-01", "[" * 5000, b"", b"\0" * 32, b"{}", -1, 0, 2**62)


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, names in TABLES.items() for column in names])
def test_no_edited_row_ends_as_a_defect(shop: Workshop, tmp_path: Path, table: str, column: str) -> None:
    """Every column of every table gets what does not belong there; all commands answer with an error of their own."""
    path, kept = shop.home / "store.db", tmp_path / "kept.db"
    shop.do("store", "backup", kept)
    for value in VALUES:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA ignore_check_constraints = ON")
        try:
            database.execute(f"UPDATE {table} SET {column} = ?", [value])
        except sqlite3.Error:  # STRICT tables take values of their type only
            continue
        finally:
            database.close()
        try:
            for command in (
                ("store", "check"),
                ("key", "list"),
                ("audit", "list"),
                (
                    "raw",
                    "sign",
                    shop.key,
                    "--algorithm",
                    "ECDSA_SHA_256",
                    "--in",
                    shop.folder / "app",
                    "--out",
                    tmp_path / "s",
                ),
                ("audit", "checkpoint", "--out", tmp_path / "again", "--force"),
            ):
                done = shop(*command)
                assert done.status in (0, 3, 4), (value, command, done)
                if done.status:
                    assert done.error(done.status)
        finally:
            source, target = sqlite3.connect(kept), sqlite3.connect(path)
            source.backup(target)
            source.close()
            target.close()
