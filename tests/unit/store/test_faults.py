"""Death and failing system calls at every point of a run: nothing acknowledged is lost, the rest is a clean error.

strace kills the process at, or fails, the n-th system call on the store's files, for every n. After each run the store
is opened again and everything that was acknowledged on standard output must be in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from signkit.keys.model import KeyVersion, VersionState
from signkit.store.sqlite import SqliteStore
from tests.support import sealed
from tests.support.stores import an_entry

ROOT = Path(__file__).resolve().parents[3]
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,unlinkat,openat,rename,renameat2,link,linkat"
WORKERS = 2 * (os.cpu_count() or 1)

CHILD = """
import os, secrets, sys
from signkit.errors import StoreError
from signkit.store.sqlite import SqliteStore
from tests.support import sealed
from tests.support.stores import an_entry

secrets.token_hex = lambda size: "0" * 2 * size  # so that strace can be told the name of the temporary file

def acknowledge(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

try:
    with SqliteStore.open(sys.argv[1]) as store:
        acknowledge("opened")
        key, first, _ = sealed.add_key(store, alias="alias/new")
        acknowledge("version", first.id)
        acknowledge("version", sealed.add_version(store, store.keys()[0])[0].id)
        acknowledge("entry", store.record([an_entry("AsymmetricSign"), an_entry("AsymmetricSign")]))
        acknowledge("destroyed", store.destroy_version(store.versions(store.keys()[0].id)[0], [an_entry()]))
        acknowledge("entry", store.record([an_entry("AsymmetricSign")]))
        store.backup(sys.argv[2])
        acknowledge("backup")
    acknowledge("done")
except StoreError as error:
    acknowledge("error", error.exit_status, error.message)
"""


class Run(NamedTuple):
    """What became of one run.

    Attributes:
        status: of the process; negative when a signal ended it.
        lines: what it acknowledged.
        path: the store it left.
    """

    status: int
    lines: list[str]
    path: Path


class Bench:
    """Runs the child on copies of one small store, some of them at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / "base" / "store.db"
        with sealed.new_sealed_store(self.base) as store:
            self.first = sealed.add_key(store)[1]
            store.record([an_entry()])

    def run(self, name: str, *options: str) -> Run:
        """One run under strace with these options, which are about the store's files and the backup."""
        folder = self.folder / name
        shutil.copytree(self.base.parent, folder)
        path, backup = folder / "store.db", folder / "backup.db"
        watched = [path, f"{path}-wal", f"{path}-shm", backup, folder / f".{backup.name}.{'0' * 12}.tmp", folder]
        command = ["strace", "-f", "-qq", "-o", str(folder / "trace"), *(f"-P{one}" for one in watched), *options]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        child = [sys.executable, "-c", CHILD, str(path), str(backup)]
        done = subprocess.run([*command, *child], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr, done.stderr
        return Run(done.returncode, done.stdout.splitlines(), path)

    def count(self, name: str, calls: str) -> Counter[str]:
        """How many of each of these system calls an undisturbed run makes; a few more or less another time."""
        run = self.run(f"{name}-count", f"-etrace={calls}")
        assert run.lines[-1] == "done", run.lines
        self.verify(run)
        trace = (run.path.parent / "trace").read_text().splitlines()
        return Counter(line.split(None, 1)[1].partition("(")[0] for line in trace)

    def verify(self, run: Run) -> None:
        """Fail unless the store is sound and holds everything that was acknowledged."""
        with SqliteStore.open(str(run.path)) as store:
            assert store.check(sealed.opener(store)) == []  # type: ignore[arg-type]
            versions = {version.id: version for key in store.keys() for version in store.versions(key.id)}
            log = list(store.audit_entries())
            for line in run.lines:
                what, _, rest = line.partition(" ")
                if what == "version":
                    assert versions[rest].state is VersionState.ENABLED
                elif what == "entry":
                    assert log[int(rest)].action == "AsymmetricSign"
                elif what == "destroyed":
                    assert versions[self.first.id].state is VersionState.DESTROYED
            self.verify_log(versions.values(), [entry.action for entry in log])
            assert store.record([an_entry("next")]) == len(log)
        self.verify_backup(run)

    def verify_log(self, versions: Iterable[KeyVersion], actions: list[str]) -> None:
        """Every rotation is in the log exactly when it is in the store: both or neither."""
        completed = [one for one in versions if one.number == 2 and one.state is not VersionState.PENDING]
        assert actions.count("CreateKeyVersion") == len(completed)

    def verify_backup(self, run: Run) -> None:
        """A backup is there whole or not at all, and leaves nothing unfinished behind unless the process was killed."""
        backup = run.path.with_name("backup.db")
        assert backup.exists() or "backup" not in run.lines
        if backup.exists():
            SqliteStore.restore(str(backup), str(run.path.with_name("restored.db")))
        if run.status == 0:
            assert not [name for name in os.listdir(run.path.parent) if name.endswith(".tmp")]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("faults"))


@pytest.mark.component("strace")
def test_a_kill_at_every_file_system_call_loses_nothing_acknowledged(bench: Bench) -> None:
    """strace counts each system call apart, so each has runs of its own."""
    counts = bench.count("kill", CALLS)
    assert {"openat", "pwrite64", "fdatasync", "fsync", "ftruncate", "linkat", "unlink"} <= set(counts)

    def kill(point: tuple[str, int]) -> Run:
        call, number = point
        run = bench.run(f"kill-{call}-{number}", f"-einject={call}:signal=SIGKILL:when={number}")
        bench.verify(run)
        return run

    with ThreadPoolExecutor(WORKERS) as pool:
        runs = list(pool.map(kill, [(call, number) for call in counts for number in range(1, counts[call] + 1)]))
    killed = [run for run in runs if run.status == -9]
    assert len(killed) > counts.total() - 5
    assert all(run.status == 0 and run.lines[-1] == "done" for run in runs if run not in killed)
    assert {len(run.lines) for run in killed} >= set(range(8))


@pytest.mark.component("strace")
@pytest.mark.parametrize(
    ("call", "error"),
    [("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("ftruncate", "EIO"), ("openat", "EMFILE")],
)
def test_a_failing_system_call_is_a_clean_error_and_never_a_false_acknowledgement(
    bench: Bench, call: str, error: str
) -> None:
    """From the n-th call on it fails until the process ends, as on a full or dying disk."""
    total = bench.count(f"{call}-{error}", call)[call]
    step = max(1, total // 12)

    def fail(number: int) -> Run:
        run = bench.run(f"{call}-{error}-{number}", f"-einject={call}:error={error}:when={number}+")
        bench.verify(run)
        return run

    with ThreadPoolExecutor(WORKERS) as pool:
        runs = list(pool.map(fail, range(1, total + 1, step)))
    assert {run.status for run in runs} == {0}
    endings = [run.lines[-1] for run in runs]
    assert all(line == "done" or line.startswith("error 3 ") for line in endings), endings
    assert any(line.startswith("error") for line in endings)
