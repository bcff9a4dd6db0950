"""Sealed records in the store: none in the clear, none left of what was destroyed, and each damage is named."""

from __future__ import annotations

import itertools
import os
import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signkit import algorithms
from signkit.errors import StateError, StoreError
from signkit.keys.model import Key, KeyState, KeyVersion, VersionState
from signkit.keys.sealing import Kek, RootSecret
from signkit.store.sqlite import SqliteStore
from tests.support import sealed
from tests.support.stores import AT, ROOT_KEY, STORE_ID, a_key, a_version, an_entry

ALL_TYPES = ("EC_P256", "EC_P521", "RSA_2048", "ED25519", "ML_DSA_87")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with sealed.new_sealed_store(path) as store:
        yield store


def check(store: SqliteStore) -> list[str]:
    return store.check(sealed.opener(store))  # type: ignore[arg-type]


def edit(path: Path, statement: str, *arguments: object) -> None:
    """Change the database behind the store's back, with nothing checked."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA ignore_check_constraints = ON")
    database.execute(statement, arguments)
    database.close()


# In the clear


def test_no_private_key_is_in_the_database_its_log_or_a_backup(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    secrets, public, content = [sealed.KEK._key, ROOT_KEY.value], b"", b""
    for key_type in ALL_TYPES:
        key, version, first = sealed.add_key(store, key_type)
        second, other = sealed.add_version(store, key)
        public += version.public_key_info + second.public_key_info
        secrets += [first, other]
        content += sealed.on_disk(path)
    store.backup(str(tmp_path / "copy.db"))
    store.close()
    content += sealed.on_disk(path) + (tmp_path / "copy.db").read_bytes()
    # What is public anyway: the public key within a PKCS #8, and the frame around the secret, which never differs.
    frames = {key_type: unused_keys(key_type) for key_type in ALL_TYPES}
    for secret in secrets:
        for start in range(len(secret) - 15):
            window = secret[start : start + 16]
            if window not in public and not any(window in frame for pair in frames.values() for frame in pair):
                assert window not in content


def unused_keys(key_type: str) -> list[bytes]:
    """Two private keys that are used for nothing."""
    kind = algorithms.key_type(key_type)
    return [algorithms.family(kind.family).generate(kind)[0] for _ in range(2)]


# Destroyed


def remains(path: Path, records: list[bytes]) -> int:
    """How many of the records have a part of 31 bytes or more left in the store's files."""
    content = sealed.on_disk(path)
    return sum(
        any(record[start : start + 16] in content for start in range(20, len(record) - 15, 16)) for record in records
    )


@pytest.mark.parametrize("key_type", ALL_TYPES)
def test_nothing_is_left_of_a_destroyed_version(store: SqliteStore, path: Path, key_type: str) -> None:
    key, kept, _ = sealed.add_key(store, key_type)
    version, _ = sealed.add_version(store, key)
    assert remains(path, [version.locator]) == 1
    assert store.destroy_version(version, [an_entry("DestroyKeyVersion")])
    assert remains(path, [version.locator]) == 0
    assert remains(path, [kept.locator]) == 1
    assert path.with_name("store.db-wal").stat().st_size == 0
    assert check(store) == []


def test_nothing_is_left_of_any_destroyed_version_or_deleted_key_among_many(store: SqliteStore, path: Path) -> None:
    """Records of many sizes, made and destroyed in a random order, so that pages are split, joined and freed."""
    draw = random.Random(1)
    key, first, _ = sealed.add_key(store)
    gone, left = [], [first]
    for number in range(150):
        if draw.random() < 0.6 or not left:
            pending = store.create_version(a_version(key.id), []) if len(store.versions(key.id)) < 50 else None
            if pending is None:
                key, first, _ = sealed.add_key(store)
                left.append(first)
                continue
            record = os.urandom(draw.choice((200, 900, 2500, 7000)))
            left.append(store.complete_version(pending.id, sealed.CreatedKey(record, b"public"), [an_entry()]))
        else:
            version = left.pop(draw.randrange(len(left)))
            gone.append(version.locator)
            assert store.destroy_version(version, [an_entry(detail=str(number))])
    assert len(gone) > 30
    assert remains(path, gone) == 0
    for key in store.keys():
        pending_deletion = key._replace(state=KeyState.PENDING_DELETION, deletion_at=AT)
        store.update_key(key, pending_deletion, [])
        assert store.delete_key(pending_deletion, AT, [an_entry("DeleteKey")])
    assert remains(path, [*gone, *(version.locator for version in left)]) == 0
    assert store.check() == []


