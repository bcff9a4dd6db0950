"""The SQLite store: what is refused, what survives, what is on disk."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signkit.audit import merkle
from signkit.errors import OutputExistsError, RootKeyError, StoreError
from signkit.keys.sealing import Kek, RecordContext, RootSecret
from signkit.ports import CreatedKey, Store
from signkit.store import database as database_module
from signkit.store import schema
from signkit.store.database import Database, statements
from signkit.store.rows import Permission, join, split
from signkit.store.sqlite import SqliteStore
from tests.support.stores import AT, ROOT_KEY, a_certificate, a_key, a_version, an_entry, new_sqlite_store

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with new_sqlite_store(path) as store:
        yield store


def edit(path: Path, *changes: str) -> None:
    """Change a database behind the store's back."""
    connection = sqlite3.connect(path, isolation_level=None)
    for change in changes:
        connection.execute(change)
    connection.close()


def refusal(action: Callable[[], object], match: str) -> StoreError:
    with pytest.raises(StoreError, match=match) as caught:
        action()
    assert caught.value.exit_status == 3
    return caught.value


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Python code in a process of its own, with the project and this folder's helpers on its path."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# What is no store


def test_a_missing_store_is_not_made(path: Path) -> None:
    error = refusal(lambda: SqliteStore.open(str(path)), f"there is no store at {path}")
    assert error.hint == "run 'signkit init'"
    assert not path.parent.exists()


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    refusal(lambda: SqliteStore.open(str(path)), "is not a store")
    refusal(lambda: new_sqlite_store(path), "is not a store")
    assert path.read_bytes() == content


def test_a_folder(tmp_path: Path) -> None:
    refusal(lambda: SqliteStore.open(str(tmp_path)), "can't be opened")


@pytest.mark.parametrize("leave", [Path.touch, lambda path: Database.create(str(path)).close()])
def test_an_unfinished_store_can_be_made_again(tmp_path: Path, leave: Callable[[Path], None]) -> None:
    """What a crash within init leaves is an empty file or a database without tables."""
    path = tmp_path / "store.db"
    leave(path)
    error = refusal(lambda: SqliteStore.open(str(path)), "is empty: it was never finished")
    assert error.hint == "run 'signkit init' again"
    assert schema.is_free(str(path))
    new_sqlite_store(path).close()
    SqliteStore.open(str(path)).close()
    assert not schema.is_free(str(path))


def test_a_place_is_free_when_nothing_else_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text" * 1000)
    (tmp_path / "link").symlink_to("nowhere")
    taken = [name for name in ("missing", "file", "link", ".") if not schema.is_free(str(tmp_path / name))]
    assert taken == ["file", "link", "."]
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


