"""A key service over parts in memory, for tests of the operations."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from signkit import algorithms
from signkit.algorithms import digests
from signkit.keys import permissions
from signkit.keys.model import Key, KeyState, KeyVersion, Permission, VersionState
from signkit.keys.reference import KeyReference, parse_key, parse_key_version
from signkit.operations.keys import KeyService
from signkit.operations.use import SignInput
from tests.support import pki
from tests.support.fakes import MemoryProvider, MemoryStore

ECDSA = algorithms.signature_algorithm("EC_P256")
DIGEST = digests.digest("sha256", b"artifact")
RELEASE = parse_key("alias/release")
RELEASE_1 = parse_key_version("alias/release@1")


class Clock:
    """A clock that stands still until it is moved."""

    now = pki.NOW

    def __call__(self) -> datetime:
        return self.now


class House:
    """A key service for ``os:alice``, who may do everything, with ``alias/release`` of one version."""

    def __init__(
        self, store: MemoryStore | None = None, provider: MemoryProvider | None = None, **settings: int
    ) -> None:
        self.store, self.provider, self.clock = store or MemoryStore(), provider or MemoryProvider(), Clock()
        self._numbers = count(1)
        self._settings = settings
        self.keys = self.service("os:alice")
        self.key, self.version = self.keys.create_key("EC_P256", alias="alias/release", provider="memory")

    def service(self, principal: str, *, source: str = "") -> KeyService:
        """The same key service for somebody else."""
        return KeyService(
            self.store,
            {"memory": self.provider},
            clock=self.clock,
            new_id=lambda: f"00000000-0000-4000-8000-{next(self._numbers):012}",
            principal=principal,
            source=source,
            **self._settings,
        )

    def allow(self, principal: str, role: str, *resources: str) -> None:
        """Attach a ready-made document without a record."""
        self.attach(principal, permissions.ready_made(role, resources or ("*",)))

    def attach(self, principal: str, document: str) -> None:
        """Attach a document without a record."""
        self.store.attach_permission(Permission(principal, document, self.clock()), [])

    def actions(self) -> list[tuple[str, str]]:
        """Actions and results on record, in order."""
        return [(entry.action, entry.result) for entry in self.store.entries]

    def set_states(self, key: KeyState = KeyState.ENABLED, version: VersionState = VersionState.ENABLED) -> None:
        """Put key and version into states, past all rules."""
        self.store._keys[self.key.id] = self.key._replace(state=key)
        self.store._versions[self.version.id] = self.version._replace(state=version)

    def now(self) -> tuple[Key, KeyVersion]:
        """Key and version as they are in the store."""
        return self.store._keys[self.key.id], self.store._versions[self.version.id]

    def sign(self, *data: bytes, reference: KeyReference = RELEASE_1) -> list[bytes]:
        """Sign digests."""
        inputs = [SignInput(one, b"\x01" * 32, "app.bin") for one in data or (DIGEST,)]
        return self.keys.use.sign(reference, ECDSA.name, inputs)
