"""Opened parts for the store as a whole and for its audit log; apart from ``wiring`` because few runs need them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from signkit.errors import StoreError
from signkit.files import FileSource

if TYPE_CHECKING:
    from signkit.audit.checkpoint import LogKey
    from signkit.keys.sealing import Kek
    from signkit.operations.audit import AuditService
    from signkit.operations.audit_evidence import Numbered
    from signkit.operations.doctor import Finding
    from signkit.operations.restoring import Replaced
    from signkit.operations.stores import StoreService
    from signkit.ports import OpenRecord
    from signkit.wiring import Wiring


_MAXIMUM_KEY = 1 << 16


class RestoredStore(NamedTuple):
    """What became of a restore.

    Attributes:
        path: the database file of the store.
        id: UUID of the store.
        root_key: URI of its root key.
        kept: where the store lies that was replaced; empty when there was none.
        remarks: what the person who restores should know.
    """

    path: str
    id: str
    root_key: str
    kept: str
    remarks: tuple[str, ...]


def audit(wiring: Wiring) -> AuditService:
    """The audit log."""
    from signkit.operations.audit import AuditService

    return AuditService(wiring.keys.access, wiring.keys.directory, wiring.software)


def stores(wiring: Wiring) -> StoreService:
    """The store as a whole."""
    from signkit.custody import parse_root_key
    from signkit.operations.stores import StoreService
    from signkit.providers.software import SoftwareProvider

    def opener(kek: Kek) -> OpenRecord:
        return SoftwareProvider(wiring.store.id, lambda: kek).check

    return StoreService(
        wiring.keys.access,
        root_key=wiring.root_key,
        parse_root_key=parse_root_key,
        opener=opener,
        random=secrets.token_bytes,
    )


def restore(
    wiring: Wiring,
    source: str,
    *,
    checkpoints: Sequence[str] = (),
    key: LogKey | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> RestoredStore:
    """Make the store from a backup.

    Args:
        wiring: where the store shall be, and who restores it.
        source: the backup.
        checkpoints: files with signed checkpoints that were kept elsewhere.
        key: the log's key as it is known from elsewhere.
        overwrite: whether a store that is there is replaced; it is kept under another name.
        dry_run: check everything and write nothing.

    Raises:
        OutputExistsError: there is a store.
        AccessDeniedError: the store that is there does not allow it to be replaced.
        StoreError: the backup is missing, damaged or of a newer format, or the store is in use.
    """
    from signkit.audit.entry import AuditEntry
    from signkit.operations.access import recordable
    from signkit.operations.restoring import Acceptance
    from signkit.store.sqlite import SqliteStore
    from signkit.wiring import new_id

    entry = AuditEntry(wiring.clock(), wiring.principal, "RestoreStore", "ok", new_id(), detail=recordable(source))
    replaced = _replaced(wiring) if overwrite else None
    accept = Acceptance(entry, replaced, notes(checkpoints), key)
    if overwrite and replaced is None and os.path.lexists(wiring.store_path):
        accept.remarks.append("the replaced store can't be read, so its audit log was not compared with the backup's")
    done = SqliteStore.restore(source, wiring.store_path, accept=accept, overwrite=overwrite, dry_run=dry_run)
    return RestoredStore(wiring.store_path, done.identity.id, done.identity.root_key, done.kept, tuple(accept.remarks))


def _replaced(wiring: Wiring) -> Replaced | None:
    """What is known of the store that is to be replaced, whose permissions hold; None when it can't be opened.

    Raises:
        AccessDeniedError: the caller may not replace it.
    """
    from signkit.operations.restoring import Replaced

    with suppress(StoreError):
        with wiring.keys.access.attempt("RestoreStore") as attempt:
            attempt.allow()
            known = Replaced(wiring.store.id, wiring.store.audit_head())
        wiring.close()
        return known
    wiring.close()
    return None


def notes(paths: Sequence[str]) -> list[tuple[str, bytes]]:
    """Name and content of each checkpoint file."""
    from signkit.audit.checkpoint import MAXIMUM_SIZE

    source = FileSource()
    return [(path, source.read(path, limit=MAXIMUM_SIZE, what="checkpoint")) for path in paths]


def recovery_key(path: str, password_file: str | None) -> tuple[bytes, bytes | None]:
    """Content of the offline private key's file and its password, both from private files.

    Raises:
        RootKeyError: one of the files is missing, open to others, or too large.
    """
    from signkit.custody.private_files import read_private

    key = read_private(path, limit=_MAXIMUM_KEY, what="recovery key file")
    if password_file is None:
        return key, None
    return key, read_private(password_file, limit=_MAXIMUM_KEY, what="password file").removesuffix(b"\n")


def verify_receipt(path: str, key: LogKey, *, entry: bytes = b"", artifact: str | None = None) -> Numbered:
    """What a receipt proves; needs no store.

    Raises:
        MalformedError: not a receipt, or of another log.
        SignatureValueError: it does not prove its entry, or is for another entry or artifact.
    """
    from signkit.audit.receipt import MAXIMUM_SIZE
    from signkit.operations.audit_evidence import require_about, verify_receipt

    source = FileSource()
    found = verify_receipt(source.read(path, limit=MAXIMUM_SIZE, what="receipt"), key, entry)
    if artifact is not None:
        require_about(found.entry, artifact, source)
    return found


def files_beside(path: str) -> list[Finding]:
    """What interrupted copies and restores have left beside a store."""
    from signkit.operations.doctor import Finding

    folder, name = os.path.split(os.path.abspath(path))
    found = sorted(
        one
        for one in os.listdir(folder)
        if one.startswith(f"{name}.replaced-") or (one.startswith(f".{name}.") and one.endswith(".tmp"))
    )
    if not found:
        return []
    detail = f"beside the store: {', '.join(found[:10])}; they hold sealed keys: remove them when nobody needs them"
    return [Finding("files", "note", detail)]
