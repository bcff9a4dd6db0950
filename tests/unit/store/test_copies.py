"""Backup and restore: consistent, private, whole or not at all, and nothing is overwritten."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from signkit.errors import OutputExistsError, StoreError
from signkit.store import copies, schema
from signkit.store.database import Database
from signkit.store.sqlite import SqliteStore
from tests.support import sealed
from tests.support.stores import ROOT_KEY, an_entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with sealed.new_sealed_store(path) as store:
        sealed.add_key(store, alias="alias/release")
        yield store


@pytest.fixture
def copy(store: SqliteStore, tmp_path: Path) -> Path:
    """A backup."""
    copy = tmp_path / "backups" / "copy.db"
    copy.parent.mkdir()
    store.backup(str(copy))
    return copy


def content(store: SqliteStore) -> list[object]:
    return [
        [(key, store.versions(key.id)) for key in store.keys()],
        store.aliases(),
        store.wrapped_keks(),
        list(store.audit_entries()),
        store.identity,
    ]


# Backup


def test_a_backup_is_one_private_file_and_a_whole_store(store: SqliteStore, copy: Path, tmp_path: Path) -> None:
    assert os.listdir(copy.parent) == ["copy.db"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    copy.chmod(0o400)
    database = Database.open(str(copy), read_only=True)
    assert database.rows("PRAGMA journal_mode") == [("delete",)]
    database.close()
    assert os.listdir(copy.parent) == ["copy.db"]
    assert SqliteStore.restore(str(copy), str(tmp_path / "new" / "store.db")).identity == store.identity
    with SqliteStore.open(str(tmp_path / "new" / "store.db")) as restored:
        assert content(restored) == content(store)
        assert restored.check(sealed.opener(restored)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("umask", [0o000, 0o277])
def test_a_backup_is_private_whatever_the_umask(store: SqliteStore, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store.backup(str(tmp_path / "copy.db"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_no_private_key_is_in_a_backup(store: SqliteStore, tmp_path: Path) -> None:
    secrets = [sealed.KEK._key, ROOT_KEY.value]
    secrets += [sealed.add_key(store, key_type)[2] for key_type in ("EC_P256", "RSA_2048", "ED25519", "ML_DSA_44")]
    store.backup(str(tmp_path / "copy.db"))
    content = (tmp_path / "copy.db").read_bytes()
    for key in store.keys():
        assert all(version.locator in content for version in store.versions(key.id) if len(version.locator) < 2000)
    # PKCS #8 of all keys of a type begins alike, and EC and RSA keys contain their public key: windows of the secret
    # itself are what must not be there, so the parts that are public anyway are taken out.
    public = b"".join(version.public_key_info for key in store.keys() for version in store.versions(key.id))
    for secret in secrets:
        windows = [secret[start : start + 16] for start in range(len(secret) - 15)]
        assert not [window for window in windows if window in content and window not in public]


def test_a_backup_is_of_one_moment_while_others_write(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with SqliteStore.open(str(path)) as writer:
            while not stop.is_set():
                writer.record([an_entry(), an_entry()])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(10):
            store.backup(str(tmp_path / f"{number}.db"))
    finally:
        stop.set()
        thread.join()
    sizes = []
    for number in range(10):
        SqliteStore.restore(str(tmp_path / f"{number}.db"), str(tmp_path / f"restored{number}.db"))
        with SqliteStore.open(str(tmp_path / f"restored{number}.db")) as restored:
            assert restored.check(sealed.opener(restored)) == []  # type: ignore[arg-type]
            sizes.append(restored.audit_head().size)
    assert sizes == sorted(sizes) and all(size % 2 for size in sizes)


def test_a_backup_over_the_store_itself_is_refused(store: SqliteStore, path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(OutputExistsError, match="is the store itself"):
            store.backup(str(name), overwrite=True)
    assert store.check() == []


def test_a_backup_that_can_not_be_written_leaves_nothing(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="could not be written: No such file or directory"):
        store.backup(str(tmp_path / "missing" / "copy.db"))

    def fsync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreError, match="could not be written: No space left on device"):
        store.backup(str(tmp_path / "copy.db"))
    assert os.listdir(tmp_path) == ["home"]
    assert store.check() == []


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_to = Database.copy_to

    def slowly(database: Database, path: str) -> None:
        copy_to(database, path)
        (tmp_path / "copy.db").write_bytes(b"theirs")

    monkeypatch.setattr(Database, "copy_to", slowly)
    for without_links in (False, True):
        if without_links:
            monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(OSError(1, "not permitted")))
        (tmp_path / "copy.db").unlink(missing_ok=True)
        with pytest.raises(OutputExistsError, match="exists already"):
            store.backup(str(tmp_path / "copy.db"))
        assert (tmp_path / "copy.db").read_bytes() == b"theirs"
        assert sorted(os.listdir(tmp_path)) == ["copy.db", "home"]


def test_a_file_system_without_links_will_do(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(OSError(1, "not permitted")))
    store.backup(str(tmp_path / "copy.db"))
    assert copies.restore(str(tmp_path / "copy.db"), str(tmp_path / "again.db")).identity == store.identity


# Restore


@pytest.mark.parametrize("leftover", ["", "-wal", "-shm", "-journal"])
def test_nothing_is_restored_over_a_store_or_what_is_left_of_one(copy: Path, tmp_path: Path, leftover: str) -> None:
    """A write-ahead log that is left behind would be taken for the restored store's."""
    target = tmp_path / "target.db"
    left = tmp_path / f"target.db{leftover}"
    left.write_bytes(b"latest changes")
    with pytest.raises(OutputExistsError, match="exists already" if not leftover else f"leftovers .*{leftover}"):
        SqliteStore.restore(str(copy), str(target))
    assert left.read_bytes() == b"latest changes"
    assert target.exists() is (leftover == "")


