"""One SQLite database, opened so that what is acknowledged is durable, and with its errors in signkit's words.

Write-ahead log with ``synchronous=FULL``: every commit is one sync, and nothing acknowledged is lost in a power cut. A
writing transaction takes the writer's lock at its beginning (``BEGIN IMMEDIATE``), so it never fails half way because
another process wrote in between.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, TypeVar

from signkit.errors import StoreError

_T = TypeVar("_T")

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process that is writing."""

_SETTINGS = ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON", "secure_delete=ON")
_NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph")
)
_ERRORS = (sqlite3.Error, UnicodeDecodeError)  # the latter when SQLite quotes what damage has left of a name
_REASONS = {
    sqlite3.SQLITE_BUSY: (
        f"is locked: expected its turn to write within {BUSY_TIMEOUT:.0f} s",
        "another signkit is writing to it; wait for it to end, then try again",
    ),
    sqlite3.SQLITE_READONLY: ("is read-only", "its file and its folder must be writable"),
    sqlite3.SQLITE_NOTADB: ("is not a store: expected a SQLite database, found another file", "name the right store"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "restore it from a backup"),
    sqlite3.SQLITE_FULL: ("has no room to grow", "make room; nothing of this operation was kept"),
    sqlite3.SQLITE_IOERR: ("could not be read or written", "check the disk and its free space, then try again"),
    sqlite3.SQLITE_CANTOPEN: ("can't be opened", "you must be able to read and write its file and its folder"),
}


