"""Parts in memory behind the ports of ``signkit.ports``, for tests of the operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from signkit import algorithms
from signkit.algorithms.base import SignatureAlgorithm
from signkit.audit.entry import AuditEntry
from signkit.errors import ConflictError, StateError
from signkit.keys import states
from signkit.keys.model import Alias, BoundCertificate, Key, KeyState, KeyVersion, Permission, VersionState
from signkit.ports import NO_INTERVAL, CreatedKey

EVERYTHING = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}'
"""Permission document that allows everything."""


class MemoryProvider:
    """Private keys in a dictionary."""

    name = "memory"

    def __init__(self) -> None:
        self._private_keys: dict[bytes, bytes] = {}

    def supports(self, key_type: str) -> bool:
        return key_type in algorithms.key_types()

    def create(self, key: Key, version: KeyVersion) -> CreatedKey:
        key_type = algorithms.key_type(key.key_type)
        return self.import_key(key, version, *algorithms.family(key_type.family).generate(key_type))

    def import_key(self, key: Key, version: KeyVersion, private_key_info: bytes, public_key_info: bytes) -> CreatedKey:
        locator = version.id.encode()
        self._private_keys[locator] = private_key_info
        return CreatedKey(locator, public_key_info)

    def sign(
        self, key: Key, version: KeyVersion, algorithm: SignatureAlgorithm, *, digest: bytes = b"", message: bytes = b""
    ) -> bytes:
        family = algorithms.family(algorithms.key_type(key.key_type).family)
        private_key = family.load_private_key(self._private_keys[version.locator])
        return family.sign(private_key, algorithm, message if algorithm.digest is None else digest)


class MemoryStore:
    """A store in dictionaries.

    Attributes:
        entries: the audit log.
    """

    id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, may_everything: str = "os:alice") -> None:
        self.entries: list[AuditEntry] = []
        self._keys: dict[str, Key] = {}
        self._versions: dict[str, KeyVersion] = {}
        self._aliases: dict[str, Alias] = {}
        self._certificates: list[BoundCertificate] = []
        self._permissions = [Permission(may_everything, EVERYTHING, datetime(2025, 1, 1, tzinfo=UTC))]

    def create_key(
        self, key: Key, version: KeyVersion | None, alias: str | None, entries: Sequence[AuditEntry]
    ) -> None:
        if alias is not None:
            self.create_alias(Alias(alias, key.id, key.created_at), [])
        self._keys[key.id] = key
        if version is not None:
            self._versions[version.id] = version
        self.record(entries)

    def update_key(self, seen: Key, key: Key, entries: Sequence[AuditEntry]) -> None:
        _require_same(self._keys[key.id], seen)
        self._keys[key.id] = key
        self.record(entries)

    def delete_key(self, seen: Key, now: datetime, entries: Sequence[AuditEntry]) -> bool:
        _require_same(self._keys[seen.id], seen)
        if seen.deletion_at is None or now < seen.deletion_at:
            raise StateError(f"key {seen.id} is not due")
        self._versions = {name: one for name, one in self._versions.items() if one.key_id != seen.id}
        self._aliases = {name: alias for name, alias in self._aliases.items() if alias.key_id != seen.id}
        del self._keys[seen.id]
        self.record(entries)
        return True

    def set_version_state(self, seen: KeyVersion, state: VersionState, entries: Sequence[AuditEntry]) -> KeyVersion:
        _require_same(self._versions[seen.id], seen)
        self._versions[seen.id] = seen._replace(state=state)
        self.record(entries)
        return self._versions[seen.id]

    def destroy_version(self, seen: KeyVersion, entries: Sequence[AuditEntry]) -> bool:
        _require_same(self._versions[seen.id], seen)
        self._versions[seen.id] = seen._replace(state=VersionState.DESTROYED, locator=b"")
        self.record(entries)
        return True

    def create_version(
        self, version: KeyVersion, entries: Sequence[AuditEntry], *, minimum_interval: timedelta = NO_INTERVAL
    ) -> KeyVersion:
        states.require_interval(version, self.versions(version.key_id), minimum_interval)
        version = version._replace(number=len(self.versions(version.key_id)) + 1)
        self._versions[version.id] = version
        self.record(entries)
        return version

    def complete_version(self, version_id: str, created: CreatedKey, entries: Sequence[AuditEntry]) -> KeyVersion:
        pending = self._versions[version_id]
        version = pending._replace(
            state=VersionState.ENABLED, locator=created.locator, public_key_info=created.public_key_info
        )
        self._versions[version_id] = version
        key = self._keys[version.key_id]
        if key.state is KeyState.PENDING_IMPORT:
            self._keys[key.id] = key._replace(state=KeyState.ENABLED)
        self.record(entries)
        return version

    def abandon_version(self, version_id: str, entries: Sequence[AuditEntry]) -> None:
        version = self._versions.pop(version_id)
        if version.number == 1:
            del self._keys[version.key_id]
            self._aliases = {name: alias for name, alias in self._aliases.items() if alias.key_id != version.key_id}
        self.record(entries)

    def key(self, key_id: str) -> Key | None:
        return self._keys.get(key_id)

    def keys(self) -> list[Key]:
        return list(self._keys.values())

    def versions(self, key_id: str) -> list[KeyVersion]:
        return [version for version in self._versions.values() if version.key_id == key_id]

    def alias(self, name: str) -> Alias | None:
        return self._aliases.get(name)

    def aliases(self) -> list[Alias]:
        return [self._aliases[name] for name in sorted(self._aliases)]

    def create_alias(self, alias: Alias, entries: Sequence[AuditEntry]) -> None:
        if alias.name in self._aliases:
            raise ConflictError(f"alias '{alias.name}' exists")
        self._aliases[alias.name] = alias
        self.record(entries)

    def update_alias(self, name: str, key_id: str, entries: Sequence[AuditEntry]) -> None:
        self._aliases[name] = self._aliases[name]._replace(key_id=key_id)
        self.record(entries)

    def delete_alias(self, name: str, entries: Sequence[AuditEntry]) -> None:
        del self._aliases[name]
        self.record(entries)

    def bind_certificate(self, bound: BoundCertificate, entries: Sequence[AuditEntry]) -> None:
        self._certificates.insert(0, bound)
        self.record(entries)

    def certificates(self, version_id: str | None = None) -> list[BoundCertificate]:
        return [bound for bound in self._certificates if version_id in (None, bound.version_id)]

    def attach_permission(self, permission: Permission, entries: Sequence[AuditEntry]) -> None:
        self._permissions.append(permission)
        self.record(entries)

    def detach_permission(self, permission: Permission, entries: Sequence[AuditEntry]) -> None:
        self._permissions.remove(permission)
        self.record(entries)

    def permissions(self, principal: str | None = None) -> list[Permission]:
        return [permission for permission in self._permissions if principal in (None, permission.principal)]

    def record(self, entries: Sequence[AuditEntry]) -> int:
        self.entries += entries
        return len(self.entries) - len(entries)

    def audit_entries(self) -> list[AuditEntry]:
        return list(self.entries)


def _require_same(found: object, seen: object) -> None:
    if found != seen:
        raise StateError(f"found {found}, expected {seen}", code="Rejected.StateModifiedFailed")
