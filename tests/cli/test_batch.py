"""Many files in one call: all of them, or those that were written are whole."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from signkit.store.sqlite import SqliteStore
from tests.support.commands import Ran, Workshop, call, command_line, environment, listing

COUNT = 300


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")


def artifacts(folder: Path, count: int = COUNT) -> list[Path]:
    """Small files, each with its own content."""
    made = [folder / f"artifact-{number:03}.bin" for number in range(count)]
    for number, path in enumerate(made):
        path.write_bytes(f"artifact {number}\n".encode() * (number % 7))
    return made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_many_files_in_one_call(shop: Workshop, workdir: Path) -> None:
    made = artifacts(workdir)
    done = shop.do("sign", *made, "--key", shop.key)
    assert len(done.out.splitlines()) == COUNT + 1
    assert done.out.splitlines()[-1].startswith(f"signed {COUNT} file(s) with {shop.key} (ECDSA_SHA_256)")
    assert done.err == ""
    assert len(names(workdir)) == 2 * COUNT
    verified = shop.verify(*made)
    assert verified.status == 0
    assert f"{COUNT} of {COUNT} artifacts accepted" in verified.out
    assert verified.out.count("identity: not checked") == 1
    made[17].write_bytes(b"changed")
    made[200].with_name(f"{made[200].name}.p7s").unlink()
    refused = shop.verify(*made)
    assert "artifact-200.bin: signature.present" in refused.error(10)
    assert "(and 1 more of 300 artifacts refused)" in refused.error(10)
    assert f"{COUNT - 2} of {COUNT} artifacts accepted" in refused.out
    report = shop.verify(*made, "--json").json()
    assert [one["exit_status"] for one in report["artifacts"] if not one["accepted"]] == [12, 10]


def test_signatures_and_duplicates_are_left_out_with_a_notice(shop: Workshop, workdir: Path) -> None:
    made = artifacts(workdir, 3)
    shop.sign(made[0])
    before = listing(workdir)
    done = shop.do("sign", *made[1:], f"{made[0]}.p7s", made[1], made[2], "--key", shop.key)
    assert done.err == f"signkit: {made[0]}.p7s: left out, it is a signature\n"
    assert done.out.splitlines()[-1].startswith("signed 2 file(s)")
    assert {name: status for name, status in listing(workdir).items() if name in before} == before
    again = shop.do("sign", *made[1:], f"{made[0]}.p7s", "--key", shop.key, "--force", "--json")
    assert [one["artifact"] for one in again.json()["signatures"]] == [str(path) for path in made[1:]]
    assert again.json()["skipped"] == [f"{made[0]}.p7s"]
    assert shop.do("sign", *made[1:], f"{made[0]}.p7s", "--key", shop.key, "--force", "--quiet").err == ""


def test_nothing_but_signatures_is_wrong_usage(shop: Workshop, workdir: Path) -> None:
    """A script whose pattern matched only signatures must not believe that it has signed something."""
    made = artifacts(workdir, 2)
    signatures = [shop.sign(path) for path in made]
    before = listing(workdir)
    assert "no artifact to sign" in shop("sign", *signatures, "--key", shop.key).error(2)
    assert listing(workdir) == before
    shop.do("sign", signatures[0], "--key", shop.key)
    assert shop.verify(signatures[0]).status == 0


def test_outputs_that_collide_are_wrong_usage(shop: Workshop, workdir: Path) -> None:
    for folder in ("one", "two", "out"):
        (workdir / folder).mkdir()
    for path in ("one/app.bin", "two/app.bin", "two/lib.so"):
        (workdir / path).write_bytes(b"artifact")
    before = listing(workdir)
    done = shop("sign", "one/app.bin", "two/app.bin", "--key", shop.key, "--out-dir", "out")
    message = done.error(2)
    assert "one/app.bin" in message and "two/app.bin" in message and "out/app.bin.p7s" in message
    assert "both" in shop("sign", "one/app.bin", "./one/../one/app.bin", "--key", shop.key, "--out-dir", "out").error(2)
    assert listing(workdir) == before
    shop.do("sign", "one/app.bin", "two/lib.so", "--key", shop.key, "--out-dir", "out")
    assert names(workdir / "out") == {"app.bin.p7s", "lib.so.p7s"}
    assert shop.verify("one/app.bin", "--signature", "out/app.bin.p7s").status == 0


def test_one_file_by_two_names(shop: Workshop, workdir: Path) -> None:
    """No signature is made that another one then replaces."""
    (workdir / "dist").mkdir()
    (workdir / "dist" / "app.bin").write_bytes(b"artifact")
    (workdir / "link").symlink_to("dist")
    before = listing(workdir)
    for other in ("./dist/app.bin", "dist//app.bin", "dist/./app.bin"):
        assert "both" in shop("sign", "dist/app.bin", other, "--key", shop.key).error(2)
        assert listing(workdir) == before
    shop("sign", "dist/app.bin", "link/app.bin", "--key", shop.key).error(4)
    assert names(workdir / "dist") == {"app.bin", "app.bin.p7s"}
    assert shop.verify("dist/app.bin").status == 0


@pytest.mark.parametrize("obstacle", ["missing file", "existing signature", "directory", "missing folder"])
def test_an_obstacle_in_the_middle_means_that_nothing_is_signed(obstacle: str, shop: Workshop, workdir: Path) -> None:
    made = artifacts(workdir, 40)
    if obstacle == "missing file":
        made[20].unlink()
    elif obstacle == "existing signature":
        made[20].with_name(f"{made[20].name}.p7s").touch()
    elif obstacle == "directory":
        made[20].unlink()
        made[20].mkdir()
    else:
        made[20] = workdir / "nowhere" / "app.bin"
    before = listing(workdir)
    entries = signed_so_far(shop)
    ran = shop("sign", *made, "--key", shop.key)
    assert "artifact-020.bin" in ran.error(4 if obstacle == "existing signature" else 3) or obstacle == "missing folder"
    assert listing(workdir) == before
    assert signed_so_far(shop) == entries


def signed_so_far(shop: Workshop) -> int:
    """How many signatures the audit log has on record."""
    with contextlib.closing(SqliteStore.open(str(shop.home / "store.db"))) as store:
        return sum(entry.action == "AsymmetricSign" for entry in store.audit_entries())


def start(shop: Workshop, made: Iterable[Path], *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command_line("--home", shop.home, "sign", *made, "--key", shop.key, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )


def check_and_complete(shop: Workshop, folder: Path, made: list[Path]) -> tuple[int, int]:
    """Whatever is there is whole; then a further run completes the rest.

    Returns:
        How many signatures and how many temporary files were found.
    """
    found = [path for path in made if path.with_name(f"{path.name}.p7s").exists()]
    others = names(folder) - {path.name for path in made} - {f"{path.name}.p7s" for path in made}
    assert all(name.startswith(".") and name.endswith(".tmp") for name in others)
    if found:
        assert shop.verify(*found).status == 0
    shop.do("sign", *made, "--key", shop.key, "--force")
    assert shop.verify(*made).status == 0
    assert call("verify", *made).status == 14
    return len(found), len(others)


@pytest.mark.parametrize("seed", range(6))
def test_killed_run_leaves_only_whole_signatures(seed: int, shop: Workshop, tmp_path: Path) -> None:
    """SIGKILL at a random moment of the writing. A temporary file (``.NAME.XXXX.tmp``) of each worker may stay behind:
    nobody is left to remove it, and nothing takes it for a signature.
    """
    folder = tmp_path / "work"
    folder.mkdir()
    made = artifacts(folder)
    wanted = random.Random(seed).randrange(COUNT)
    with start(shop, made) as process:
        last = made[wanted].with_name(f"{made[wanted].name}.p7s")
        while not last.exists() and process.poll() is None:
            time.sleep(0.0005)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    found, temporary = check_and_complete(shop, folder, made)
    assert found
    assert temporary <= len(os.sched_getaffinity(0))


def test_interrupted_run_leaves_only_whole_signatures(shop: Workshop, tmp_path: Path) -> None:
    """Ctrl-C while signatures are written: what is there is whole, and nothing else is there."""
    folder = tmp_path / "work"
    folder.mkdir()
    made = artifacts(folder)
    with start(shop, made) as process:
        while not made[0].with_name(f"{made[0].name}.p7s").exists() and process.poll() is None:
            time.sleep(0.0005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    if process.returncode != 0:  # it may have been faster than the signal
        assert Ran(process.returncode, out.decode(), err.decode()).error(130) == "interrupted"
        assert out == b""
    assert check_and_complete(shop, folder, made)[1] == 0
