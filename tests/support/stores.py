"""Values and stores for tests of everything that keeps something in a store."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from signkit.audit.entry import AuditEntry
from signkit.keys.model import BoundCertificate, Key, KeyState, KeyUsage, KeyVersion, VersionState
from signkit.keys.sealing import Kek, RootSecret
from signkit.ports import CreatedKey
from signkit.store.sqlite import SqliteStore, StoreIdentity

AT = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ROOT_KEY = RootSecret("key", bytes(range(32)))
STORE_ID = "5f2b1d57-7b4e-4c38-9a55-0a6b6f6f7c11"


def new_id() -> str:
    return str(uuid.uuid4())


def a_key(minutes: int = 0) -> Key:
    at = AT + timedelta(minutes=minutes)
    return Key(new_id(), "EC_P256", KeyUsage.SIGN_VERIFY, KeyState.ENABLED, "software", "for tests", at)


def a_version(key_id: str) -> KeyVersion:
    return KeyVersion(new_id(), key_id, 0, VersionState.PENDING, AT, b"", b"")


def a_certificate(version_id: str, fill: str = "a", chain: tuple[bytes, ...] = (b"issuer", b"")) -> BoundCertificate:
    return BoundCertificate(fill * 64, version_id, f"leaf {fill}".encode(), chain, AT, "os:alice", "leaf.pem")


def an_entry(action: str = "CreateKey", **fields: str | int) -> AuditEntry:
    return AuditEntry(AT, "os:alice", action, "ok", "request")._replace(**fields)


def created(fill: str = "p") -> CreatedKey:
    return CreatedKey(f"locator {fill}".encode(), f"public key {fill}".encode())


def new_sqlite_store(path: Path, *, kek: Kek | None = None, maximum_versions: int = 50) -> SqliteStore:
    """A store whose key-encryption key is sealed under ``ROOT_KEY``."""
    wrapped = (kek or Kek(1, os.urandom(32))).wrap(ROOT_KEY, STORE_ID, os.urandom)
    identity = StoreIdentity(STORE_ID, AT, "file:/nowhere/root.key")
    return SqliteStore.create(str(path), identity, {1: wrapped}, maximum_versions=maximum_versions)
