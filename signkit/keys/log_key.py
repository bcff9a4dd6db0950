"""The key of the audit log as a key version, so that a provider makes, seals and uses it as it does any other.

It is in no list of keys, no reference names it, and it signs nothing but checkpoints: its id is no UUID, and its record
is bound to that id and to the name of the log.
"""

from __future__ import annotations

from datetime import datetime

from signkit.algorithms import ed25519
from signkit.keys.model import AuditKey, Key, KeyState, KeyUsage, KeyVersion, VersionState

ID = "audit-log"
"""Id of the key, and of its one version the name in messages: ``audit-log@1``."""


def pending(origin: str, created_at: datetime, provider: str) -> tuple[Key, KeyVersion]:
    """The key of a log, to be made.

    Args:
        origin: name of the log.
        created_at: aware UTC time.
        provider: name of the provider that makes it.
    """
    key = Key(ID, "ED25519", KeyUsage.SIGN_VERIFY, KeyState.ENABLED, provider, "", created_at)
    return key, KeyVersion(origin, ID, 1, VersionState.PENDING, created_at, b"", b"")


def made(origin: str, created_at: datetime, public_key_info: bytes, locator: bytes) -> AuditKey:
    """What the store keeps of a key that a provider has made."""
    return AuditKey(origin, public_key_info[-ed25519.PUBLIC_KEY_SIZE :], locator, created_at)


def as_version(key: AuditKey, provider: str = "software") -> tuple[Key, KeyVersion]:
    """The key of a log as the provider knows it."""
    owner, version = pending(key.origin, key.created_at, provider)
    info = ed25519.public_key_info(key.public_key)
    return owner, version._replace(state=VersionState.ENABLED, public_key_info=info, locator=key.locator)
