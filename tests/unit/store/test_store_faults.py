"""Death at every file-system call of rekeying, recovering, backing up and restoring: one of the two states, whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signkit.wiring import Wiring
from signkit.wiring import stores as wiring_stores

ROOT = Path(__file__).resolve().parents[3]
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,openat,rename,link,linkat"
WORKERS = 2 * (os.cpu_count() or 1)
CHILD = """
import os, secrets, sys
from signkit.wiring import stores as wiring_stores
from signkit.wiring import Wiring

secrets.token_hex = lambda size: "0" * 2 * size
folder, what = sys.argv[1:]
os.chdir(folder)
wiring = Wiring({"SIGNKIT_HOME": folder})
if what == "rekey":
    wiring_stores.stores(wiring).rekey("file:new.key")
elif what == "backup":
    wiring_stores.stores(wiring).backup("copy.db", overwrite=True)
else:
    wiring_stores.restore(wiring, "copy.db", overwrite=True)
os.write(1, b"done")
wiring.close()
"""


def wiring(folder: Path) -> Wiring:
    return Wiring({"SIGNKIT_HOME": str(folder)})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two keys, and a backup from when it had one."""
    folder = tmp_path_factory.mktemp("base")
    one = wiring(folder)
    one.init(f"file:{folder / 'root.key'}")
    one.keys.create_key("EC_P256")
    wiring_stores.stores(one).backup(str(folder / "copy.db"))
    one.keys.create_key("EC_P256")
    one.close()
    return folder


def run(base: Path, folder: Path, what: str, *options: str) -> subprocess.CompletedProcess[str]:
    shutil.copytree(base, folder)
    temporary = [folder / f".{name}.{'0' * 12}.tmp" for name in ("store.db", "copy.db")]
    watched = [folder, *temporary, *(folder / name for name in ("store.db", "store.db-wal", "store.db-shm", "copy.db"))]
    watched += [folder / "new.key", folder / "store.db-journal", folder / "store.db.replaced-1"]
    command = ["strace", "-f", "-qq", "-o", str(folder / "trace"), *(f"-P{one}" for one in watched), *options]
    child = [sys.executable, "-c", CHILD, str(folder), what]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*command, *child], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def verify(folder: Path, what: str, done: subprocess.CompletedProcess[str]) -> None:
    """The store is there and sound, before or after, and after it when that was acknowledged."""
    one = wiring(folder)
    found = wiring_stores.stores(one).check()
    assert found.findings == () and found.opened, (what, done, found)
    keys, root_key = len(one.store.keys()), one.store.identity.root_key
    one.close()
    if what == "rekey":
        assert keys == 2
        assert root_key.endswith("new.key") or "done" not in done.stdout
    elif what == "restore":
        assert keys == 1 or (keys == 2 and "done" not in done.stdout)
        assert keys == 2 or (folder / "store.db.replaced-1").exists()
    else:
        wiring_stores.restore(wiring(folder), str(folder / "copy.db"), overwrite=True)
        assert len(wiring(folder).store.keys()) == 2 or "done" not in done.stdout


@pytest.mark.component("strace")
@pytest.mark.parametrize("what", ["rekey", "backup", "restore"])
def test_a_kill_at_every_file_system_call_leaves_a_whole_store(base: Path, tmp_path: Path, what: str) -> None:
    done = run(base, tmp_path / "count", what, f"-etrace={CALLS}")
    assert done.stdout == "done", done.stderr
    verify(tmp_path / "count", what, done)
    trace = (tmp_path / "count" / "trace").read_text().splitlines()
    counts = Counter(line.split(None, 1)[1].partition("(")[0] for line in trace)
    assert {"fsync", "pwrite64"} <= set(counts)

    def kill(point: tuple[str, int]) -> int:
        call, number = point
        folder = tmp_path / f"{call}-{number}"
        killed = run(base, folder, what, f"-einject={call}:signal=SIGKILL:when={number}")
        verify(folder, what, killed)
        return killed.returncode

    with ThreadPoolExecutor(WORKERS) as pool:
        statuses = list(pool.map(kill, [(call, n) for call in counts for n in range(1, counts[call] + 1)]))
    assert statuses.count(-9) > len(statuses) * 0.8


@pytest.mark.component("strace")
@pytest.mark.parametrize("what", ["rekey", "backup", "restore"])
@pytest.mark.parametrize(("call", "error"), [("pwrite64", "ENOSPC"), ("fsync", "EIO")])
def test_a_full_or_dying_disk_is_a_clean_error(base: Path, tmp_path: Path, what: str, call: str, error: str) -> None:
    for number in (1, 2, 4):
        folder = tmp_path / str(number)
        done = run(base, folder, what, f"-einject={call}:error={error}:when={number}+")
        assert done.returncode == 0 or "StoreError" in done.stderr or "RootKeyError" in done.stderr, done.stderr
        verify(folder, what, done)
