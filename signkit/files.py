"""Files: artifacts streamed through digests, small inputs with a size limit, outputs written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from signkit.algorithms import digests
from signkit.errors import FileError, OutputExistsError
from signkit.ports import Digests

BUFFER = 1 << 20
_SMALL = 1 << 16
_HEAD = 8
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileSource:
    """Reads artifacts and small inputs; see ``ports.ArtifactSource``."""

    def __init__(self, *, follow_links: bool = True, progress: Callable[[int], None] | None = None) -> None:
        """Make a source.

        Args:
            follow_links: whether an artifact may be a symbolic link.
            progress: called with the number of bytes that were just digested.
        """
        self._follow_links = follow_links
        self._progress = progress

    def digest(self, path: str, algorithms: Collection[str]) -> Digests:
        """See ``ports.ArtifactSource.digest``."""
        hashers = {name: digests.new(name) for name in algorithms}
        with _reading(path, "artifact", follow_links=self._follow_links) as descriptor:
            before = os.fstat(descriptor)
            updates = [hasher.update for hasher in hashers.values()]
            head = os.pread(descriptor, _HEAD, 0)
            size = self._stream(descriptor, before.st_size, updates)
            after = os.fstat(descriptor)
        if _identity(before) != _identity(after) or size != after.st_size:
            raise FileError(
                f"{path}: changed while it was read: {before.st_size} bytes before, {size} read, {after.st_size} after",
                path=path,
                hint="let whatever writes the file finish first",
            )
        return Digests(size, {name: hasher.digest() for name, hasher in hashers.items()}, head)

    def _stream(self, descriptor: int, size: int, updates: Sequence[Callable[[bytes | memoryview], None]]) -> int:
        total = 0
        if size < _SMALL:
            while total <= size and (chunk := os.read(descriptor, _SMALL)):  # one that grows is not followed for ever
                for update in updates:
                    update(chunk)
                total += len(chunk)
        else:
            buffer = memoryview(bytearray(BUFFER))
            while total <= size and (count := os.readv(descriptor, [buffer])):
                for update in updates:
                    update(buffer[:count])
                total += count
                if self._progress is not None:
                    self._progress(count)
            return total
        if self._progress is not None:
            self._progress(total)
        return total

    def read(self, path: str, *, limit: int, what: str) -> bytes:
        """See ``ports.ArtifactSource.read``."""
        if path == "-":
            try:
                data = sys.stdin.buffer.read(limit + 1)
            except OSError as error:
                raise _cannot_read("standard input", what, error) from error
        else:
            with _reading(path, what) as descriptor, os.fdopen(os.dup(descriptor), "rb") as stream:
                # None: some files of the system claim to be regular and have nothing to read as yet.
                data = stream.read(limit + 1) or b""
        if len(data) > limit:
            raise FileError(
                f"{path}: larger than {limit} bytes, too large for a {what}",
                path=path,
                hint=f"check that this is the {what} and not the artifact",
            )
        return data

    def exists(self, path: str) -> bool:
        """See ``ports.ArtifactSource.exists``."""
        return path == "-" or os.path.lexists(path)


class FileSink:
    """Writes files whole or not at all; see ``ports.OutputSink``."""

    def __init__(self) -> None:
        self._batch: set[str] | None = None

    def make_folder(self, path: str, *, private: bool = True) -> None:
        """See ``ports.OutputSink.make_folder``."""
        try:
            os.makedirs(path, mode=0o700 if private else 0o777, exist_ok=True)
        except OSError as error:
            raise _cannot_write(path, error) from error

    def check(self, paths: Iterable[str], *, overwrite: bool) -> None:
        """See ``ports.OutputSink.check``."""
        folders: set[str] = set()
        for path in paths:
            if "\0" in path:
                raise FileError(f"{path!r}: is no path: it has a NUL character", path=path, hint="check the path")
            folder = os.path.dirname(path) or "."
            if folder not in folders:
                _check_folder(folder, path)
                folders.add(folder)
            if os.path.isdir(path):
                hint = "remove it, or write elsewhere"
                raise FileError(f"{path}: is a directory, expected a file to write", path=path, hint=hint)
            if not overwrite and os.path.lexists(path):
                raise _exists(path)

    def write(self, path: str, data: bytes, *, overwrite: bool, private: bool = False) -> None:
        """See ``ports.OutputSink.write``."""
        self.write_parts(path, [data], overwrite=overwrite, private=private)

    def write_parts(self, path: str, parts: Iterable[bytes], *, overwrite: bool, private: bool = False) -> None:
        """Like ``write``, for what is too large to be had at once."""
        folder, name = os.path.split(path)
        temporary = os.path.join(folder, f".{name[:50]}.{secrets.token_hex(6)}.tmp")
        try:
            self._write_temporary(temporary, parts, 0o600 if private else 0o666)
            if overwrite:
                os.replace(temporary, path)
            else:
                _place(temporary, path)
        except FileExistsError:
            raise _exists(path) from None
        except OSError as error:
            raise _cannot_write(path, error) from error
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if self._batch is None:
            _sync_folder(folder or ".")
        else:
            self._batch.add(folder or ".")

    def _write_temporary(self, temporary: str, parts: Iterable[bytes], mode: int) -> None:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        try:
            for part in parts:
                view = memoryview(part)
                while view:
                    view = view[os.write(descriptor, view) :]
            if self._batch is None:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def batch(self, paths: Iterable[str] = ()) -> Iterator[None]:
        """See ``ports.OutputSink.batch``. What was written before an error is synced too."""
        self._batch = {os.path.dirname(path) or "." for path in paths}
        try:
            yield
        finally:
            folders, self._batch = self._batch, None
            _sync_file_systems(folders)


def blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about a megabyte."""
    block = bytearray()
    for part in parts:
        block += part
        if len(block) >= BUFFER:
            yield bytes(block)
            block.clear()
    yield bytes(block)


