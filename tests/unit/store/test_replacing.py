"""A backup takes the place of a store: only while nobody uses it, and the replaced one is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signkit.errors import OutputExistsError, StoreError
from signkit.store import replacing
from signkit.store.sqlite import SqliteStore
from tests.support import sealed
from tests.support.stores import an_entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store whose latest key is not in the backup beside it."""
    path = tmp_path / "home" / "store.db"
    with sealed.new_sealed_store(path) as store:
        sealed.add_key(store)
        store.backup(str(tmp_path / "copy.db"))
        sealed.add_key(store)
    return path


def keys(path: Path | str) -> int:
    with SqliteStore.open(str(path)) as store:
        assert store.check(sealed.opener(store)) == []  # type: ignore[arg-type]
        return len(store.keys())


def test_the_replaced_store_is_kept_whole(path: Path, tmp_path: Path) -> None:
    done = SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True)
    assert done.kept == f"{path}.replaced-1"
    assert (keys(path), keys(done.kept)) == (1, 2)
    again = SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True)
    assert again.kept == f"{path}.replaced-2"
    assert sorted(os.listdir(path.parent)) == ["store.db", "store.db.replaced-1", "store.db.replaced-2"]


def test_a_store_in_use_is_not_replaced(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacing, "_WAIT", 0.05)
    with SqliteStore.open(str(path)) as user:
        with pytest.raises(StoreError, match="is in use"):
            SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True)
        user.record([an_entry()])
        assert len(user.keys()) == 2
    assert keys(path) == 2
    assert os.listdir(path.parent) == ["store.db"]


def test_what_was_looked_for_before_the_restore_and_opened_after_it_is_refused(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the replaced file under the path of the new one, whose write-ahead log it would take for its own."""
    connect = SqliteStore.open.__globals__["Database"]._connect

    def late(*arguments: object, **named: object) -> object:
        database = connect(*arguments, **named)
        monkeypatch.undo()
        SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True)
        return database

    monkeypatch.setattr(SqliteStore.open.__globals__["Database"], "_connect", late)
    monkeypatch.setattr(replacing, "_WAIT", 0.05)
    with pytest.raises(StoreError, match="was replaced just now|is in use"):
        SqliteStore.open(str(path))
    assert keys(path) in (1, 2)


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_store_that_is_none_any_more_is_replaced_and_kept(path: Path, tmp_path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.with_name("store.db-wal").write_bytes(b"left")
    done = SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True)
    assert keys(path) == 1
    assert Path(done.kept).read_bytes() == content


def test_without_links_it_is_renamed(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr(os, "link", refuse)
    done = SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True)
    assert (keys(path), keys(done.kept)) == (1, 2)


def test_a_refused_or_damaged_backup_changes_nothing(path: Path, tmp_path: Path) -> None:
    def refuse(_: object) -> list[object]:
        raise StoreError("not this one")

    with pytest.raises(StoreError, match="not this one"):
        SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True, accept=refuse)  # type: ignore[arg-type]
    damaged = bytearray((tmp_path / "copy.db").read_bytes())
    damaged[8192:12288] = os.urandom(4096)
    (tmp_path / "damaged.db").write_bytes(damaged)
    with pytest.raises(StoreError):
        SqliteStore.restore(str(tmp_path / "damaged.db"), str(path), overwrite=True)
    assert keys(path) == 2
    assert os.listdir(path.parent) == ["store.db"]


def test_a_dry_run_writes_nothing_and_looks_at_all(path: Path, tmp_path: Path) -> None:
    seen = []
    done = SqliteStore.restore(
        str(tmp_path / "copy.db"),
        str(path),
        overwrite=True,
        dry_run=True,
        accept=lambda copy: seen.append(copy.id) or [],
    )
    assert seen == [done.identity.id]
    assert os.listdir(path.parent) == ["store.db"]
    assert keys(path) == 2


def test_the_log_of_the_restored_store_goes_on_with_the_restore(path: Path, tmp_path: Path) -> None:
    entry = an_entry("RestoreStore")
    SqliteStore.restore(str(tmp_path / "copy.db"), str(path), overwrite=True, accept=lambda _: [entry])
    with SqliteStore.open(str(path)) as store:
        assert list(store.audit_entries())[-1] == entry
        assert store.verify_audit() == []


def test_a_store_is_no_backup_of_itself(path: Path) -> None:
    with pytest.raises(OutputExistsError, match="is the store itself"):
        SqliteStore.restore(str(path), str(path), overwrite=True)


def test_a_backup_is_not_put_beside_a_write_ahead_log(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    for name in (target, Path(f"{target}-wal")):
        name.write_bytes(b"x")
    with SqliteStore.open(str(path)) as store, pytest.raises(OutputExistsError, match="leftovers"):
        store.backup(str(target), overwrite=True)
