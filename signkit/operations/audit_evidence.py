"""What an audit log and its receipts show: the log recomputed, compared with its checkpoints, and entries proved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from signkit.audit import checkpoint as checkpoints
from signkit.audit import merkle, receipt
from signkit.audit.checkpoint import Checkpoint, LogKey
from signkit.audit.entry import AuditEntry
from signkit.errors import MalformedError, SignatureValueError, SignkitError, StoreError, UsageError
from signkit.keys.model import AuditKey
from signkit.ports import ArtifactSource, Store

DAMAGED = "'signkit audit verify' tells more; restore the store from a backup"


class Numbered(NamedTuple):
    """An entry with its number in the log, from 0."""

    number: int
    entry: AuditEntry


class AuditReport(NamedTuple):
    """What was found when the log was recomputed.

    Attributes:
        size: number of entries that its head commits to.
        root_hash: root of their RFC 6962 tree, 32 bytes.
        key: the key of the log, or None while it has none.
        continued: the checkpoints that it was compared with, by size.
        vouched: entries that checkpoints vouch for which were named, hence come from elsewhere; 0 when none was.
        findings: everything that is wrong, in the log's order; empty when it is sound.
    """

    size: int
    root_hash: bytes
    key: LogKey | None
    continued: tuple[Checkpoint, ...]
    vouched: int
    findings: tuple[str, ...]

    @property
    def proved(self) -> list[str]:
        """What a sound log shows, in words."""
        found = ["every entry is the one that the log's head commits to, and none is missing"]
        if self.continued:
            largest = self.continued[-1].size
            found.append(f"the log continues {len(self.continued)} checkpoint(s), the largest of {largest} entries")
        return found

    @property
    def not_proved(self) -> list[str]:
        """What it does not show, in words."""
        if self.vouched >= self.size:
            return []
        what = f"the entries from number {self.vouched} on" if self.vouched else "the whole log"
        return [
            f"that nobody who can write to the store has cut or written again {what}:"
            " that takes a checkpoint or receipt that was kept elsewhere"
        ]


def public(key: AuditKey) -> LogKey:
    """The public key of a log, which verifies its checkpoints.

    Raises:
        StoreError: what the store holds is none.
    """
    try:
        return checkpoints.log_key(key.origin, key.public_key)
    except UsageError as error:
        raise StoreError(f"the key of the audit log is damaged: {error.message}", hint=DAMAGED) from error


def examine(store: Store, notes: Iterable[tuple[str, bytes]] = (), key: LogKey | None = None) -> AuditReport:
    """Recompute the log of a store; see ``AuditService.verify``."""
    findings: list[str] = []
    existing = store.audit_key()
    found = public(existing) if existing else None
    if key is not None and found is not None and found != key:
        findings.append(f"the key of the audit log is {found}, expected {key}")
    key = key or found
    kept, wrong = kept_checkpoints(store, key)
    findings += wrong
    named = []
    for name, note in notes:
        if key is None:
            findings.append(f"{name}: the log has no key, so it never signed this checkpoint, or lost it in a rollback")
        else:
            named.append(verified(name, note, key))
    frontier = store.audit_head()
    compared = {*kept, *named}
    findings += store.verify_audit(list(compared))
    continued = tuple(sorted(compared, key=lambda one: one.size))
    vouched = max((one.size for one in named), default=0)
    return AuditReport(frontier.size, merkle.root(frontier), key, continued, vouched, tuple(findings))


def require_sound(found: AuditReport) -> None:
    """Refuse a log in which something is wrong.

    Raises:
        StoreError: there is something.
    """
    if found.findings:
        raise StoreError(
            f"the audit log is not sound: {len(found.findings)} finding(s), the first: {found.findings[0]}",
            hint="keep the store as it is for who looks into it; go on with a backup, see docs/audit.md",
            code="AuditLogDamaged",
        )


def verified(name: str, note: bytes, key: LogKey) -> Checkpoint:
    """The checkpoint in a note that was named by the user; errors name it too."""
    try:
        return checkpoints.verify(note, key)
    except SignkitError as error:
        raise type(error)(f"{name}: {error.message}", hint=error.hint, code=error.code) from error


def kept_checkpoints(store: Store, key: LogKey | None) -> tuple[list[Checkpoint], list[str]]:
    """The checkpoints that are kept in the store, and what is wrong with those that can't be believed."""
    kept, findings = [], []
    for number, note in enumerate(store.checkpoints()):
        if key is None:
            findings.append(f"checkpoint {number} in the store: the log has no key that could have signed it")
            continue
        try:
            kept.append(checkpoints.verify(note, key))
        except SignkitError as error:
            findings.append(f"checkpoint {number} in the store: {error.message}")
    return kept, findings


def verify_receipt(data: bytes, key: LogKey, entry: bytes = b"") -> Numbered:
    """What a receipt proves; needs no store.

    Args:
        data: the receipt.
        key: public key of the log, known from elsewhere.
        entry: the canonical entry that it must be for; empty = the one in the receipt.

    Raises:
        MalformedError: not a receipt, or of another log.
        SignatureValueError: it does not prove its entry, or is for another one.
    """
    verified = receipt.verify(data, key, entry=entry)
    try:
        return Numbered(verified.number, AuditEntry.decode(verified.entry))
    except ValueError as error:
        raise MalformedError(f"the receipt is for something else than an audit entry: {error}") from error


def require_about(entry: AuditEntry, path: str, source: ArtifactSource) -> None:
    """Refuse an entry that is not about an artifact.

    Raises:
        FileError: the artifact can't be read.
        SignatureValueError: the entry names another digest, or none.
    """
    names = {64: "sm3" if entry.algorithm == "SM2DSA" else "sha256", 96: "sha384", 128: "sha512"}
    name = names.get(len(entry.digest_hex))
    found = source.digest(path, [name]).values[name].hex() if name else ""
    if not found or found != entry.digest_hex:
        raise SignatureValueError(
            f"the entry is not about {path}: found digest {found or 'none'}, expected {entry.digest_hex or 'one'}",
            hint="name the artifact that the receipt lies beside",
        )
