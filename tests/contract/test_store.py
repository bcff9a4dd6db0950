"""What every store promises, whatever it is made of (``signkit.ports.Store``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from signkit.errors import ConflictError, NotFoundError, RefusedError, StateError
from signkit.keys.model import Alias, KeyVersion, VersionState
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
        log = list(store.audit_entries())  # type: ignore[attr-defined]
        return [keys, [store.versions(key.id) for key in keys], store.aliases(), store.certificates(), log]

    taken = add_key(store, "alias/taken")
    store.create_version(a_version(taken.key_id), [entry])
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
        ):
            with pytest.raises(NotFoundError):
                change()

    def test_completing_or_abandoning_a_version_that_is_not_pending(self, store: Store) -> None:
        enabled = store.versions(store.keys()[0].id)[0]
        with pytest.raises(StateError, match="is enabled, expected pending"):
            store.complete_version(enabled.id, created("other"), [an_entry()])
        with pytest.raises(StateError, match="is enabled, expected pending"):
            store.abandon_version(enabled.id, [an_entry()])


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


def test_abandoning_the_only_version_takes_the_key_and_its_alias_away(store: Store) -> None:
    kept, key = add_key(store, "alias/kept"), a_key()
    version = a_version(key.id)
    store.create_key(key, version, "alias/release", [])
    store.abandon_version(version.id, [])
    assert [key.id for key in store.keys()] == [kept.key_id]
    assert [alias.name for alias in store.aliases()] == ["alias/kept"]


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
    assert list(store.audit_entries()) == entries  # type: ignore[attr-defined]
    assert store.verify_audit() == []  # type: ignore[attr-defined]
