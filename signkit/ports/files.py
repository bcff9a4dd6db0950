"""Where artifacts come from and results go, as operations see it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol


class Digests(NamedTuple):
    """Digests of one artifact, taken in one pass.

    Attributes:
        size: bytes read.
        values: digest algorithm name (``sha256``) to digest.
        head: the first 8 bytes, fewer when there are no more.
    """

    size: int
    values: Mapping[str, bytes]
    head: bytes = b""


class ArtifactSource(Protocol):
    """Reads artifacts and small inputs."""

    def digest(self, path: str, algorithms: Collection[str]) -> Digests:
        """Stream a file once through all the digest algorithms; memory does not grow with its size.

        Raises:
            FileError: missing, a directory, unreadable, or changed while it was read.
        """

    def read(self, path: str, *, limit: int, what: str) -> bytes:
        """A whole small file.

        Args:
            path: the file; ``-`` is standard input.
            limit: most bytes that are accepted.
            what: what the file is to the user, for messages ("signature", "certificate").

        Raises:
            FileError: missing, a directory, unreadable, larger than ``limit``.
        """

    def exists(self, path: str) -> bool:
        """Whether something is at that path."""


class TreeEntry(NamedTuple):
    """One thing below a folder that is no folder itself.

    Attributes:
        name: path relative to the folder, with ``/``.
        is_file: whether it is a regular file, or a link to one below the same folder.
        is_link: whether it is a symbolic link.
        size: bytes of the file.
        identity: what tells this file from another that takes its name.
    """

    name: str
    is_file: bool
    is_link: bool
    size: int
    identity: tuple[int, int]


class Tree(Protocol):
    """Finds and digests the files below a folder."""

    def entries(self, folder: str, skip: Callable[[str], bool]) -> list[TreeEntry]:
        """Everything below a folder but folders, by name. Links to folders are links and not looked into.

        Args:
            folder: the folder.
            skip: says of a name that it shall be left out.

        Raises:
            FileError: a folder is missing or can't be read.
        """

    def digest(self, folder: str, entries: Sequence[TreeEntry], algorithm: str) -> Iterator[tuple[TreeEntry, bytes]]:
        """Digests of files, in the order given.

        Raises:
            FileError: one is missing, unreadable, another file than was listed, or changed while it was read.
        """


class OutputSink(Protocol):
    """Writes files whole or not at all."""

    def make_folder(self, path: str, *, private: bool = True) -> None:
        """Make a folder for this user alone, or as the umask says, with its parents; one that exists stays as it is.

        Raises:
            FileError: it could not be made, or a file is in the way.
        """

    def check(self, paths: Iterable[str], *, overwrite: bool) -> None:
        """Fail early when a file could not be written: it exists, or its folder is missing or read-only.

        Raises:
            OutputExistsError: it exists and ``overwrite`` is false.
            FileError: its folder is missing or not writable.
        """

    def write(self, path: str, data: bytes, *, overwrite: bool, private: bool = False) -> None:
        """Write one file atomically and durably (temporary file, sync, rename).

        Raises:
            OutputExistsError: it exists and ``overwrite`` is false.
            FileError: it could not be written; nothing is left behind.
        """

    def batch(self, paths: Iterable[str] = ()) -> AbstractContextManager[None]:
        """Within it single files are not synced; at its end the file systems written to are synced once.

        Args:
            paths: files that other processes may write meanwhile, through a copy of this sink.
        """


class Workers(Protocol):
    """Lets work on many files be done at once.

    Attributes:
        count: how many work at once.
    """

    count: int

    def large(self, paths: Sequence[str]) -> frozenset[str]:
        """Those of the files that are worth a thread each; the others are for processes."""

    def processes(
        self, work: Callable[[Any], Any], files: int
    ) -> AbstractContextManager[Callable[[Any], Callable[[], Any]]]:
        """Processes that do one kind of work; where that does not pay, it is done in this one.

        What the work holds is as it was when this began; its arguments and results are pickled. Gives a function that
        hands over one piece of work and gives another that waits for its result.

        Args:
            work: takes and returns one piece.
            files: how many files there are.

        Raises:
            UnavailableError: (the waiting function) a process ended before its work was done.
        """

    def threads(self, work: Callable[[Any], Any]) -> AbstractContextManager[Callable[[Any], Callable[[], Any]]]:
        """Threads that do one kind of work; used as ``processes``."""

    def advance(self, size: int) -> None:
        """Note that so many bytes were digested elsewhere."""
