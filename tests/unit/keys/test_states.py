"""What each state allows, as one literal table, and what actions make of states."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from signkit.errors import NotFoundError, SignkitError, StateError, UsageError
from signkit.keys import states
from signkit.keys.model import Key, KeyState, KeyUsage, KeyVersion, VersionState

AT = datetime(2026, 1, 2, tzinfo=UTC)
OK = "ok"
DISABLED, IMPORT, DELETION = "Rejected.Disabled", "Rejected.PendingImport", "Rejected.PendingDeletion"
FAILED, UNAVAILABLE = "Rejected.StateModifiedFailed", "Rejected.Unavailable"

# Action: Enabled, Disabled, PendingImport, PendingDeletion.
KEYS = {
    "AsymmetricSign": (OK, DISABLED, IMPORT, DELETION),
    "AsymmetricVerify": (OK, DISABLED, IMPORT, DELETION),
    "AsymmetricEncrypt": (OK, DISABLED, IMPORT, DELETION),
    "AsymmetricDecrypt": (OK, DISABLED, IMPORT, DELETION),
    "CreateKeyVersion": (OK, DISABLED, IMPORT, DELETION),
    "GetPublicKey": (OK, DISABLED, "Forbidden.KeyVersionNotFound", DELETION),
    "DescribeKey": (OK, OK, OK, OK),
    "DescribeKeyVersion": (OK, OK, OK, OK),
    "ListKeyVersions": (OK, OK, OK, OK),
    "ListAliasesByKeyId": (OK, OK, OK, OK),
    "ListResourceTags": (OK, OK, OK, OK),
    "DeleteAlias": (OK, OK, OK, OK),
    "GetKeyPolicy": (OK, OK, OK, OK),
    "EnableKey": (OK, OK, FAILED, FAILED),
    "DisableKey": (OK, OK, FAILED, FAILED),
    "ScheduleKeyDeletion": (OK, OK, OK, FAILED),
    "CancelKeyDeletion": (FAILED, FAILED, FAILED, OK),
    "CreateAlias": (OK, OK, OK, FAILED),
    "UpdateAlias": (OK, OK, OK, DELETION),
    "UpdateKeyDescription": (OK, OK, OK, DELETION),
    "TagResource": (OK, OK, OK, DELETION),
    "UntagResource": (OK, OK, OK, DELETION),
    "SetDeletionProtection": (OK, OK, OK, DELETION),
    "SetKeyPolicy": (OK, OK, OK, DELETION),
    "GetParametersForImport": (OK, OK, OK, FAILED),
    "ImportKeyMaterial": (OK, OK, OK, FAILED),
    "DeleteKeyMaterial": (OK, OK, OK, OK),
    "EnableKeyVersion": (OK, OK, FAILED, FAILED),
    "DisableKeyVersion": (OK, OK, FAILED, FAILED),
    "DestroyKeyVersion": (OK, OK, FAILED, FAILED),
}
KEY_COLUMNS = (KeyState.ENABLED, KeyState.DISABLED, KeyState.PENDING_IMPORT, KeyState.PENDING_DELETION)

# Action: pending, enabled, disabled, destroyed.
VERSIONS = {
    "AsymmetricSign": (UNAVAILABLE, OK, DISABLED, UNAVAILABLE),
    "AsymmetricVerify": (UNAVAILABLE, OK, DISABLED, UNAVAILABLE),
    "AsymmetricEncrypt": (UNAVAILABLE, OK, DISABLED, UNAVAILABLE),
    "AsymmetricDecrypt": (UNAVAILABLE, OK, DISABLED, UNAVAILABLE),
    "GetPublicKey": (UNAVAILABLE, OK, DISABLED, UNAVAILABLE),
    "DescribeKeyVersion": (OK, OK, OK, OK),
    "EnableKeyVersion": (UNAVAILABLE, OK, OK, UNAVAILABLE),
    "DisableKeyVersion": (UNAVAILABLE, OK, OK, UNAVAILABLE),
    "DestroyKeyVersion": (UNAVAILABLE, FAILED, OK, UNAVAILABLE),
}
VERSION_COLUMNS = (VersionState.PENDING, VersionState.ENABLED, VersionState.DISABLED, VersionState.DESTROYED)


def a_key(state: KeyState, *, before: KeyState | None = None) -> Key:
    key = Key("key-1", "EC_P256", KeyUsage.SIGN_VERIFY, state, "software", "", AT)
    return key._replace(state_before_deletion=before)


def a_version(state: VersionState) -> KeyVersion:
    return KeyVersion("version-1", "key-1", 3, state, AT, b"", b"")


def cells(table: dict[str, tuple[str, ...]], columns: tuple[object, ...]) -> list[tuple[str, object, str]]:
    return [(action, state, code) for action, row in table.items() for state, code in zip(columns, row, strict=True)]


@pytest.mark.parametrize(("action", "state", "code"), cells(KEYS, KEY_COLUMNS))
def test_state_of_a_key(action: str, state: KeyState, code: str) -> None:
    if code == OK:
        states.require_key(action, a_key(state))
        return
    with pytest.raises(NotFoundError if code.startswith("Forbidden") else StateError) as caught:
        states.require_key(action, a_key(state), named="alias/release")
    assert caught.value.code == code
    assert f"key alias/release is {state.value}" in caught.value.message
    assert "expected " in caught.value.message


@pytest.mark.parametrize(("action", "state", "code"), cells(VERSIONS, VERSION_COLUMNS))
def test_state_of_a_version(action: str, state: VersionState, code: str) -> None:
    if code == OK:
        states.require_version(action, a_version(state))
        return
    with pytest.raises(StateError) as caught:
        states.require_version(action, a_version(state), named="alias/release")
    assert caught.value.code == code
    assert f"version 3 of key alias/release is {state.value}, expected " in caught.value.message
    assert caught.value.hint


def test_the_tables_are_whole_and_frozen() -> None:
    assert set(states.KEY_STATES) == set(KEYS)
    assert set(states.VERSION_STATES) == set(VERSIONS)
    assert set(VERSIONS) <= set(KEYS)
    with pytest.raises(TypeError):
        states.KEY_STATES["AsymmetricSign"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        states.KEY_STATES["AsymmetricSign"][KeyState.DISABLED] = states.ALLOWED  # type: ignore[index]


def test_an_unknown_action_is_not_allowed() -> None:
    with pytest.raises(KeyError):
        states.require_key("Sign", a_key(KeyState.ENABLED))
    with pytest.raises(KeyError):
        states.require_version("Sign", a_version(VersionState.ENABLED))


def test_a_refusal_says_found_and_expected_and_what_to_do() -> None:
    with pytest.raises(StateError) as caught:
        states.require_key("AsymmetricSign", a_key(KeyState.DISABLED), named="alias/release")
    assert caught.value.message == "key alias/release is Disabled, expected Enabled for AsymmetricSign"
    assert caught.value.hint == "'signkit key enable alias/release' enables it"
    assert caught.value.exit_status == 4
    with pytest.raises(StateError) as caught:
        states.require_version("AsymmetricSign", a_version(VersionState.DISABLED))
    assert caught.value.message == "version 3 of key key-1 is disabled, expected enabled for AsymmetricSign"
    assert caught.value.hint == "'signkit key enable key-1@3' enables it"
    with pytest.raises(StateError, match="expected Enabled or Disabled for EnableKey"):
        states.require_key("EnableKey", a_key(KeyState.PENDING_DELETION))


# Transitions

CHANGES = {
    ("EnableKey", KeyState.ENABLED): KeyState.ENABLED,
    ("EnableKey", KeyState.DISABLED): KeyState.ENABLED,
    ("DisableKey", KeyState.ENABLED): KeyState.DISABLED,
    ("DisableKey", KeyState.DISABLED): KeyState.DISABLED,
    ("ScheduleKeyDeletion", KeyState.ENABLED): KeyState.PENDING_DELETION,
    ("ScheduleKeyDeletion", KeyState.DISABLED): KeyState.PENDING_DELETION,
    ("ScheduleKeyDeletion", KeyState.PENDING_IMPORT): KeyState.PENDING_DELETION,
    ("CancelKeyDeletion", KeyState.PENDING_DELETION): KeyState.ENABLED,
    ("ImportKeyMaterial", KeyState.ENABLED): KeyState.ENABLED,
    ("ImportKeyMaterial", KeyState.DISABLED): KeyState.DISABLED,
    ("ImportKeyMaterial", KeyState.PENDING_IMPORT): KeyState.ENABLED,
    ("DeleteKeyMaterial", KeyState.ENABLED): KeyState.PENDING_IMPORT,
    ("DeleteKeyMaterial", KeyState.DISABLED): KeyState.PENDING_IMPORT,
    ("DeleteKeyMaterial", KeyState.PENDING_IMPORT): KeyState.PENDING_IMPORT,
    ("DeleteKeyMaterial", KeyState.PENDING_DELETION): KeyState.PENDING_DELETION,
}


@pytest.mark.parametrize(("action", "state"), list(itertools.product(dict.fromkeys(a for a, _ in CHANGES), KeyState)))
def test_what_an_action_makes_of_a_key(action: str, state: KeyState) -> None:
    expected = CHANGES.get((action, state))
    if expected is not None:
        assert states.change_key(action, a_key(state)) == (expected, "")
        return
    with pytest.raises(StateError) as caught:
        states.change_key(action, a_key(state))
    assert caught.value.code == FAILED


def test_a_key_that_was_disabled_is_enabled_when_its_deletion_is_cancelled_and_that_is_said() -> None:
    changed = states.change_key("CancelKeyDeletion", a_key(KeyState.PENDING_DELETION, before=KeyState.DISABLED))
    assert changed.state is KeyState.ENABLED
    assert changed.note == "key key-1 was Disabled before its deletion was scheduled, and is Enabled now"


def test_a_key_without_material_waits_for_it_again_when_its_deletion_is_cancelled() -> None:
    for key, has_material in (
        (a_key(KeyState.PENDING_DELETION, before=KeyState.PENDING_IMPORT), True),
        (a_key(KeyState.PENDING_DELETION, before=KeyState.ENABLED), False),
        (a_key(KeyState.PENDING_DELETION, before=KeyState.DISABLED), False),
    ):
        changed = states.change_key("CancelKeyDeletion", key, has_material=has_material)
        assert changed == (KeyState.PENDING_IMPORT, "")


def test_a_protected_key_is_not_scheduled_for_deletion() -> None:
    protected = a_key(KeyState.ENABLED)._replace(deletion_protection=True, deletion_protection_description="release")
    with pytest.raises(StateError, match=r"key-1 is protected from deletion \(release\)") as caught:
        states.change_key("ScheduleKeyDeletion", protected)
    assert caught.value.code == FAILED
    assert "key unprotect key-1" in caught.value.hint
    assert states.change_key("DisableKey", protected).state is KeyState.DISABLED


def test_what_an_action_makes_of_a_version() -> None:
    for state in (VersionState.ENABLED, VersionState.DISABLED):
        assert states.change_version("EnableKeyVersion", a_version(state)) is VersionState.ENABLED
        assert states.change_version("DisableKeyVersion", a_version(state)) is VersionState.DISABLED
    assert states.change_version("DestroyKeyVersion", a_version(VersionState.DISABLED)) is VersionState.DESTROYED


def test_a_destroyed_version_never_comes_back() -> None:
    for action in ("EnableKeyVersion", "DisableKeyVersion", "DestroyKeyVersion"):
        with pytest.raises(StateError, match="is destroyed"):
            states.change_version(action, a_version(VersionState.DESTROYED))


def test_a_version_in_use_is_not_destroyed_by_a_mistyped_number() -> None:
    with pytest.raises(StateError, match="is enabled, expected disabled") as caught:
        states.change_version("DestroyKeyVersion", a_version(VersionState.ENABLED))
    assert "key disable key-1@3" in caught.value.hint


def test_only_a_key_that_waits_for_import_takes_any_material() -> None:
    assert [states.same_material_only(a_key(state)) for state in KEY_COLUMNS] == [True, True, False, True]


def test_the_deletion_window_is_7_to_366_days() -> None:
    assert [states.require_window(days) for days in (7, 366)] == [7, 366]
    for days in (-1, 0, 6, 367):
        with pytest.raises(UsageError, match=f"in {days} days: expected 7 to 366") as caught:
            states.require_window(days)
        assert isinstance(caught.value, SignkitError) and caught.value.code == "InvalidParameter"
