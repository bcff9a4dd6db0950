"""How secrets are sealed at rest: root key -> key-encryption key (KEK) -> one record for each key version.

::

    record      = "SKE2" | KEK id (4, big-endian) | nonce (12) | AES-256-GCM(private key) with its tag (16)
    record key  = HKDF-SHA256(KEK, info = context)             a key of its own for each record
    context     = store, key, version id and number, key type, usage, SubjectPublicKeyInfo, KEK id; also the associated
                  data. Records "SKE1" of stores of format 1 and 2 are bound to the same but the usage.

    wrapped KEK = JSON header | nonce | AES-256-GCM(KEK); the header is the associated data
    wrapping key = HKDF-SHA256(secret, info = header); secret = 32 bytes of root key, or Argon2id(passphrase)

So a record opens only in its own place, and a store only with its own root key. This protects a stolen database or
backup. It does not protect against whoever holds the root key, and it can't show that a whole store was rolled back.
Python can't wipe ``bytes``: secrets stay in the memory of the process until it ends.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signkit.errors import RootKeyError, StoreError

if TYPE_CHECKING:
    from signkit.keys.model import Key, KeyVersion

Random = Callable[[int], bytes]
"""Gives that many bytes fit for keys, for example ``secrets.token_bytes``."""

KEY_SIZE = 32
"""Bytes of a root key and of a key-encryption key."""

_MAGIC, _MAGIC_WITHOUT_USAGE = b"SKE2", b"SKE1"
_NONCE_SIZE, _TAG_SIZE, _SALT_SIZE, _CHECK_SIZE = 12, 16, 16, 8
_RECORD_HEADER = struct.Struct(">4sI12s")
_WRAP_FORMAT = 1
_KEY_FIELDS = {"format": int, "store": str, "kek": int, "scheme": str, "check": str, "nonce": str, "wrapped": str}
_ARGON2_FIELDS = {"iterations": int, "memory_kib": int, "lanes": int, "salt": str}
_FROM_BACKUP = "restore the store from a backup"


class RootSecret(NamedTuple):
    """What a root-key source yields.

    Attributes:
        kind: ``key`` for a random key of 32 bytes, ``passphrase`` for what a human chose.
        value: the key, or the passphrase as UTF-8; never shown by ``repr``.
    """

    kind: Literal["key", "passphrase"]
    value: bytes

    def __repr__(self) -> str:
        return f"RootSecret(kind={self.kind!r})"


class Argon2Parameters(NamedTuple):
    """Cost of turning a passphrase into a key with Argon2id (RFC 9106).

    Attributes:
        iterations: passes over the memory, 1 to 16.
        memory_kib: memory in KiB, 8 MiB to 1 GiB.
        lanes: degree of parallelism, 1 to 16.
    """

    iterations: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4

    @property
    def acceptable(self) -> bool:
        """Whether all three are within bounds: neither too cheap to resist guessing nor too dear to run."""
        return 1 <= self.iterations <= 16 and 8 * 1024 <= self.memory_kib <= 1024 * 1024 and 1 <= self.lanes <= 16


DEFAULT_COST = Argon2Parameters()
"""RFC 9106's second recommended choice: 3 passes over 64 MiB in 4 lanes, about a quarter of a second."""


class RecordContext(NamedTuple):
    """Where a sealed record belongs. It opens nowhere else.

    Attributes:
        store_id: UUID of the store.
        key_id: UUID of the key.
        version_id: UUID of the key version.
        number: number of the key version.
        key_type: for example ``EC_P256``.
        usage: what the key may be used for (``signkit.keys.model.KeyUsage``).
        public_key_info: DER SubjectPublicKeyInfo that belongs to the private key.
    """

    store_id: str
    key_id: str
    version_id: str
    number: int
    key_type: str
    usage: str
    public_key_info: bytes

    @classmethod
    def of(cls, store_id: str, key: Key, version: KeyVersion, public_key_info: bytes) -> RecordContext:
        """The place of a version's private key; its public key is apart, since a pending version has none yet."""
        return cls(store_id, key.id, version.id, version.number, key.key_type, key.usage, public_key_info)


