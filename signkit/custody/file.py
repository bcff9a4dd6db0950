"""``file:PATH``: the root key is a private file of 32 random bytes, best kept apart from the store."""

from __future__ import annotations

import os
import secrets

from signkit.custody.private_files import read_private
from signkit.errors import RootKeyError, UsageError
from signkit.keys.sealing import KEY_SIZE, RootSecret

_WHAT = "root key file"


class FileRootKey:
    """A root key in a file.

    Attributes:
        path: absolute path of the file.
        uri: ``file:`` and that path, so that it holds from any current folder.
    """

    def __init__(self, location: str) -> None:
        if not location or "\0" in location:
            raise UsageError("'file:' names no root key file", hint="for example file:/PATH/root.key")
        self.path = os.path.abspath(location)
        self.uri = f"file:{self.path}"

    def create(self) -> RootSecret:
        """The root key for a new store. A file that exists is used as it is and never overwritten.

        Raises:
            RootKeyError: the file could not be made, or the one that exists is not acceptable.
        """
        if not os.path.lexists(self.path):
            try:
                _make_folders(os.path.dirname(self.path))
                _write_new(self.path, secrets.token_bytes(KEY_SIZE))
            except FileExistsError:
                pass  # made by someone else in between: theirs is used
            except OSError as error:
                raise RootKeyError(f"the {_WHAT} {self.path} can't be made: {error.strerror or error}") from error
        return self.load()

    def load(self) -> RootSecret:
        """The root key.

        Raises:
            RootKeyError: the file is missing, not private, or not of 32 bytes.
        """
        key = read_private(self.path, limit=KEY_SIZE, what=_WHAT)
        if len(key) != KEY_SIZE:
            raise RootKeyError(f"the {_WHAT} {self.path} has {len(key)} bytes, expected {KEY_SIZE}")
        return RootSecret("key", key)


def _make_folders(folder: str) -> None:
    """Make the folder and those above it that are missing, open to the user alone, durably."""
    if not os.path.isdir(folder):
        above = os.path.dirname(folder)
        _make_folders(above)
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            return
        _sync_folder(above)


def _write_new(path: str, data: bytes) -> None:
    """Write a file of mode 0600 that did not exist, durably; it is taken away again when that fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask took away
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        _sync_folder(os.path.dirname(path))
    except BaseException:
        os.unlink(path)
        raise


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
