"""Progress on long work: drawn by rich, on a terminal, and only after half a second. Silent everywhere else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

DELAY = 0.5
"""Seconds of work before anything is drawn."""


class Progress:
    """Counts bytes of a number of files; a context manager. Without files it is not known how many bytes will come."""

    def __init__(self, label: str, files: Sequence[str], *, quiet: bool) -> None:
        self._label = label
        self._files = files
        self._wanted = not quiet and sys.stderr.isatty()
        self._begun = time.monotonic()
        self._done = 0
        self._bar: Any = None
        self._task: Any = None
        self._process = os.getpid()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int) -> None:
        """Count bytes that were just worked on; what a worker process counts is not drawn."""
        if os.getpid() != self._process:
            return
        self._done += count
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif self._wanted and time.monotonic() - self._begun > DELAY:
            self._start()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        total = sum(os.path.getsize(path) for path in self._files if os.path.isfile(path)) or None
        columns = (TextColumn(self._label), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=total, completed=self._done)
        self._bar.start()
