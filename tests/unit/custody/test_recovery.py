"""Recovery export: it opens with the offline private key, as the key of its own store, and in no other way."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from signkit.errors import RootKeyError, UsageError
from signkit.keys import recovery
from signkit.keys.sealing import Kek, RecordContext
from tests.support.openssl import OpenSSL
from tests.support.stores import AT, STORE_ID

SECRET = os.urandom(32)
KEK = Kek(7, SECRET)
CONTEXT = RecordContext(STORE_ID, "key", "version", 1, "EC_P256", "SIGN/VERIFY", b"public")
RECORD = KEK.seal(b"private", CONTEXT, os.urandom)
KEYS: dict[str, Any] = {
    "X25519": x25519.X25519PrivateKey.generate(),
    "ML-KEM-768": mlkem.MLKEM768PrivateKey.generate(),
    "ML-KEM-1024": mlkem.MLKEM1024PrivateKey.generate(),
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
}


def public(key: Any, encoding: Encoding = Encoding.PEM) -> bytes:
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def private(key: Any, encoding: Encoding = Encoding.PEM, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(encoding, PrivateFormat.PKCS8, protection)


EXPORT = recovery.seal(KEK, public(KEYS["X25519"]), store_id=STORE_ID, now=AT)


def opened(export: bytes, key: bytes = private(KEYS["X25519"]), store_id: str = STORE_ID) -> Kek:  # noqa: B008
    return recovery.open_export(export, key, store_id=store_id)


def edited(**fields: object) -> bytes:
    return json.dumps(json.loads(EXPORT) | fields).encode()


# Accepted


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("name", KEYS)
def test_an_export_opens_with_its_own_private_key(name: str, encoding: Encoding) -> None:
    export = recovery.seal(KEK, public(KEYS[name], encoding), store_id=STORE_ID, now=AT)
    kek = opened(export, private(KEYS[name], encoding))
    assert kek.id == 7
    assert kek.open(RECORD, CONTEXT) == b"private"
    for hidden in (SECRET, SECRET.hex().encode(), base64.b64encode(SECRET)[:40]):
        assert hidden not in export


def test_an_export_says_what_it_is() -> None:
    read = recovery.read(EXPORT)
    assert (read.store_id, read.kek_id, read.created_at) == (STORE_ID, 7, "2025-01-02T03:04:05Z")
    assert len(read.sealed) == 80
    assert EXPORT != recovery.seal(KEK, public(KEYS["X25519"]), store_id=STORE_ID, now=AT)


def test_a_private_key_may_have_a_password() -> None:
    key = private(KEYS["X25519"], password=b"offline")
    assert recovery.open_export(EXPORT, key, store_id=STORE_ID, password=b"offline").id == 7
    for password in (None, b"wrong"):
        with pytest.raises(UsageError, match="can't be read as a private key") as caught:
            recovery.open_export(EXPORT, key, store_id=STORE_ID, password=password)
        assert "password" in caught.value.hint


@pytest.mark.component("openssl")
def test_keys_that_openssl_makes(openssl: OpenSSL) -> None:
    openssl("genpkey", "-algorithm", "X25519", "-out", "recovery.key")
    openssl("pkey", "-in", "recovery.key", "-pubout", "-out", "recovery.pub")
    export = recovery.seal(KEK, (openssl.folder / "recovery.pub").read_bytes(), store_id=STORE_ID, now=AT)
    assert opened(export, (openssl.folder / "recovery.key").read_bytes()).open(RECORD, CONTEXT) == b"private"


# Refused


def test_another_private_key_is_named_as_such() -> None:
    for key in (x25519.X25519PrivateKey.generate(), KEYS["P-256"]):
        with pytest.raises(RootKeyError, match="sealed to the key [0-9a-f]{64}, found [0-9a-f]{64}"):
            opened(EXPORT, private(key))


def test_another_stores_export_is_named_as_such() -> None:
    with pytest.raises(RootKeyError, match=f"is of store {STORE_ID}, expected other"):
        opened(EXPORT, store_id="other")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "signkit-recovery/v2"},
        {"kek": 8},
        {"kek": True},
        {"kek": "7"},
        {"created_at": "2025-01-02T03:04:06Z"},
        {"sealed": ""},
        {"sealed": "=="},
        {"sealed": base64.b64encode(bytes(80)).decode()},
        {"sealed": base64.b64encode(recovery.read(EXPORT).sealed[:-1]).decode()},
        {"sealed": base64.b64encode(recovery.read(EXPORT).sealed + b"\0").decode()},
        {"more": 1},
    ],
)
def test_a_changed_export_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(RootKeyError, match="the recovery export can't be used"):
        opened(edited(**change))


def test_an_export_that_was_moved_to_another_store_or_key_is_refused() -> None:
    with pytest.raises(RootKeyError, match="it was changed"):
        opened(edited(store="other"), store_id="other")
    other = x25519.X25519PrivateKey.generate()
    moved = recovery.read(recovery.seal(KEK, public(other), store_id=STORE_ID, now=AT)).recipient
    with pytest.raises(RootKeyError, match="it was changed"):
        opened(edited(recipient=moved), private(other))


def test_every_changed_bit_of_the_sealed_key_is_refused() -> None:
    sealed = recovery.read(EXPORT).sealed
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RootKeyError, match="it was changed"):
            opened(edited(sealed=base64.b64encode(changed).decode()))


@pytest.mark.parametrize(
    "junk", [b"", b"\xff", b"[]", b"{}", b"[" * 10_000, EXPORT[:-5], bytes(70_000)], ids=map(str, range(7))
)
def test_what_is_no_export_is_refused(junk: bytes) -> None:
    with pytest.raises(RootKeyError, match="the recovery export"):
        opened(junk)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"junk",
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        private(KEYS["X25519"]),
        public(ed25519.Ed25519PrivateKey.generate()),
        public(rsa.generate_private_key(65537, 2048)),
        public(ec.generate_private_key(ec.SECP256K1())),
    ],
    ids=["empty", "junk", "nothing in it", "private", "ed25519", "rsa", "secp256k1"],
)
def test_what_is_no_recovery_key_is_refused(key: bytes) -> None:
    with pytest.raises(UsageError, match="the recovery key") as caught:
        recovery.seal(KEK, key, store_id=STORE_ID, now=AT)
    assert "openssl genpkey" in caught.value.hint


def test_a_public_key_of_low_order_is_refused() -> None:
    """Whatever is sealed to it, anybody could open (RFC 7748 section 6.1)."""
    weak = x25519.X25519PublicKey.from_public_bytes(bytes(32))
    key = weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(UsageError, match="the recovery key can't be used"):
        recovery.seal(KEK, key, store_id=STORE_ID, now=AT)
