"""Permission documents of principals: attach, detach, list, and try out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.audit.entry import AuditEntry
from signkit.errors import ConfigurationError, NotFoundError, RefusedError, UsageError
from signkit.keys import permissions
from signkit.keys.model import Permission
from signkit.keys.permissions import Decision, Document
from signkit.keys.reference import KeyReference
from signkit.operations.access import Access, Attempt, name_of
from signkit.operations.directory import Directory

_PRINCIPAL = re.compile(r"[a-z][a-z0-9-]*:\S{1,200}")
_ALIAS_ACTIONS = ("CreateAlias", "UpdateAlias", "DeleteAlias")


class Attached(NamedTuple):
    """A permission document of a principal.

    Attributes:
        permission: principal and text.
        id: the first 8 hex digits of the SHA-256 of the text.
        document: the document as read; None when it can't be read, and then its principal may do nothing.
        problem: why it can't be read, or an empty string.
        doubts: what in it is without effect here, a sentence for each.
    """

    permission: Permission
    id: str
    document: Document | None
    problem: str = ""
    doubts: tuple[str, ...] = ()


class Simulated(NamedTuple):
    """What a request would come to.

    Attributes:
        principal: who would ask.
        action: for what.
        key_id: of which key; empty for actions that are about none.
        decision: the answer, and what decided.
    """

    principal: str
    action: str
    key_id: str
    decision: Decision


class PermissionService:
    """Says who may do what. Who may attach documents can give themselves every permission."""

    def __init__(self, access: Access, directory: Directory) -> None:
        """Take the parts; nothing is opened here."""
        self._access = access
        self._store = access.store
        self._directory = directory

    def attach(self, principal: str, text: str, *, force: bool = False, dry_run: bool = False) -> Attached:
        """Attach a permission document to a principal (AttachPermission); once more is the same as once.

        Args:
            principal: for example ``os:alice``.
            text: the document.
            force: also when nobody could attach documents any more.
            dry_run: check everything, change nothing.

        Raises:
            UsageError: a malformed principal.
            ConfigurationError: it is no permission document.
            AccessDeniedError: the caller may not.
            RefusedError: nobody could attach documents any more.
        """
        return self._attach(principal, lambda: text, force=force, dry_run=dry_run)

    def attach_role(
        self,
        principal: str,
        role: str,
        keys: Sequence[KeyReference] = (),
        *,
        force: bool = False,
        dry_run: bool = False,
    ) -> Attached:
        """Attach a ready-made document to a principal (AttachPermission).

        Args:
            principal: for example ``os:alice``.
            role: one of ``permissions.ROLES``.
            keys: the keys it is for, now and under whatever alias; none = everything.
            force: also when nobody could attach documents any more.
            dry_run: check everything, change nothing.

        Raises:
            UsageError: a malformed principal, or no such role.
            NotFoundError: no such key.
            AccessDeniedError: the caller may not.
            RefusedError: nobody could attach documents any more.
        """

        def text() -> str:
            found = [self._directory.find(key) for key in keys]
            names = [permissions.resource(self._store.id, "key", key.id) for key in found]
            return permissions.ready_made(role, names or ("*",))

        return self._attach(principal, text, force=force, dry_run=dry_run)

    def _attach(self, principal: str, text: Callable[[], str], *, force: bool, dry_run: bool) -> Attached:
        with self._access.attempt("AttachPermission", dry_run=dry_run, detail=principal) as attempt:
            require_principal(principal)
            attempt.allow(about=principal)
            wanted = Permission(principal, text(), attempt.at)
            document = permissions.parse(wanted.document, name=name_of(wanted))
            self._require_way_back([*self._store.permissions(), wanted], attempt, force=force)
            if not dry_run:
                self._store.attach_permission(wanted, [_entry(attempt, wanted)])
            return Attached(wanted, _id(wanted), document, doubts=permissions.doubts(document))

    def detach(self, principal: str, which: str, *, force: bool = False, dry_run: bool = False) -> Attached:
        """Detach a permission document from a principal (DetachPermission).

        Args:
            principal: for example ``os:alice``.
            which: the id of the document, or the name (Sid) of its only statement, such as ``signer``.
            force: also when nobody could attach documents any more.
            dry_run: check everything, change nothing.

        Raises:
            NotFoundError: it is not attached.
            UsageError: several documents are meant.
            AccessDeniedError: the caller may not.
            RefusedError: nobody could attach documents any more.
        """
        with self._access.attempt("DetachPermission", dry_run=dry_run, detail=f"{principal} {which}") as attempt:
            attempt.allow(about=principal)
            own = [_attached(one) for one in self._store.permissions(principal)]
            found = _named(own, principal, which)
            left = [one for one in self._store.permissions() if one != found.permission]
            self._require_way_back(left, attempt, force=force)
            if not dry_run:
                self._store.detach_permission(found.permission, [_entry(attempt, found.permission)])
            return found

    def attached(self, principal: str = "") -> list[Attached]:
        """Permission documents of one principal, or of all (ListPermissions): by principal, oldest first.

        Raises:
            AccessDeniedError: the caller may not list them.
        """
        with self._access.attempt("ListPermissions", detail=principal) as attempt:
            attempt.allow(about=principal)
            return [_attached(one) for one in self._store.permissions(principal or None)]

    def simulate(
        self,
        principal: str,
        action: str,
        reference: KeyReference | None = None,
        *,
        algorithm: str = "",
        at: datetime | None = None,
        source: str = "",
    ) -> Simulated:
        """Whether a request would be permitted, and by what (SimulatePermission). States are not looked at.

        Args:
            principal: who would ask.
            action: for what, with or without ``kms:``.
            reference: of which key; an alias for actions that are about one. None for actions that are about none.
            algorithm: with which algorithm.
            at: when (aware); None = now.
            source: from which address; empty = this machine.

        Raises:
            UsageError: no such action, or it needs a key or alias.
            NotFoundError: no such key.
            AccessDeniedError: the caller may not try it out, or a document can't be read.
        """
        with self._access.attempt("SimulatePermission", detail=f"{principal} {action}") as attempt:
            attempt.allow(about=principal)
            name, of_key = _action(action)
            if of_key and reference is None:
                raise UsageError(f"{name} is about a key, found none", hint="name it behind the action")
            alias = reference.key if reference is not None and name in _ALIAS_ACTIONS else ""
            if alias and reference is not None and not reference.is_alias:
                raise UsageError(f"{name} is about an alias, found '{reference}'", hint="name it as alias/NAME")
            key = self._directory.find(reference) if reference is not None and of_key else None
            decision = self._access.decide(
                name, key, alias=alias, algorithm=algorithm, at=at, principal=principal, source=source
            )
            return Simulated(principal, name, key.id if key else "", decision)

    def _require_way_back(self, after: Sequence[Permission], attempt: Attempt, *, force: bool) -> None:
        granting = self._access.granting
        if not force and not granting(after, attempt.at) and granting(self._store.permissions(), attempt.at):
            raise RefusedError(
                "after this nobody could attach permission documents any more, expected at least one principal",
                hint="make another principal administrator first; --force does it, and only a backup brings them back",
                code="Rejected.LockOut",
            )


def require_principal(text: str) -> str:
    """A principal as it was named.

    Raises:
        UsageError: it has another form.
    """
    if not _PRINCIPAL.fullmatch(text) or not text.isprintable():
        raise UsageError(f"'{text}' is not a principal: expected KIND:NAME", hint="for example os:alice, a login name")
    return text


def decode(data: bytes, path: str) -> str:
    """The text of a permission document in a file.

    Raises:
        ConfigurationError: it is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: found bytes that are not UTF-8 ({error.reason}), expected JSON") from error


