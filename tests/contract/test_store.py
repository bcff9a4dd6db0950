"""What every store promises, whatever it is made of (``signkit.ports.Store``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from signkit.audit import merkle
from signkit.audit.checkpoint import Checkpoint
from signkit.errors import ConflictError, NotFoundError, OutputExistsError, ProviderError, RefusedError, StateError
from signkit.keys.model import Alias, AuditKey, Key, KeyOrigin, KeyState, KeyVersion, Permission, VersionState
from signkit.ports import Store
from tests.support.stores import (
    AT,
    STORE_ID,
    a_certificate,
    a_key,
    a_version,
    an_entry,
    created,
    new_id,
    new_sqlite_store,
)

MAXIMUM = 5
ALICE, BOB = Permission("os:alice", "{}", AT), Permission("os:bob", "{}", AT)
WEEK = timedelta(days=7)
STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: new_sqlite_store(folder / "store.db", maximum_versions=MAXIMUM)
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A new store where a key may have ``MAXIMUM`` versions."""
    store = STORES[request.param](tmp_path)
    yield store
    store.close()  # type: ignore[attr-defined]


def add_key(store: Store, alias: str | None = None, minutes: int = 0) -> KeyVersion:
    """A key with one enabled version, which is returned."""
    key = a_key(minutes)
    version = a_version(key.id)
    store.create_key(key, version, alias, [an_entry()])
    return store.complete_version(version.id, created(), [])


# Refused; and what is refused leaves no trace, not even an audit entry


@pytest.fixture
def untouched(store: Store) -> Iterator[None]:
    """Fail when the test leaves the store changed: for tests where everything is refused."""
    entry = an_entry()

    def everything() -> list[object]:
        keys = store.keys()
        versions = [store.versions(key.id) for key in keys]
        log, head = list(store.audit_entries()), store.audit_head()
        settings = [store.permissions(), store.audit_key(), store.checkpoints(), store.wrapped_keks()]
        return [keys, versions, store.aliases(), store.certificates(), settings, log, head]

    taken = add_key(store, "alias/taken")
    store.create_version(a_version(taken.key_id), [entry])
    store.attach_permission(ALICE, [entry])
    before = everything()
    yield
    assert everything() == before