def test_a_damaged_backup_is_not_restored(store: SqliteStore, copy: Path, tmp_path: Path) -> None:
    for change, match in (
        ("UPDATE audit SET entry = x'00' WHERE seq = 0", "audit entry 0 was changed"),
        ("DELETE FROM audit_head", "has no usable head"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM key", "names a key that is not there"),
        ("UPDATE version SET locator = x''", "is enabled and has no private key"),
    ):
        damaged = tmp_path / "damaged.db"
        damaged.write_bytes(copy.read_bytes())
        database = sqlite3.connect(damaged)
        database.executescript(change)
        database.close()
        with pytest.raises(StoreError, match=f"is damaged \\(.*{match}") as caught:
            SqliteStore.restore(str(damaged), str(tmp_path / "target" / "store.db"))
        assert caught.value.hint == "take another backup"
        assert os.listdir(tmp_path / "target") == []


def test_a_backup_with_damaged_or_missing_pages_is_not_restored(copy: Path, tmp_path: Path) -> None:
    content = copy.read_bytes()
    pages = len(content) // 4096
    damaged = tmp_path / "damaged.db"
    for page in range(1, pages):
        damaged.write_bytes(content[: page * 4096] + b"\xa5" * 4096 + content[(page + 1) * 4096 :])
        with pytest.raises(StoreError):
            SqliteStore.restore(str(damaged), str(tmp_path / "target" / "store.db"))
    for cut in (0, 100, 4096, len(content) - 4096):
        damaged.write_bytes(content[:cut])
        with pytest.raises(StoreError):
            SqliteStore.restore(str(damaged), str(tmp_path / "target" / "store.db"))
    assert not (tmp_path / "target").exists() or os.listdir(tmp_path / "target") == []


def test_what_is_no_backup_is_not_restored(tmp_path: Path, copy: Path) -> None:
    (tmp_path / "text").write_bytes(b"text" * 1000)
    newer = tmp_path / "newer.db"
    newer.write_bytes(copy.read_bytes())
    database = sqlite3.connect(newer, isolation_level=None)
    database.execute("UPDATE store SET format = 1000")
    database.close()
    for name, match in (("missing", "there is no backup"), ("text", "is not a store"), ("newer.db", "has format 1000")):
        with pytest.raises(StoreError, match=match):
            SqliteStore.restore(str(tmp_path / name), str(tmp_path / "target.db"))
    assert not (tmp_path / "target.db").exists()


def test_an_older_backup_is_brought_up_to_date_and_stays_as_it_is(tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    database = sqlite3.connect(older, isolation_level=None)
    database.executescript(schema.migrations()[1])
    database.execute("INSERT INTO store VALUES (1, 1, 'id', '2025-01-02T03:04:05.000000Z', 'file:/root.key')")
    database.close()
    before = older.read_bytes()
    assert SqliteStore.restore(str(older), str(tmp_path / "target.db")).identity.id == "id"
    assert older.read_bytes() == before
    with SqliteStore.open(str(tmp_path / "target.db")) as restored:
        assert restored.check() == []


def test_a_backup_of_a_store_that_is_being_written_is_found_in_its_log(store: SqliteStore, tmp_path: Path) -> None:
    """A plain copy of the files, write-ahead log and all, can be restored too."""
    folder = tmp_path / "copied"
    folder.mkdir()
    source = Path(store._database.path)
    for file in (source, source.with_name("store.db-wal")):
        (folder / file.name).write_bytes(file.read_bytes())
    assert SqliteStore.restore(str(folder / "store.db"), str(tmp_path / "target.db")).identity == store.identity
    with SqliteStore.open(str(tmp_path / "target.db")) as restored:
        assert content(restored) == content(store)
