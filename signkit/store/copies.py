"""Copies of a store in one file: backup and restore. Both write whole files or none, and overwrite nothing unasked."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from signkit.audit.entry import AuditEntry
from signkit.errors import OutputExistsError, StoreError
from signkit.store import replacing
from signkit.store.audit_log import AuditLog
from signkit.store.check import check
from signkit.store.database import Database
from signkit.store.schema import StoreIdentity, describe, identify

Accept = Callable[[Database], Sequence[AuditEntry]]
"""Looks at a copy before it becomes the store; gives the audit entries with which its log goes on."""

_BESIDE = ("", "-wal", "-shm", "-journal")
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES)


class Restored(NamedTuple):
    """What became of a restore.

    Attributes:
        identity: what the store says about itself.
        kept: where the store lies that was replaced; empty when there was none.
    """

    identity: StoreIdentity
    kept: str


def backup(database: Database, path: str, *, overwrite: bool = False, dry_run: bool = False) -> None:
    """Write a consistent copy of a store to a file of mode 0600, while others go on using the store.

    It holds what the store holds: private keys are sealed in it under the same root key, everything else is readable.

    Args:
        database: the store's.
        path: the file.
        overwrite: whether a file that exists is replaced.
        dry_run: only see whether the file may be written.

    Raises:
        OutputExistsError: the file exists.
        StoreError: the store could not be read, or the file could not be written.
    """
    path = os.path.abspath(path)
    if _is_same_file(path, database.path):
        raise OutputExistsError(f"{path}: is the store itself", path=path, hint="name another file")
    # What lies beside it would be taken for the copy's write-ahead log.
    _require_free(path, [f"{path}{suffix}" for suffix in (_BESIDE[1:] if overwrite else _BESIDE)])
    if not dry_run:
        _write(path, database.copy_to, os.replace if overwrite else _place)


def restore(
    source: str, path: str, *, accept: Accept | None = None, overwrite: bool = False, dry_run: bool = False
) -> Restored:
    """Make a store from a backup, once the backup was found sound. Its root key is that of the store it was made from.

    Args:
        source: the backup.
        path: database file of the store.
        accept: looks at the copy before it takes the place; raises to refuse it, else gives the audit entries with
            which its log goes on.
        overwrite: whether a store that is there is replaced; it is kept under another name.
        dry_run: do everything but writing.

    Raises:
        OutputExistsError: there is a store, or what is left of one.
        StoreError: the backup is missing, damaged or of a newer format, the store could not be written, or the one
            that is to be replaced is in use.
    """
    path = os.path.abspath(path)
    if _is_same_file(source, path):
        raise OutputExistsError(f"{source}: is the store itself", path=path, hint="name the backup")
    if not os.path.lexists(source):
        raise StoreError(f"there is no backup at {source}", hint="check the path")
    replaces = overwrite and os.path.lexists(path)
    if not replaces:
        # A write-ahead log that lies there would be taken for the new store's, and damage it.
        _require_free(path, [f"{path}{suffix}" for suffix in _BESIDE])
    database = Database.open(source, read_only=True)
    try:
        _, identity = describe(database)
        if dry_run:
            _make_sound(database.copy_in_memory(), database.path, accept)
            return Restored(identity, replacing.free_name(path) if replaces else "")
        _make_folder(path)
        place = replacing.Replacing(path) if replaces else _place

        def copy(temporary: str) -> None:
            database.copy_to(temporary)
            _make_sound(Database.open(temporary), database.path, accept)

        _write(path, copy, place)
    finally:
        database.close()
    return Restored(identity, place.kept if isinstance(place, replacing.Replacing) else "")


def _make_sound(copy: Database, source: str, accept: Accept | None) -> None:
    """Bring the copy of a backup up to date, refuse it when it is damaged, and let its audit log go on.

    Raises:
        StoreError: it is damaged.
    """
    try:
        identify(copy)
        findings = check(copy)
        if findings:
            raise StoreError(
                f"the backup {source} is damaged ({len(findings)} findings): {findings[0]}", hint="take another backup"
            )
        if accept is not None:
            entries = accept(copy)
            with copy.change():
                AuditLog(copy).append([entry.encode() for entry in entries])
    finally:
        copy.close()


def _write(path: str, copy_to: Callable[[str], None], place: Callable[[str, str], None]) -> None:
    """Fill a private temporary file beside the path, make it durable, and have it put in its place."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name[:50]}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)  # whatever the umask took away
            copy_to(temporary)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        place(temporary, path)
        _sync_folder(folder)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        for suffix in _BESIDE:
            with suppress(OSError):
                os.unlink(f"{temporary}{suffix}")


def _place(temporary: str, path: str) -> None:
    """Give the file its name unless that is taken; a hard link does both at once."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links: the look and the rename are two steps there.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.rename(temporary, path)


def _make_folder(path: str) -> None:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_free(path: str, names: list[str]) -> None:
    for name in names:
        if os.path.lexists(name):
            raise _exists(name if name == path else path, "" if name == path else name)


def _is_same_file(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _exists(path: str, beside: str = "") -> OutputExistsError:
    if beside:
        message = f"{path}: there are leftovers of another store beside it: {beside}"
        return OutputExistsError(message, path=path, hint="move them away first, they may hold its latest changes")
    return OutputExistsError(
        f"{path}: exists already", path=path, hint="use --force to replace it, or name another file"
    )


def _cannot_write(path: str, error: OSError) -> StoreError:
    return StoreError(f"{path} could not be written: {error.strerror or error}", hint="nothing was kept of it")