class Kek:
    """A key-encryption key. It seals and opens records; it can't be shown, copied or pickled.

    Attributes:
        id: number of this key-encryption key in its store, from 1.
    """

    __slots__ = ("_key", "id")

    def __init__(self, kek_id: int, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError(f"a key-encryption key has {KEY_SIZE} bytes, found {len(key)}")
        self.id = kek_id
        self._key = key

    def __repr__(self) -> str:
        return f"Kek(id={self.id})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key-encryption key can't be pickled or copied")

    def seal(self, plaintext: bytes, context: RecordContext, random: Random) -> bytes:
        """A record that opens only with this key and in this context."""
        associated = _record_context(_MAGIC, context, self.id)
        nonce = random(_NONCE_SIZE)
        sealed = AESGCM(_derive(self._key, associated)).encrypt(nonce, plaintext, associated)
        return _RECORD_HEADER.pack(_MAGIC, self.id, nonce) + sealed

    def open(self, record: bytes, context: RecordContext) -> bytes:
        """What was sealed.

        Raises:
            StoreError: the record was made for another place or by another key, was changed, or is cut short.
        """
        name = f"the sealed private key of {context.key_id}@{context.number}"
        if len(record) < _RECORD_HEADER.size + _TAG_SIZE or not is_record(record):
            raise StoreError(
                f"{name} is no sealed record: found {len(record)} bytes that begin with '{record[:4].hex()}', "
                f"expected {_RECORD_HEADER.size + _TAG_SIZE} or more that begin with '{_MAGIC.hex()}'",
                hint=_FROM_BACKUP,
            )
        magic, kek_id, nonce = _RECORD_HEADER.unpack_from(record)
        if kek_id != self.id:
            raise StoreError(f"{name} names key-encryption key {kek_id}, expected {self.id}", hint=_FROM_BACKUP)
        associated = _record_context(magic, context, self.id)
        try:
            return AESGCM(_derive(self._key, associated)).decrypt(nonce, record[_RECORD_HEADER.size :], associated)
        except InvalidTag:
            raise StoreError(f"{name} does not belong there or was changed", hint=_FROM_BACKUP) from None

    def wrap(self, secret: RootSecret, store_id: str, random: Random, cost: Argon2Parameters = DEFAULT_COST) -> bytes:
        """This key under a root key or passphrase, to be kept in the store (JSON; holds no secret in the clear).

        Args:
            secret: what the root-key source yields.
            store_id: UUID of the store the key is for.
            random: source of the salt and the nonce.
            cost: for a passphrase, what it costs to try one.

        Raises:
            RootKeyError: the root key has another size than 32 bytes.
            ValueError: the cost is out of bounds; such a key could not be unwrapped.
        """
        if not cost.acceptable:
            raise ValueError(f"Argon2id parameters out of bounds: {cost}")
        header: dict[str, str | int] = {"format": _WRAP_FORMAT, "store": store_id, "kek": self.id, "scheme": "key"}
        if secret.kind == "passphrase":
            header |= {"scheme": "argon2id", "salt": random(_SALT_SIZE).hex(), **cost._asdict()}
        root_key = _root_key(secret, header)
        header["check"] = root_key_check(root_key)
        associated = _canonical("wrapped-kek", header)
        nonce = random(_NONCE_SIZE)
        wrapped = AESGCM(_derive(root_key, associated)).encrypt(nonce, self._key, associated)
        return json.dumps({**header, "nonce": nonce.hex(), "wrapped": wrapped.hex()}, sort_keys=True).encode()

    def export(self, seal: Callable[[bytes], bytes]) -> bytes:
        """What ``seal`` makes of the key: for ``signkit.keys.recovery``, the one place where it leaves the store."""
        return seal(self._key)

    @classmethod
    def unwrap(cls, wrapped: bytes, secret: RootSecret, *, store_id: str, kek_id: int) -> Kek:
        """The key again.

        Args:
            wrapped: what ``wrap`` made.
            secret: what the root-key source yields.
            store_id: UUID of the store it was found in.
            kek_id: number under which it was found.

        Raises:
            RootKeyError: the root key or passphrase is not this store's.
            StoreError: the wrapped key is damaged, another store's, or of a format or cost that is not accepted.
        """
        fields = _parse_wrapped(wrapped, store_id, kek_id)
        nonce, sealed = _from_hex(fields.pop("nonce"), kek_id), _from_hex(fields.pop("wrapped"), kek_id)
        root_key = _root_key(secret, fields)
        found, expected = root_key_check(root_key), str(fields["check"])
        if found != expected:
            raise _foreign_root_key(secret, found, expected)
        associated = _canonical("wrapped-kek", fields)
        try:
            return cls(kek_id, AESGCM(_derive(root_key, associated)).decrypt(nonce, sealed, associated))
        except (InvalidTag, ValueError):
            raise _damaged(kek_id, "it was changed") from None


