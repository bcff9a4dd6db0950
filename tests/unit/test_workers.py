"""Workers: results come back in order of asking, a worker that dies is told, and threads are for large files only."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from signkit.errors import UnavailableError
from signkit.workers import LARGE, Workers


def test_processes_do_the_work_elsewhere_and_few_files_do_not_start_any() -> None:
    where = lambda number: (number, os.getpid())  # noqa: E731 - what is not pickled may be anything
    with Workers(jobs=2).processes(where, 1000) as submit:
        answers = [submit(number) for number in range(50)]
        found = [answer() for answer in answers]
    assert [number for number, _ in found] == list(range(50))
    assert os.getpid() not in {process for _, process in found}
    for workers, files in ((Workers(jobs=2), 5), (Workers(jobs=1), 1000)):
        with workers.processes(where, files) as submit:
            assert submit(7)() == (7, os.getpid())


def test_a_worker_that_dies_is_told() -> None:
    with Workers(jobs=2).processes(lambda _chunk: os.kill(os.getpid(), signal.SIGKILL), 1000) as submit:
        with pytest.raises(UnavailableError, match="worker process ended"):
            submit(1)()


def test_errors_of_the_work_come_back() -> None:
    with Workers(jobs=2).processes(lambda chunk: 1 // chunk, 1000) as submit:
        with pytest.raises(ZeroDivisionError):
            submit(0)()


def test_only_large_files_are_for_threads(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.touch()
    with large.open("wb") as file:
        file.truncate(LARGE)
    paths = [str(small), str(large), str(tmp_path / "absent"), "nul\0"]
    assert Workers(jobs=2).large(paths) == {str(large)}
    assert Workers(jobs=1).large(paths) == frozenset()
    with Workers(jobs=2).threads(lambda path: (path, os.getpid())) as submit:
        assert submit("x")() == ("x", os.getpid())


def test_zero_jobs_are_one_for_each_core() -> None:
    assert Workers(jobs=0).count == len(os.sched_getaffinity(0))
