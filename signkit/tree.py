"""The files below a folder: found without following links, digested by several processes."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from signkit.algorithms import digests
from signkit.errors import FileError
from signkit.ports import TreeEntry

if TYPE_CHECKING:
    from multiprocessing.pool import Pool

_CHUNK = 500
_BUFFER = 1 << 18
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class FileTree:
    """Lists and digests the files below a folder; see ``ports.Tree``."""

    def __init__(self, *, jobs: int = 0, progress: Callable[[int], None] | None = None) -> None:
        """Make one.

        Args:
            jobs: processes that digest; 0 = one for each core that this process may use.
            progress: called with the number of bytes that were just digested.
        """
        self._jobs = jobs or len(os.sched_getaffinity(0))
        self._progress = progress

    def entries(self, folder: str, skip: Callable[[str], bool] = lambda _name: False) -> list[TreeEntry]:
        """See ``ports.Tree.entries``."""
        found: list[TreeEntry] = []
        todo = [""]
        while todo:
            below = todo.pop()
            for name, one in _listed(folder, below):
                if one.is_dir(follow_symlinks=False):
                    todo.append(name)
                elif not skip(name):
                    found.append(_entry(folder, name, one))
        return sorted(found)

    def digest(self, folder: str, entries: Sequence[TreeEntry], algorithm: str) -> Iterator[tuple[TreeEntry, bytes]]:
        """See ``ports.Tree.digest``."""
        chunks = [(folder, entries[start : start + _CHUNK], algorithm) for start in range(0, len(entries), _CHUNK)]
        with _workers(min(self._jobs, len(chunks))) as run:
            for chunk, answers in zip(chunks, run(_digest_chunk, chunks), strict=True):
                for entry, answer in zip(chunk[1], answers, strict=True):
                    if isinstance(answer, FileError):
                        raise answer
                    yield entry, answer
                if self._progress is not None:
                    self._progress(sum(entry.size for entry in chunk[1]))


def _listed(folder: str, below: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """What is in one folder; one that has become a link since it was found is not followed."""
    path = os.path.join(folder, below)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if below else 0))
        try:
            with os.scandir(descriptor) as listing:
                for one in listing:
                    yield (f"{below}/{one.name}" if below else one.name), one
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(path, error) from error


@contextlib.contextmanager
def _workers(count: int) -> Iterator[Callable[..., Iterable[list[bytes | FileError]]]]:
    """What maps a function over chunks: this process, or several when there is work for them."""
    if count <= 1:
        yield map
        return
    import multiprocessing

    pool: Pool = multiprocessing.get_context("fork").Pool(count)
    try:
        yield pool.imap
    finally:
        pool.terminate()
        pool.join()


def _digest_chunk(chunk: tuple[str, Sequence[TreeEntry], str]) -> list[bytes | FileError]:
    folder, entries, algorithm = chunk
    buffer = bytearray(_BUFFER)
    answers: list[bytes | FileError] = []
    for entry in entries:
        path = os.path.join(folder, entry.name)
        try:
            answers.append(_digest(path, entry, algorithm, buffer))
        except OSError as error:
            answers.append(_unreadable(path, error))
        except FileError as error:
            answers.append(error)
    return answers


def _digest(path: str, entry: TreeEntry, algorithm: str, buffer: bytearray) -> bytes:
    """The digest of a file that is still the one that was listed, and stays as it is meanwhile."""
    descriptor = os.open(path, _FLAGS | (0 if entry.is_link else os.O_NOFOLLOW))
    try:
        before = os.fstat(descriptor)
        if (before.st_dev, before.st_ino) != entry.identity or not stat.S_ISREG(before.st_mode):
            raise FileError(
                f"{path}: is another file than a moment ago", path=path, hint="let whatever writes there finish first"
            )
        hasher, total, view = digests.new(algorithm), 0, memoryview(buffer)
        while total <= before.st_size and (count := os.readv(descriptor, [view])):
            hasher.update(view[:count])
            total += count
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if total != after.st_size or (before.st_mtime_ns, before.st_ctime_ns) != (after.st_mtime_ns, after.st_ctime_ns):
        raise FileError(
            f"{path}: changed while it was read: {before.st_size} bytes before, {total} read, {after.st_size} after",
            path=path,
            hint="let whatever writes the file finish first",
        )
    return hasher.digest()


def _entry(folder: str, name: str, one: os.DirEntry[str]) -> TreeEntry:
    status = one.stat(follow_symlinks=False)
    is_link = stat.S_ISLNK(status.st_mode)
    if is_link and (target := _target(folder, name)):
        status = target
    return TreeEntry(name, stat.S_ISREG(status.st_mode), is_link, status.st_size, (status.st_dev, status.st_ino))


def _target(folder: str, name: str) -> os.stat_result | None:
    """What a link leads to, when that lies below the folder too."""
    top, target = os.path.realpath(folder), os.path.realpath(os.path.join(folder, name))
    if os.path.commonpath((top, target)) != top:
        return None
    with contextlib.suppress(OSError):
        return os.lstat(target)
    return None


def _unreadable(path: str, error: OSError) -> FileError:
    return FileError(f"{path}: can't be read: {error.strerror}", path=path, hint="check the path and the permissions")
