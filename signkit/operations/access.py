"""Who may do what, and the record of it: every operation that uses or changes a key goes through here.

An operation that is refused leaves an entry in the audit log with its error code; one that is carried out leaves its
entry in the same transaction as what it changed. Looking at keys (list, show) is authorised too; only refusals of it
are recorded, so that a store can be read where it can't be written. The order of checks is that of ``keys.states``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from signkit.audit.entry import AuditEntry
from signkit.errors import AccessDeniedError, SignkitError
from signkit.keys import conditions, permissions
from signkit.keys.model import Key
from signkit.keys.permissions import Decision, Document
from signkit.ports import Clock, Store


class Access:
    """The caller of a service: permission documents, and entries for the audit log."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        principal: str,
        documents: Callable[[str], Sequence[Document]],
    ) -> None:
        """Take the parts; nothing is read yet.

        Args:
            store: where entries go.
            clock: the present.
            new_id: makes UUIDs.
            principal: who asks, for example ``os:alice``.
            documents: gives the permission documents of a principal.
        """
        self._store = store
        self._documents = documents
        self.clock = clock
        self.new_id = new_id
        self.principal = principal

    def entry(
        self, action: str, key_id: str = "", version: int = 0, *, algorithm: str = "", detail: str = ""
    ) -> AuditEntry:
        """An entry for an operation that is carried out now."""
        return AuditEntry(
            at=self.clock(),
            principal=self.principal,
            action=action,
            result="ok",
            request_id=self.new_id(),
            key_id=key_id,
            version=version,
            algorithm=algorithm,
            detail=detail,
        )

    @contextlib.contextmanager
    def recorded(self, entry: AuditEntry) -> Iterator[AuditEntry]:
        """Carry out an operation; when it is refused, record that with the error's code."""
        try:
            yield entry
        except SignkitError as error:
            with contextlib.suppress(SignkitError):  # the refusal itself must reach the caller, also from a full disk
                self._store.record([entry._replace(result=error.code)])
            raise

    def require(self, action: str, key: Key | None = None, *, alias: str = "", algorithm: str = "") -> None:
        """Refuse unless the caller's documents allow an action.

        Args:
            action: for example ``AsymmetricSign``.
            key: the key; None for making and listing keys.
            alias: the alias that is made, moved or taken away.
            algorithm: the algorithm that is asked for.

        Raises:
            AccessDeniedError: no document allows it, or one denies it.
        """
        decision = self.decide(self.principal, action, key, alias=alias, algorithm=algorithm)
        if not decision.allowed:
            on = key.id if key is not None else "KEY"
            raise AccessDeniedError(
                f"{self.principal} may not {action}: {decision.explanation}",
                hint=f"'signkit permission simulate {self.principal} {action} {on}' explains it",
            )

    def decide(
        self, principal: str, action: str, key: Key | None = None, *, alias: str = "", algorithm: str = ""
    ) -> Decision:
        """What the permission documents of a principal say of an action; arguments as for ``require``."""
        wanted = permissions.resources(action, self._store.id, key_id=key.id if key else "", alias=alias)
        tags = key.tags if key is not None else {}
        context = conditions.context(self.clock(), tags=tags, algorithm=algorithm)
        return permissions.decide(self._documents(principal), action, wanted, context, principal=principal)
