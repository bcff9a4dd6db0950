"""What works here, finding by finding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.errors import StoreError, UnavailableError
from signkit.operations.audit_evidence import public
from signkit.operations.stores import leftovers
from signkit.ports import Store


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        state: ``ok``, ``note`` (works, but somebody should know) or ``failed``.
        detail: what was found, and what to do where it is not ``ok``.
    """

    subject: str
    state: str
    detail: str


def store_findings(store: Store, now: datetime) -> list[Finding]:
    """Leftovers in the store, keys that are to be deleted, and the key of its audit log."""
    try:
        deleting = deletions(store, now)
        remarks = leftovers(store)
        key = store.audit_key()
        log = Finding("audit log", "ok", f"{store.audit_head().size} entries, signed as {public(key)}") if key else None
    except StoreError as error:
        return [Finding("versions", "failed", f"{error.message}; 'signkit store check' looks for more")]
    found = [Finding("versions", "note", remark) for remark in remarks]
    nothing = Finding("versions", "ok", "none was left unfinished")
    detail = (
        f"{store.audit_head().size} entries, no checkpoint yet: 'signkit audit checkpoint' makes one to keep elsewhere"
    )
    return [*(found or [nothing]), log or Finding("audit log", "note", detail), deleting]


def deletions(store: Store, now: datetime) -> Finding:
    """Keys that are to be deleted, and those that should have been."""
    due = [key.id for key in store.due_keys(now)]
    if due:
        detail = f"{len(due)} key(s) are due and not deleted: {', '.join(due[:10])}"
        return Finding("deletions", "note", f"{detail}; the next operation on keys tries again")
    pending = sorted(key.deletion_at for key in store.keys() if key.deletion_at is not None)
    if pending:
        return Finding("deletions", "ok", f"{len(pending)} pending, the next at {pending[0]:%Y-%m-%dT%H:%M:%SZ}")
    return Finding("deletions", "ok", "none is pending")


def require_health(findings: Sequence[Finding]) -> None:
    """Refuse when something failed.

    Raises:
        UnavailableError: at least one finding is ``failed``.
    """
    failed = [finding for finding in findings if finding.state == "failed"]
    if failed:
        raise UnavailableError(
            f"{len(failed)} of {len(findings)} findings failed: {', '.join(f.subject for f in failed)}",
            hint="each line says what was found",
        )
