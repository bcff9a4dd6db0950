"""Putting a new store in the place of another one, which is kept beside it, while nobody uses either."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from signkit.errors import StoreError
from signkit.store.database import escape, store_error

_WAIT = 5.0
_BESIDE = ("-wal", "-shm", "-journal")
_UNREADABLE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


class Replacing:
    """Puts a file in the place of a store.

    Attributes:
        kept: where the replaced store lies.
    """

    def __init__(self, path: str) -> None:
        self.kept = free_name(path)

    def __call__(self, temporary: str, path: str) -> None:
        """Replace the store at ``path``; killed at any point, one of the two stores is there, whole.

        Raises:
            StoreError: somebody is using the store.
            OSError: the files could not be renamed.
        """
        with _unused(path) as sound:
            for suffix in () if sound else _BESIDE:  # a sound store has nothing beside it now that it still needs
                with suppress(FileNotFoundError):
                    os.rename(f"{path}{suffix}", f"{self.kept}{suffix}")
            try:
                os.link(path, self.kept, follow_symlinks=False)
            except OSError:  # a file system without hard links: killed between the two, the store is under that name
                os.rename(path, self.kept)
            os.replace(temporary, path)


def free_name(path: str) -> str:
    """A name beside a store that nothing has: ``PATH.replaced-1``, ``-2`` ..."""
    number = 1
    while os.path.lexists(name := f"{path}.replaced-{number}"):
        number += 1
    return name


@contextmanager
def _unused(path: str) -> Iterator[bool]:
    """Have the store to oneself: its write-ahead log is moved into it, and whoever opens it waits.

    A store too damaged to be locked is nobody's.

    Yields:
        whether it could be locked.

    Raises:
        StoreError: somebody is using it.
    """
    with closing(
        sqlite3.connect(f"file://{escape(path)}?mode=rw", uri=True, timeout=_WAIT, isolation_level=None)
    ) as db:
        sound = True
        try:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise StoreError(
                    f"the store {path} is in use, expected nobody to use it while it is replaced",
                    hint="end whatever uses it (the server, other commands), then try again",
                ) from error
            if error.sqlite_errorcode & 0xFF not in _UNREADABLE:
                raise store_error(error, path) from error
            sound = False
        yield sound
