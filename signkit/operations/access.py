"""Who may do what: every operation of the key service is one attempt, authorised here and on record either way.

The order of checks is that of ``signkit.keys.states``: an operation finds the key, asks here, and only then looks at
usage, state and versions. So who has no permission learns nothing of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from signkit.audit.entry import AuditEntry
from signkit.errors import AccessDeniedError, ConfigurationError, SignkitError
from signkit.keys import conditions, permissions
from signkit.keys.model import Key, Permission
from signkit.keys.permissions import Decision, Document, Outcome
from signkit.ports import Clock, Store

SYSTEM = "system"
"""Principal of what the key service does of its own accord."""
_DEFECT = "InternalFailure"


class Access:
    """The door to one store for one principal.

    Attributes:
        store: the store.
        clock: the present.
        new_id: makes UUIDs.
        principal: who asks, for example ``os:alice``.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        principal: str,
        source: str = "",
        before: Callable[[], None] | None = None,
    ) -> None:
        """Take the parts; nothing is opened here.

        Args:
            store: what is asked for, and where permission documents and the audit log are.
            clock: the present.
            new_id: makes UUIDs.
            principal: who asks.
            source: address of who asks; empty = this machine.
            before: called before each attempt that is no dry run.
        """
        self.store, self.clock, self.new_id, self.principal = store, clock, new_id, principal
        self._source = source
        self._before = before
        self._read: dict[tuple[str, str], Document] = {}

    def attempt(
        self,
        action: str,
        *,
        dry_run: bool = False,
        version: int = 0,
        algorithm: str = "",
        digest_hex: str = "",
        detail: str = "",
    ) -> Attempt:
        """An operation that begins now; a context manager.

        Args:
            action: one of ``permissions.ACTIONS``.
            dry_run: whether nothing is changed; then nothing is recorded either.
            version: number of the key version concerned, or 0; this and what follows is for the audit log.
            algorithm: algorithm that was asked for.
            digest_hex: lower-case hex digest of the input.
            detail: short free text, never a secret.
        """
        if action not in permissions.ACTIONS:
            raise ValueError(f"no such action: {action}")
        entry = AuditEntry(self.clock(), self.principal, action, "ok", self.new_id())
        entry = entry._replace(version=version, algorithm=algorithm, digest_hex=digest_hex, detail=recordable(detail))
        return Attempt(self, entry, None if dry_run else self._before, dry_run=dry_run)

    def decide(
        self,
        action: str,
        key: Key | None = None,
        *,
        alias: str = "",
        about: str = "",
        algorithm: str = "",
        at: datetime | None = None,
        principal: str | None = None,
        source: str | None = None,
    ) -> Decision:
        """Whether a principal may do something; nothing is recorded. Documents are read anew each time.

        Args:
            action: one of ``permissions.ACTIONS``.
            key: the key it is about, if it is about one.
            alias: the alias that is made, moved or taken away.
            about: the principal whose permissions it is about.
            algorithm: algorithm that is asked for.
            at: when; None = now.
            principal: who; None = the one this is for.
            source: from which address; None = the one this is for.

        Raises:
            AccessDeniedError: a permission document in the store can't be read.
        """
        who = self.principal if principal is None else principal
        names = permissions.resources(action, self.store.id, key_id=key.id if key else "", alias=alias, about=about)
        carried = conditions.context(
            at or self.clock(),
            source=self._source if source is None else source,
            tags=key.tags if key else {},
            algorithm=algorithm,
        )
        return permissions.decide(self.documents(who, key), action, names, carried, principal=who)

    def documents(self, principal: str, key: Key | None = None) -> list[Document]:
        """What decides for a principal: the documents attached to it, and the key's own.

        Raises:
            AccessDeniedError: one of them can't be read; then nothing is allowed.
        """
        found = [self._parsed(name_of(one), one.document) for one in self.store.permissions(principal)]
        if key is not None and key.policy:
            resource = permissions.resource(self.store.id, "key", key.id)
            found.append(self._parsed(f"policy of key {key.id}", key.policy, resource))
        return found

    def granting(self, attached: Sequence[Permission], at: datetime) -> list[str]:
        """Principals that may attach permission documents to themselves, hence may get every permission.

        Args:
            attached: all documents that are, or would be, attached; what can't be read gives nobody anything.
            at: when.
        """
        found = []
        carried = conditions.context(at)
        for principal in dict.fromkeys(one.principal for one in attached):
            own = [one for one in attached if one.principal == principal]
            names = permissions.resources("AttachPermission", self.store.id, about=principal)
            with contextlib.suppress(AccessDeniedError):
                documents = [self._parsed(name_of(one), one.document) for one in own]
                if permissions.decide(documents, "AttachPermission", names, carried, principal=principal):
                    found.append(principal)
        return found

    def _parsed(self, name: str, text: str, key: str = "") -> Document:
        found = self._read.get((name, text))
        if found is None:
            try:
                found = permissions.parse(text, name=name, key=key)
            except ConfigurationError as error:
                raise AccessDeniedError(
                    f"nothing is allowed, since a document in the store is damaged: {error.message}",
                    hint="'signkit permission list' shows the documents; detach the damaged one, attach a good one",
                ) from error
            self._read[name, text] = found
        return found


