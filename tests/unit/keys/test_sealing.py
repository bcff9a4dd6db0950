"""Sealed records and wrapped keys: refused when moved, edited, cut short, or under another root key."""

from __future__ import annotations

import copy
import json
import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.errors import RootKeyError, StoreError
from signkit.keys.sealing import Argon2Parameters, Kek, RecordContext, RootSecret, _canonical, root_key_check

CONTEXT = RecordContext("store", "key-1", "version-1", 1, "EC_P256", "SIGN/VERIFY", b"public key")
PRIVATE_KEY = b"a private key that nobody may see"
KEK = Kek(1, os.urandom(32))
RECORD = KEK.seal(PRIVATE_KEY, CONTEXT, os.urandom)
ROOT_KEY = RootSecret("key", bytes(range(32)))
PASSPHRASE = RootSecret("passphrase", "päss phrase".encode())
CHEAPEST = Argon2Parameters(iterations=1, memory_kib=8 * 1024, lanes=1)
WRAPPED = KEK.wrap(ROOT_KEY, "store", os.urandom)
WRAPPED_BY_PASSPHRASE = KEK.wrap(PASSPHRASE, "store", os.urandom, CHEAPEST)


def unwrap(wrapped: bytes, secret: RootSecret = ROOT_KEY, store_id: str = "store", kek_id: int = 1) -> Kek:
    return Kek.unwrap(wrapped, secret, store_id=store_id, kek_id=kek_id)


def edited(wrapped: bytes, fields: dict[str, object]) -> bytes:
    return json.dumps(json.loads(wrapped) | fields).encode()


# Records


@pytest.mark.parametrize(
    "elsewhere",
    [
        CONTEXT._replace(store_id="store-2"),
        CONTEXT._replace(key_id="key-2"),
        CONTEXT._replace(version_id="version-2"),
        CONTEXT._replace(number=2),
        CONTEXT._replace(key_type="EC_P256K"),
        CONTEXT._replace(public_key_info=b"another public key"),
        CONTEXT._replace(store_id="stor", key_id="ekey-1"),
    ],
)
def test_a_moved_record_is_refused(elsewhere: RecordContext) -> None:
    with pytest.raises(StoreError, match=f"{elsewhere.key_id}@{elsewhere.number} does not belong there"):
        KEK.open(RECORD, elsewhere)


def test_every_changed_bit_is_refused() -> None:
    for position in range(len(RECORD) * 8):
        changed = bytearray(RECORD)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(StoreError, match="key-1@1"):
            KEK.open(bytes(changed), CONTEXT)


def test_every_shortened_or_lengthened_record_is_refused() -> None:
    for length in range(len(RECORD)):
        with pytest.raises(StoreError, match="key-1@1"):
            KEK.open(RECORD[:length], CONTEXT)
    with pytest.raises(StoreError, match="was changed"):
        KEK.open(RECORD + b"\0", CONTEXT)


def test_a_record_of_another_kek_is_refused() -> None:
    with pytest.raises(StoreError, match="names key-encryption key 1, expected 2"):
        Kek(2, bytes(32)).open(RECORD, CONTEXT)
    with pytest.raises(StoreError, match="was changed"):
        Kek(1, bytes(32)).open(RECORD, CONTEXT)


def test_a_record_opens_in_its_place() -> None:
    assert KEK.open(RECORD, CONTEXT) == PRIVATE_KEY
    assert RECORD.startswith(b"SKE2\0\0\0\1")
    assert PRIVATE_KEY not in RECORD


def test_a_record_is_sealed_with_a_fresh_nonce() -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return bytes([len(asked)]) * size

    first, second = KEK.seal(PRIVATE_KEY, CONTEXT, random), KEK.seal(PRIVATE_KEY, CONTEXT, random)
    assert asked == [12, 12]
    assert first[20:] != second[20:]


FIELDS = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)


@given(FIELDS, FIELDS)
def test_different_contexts_have_different_bytes(one: dict[str, str], other: dict[str, str]) -> None:
    assert (_canonical("record", one) == _canonical("record", other)) == (one == other)


# The key-encryption key as an object


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_kek_does_not_leave_the_process(leak: object) -> None:
    with pytest.raises(TypeError, match="can't be pickled or copied"):
        leak(KEK)  # type: ignore[operator]


def test_neither_kek_nor_root_secret_shows_its_value() -> None:
    assert repr(Kek(7, b"k" * 32)) == "Kek(id=7)"
    assert repr(PASSPHRASE) == str(PASSPHRASE) == "RootSecret(kind='passphrase')"


def test_a_kek_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes, found 16"):
        Kek(1, bytes(16))


# Wrapped keys