@pytest.mark.usefixtures("untouched")
class TestRefused:
    """Every change here is refused and nothing of it is kept."""

    def test_an_alias_that_exists(self, store: Store) -> None:
        key = a_key()
        with pytest.raises(ConflictError, match="alias/taken is taken: it names key") as caught:
            store.create_key(key, a_version(key.id), "alias/taken", [an_entry()])
        assert caught.value.code == "AliasAlreadyExists"
        with pytest.raises(ConflictError):
            store.create_alias(Alias("alias/taken", store.keys()[0].id, AT), [an_entry()])

    def test_things_that_do_not_exist(self, store: Store) -> None:
        missing, key_id, entries = new_id(), store.keys()[0].id, [an_entry()]
        for change in (
            lambda: store.create_version(a_version(missing), entries),
            lambda: store.complete_version(missing, created(), entries),
            lambda: store.abandon_version(missing, entries),
            lambda: store.create_alias(Alias("alias/new", missing, AT), entries),
            lambda: store.update_alias("alias/taken", missing, entries),
            lambda: store.update_alias("alias/missing", key_id, entries),
            lambda: store.delete_alias("alias/missing", entries),
            lambda: store.bind_certificate(a_certificate(missing), entries),
            lambda: store.update_key(a_key(), a_key(), entries),
            lambda: store.delete_key(a_key(), AT, entries),
            lambda: store.detach_permission(BOB, entries),
            lambda: store.detach_permission(ALICE._replace(document="{ }"), entries),
        ):
            with pytest.raises((NotFoundError, ValueError)):
                change()
        key, version = a_key(), a_version(key_id)._replace(state=VersionState.ENABLED)
        for change in (
            lambda: store.update_key(key, key._replace(description="new"), entries),
            lambda: store.set_version_state(version, VersionState.DISABLED, entries),
            lambda: store.destroy_version(version, entries),
        ):
            with pytest.raises(NotFoundError):
                change()

    def test_completing_or_abandoning_a_version_that_is_not_pending(self, store: Store) -> None:
        enabled = store.versions(store.keys()[0].id)[0]
        with pytest.raises(StateError, match="is enabled, expected pending"):
            store.complete_version(enabled.id, created("other"), [an_entry()])
        with pytest.raises(StateError, match="is enabled, expected pending"):
            store.abandon_version(enabled.id, [an_entry()])

    def test_changing_a_key_that_somebody_else_changed(self, store: Store) -> None:
        [key] = store.keys()
        for seen in (
            key._replace(state=KeyState.DISABLED),
            key._replace(tags={"team": "release"}),
            key._replace(deletion_protection=True),
            key._replace(description="other"),
        ):
            with pytest.raises(StateError, match="was changed by somebody else meanwhile") as caught:
                store.update_key(seen, seen._replace(policy="{}"), [an_entry()])
            assert caught.value.code == "Rejected.StateModifiedFailed"

    def test_changing_what_is_fixed(self, store: Store) -> None:
        [key] = store.keys()
        for changed in (
            key._replace(id=new_id()),
            key._replace(key_type="RSA_2048"),
            key._replace(provider="other"),
            key._replace(origin=KeyOrigin.EXTERNAL),
            key._replace(created_at=AT + WEEK),
        ):
            with pytest.raises(ValueError, match="never change"):
                store.update_key(key, changed, [an_entry()])

    def test_changing_a_version_that_somebody_else_changed(self, store: Store) -> None:
        enabled, pending = store.versions(store.keys()[0].id)
        for seen in (enabled._replace(state=VersionState.DISABLED), enabled._replace(locator=b"other")):
            with pytest.raises(StateError, match="was changed by somebody else meanwhile"):
                store.set_version_state(seen, VersionState.ENABLED, [an_entry()])
            with pytest.raises(StateError, match="was changed by somebody else meanwhile"):
                store.destroy_version(seen, [an_entry()])
        for seen in (pending, enabled._replace(state=VersionState.DESTROYED)):
            with pytest.raises(StateError, match="is (pending|destroyed), expected enabled or disabled"):
                store.set_version_state(seen, VersionState.ENABLED, [an_entry()])
            with pytest.raises(StateError, match="is (pending|destroyed), expected enabled or disabled"):
                store.destroy_version(seen, [an_entry()])
        for state in (VersionState.PENDING, VersionState.DESTROYED):
            with pytest.raises(ValueError, match="pending|destroy"):
                store.set_version_state(enabled, state, [an_entry()])

    def test_deleting_a_key_too_soon(self, store: Store) -> None:
        [key] = store.keys()
        for now in (AT, AT + timedelta(days=1000)):
            with pytest.raises(StateError, match="is Enabled, expected PendingDeletion"):
                store.delete_key(key, now, [an_entry()])
        with pytest.raises(StateError, match="was changed by somebody else"):
            store.delete_key(to_be_deleted(key), AT + WEEK, [an_entry()])

    def test_replacing_root_keys_that_somebody_else_replaced(self, store: Store) -> None:
        kept = store.wrapped_keks()
        with pytest.raises(StateError, match="was changed by somebody else meanwhile"):
            store.replace_keks({1: b"other"}, {1: b"new"}, "file:/new", [an_entry()])
        with pytest.raises(ValueError, match=r"found key-encryption keys \[2\], expected \[1\]"):
            store.replace_keks(kept, {2: b"new"}, "file:/new", [an_entry()])


def to_be_deleted(key: Key) -> Key:
    return key._replace(state=KeyState.PENDING_DELETION, deletion_at=AT + WEEK, state_before_deletion=KeyState.ENABLED)


def test_more_versions_than_the_maximum_are_refused(store: Store) -> None:
    key_id = add_key(store).key_id
    for _ in range(MAXIMUM - 1):
        store.create_version(a_version(key_id), [])
    with pytest.raises(RefusedError, match=f"has {MAXIMUM} versions, expected at most {MAXIMUM}") as caught:
        store.create_version(a_version(key_id), [])
    assert caught.value.code == "Rejected.LimitExceeded"
    assert len(store.versions(key_id)) == MAXIMUM


# Keys and versions


def test_a_store_has_an_id(store: Store) -> None:
    assert store.id == STORE_ID


def test_nothing_is_found_in_a_new_store(store: Store) -> None:
    assert store.key(new_id()) is store.alias("alias/none") is None
    assert store.keys() == store.aliases() == store.certificates() == store.versions(new_id()) == []


def test_a_key_comes_back_as_it_went_in(store: Store) -> None:
    key = a_key()
    version = a_version(key.id)
    store.create_key(key, version, "alias/release", [])
    assert store.key(key.id) == key
    assert store.versions(key.id) == [version._replace(number=1)]
    assert store.alias("alias/release") == Alias("alias/release", key.id, key.created_at)


def test_keys_are_listed_oldest_first(store: Store) -> None:
    added = [add_key(store, minutes=minutes).key_id for minutes in (0, 0, 1, 1)]
    assert [key.id for key in store.keys()] == added


