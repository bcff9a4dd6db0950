"""Reading files that hold secrets: only from a regular file of one's own that nobody else may read."""

from __future__ import annotations

import os
import stat
import struct

from signkit.errors import RootKeyError

_ACL = "system.posix_acl_access"
_ACL_HEADER, _ACL_ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_ACL_VERSION = 2
_ACL_USER_OBJ, _ACL_USER, _ACL_MASK = 0x01, 0x02, 0x10


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
        _check_private(descriptor, path, what)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, what, error) from error
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise RootKeyError(f"the {what} {path} is too large: expected at most {limit} bytes")
    return data


def _check_private(descriptor: int, path: str, what: str) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
        raise RootKeyError(f"the {what} {path} is {kind}, expected a regular file")
    if status.st_uid not in (os.geteuid(), 0):
        raise RootKeyError(
            f"the {what} {path} belongs to user {status.st_uid}, expected {os.geteuid()} or root",
            hint="whoever owns the file can replace it: copy it to one of your own",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o007 or (mode & 0o070 and not _only_own_access(descriptor)):
        raise RootKeyError(
            f"the {what} {path} is open to others: found mode {mode:04o}, expected 0600",
            hint=f"chmod 600 {path}; if others could read it, take it as known to them",
        )


def _only_own_access(descriptor: int) -> bool:
    """Whether the group bits stand for an access control list that lets in nobody but this user and root.

    systemd gives a service access to root's credentials in this way; the group bits are the list's mask then (acl(5)).
    """
    try:
        data = os.getxattr(descriptor, _ACL)
    except (OSError, AttributeError):  # no list, or a system that has none
        return False
    if len(data) % _ACL_ENTRY.size != _ACL_HEADER.size or _ACL_HEADER.unpack_from(data)[0] != _ACL_VERSION:
        return False
    for tag, permissions, number in _ACL_ENTRY.iter_unpack(data[_ACL_HEADER.size :]):
        own = tag in (_ACL_USER_OBJ, _ACL_MASK) or (tag == _ACL_USER and number in (os.geteuid(), 0))
        if permissions and not own:
            return False
    return True


def _unreadable(path: str, what: str, error: OSError | ValueError) -> RootKeyError:
    if isinstance(error, FileNotFoundError):
        return RootKeyError(f"the {what} {path} is missing", hint="restore it from your backup, or name the right path")
    if os.path.islink(path):
        return RootKeyError(
            f"the {what} {path} is a symbolic link, expected a regular file", hint="name the file that it points to"
        )
    return RootKeyError(f"the {what} {path} can't be read: {getattr(error, 'strerror', None) or error}")
