"""Recovery export: the key-encryption key of a store, sealed to an offline public key by HPKE (RFC 9180).

It is for the day on which the root key is lost. The private key that opens it belongs on another machine, best on none.

::

    export = JSON: format, store, kek (its number), created_at, recipient (SHA-256 of the public key), sealed
    sealed = HPKE base mode, encapsulated key and ciphertext; info = all other fields as JSON, sorted, without spaces

So an export opens only with its own private key and only as the key of its own store. Whoever holds both the export's
private key and a copy of the store has every private key in it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from signkit.errors import RootKeyError, UsageError
from signkit.keys.sealing import Kek

MAXIMUM_SIZE = 1 << 16
"""Most bytes of an export that is read."""

_FORMAT = "signkit-recovery/v1"
_FIELDS = {"format": str, "store": str, "kek": int, "created_at": str, "recipient": str, "sealed": str}
_KEYS = "X25519, ML-KEM-768, ML-KEM-1024, P-256, P-384 or P-521"
_MAKE_ONE = (
    "openssl genpkey -algorithm X25519 -out recovery.key; openssl pkey -in recovery.key -pubout -out recovery.pub"
)

_SUITES: tuple[tuple[type, type, KEM, KDF], ...] = (
    (x25519.X25519PublicKey, x25519.X25519PrivateKey, KEM.X25519, KDF.HKDF_SHA256),
    (mlkem.MLKEM768PublicKey, mlkem.MLKEM768PrivateKey, KEM.MLKEM768, KDF.HKDF_SHA256),
    (mlkem.MLKEM1024PublicKey, mlkem.MLKEM1024PrivateKey, KEM.MLKEM1024, KDF.HKDF_SHA512),
)
_CURVES: Mapping[str, tuple[KEM, KDF]] = {
    "secp256r1": (KEM.P256, KDF.HKDF_SHA256),
    "secp384r1": (KEM.P384, KDF.HKDF_SHA384),
    "secp521r1": (KEM.P521, KDF.HKDF_SHA512),
}


class Export(NamedTuple):
    """What a recovery export says about itself; all of it is authenticated when it is opened, nothing before.

    Attributes:
        store_id: UUID of the store.
        kek_id: number of the key-encryption key.
        created_at: aware UTC time, as text.
        recipient: lower-case hex SHA-256 of the DER SubjectPublicKeyInfo that it is sealed to.
        sealed: HPKE's encapsulated key and ciphertext.
    """

    store_id: str
    kek_id: int
    created_at: str
    recipient: str
    sealed: bytes


def seal(kek: Kek, public_key: bytes, *, store_id: str, now: datetime) -> bytes:
    """A recovery export of a key-encryption key (JSON); it differs each time, since HPKE draws a key for each.

    Args:
        kek: the key.
        public_key: SubjectPublicKeyInfo of the offline key, PEM or DER.
        store_id: UUID of the store the key belongs to.
        now: the present.

    Raises:
        UsageError: not a public key, or of a type that HPKE does not know.
    """
    recipient = _load_public_key(public_key)
    at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    export = Export(store_id, kek.id, at, _fingerprint(recipient), b"")
    suite = _suite(recipient)
    try:
        sealed = kek.export(lambda key: suite.encrypt(key, recipient, info=_info(export)))
    except ValueError as error:
        raise UsageError(f"the recovery key can't be used: {error}", hint=_MAKE_ONE) from error
    return _write(export._replace(sealed=sealed))


def read(data: bytes) -> Export:
    """What a recovery export says about itself.

    Raises:
        RootKeyError: it is not one.
    """
    if len(data) > MAXIMUM_SIZE:
        raise RootKeyError(f"the recovery export has {len(data)} bytes, expected at most {MAXIMUM_SIZE}")
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        raise _unusable("it is not JSON") from None
    if not isinstance(fields, dict) or {name: type(value) for name, value in fields.items()} != _FIELDS:
        raise _unusable(f"expected the fields {', '.join(_FIELDS)}")
    if fields["format"] != _FORMAT:
        raise _unusable(f"found the format '{fields['format']}', expected {_FORMAT}")
    try:
        sealed = base64.b64decode(fields["sealed"], validate=True)
    except (binascii.Error, ValueError):
        raise _unusable("its sealed key is not base64") from None
    return Export(fields["store"], fields["kek"], fields["created_at"], fields["recipient"], sealed)


def open_export(data: bytes, private_key: bytes, *, store_id: str, password: bytes | None = None) -> Kek:
    """The key-encryption key again.

    Args:
        data: what ``seal`` made.
        private_key: the offline private key, PKCS #8 in PEM or DER.
        store_id: UUID of the store it must be for.
        password: password of the private key's file, None when it has none.

    Raises:
        UsageError: not a private key, of a type that HPKE does not know, or the password is not its own.
        RootKeyError: the export is damaged, another store's, or sealed to another key.
    """
    export = read(data)
    if export.store_id != store_id:
        raise RootKeyError(f"the recovery export is of store {export.store_id}, expected {store_id}")
    key = _load_private_key(private_key, password)
    found = _fingerprint(key.public_key())
    if found != export.recipient:
        raise RootKeyError(f"the recovery export is sealed to the key {export.recipient}, found {found}")
    try:
        return Kek(export.kek_id, _suite(key).decrypt(export.sealed, key, info=_info(export)))
    except (InvalidTag, ValueError):
        raise _unusable("it was changed") from None


def _write(export: Export) -> bytes:
    fields = {**_described(export), "sealed": base64.b64encode(export.sealed).decode()}
    return json.dumps(fields, indent=1).encode() + b"\n"


def _described(export: Export) -> dict[str, str | int]:
    return {
        "format": _FORMAT,
        "store": export.store_id,
        "kek": export.kek_id,
        "created_at": export.created_at,
        "recipient": export.recipient,
    }


def _info(export: Export) -> bytes:
    return json.dumps(_described(export), sort_keys=True, separators=(",", ":")).encode()


def _suite(key: Any) -> Suite:
    """The HPKE suite of a key; AES-256-GCM always."""
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return Suite(*_CURVES[key.curve.name], AEAD.AES_256_GCM)
    for public, private, kem, kdf in _SUITES:
        if isinstance(key, public | private):
            return Suite(kem, kdf, AEAD.AES_256_GCM)
    raise UsageError(f"the recovery key is of an unknown type: expected {_KEYS}", hint=_MAKE_ONE)


def _load_public_key(data: bytes) -> Any:
    load = (
        serialization.load_pem_public_key if data.lstrip().startswith(b"-----") else serialization.load_der_public_key
    )
    try:
        return load(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = f"expected a public key in PEM or DER: {_KEYS}. {_MAKE_ONE}"
        raise UsageError("the recovery key can't be read as a public key", hint=hint) from error


def _load_private_key(data: bytes, password: bytes | None) -> Any:
    pem = data.lstrip().startswith(b"-----")
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    try:
        return load(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(
            "the recovery key can't be read as a private key",
            hint="expected PKCS #8 in PEM or DER, and its password when it has one",
        ) from error


def _fingerprint(public_key: Any) -> str:
    der = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(der).hexdigest()


def _unusable(reason: str) -> RootKeyError:
    return RootKeyError(f"the recovery export can't be used: {reason}", hint="use another copy of it")