def test_a_pending_version_is_completed(store: Store) -> None:
    key = a_key()
    version = a_version(key.id)
    store.create_key(key, version, None, [])
    completed = store.complete_version(version.id, created(), [])
    assert completed.state is VersionState.ENABLED
    assert (completed.number, completed.locator, completed.public_key_info) == (1, b"locator p", b"public key p")
    assert store.versions(key.id) == [completed]


def test_version_numbers_are_the_stores_own(store: Store) -> None:
    key_id = add_key(store).key_id
    numbered = [store.create_version(a_version(key_id)._replace(number=number), []) for number in (7, 1, 0)]
    assert [version.number for version in numbered] == [2, 3, 4]
    assert [version.number for version in store.versions(key_id)] == [1, 2, 3, 4]


def test_an_abandoned_version_frees_its_number(store: Store) -> None:
    key_id = add_key(store).key_id
    store.abandon_version(store.create_version(a_version(key_id), []).id, [])
    assert [version.number for version in store.versions(key_id)] == [1]
    assert store.create_version(a_version(key_id), []).number == 2


def test_the_lowest_free_number_is_given_so_that_versions_stay_dense(store: Store) -> None:
    key_id = add_key(store).key_id
    second, third = (store.create_version(a_version(key_id), []) for _ in range(2))
    store.abandon_version(second.id, [])
    again = store.create_version(a_version(key_id), [])
    assert (again.number, third.number, store.create_version(a_version(key_id), []).number) == (2, 3, 4)
    assert [version.number for version in store.versions(key_id)] == [1, 2, 3, 4]


def test_abandoning_the_only_version_takes_the_key_and_its_alias_away(store: Store) -> None:
    kept, key = add_key(store, "alias/kept"), a_key()
    version = a_version(key.id)
    store.create_key(key, version, "alias/release", [])
    store.abandon_version(version.id, [])
    assert [key.id for key in store.keys()] == [kept.key_id]
    assert [alias.name for alias in store.aliases()] == ["alias/kept"]


EVERYTHING = {
    "state": KeyState.DISABLED,
    "description": "ü",
    "deletion_at": AT + WEEK,
    "state_before_deletion": KeyState.DISABLED,
    "deletion_protection": True,
    "deletion_protection_description": "in use",
    "tags": {"team": "release", "ünï": '"\n'},
    "policy": '{"Version": "1"}',
}


def test_a_key_keeps_everything_from_the_beginning(store: Store) -> None:
    key = a_key()._replace(**EVERYTHING, origin=KeyOrigin.EXTERNAL)
    store.create_key(key, a_version(key.id), None, [])
    assert store.key(key.id) == key
    assert store.keys() == [key]


@pytest.mark.parametrize("field", EVERYTHING)
def test_what_may_change_of_a_key_changes_alone(store: Store, field: str) -> None:
    key, other = (store.key(add_key(store, f"alias/{name}").key_id) for name in "ab")
    assert key is not None
    changed = key._replace(**{field: EVERYTHING[field]})
    store.update_key(key, changed, [an_entry()])
    assert store.keys() == [changed, other]
    store.update_key(changed, key, [an_entry()])
    assert store.keys() == [key, other]


def test_a_key_whose_import_is_pending_has_no_version_and_is_enabled_by_its_first(store: Store) -> None:
    key = a_key()._replace(origin=KeyOrigin.EXTERNAL, state=KeyState.PENDING_IMPORT)
    store.create_key(key, None, "alias/imported", [])
    assert (store.key(key.id), store.versions(key.id)) == (key, [])
    store.abandon_version(store.create_version(a_version(key.id), []).id, [])
    assert store.key(key.id) == key
    imported = store.complete_version(store.create_version(a_version(key.id), []).id, created(), [])
    assert imported.number == 1
    assert store.key(key.id) == key._replace(state=KeyState.ENABLED)


def test_completing_a_version_enables_no_other_key(store: Store) -> None:
    key_id = add_key(store).key_id
    key = store.key(key_id)
    assert key is not None
    disabled = key._replace(state=KeyState.DISABLED)
    pending = store.create_version(a_version(key_id), [])
    store.update_key(key, disabled, [])
    store.complete_version(pending.id, created(), [])
    assert store.key(key_id) == disabled


