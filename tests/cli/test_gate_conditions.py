"""Verification where gates run: without store, configuration, privileges, network or a writable place."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import signkit
from tests.support.commands import Ran, Workshop, call, command_line, environment, listing, run
from tests.support.components import need_component


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")


@pytest.fixture
def delivery(shop: Workshop, tmp_path: Path) -> Path:
    """A signed file and the root, and nothing else."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    (folder / "app.bin").write_bytes(b"artifact")
    shop.sign(folder / "app.bin")
    shutil.copy(shop.root, folder / "root.pem")
    return folder


def test_no_store_no_configuration_no_home(delivery: Path) -> None:
    """What ``env -i`` leaves, and a home that is not there; nothing comes into being anywhere."""
    before = listing(delivery.parent)
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    done = subprocess.run(
        command_line("verify", "app.bin", "--trust", "root.pem"),
        cwd=delivery,
        env={**kept, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert listing(delivery.parent) == before


@pytest.mark.parametrize("changed", [False, True])
def test_as_a_user_who_owns_nothing(changed: bool, delivery: Path) -> None:
    """``nobody``, without a name in the list of users, in folders that it can only read."""
    need_component("setpriv")
    before = ("setpriv", "--reuid=61234", "--regid=61234", "--clear-groups")
    for path in (delivery, *delivery.parents):
        if path.stat().st_mode & 0o001 == 0 and path.stat().st_uid == os.geteuid():
            path.chmod(path.stat().st_mode | 0o055)
    for path in delivery.iterdir():
        path.chmod(0o644)
    probe = subprocess.run([*before, *command_line("--version")], env=environment(), capture_output=True)
    if probe.returncode != 0:
        pytest.skip("another user can't run this Python here")
    if changed:
        (delivery / "app.bin").write_bytes(b"changed")
    found = listing(delivery)
    ran = run("verify", "app.bin", "--trust", "root.pem", folder=delivery, before=before)
    assert ran.status == (12 if changed else 0), ran.err
    assert listing(delivery) == found


@pytest.mark.component("unshare")
def test_on_a_read_only_file_system_without_network(delivery: Path) -> None:
    if subprocess.run(["unshare", "-rmn", "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")
    verify = shlex.join(map(str, command_line("verify", "app.bin", "--trust", "root.pem")))
    script = f"""
        mount --bind . . && mount -o remount,bind,ro . || exit 99
        cd {shlex.quote(str(delivery))}
        ! touch probe 2> /dev/null || exit 97
        {verify}
    """
    done = subprocess.run(
        ["unshare", "-rmn", "sh", "-c", script],
        cwd=delivery,
        env=environment(TMPDIR=str(delivery), HOME=str(delivery)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_from_closed_standard_input_and_with_no_output_wanted(delivery: Path) -> None:
    done = run("verify", "app.bin", "--trust", "root.pem", "--quiet", folder=delivery)
    assert done == Ran(0, "", "")


# --- two anchors during a roll-over ---


def test_two_anchors_during_a_roll_over(delivery: Path, tmp_path: Path) -> None:
    """Old and new root beside each other accept the releases of both, in any order; without the right one it is 14."""
    new = Workshop.create(tmp_path / "new", "EC_P256")
    (delivery / "next.bin").write_bytes(b"next")
    new.sign(delivery / "next.bin")
    files = (delivery / "app.bin", delivery / "next.bin")
    old_root, new_root = delivery / "root.pem", new.root
    assert call("verify", *files, "--trust", old_root, "--trust", new_root).status == 0
    assert call("verify", *files, "--trust", new_root, "--trust", old_root).status == 0
    both = delivery / "both.pem"
    both.write_bytes(old_root.read_bytes() + new_root.read_bytes())
    assert call("verify", *files, "--trust", both).status == 0
    assert bool(signkit.verify(*files, trust=[old_root, new_root]))
    assert call("verify", *files, "--trust", old_root).status == 14
    assert call("verify", *files, "--trust", new_root).status == 14


# --- clocks ---


@pytest.mark.parametrize("as_json", [False, True])
def test_a_clock_before_the_beginning_of_the_certificate_says_so(as_json: bool, delivery: Path) -> None:
    at = ("--at", "2001-02-03T04:05:06Z")
    done = call("verify", delivery / "app.bin", "--trust", delivery / "root.pem", *at, *(["--json"] if as_json else []))
    assert done.status == 15
    told = done.out if as_json else done.out + done.err
    assert "2001-02-03T04:05:06Z" in told
    assert "not yet valid" in told or "before" in told


# --- the same inputs, the same bytes ---


def test_same_inputs_and_moment_give_the_same_json(delivery: Path) -> None:
    arguments = ("verify", "app.bin", "--trust", "root.pem", "--at", "2049-01-01T00:00:00Z", "--json")
    first = run(*arguments, folder=delivery, variables={"PYTHONHASHSEED": "1"})
    second = run(*arguments, folder=delivery, variables={"PYTHONHASHSEED": "2", "TZ": "Asia/Shanghai", "LANG": "de_DE"})
    assert first.status == second.status == 15
    assert first.out == second.out
    assert json.loads(first.out)["now"] == "2049-01-01T00:00:00Z"
