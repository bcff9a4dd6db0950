"""Reading files that hold secrets: only from a regular file of one's own that nobody else may read."""

from __future__ import annotations

import os
import stat

from signkit.errors import RootKeyError


def read_private(path: str, *, limit: int, what: str) -> bytes:
    """The whole content of a private file.

    Args:
        path: the file; a symbolic link is refused.
        limit: most bytes that are accepted.
        what: what the file is to the user, for messages ("root key file").

    Raises:
        RootKeyError: missing, unreadable, not a regular file, another user's, open to group or others, or too large.
    """
    try:
        # Without O_NONBLOCK opening a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise _unreadable(path, what, error) from error
    try:
        _check_private(os.fstat(descriptor), path, what)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, what, error) from error
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise RootKeyError(f"the {what} {path} is too large: expected at most {limit} bytes")
    return data


def _check_private(status: os.stat_result, path: str, what: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
        raise RootKeyError(f"the {what} {path} is {kind}, expected a regular file")
    if status.st_uid not in (os.geteuid(), 0):
        raise RootKeyError(
            f"the {what} {path} belongs to user {status.st_uid}, expected {os.geteuid()} or root",
            hint="whoever owns the file can replace it: copy it to one of your own",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise RootKeyError(
            f"the {what} {path} is open to others: found mode {mode:04o}, expected 0600",
            hint=f"chmod 600 {path}; if others could read it, take it as known to them",
        )


def _unreadable(path: str, what: str, error: OSError | ValueError) -> RootKeyError:
    if isinstance(error, FileNotFoundError):
        return RootKeyError(f"the {what} {path} is missing", hint="restore it from your backup, or name the right path")
    if os.path.islink(path):
        return RootKeyError(
            f"the {what} {path} is a symbolic link, expected a regular file", hint="name the file that it points to"
        )
    return RootKeyError(f"the {what} {path} can't be read: {getattr(error, 'strerror', None) or error}")