def root_key_check(root_key: bytes) -> str:
    """Fingerprint of a root key as 16 hex digits; it tells two keys apart and reveals nothing of a random one."""
    return _derive(root_key, b"signkit/root-key-check/v1", _CHECK_SIZE).hex()


def _root_key(secret: RootSecret, header: Mapping[str, Any]) -> bytes:
    """The 32 bytes behind a secret: itself, or the passphrase through Argon2id with the header's parameters."""
    expected = "passphrase" if header["scheme"] == "argon2id" else "key"
    if secret.kind != expected:
        names = {"key": "a root key", "passphrase": "a passphrase"}
        raise RootKeyError(
            f"the store is sealed under {names[expected]}, found {names[secret.kind]}",
            hint="use the root-key source that the store was made with",
        )
    if secret.kind == "key":
        if len(secret.value) != KEY_SIZE:
            raise RootKeyError(f"the root key has {len(secret.value)} bytes, expected {KEY_SIZE}")
        return secret.value
    kdf = Argon2id(
        salt=bytes.fromhex(header["salt"]),
        length=KEY_SIZE,
        iterations=header["iterations"],
        lanes=header["lanes"],
        memory_cost=header["memory_kib"],
    )
    return kdf.derive(secret.value)


def _parse_wrapped(wrapped: bytes, store_id: str, kek_id: int) -> dict[str, Any]:
    """The fields of a wrapped key, checked as far as they can be without the root key."""
    try:
        fields = json.loads(wrapped)
    except (ValueError, RecursionError):
        raise _damaged(kek_id, "it is not JSON") from None
    if not isinstance(fields, dict) or fields.get("format") != _WRAP_FORMAT:
        raise _damaged(kek_id, f"it is not of format {_WRAP_FORMAT}")
    known = _KEY_FIELDS | _ARGON2_FIELDS if fields.get("scheme") == "argon2id" else _KEY_FIELDS
    if {name: type(value) for name, value in fields.items()} != known:
        raise _damaged(kek_id, f"expected the fields {', '.join(sorted(known))}")
    if fields["scheme"] not in ("key", "argon2id"):
        raise _damaged(kek_id, f"found scheme '{fields['scheme']}', expected key or argon2id")
    if (fields["store"], fields["kek"]) != (store_id, kek_id):
        raise _damaged(kek_id, f"it is number {fields['kek']} of store {fields['store']}, expected store {store_id}")
    if fields["scheme"] == "argon2id":
        cost = Argon2Parameters(fields["iterations"], fields["memory_kib"], fields["lanes"])
        if not cost.acceptable or len(_from_hex(fields["salt"], kek_id)) != _SALT_SIZE:
            raise _damaged(kek_id, f"its Argon2id parameters are out of bounds: {cost}")
    return fields


def _from_hex(text: str, kek_id: int) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _damaged(kek_id, "a field is not hexadecimal") from None


def _damaged(kek_id: int, reason: str) -> StoreError:
    return StoreError(f"the wrapped key-encryption key {kek_id} can't be used: {reason}", hint=_FROM_BACKUP)


def _foreign_root_key(secret: RootSecret, found: str, expected: str) -> RootKeyError:
    if secret.kind == "passphrase":
        return RootKeyError("the passphrase is not this store's", hint="try again; there is no way around it")
    return RootKeyError(
        f"the root key is not this store's: found fingerprint {found}, expected {expected}",
        hint="use the root key that the store was made with; the store can't be opened without it",
    )


def is_record(data: bytes) -> bool:
    """Whether it looks like a sealed record."""
    return data[: len(_MAGIC)] in (_MAGIC, _MAGIC_WITHOUT_USAGE)


def binds_usage(record: bytes) -> bool:
    """Whether a record is bound to the usage of its key, as all are that a store of format 3 has sealed."""
    return record.startswith(_MAGIC)


def _record_context(magic: bytes, context: RecordContext, kek_id: int) -> bytes:
    fields = {**context._asdict(), "kek": kek_id}
    if magic == _MAGIC_WITHOUT_USAGE:
        del fields["usage"]
    return _canonical("record", fields)


def _canonical(purpose: str, fields: Mapping[str, str | int | bytes]) -> bytes:
    """Fields as bytes, so that different ones never give the same: sorted by name, each part behind its length."""
    parts = [b"signkit", purpose.encode(), b"v1"]
    for name in sorted(fields):
        value = fields[name]
        parts += [name.encode(), value if isinstance(value, bytes) else str(value).encode()]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _derive(key: bytes, info: bytes, length: int = KEY_SIZE) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt: the input is a uniformly random key already."""
    return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(key)