class Attempt:
    """One operation of one principal, from its first check to its record. Leaving it by an exception is recorded.

    Attributes:
        at: when it began.
        action: what it is.
        dry_run: whether nothing is to be changed.
    """

    def __init__(self, access: Access, entry: AuditEntry, before: Callable[[], None] | None, *, dry_run: bool) -> None:
        self.at, self.action, self.dry_run = entry.at, entry.action, dry_run
        self._access = access
        self._entry = entry
        self._before = before
        self._done: list[AuditEntry] = []

    def __enter__(self) -> Attempt:
        if self._before is not None:
            self._before()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None or self.dry_run:
            return
        code = error.code if isinstance(error, SignkitError) else _DEFECT
        try:
            self._access.store.record([*self._done, self.entry(result=code)])
        except Exception as failure:
            error.add_note(f"this could not be recorded: {failure}")

    def allow(
        self, key: Key | None = None, *, alias: str = "", about: str = "", algorithm: str = "", action: str = ""
    ) -> None:
        """Note what the operation is about, and go on only when it is permitted.

        Args:
            key: the key, unless keys are made or listed.
            alias: the alias that is made, moved or taken away.
            about: the principal whose permissions it is about.
            algorithm: algorithm that is asked for.
            action: another action that this one includes; empty = itself.

        Raises:
            AccessDeniedError: no document allows it, one denies it, or one can't be read.
        """
        action = action or self.action
        self._entry = self.entry(key_id=key.id if key else "", algorithm=algorithm or self._entry.algorithm)
        decision = self._access.decide(action, key, alias=alias, about=about, algorithm=algorithm, at=self.at)
        if not decision:
            raise AccessDeniedError(
                f"{self._access.principal} has no permission: {decision.explanation}",
                hint=self._hint(action, key, decision),
            )

    def entry(self, **fields: Any) -> AuditEntry:
        """The audit entry of the operation, for the change that it makes; with other fields where they are given."""
        if "detail" in fields:
            fields["detail"] = recordable(fields["detail"])
        return self._entry._replace(**fields)

    def done(self, **fields: Any) -> None:
        """Note one use of a private or public key, to be recorded by ``record`` or with the failure of the rest."""
        self._done.append(self.entry(**fields))

    def record(self) -> None:
        """Put on record durably what was done; only after it may results be released.

        Raises:
            StoreError: it could not be recorded.
        """
        self._access.store.record(self._done)
        self._done = []

    def _hint(self, action: str, key: Key | None, decision: Decision) -> str:
        access, names = self._access, key.id if key else ""
        granting = access.granting(access.store.permissions(), self.at)
        role = _role_for(action)
        if access.principal in granting and role and decision.how is Outcome.IMPLICIT_DENY:
            return f"'signkit permission attach {access.principal} --role {role}' would allow it"
        who = " or ".join(one for one in granting[:3] if one != access.principal) or "nobody else"
        simulate = f"'signkit permission simulate {access.principal} {action} {names}".rstrip() + "' shows why"
        return f"{simulate}; {who} may attach a document that allows it"


def _role_for(action: str) -> str:
    """A ready-made document that allows an action, the narrowest first; empty when none does."""
    narrowest_first = sorted(permissions.ROLES, key="administrator".__eq__)
    for role in narrowest_first:
        document = permissions.parse(permissions.ready_made(role), name=role)
        if permissions.decide([document], action, ["acs:"], {}):
            return role
    return ""


def name_of(permission: Permission) -> str:
    """What a document is called in decisions: its principal and the first of the digits of its SHA-256."""
    from signkit.algorithms import digests

    return f"{permission.principal} {digests.digest('sha256', permission.document.encode()).hex()[:8]}"


def recordable(text: str) -> str:
    """The text as it can be put on record: file names need not be UTF-8, so other bytes become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
