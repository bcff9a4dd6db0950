"""What all tables share: a compiled signkit with a key and a certificate in a temporary folder, timed runs, rows."""

from __future__ import annotations

import compileall
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
KEY = "alias/bench@1"
MB = 1_000_000


class Run(NamedTuple):
    """One run of a program: seconds of wall time and of CPU (user and system), peak resident memory in bytes."""

    wall: float
    cpu: float
    memory: int


class Row(NamedTuple):
    """One row of the table; ``ratio`` and so on are text, empty where there is nothing to compare with."""

    what: str
    found: str
    peer: str = ""
    ratio: str = ""
    ratio_of_minima: str = ""
    ratio_of_cpu: str = ""
    target: str = ""
    verdict: str = ""


class Workspace:
    """A temporary folder with a store, a key version with a certificate, and the programs that are measured."""

    def __init__(self, folder: Path) -> None:
        """Prepare everything; ``folder`` is empty and is removed by the caller."""
        self.folder = folder
        self.python = sys.executable
        self.root_certificate = str(folder / "lab" / "root.pem")
        site = folder / "site"
        # A copy with bytecode, as pip installs it; without bytecode each start would compile.
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "signkit", site / "signkit", ignore=ignored)
        compileall.compile_dir(site, quiet=1)
        dropped = ("PYTHONDONTWRITEBYTECODE", "SIGNKIT_CONFIG")
        self.environment = {name: value for name, value in os.environ.items() if name not in dropped}
        self.environment |= {"PYTHONPATH": str(site), "SIGNKIT_HOME": str(folder / "home")}
        script = Path(sys.executable).with_name("signkit")
        self.signkit = (str(script),) if script.exists() else (self.python, "-m", "signkit")
        self._certify()

    def _certify(self) -> None:
        """Our own key version, and a key for openssl, each with a certificate of the same throwaway authority."""
        key = ("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        for command in (
            (*self.signkit, "init", "--root-key", f"file:{self.folder / 'root.key'}"),
            (*self.signkit, "lab", "create", "lab"),
            (*self.signkit, "key", "create", "--type", "EC_P256", "--alias", KEY.partition("@")[0]),
            (*self.signkit, "csr", "create", KEY, "--subject", "CN=Benchmark", "--out", "ours.csr"),
            (*self.signkit, "lab", "issue", "lab", "ours.csr", "--out", "ours.pem"),
            (*self.signkit, "cert", "import", KEY, "ours.pem"),
            (*key, "-subj", "/CN=Benchmark", "-keyout", "peer.key", "-out", "peer.csr"),
            (*self.signkit, "lab", "issue", "lab", "peer.csr", "--out", "peer.pem"),
        ):
            self.run(command)
        end = "-----END CERTIFICATE-----\n"
        leaf, _, issuing = (self.folder / "peer.pem").read_text().partition(end)
        (self.folder / "peer-leaf.pem").write_text(leaf + end)
        (self.folder / "peer-issuing.pem").write_text(issuing)

    def sign(self, files: Sequence[str], *options: str) -> tuple[str, ...]:
        """Command line that signs the files."""
        return (*self.signkit, "sign", *files, "--key", KEY, *options)

    def verify(self, files: Sequence[str]) -> tuple[str, ...]:
        """Command line that verifies the files."""
        return (*self.signkit, "verify", *files, "--trust", self.root_certificate)

    def make_file(self, path: Path, size: int) -> str:
        """A file of that many bytes without holes: one random block again and again, on disk when this returns."""
        block = os.urandom(MB)
        with path.open("wb") as file:
            for start in range(0, size, MB):
                file.write(block[: size - start])
            file.flush()
            os.fsync(file.fileno())
        return str(path)

    def run(self, command: Sequence[str]) -> Run:
        """Run a program to its end, its standard output thrown away.

        The peak memory of a child is never reported below that of this process, which therefore stays small.
        """
        nothing = subprocess.DEVNULL
        with (self.folder / "stderr").open("wb") as errors:
            begun = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdin=nothing, stdout=nothing, stderr=errors
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            message = (self.folder / "stderr").read_text(errors="replace")
            raise SystemExit(f"{' '.join(command[:6])} ... ended with status {process.returncode}:\n{message}")
        return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def interleaved(rounds: int, measures: Mapping[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Runs of each measure, one after the other in every round, so that a busy machine slows all of them alike."""
    runs: dict[str, list[Run]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            runs[name].append(measure())
    return runs


def minus(runs: Sequence[Run], start_up: Sequence[Run]) -> list[Run]:
    """Runs without what the same program needs for next to no work: its median start."""
    wall = statistics.median(run.wall for run in start_up)
    cpu = statistics.median(run.cpu for run in start_up)
    return [Run(run.wall - wall, run.cpu - cpu, run.memory) for run in runs]


def per(runs: Sequence[Run], count: int) -> list[Run]:
    """Runs as if each had done one piece of its work instead of ``count``."""
    return [Run(run.wall / count, run.cpu / count, run.memory) for run in runs]


def median(runs: Sequence[Run]) -> float:
    """Median of the wall times in seconds."""
    return statistics.median(run.wall for run in runs)


def ratios(above: Sequence[Run], below: Sequence[Run]) -> tuple[float, float, float]:
    """Quotients of the medians and of the minima of the wall times, and of the medians of the CPU times."""
    cpu = [statistics.median(run.cpu for run in runs) for runs in (above, below)]
    return median(above) / median(below), min(above).wall / min(below).wall, cpu[0] / cpu[1]


def compare(what: str, ours: Sequence[Run], peer: tuple[str, Sequence[Run]], *, limit: float, within: bool) -> Row:
    """A row whose ratio is our time over the peer's; below the limit it holds.

    Args:
        what: what was done.
        ours: our runs.
        peer: what the peer is, and its runs.
        limit: the target.
        within: whether a ratio of exactly the limit holds.
    """
    found = ratios(ours, peer[1])
    holds = found[0] < limit or (within and found[0] == limit)
    return Row(
        what,
        duration(median(ours)),
        f"{peer[0]}: {duration(median(peer[1]))}",
        *(f"{ratio:.2f}" for ratio in found),
        target=f"{'at most' if within else 'below'} {limit:g}",
        verdict=verdict(holds),
    )


def compare_speed(what: str, ours: Sequence[Run], peer: tuple[str, Sequence[Run]], *, least: float | None) -> Row:
    """A row whose ratio says how many times faster we are than the peer; ``least`` = None: for information only."""
    found = ratios(peer[1], ours)
    return Row(
        what,
        duration(median(ours)),
        f"{peer[0]}: {duration(median(peer[1]))}",
        *(f"{ratio:.1f}" for ratio in found),
        target="" if least is None else f"at least {least:g}",
        verdict="" if least is None else verdict(found[0] >= least),
    )


def verdict(holds: bool) -> str:
    """The word for a target that was reached or missed."""
    return "holds" if holds else "falls short"


def duration(seconds: float) -> str:
    """Seconds or milliseconds with three digits."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
