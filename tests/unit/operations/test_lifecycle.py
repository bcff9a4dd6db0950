"""What becomes of keys and versions: tags, states, protection, destruction, and deletion when it is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from signkit.errors import NotFoundError, ProviderError, RefusedError, StateError, UsageError, VersionRequiredError
from signkit.keys.model import Key, KeyState, KeyVersion, VersionState
from signkit.operations import doctor
from tests.support.fakes import MemoryProvider
from tests.support.house import RELEASE, RELEASE_1, House


def test_descriptions() -> None:
    house = House()
    assert house.keys.lifecycle.describe(RELEASE, "of the release").key.description == "of the release"
    assert house.now()[0].description == "of the release"
    for bad in ("x" * 8193, "\udcff"):
        with pytest.raises(UsageError):
            house.keys.lifecycle.describe(RELEASE, bad)
    assert house.now()[0].description == "of the release"
    assert [result for _action, result in house.actions()[1:]] == ["ok", "InvalidParameter", "InvalidParameter"]


def test_tags_are_set_replaced_and_taken_away() -> None:
    house = House()
    lifecycle = house.keys.lifecycle
    lifecycle.tag(RELEASE, {"team": "a", "stage": "test"})
    lifecycle.tag(RELEASE, {"team": "b"})
    assert house.now()[0].tags == {"team": "b", "stage": "test"}
    lifecycle.untag(RELEASE, ["stage", "stage"])
    assert house.now()[0].tags == {"team": "b"}
    with pytest.raises(UsageError, match="no tag 'stage', expected one of team"):
        lifecycle.untag(RELEASE, ["team", "stage"])
    assert house.now()[0].tags == {"team": "b"}


def test_a_listing_by_state_and_tag() -> None:
    house = House()
    other, _version = house.keys.create_key("EC_P256", provider="memory", tags={"team": "a", "stage": "test"})
    house.keys.lifecycle.disable(RELEASE)
    keys = house.keys.directory.keys
    assert [key.id for key in keys(state="Disabled")] == [house.key.id]
    assert keys(tags={"team": "a"}) == [other]
    assert keys(tags={"team": "a", "stage": "live"}) == keys(tags={"no": "x"}) == []
    with pytest.raises(UsageError, match="expected one of Enabled"):
        keys(state="enabled")


def test_a_version_is_disabled_on_its_own() -> None:
    house = House()
    _key, second = house.keys.create_version(RELEASE)
    house.keys.lifecycle.disable(RELEASE_1)
    assert house.now()[0].state is KeyState.ENABLED
    with pytest.raises(StateError, match="version 1 of key alias/release is disabled"):
        house.sign()
    house.sign(reference=RELEASE_1._replace(version="2"))
    house.keys.lifecycle.enable(RELEASE_1)
    house.sign()
    assert second.number == 2


def test_dry_runs_change_nothing() -> None:
    house = House()
    lifecycle, before = house.keys.lifecycle, (house.now(), list(house.store.entries))
    assert lifecycle.describe(RELEASE, "x", dry_run=True).key.description == "x"
    assert lifecycle.tag(RELEASE, {"a": "b"}, dry_run=True).key.tags == {"a": "b"}
    assert lifecycle.disable(RELEASE, dry_run=True).key.state is KeyState.DISABLED
    changed = lifecycle.disable(RELEASE_1, dry_run=True).version
    assert changed is not None and changed.state is VersionState.DISABLED
    assert lifecycle.protect(RELEASE, dry_run=True).key.deletion_protection
    assert lifecycle.schedule_deletion(RELEASE, 7, dry_run=True).key.state is KeyState.PENDING_DELETION
    assert (house.now(), list(house.store.entries)) == before


@pytest.mark.parametrize("days", [-1, 0, 6, 367])
def test_a_window_outside_7_to_366_days(days: int) -> None:
    house = House()
    with pytest.raises(UsageError, match="expected 7 to 366"):
        house.keys.lifecycle.schedule_deletion(RELEASE, days)
    assert house.now()[0].state is KeyState.ENABLED


@pytest.mark.parametrize("before", [KeyState.ENABLED, KeyState.DISABLED])
def test_a_cancelled_deletion_leaves_the_key_enabled(before: KeyState) -> None:
    house = House()
    if before is KeyState.DISABLED:
        house.keys.lifecycle.disable(RELEASE)
    scheduled = house.keys.lifecycle.schedule_deletion(RELEASE, 7).key
    assert (scheduled.state, scheduled.deletion_at) == (
        KeyState.PENDING_DELETION,
        house.clock.now + timedelta(days=7),
    )
    kept = house.keys.lifecycle.cancel_deletion(RELEASE)
    assert (kept.key.state, kept.key.deletion_at, kept.key.state_before_deletion) == (KeyState.ENABLED, None, None)
    assert bool(kept.note) is (before is KeyState.DISABLED)
    house.sign()


def test_a_protected_key_is_neither_deleted_nor_are_its_versions_destroyed() -> None:
    house = House()
    lifecycle = house.keys.lifecycle
    lifecycle.protect(RELEASE, "the production key")
    lifecycle.disable(RELEASE_1)
    for act in (
        lambda: lifecycle.schedule_deletion(RELEASE, 7),
        lambda: lifecycle.destroy_version(RELEASE_1, force=True),
    ):
        with pytest.raises(StateError, match="protected from deletion .the production key."):
            act()
    lifecycle.unprotect(RELEASE)
    lifecycle.schedule_deletion(RELEASE, 7)


# --- deletion when it is due ---


def due(house: House) -> None:
    house.keys.lifecycle.schedule_deletion(RELEASE, 7)
    house.clock.now += timedelta(days=7)


def test_a_key_is_there_until_the_last_moment_and_gone_after_it() -> None:
    house = House()
    house.keys.lifecycle.schedule_deletion(RELEASE, 7)
    house.clock.now += timedelta(days=7, microseconds=-1)
    assert house.keys.directory.keys() != []
    house.clock.now += timedelta(microseconds=1)
    with pytest.raises(NotFoundError):
        house.sign()
    assert house.store.keys() == house.store.aliases() == []
    assert house.provider._private_keys == {}
    last = house.store.entries[-2]
    assert (last.action, last.principal, last.result, last.key_id) == ("DeleteKey", "system", "ok", house.key.id)


def test_who_has_no_permission_carries_it_out_too() -> None:
    """It was permitted when it was scheduled; whoever comes next is only the occasion."""
    house = House()
    due(house)
    with pytest.raises(Exception, match="has no permission"):
        house.service("os:bob").directory.keys()
    assert house.store.keys() == []


def test_a_dry_run_is_no_occasion() -> None:
    house = House()
    due(house)
    house.keys.create_key("EC_P256", provider="memory", dry_run=True)
    assert house.store.keys() != []


def test_what_a_provider_can_not_destroy_stays_pending_and_is_tried_again() -> None:
    class Stubborn(MemoryProvider):
        broken = True

        def destroy(self, key: Key, version: KeyVersion) -> None:
            if self.broken:
                raise ProviderError("the device is gone")
            super().destroy(key, version)

    house = House(provider=(provider := Stubborn()))
    due(house)
    house.keys.directory.keys()
    assert house.now()[0].state is KeyState.PENDING_DELETION
    finding = doctor.deletions(house.store, house.clock.now)  # type: ignore[arg-type]
    assert (finding.state, house.key.id in finding.detail) == ("note", True)
    provider.broken = False
    assert house.keys.directory.keys() == []


def test_doctor_tells_what_is_pending() -> None:
    house = House()
    find: Any = doctor.deletions
    assert find(house.store, house.clock.now).detail == "none is pending"
    house.keys.lifecycle.schedule_deletion(RELEASE, 7)
    assert find(house.store, house.clock.now).detail.startswith("1 pending, the next at ")


# --- destruction of versions ---


def test_a_destroyed_version_is_gone_for_good_and_its_number_stays_taken() -> None:
    house = House()
    lifecycle = house.keys.lifecycle
    lifecycle.disable(RELEASE_1)
    lifecycle.destroy_version(RELEASE_1, force=True)
    version = house.now()[1]
    assert (version.state, version.locator) == (VersionState.DESTROYED, b"")
    assert version.public_key_info == house.version.public_key_info
    assert house.provider._private_keys == {}
    for act in (house.sign, lambda: lifecycle.enable(RELEASE_1), lambda: lifecycle.destroy_version(RELEASE_1)):
        with pytest.raises(StateError, match="is destroyed"):
            act()
    assert house.keys.create_version(RELEASE)[1].number == 2


def test_a_version_is_destroyed_only_when_it_is_disabled_and_meant() -> None:
    house = House()
    lifecycle = house.keys.lifecycle
    with pytest.raises(StateError, match="is enabled, expected disabled"):
        lifecycle.destroy_version(RELEASE_1, force=True)
    lifecycle.disable(RELEASE_1)
    with pytest.raises(RefusedError, match="expected --force"):
        lifecycle.destroy_version(RELEASE_1)
    with pytest.raises(VersionRequiredError):
        lifecycle.destroy_version(RELEASE, force=True)
    assert house.now()[1].state is VersionState.DISABLED


def test_a_provider_that_can_not_destroy_leaves_the_version_as_it_was() -> None:
    class Failing(MemoryProvider):
        def destroy(self, key: Key, version: KeyVersion) -> None:
            raise ProviderError("the device is gone")

    house = House(provider=Failing())
    house.keys.lifecycle.disable(RELEASE_1)
    with pytest.raises(ProviderError):
        house.keys.lifecycle.destroy_version(RELEASE_1, force=True)
    assert house.now()[1].state is VersionState.DISABLED
    assert house.actions()[-1] == ("DestroyKeyVersion", "ProviderUnavailable")


def test_a_whole_key_is_changed_without_a_version() -> None:
    house = House()
    for act in (
        lambda: house.keys.lifecycle.protect(RELEASE_1),
        lambda: house.keys.lifecycle.schedule_deletion(RELEASE_1, 7),
    ):
        with pytest.raises(UsageError, match="names a version"):
            act()
