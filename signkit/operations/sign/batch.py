"""Many files in one call: workers digest and write, the key is used in one place, results keep the files' order."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from signkit.errors import SignkitError
from signkit.operations.sign.files import Answer, Examined, FileWork, Made, Planned
from signkit.operations.sign.options import Failure
from signkit.ports import Workers

GROUP = 1000
"""Artifacts whose signatures are recorded in one transaction before they are written."""
CHUNK = 125
"""Files that one worker is given at a time."""

Item = TypeVar("Item")
Sign = Callable[[Sequence[Examined]], list[Made]]
_Submit = Callable[[Any], Callable[[], Any]]


class Done(NamedTuple):
    """What a batch came to, each in the order of the files.

    Attributes:
        artifacts: signed, or left alone.
        failures: not signed.
    """

    artifacts: tuple[Examined, ...]
    failures: tuple[Failure, ...]


class Batch:
    """Signs the files of one call."""

    def __init__(
        self,
        work: FileWork,
        workers: Workers | None,
        *,
        keep_going: bool,
        unwritten: Callable[[SignkitError], None] = lambda _error: None,
    ) -> None:
        """Take the parts.

        Args:
            work: what is done for each file.
            workers: do it; None = this process, file by file.
            keep_going: whether files that can't be signed are told of at the end, instead of stopping everything.
            unwritten: is told why no file came of signature values that are on record as made.
        """
        self._work = work
        self._workers = workers
        self._keep_going = keep_going
        self._unwritten = unwritten

    def run(self, outputs: Mapping[str, str], sign: Sign | None) -> Done:
        """Examine all files, then sign those that can be signed.

        Args:
            outputs: artifact to the path of its signature.
            sign: gives the signature values of a group; None = sign nothing (dry run).

        Raises:
            SignkitError: the first failure, unless it is to keep going; without one nothing was signed before all
                files were examined.
        """
        with self._team(len(outputs)) as submit:
            found = self._examined([Planned(*one) for one in outputs.items()], submit)
            good = [one for one in found if isinstance(one, Examined)]
            fresh = [one for one in good if not one.unchanged]
            results = {one.artifact: one for one in found}
            if sign is not None:
                results |= {one.artifact: one for one in self._signed(fresh, sign, submit)}
        ordered = [results[artifact] for artifact in outputs]
        return Done(
            tuple(one for one in ordered if isinstance(one, Examined)),
            tuple(one for one in ordered if isinstance(one, Failure)),
        )

    @contextlib.contextmanager
    def _team(self, files: int) -> Iterator[_Submit]:
        if self._workers is None:
            yield lambda job: _now(_perform(self._work, job))
            return
        with self._workers.processes(_Performer(self._work), files) as submit:
            yield submit

    def _examined(self, planned: list[Planned], submit: _Submit) -> list[Answer]:
        """Large files by threads, each as one piece of work, and the others by processes."""
        large = self._workers.large([one.artifact for one in planned]) if self._workers is not None else frozenset()
        small = [one for one in planned if one.artifact not in large]
        found: list[Answer] = []
        for answer in _flowing((("examine", chunk) for chunk in _chunks(small, CHUNK)), submit, self._ahead):
            if self._workers is not None and len(small) > CHUNK:
                self._workers.advance(sum(one.work.size for one in answer if isinstance(one, Examined)))
            found += self._sound(answer)
        if self._workers is not None and large:
            with self._workers.threads(self._work.examine) as hand_over:
                pieces = ([one] for one in planned if one.artifact in large)
                for answer in _flowing(pieces, hand_over, self._ahead):
                    found += self._sound(answer)
        return found

    def _signed(self, artifacts: list[Examined], sign: Sign, submit: _Submit) -> list[Answer]:
        found: list[Answer] = []
        values = self._values(artifacts, sign, found)
        if self._workers is not None and self._work.asks_servers:
            with self._workers.threads(self._work.finish) as hand_over:
                self._finished(_flowing(([one] for one in values), hand_over, self._ahead), found)
        else:
            jobs = (("finish", chunk) for chunk in _chunks(values, CHUNK))
            self._finished(_flowing(jobs, submit, self._ahead), found)
        return found

    def _finished(self, answers: Iterable[list[Answer]], found: list[Answer]) -> None:
        for answer in answers:
            for one in answer:
                if isinstance(one, Failure):
                    self._unwritten(one.error)
            found += self._sound(answer)

    def _values(self, artifacts: list[Examined], sign: Sign, found: list[Answer]) -> Iterator[Made]:
        """Signature values, group by group. What the key service refuses once is not asked of it again."""
        for start in range(0, len(artifacts), GROUP):
            try:
                yield from sign(artifacts[start : start + GROUP])
            except SignkitError as error:
                if not self._keep_going:
                    raise
                found += [Failure(one.artifact, error) for one in artifacts[start:]]
                return

    @property
    def _ahead(self) -> int:
        """Pieces of work that are handed over before the first result is waited for."""
        return 1 if self._workers is None else 4 * self._workers.count

    def _sound(self, answer: list[Answer]) -> list[Answer]:
        if not self._keep_going:
            for one in answer:
                if isinstance(one, Failure):
                    raise one.error
        return answer


class _Performer:
    """What a worker does; it is made before the workers are, and not pickled."""

    def __init__(self, work: FileWork) -> None:
        self._work = work

    def __call__(self, job: tuple[str, Sequence[Any]]) -> list[Answer]:
        return _perform(self._work, job)


def _perform(work: FileWork, job: tuple[str, Sequence[Any]]) -> list[Answer]:
    kind, items = job
    return work.examine(items) if kind == "examine" else work.finish(items)


def _flowing(jobs: Iterable[Any], submit: _Submit, ahead: int) -> Iterator[list[Answer]]:
    """Results in the order of the jobs, while so many are under way."""
    waiting: deque[Callable[[], Any]] = deque()
    for job in jobs:
        waiting.append(submit(job))
        if len(waiting) >= ahead:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def _now(result: Any) -> Callable[[], Any]:
    return lambda: result
