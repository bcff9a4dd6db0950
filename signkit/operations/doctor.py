"""What works here, finding by finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from signkit.errors import UnavailableError
from signkit.keys.model import VersionState
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


def leftovers(store: Store) -> Finding:
    """Versions whose key pair was never made: a crash between taking the number and making the key."""
    pending = [
        f"{key.id}@{version.number}"
        for key in store.keys()
        for version in store.versions(key.id)
        if version.state is VersionState.PENDING
    ]
    if pending:
        detail = f"{len(pending)} version(s) were begun and never finished: {', '.join(pending[:10])}"
        return Finding("versions", "note", f"{detail}; they can't sign, make new ones")
    return Finding("versions", "ok", "none was left unfinished")


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
