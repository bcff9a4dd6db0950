"""Bring your own private key: what comes in, what is refused, and what goes on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count

import pytest

from signkit.algorithms import digests
from signkit.errors import (
    AccessDeniedError,
    ConflictError,
    DecryptionError,
    MalformedError,
    NotFoundError,
    ProviderError,
    RefusedError,
    StateError,
    UsageError,
)
from signkit.keys.model import Key, KeyOrigin, KeyState, KeyVersion, Permission, VersionState
from signkit.keys.reference import parse_key, parse_key_version
from signkit.operations import imports, raw
from signkit.operations.imports import ImportService, NewKey
from signkit.operations.keys import KeyService
from signkit.ports import CreatedKey
from signkit.x509 import pem
from tests.support.fakes import MemoryProvider, MemoryStore
from tests.support.private_keys import encrypted
from tests.support.signing import KeyPair, key_pair, new_key_pair

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WANTED = NewKey("EC_P256", alias="alias/own", provider="memory")
KEY = parse_key("alias/own")


class House:
    """The two services over parts in memory."""

    def __init__(self, provider: MemoryProvider | None = None) -> None:
        numbers = count(1)
        self.store = MemoryStore()
        self.provider = provider or MemoryProvider()
        parts = {"clock": lambda: NOW, "new_id": lambda: f"id-{next(numbers)}", "principal": "os:alice"}
        providers: Mapping[str, MemoryProvider] = {"memory": self.provider}
        self.keys = KeyService(self.store, providers, **parts)  # type: ignore[arg-type]
        self.imports = ImportService(self.keys, providers)

    def key(self, pair: KeyPair, wanted: NewKey = WANTED, *, dry_run: bool = False) -> tuple[Key, KeyVersion]:
        return self.imports.import_key(wanted, text(pair), passphrase=never, dry_run=dry_run)

    def version(self, pair: KeyPair, *, dry_run: bool = False) -> KeyVersion:
        return self.imports.import_version(KEY, text(pair), passphrase=never, dry_run=dry_run)[1]

    def pending(self) -> Key:
        return self.imports.create_pending(WANTED)

    @property
    def records(self) -> list[tuple[str, str, int]]:
        return [(entry.action, entry.result, entry.version) for entry in self.store.entries]


@pytest.fixture
def house() -> House:
    return House()


def text(pair: KeyPair) -> bytes:
    return pem.encode("PRIVATE KEY", pair.private_key_info).encode()


def never() -> bytes:
    raise AssertionError("a passphrase was asked for")


def test_a_new_key(house: House) -> None:
    pair = key_pair("EC_P256")
    key, version = house.key(pair)
    assert (key.origin, key.state, version.number, version.state) == (
        KeyOrigin.EXTERNAL,
        KeyState.ENABLED,
        1,
        VersionState.ENABLED,
    )
    assert version.public_key_info == pair.public_key_info
    signature = raw.sign(house.keys, parse_key_version("alias/own@1"), "ECDSA_SHA_256", message=b"message")
    assert raw.verify(pair.public_key_info, "ECDSA_SHA_256", signature, message=b"message") == ""


def test_what_goes_on_record(house: House) -> None:
    """Both entries in one transaction, with the fingerprint of the public key and nothing of the file."""
    pair = key_pair("EC_P256")
    house.key(pair)
    created, imported = house.store.entries[:2]
    assert [created.action, imported.action] == ["CreateKey", "ImportKeyMaterial"]
    assert imported.digest_hex == digests.digest("sha256", pair.public_key_info).hex()
    assert pair.private_key_info.hex() not in str(house.store.entries)


def test_the_next_version(house: House) -> None:
    house.key(key_pair("EC_P256"))
    version = house.version(key_pair("EC_P256", 1))
    assert (version.number, version.public_key_info) == (2, key_pair("EC_P256", 1).public_key_info)
    assert house.records[-1] == ("ImportKeyMaterial", "ok", 2)


def test_a_key_that_waits_for_its_private_key(house: House) -> None:
    key = house.pending()
    assert (key.state, house.keys.directory.find_versions(key)) == (KeyState.PENDING_IMPORT, [])
    with pytest.raises(NotFoundError, match="expected one of none yet"):
        house.keys.directory.version(parse_key_version("alias/own@1"))
    with pytest.raises(NotFoundError, match="PendingImport and has no version yet"):
        house.keys.directory.public_key(parse_key_version("alias/own@1"))
    assert house.version(key_pair("EC_P256")).number == 1
    assert house.keys.directory.find(KEY).state is KeyState.ENABLED


def test_a_key_that_waits_goes_on_waiting_after_a_refusal(house: House) -> None:
    house.pending()
    with pytest.raises(RefusedError, match="type EC_P384, expected EC_P256"):
        house.version(key_pair("EC_P384"))
    assert house.keys.directory.find(KEY).state is KeyState.PENDING_IMPORT
    assert house.records[-1] == ("ImportKeyMaterial", "InvalidKeyMaterial", 0)
    assert house.version(key_pair("EC_P256")).number == 1


NO_IMPORT = """{"Version": "1", "Statement": [
  {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
  {"Effect": "Deny", "Action": "kms:ImportKeyMaterial", "Resource": "*"}]}"""


def test_who_may_make_keys_may_not_therefore_import(house: House) -> None:
    """And what the file holds is not looked at for who may not."""
    house.store.attach_permission(Permission("os:alice", NO_IMPORT, NOW), [])
    house.pending()
    for attempt in (
        lambda: house.imports.import_key(WANTED._replace(alias=None), b"nothing", passphrase=never),
        lambda: house.imports.import_version(KEY, b"nothing", passphrase=never),
    ):
        with pytest.raises(AccessDeniedError):
            attempt()
    assert ("ImportKeyMaterial", "Forbidden.NoPermission", 0) in house.records


def test_dry_runs_change_nothing(house: House) -> None:
    _key, version = house.key(key_pair("EC_P256"), dry_run=True)
    assert version.public_key_info == key_pair("EC_P256").public_key_info
    house.imports.create_pending(WANTED, dry_run=True)
    with pytest.raises(RefusedError):
        house.key(key_pair("EC_P384"), dry_run=True)
    assert (house.store.keys(), house.store.entries) == ([], [])
    house.key(key_pair("EC_P256"))
    before = list(house.store.entries)
    assert house.version(key_pair("EC_P256", 1), dry_run=True).number == 2
    assert (len(house.keys.directory.find_versions(house.keys.directory.find(KEY))), house.store.entries) == (1, before)


def test_another_type_is_refused_and_recorded(house: House) -> None:
    with pytest.raises(RefusedError, match="of type RSA_2048, expected EC_P256") as caught:
        house.key(key_pair("RSA_2048"))
    assert caught.value.code == "InvalidKeyMaterial"
    assert house.store.keys() == []
    assert house.records == [("ImportKeyMaterial", "InvalidKeyMaterial", 0), ("CreateKey", "InvalidKeyMaterial", 0)]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (WANTED._replace(key_type="DSA_1024"), UsageError),
        (WANTED._replace(usage="ENCRYPT/DECRYPT"), UsageError),
        (WANTED._replace(alias="no alias"), UsageError),
        (WANTED._replace(description="x" * 8193), UsageError),
        (WANTED._replace(tags={"acs:own": "1"}), UsageError),
        (WANTED._replace(tags={f"n{number}": "" for number in range(21)}), UsageError),
        (WANTED._replace(tags={"": "1"}), UsageError),
        (WANTED._replace(provider="nowhere"), ProviderError),
    ],
)
def test_what_no_key_can_be(house: House, wanted: NewKey, error: type[Exception]) -> None:
    for attempt in (lambda: house.key(key_pair("EC_P256"), wanted), lambda: house.imports.create_pending(wanted)):
        with pytest.raises(error):
            attempt()
    assert house.store.keys() == []


def test_the_same_private_key_twice_is_refused_by_name(house: House) -> None:
    key, _version = house.key(key_pair("EC_P256"))
    again = WANTED._replace(alias="alias/again")
    with pytest.raises(ConflictError, match=f"version 1 of key {key.id}"):
        house.key(key_pair("EC_P256"), again)
    with pytest.raises(ConflictError, match=f"version 1 of key {key.id}"):
        house.version(key_pair("EC_P256"))
    assert house.records[-1][1] == "InvalidKeyMaterial"


def test_a_private_key_that_was_made_here_is_in_the_store_already(house: House) -> None:
    """Whoever got it out of a backup can't give it a second name."""
    _key, version = house.keys.create_key("EC_P256", provider="memory")
    stolen = house.provider._private_keys[version.locator]
    with pytest.raises(ConflictError):
        house.imports.import_key(WANTED, stolen, passphrase=never)


def test_a_destroyed_private_key_comes_back_into_its_key_alone(house: House) -> None:
    """KMS: only the same material may be imported again. Here it becomes a version with a new number."""
    pair = key_pair("EC_P256")
    _key, version = house.key(pair)
    disabled = house.store.set_version_state(version, VersionState.DISABLED, [])
    with pytest.raises(ConflictError, match="disabled"):
        house.version(pair)
    house.store.destroy_version(disabled, [])
    with pytest.raises(ConflictError, match="destroyed"):
        house.key(pair, WANTED._replace(alias="alias/again"))
    assert house.version(pair).number == 2
    assert [one.state for one in house.store.versions(version.key_id)] == [VersionState.DESTROYED, VersionState.ENABLED]
    with pytest.raises(ConflictError, match="version 2"):
        house.version(pair)


def test_keys_made_here_take_no_private_key_and_imported_ones_make_none(house: House) -> None:
    house.keys.create_key("EC_P256", alias="alias/own", provider="memory")
    with pytest.raises(RefusedError, match="made here") as caught:
        house.version(key_pair("EC_P256"))
    assert caught.value.code == "Unsupported.Origin"
    house.key(key_pair("EC_P256"), WANTED._replace(alias="alias/imported"))
    with pytest.raises(RefusedError, match="come from outside") as caught:
        house.keys.create_version(parse_key("alias/imported"))
    assert caught.value.code == "Unsupported.Origin"
    assert "version import alias/imported" in caught.value.hint


@pytest.mark.parametrize(
    ("state", "code"),
    [(KeyState.DISABLED, "Rejected.Disabled"), (KeyState.PENDING_DELETION, "Rejected.StateModifiedFailed")],
)
def test_states_that_forbid_a_further_version(house: House, state: KeyState, code: str) -> None:
    key, _version = house.key(key_pair("EC_P256"))
    house.store.update_key(key, key._replace(state=state), [])
    with pytest.raises(StateError) as caught:
        house.version(key_pair("EC_P256", 1))
    assert caught.value.code == code


def test_passphrases(house: House) -> None:
    pair = new_key_pair("EC_P256")
    data = encrypted(pair.private_key_info, b"right")
    with pytest.raises(DecryptionError, match="passphrase is wrong"):
        house.imports.import_key(WANTED, data, passphrase=lambda: b"wrong")
    assert house.records[0] == ("ImportKeyMaterial", "InvalidParameter", 0)
    house.imports.import_key(WANTED, data, passphrase=lambda: b"right")


def test_a_provider_that_fails_leaves_nothing() -> None:
    class Broken(MemoryProvider):
        def import_key(self, key: Key, version: KeyVersion, private: bytes, public: bytes) -> CreatedKey:
            raise ProviderError("out of order")

    house = House(Broken())
    with pytest.raises(ProviderError):
        house.key(key_pair("EC_P256"))
    assert house.store.keys() == [] and house.store.aliases() == []
    assert house.records[0] == ("ImportKeyMaterial", "ProviderUnavailable", 0)


def test_the_version_is_on_record_before_the_provider_has_the_private_key() -> None:
    """So a crash leaves a pending version, which doctor names, and no private key that nobody knows of."""
    seen: list[VersionState] = []

    class Watching(MemoryProvider):
        def import_key(self, key: Key, version: KeyVersion, private: bytes, public: bytes) -> CreatedKey:
            seen.extend(one.state for one in house.store.versions(key.id))
            return super().import_key(key, version, private, public)

    house = House(Watching())
    house.key(key_pair("EC_P256"))
    house.version(key_pair("EC_P256", 1))
    assert seen == [VersionState.PENDING, VersionState.ENABLED, VersionState.PENDING]


def test_what_is_no_private_key(house: House) -> None:
    with pytest.raises(MalformedError):
        house.imports.import_key(WANTED, b"nothing", passphrase=never)
    assert house.records == [("ImportKeyMaterial", "Malformed", 0), ("CreateKey", "Malformed", 0)]


def test_material_is_shown_without_the_private_key() -> None:
    pair = key_pair("EC_P256")
    material = imports.read(text(pair), "EC_P256", never)
    assert material.private_key_info == pair.private_key_info
    assert "private" not in repr(material) and repr(pair.private_key_info) not in repr(material)
