"""Where artifacts come from and results go, as operations see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


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

    def batch(self) -> AbstractContextManager[None]:
        """Within it single files are not synced; at its end the file systems written to are synced once."""
