"""The audit log: read it, verify it, sign its head, prove its entries to others."""

from __future__ import annotations

import difflib
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import ed25519
from signkit.audit import checkpoint as checkpoints
from signkit.audit import merkle, receipt
from signkit.audit.checkpoint import Checkpoint, LogKey
from signkit.audit.entry import AuditEntry
from signkit.errors import (
    ConflictError,
    NotFoundError,
    StoreError,
    UsageError,
)
from signkit.keys import log_key, permissions
from signkit.keys.model import AuditKey
from signkit.keys.reference import KeyReference
from signkit.operations.access import Access, Attempt, Recorded
from signkit.operations.audit_evidence import DAMAGED, AuditReport, Numbered, examine, kept_checkpoints, public
from signkit.operations.directory import Directory
from signkit.ports import Provider, Store


class Filter(NamedTuple):
    """Which entries are wanted; what is empty or None does not matter.

    Attributes:
        key_id: of this key.
        version: of the version of this number.
        since: at this time or later.
        until: before this time.
        action: of this action, for example ``AsymmetricSign``.
        result: with this result: ``ok``, the code of an error, or ``failed`` for every other than ``ok``.
        limit: no more than this many, the latest.
    """

    key_id: str = ""
    version: int = 0
    since: datetime | None = None
    until: datetime | None = None
    action: str = ""
    result: str = ""
    limit: int = 0

    def matches(self, entry: AuditEntry) -> bool:
        """Whether an entry is wanted."""
        return (
            self.key_id in ("", entry.key_id)
            and self.version in (0, entry.version)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and self.action in ("", entry.action)
            and (self.result in ("", entry.result) or (self.result == "failed" and entry.result != "ok"))
        )


EVERY = Filter()


class SignedHead(NamedTuple):
    """A checkpoint that was just signed.

    Attributes:
        note: the signed note; empty in a dry run.
        checkpoint: what it says.
        key: the key of the log.
        new_key: whether the key was made for it.
    """

    note: bytes
    checkpoint: Checkpoint
    key: LogKey | None
    new_key: bool