def test_another_root_key_is_named_as_such() -> None:
    other = RootSecret("key", b"\1" * 32)
    with pytest.raises(RootKeyError, match="the root key is not this store's") as caught:
        unwrap(WRAPPED, other)
    assert caught.value.exit_status == 3
    assert f"found fingerprint {root_key_check(other.value)}" in caught.value.message
    assert f"expected {root_key_check(ROOT_KEY.value)}" in caught.value.message
    assert caught.value.hint


def test_another_passphrase_is_named_as_such() -> None:
    with pytest.raises(RootKeyError, match="the passphrase is not this store's"):
        unwrap(WRAPPED_BY_PASSPHRASE, RootSecret("passphrase", b"wrong"))


@pytest.mark.parametrize(
    ("wrapped", "secret"), [(WRAPPED, PASSPHRASE), (WRAPPED_BY_PASSPHRASE, ROOT_KEY)], ids=["key", "passphrase"]
)
def test_the_other_kind_of_secret_is_refused(wrapped: bytes, secret: RootSecret) -> None:
    with pytest.raises(RootKeyError, match="the store is sealed under a .* found a"):
        unwrap(wrapped, secret)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_root_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(RootKeyError, match=f"{size} bytes, expected 32"):
        unwrap(WRAPPED, RootSecret("key", bytes(size)))


@pytest.mark.parametrize("wrapped", [WRAPPED, WRAPPED_BY_PASSPHRASE], ids=["key", "passphrase"])
@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": True},
        {"store": "another store"},
        {"kek": 2},
        {"scheme": "none"},
        {"scheme": ["key"]},
        {"nonce": "00" * 12},
        {"nonce": ""},
        {"nonce": "xy"},
        {"wrapped": "00" * 48},
        {"wrapped": ""},
        {"additional": 1},
    ],
    ids=str,
)
def test_a_changed_wrapped_key_is_refused(wrapped: bytes, change: dict[str, object]) -> None:
    secret = ROOT_KEY if wrapped is WRAPPED else PASSPHRASE
    with pytest.raises(StoreError, match="the wrapped key-encryption key 1 can't be used"):
        unwrap(edited(wrapped, change), secret)


def test_a_changed_check_value_is_refused() -> None:
    with pytest.raises(RootKeyError, match="expected 0000000000000000"):
        unwrap(edited(WRAPPED, {"check": "00" * 8}))


@pytest.mark.parametrize(
    "junk",
    [b"", b"\xff", b"[]", b"null", b"{}", b"[" * 100_000, WRAPPED[:-5]],
    ids=["empty", "binary", "list", "null", "no fields", "deep", "cut short"],
)
def test_what_is_no_wrapped_key_is_refused(junk: bytes) -> None:
    with pytest.raises(StoreError, match="the wrapped key-encryption key 1 can't be used"):
        unwrap(junk)


@pytest.mark.parametrize("change", [{"iterations": 2}, {"memory_kib": 9 * 1024}, {"lanes": 2}, {"salt": "00" * 16}])
def test_changed_parameters_within_bounds_give_another_key(change: dict[str, object]) -> None:
    with pytest.raises(RootKeyError, match="not this store's"):
        unwrap(edited(WRAPPED_BY_PASSPHRASE, change), PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [
        {"iterations": 0},
        {"iterations": 17},
        {"memory_kib": 8 * 1024 - 1},
        {"memory_kib": 1024 * 1024 + 1},
        {"lanes": 0},
        {"lanes": 17},
        {"salt": "00" * 8},
    ],
    ids=str,
)
def test_parameters_out_of_bounds_are_refused_before_they_cost_anything(change: dict[str, object]) -> None:
    with pytest.raises(StoreError, match="Argon2id parameters are out of bounds"):
        unwrap(edited(WRAPPED_BY_PASSPHRASE, change), PASSPHRASE)


def test_nothing_is_wrapped_that_could_not_be_unwrapped() -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        KEK.wrap(PASSPHRASE, "store", os.urandom, Argon2Parameters(iterations=0))
    with pytest.raises(RootKeyError, match="31 bytes"):
        KEK.wrap(RootSecret("key", bytes(31)), "store", os.urandom)


@pytest.mark.parametrize(
    ("wrapped", "secret"), [(WRAPPED, ROOT_KEY), (WRAPPED_BY_PASSPHRASE, PASSPHRASE)], ids=["key", "passphrase"]
)
def test_an_unwrapped_key_opens_what_was_sealed(wrapped: bytes, secret: RootSecret) -> None:
    assert unwrap(wrapped, secret).open(RECORD, CONTEXT) == PRIVATE_KEY


def test_a_passphrase_costs_what_rfc_9106_recommends_by_default() -> None:
    fields = json.loads(KEK.wrap(PASSPHRASE, "store", os.urandom))
    assert (fields["iterations"], fields["memory_kib"], fields["lanes"]) == (3, 64 * 1024, 4)
    assert len(bytes.fromhex(fields["salt"])) == 16