class Database:
    """A connection.

    Attributes:
        path: the database file.
        writable: whether it may be written; if not, every change raises StoreError.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, *, writable: bool) -> None:
        self._connection = connection
        self.path = path
        self.writable = writable
        self._file: tuple[int, int] | None = None

    @classmethod
    def open(cls, path: str, *, read_only: bool = False) -> Database:
        """Open a database file that exists; for reading only when asked to, or when file or folder is not writable.

        Raises:
            StoreError: missing, not a database, damaged, or on a network file system.
        """
        path = os.path.abspath(path)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            raise StoreError(f"there is no store at {path}", hint="run 'signkit init'") from None
        except OSError as error:
            hint = "run as the user who made it, or name another --home"
            raise StoreError(f"the store {path} can't be looked at: {error.strerror}", hint=hint) from error
        _refuse_network_file_system(path)
        if not read_only and os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK):
            database = cls._connect(path, "mode=rw", writable=True)
            database._file = (status.st_dev, status.st_ino)
            return database
        # Without its write-ahead log, and where none can be made, SQLite reads a database only as an immutable one.
        immutable = "" if os.path.exists(f"{path}-wal") else "&immutable=1"
        return cls._connect(path, f"mode=ro{immutable}", writable=False)

    @classmethod
    def create(cls, path: str) -> Database:
        """Make an empty database file of mode 0600, and its folder of mode 0700 when it is missing.

        A file that exists is opened: whether it is an unfinished store is decided in the transaction that fills it, so
        that neither a crash nor two processes at once leave half a store.

        Raises:
            StoreError: it could not be made, or what exists is not a database.
        """
        path = os.path.abspath(path)
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with suppress(FileExistsError):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                os.close(descriptor)
        except OSError as error:
            raise StoreError(f"the store {path} can't be made: {error.strerror}: {error.filename}") from error
        database = cls.open(path)
        try:
            if not database.rows("SELECT name FROM sqlite_schema"):
                database.use_write_ahead_log()
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def in_memory(cls) -> Database:
        """An empty database that is never written to a disk."""
        return cls(sqlite3.connect(":memory:", isolation_level=None), ":memory:", writable=True)

    @classmethod
    def _connect(cls, path: str, query: str, *, writable: bool) -> Database:
        try:
            connection = sqlite3.connect(
                f"file://{escape(path)}?{query}", uri=True, timeout=BUSY_TIMEOUT, isolation_level=None
            )
        except _ERRORS as error:
            raise store_error(error, path) from error
        database = cls(connection, path, writable=writable)
        try:
            for setting in _SETTINGS:
                database.execute(f"PRAGMA {setting}")
        except BaseException:
            database.close()
            raise
        return database

    def require_in_place(self) -> None:
        """Refuse a file that was replaced by a restore since it was looked for: its log would be taken for the other's.

        Raises:
            StoreError: it was.
        """
        if self._file is None:
            return
        with suppress(OSError):
            status = os.stat(self.path)
            if self._file == (status.st_dev, status.st_ino):
                return
        raise StoreError(f"the store {self.path} was replaced just now by a restore", hint="run the command again")

    def use_write_ahead_log(self) -> None:
        """Put a writable database into the write-ahead mode; apart from opening, because it changes the file for good.

        Raises:
            StoreError: where the file is, SQLite can't have a write-ahead log.
        """
        if self.writable:
            [(mode,)] = self.rows("PRAGMA journal_mode=WAL")
            if mode != "wal":
                raise StoreError(
                    f"the store {self.path} can't have a write-ahead log: expected journal mode wal, found {mode}",
                    hint="keep it on a local disk",
                )

    def close(self) -> None:
        """Close the connection; closing twice is allowed."""
        self._connection.close()

    def rows(self, statement: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            StoreError: the query failed.
        """
        try:
            return self._connection.execute(statement, arguments).fetchall()
        except _ERRORS as error:
            raise store_error(error, self.path) from error

    def values(
        self, what: str, convert: Callable[[Sequence[Any]], _T], statement: str, arguments: Sequence[Any] = ()
    ) -> list[_T]:
        """The rows of a query as values.

        Args:
            what: what a row is to the user ("key"); the first column names it.
            convert: makes a value of a row, or raises ValueError.
            statement: the query.
            arguments: its parameters.

        Raises:
            StoreError: the query failed, or a row holds what no value can come from.
        """
        found = []
        for row in self.rows(statement, arguments):
            try:
                found.append(convert(row))
            except (ValueError, OverflowError) as error:
                raise self.damaged(f"{what} {row[0]}: {error}") from error
        return found

    def damaged(self, detail: str) -> StoreError:
        """The error for a row that holds what this release never wrote."""
        return StoreError(f"the store {self.path} is damaged: {detail}", hint="restore it from a backup")

    def stream(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, one after the other, as they were when it began.

        Raises:
            StoreError: the query failed.
        """
        try:
            yield from self._connection.execute(statement)
        except _ERRORS as error:
            raise store_error(error, self.path) from error

    def execute(self, statement: str, arguments: Sequence[Any] = ()) -> int:
        """Run one statement.

        Returns:
            number of rows it changed.

        Raises:
            StoreError: it failed.
        """
        try:
            return self._connection.execute(statement, arguments).rowcount
        except _ERRORS as error:
            raise store_error(error, self.path) from error

    def execute_many(self, statement: str, arguments: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each set of arguments.

        Raises:
            StoreError: it failed.
        """
        try:
            self._connection.executemany(statement, arguments)
        except _ERRORS as error:
            raise store_error(error, self.path) from error

    @contextmanager
    def change(self) -> Iterator[None]:
        """A writing transaction: durable when the block ends, undone when it raises.

        Raises:
            StoreError: read-only, locked for too long, or it could not be made durable.
        """
        if not self.writable:
            raise StoreError(
                f"the store {self.path} is read-only", hint=_REASONS[sqlite3.SQLITE_READONLY][1], code="StoreReadOnly"
            )
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A reading transaction: all queries in the block see the same moment."""
        with self._transaction("BEGIN"):
            yield

    def empty_log(self) -> bool:
        """Move what is in the write-ahead log into the database file and cut the log to nothing.

        Together with ``secure_delete`` nothing is left in the files of what was overwritten.

        Returns:
            False when it could not be done now, for example because somebody is reading; a later change or the last
            one to close the store does it then.
        """
        try:
            [(busy, *_)] = self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        except StoreError:
            return False
        return not busy

    def copy_to(self, path: str) -> None:
        """Write a consistent copy of the database, as of one moment, over an empty file; it needs no second file.

        Raises:
            StoreError: it could not be read, or the copy could not be written.
        """
        try:
            with closing(sqlite3.connect(f"file://{escape(path)}?mode=rw", uri=True, isolation_level=None)) as copy:
                copy.execute("PRAGMA journal_mode=OFF")  # who makes the copy discards it when this fails
                self._connection.backup(copy)
                [(mode,)] = copy.execute("PRAGMA journal_mode=DELETE").fetchall()
        except _ERRORS as error:
            hint = "check the disk and its free space; nothing of the copy was kept"
            raise StoreError(f"the store {self.path} could not be copied: {error}", hint=hint) from error
        if mode != "delete":
            raise StoreError(f"the store {self.path} could not be copied: expected journal mode delete, found {mode}")

    def copy_in_memory(self) -> Database:
        """A consistent copy that is never written to a disk.

        Raises:
            StoreError: it could not be read.
        """
        copy = Database.in_memory()
        try:
            self._connection.backup(copy._connection)
        except _ERRORS as error:
            copy.close()
            raise store_error(error, self.path) from error
        return copy

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self.execute(begin)
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite undoes some failures itself
                self.execute("ROLLBACK")
            raise


def statements(script: str) -> Iterator[str]:
    """The single statements of an SQL script; unlike ``executescript`` they can run within a transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def escape(path: str) -> str:
    """A path as it stands in a URI."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def store_error(error: Exception, path: str) -> StoreError:
    """What SQLite says, as what became of the store."""
    unknown = sqlite3.SQLITE_CORRUPT if isinstance(error, UnicodeDecodeError) else sqlite3.SQLITE_ERROR
    code = getattr(error, "sqlite_errorcode", unknown) & 0xFF  # the rest of it is the extended code
    reason, hint = _REASONS.get(code, ("could not be used", ""))
    return StoreError(f"the store {path} {reason}: {error}", hint=hint)


def _refuse_network_file_system(path: str) -> None:
    """Locks and shared memory of SQLite's write-ahead log do not work across machines.

    Raises:
        StoreError: the file is on a network file system (found on Linux only).
    """
    kind = _file_system(path)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"the store {path} is on a network file system ({kind}), expected a local disk",
            hint="two machines writing to it would damage it; keep it on a local disk",
        )


def _file_system(path: str) -> str:
    """Type of the file system that holds the file, as in /proc/self/mountinfo (proc(5)); empty when not known."""
    try:
        device = os.stat(path).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            for mount in mounts:
                fields, _, rest = mount.partition(" - ")
                if fields.split(" ", 3)[2] == wanted:
                    return rest.split(" ", 1)[0]
    except (OSError, IndexError):
        pass
    return ""
