"""Copies of a store in one file: backup and restore. Both write whole files or none, and overwrite nothing unasked."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import suppress

from signkit.errors import OutputExistsError, StoreError
from signkit.store.check import check
from signkit.store.database import Database
from signkit.store.schema import StoreIdentity, describe, identify

_BESIDE = ("", "-wal", "-shm", "-journal")
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES)


def backup(database: Database, path: str, *, overwrite: bool = False) -> None:
    """Write a consistent copy of a store to a file of mode 0600, while others go on using the store.

    It holds what the store holds: private keys are sealed in it under the same root key, everything else is readable.

    Args:
        database: the store's.
        path: the file.
        overwrite: whether a file that exists is replaced.

    Raises:
        OutputExistsError: the file exists.
        StoreError: the store could not be read, or the file could not be written.
    """
    path = os.path.abspath(path)
    if _is_same_file(path, database.path):
        raise OutputExistsError(f"{path}: is the store itself", path=path, hint="name another file")
    if not overwrite:
        _require_free(path, [path])
    _write(path, database.copy_to, overwrite=overwrite)


def restore(source: str, path: str) -> StoreIdentity:
    """Make a store from a backup, once the backup was found sound. Its root key is that of the store it was made from.

    Args:
        source: the backup.
        path: database file of the store; there must be none.

    Raises:
        OutputExistsError: there is a store, or what is left of one.
        StoreError: the backup is missing, damaged or of a newer format, or the store could not be written.
    """
    path = os.path.abspath(path)
    # A write-ahead log that lies there would be taken for the new store's, and damage it.
    _require_free(path, [f"{path}{suffix}" for suffix in _BESIDE])
    database = Database.open(source, read_only=True)
    try:
        _, identity = describe(database)
        _make_folder(path)
        _write(path, lambda copy: _copy_sound(database, copy), overwrite=False)
    finally:
        database.close()
    return identity


def _copy_sound(database: Database, path: str) -> None:
    """Copy a backup, bring the copy up to date, and refuse when it is damaged.

    Raises:
        StoreError: it is, or it could not be copied.
    """
    database.copy_to(path)
    copy = Database.open(path)
    try:
        identify(copy)
        findings = check(copy)
    finally:
        copy.close()
    if findings:
        raise StoreError(
            f"the backup {database.path} is damaged ({len(findings)} findings): {findings[0]}",
            hint="take another backup",
        )


def _write(path: str, copy_to: Callable[[str], None], *, overwrite: bool) -> None:
    """Fill a private temporary file beside the path, make it durable, and give it its name."""
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
        if overwrite:
            os.replace(temporary, path)
        else:
            _place(temporary, path)
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
    return OutputExistsError(f"{path}: exists already", path=path, hint="move it away first, or name another file")


def _cannot_write(path: str, error: OSError) -> StoreError:
    return StoreError(f"{path} could not be written: {error.strerror or error}", hint="nothing was kept of it")
