"""A store whose versions hold real private keys, sealed as the software provider seals them."""

from __future__ import annotations

import os
from pathlib import Path

from signkit import algorithms
from signkit.audit.entry import AuditEntry
from signkit.keys.model import Key, KeyVersion
from signkit.keys.sealing import Kek, RecordContext
from signkit.ports import CreatedKey
from signkit.store.sqlite import SqliteStore
from tests.support.stores import a_key, a_version, an_entry, new_sqlite_store

KEK = Kek(1, bytes(range(100, 132)))
"""The key-encryption key of these stores, also in processes of their own."""


def context(store: SqliteStore, key: Key, version: KeyVersion, public_key_info: bytes = b"") -> RecordContext:
    return RecordContext.of(store.id, key, version, public_key_info or version.public_key_info)


def new_sealed_store(path: Path) -> SqliteStore:
    return new_sqlite_store(path, kek=KEK)


def complete(store: SqliteStore, key: Key, version: KeyVersion, entries: list[AuditEntry]) -> tuple[KeyVersion, bytes]:
    """Make the key pair of a pending version; also returns the private key in the clear."""
    key_type = algorithms.key_type(key.key_type)
    private, public = algorithms.family(key_type.family).generate(key_type)
    record = KEK.seal(private, context(store, key, version, public), os.urandom)
    return store.complete_version(version.id, CreatedKey(record, public), entries), private


def add_key(store: SqliteStore, key_type: str = "EC_P256", alias: str | None = None) -> tuple[Key, KeyVersion, bytes]:
    """A key with one version; also returns the private key in the clear."""
    key = a_key()._replace(key_type=key_type)
    version = a_version(key.id)._replace(number=1)
    store.create_key(key, version, alias, [an_entry("CreateKey")])
    return key, *complete(store, key, version, [])


def add_version(store: SqliteStore, key: Key) -> tuple[KeyVersion, bytes]:
    """The next version of a key; also returns the private key in the clear."""
    return complete(store, key, store.create_version(a_version(key.id), []), [an_entry("CreateKeyVersion")])


def opener(store: SqliteStore) -> object:
    """Opens sealed records, for ``check``."""
    return lambda key, version: KEK.open(version.locator, context(store, key, version))


def on_disk(path: Path) -> bytes:
    """Everything in the files of a store."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()) if file.name.startswith(path.name))


def contains(content: bytes, secret: bytes, window: int = 16) -> bool:
    """Whether any part of a secret of ``window`` bytes is in the content."""
    return any(secret[start : start + window] in content for start in range(len(secret) - window + 1))