class AuditService:
    """The audit log of one store."""

    def __init__(self, access: Access, directory: Directory, provider: Provider) -> None:
        """Take the parts; nothing is opened here.

        Args:
            access: who asks.
            directory: finds keys by reference.
            provider: makes and holds the key that signs checkpoints.
        """
        self._access = access
        self._directory = directory
        self._provider = provider

    @property
    def _store(self) -> Store:
        return self._access.store

    # Reading

    def entries(self, wanted: Filter = EVERY, key: KeyReference | None = None) -> Iterator[Numbered]:
        """The entries that are wanted, oldest first, read as they are consumed.

        Args:
            wanted: which.
            key: key or key version that they are about. A deleted key is named by its id.

        Raises:
            AccessDeniedError: the caller may not read the log.
            NotFoundError: no such alias or version.
            StoreError: an entry can't be read.
        """
        with self._access.attempt("ListAuditEntries") as attempt:
            attempt.allow()
            if key is not None:
                key_id, version = self._of_key(key)
                wanted = wanted._replace(key_id=key_id, version=version)
            if wanted.action:
                wanted = wanted._replace(action=_known_action(wanted.action))
            if wanted.limit < 0:
                raise UsageError(f"the limit is {wanted.limit}, expected 1 or more")
        numbered = itertools.starmap(Numbered, enumerate(self._store.audit_entries()))
        found = (one for one in numbered if wanted.matches(one.entry))
        return iter(deque(found, wanted.limit)) if wanted.limit else found

    def _of_key(self, reference: KeyReference) -> tuple[str, int]:
        key_id = self._directory.find(reference).id if reference.is_alias else reference.key
        version = reference.number or 0
        if reference.version and not version:
            versions = [one for one in self._store.versions(key_id) if one.id == reference.version]
            if not versions:
                raise NotFoundError(
                    f"key {reference.key} has no version '{reference.version}'",
                    hint="name the version by its number",
                    code="Forbidden.KeyVersionNotFound",
                )
            version = versions[0].number
        return key_id, version

    def export(self) -> Iterator[bytes]:
        """The entries in the canonical form that the log's tree is over, each with a newline behind it.

        Raises:
            AccessDeniedError: the caller may not read the log.
        """
        with self._access.attempt("ListAuditEntries") as attempt:
            attempt.allow()
        return (data + b"\n" for data in self._store.audit_encoded())

    # Verifying

    def verify(self, notes: Sequence[tuple[str, bytes]] = (), key: LogKey | None = None) -> AuditReport:
        """Recompute the log from its entries, and compare it with its head and with checkpoints.

        Args:
            notes: name and content of signed checkpoints that were kept elsewhere.
            key: the log's key as it is known from elsewhere; None = the one in the store.

        Raises:
            AccessDeniedError: the caller may not verify the log.
            MalformedError: one of the notes is no checkpoint of this log.
            SignatureValueError: one of the notes is not signed by the log's key.
        """
        with self._access.attempt("VerifyAudit") as attempt:
            attempt.allow()
            return examine(self._store, notes, key)

    # Signing

    def checkpoint(self, origin: str = "", *, dry_run: bool = False) -> SignedHead:
        """Sign the head of the log; its key is made when there is none yet. Nothing is signed that is not sound.

        Args:
            origin: name of the log for its new key, best a URL without its scheme; empty = ``signkit/`` and the
                store's id.
            dry_run: check everything and sign nothing.

        Raises:
            AccessDeniedError: the caller may not sign checkpoints.
            UsageError: the name can't be one, or the log has another name already.
            StoreError: the log is damaged.
        """
        with self._access.attempt("CreateCheckpoint", dry_run=dry_run) as attempt:
            attempt.allow()
            existing = self._store.audit_key()
            if existing and origin not in ("", existing.origin):
                raise UsageError(
                    f"the log is named '{existing.origin}', found '{origin}'", hint="a log keeps its name for good"
                )
            name = origin or f"signkit/{self._store.id}"
            checkpoints.log_key(name, bytes(ed25519.PUBLIC_KEY_SIZE))
            head = self._sound_head(existing.origin if existing else name)
            if dry_run:
                return SignedHead(b"", head, existing and public(existing), existing is None)
            own = existing or self._make_key(name, attempt)
            head = head._replace(origin=own.origin)
            note = self._sign(own, head)
            detail = f"{head.size} entries, root hash {head.root_hash.hex()}"
            self._store.add_checkpoint(head.size, note, [attempt.entry(detail=detail)])
            return SignedHead(note, head, public(own), existing is None)

    def receipt(self, number: int) -> bytes:
        """A receipt for one entry: that it is in a log whose head the log's key has signed.

        Raises:
            AccessDeniedError: the caller may not sign checkpoints.
            NotFoundError: the log has no such entry.
            StoreError: the log is damaged.
        """
        with self._access.attempt("CreateCheckpoint", detail=f"receipt of entry {number}") as attempt:
            attempt.allow()
            existing = self._store.audit_key()
            size = self._sound_head(existing.origin if existing else "").size
            if not 0 <= number < size:
                raise NotFoundError(
                    f"the audit log has no entry {number}, expected 0 to {size - 1}",
                    hint="'signkit audit list' shows the numbers",
                )
            entry = next(itertools.islice(self._store.audit_encoded(), number, None))
            [made] = self._receipts(number, [entry], attempt)
            self._store.record([attempt.entry()])
            return made

    def receipts(self, recorded: Recorded) -> list[bytes]:
        """Receipts for entries that were just recorded (CreateCheckpoint).

        Raises:
            AccessDeniedError: the caller may not sign checkpoints.
            StoreError: the log is damaged.
        """
        first, entries = recorded
        with self._access.attempt("CreateCheckpoint", detail=f"receipts from entry {first} on") as attempt:
            attempt.allow()
            return self._receipts(first, [entry.encode() for entry in entries], attempt)

    def _receipts(self, first: int, entries: Sequence[bytes], attempt: Attempt) -> list[bytes]:
        head = self._store.audit_head()
        leaves = self._store.audit_leaves()
        if merkle.append(merkle.EMPTY, leaves[: head.size]) != head:
            raise StoreError("the audit log is damaged: its leaves don't make its head", hint=DAMAGED)
        if leaves[first : first + len(entries)] != [merkle.leaf_hash(entry) for entry in entries]:
            raise StoreError(f"audit entry {first} is not the one that was recorded", hint=DAMAGED)
        existing = self._store.audit_key()
        for kept in kept_checkpoints(self._store, existing and public(existing))[0]:
            tree = merkle.append(merkle.EMPTY, leaves[: kept.size])
            if tree.size != kept.size or merkle.root(tree) != kept.root_hash:
                message = f"the audit log does not continue its checkpoint of {kept.size} entries"
                raise StoreError(f"{message}; no receipt was made", hint=DAMAGED)
        own = existing or self._make_key(f"signkit/{self._store.id}", attempt)
        tree = merkle.append(merkle.EMPTY, leaves)
        note = self._sign(own, Checkpoint(own.origin, tree.size, merkle.root(tree)))
        self._store.add_checkpoint(tree.size, note)
        return receipt.make(entries, leaves, first, note)

    def _sound_head(self, origin: str) -> Checkpoint:
        """The head of the log as it is now, which its entries and all checkpoints that are kept agree with."""
        frontier = self._store.audit_head()
        head = Checkpoint(origin, frontier.size, merkle.root(frontier))
        existing = self._store.audit_key()
        kept, findings = kept_checkpoints(self._store, existing and public(existing))
        findings += self._store.verify_audit([*kept, head])
        if findings:
            raise StoreError(
                f"the audit log is damaged ({len(findings)} findings), its head was not signed: {findings[0]}",
                hint=DAMAGED,
            )
        return head

    def _make_key(self, origin: str, attempt: Attempt) -> AuditKey:
        """The new key of the log; somebody else's when two make one at once."""
        key, version = log_key.pending(origin, attempt.at, self._provider.name)
        created = self._provider.create(key, version)
        made = log_key.made(origin, attempt.at, created.public_key_info, created.locator)
        try:
            self._store.add_audit_key(made, [attempt.entry(detail=f"new key of the log: {public(made)}")])
        except ConflictError:
            existing = self._store.audit_key()
            if existing is None:
                raise
            return existing
        return made

    def _sign(self, own: AuditKey, head: Checkpoint) -> bytes:
        key, version = log_key.as_version(own, self._provider.name)
        signer: Callable[[bytes], bytes] = lambda message: self._provider.sign(  # noqa: E731
            key, version, ed25519.ED25519, message=message
        )
        return checkpoints.sign(head, public(own), signer)


def _known_action(text: str) -> str:
    """The action of that name, with or without ``kms:`` and in any case, as permission documents have it.

    Raises:
        UsageError: there is none: a mistyped one would show that nothing happened.
    """
    wanted = text.lower().removeprefix("kms:")
    known = {action.lower(): action for action in (*permissions.ACTIONS, "InitializeStore", "DeleteKey")}
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=1)
        meant = f", did you mean {known[near[0]]}?" if near else ", expected one of those that permissions name"
        raise UsageError(f"no action '{text}' is ever recorded{meant}", hint="'signkit audit list' shows all entries")
    return known[wanted]