def test_a_reader_delays_the_removal_and_is_told_of(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _, _ = sealed.add_key(store)
    version, _ = sealed.add_version(store, key)
    store._database.execute("PRAGMA busy_timeout = 50")
    with SqliteStore.open(str(path)) as reader:
        with reader._database.snapshot():
            reader.keys()
            assert store.destroy_version(version, [an_entry()]) is False
            assert store.versions(key.id)[1].state is VersionState.DESTROYED
            assert remains(path, [version.locator]) == 1
    store.close()
    assert remains(path, [version.locator]) == 0


def test_nothing_is_left_of_the_key_under_the_old_root_key(store: SqliteStore, path: Path) -> None:
    old = store.wrapped_keks()
    secret = RootSecret("key", os.urandom(32))
    new = {1: Kek.unwrap(old[1], ROOT_KEY, store_id=STORE_ID, kek_id=1).wrap(secret, STORE_ID, os.urandom)}
    assert store.replace_keks(old, new, "file:/new.key", [an_entry()])
    assert store.identity.root_key == "file:/new.key"
    assert not sealed.contains(sealed.on_disk(path), old[1][-60:], 24)
    with SqliteStore.open(str(path)) as opened:
        assert opened.identity.root_key == "file:/new.key"
        kek = Kek.unwrap(opened.wrapped_keks()[1], secret, store_id=STORE_ID, kek_id=1)
        key, version, private = sealed.add_key(opened)
        assert kek.open(version.locator, sealed.context(opened, key, version)) == private


# Damage is named


@pytest.fixture
def records(store: SqliteStore) -> list[tuple[Key, KeyVersion]]:
    """Two keys of two versions each."""
    found = []
    for _ in range(2):
        key, first, _ = sealed.add_key(store)
        found += [(key, first), (key, sealed.add_version(store, key)[0])]
    assert check(store) == []
    return found


def named(store: SqliteStore, *records: tuple[Key, KeyVersion]) -> None:
    """Fail unless exactly these records are found wrong, each by its name, also when one is opened."""
    findings = check(store)
    names = sorted(f"{key.id}@{version.number}" for key, version in records)
    assert sorted(finding.partition(": ")[0] for finding in findings) == names
    for key, version in records:
        [stored] = [one for one in store.versions(key.id) if one.id == version.id]
        with pytest.raises(StoreError, match=f"the sealed private key of {key.id}@{version.number}") as caught:
            sealed.KEK.open(stored.locator, sealed.context(store, key, stored))
        assert caught.value.hint


def test_every_moved_record_is_named(store: SqliteStore, path: Path, records: list[tuple[Key, KeyVersion]]) -> None:
    for (key, version), (_, other) in itertools.permutations(records, 2):
        edit(path, "UPDATE version SET locator = ? WHERE id = ?", other.locator, version.id)
        named(store, (key, version))
        edit(path, "UPDATE version SET locator = ? WHERE id = ?", version.locator, version.id)
    assert check(store) == []


def test_two_exchanged_versions_are_named(
    store: SqliteStore, path: Path, records: list[tuple[Key, KeyVersion]]
) -> None:
    """Also when their public keys move with them, so that a certificate would be of another number."""
    (key, first), (_, second) = records[:2]
    for number, version in ((9, first), (1, second), (2, first)):
        edit(path, "UPDATE version SET number = ? WHERE id = ?", number, version.id)
    named(store, (key, first._replace(number=2)), (key, second._replace(number=1)))


def test_every_edited_or_cut_record_is_named(
    store: SqliteStore, path: Path, records: list[tuple[Key, KeyVersion]]
) -> None:
    key, version = records[2]
    record = version.locator
    flipped = [record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :] for at in range(0, len(record), 7)]
    cut = [record[:length] for length in range(1, len(record), 7)]
    for damaged in (*flipped, *cut, record + b"\0"):
        edit(path, "UPDATE version SET locator = ? WHERE id = ?", damaged, version.id)
        named(store, (key, version))


