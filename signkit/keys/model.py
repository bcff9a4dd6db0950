"""Keys, key versions, aliases and bound certificates as plain values, after Alibaba Cloud KMS.

A key is a set of numbered versions. No version is primary: every operation names one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class KeyUsage(StrEnum):
    """What a key may be used for; fixed at creation, one per key."""

    SIGN_VERIFY = "SIGN/VERIFY"
    ENCRYPT_DECRYPT = "ENCRYPT/DECRYPT"


class KeyState(StrEnum):
    """State of a key (KMS's words)."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_IMPORT = "PendingImport"
    PENDING_DELETION = "PendingDeletion"


class KeyOrigin(StrEnum):
    """Where the private keys of a key come from (KMS's words)."""

    OWN = "Aliyun_KMS"
    EXTERNAL = "EXTERNAL"


class VersionState(StrEnum):
    """State of one key version. ``PENDING`` = its number is taken, its key pair is not there yet."""

    PENDING = "pending"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DESTROYED = "destroyed"


NO_TAGS: Mapping[str, str] = MappingProxyType({})
"""The tags of a key that has none."""


class Key(NamedTuple):
    """A key, without its versions.

    Attributes:
        id: UUID; opaque, never reused.
        key_type: for example ``EC_P256`` (see ``signkit.algorithms``).
        usage: what it may be used for.
        state: state of the whole key.
        provider: name of the provider that holds the private keys, for example ``software``.
        description: free text, at most 8192 characters.
        created_at: aware UTC time.
        origin: whether its private keys were made here or imported; fixed at creation.
        deletion_at: when it may be deleted; None unless its deletion is pending.
        state_before_deletion: its state before its deletion was scheduled; None unless that is pending.
        deletion_protection: whether it can't be scheduled for deletion.
        deletion_protection_description: why it is protected, or an empty string.
        tags: tag name to value.
        policy: permission document attached to the key itself, as text; empty when there is none.
    """

    id: str
    key_type: str
    usage: KeyUsage
    state: KeyState
    provider: str
    description: str
    created_at: datetime
    origin: KeyOrigin = KeyOrigin.OWN
    deletion_at: datetime | None = None
    state_before_deletion: KeyState | None = None
    deletion_protection: bool = False
    deletion_protection_description: str = ""
    tags: Mapping[str, str] = NO_TAGS
    policy: str = ""


class KeyVersion(NamedTuple):
    """One key pair of a key: what a certificate binds to.

    Attributes:
        id: UUID of the version.
        key_id: the key it belongs to.
        number: 1, 2, 3 ... without gaps.
        state: state of this version.
        created_at: aware UTC time.
        public_key_info: DER SubjectPublicKeyInfo; empty while pending.
        locator: where the provider finds the private key; opaque to everyone else; empty while pending and once
            destroyed.
    """

    id: str
    key_id: str
    number: int
    state: VersionState
    created_at: datetime
    public_key_info: bytes
    locator: bytes


class Alias(NamedTuple):
    """A movable name for a key, ``alias/...``."""

    name: str
    key_id: str
    created_at: datetime


class BoundCertificate(NamedTuple):
    """A certificate bound to a key version, with the chain it came with.

    Attributes:
        id: lower-case hex SHA-256 of the leaf certificate.
        version_id: the key version whose public key it certifies.
        certificate: DER of the leaf.
        chain: DER of the issuing certificates, issuer of the leaf first; a self-signed one, if given, comes last.
        imported_at: aware UTC time.
        imported_by: principal that imported it.
        source: file it came from, as named by the caller.
    """

    id: str
    version_id: str
    certificate: bytes
    chain: tuple[bytes, ...]
    imported_at: datetime
    imported_by: str
    source: str


class Permission(NamedTuple):
    """A permission document attached to a principal (``signkit.keys.permissions`` reads it).

    Attributes:
        principal: for example ``os:alice``.
        document: the document as text.
        created_at: aware UTC time.
    """

    principal: str
    document: str
    created_at: datetime


class AuditKey(NamedTuple):
    """The key that signs checkpoints of the audit log.

    Attributes:
        origin: name of the log in its checkpoints, and of the key (C2SP tlog-checkpoint).
        public_key: 32 bytes of an Ed25519 public key.
        locator: its private key, sealed.
        created_at: aware UTC time.
    """

    origin: str
    public_key: bytes
    locator: bytes
    created_at: datetime
