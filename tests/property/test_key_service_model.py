"""The key service against a model of it: keys, versions, aliases, states, permissions and time, in any order.

The model knows the states from ``tests.support.kms_states`` and says beforehand with which code each request ends and
what it leaves. Two people ask: alice, who may do everything, and bob, whose roles come and go. The store is a real one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from signkit.errors import SignkitError
from signkit.keys.model import KeyState, Permission, VersionState
from signkit.keys.reference import KeyReference
from signkit.operations.keys import KeyService
from signkit.operations.use import SignInput
from signkit.store.sqlite import SqliteStore
from tests.support import pki
from tests.support.fakes import EVERYTHING, MemoryProvider
from tests.support.kms_states import MATRIX, OK, STATES, VERSION_MATRIX, VERSION_STATES
from tests.support.stores import new_sqlite_store

ALICE, BOB = "os:alice", "os:bob"
IN_MEMORY = Path("/dev/shm")
"""Where syncing costs nothing: what a crash does to the store is tested elsewhere."""
ALIASES = ("alias/a", "alias/b", "alias/c")
MAXIMUM_VERSIONS = 4
INTERVAL = timedelta(days=1)
DENIED, FAILED = "Forbidden.NoPermission", "Rejected.StateModifiedFailed"
READS = {"DescribeKey", "DescribeKeyVersion", "ListKeyVersions", "GetPublicKey"}
MAY: dict[str, Callable[[str], bool]] = {
    "administrator": lambda action: action != "AsymmetricSign",
    "signer": lambda action: action in READS | {"AsymmetricSign"},
    "auditor": lambda action: action in READS | {"ListKeys"},
}

actors = st.sampled_from((ALICE, ALICE, BOB))
indexes = st.integers(0, 1)
numbers = st.sampled_from((1, 1, 2, 3))


class Model:
    """What a key should be."""

    def __init__(self, at: datetime) -> None:
        self.state = KeyState.ENABLED
        self.due: datetime | None = None
        self.protected = False
        self.versions = [VersionState.ENABLED]
        self.last = at


class KeyServiceModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        self.path = self.folder / "store.db"
        self.store = new_sqlite_store(self.path, maximum_versions=MAXIMUM_VERSIONS)
        self.provider = MemoryProvider()
        self.now = pki.NOW
        self.ids = count(1)
        self.keys: dict[str, Model] = {}
        self.aliases: dict[str, str] = {}
        self.roles: set[str] = set()
        self.recorded = 0

    @initialize()
    def first_principal_with_two_keys(self) -> None:
        self.store.attach_permission(Permission(ALICE, EVERYTHING, self.now), [])
        self.create_key(ALICE, "alias/a")
        self.create_key(ALICE, None)

    def teardown(self) -> None:
        assert self.store.verify_audit() == []
        assert self.store.check() == []
        self.store.close()
        shutil.rmtree(self.folder)

    def service(self, actor: str) -> KeyService:
        return KeyService(
            self.store,
            {"memory": self.provider},
            clock=lambda: self.now,
            new_id=lambda: f"00000000-0000-4000-8000-{next(self.ids):012}",
            principal=actor,
            minimum_version_interval_days=INTERVAL.days,
        )

    # What should come of a request

    def ask(self, action: str, actor: str, call: Callable[[KeyService], Any], *codes: str, silent: bool = False) -> Any:
        """Do it; ``codes`` are those of the checks in their order, and the first that is not OK is expected."""
        self.carry_out_deletions()
        expected = next((code for code in codes if code != OK), OK)
        found, answer = OK, None
        try:
            answer = call(self.service(actor))
        except SignkitError as error:
            found = error.code
        assert found == expected, (action, actor, codes)
        self.recorded += not (silent and found == OK)
        return answer

    def carry_out_deletions(self) -> None:
        for key_id in [key_id for key_id, key in self.keys.items() if key.due is not None and key.due <= self.now]:
            del self.keys[key_id]
            self.aliases = {name: one for name, one in self.aliases.items() if one != key_id}
            self.recorded += 1

    def permission(self, actor: str, action: str) -> str:
        return OK if actor == ALICE or any(MAY[role](action) for role in self.roles) else DENIED

    def checks(self, actor: str, action: str, key_id: str, number: int | None = None) -> Iterator[str]:
        """Codes of the checks that every action on a key or version goes through."""
        self.carry_out_deletions()
        key = self.keys.get(key_id)
        if key is None:
            yield "Forbidden.KeyNotFound"
            return
        yield self.permission(actor, action)
        yield MATRIX[action][STATES.index(key.state)] if action in MATRIX else OK
        if number is not None:
            yield OK if number <= len(key.versions) else "Forbidden.KeyVersionNotFound"
            if number <= len(key.versions) and action in VERSION_MATRIX:
                yield VERSION_MATRIX[action][VERSION_STATES.index(key.versions[number - 1])]

    def pick(self, index: int) -> str:
        """One of the first two keys, so that much happens to each; also one that is gone by now."""
        return list(self.keys)[index] if index < len(self.keys) else "gone"

    # Requests

    @rule(actor=actors, alias=st.sampled_from((None, *ALIASES)))
    def create_key(self, actor: str, alias: str | None) -> None:
        self.carry_out_deletions()
        taken = "AliasAlreadyExists" if alias in self.aliases else OK
        made = self.ask(
            "CreateKey",
            actor,
            lambda keys: keys.create_key("ED25519", alias=alias, provider="memory"),
            self.permission(actor, "CreateKey"),
            taken,
        )
        if made is not None:
            self.keys[made[0].id] = Model(self.now)
            self.aliases |= {alias: made[0].id} if alias else {}

    @rule(actor=actors, index=indexes)
    def create_version(self, actor: str, index: int) -> None:
        key_id = self.pick(index)
        codes = list(self.checks(actor, "CreateKeyVersion", key_id))
        key = self.keys.get(key_id)
        if key is not None:
            codes.append("Rejected.UnsupportedOperation" if self.now < key.last + INTERVAL else OK)
            codes.append("Rejected.LimitExceeded" if len(key.versions) >= MAXIMUM_VERSIONS else OK)
        reference = KeyReference(key_id, None)
        made = self.ask("CreateKeyVersion", actor, lambda keys: keys.create_version(reference), *codes)
        if made is not None and key is not None:
            key.versions.append(VersionState.ENABLED)
            key.last = self.now
            assert made[1].number == len(key.versions)

    @rule(actor=actors, index=indexes, number=numbers)
    def sign(self, actor: str, index: int, number: int) -> None:
        key_id = self.pick(index)
        codes = tuple(self.checks(actor, "AsymmetricSign", key_id, number))
        reference, inputs = KeyReference(key_id, str(number)), [SignInput(b"message", bytes(32))]
        made = self.ask("AsymmetricSign", actor, lambda keys: keys.use.sign(reference, "ED25519", inputs), *codes)
        assert made is None or len(made) == 1

    @rule(actor=actors, index=indexes, number=numbers)
    def public_key(self, actor: str, index: int, number: int) -> None:
        key_id = self.pick(index)
        codes = tuple(self.checks(actor, "GetPublicKey", key_id, number))
        reference = KeyReference(key_id, str(number))
        self.ask("GetPublicKey", actor, lambda keys: keys.directory.public_key(reference), *codes)

    @rule(actor=actors, index=indexes)
    def describe(self, actor: str, index: int) -> None:
        key_id = self.pick(index)
        codes = tuple(self.checks(actor, "DescribeKey", key_id))
        reference = KeyReference(key_id, None)
        self.ask("DescribeKey", actor, lambda keys: keys.directory.key(reference), *codes, silent=True)

    @rule(actor=actors, index=indexes, enable=st.booleans())
    def switch_key(self, actor: str, index: int, enable: bool) -> None:
        key_id, action = self.pick(index), "EnableKey" if enable else "DisableKey"
        codes = tuple(self.checks(actor, action, key_id))
        reference = KeyReference(key_id, None)
        if self.ask(action, actor, lambda keys: _switch(keys, reference, enable), *codes):
            self.keys[key_id].state = KeyState.ENABLED if enable else KeyState.DISABLED

    @rule(actor=actors, index=indexes, number=numbers, enable=st.booleans())
    def switch_version(self, actor: str, index: int, number: int, enable: bool) -> None:
        key_id, action = self.pick(index), "EnableKeyVersion" if enable else "DisableKeyVersion"
        codes = tuple(self.checks(actor, action, key_id, number))
        reference = KeyReference(key_id, str(number))
        if self.ask(action, actor, lambda keys: _switch(keys, reference, enable), *codes):
            state = VersionState.ENABLED if enable else VersionState.DISABLED
            self.keys[key_id].versions[number - 1] = state

    @rule(actor=actors, index=indexes, number=numbers)
    def destroy_version(self, actor: str, index: int, number: int) -> None:
        key_id = self.pick(index)
        codes = list(self.checks(actor, "DisableKeyVersion", key_id, None))
        codes += list(self.checks(actor, "DestroyKeyVersion", key_id, number))
        key = self.keys.get(key_id)
        codes.append(FAILED if key is not None and key.protected else OK)
        reference = KeyReference(key_id, str(number))
        if self.ask("Destroy", actor, lambda keys: keys.lifecycle.destroy_version(reference, force=True), *codes):
            self.keys[key_id].versions[number - 1] = VersionState.DESTROYED

    @rule(actor=actors, index=indexes, days=st.sampled_from((7, 8, 30)))
    def schedule_deletion(self, actor: str, index: int, days: int) -> None:
        key_id = self.pick(index)
        codes = list(self.checks(actor, "ScheduleKeyDeletion", key_id))
        key = self.keys.get(key_id)
        codes.append(FAILED if key is not None and key.protected else OK)
        reference = KeyReference(key_id, None)
        if self.ask("Schedule", actor, lambda keys: keys.lifecycle.schedule_deletion(reference, days), *codes):
            self.keys[key_id].state = KeyState.PENDING_DELETION
            self.keys[key_id].due = self.now + timedelta(days=days)

    @rule(actor=actors, index=indexes)
    def cancel_deletion(self, actor: str, index: int) -> None:
        key_id = self.pick(index)
        codes = tuple(self.checks(actor, "CancelKeyDeletion", key_id))
        reference = KeyReference(key_id, None)
        if self.ask("Cancel", actor, lambda keys: keys.lifecycle.cancel_deletion(reference), *codes):
            self.keys[key_id].state, self.keys[key_id].due = KeyState.ENABLED, None

    @rule(actor=actors, index=indexes, on=st.booleans())
    def protect(self, actor: str, index: int, on: bool) -> None:
        key_id = self.pick(index)
        codes = tuple(self.checks(actor, "SetDeletionProtection", key_id))
        reference = KeyReference(key_id, None)
        name = "protect" if on else "unprotect"
        if self.ask(name, actor, lambda keys: getattr(keys.lifecycle, name)(reference), *codes):
            self.keys[key_id].protected = on

    @rule(actor=actors, index=indexes, name=st.sampled_from(ALIASES))
    def create_alias(self, actor: str, index: int, name: str) -> None:
        key_id = self.pick(index)
        codes = list(self.checks(actor, "CreateAlias", key_id))
        codes.append("AliasAlreadyExists" if name in self.aliases else OK)
        reference = KeyReference(key_id, None)
        if self.ask("CreateAlias", actor, lambda keys: keys.aliases.create(name, reference), *codes):
            self.aliases[name] = key_id

    @rule(actor=actors, index=indexes, name=st.sampled_from(ALIASES))
    def update_alias(self, actor: str, index: int, name: str) -> None:
        key_id = self.pick(index)
        codes = list(self.checks(actor, "UpdateAlias", key_id))
        missing = OK if name in self.aliases else "Forbidden.AliasNotFound"
        reference = KeyReference(key_id, None)
        if self.ask("UpdateAlias", actor, lambda keys: keys.aliases.update(name, reference), missing, *codes):
            self.aliases[name] = key_id

    @rule(actor=actors, name=st.sampled_from(ALIASES))
    def delete_alias(self, actor: str, name: str) -> None:
        self.carry_out_deletions()
        missing = OK if name in self.aliases else "Forbidden.AliasNotFound"
        permitted = self.permission(actor, "DeleteAlias")
        if self.ask("DeleteAlias", actor, lambda keys: keys.aliases.delete(name), missing, permitted):
            del self.aliases[name]

    @rule(role=st.sampled_from(tuple(MAY)), on=st.booleans())
    def change_role(self, role: str, on: bool) -> None:
        if on:
            self.ask("Attach", ALICE, lambda keys: keys.permissions.attach_role(BOB, role), OK)
            self.roles.add(role)
        else:
            missing = OK if role in self.roles else "Forbidden.PermissionNotFound"
            self.ask("Detach", ALICE, lambda keys: keys.permissions.detach(BOB, role), missing)
            self.roles.discard(role)

    @rule(hours=st.sampled_from((1, 24, 100, 7 * 24)))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = SqliteStore.open(str(self.path), maximum_versions=MAXIMUM_VERSIONS)

    @invariant()
    def the_store_is_what_the_model_says(self) -> None:
        found = {key.id: key for key in self.store.keys()}
        assert list(found) == list(self.keys)
        for key_id, key in self.keys.items():
            assert (found[key_id].state, found[key_id].deletion_at) == (key.state, key.due)
            assert found[key_id].deletion_protection is key.protected
            versions = self.store.versions(key_id)
            assert [one.number for one in versions] == list(range(1, len(key.versions) + 1))
            assert [one.state for one in versions] == key.versions
        assert {alias.name: alias.key_id for alias in self.store.aliases()} == self.aliases
        assert self.store.audit_head().size == self.recorded


def _switch(keys: KeyService, reference: KeyReference, enable: bool) -> Any:
    return keys.lifecycle.enable(reference) if enable else keys.lifecycle.disable(reference)


KeyServiceModel.TestCase.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestKeyServiceModel = KeyServiceModel.TestCase