@contextlib.contextmanager
def _reading(path: str, what: str, *, follow_links: bool = True) -> Iterator[int]:
    """A descriptor of a regular file. O_NONBLOCK keeps a named pipe from blocking the open for ever."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _cannot_read(path, what, error) from error
    except ValueError as error:
        raise FileError(f"{path!r}: is no path ({what}): {error}", path=path, hint="check the path") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            hint = "name the files in it"
            raise FileError(f"{path}: is a directory, expected a file ({what})", path=path, hint=hint)
        if not stat.S_ISREG(mode):
            hint = "pipes and devices have no content that stays: copy it into a file first"
            raise FileError(f"{path}: is not a regular file, expected one ({what})", path=path, hint=hint)
        yield descriptor
    except OSError as error:
        raise _cannot_read(path, what, error) from error
    finally:
        os.close(descriptor)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _cannot_read(path: str, what: str, error: OSError) -> FileError:
    if error.errno == errno.ENOENT:
        message, hint = f"{path}: no such file ({what})", "check the path"
    elif error.errno in (errno.EACCES, errno.EPERM):
        message, hint = f"{path}: not readable by this user ({what})", "check the permissions of file and folders"
    elif error.errno == errno.ELOOP:
        message = f"{path}: is a symbolic link, expected a regular file ({what})"
        hint = "name the file itself, or follow links with --follow"
    else:
        message, hint = f"{path}: can't be read ({what}): {error.strerror}", ""
    return FileError(message, path=path, hint=hint)


def _cannot_write(path: str, error: OSError) -> FileError:
    if error.errno in _DISK_FULL:
        message, hint = f"{path}: could not be written: the disk is full", "make room and run the command again"
    elif error.errno == errno.ENOENT:
        message, hint = f"{path}: could not be written: its folder does not exist", "create the folder first"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        message = f"{path}: could not be written: the folder is read-only for this user"
        hint = "write elsewhere, or change the folder's permissions"
    else:
        message, hint = f"{path}: could not be written: {error.strerror}", ""
    return FileError(message, path=path, hint=hint)


def _check_folder(folder: str, path: str) -> None:
    if not os.path.isdir(folder):
        raise _cannot_write(path, OSError(errno.ENOENT, os.strerror(errno.ENOENT)))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _cannot_write(path, OSError(errno.EACCES, os.strerror(errno.EACCES)))


def _exists(path: str) -> OutputExistsError:
    return OutputExistsError(f"{path}: exists already", path=path, hint="use --force to overwrite it")


def _place(temporary: str, path: str) -> None:
    """Give the file its name unless that is taken; a hard link does both at once."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES):
            raise
        # A file system without hard links: the look and the rename are two steps there.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.rename(temporary, path)


def _sync_folder(folder: str) -> None:
    """Make the names in a folder durable, where the file system can and the user may."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that can't sync folders
            raise _cannot_write(folder, error) from error
    finally:
        os.close(descriptor)


def _sync_file_systems(folders: Iterable[str]) -> None:
    """One sync of each file system that the folders are on."""
    devices: dict[int, str] = {}
    for folder in folders:
        with contextlib.suppress(OSError):
            devices.setdefault(os.stat(folder).st_dev, folder)
    for folder in devices.values():
        _sync_file_system(folder)


def _sync_file_system(folder: str) -> None:
    import ctypes  # only a batch needs it

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # not Linux
        os.sync()
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except PermissionError:
        os.sync()
        return
    try:
        if syncfs(descriptor) != 0:
            error = ctypes.get_errno()
            raise _cannot_write(folder, OSError(error, os.strerror(error)))
    finally:
        os.close(descriptor)


def find(folder: str, suffix: str) -> list[str]:
    """Paths of the regular files below a folder whose names end so, sorted; links are not followed.

    Raises:
        FileError: the folder, or one in it, can't be read.
    """
    found: list[str] = []

    def fail(error: OSError) -> None:
        raise _cannot_read(str(error.filename or folder), "folder", error)

    if not os.path.isdir(folder):
        raise FileError(f"{folder}: no such folder", path=folder, hint="check the path")
    for parent, _folders, names in os.walk(folder, onerror=fail):
        paths = (os.path.join(parent, name) for name in names if name.endswith(suffix))
        found += (path for path in paths if os.path.isfile(path) and not os.path.islink(path))
    return sorted(found)
