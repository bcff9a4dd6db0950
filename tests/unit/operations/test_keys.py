"""The key service: states, aliases, and that no signature leaves it before its record is durable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from signkit import algorithms
from signkit.algorithms import digests
from signkit.audit.entry import AuditEntry
from signkit.errors import (
    ConflictError,
    NotFoundError,
    ProviderError,
    RefusedError,
    SignkitError,
    StateError,
    StoreError,
    UsageError,
    VersionRequiredError,
)
from signkit.keys.model import KeyState, VersionState
from signkit.keys.reference import KeyReference, parse_key, parse_key_version
from signkit.operations.keys import KeyService
from signkit.operations.use import SignInput
from tests.support import pki
from tests.support.fakes import MemoryProvider, MemoryStore

ECDSA = algorithms.signature_algorithm("EC_P256")
DIGEST = digests.digest("sha256", b"artifact")
RELEASE = parse_key("alias/release")
RELEASE_1 = parse_key_version("alias/release@1")


class Clock:
    """A clock that stands still until it is moved."""

    now = pki.NOW

    def __call__(self) -> Any:
        return self.now


class House:
    """A key service over parts in memory, with ``alias/release`` of one version."""

    def __init__(
        self, store: MemoryStore | None = None, provider: MemoryProvider | None = None, **settings: int
    ) -> None:
        self.store, self.provider, self.clock = store or MemoryStore(), provider or MemoryProvider(), Clock()
        numbers = count(1)
        self.keys = KeyService(
            self.store,
            {"memory": self.provider},
            clock=self.clock,
            new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012}",
            principal="os:alice",
            **settings,
        )
        self.key, self.version = self.keys.create_key("EC_P256", alias="alias/release", provider="memory")

    def actions(self) -> list[tuple[str, str]]:
        return [(entry.action, entry.result) for entry in self.store.entries]

    def set_states(self, key: KeyState = KeyState.ENABLED, version: VersionState = VersionState.ENABLED) -> None:
        self.store._keys[self.key.id] = self.key._replace(state=key)
        self.store._versions[self.version.id] = self.version._replace(state=version)

    def sign(self, *data: bytes, reference: KeyReference = RELEASE_1) -> list[bytes]:
        inputs = [SignInput(one, b"\x01" * 32, "app.bin") for one in data or (DIGEST,)]
        return self.keys.use.sign(reference, ECDSA.name, inputs)


# --- making keys ---


def test_a_new_key_has_version_1_and_is_on_record() -> None:
    house = House()
    assert house.key.state is KeyState.ENABLED
    assert (house.version.number, house.version.state) == (1, VersionState.ENABLED)
    assert house.keys.directory.version(RELEASE_1) == (house.key, house.version)
    assert house.actions() == [("CreateKey", "ok")]
    [entry] = house.store.entries
    assert (entry.principal, entry.key_id, entry.version) == ("os:alice", house.key.id, 1)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"key_type": "RSA_1024"}, UsageError),
        ({"key_type": ""}, UsageError),
        ({"alias": "release"}, UsageError),
        ({"alias": "alias/acs/x"}, UsageError),
        ({"alias": "alias/release"}, ConflictError),
        ({"usage": "ENCRYPT/DECRYPT"}, UsageError),
        ({"usage": "anything"}, UsageError),
        ({"provider": "hsm"}, ProviderError),
        ({"description": "x" * 8193}, UsageError),
    ],
)
def test_what_can_not_be_made_leaves_nothing_but_its_record(
    arguments: dict[str, str], error: type[SignkitError]
) -> None:
    house = House()
    before = (house.store.keys(), house.store.aliases())
    with pytest.raises(error) as caught:
        house.keys.create_key(**({"key_type": "EC_P256", "provider": "memory"} | arguments))  # type: ignore[arg-type]
    assert (house.store.keys(), house.store.aliases()) == before
    assert house.actions()[1:] == [("CreateKey", caught.value.code)]


@pytest.mark.parametrize("error", [ProviderError("no"), KeyboardInterrupt(), ValueError("defect")])
def test_a_key_pair_that_was_not_made_is_abandoned_and_the_failure_is_on_record(error: BaseException) -> None:
    class Failing(MemoryProvider):
        def create(self, key: Any, version: Any) -> Any:
            raise error

    house = House()
    house.keys._providers = {"memory": Failing()}
    for make in (
        lambda: house.keys.create_key("EC_P256", alias="alias/second", provider="memory"),
        lambda: house.keys.create_version(RELEASE),
    ):
        with pytest.raises(type(error)):
            make()
    assert [key.id for key in house.store.keys()] == [house.key.id]
    assert [alias.name for alias in house.store.aliases()] == ["alias/release"]
    assert [version.number for version in house.store.versions(house.key.id)] == [1]
    code = error.code if isinstance(error, SignkitError) else "InternalFailure"
    assert house.actions()[1:] == [("CreateKey", code), ("CreateKeyVersion", code)]


def test_versions_are_numbered_and_the_older_one_stays() -> None:
    house = House()
    _key, second = house.keys.create_version(RELEASE)
    assert second.number == 2
    assert second.public_key_info != house.version.public_key_info
    assert house.keys.directory.version(RELEASE_1)[1] == house.version
    assert house.keys.directory.version(parse_key_version(f"alias/release@{second.id}"))[1] == second
    assert house.actions()[1:] == [("CreateKeyVersion", "ok")]


def test_dry_runs_make_nothing() -> None:
    house = House()
    before = (house.store.keys(), house.store.aliases(), list(house.store.entries))
    house.keys.create_key("EC_P256", alias="alias/other", provider="memory", dry_run=True)
    assert house.keys.create_version(RELEASE, dry_run=True)[1].number == 2
    house.keys.aliases.create("alias/other", RELEASE, dry_run=True)
    house.keys.aliases.update("alias/release", RELEASE, dry_run=True)
    house.keys.aliases.delete("alias/release", dry_run=True)
    assert (house.store.keys(), house.store.aliases(), list(house.store.entries)) == before
    assert len(house.store.versions(house.key.id)) == 1


def test_an_interval_between_versions() -> None:
    house = House(minimum_version_interval_days=7)
    with pytest.raises(RefusedError, match="7 days must lie between"):
        house.keys.create_version(RELEASE)
    house.clock.now += timedelta(days=7)
    assert house.keys.create_version(RELEASE)[1].number == 2


# --- references ---


@pytest.mark.parametrize("reference", ["alias/release@2", "alias/release@x", "alias/release@00000000-0000-4000-8000-9"])
def test_a_version_that_is_not_there(reference: str) -> None:
    with pytest.raises(NotFoundError, match="expected one of 1") as caught:
        House().keys.directory.version(parse_key_version(reference))
    assert caught.value.code == "Forbidden.KeyVersionNotFound"


@pytest.mark.parametrize("reference", ["alias/other@1", "no-such-key@1"])
def test_a_key_that_is_not_there(reference: str) -> None:
    with pytest.raises(NotFoundError):
        House().keys.directory.version(parse_key_version(reference))


def test_a_key_without_version_signs_nothing() -> None:
    """Not even when it has only one."""
    house = House()
    for act in (
        lambda: house.sign(reference=RELEASE),
        lambda: house.keys.directory.public_key(RELEASE),
    ):
        with pytest.raises(VersionRequiredError):
            act()


# --- aliases ---


def test_aliases() -> None:
    house = House()
    other, _version = house.keys.create_key("EC_P256", provider="memory")
    house.keys.aliases.create("alias/second", RELEASE)
    assert house.keys.directory.key(parse_key("alias/second")) == house.key
    house.keys.aliases.update("alias/second", KeyReference(other.id, None))
    assert house.keys.directory.key(parse_key("alias/second")) == other
    house.keys.aliases.delete("alias/second")
    assert [alias.name for alias in house.keys.directory.aliases()] == ["alias/release"]
    assert [action for action, _result in house.actions()[2:]] == ["CreateAlias", "UpdateAlias", "DeleteAlias"]
    for act in (
        lambda: house.keys.directory.key(parse_key("alias/second")),
        lambda: house.keys.aliases.update("alias/second", RELEASE),
        lambda: house.keys.aliases.delete("alias/second"),
        lambda: house.keys.aliases.create("alias/third", parse_key("no-such-key")),
    ):
        with pytest.raises(NotFoundError):
            act()
    with pytest.raises(ConflictError):
        house.keys.aliases.create("alias/release", KeyReference(other.id, None))
    with pytest.raises(UsageError):
        house.keys.aliases.create("third", RELEASE)
    assert house.keys.directory.key(RELEASE) == house.key


# --- signing ---


def test_signatures_come_in_order_and_each_is_on_record() -> None:
    house = House()
    data = [digests.digest("sha256", bytes([n])) for n in range(5)]
    values = house.sign(*data)
    for one, value in zip(data, values, strict=True):
        assert algorithms.verify_digest(ECDSA, house.version.public_key_info, one, value) == ""
    entries = house.store.entries[1:]
    assert [(entry.action, entry.result, entry.algorithm) for entry in entries] == [
        ("AsymmetricSign", "ok", "ECDSA_SHA_256")
    ] * 5
    assert {entry.request_id for entry in entries} == {entries[0].request_id}
    assert all(entry.digest_hex == "01" * 32 and entry.detail == "app.bin" for entry in entries)


def test_signing_nothing_gives_nothing() -> None:
    house = House()
    assert house.keys.use.sign(RELEASE_1, ECDSA.name, []) == []


class CountingProvider(MemoryProvider):
    """Counts its signatures, and fails at one of them."""

    def __init__(self, fails_at: int = 0, error: BaseException | None = None) -> None:
        super().__init__()
        self.signed, self.fails_at, self.error = 0, fails_at, error

    def sign(self, *arguments: Any, **named: Any) -> bytes:
        self.signed += 1
        if self.signed == self.fails_at and self.error is not None:
            raise self.error
        return super().sign(*arguments, **named)


class UnrecordingStore(MemoryStore):
    """A store whose disk fills up."""

    full = False

    def record(self, entries: Sequence[AuditEntry]) -> None:
        if self.full:
            raise StoreError("the store is full")
        super().record(entries)


def test_without_its_record_no_signature_is_released() -> None:
    store, provider = UnrecordingStore(), CountingProvider()
    house = House(store, provider)
    store.full = True
    with pytest.raises(StoreError):
        house.sign(DIGEST, DIGEST)
    assert provider.signed == 2
    assert house.actions() == [("CreateKey", "ok")]


def test_a_failure_of_the_provider_releases_nothing_and_is_on_record() -> None:
    provider = CountingProvider(2, ProviderError("the device is gone"))
    house = House(provider=provider)
    with pytest.raises(ProviderError):
        house.sign(DIGEST, DIGEST, DIGEST)
    assert house.actions()[1:] == [("AsymmetricSign", "ok"), ("AsymmetricSign", "ProviderUnavailable")]


@pytest.mark.parametrize("state", [state for state in KeyState if state is not KeyState.ENABLED])
def test_a_key_that_is_not_enabled_does_nothing(state: KeyState) -> None:
    provider = CountingProvider()
    house = House(provider=provider)
    house.set_states(key=state)
    for act in (
        house.sign,
        lambda: house.keys.create_version(RELEASE),
        lambda: house.keys.directory.public_key(RELEASE_1),
    ):
        with pytest.raises((StateError, NotFoundError), match=state.value):
            act()
    assert provider.signed == 0


@pytest.mark.parametrize("state", [state for state in VersionState if state is not VersionState.ENABLED])
def test_a_version_that_is_not_enabled_signs_nothing(state: VersionState) -> None:
    provider = CountingProvider()
    house = House(provider=provider)
    house.set_states(version=state)
    with pytest.raises(StateError, match=f"is {state.value}, expected enabled"):
        house.sign()
    assert provider.signed == 0


@pytest.mark.parametrize("refusal", ["state", "version", "algorithm"])
def test_a_refused_signature_is_on_record(refusal: str) -> None:
    """Who tried to sign with a disabled key is what an audit log is for."""
    house = House()
    if refusal != "algorithm":
        key = KeyState.DISABLED if refusal == "state" else KeyState.ENABLED
        house.set_states(key, VersionState.DISABLED if refusal == "version" else VersionState.ENABLED)
    algorithm = ECDSA if refusal != "algorithm" else algorithms.signature_algorithm("RSA_2048")
    with pytest.raises(SignkitError) as caught:
        house.keys.use.sign(RELEASE_1, algorithm.name, [SignInput(DIGEST, DIGEST)])
    assert house.actions()[1:] == [("AsymmetricSign", caught.value.code)]


@pytest.mark.parametrize("error", [ValueError("defect"), KeyboardInterrupt()])
def test_a_crash_of_the_provider_is_on_record(error: BaseException) -> None:
    """The private key may have been used: two signatures were made here before the third crashed."""
    house = House(provider=CountingProvider(3, error))
    with pytest.raises(type(error)):
        house.sign(DIGEST, DIGEST, DIGEST)
    assert house.actions()[1:] == [*[("AsymmetricSign", "ok")] * 2, ("AsymmetricSign", "InternalFailure")]


def test_an_algorithm_of_another_key_type_is_refused() -> None:
    provider = CountingProvider()
    house = House(provider=provider)
    with pytest.raises(UsageError, match="can't sign with 'RSA_PKCS1_SHA_256'"):
        house.keys.use.sign(RELEASE_1, "RSA_PKCS1_SHA_256", [SignInput(DIGEST, DIGEST)])
    assert provider.signed == 0


def test_public_keys() -> None:
    house = House()
    assert house.keys.directory.public_key(RELEASE_1) == house.version.public_key_info
    assert house.keys.directory.public_key(RELEASE_1, "pem").startswith(b"-----BEGIN PUBLIC KEY-----\n")
    with pytest.raises(UsageError, match="expected pem or der"):
        house.keys.directory.public_key(RELEASE_1, "hex")