def _action(text: str) -> tuple[str, bool]:
    """The action of that name, in whatever case, and whether it is about a key."""
    wanted = text.removeprefix("kms:").lower()
    for name in permissions.ACTIONS:
        if name.lower() == wanted:
            return name, name not in permissions.KINDS
    import difflib

    near = difflib.get_close_matches(text, permissions.ACTIONS, n=1) or ["AsymmetricSign"]
    raise UsageError(f"no action '{text}', expected one such as {near[0]}", hint="docs/permissions.md lists them")


def _id(permission: Permission) -> str:
    return name_of(permission).rpartition(" ")[2]


def _entry(attempt: Attempt, permission: Permission) -> AuditEntry:
    digest_hex = digests.digest("sha256", permission.document.encode()).hex()
    return attempt.entry(detail=permission.principal, digest_hex=digest_hex)


def _attached(permission: Permission) -> Attached:
    try:
        document = permissions.parse(permission.document, name=name_of(permission))
    except ConfigurationError as error:
        return Attached(permission, _id(permission), None, error.message)
    return Attached(permission, _id(permission), document, doubts=permissions.doubts(document))


def _named(own: Sequence[Attached], principal: str, which: str) -> Attached:
    """The document that is meant."""
    found = [one for one in own if one.id == which]
    found = found or [one for one in own if one.document and [s.sid for s in one.document.statements] == [which]]
    listed = ", ".join(one.id for one in found or own) or "none"
    if not found:
        raise NotFoundError(
            f"no document '{which}' is attached to {principal}, expected one of {listed}",
            hint=f"'signkit permission list {principal}' shows them",
            code="Forbidden.PermissionNotFound",
        )
    if len(found) > 1:
        raise UsageError(f"{len(found)} documents of {principal} are called '{which}', expected one of {listed}")
    return found[0]
