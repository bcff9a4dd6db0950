"""``signkit demo``: it ends well anywhere, leaves nothing behind, and what it prints can be typed again."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from signkit.cli import demo_cmd, main
from signkit.cli.demo_cmd import STEPS, Step

REFUSALS = {12, 10, 14, 15, 16}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables of a user who has nothing: no home, no settings, and a folder for temporary files of its own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")}
    return {**kept, "TMPDIR": str(temporary), "LC_ALL": "C.UTF-8"}


def signkit(
    *arguments: str, environment: dict[str, str], folder: Path, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-P", "-m", "signkit", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def typed(output: str) -> list[tuple[str, int]]:
    """The command lines of signkit in a demo's output, each with the status that it showed."""
    found: list[tuple[str, int]] = []
    for line in output.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], 0))
        elif line.startswith("[exit "):
            found[-1] = (found[-1][0], int(line.removeprefix("[exit ").removesuffix("]")))
    return found


def test_demo_ends_well_and_leaves_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    started = time.monotonic()
    done = signkit("demo", environment=environment, folder=tmp_path)
    assert time.monotonic() - started < 10
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    commands = typed(done.stdout)
    assert all(command.startswith("signkit ") for command, _ in commands)
    assert {status for _, status in commands} >= {0, *REFUSALS}
    assert str(tmp_path / "tmp") in done.stdout
    assert list((tmp_path / "tmp").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


def test_every_command_can_be_typed_again(environment: dict[str, str], tmp_path: Path) -> None:
    shown = signkit("demo", "--dir", "kept", environment=environment, folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    again = tmp_path / "again"
    for name in ("dist/python3", "dist/ls", "tampered", "unsigned"):
        (again / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tmp_path / "kept" / name, again / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "signkit").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m signkit "$@"\n')
    (programs / "signkit").chmod(0o755)
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    for command, status in typed(shown.stdout):
        done = subprocess.run(command, shell=True, cwd=again, env=environment, capture_output=True, text=True)
        assert done.returncode == status, f"{command}\n{done.stdout}{done.stderr}"


def test_kept_folder_verifies_later(environment: dict[str, str], tmp_path: Path) -> None:
    kept = tmp_path / "a folder"
    kept.mkdir()
    assert signkit("demo", "--dir", str(kept), environment=environment, folder=tmp_path).returncode == 0
    later = ("verify", "dist/ls", "dist/python3", "--trust", "ca/root.pem", "--signer", "O=Acme")
    assert signkit(*later, environment=environment, folder=kept).returncode == 0


def test_keep_names_the_folder_and_keeps_it(environment: dict[str, str], tmp_path: Path) -> None:
    done = signkit("demo", "--keep", "--json", environment=environment, folder=tmp_path)
    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert list((tmp_path / "tmp").iterdir()) == [Path(document["folder"])]


def test_json_is_one_document(environment: dict[str, str], tmp_path: Path) -> None:
    done = signkit("--json", "demo", environment=environment, folder=tmp_path)
    document = json.loads(done.stdout)
    assert done.stderr == ""
    assert document["folder"] is None
    assert [step["command"].split()[0] for step in document["steps"]] == ["signkit"] * len(STEPS)
    assert all(step["exit_status"] == step["expected"] for step in document["steps"])
    assert {step["expected"] for step in document["steps"]} >= REFUSALS


def test_settings_of_the_caller_are_ignored(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "signkit.toml").write_text("[nonsense]\n")
    environment |= {
        "SIGNKIT_CONFIG": str(tmp_path / "signkit.toml"),
        "SIGNKIT_HOME": str(tmp_path / "mine"),
        "SIGNKIT_DEBUG": "1",
    }
    done = signkit("demo", environment=environment, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "mine").exists()


def test_without_a_usable_home(environment: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    for variables in (environment, environment | {"HOME": str(home)}):
        done = signkit("demo", "--quiet", environment=variables, folder=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.iterdir()) == []


@pytest.mark.component("unshare")
def test_without_network(environment: dict[str, str], tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode != 0:
        pytest.skip("user namespaces are not allowed here")
    done = signkit("demo", environment=environment, folder=tmp_path, before=("unshare", "-rn"))
    assert done.returncode == 0, done.stderr


def test_from_a_folder_that_is_gone(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = f"cd gone && rmdir ../gone && exec {shlex.quote(sys.executable)} -P -m signkit demo --quiet"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_in_use_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    done = signkit("demo", "--dir", ".", environment=environment, folder=tmp_path)
    assert done.returncode == 4
    assert done.stderr.splitlines()[0] == "signkit: error: .: is not empty, expected a new or an empty folder"


def test_no_room_is_an_error_and_nothing_stays(environment: dict[str, str], tmp_path: Path) -> None:
    script = f"ulimit -f 20; exec {shlex.quote(sys.executable)} -P -m signkit demo"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 2
    assert list((tmp_path / "tmp").iterdir()) == []


def test_another_status_than_expected_stops_it(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Step("signkit verify unsigned --trust absent.pem", 10, "refused")
    monkeypatch.setattr(demo_cmd, "STEPS", (wrong, *STEPS))
    assert main(["demo"]) == 1
    printed = capsys.readouterr()
    assert "ended with status 3, expected 10 (signkit: error: absent.pem: no such file" in printed.err
    assert printed.out.splitlines()[-1] == "[exit 3]"
    assert main(["demo", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["message"].startswith("the demo stopped: ")


def in_process(script: str, *, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that calls ``main``, in a process of its own."""
    command = [sys.executable, "-P", "-c", f"import os, sys\nfrom signkit.cli import main\n{script}"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_in_process_it_leaves_no_state(environment: dict[str, str], tmp_path: Path) -> None:
    script = """
def state():
    return os.getcwd(), dict(os.environ), sys.stdout, sys.stderr

before = state()
assert main(["demo", "--quiet"]) == 0
assert state() == before
"""
    environment["SIGNKIT_HOME"] = "mine"
    done = in_process(script, environment=environment, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_other_files_stand_in_for_missing_programs(environment: dict[str, str], tmp_path: Path) -> None:
    script = "sys.executable, os.environ['PATH'] = '', ''\nsys.exit(main(['demo', '--dir', 'here', '--quiet']))"
    done = in_process(script, environment=environment, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    signed = sorted(path.name for path in (tmp_path / "here" / "dist").glob("*.p7s"))
    assert signed == ["demo_cmd.py.p7s", "os.py.p7s"]