def test_a_version_is_disabled_enabled_and_destroyed(store: Store) -> None:
    version = add_key(store)
    other = store.complete_version(store.create_version(a_version(version.key_id), []).id, created("o"), [])
    store.bind_certificate(a_certificate(version.id), [])
    disabled = store.set_version_state(version, VersionState.DISABLED, [])
    assert store.versions(version.key_id) == [version._replace(state=VersionState.DISABLED), other]
    assert store.set_version_state(disabled, VersionState.ENABLED, []) == version
    disabled = store.set_version_state(version, VersionState.DISABLED, [])
    assert store.destroy_version(disabled, []) is True
    assert store.versions(version.key_id) == [version._replace(state=VersionState.DESTROYED, locator=b""), other]
    assert store.certificates(version.id) == [a_certificate(version.id)]
    assert store.create_version(a_version(version.key_id), []).number == 3


def test_a_key_is_deleted_when_its_time_has_come(store: Store) -> None:
    kept, version = add_key(store, "alias/kept"), add_key(store, "alias/gone")
    for bound in (kept, version):
        store.bind_certificate(a_certificate(bound.id), [])
    store.create_version(a_version(version.key_id), [])
    key = store.key(version.key_id)
    assert key is not None
    pending = to_be_deleted(key)
    store.update_key(key, pending, [])
    with pytest.raises(StateError, match="gets no more versions"):
        store.create_version(a_version(key.id), [])
    with pytest.raises(
        StateError, match="is not due: found 2025-01-09T03:04:05Z, expected 2025-01-09T03:04:05Z or later"
    ):
        store.delete_key(pending, AT + WEEK - timedelta(microseconds=1), [an_entry()])
    protected = pending._replace(deletion_protection=True)
    store.update_key(pending, protected, [])
    with pytest.raises(StateError, match="is protected from deletion"):
        store.delete_key(protected, AT + WEEK, [an_entry()])
    store.update_key(protected, pending, [])
    assert store.delete_key(pending, AT + WEEK, [an_entry("DeleteKey")]) is True
    assert [key.id for key in store.keys()] == [kept.key_id]
    assert store.versions(key.id) == store.certificates(version.id) == []
    assert [alias.name for alias in store.aliases()] == ["alias/kept"]
    assert store.certificates() == [a_certificate(kept.id)]
    assert list(store.audit_entries())[-1].action == "DeleteKey"


# Permissions


def test_permissions_are_attached_once_and_detached(store: Store) -> None:
    for permission in (BOB, ALICE, ALICE):
        store.attach_permission(permission, [an_entry("AttachPermission")])
    assert store.permissions() == [ALICE, BOB]
    assert (store.permissions("os:bob"), store.permissions("os:eve")) == ([BOB], [])
    store.detach_permission(ALICE._replace(created_at=AT + WEEK), [an_entry("DetachPermission")])
    assert store.permissions() == [BOB]


# Aliases


def test_an_alias_moves_and_goes(store: Store) -> None:
    first, second = add_key(store, "alias/b"), add_key(store)
    store.create_alias(Alias("alias/a", second.key_id, AT), [])
    assert [alias.name for alias in store.aliases()] == ["alias/a", "alias/b"]
    store.update_alias("alias/b", second.key_id, [])
    assert store.alias("alias/b") == Alias("alias/b", second.key_id, AT)
    store.delete_alias("alias/b", [])
    assert store.alias("alias/b") is None
    assert store.key(first.key_id) is not None


# Certificates


def test_the_certificate_bound_last_is_current(store: Store) -> None:
    version_id = add_key(store).id
    first, second = a_certificate(version_id, "a"), a_certificate(version_id, "b", chain=())
    store.bind_certificate(first, [])
    store.bind_certificate(second, [])
    assert store.certificates(version_id) == [second, first]


def test_a_certificate_bound_again_is_current_again_and_there_once(store: Store) -> None:
    version_id = add_key(store).id
    first, second = a_certificate(version_id, "a", chain=()), a_certificate(version_id, "b")
    again = first._replace(chain=(b"issuer", b"root"), imported_at=AT + timedelta(days=1), source="bundle.pem")
    for bound in (first, second, again):
        store.bind_certificate(bound, [])
    assert store.certificates(version_id) == [again, second]


def test_all_certificates_are_listed_by_version_with_the_current_one_first(store: Store) -> None:
    one = add_key(store)
    two = store.complete_version(store.create_version(a_version(one.key_id), []).id, created(), [])
    bound = [a_certificate(version.id, fill) for version in (two, one) for fill in "ab"]
    for certificate in bound:
        store.bind_certificate(certificate, [])
    assert store.certificates() == [bound[3], bound[2], bound[1], bound[0]]
    assert store.certificates(new_id()) == []


# Audit log


