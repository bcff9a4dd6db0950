"""Restoring a store: whether the copy of a backup may take the place, and what the person who restores should know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from signkit.audit import merkle
from signkit.audit.checkpoint import Checkpoint, LogKey
from signkit.audit.entry import AuditEntry
from signkit.audit.merkle import Frontier
from signkit.errors import StoreError
from signkit.operations.audit_evidence import AuditReport, examine, verified
from signkit.ports import Store


class Replaced(NamedTuple):
    """What is known of the store that a backup is to replace.

    Attributes:
        store_id: its UUID.
        head: head of its audit log.
    """

    store_id: str
    head: Frontier


class Acceptance:
    """Looks at the copy of a backup before it becomes the store.

    Attributes:
        remarks: what the person who restores should know.
    """

    def __init__(
        self, entry: AuditEntry, replaced: Replaced | None, notes: Sequence[tuple[str, bytes]], key: LogKey | None
    ) -> None:
        """Take what it is compared with.

        Args:
            entry: the audit entry of the restore, with which the log goes on.
            replaced: the store that it replaces, or None.
            notes: name and content of signed checkpoints that were kept elsewhere.
            key: the log's key as it is known from elsewhere; None = the one in the backup.
        """
        self._entry, self._replaced, self._notes, self._key = entry, replaced, notes, key
        self.remarks: list[str] = []

    def __call__(self, copy: Store) -> Sequence[AuditEntry]:
        """Refuse the copy, or give the entries with which its audit log goes on.

        Raises:
            StoreError: its log is not the one that the checkpoints are of.
        """
        report = examine(copy, (), self._key)
        known = [_given(name, note, report) for name, note in self._notes]
        ahead = [(name, one.size) for name, one in known if one.size > report.size]
        findings = [*report.findings, *copy.verify_audit([one for _, one in known if one.size <= report.size])]
        if findings:
            raise StoreError(
                f"the backup's audit log is not the one that was signed ({len(findings)} findings): {findings[0]}",
                hint="somebody changed it, or it is another store's: take another backup",
            )
        replaced = self._replaced
        if replaced is not None and replaced.store_id != copy.id:
            self.remarks.append(f"the replaced store is another one ({replaced.store_id}) than the backup ({copy.id})")
        elif replaced is not None:
            self._compare(replaced.head, report.size, copy)
        self.remarks += [
            f"{name} says that the log had {size} entries: {size - report.size} of them are not in the backup"
            for name, size in ahead
        ]
        return [self._entry]

    def _compare(self, head: Frontier, size: int, copy: Store) -> None:
        if head.size > size:
            self.remarks.append(f"{head.size - size} audit entries of the replaced store are not in the backup")
        elif copy.verify_audit([Checkpoint("", head.size, merkle.root(head))]):
            self.remarks.append("the audit logs of the replaced store and of the backup are two different histories")


def _given(name: str, note: bytes, report: AuditReport) -> tuple[str, Checkpoint]:
    """A checkpoint that was kept elsewhere, verified with the key of the log."""
    if report.key is None:
        raise StoreError(
            f"{name}: the backup's audit log has no key that could have signed this checkpoint",
            hint="it is another store's, or from before the first checkpoint: restore without --checkpoint",
        )
    return name, verified(name, note, report.key)