def test_another_applications_database(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    edit(path, "CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    refusal(lambda: SqliteStore.open(str(path)), "another application's database")
    with pytest.raises(OutputExistsError):
        new_sqlite_store(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_store_from_a_backup_gets_its_write_ahead_log_back(store: SqliteStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    store._database.execute("VACUUM INTO ?", (str(copy),))
    with SqliteStore.open(str(copy)) as copied:
        assert copied._database.rows("PRAGMA journal_mode") == [("wal",)]


def test_a_damaged_store(store: SqliteStore, path: Path) -> None:
    for number in range(60):
        key = a_key()
        store.create_key(key, a_version(key.id), f"alias/{number}", [an_entry()])
    store.close()
    content = bytearray(path.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(content)

    def read() -> None:
        with SqliteStore.open(str(path)) as opened:
            opened.keys()

    error = refusal(read, "is damaged")
    assert error.hint == "restore it from a backup"


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("UPDATE key SET created_at = 'yesterday'", lambda store: store.keys()),
        ("UPDATE certificate SET chain = x'00000009ff'", lambda store: store.certificates()),
        ("UPDATE audit_head SET size = 9", lambda store: store.record([an_entry()])),
        ("DELETE FROM audit_head", lambda store: store.record([an_entry()])),
        ("UPDATE audit SET entry = x'ff'", lambda store: list(store.audit_entries())),
        ("UPDATE audit SET entry = CAST('{}' AS BLOB)", lambda store: list(store.audit_entries())),
    ],
)
def test_values_that_no_store_wrote(
    store: SqliteStore, path: Path, change: str, read: Callable[[SqliteStore], object]
) -> None:
    key = a_key()
    version = a_version(key.id)
    store.create_key(key, version, None, [an_entry()])
    store.bind_certificate(a_certificate(version.id), [])
    edit(path, change)
    assert refusal(lambda: read(store), "is damaged|has no usable head|can't be read").hint


# Formats


def test_a_newer_format_is_refused(store: SqliteStore, path: Path) -> None:
    edit(path, "UPDATE store SET format = 1000")
    error = refusal(lambda: SqliteStore.open(str(path)), f"has format 1000, expected {schema.FORMAT} or older")
    assert "update" in error.hint


def test_a_store_without_a_format_is_refused(store: SqliteStore, path: Path) -> None:
    edit(path, "DELETE FROM store")
    refusal(lambda: SqliteStore.open(str(path)), "has 0 formats, expected one")


def test_the_migrations_are_numbered_up_to_the_format() -> None:
    assert list(schema.migrations()) == list(range(1, schema.FORMAT + 1))


NEXT = schema.FORMAT + 1


def test_an_older_format_is_brought_up_to_date(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = a_key()
    store.create_key(key, a_version(key.id), None, [])
    newer = schema.migrations() | {NEXT: "CREATE TABLE second (x TEXT) STRICT;\nINSERT INTO second VALUES ('a;b');\n"}
    monkeypatch.setattr(schema, "FORMAT", NEXT)
    monkeypatch.setattr(schema, "migrations", lambda: newer)
    for _ in range(2):
        with SqliteStore.open(str(path)) as opened:
            assert opened.keys() == [key]
    monkeypatch.setattr(schema, "FORMAT", NEXT - 1)
    refusal(lambda: SqliteStore.open(str(path)), f"has format {NEXT}, expected {NEXT - 1} or older")


def test_a_migration_that_fails_changes_nothing(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "FORMAT", NEXT)
    monkeypatch.setattr(
        schema, "migrations", lambda: {NEXT: "CREATE TABLE second (x TEXT);\nINSERT INTO missing VALUES (1);"}
    )
    refusal(lambda: SqliteStore.open(str(path)), "no such table: missing")
    monkeypatch.undo()
    with SqliteStore.open(str(path)) as opened, pytest.raises(StoreError, match="no such table: second"):
        opened._database.rows("SELECT * FROM second")


def test_scripts_are_split_at_the_end_of_statements() -> None:
    script = "CREATE TABLE a (x TEXT); -- a; b\nINSERT INTO a VALUES ('c;\nd');\n"
    assert [statement.strip() for statement in statements(script)] == [
        "CREATE TABLE a (x TEXT); -- a; b",
        "INSERT INTO a VALUES ('c;\nd');",
    ]


# Making a store


def test_a_store_is_made_once(store: SqliteStore, path: Path) -> None:
    with pytest.raises(OutputExistsError, match="there is a store at .* already") as caught:
        new_sqlite_store(path)
    assert caught.value.exit_status == 4
    assert store.keys() == []


def test_a_store_and_its_folder_are_private(store: SqliteStore, path: Path) -> None:
    store.record([an_entry()])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["store.db", "store.db-shm", "store.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_store_is_not_written_through_a_dangling_link(tmp_path: Path) -> None:
    link, target = tmp_path / "store.db", tmp_path / "target"
    link.symlink_to(target)
    refusal(lambda: new_sqlite_store(link), "there is no store")
    assert not target.exists()


def test_a_store_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refusal(lambda: new_sqlite_store(tmp_path / "file" / "store.db"), "can't be made: File exists: .*/file$")


def test_a_store_on_a_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_file_system", lambda _: "nfs4")
    refusal(lambda: new_sqlite_store(path), r"on a network file system \(nfs4\), expected a local disk")


def test_the_file_system_is_known() -> None:
    assert database_module._file_system("/proc/self") == "proc"
    assert database_module._file_system("/missing") == ""


@pytest.mark.parametrize("name", ["a b%20c?d#e.db", "ü\udcff.db", ":memory:"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    new_sqlite_store(tmp_path / name).close()
    with SqliteStore.open(str(tmp_path / name)) as store:
        assert store.keys() == []
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_what_a_store_says_about_itself_comes_back(store: SqliteStore, path: Path) -> None:
    with SqliteStore.open(str(path)) as opened:
        assert opened.identity == store.identity
        assert opened.wrapped_keks() == store.wrapped_keks()
        assert list(opened.wrapped_keks()) == [1]


def test_first_permissions_and_entries_are_part_of_making_it(tmp_path: Path, store: SqliteStore) -> None:
    first = Permission("os:alice", '{"Version": "1"}', AT)
    arguments = (store.identity, {1: b"wrapped"})
    with SqliteStore.create(str(tmp_path / "b.db"), *arguments, permissions=[first], entries=[an_entry()]) as made:
        assert made.permissions() == [first]
        assert list(made.audit_entries()) == [an_entry()]


def test_the_settings_are_those_that_keep_what_was_acknowledged(store: SqliteStore) -> None:
    settings = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "secure_delete": 1,
        "busy_timeout": 30_000,
    }
    assert {name: store._database.rows(f"PRAGMA {name}")[0][0] for name in settings} == settings
    tables = store._database.rows("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    assert {name for name, strict in tables if not strict} == {"sqlite_schema"}


# Root key and secrets


def test_a_copied_database_is_worth_nothing_without_its_root_key(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    store.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    with SqliteStore.open(str(copy)) as copied:
        with pytest.raises(RootKeyError, match="the root key is not this store's") as caught:
            Kek.unwrap(copied.wrapped_keks()[1], RootSecret("key", os.urandom(32)), store_id=copied.id, kek_id=1)
        assert caught.value.exit_status == 3
        assert Kek.unwrap(copied.wrapped_keks()[1], ROOT_KEY, store_id=copied.id, kek_id=1).id == 1


def test_no_private_key_is_on_disk(path: Path) -> None:
    kek, secret = Kek(1, os.urandom(32)), os.urandom(100)
    with new_sqlite_store(path, kek=kek) as store:
        key = a_key()
        version = a_version(key.id)
        store.create_key(key, version, None, [])
        context = RecordContext(store.id, key.id, version.id, 1, key.key_type, key.usage, b"public")
        record = kek.seal(secret, context, os.urandom)
        store.complete_version(version.id, CreatedKey(record, b"public"), [an_entry()])
        [stored] = store.versions(key.id)
        assert kek.open(stored.locator, context) == secret
        before = b"".join(file.read_bytes() for file in path.parent.iterdir())
    after = path.read_bytes()
    for content in (before, after):
        assert record in content
        for hidden in (secret, ROOT_KEY.value, kek._key):
            for start in range(0, len(hidden) - 15):
                assert hidden[start : start + 16] not in content


def test_a_swapped_record_does_not_open(store: SqliteStore, path: Path) -> None:
    kek, contexts = Kek(1, os.urandom(32)), []
    for _ in range(2):
        key = a_key()
        version = a_version(key.id)
        store.create_key(key, version, None, [])
        contexts.append(RecordContext(store.id, key.id, version.id, 1, key.key_type, key.usage, b"public"))
        record = kek.seal(b"private", contexts[-1], os.urandom)
        store.complete_version(version.id, CreatedKey(record, b"public"), [])
    first, second = contexts
    edit(path, f"UPDATE version SET locator = (SELECT locator FROM version WHERE id = '{second.version_id}')")
    [swapped] = store.versions(first.key_id)
    with pytest.raises(StoreError, match="does not belong there or was changed"):
        kek.open(swapped.locator, first)


# Locked, read-only, full


def test_a_store_that_stays_locked(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT", 0.05)
    with SqliteStore.open(str(path)) as waiting, store._database.change():
        error = refusal(lambda: waiting.record([an_entry()]), "is locked")
        assert waiting.keys() == []
    assert error.hint


READ_ONLY = """
import os, sys
from signkit.errors import StoreError
from signkit.store.sqlite import SqliteStore
from tests.support.stores import an_entry
if os.geteuid() == 0:
    os.setgroups([])
    os.setuid(65534)
with SqliteStore.open(sys.argv[1]) as store:
    print(len(store.keys()), store.verify_audit(), store._database.writable)
    try:
        store.record([an_entry()])
    except StoreError as error:
        print(error.message, error.hint, sep="; ")
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.parametrize("write_ahead_log", [False, True])
@pytest.mark.parametrize("file_mode", [0o400, 0o600])
def test_a_store_in_a_read_only_folder_can_be_listed(open_folder: Path, write_ahead_log: bool, file_mode: int) -> None:
    path = open_folder / "home" / "store.db"
    store = new_sqlite_store(path)
    key = a_key()
    store.create_key(key, a_version(key.id), None, [an_entry()])
    if not write_ahead_log:
        store.close()
    for file in path.parent.iterdir():
        file.chmod(file_mode)
        if os.geteuid() == 0:
            os.chown(file, 65534, -1)
    path.parent.chmod(0o555)
    try:
        out, error = run(READ_ONLY, path).communicate(timeout=20)
    finally:
        path.parent.chmod(0o755)
        store.close()
    assert out.splitlines()[:1] == ["1 [] False"], error
    assert out.splitlines()[1].startswith(f"the store {path} is read-only; ")


def test_a_full_database_keeps_nothing_and_goes_on_when_there_is_room(store: SqliteStore, path: Path) -> None:
    database = Database.open(str(path))
    [(pages,)] = database.rows("PRAGMA page_count")
    database.execute(f"PRAGMA max_page_count={pages}")
    with SqliteStore(database, store.identity) as full:
        entries = [an_entry(detail="x" * 1000) for _ in range(10)]
        error = refusal(lambda: full.record(entries), "has no room to grow: database or disk is full")
        assert error.hint
        assert full.verify_audit() == list(full.audit_entries()) == []
        database.execute("PRAGMA max_page_count=1000000")
        full.record(entries)
        assert full.audit_head().size == 10


FULL_DISK = """
import resource, sys
from signkit.errors import StoreError
from signkit.store.sqlite import SqliteStore
from tests.support.stores import an_entry
with SqliteStore.open(sys.argv[1]) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))
    kept = 0
    try:
        while True:
            store.record([an_entry(detail="x" * 500)])
            kept += 1
    except StoreError as error:
        print(kept, error.exit_status, error.message, sep=";")
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    store.record([an_entry()])
    print(store.audit_head().size, store.verify_audit())
"""


def test_a_file_that_can_not_grow_loses_nothing_acknowledged(store: SqliteStore, path: Path) -> None:
    out, error = run(FULL_DISK, path).communicate(timeout=20)
    failed, after = out.splitlines()
    kept, status, message = failed.split(";")
    assert int(kept) > 0 and status == "3", error
    assert "has no room to grow" in message or "could not be read or written" in message
    assert after == f"{int(kept) + 1} []"
    assert len(list(store.audit_entries())) == int(kept) + 1


# Several processes


CREATE_VERSIONS = """
import sys
from signkit.store.sqlite import SqliteStore
from tests.support.stores import a_version, an_entry
with SqliteStore.open(sys.argv[1], maximum_versions=1000) as store:
    for _ in range(25):
        version = store.create_version(a_version(sys.argv[2]), [an_entry("CreateKeyVersion")])
        print(version.number)
"""


def test_processes_allocate_dense_version_numbers(store: SqliteStore, path: Path) -> None:
    key = a_key()
    store.create_key(key, a_version(key.id), None, [an_entry()])
    children = [run(CREATE_VERSIONS, path, key.id) for _ in range(8)]
    numbers = []
    for child in children:
        out, error = child.communicate(timeout=100)
        assert child.returncode == 0, error
        own = [int(number) for number in out.split()]
        assert own == sorted(own)
        numbers += own
    assert sorted(numbers) == list(range(2, 202))
    assert [version.number for version in store.versions(key.id)] == list(range(1, 202))
    assert store.verify_audit() == []
    assert store.audit_head().size == 201


KILLED = """
import os, signal, sys
from signkit.store.sqlite import SqliteStore
from tests.support.stores import an_entry
store = SqliteStore.open(sys.argv[1])
store.record([an_entry("kept")])
with store._change([an_entry("lost")]):
    store._log.append([an_entry("lost").encode()])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_what_it_had_acknowledged(store: SqliteStore, path: Path) -> None:
    child = run(KILLED, path)
    child.communicate(timeout=20)
    assert child.returncode == -9
    assert [entry.action for entry in store.audit_entries()] == ["kept"]
    store.record([an_entry("next")])
    assert store.verify_audit() == []


# Audit log


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        (["UPDATE audit SET entry = CAST('{}' AS BLOB) WHERE seq = 5"], "audit entry 5 was changed"),
        (["UPDATE audit SET leaf = zeroblob(32) WHERE seq = 5"], "audit entry 5 was changed"),
        (["DELETE FROM audit WHERE seq = 5"], "audit entry 5 is missing: found entry 6 in its place"),
        (["DELETE FROM audit WHERE seq = 9"], "the audit log has 9 entries, expected 10"),
        (["DELETE FROM audit"], "the audit log has 0 entries, expected 10"),
        (["INSERT INTO audit VALUES (10, zeroblob(32), x'')"], "the audit log has 11 entries, expected 10"),
        (["UPDATE audit_head SET frontier = zeroblob(64)"], "the audit log has the root hash"),
    ],
)
def test_a_changed_log_is_found(store: SqliteStore, path: Path, changes: list[str], finding: str) -> None:
    store.record([an_entry(detail=str(number)) for number in range(10)])
    assert store.verify_audit() == []
    edit(path, *changes)
    assert any(found.startswith(finding) for found in store.verify_audit())


def test_an_entry_changed_together_with_its_leaf_is_found(store: SqliteStore, path: Path) -> None:
    store.record([an_entry(detail=str(number)) for number in range(10)])
    leaf = merkle.leaf_hash(b"{}").hex()
    edit(path, f"UPDATE audit SET entry = CAST('{{}}' AS BLOB), leaf = x'{leaf}' WHERE seq = 5")
    [finding] = store.verify_audit()
    assert finding.startswith("the audit log has the root hash")


def test_entries_of_one_call_are_kept_all_or_none(store: SqliteStore, path: Path) -> None:
    store.record([an_entry("before")])
    edit(path, "CREATE TRIGGER late BEFORE UPDATE ON audit_head BEGIN SELECT RAISE(ABORT, 'too late'); END")
    refusal(lambda: store.record([an_entry(detail=str(number)) for number in range(1000)]), "too late")
    edit(path, "DROP TRIGGER late")
    assert [entry.action for entry in store.audit_entries()] == ["before"]
    assert store.verify_audit() == []


def test_the_root_is_that_of_the_canonical_entries(store: SqliteStore) -> None:
    entries = [an_entry(detail=str(number)) for number in range(7)]
    store.record(entries[:3])
    store.record(entries[3:])
    assert merkle.root(store.audit_head()) == merkle.root_of([entry.encode() for entry in entries])


# Rows


@pytest.mark.parametrize("parts", [(), (b"",), (b"a", b"", b"c" * 300)])
def test_a_chain_is_joined_and_split(parts: tuple[bytes, ...]) -> None:
    assert split(join(parts)) == parts


@pytest.mark.parametrize("data", [b"\0", b"\0\0\0\2a", join([b"abc"])[:-1]])
def test_a_chain_cut_short_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        split(data)


def test_a_store_is_a_store(store: SqliteStore) -> None:
    """mypy checks the protocol; this checks that nothing of it was forgotten at run time."""
    verbs = [name for name in vars(Store) if not name.startswith("_")]
    assert not [name for name in verbs if not hasattr(store, name)]
