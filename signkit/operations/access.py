"""Who may do what, and the record of it: every operation that uses or changes a key goes through here.

The order is KMS's (``reference`` in ``docs/key-service.md``): the key must exist, then permission, then state, then the
rest. An operation that is refused leaves an entry in the audit log with its error code; one that is carried out leaves
its entry in the same transaction as what it changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from signkit.audit.entry import AuditEntry
from signkit.errors import AccessDeniedError, SignkitError
from signkit.keys import permissions
from signkit.keys.model import Key
from signkit.keys.permissions import Decision, Document
from signkit.ports import Clock, Store


class Access:
    """The caller of a service: its permission documents and its entries in the audit log."""

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

    def entry(self, action: str, key_id: str = "", version: int = 0, *, algorithm: str = "", detail: str = "") -> AuditEntry:
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

    def require(self, action: str, key: Key | None, *, tags: Mapping[str, str], algorithm: str = "") -> None:
        """Refuse unless the caller's documents allow the action on the key (None = on keys in general).

        Raises:
            AccessDeniedError: no document allows it, or one denies it.
        """
        decision = self.decide(self.principal, action, key, tags=tags, algorithm=algorithm)
        if not decision.allowed:
            raise AccessDeniedError(
                f"{self.principal} may not {action} on {f'key {key.id}' if key else 'keys'}: {decision.explanation}",
                hint=f"'signkit permission simulate {self.principal} {action} {key.id if key else 'KEY'}' explains it",
            )

    def decide(
        self, principal: str, action: str, key: Key | None, *, tags: Mapping[str, str], algorithm: str = ""
    ) -> Decision:
        """What the permission documents of a principal say of an action."""
        resource = permissions.resource(self._store.id, "key", key.id if key else "")
        context = {"acs:CurrentTime": f"{self.clock():%Y-%m-%dT%H:%M:%SZ}", "acs:SourceIp": "127.0.0.1"}
        context |= {f"kms:tag/{name}": value for name, value in tags.items()}
        if algorithm:
            context["kms:Algorithm"] = algorithm
        return permissions.decide(self._documents(principal), f"kms:{action}", [resource], context)
