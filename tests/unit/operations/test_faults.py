"""Death and a full disk in the middle of a run of the key service: make a key, rotate it, sign with both versions.

strace kills the process at, or fails, the n-th system call on the store's files. What was acknowledged on standard
output before must be in the store afterwards, and everything in the store must be whole. The store's own faults are in
``tests/unit/store/test_faults.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signkit.keys.model import VersionState
from signkit.keys.reference import parse_key, parse_key_version
from signkit.operations.use import SignInput
from signkit.wiring import Wiring

ROOT = Path(__file__).resolve().parents[3]
CALLS = "pwrite64,fdatasync,ftruncate,unlink,openat"
WORKERS = 2 * (os.cpu_count() or 1)

CHILD = """
import os
from signkit.errors import SignkitError
from signkit.keys.reference import parse_key, parse_key_version
from signkit.operations.use import SignInput
from signkit.wiring import Wiring

def acknowledge(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

wiring = Wiring(os.environ)
try:
    keys = wiring.keys
    acknowledge("version", keys.create_key("ED25519", alias="alias/new")[1].id)
    acknowledge("version", keys.create_version(parse_key("alias/new"))[1].id)
    for number in (1, 2):
        reference = parse_key_version(f"alias/new@{number}")
        acknowledge("signed", len(keys.use.sign(reference, "ED25519", [SignInput(b"m", bytes(32))])))
    keys.lifecycle.disable(parse_key_version("alias/new@1"))
    acknowledge("disabled")
    acknowledge("done")
except SignkitError as error:
    acknowledge("error", error.exit_status, error.message)
"""


class Bench:
    """Runs the child on copies of one new store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.base = folder, folder / "base"
        wiring = Wiring({"SIGNKIT_HOME": str(self.base)})
        wiring.init(f"file:{folder / 'root.key'}")
        wiring.close()

    def run(self, name: str, *options: str) -> tuple[int, list[str], Path]:
        """Status, acknowledgements and home of one run under strace with these options."""
        home = self.folder / name
        shutil.copytree(self.base, home)
        path = home / "store.db"
        watched = [f"-P{one}" for one in (path, f"{path}-wal", f"{path}-shm")]
        command = ["strace", "-f", "-qq", "-o", str(home / "trace"), *watched, *options, sys.executable, "-c", CHILD]
        environment = os.environ | {"SIGNKIT_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr, done.stderr
        self.verify(home, done.stdout.splitlines())
        return done.returncode, done.stdout.splitlines(), home

    def verify(self, home: Path, lines: list[str]) -> None:
        """Fail unless the store is sound, holds what was acknowledged, and goes on working."""
        wiring = Wiring({"SIGNKIT_HOME": str(home)})
        store = wiring.store
        assert store.check() == []
        versions = {version.id: version for key in store.keys() for version in store.versions(key.id)}
        log = [(entry.action, entry.result) for entry in store.audit_entries()]
        for line in lines:
            what, _, rest = line.partition(" ")
            assert what != "version" or versions[rest].state is not VersionState.PENDING
        assert log.count(("AsymmetricSign", "ok")) >= sum(line.startswith("signed") for line in lines)
        made = [one for one in versions.values() if one.state is not VersionState.PENDING]
        assert len(made) == sum((action, "ok") in log for action in ("CreateKey", "CreateKeyVersion"))
        disabled = [one for one in made if one.state is VersionState.DISABLED]
        assert len(disabled) == log.count(("DisableKeyVersion", "ok")) >= ("disabled" in lines)
        for one in made:
            reference = parse_key_version(f"{one.key_id}@{one.number}")
            wiring.keys.lifecycle.enable(reference)
            assert wiring.keys.use.sign(reference, "ED25519", [SignInput(b"m", bytes(32))])
        if store.alias("alias/new") is not None and made:
            wiring.keys.create_version(parse_key("alias/new"))
        wiring.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("faults"))


def points(bench: Bench, name: str) -> Counter[str]:
    """How many of each system call an undisturbed run makes."""
    _status, lines, home = bench.run(name, f"-etrace={CALLS}")
    assert lines[-1] == "done", lines
    return Counter(line.split(None, 1)[1].partition("(")[0] for line in (home / "trace").read_text().splitlines())


@pytest.mark.component("strace")
def test_a_kill_loses_nothing_acknowledged(bench: Bench) -> None:
    counts = points(bench, "count")
    chosen = [(call, number) for call in counts for number in range(1, counts[call] + 1)]

    def kill(point: tuple[str, int]) -> tuple[int, int]:
        call, number = point
        status, lines, _home = bench.run(f"kill-{call}-{number}", f"-einject={call}:signal=SIGKILL:when={number}")
        assert status == -9 or lines[-1] == "done"
        return status, len(lines)

    with ThreadPoolExecutor(WORKERS) as pool:
        runs = list(pool.map(kill, chosen[:: max(1, len(chosen) // 40)]))
    killed = [lines for status, lines in runs if status == -9]
    assert len(killed) >= len(runs) - 4
    assert set(killed) >= set(range(5))


@pytest.mark.component("strace")
@pytest.mark.parametrize(("call", "error"), [("pwrite64", "ENOSPC"), ("fdatasync", "EIO")])
def test_a_full_or_dying_disk_is_a_clean_error(bench: Bench, call: str, error: str) -> None:
    total = points(bench, f"count-{error}")[call]

    def fail(number: int) -> str:
        run = bench.run(f"{error}-{number}", f"-einject={call}:error={error}:when={number}+")
        assert run[0] == 0
        return run[1][-1]

    with ThreadPoolExecutor(WORKERS) as pool:
        endings = list(pool.map(fail, range(1, total + 1, max(1, total // 10))))
    assert all(line == "done" or line.startswith("error 3 ") for line in endings), endings
    assert any(line.startswith("error") for line in endings)