def test_every_change_keeps_its_entries_in_order(store: Store) -> None:
    key = a_key()
    version, entries = a_version(key.id), [an_entry(detail=f"entry {number} ü") for number in range(11)]
    store.create_key(key, version, "alias/a", entries[:2])
    store.complete_version(version.id, created(), entries[2:3])
    second = store.create_version(a_version(key.id), entries[3:4])
    store.abandon_version(second.id, entries[4:5])
    store.create_alias(Alias("alias/b", key.id, AT), entries[5:6])
    store.update_alias("alias/b", key.id, entries[6:7])
    store.delete_alias("alias/b", entries[7:8])
    store.bind_certificate(a_certificate(version.id), entries[8:9])
    store.record(entries[9:])
    store.record([])
    assert list(store.audit_entries()) == entries
    assert store.verify_audit() == []


def test_entries_are_numbered(store: Store) -> None:
    entries = [an_entry(detail=str(number)) for number in range(5)]
    assert [store.record(entries[:2]), store.record(entries[2:3]), store.record(entries[3:])] == [0, 2, 3]
    assert list(store.audit_encoded()) == [entry.encode() for entry in entries]
    leaves = store.audit_leaves()
    assert leaves == [merkle.leaf_hash(entry.encode()) for entry in entries]
    assert merkle.append(merkle.EMPTY, leaves) == store.audit_head()


def test_the_log_continues_its_checkpoints(store: Store) -> None:
    heads = []
    for number in range(5):
        heads.append(Checkpoint("log", store.audit_head().size, merkle.root(store.audit_head())))
        store.record([an_entry(detail=str(number))])
    assert store.verify_audit(heads) == []
    wrong = heads[2]._replace(root_hash=bytes(32))
    assert store.verify_audit([*heads, wrong]) == [
        f"the first 2 entries of the audit log have the root hash {heads[2].root_hash.hex()}, expected {'00' * 32}"
    ]
    assert store.verify_audit([heads[0]._replace(size=9)]) == [
        "the audit log has 5 entries, expected 9 by a checkpoint"
    ]
    empty = store.verify_audit([heads[0]._replace(root_hash=bytes(32))])
    assert [finding[:47] for finding in empty] == ["the first 0 entries of the audit log have the ro"[:47]]


def test_the_key_of_the_log_is_set_once_and_checkpoints_are_kept(store: Store) -> None:
    key = AuditKey("log", bytes(32), b"sealed", AT)
    assert store.audit_key() is None
    store.add_audit_key(key, [an_entry()])
    with pytest.raises(ConflictError, match="has a key already"):
        store.add_audit_key(key._replace(origin="other"), [an_entry()])
    assert store.audit_key() == key
    for size, note in ((3, b"three"), (1, b"one"), (3, b"other")):
        store.add_checkpoint(size, note)
    assert store.checkpoints() == [b"one", b"three"]
    assert len(list(store.audit_entries())) == 1


# Custody


def test_key_encryption_keys_are_put_under_another_root_key(store: Store) -> None:
    before = store.wrapped_keks()
    assert store.replace_keks(before, {1: b"under another"}, "file:/new", [an_entry("ReplaceRootKey")]) is True
    assert store.wrapped_keks() == {1: b"under another"}
    with pytest.raises(StateError):
        store.replace_keks(before, {1: b"too late"}, "file:/late", [an_entry()])
    assert [entry.action for entry in store.audit_entries()] == ["ReplaceRootKey"]


def test_a_sound_store_is_found_sound_and_records_that_do_not_open_are_named(store: Store) -> None:
    first, second = add_key(store), add_key(store)
    pending = store.create_version(a_version(first.key_id), [])
    disabled = store.complete_version(store.create_version(a_version(first.key_id), []).id, created(), [])
    disabled = store.set_version_state(disabled, VersionState.DISABLED, [])
    destroyed = store.complete_version(store.create_version(a_version(second.key_id), []).id, created(), [])
    store.destroy_version(destroyed, [])
    opened: list[tuple[str, str]] = []
    assert store.check() == store.check(lambda key, version: opened.append((key.id, version.id))) == []
    assert opened == [(first.key_id, first.id), (first.key_id, disabled.id), (second.key_id, second.id)]
    assert pending.id not in opened

    def refuse(key: Key, version: KeyVersion) -> None:
        if version in (disabled, second):
            raise ProviderError(f"{version.number} does not open")

    assert store.check(refuse) == [
        f"{first.key_id}@3: 3 does not open",
        f"{second.key_id}@1: 1 does not open",
    ]


def test_a_backup_is_not_written_over_a_file(store: Store, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.write_bytes(b"kept")
    with pytest.raises(OutputExistsError, match="exists already"):
        store.backup(str(backup))
    assert backup.read_bytes() == b"kept"
    store.backup(str(backup), overwrite=True)
    assert backup.read_bytes() != b"kept"
