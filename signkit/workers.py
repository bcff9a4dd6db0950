"""Work on many files at once: processes for many small files, threads for large ones."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from signkit.errors import UnavailableError

if TYPE_CHECKING:
    from concurrent.futures import Future

LARGE = 8 << 20
"""Bytes from which on a file is worth a thread of its own; hashing lets other threads run meanwhile."""
_FEW = 64
"""So few small files are faster done here than handed to other processes."""

Submit = Callable[[Any], Callable[[], Any]]
_work: Callable[[Any], Any]


class Workers:
    """Runs work in processes and threads; see ``ports.Workers``."""

    def __init__(self, *, jobs: int = 0, progress: Callable[[int], None] | None = None) -> None:
        """Make them; nothing is started here.

        Args:
            jobs: how many work at once; 0 = one for each core that this process may use.
            progress: called with the number of bytes that other processes have digested.
        """
        self.count = jobs or len(os.sched_getaffinity(0))
        self._progress = progress

    def large(self, paths: Sequence[str]) -> frozenset[str]:
        """See ``ports.Workers.large``."""
        if self.count == 1:
            return frozenset()
        return frozenset(path for path in paths if _size(path) >= LARGE)

    @contextlib.contextmanager
    def processes(self, work: Callable[[Any], Any], files: int) -> Iterator[Submit]:
        """See ``ports.Workers.processes``."""
        if self.count == 1 or files < _FEW:
            yield lambda chunk: _done(work(chunk))
            return
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        watched, held = os.pipe()
        pool = ProcessPoolExecutor(self.count, multiprocessing.get_context("fork"), _begin, (work, watched, held))
        try:
            # Workers begin now, before this process opens a private key: they never have one in their memory.
            pool.submit(os.getpid).result()
            yield lambda chunk: _awaited(pool.submit(_call, chunk))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            os.close(watched)
            os.close(held)

    @contextlib.contextmanager
    def threads(self, work: Callable[[Any], Any]) -> Iterator[Submit]:
        """See ``ports.Workers.threads``."""
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(self.count)
        try:
            yield lambda chunk: _awaited(pool.submit(work, chunk))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # whoever presses Ctrl-C does not wait for a large file
            raise
        pool.shutdown()

    def advance(self, size: int) -> None:
        """See ``ports.Workers.advance``."""
        if self._progress is not None:
            self._progress(size)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return 0


def _done(result: Any) -> Callable[[], Any]:
    return lambda: result


def _awaited(future: Future[Any]) -> Callable[[], Any]:
    """The result of work elsewhere; a worker that died is no defect of this program."""
    from concurrent.futures import BrokenExecutor

    def result() -> Any:
        try:
            return future.result()
        except BrokenExecutor as error:
            raise UnavailableError(
                "a worker process ended before its work was done",
                hint="was it killed, for example for want of memory? run the command again with --skip-signed",
            ) from error

    return result


def _begin(work: Callable[[Any], Any], watched: int, held: int) -> None:
    """Set up a worker: Ctrl-C is the first process's matter, and when that is gone the worker ends too."""
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(held)

    def watch() -> None:
        os.read(watched, 1)  # returns when nobody holds the other end any more
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _call(chunk: Any) -> Any:
    return _work(chunk)
