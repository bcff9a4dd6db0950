"""What goes wrong while many files are signed: what is there is whole and right, and a further run completes it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from signkit.files import FileSource
from signkit.operations.sign import batch
from signkit.operations.use import Signer, SignInput
from tests.support.commands import Ran, Workshop, command_line, environment, listing

COUNT = 1000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "work"
    folder.mkdir()
    made = [folder / f"{number:04}.bin" for number in range(COUNT)]
    for number, path in enumerate(made):
        path.write_bytes(f"artifact {number}\n".encode() * (number % 7))
    return made


def signature(path: Path) -> Path:
    return path.with_name(f"{path.name}.p7s")


def signed(files: list[Path]) -> list[Path]:
    return [path for path in files if signature(path).exists()]


@contextlib.contextmanager
def started(shop: Workshop, files: list[Path], *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = command_line("--home", shop.home, "sign", *files, "--key", shop.key, "--jobs", "2", *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        yield process


def ran(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out.decode(), err.decode())


def wait_for(process: subprocess.Popen[bytes], path: Path) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.0005)


def complete(shop: Workshop, files: list[Path]) -> None:
    """All that is there is right; a further run signs the rest and leaves alone what was there."""
    found = signed(files)
    if found:
        assert shop.verify(*found).status == 0
    before = {path: signature(path).stat().st_ino for path in found}
    result = shop.do("sign", *files, "--key", shop.key, "--skip-signed", "--json", "--jobs", "2").json()
    assert (len(result["signatures"]), len(result["unchanged"])) == (len(files) - len(found), len(found))
    assert {path: signature(path).stat().st_ino for path in found} == before
    assert shop.verify(*files).status == 0


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random(seed: int, shop: Workshop, files: list[Path]) -> None:
    wanted = random.Random(seed).randrange(COUNT)
    with started(shop, files) as process:
        wait_for(process, signature(files[wanted]))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)  # ends when the workers have ended too
    complete(shop, files)


def test_a_killed_worker_is_told_and_the_rest_can_be_signed_later(shop: Workshop, files: list[Path]) -> None:
    with started(shop, files) as process:
        wait_for(process, signature(files[10]))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        done = ran(process)
    if done.status:  # the worker may have been done
        assert "worker process ended" in done.error(3)
    complete(shop, files)


def test_disk_full(shop: Workshop, files: list[Path]) -> None:
    """No file may grow beyond a kilobyte: a signature that is cut short is not there."""
    command = command_line("--home", shop.home, "sign", *files[:200], "--key", shop.key, "--jobs", "2")
    script = ["sh", "-c", 'ulimit -f "$0"; exec "$@"', "1", *map(os.fsdecode, command)]
    done = subprocess.run(script, capture_output=True, env=environment(), timeout=60)
    assert Ran(done.returncode, done.stdout.decode(), done.stderr.decode()).error(3)
    assert not signed(files) and not [name for name in listing(files[0].parent) if name.endswith(".tmp")]
    complete(shop, files[:200])


def test_an_unreadable_file_in_the_middle(shop: Workshop, files: list[Path]) -> None:
    files[500].unlink()
    files[500].symlink_to(files[501])
    assert files[500].name in shop("sign", *files, "--key", shop.key, "--jobs", "2").error(3)
    assert not signed(files)
    result = shop("sign", *files, "--key", shop.key, "--jobs", "2", "--keep-going", "--json")
    assert result.status == 3
    document = result.json()
    assert [one["artifact"] for one in document["failures"]] == [str(files[500])]
    assert [one["artifact"] for one in document["signatures"]] == [str(path) for path in files if path != files[500]]
    assert signed(files) == [path for path in files if path != files[500]]


def test_a_file_that_changes_while_it_is_hashed(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [tmp_path / name for name in ("a", "b", "c")]
    for path in made:
        path.write_bytes(b"x" * 100_000)
    stream = FileSource._stream

    def changing(self: FileSource, descriptor: int, *arguments: object) -> int:
        count = stream(self, descriptor, *arguments)  # type: ignore[arg-type]
        if os.readlink(f"/proc/self/fd/{descriptor}") == str(made[1]):
            made[1].write_bytes(b"y" * 100_000)
        return count

    monkeypatch.setattr(FileSource, "_stream", changing)
    assert "b: changed while it was read" in shop("sign", *made, "--key", shop.key).error(3)
    assert not signed(made)
    assert "b: changed" in shop("sign", *made, "--key", shop.key, "--keep-going").error(3)
    assert signed(made) == [made[0], made[2]]


def set_state(shop: Workshop, state: str) -> None:
    """Let every key version of the store have that state, as if another process had done it."""
    with contextlib.closing(sqlite3.connect(shop.home / "store.db")) as store, store:
        store.execute("UPDATE version SET state = ?", (state,))


def test_the_key_is_disabled_half_way(shop: Workshop, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each group is authorised anew: those before it are signed, none after it."""
    monkeypatch.setattr(batch, "GROUP", 300)
    sign = Signer.sign

    def disabling(self: Signer, inputs: Sequence[SignInput]) -> list[bytes]:
        values = sign(self, inputs)
        set_state(shop, "disabled")
        return values

    monkeypatch.setattr(Signer, "sign", disabling)
    try:
        result = shop("sign", *files, "--key", shop.key, "--keep-going", "--json", "--jobs", "2")
    finally:
        monkeypatch.undo()
        set_state(shop, "enabled")
    assert result.status == 4
    document = result.json()
    assert len(document["signatures"]) == 300 and len(document["failures"]) == COUNT - 300
    assert signed(files) == files[:300]
    complete(shop, files)


def test_two_runs_at_once_over_the_same_folder(shop: Workshop, files: list[Path]) -> None:
    """Whoever comes second is told, and replaces nothing; with --keep-going every file has one right signature."""
    with started(shop, files, "--keep-going", "--json") as one, started(shop, files, "--keep-going", "--json") as two:
        outcomes = [ran(one), ran(two)]
    assert {outcome.status for outcome in outcomes} <= {0, 4}
    made = [len(outcome.json().get("signatures", [])) for outcome in outcomes]
    assert sum(made) == COUNT == len(signed(files))
    complete(shop, files)


def test_results_do_not_depend_on_the_number_of_jobs(shop: Workshop, files: list[Path], tmp_path: Path) -> None:
    large = tmp_path / "work" / "large"
    with large.open("wb") as file:
        file.truncate(20 << 20)
    found = []
    for jobs in ("1", "2", "5"):
        folder = tmp_path / f"out-{jobs}"
        folder.mkdir()
        ran = shop.do(
            "sign", *files[:300], large, *files[300:], "--key", shop.key, "--jobs", jobs, "--out-dir", folder, "--json"
        )
        document = ran.json()
        for one in document["signatures"]:
            one["signature"] = Path(one["signature"]).name
        found.append(document)
        assert len(listing(folder)) == COUNT + 1
        assert shop.verify(large, "--signature", folder / "large.p7s").status == 0
    assert found[0] == found[1] == found[2]
