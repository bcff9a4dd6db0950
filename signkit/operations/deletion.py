"""Carries out the deletions that are due. Nothing runs in the background: the next operation on the store does it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime

from signkit.audit.entry import AuditEntry
from signkit.errors import SignkitError
from signkit.keys.model import Key, VersionState
from signkit.operations.access import SYSTEM
from signkit.operations.refusals import require_provider
from signkit.ports import Clock, Provider, Store


class Deletion:
    """Deletes keys whose time has come, on behalf of the system: whoever scheduled it was asked then."""

    def __init__(
        self, store: Store, providers: Mapping[str, Provider], *, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        """Take the parts; nothing is opened here."""
        self._store = store
        self._providers = providers
        self._clock = clock
        self._new_id = new_id

    def carry_out(self) -> None:
        """Delete for good what is due. What can't be deleted now stays pending, and is tried again next time.

        A key that is due is no longer of any use, so that an operation need not wait or fail for it; ``signkit doctor``
        names those that are still there.
        """
        now = self._clock()
        for key in self._store.due_keys(now):
            with contextlib.suppress(SignkitError):
                self._delete(key, now)

    def _delete(self, key: Key, now: datetime) -> None:
        """Private keys first: a provider that fails is asked again, while a key that is forgotten never would be."""
        provider = require_provider(self._providers, key.provider)
        for version in self._store.versions(key.id):
            if version.state in (VersionState.ENABLED, VersionState.DISABLED):
                provider.destroy(key, version)
        entry = AuditEntry(now, SYSTEM, "DeleteKey", "ok", self._new_id(), key.id)
        self._store.delete_key(key, now, [entry])