@pytest.mark.parametrize(
    ("change", "also"),
    [
        ("UPDATE version SET public_key_info = x'00' WHERE id = :version", False),
        ("UPDATE key SET key_type = 'EC_P384' WHERE id = :key", True),
        ("UPDATE key SET usage = 'ENCRYPT/DECRYPT' WHERE id = :key", True),
    ],
)
def test_an_edited_context_is_named(
    store: SqliteStore, path: Path, records: list[tuple[Key, KeyVersion]], change: str, also: bool
) -> None:
    key, version = records[2]
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(change, {"key": key.id, "version": version.id})
    database.close()
    wrong = [version.number] + ([records[3][1].number] if also else [])
    findings = check(store)
    assert [finding.partition(": ")[0] for finding in findings] == [f"{key.id}@{number}" for number in wrong]


CHANGES: dict[str, tuple[str, str]] = {
    "no record": ("UPDATE version SET locator = x'' WHERE number = 2", "@2: it is enabled and has no private key"),
    "revived": ("UPDATE version SET state = 'destroyed' WHERE number = 2", "@2: it is destroyed and has a private key"),
    "gap": ("UPDATE version SET number = 4 WHERE number = 2", "has the versions 1, 4, expected 1 to 2"),
    "no key": ("DELETE FROM key WHERE position = 1", "the database is damaged: row .* of table version names a key"),
    "wrong state": ("UPDATE key SET state = 'Lost'", "the database is damaged: CHECK constraint failed in key"),
    "log": ("DELETE FROM audit WHERE seq = 1", "audit entry 1 is missing"),
    "time": ("UPDATE key SET created_at = 'yesterday'", "is damaged: key .*: Invalid isoformat string"),
    "tags": ("UPDATE key SET tags = '[]'", "is damaged: key .*: the tags of a key are not names and values"),
}


@pytest.mark.parametrize(("change", "finding"), CHANGES.values(), ids=list(CHANGES))
@pytest.mark.usefixtures("records")
def test_other_damage_is_found(store: SqliteStore, path: Path, change: str, finding: str) -> None:
    edit(path, change)
    assert any(re.search(finding, found) for found in check(store)), check(store)


def test_a_damaged_page_is_found(store: SqliteStore, path: Path) -> None:
    for number in range(30):
        key = a_key()
        store.create_key(key, a_version(key.id), f"alias/{number}", [an_entry()])
    store.close()
    content = bytearray(path.read_bytes())
    content[9 * 4096 : 10 * 4096] = os.urandom(4096)
    path.write_bytes(content)
    with SqliteStore.open(str(path)) as opened:
        findings = opened.check()
    assert findings and all("damaged" in finding or "@" in finding for finding in findings[:1])


# Two processes


def test_of_two_changes_to_the_same_key_one_is_refused(store: SqliteStore, path: Path) -> None:
    key, version, _ = sealed.add_key(store)
    changes: list[Callable[[SqliteStore], object]] = [
        lambda one: one.update_key(key, key._replace(state=KeyState.DISABLED), [an_entry("DisableKey")]),
        lambda one: one.update_key(key, key._replace(tags={"a": "b"}), [an_entry("TagResource")]),
    ]
    with SqliteStore.open(str(path)) as other:
        changes[0](store)
        with pytest.raises(StateError, match=r"was changed by somebody else meanwhile \(state\)"):
            changes[1](other)
        store.set_version_state(version, VersionState.DISABLED, [])
        with pytest.raises(StateError, match="found disabled, expected enabled"):
            other.destroy_version(version, [an_entry()])
    assert [entry.action for entry in store.audit_entries()] == ["CreateKey", "DisableKey"]
