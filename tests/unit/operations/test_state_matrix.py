"""The key states of Alibaba Cloud KMS, action by action, over the operations themselves.

The table is in ``tests.support.kms_states``, and not taken from ``signkit.keys.states``, which the operations use.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from signkit.errors import SignkitError
from signkit.keys.model import KeyState, VersionState
from signkit.operations.keys import KeyService
from tests.support.house import RELEASE, RELEASE_1, House
from tests.support.kms_states import DISABLED, MATRIX, NO_VERSION, OK, STATES, VERSION_MATRIX, VERSION_STATES

CALLS: dict[str, Callable[[KeyService], Any]] = {
    "AsymmetricSign": lambda keys: keys.use.sign(RELEASE_1, "ECDSA_SHA_256", []),
    "AsymmetricVerify": lambda keys: keys.directory.public_key(RELEASE_1, action="AsymmetricVerify"),
    "CreateKeyVersion": lambda keys: keys.create_version(RELEASE),
    "GetPublicKey": lambda keys: keys.directory.public_key(RELEASE_1),
    "DescribeKey": lambda keys: keys.directory.key(RELEASE),
    "DescribeKeyVersion": lambda keys: keys.directory.version(RELEASE_1),
    "ListKeyVersions": lambda keys: keys.directory.versions(RELEASE),
    "DeleteAlias": lambda keys: keys.aliases.delete("alias/release"),
    "EnableKey": lambda keys: keys.lifecycle.enable(RELEASE),
    "DisableKey": lambda keys: keys.lifecycle.disable(RELEASE),
    "ScheduleKeyDeletion": lambda keys: keys.lifecycle.schedule_deletion(RELEASE, 7),
    "CancelKeyDeletion": lambda keys: keys.lifecycle.cancel_deletion(RELEASE),
    "CreateAlias": lambda keys: keys.aliases.create("alias/second", RELEASE),
    "UpdateAlias": lambda keys: keys.aliases.update("alias/moving", RELEASE),
    "UpdateKeyDescription": lambda keys: keys.lifecycle.describe(RELEASE, "text"),
    "TagResource": lambda keys: keys.lifecycle.tag(RELEASE, {"team": "release"}),
    "UntagResource": lambda keys: keys.lifecycle.untag(RELEASE, []),
    "SetDeletionProtection": lambda keys: keys.lifecycle.protect(RELEASE),
    "EnableKeyVersion": lambda keys: keys.lifecycle.enable(RELEASE_1),
    "DisableKeyVersion": lambda keys: keys.lifecycle.disable(RELEASE_1),
}

SILENT = ("DescribeKey", "DescribeKeyVersion", "ListKeyVersions")
"""What is recorded only when it is refused."""


def house_with(key: KeyState, version: VersionState = VersionState.ENABLED) -> House:
    house = House()
    house.keys.create_key("EC_P256", alias="alias/moving", provider="memory")
    house.set_states(key, version)
    if key is KeyState.PENDING_DELETION:
        due = house.clock.now + timedelta(days=7)
        house.store._keys[house.key.id] = house.now()[0]._replace(
            deletion_at=due, state_before_deletion=KeyState.ENABLED
        )
    house.store.entries.clear()
    return house


def outcome(house: House, act: Callable[[KeyService], Any]) -> str:
    try:
        act(house.keys)
    except SignkitError as error:
        return error.code
    return OK


def on_record(house: House, action: str, code: str) -> None:
    signed_nothing = action == "AsymmetricSign" and code == OK
    silent = code == OK and (action in SILENT or signed_nothing)
    assert house.actions() == ([] if silent else [(action, code)])


@pytest.mark.parametrize("column", range(4), ids=lambda column: STATES[column].value)
@pytest.mark.parametrize("action", MATRIX)
def test_states_of_keys(action: str, column: int) -> None:
    house = house_with(STATES[column])
    before = house.now()
    expected = MATRIX[action][column]
    assert outcome(house, CALLS[action]) == expected
    on_record(house, action, expected)
    if expected != OK:
        assert house.now() == before


@pytest.mark.parametrize("column", range(4), ids=lambda column: VERSION_STATES[column].value)
@pytest.mark.parametrize("action", VERSION_MATRIX)
def test_states_of_versions(action: str, column: int) -> None:
    house = house_with(KeyState.ENABLED, VERSION_STATES[column])
    before = house.now()
    calls = CALLS | {"DestroyKeyVersion": lambda keys: keys.lifecycle.destroy_version(RELEASE_1, force=True)}
    expected = VERSION_MATRIX[action][column]
    assert outcome(house, calls[action]) == expected
    on_record(house, action, expected)
    if expected != OK:
        assert house.now() == before


def test_the_state_of_the_key_is_looked_at_before_its_version() -> None:
    house = house_with(KeyState.DISABLED, VersionState.DESTROYED)
    assert outcome(house, lambda keys: keys.use.sign(RELEASE_1, "ECDSA_SHA_256", [])) == DISABLED
    assert outcome(house, lambda keys: keys.use.sign(RELEASE_1._replace(version="9"), "no", [])) == DISABLED


def test_usage_is_looked_at_before_the_state() -> None:
    house = house_with(KeyState.DISABLED)
    assert outcome(house, lambda keys: keys.use.decrypt(RELEASE_1, "SM2PKE", b"x")) == "Rejected.UnsupportedOperation"


def test_the_version_is_looked_for_before_the_algorithm() -> None:
    house = house_with(KeyState.ENABLED)
    missing = RELEASE_1._replace(version="9")
    assert outcome(house, lambda keys: keys.use.sign(missing, "no such algorithm", [])) == NO_VERSION
    assert outcome(house, lambda keys: keys.use.sign(RELEASE_1, "no such algorithm", [])) == "InvalidParameter"
