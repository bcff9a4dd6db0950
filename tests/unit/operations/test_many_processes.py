"""Eight processes at once on one store, as users run the program: nothing acknowledged is lost, the rest is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from signkit.keys.model import VersionState
from signkit.keys.reference import parse_key
from signkit.wiring import Wiring

ROOT = Path(__file__).resolve().parents[3]
PROCESSES, EACH = 8, 50

CHILD = """
import os, sys
from signkit.errors import SignkitError
from signkit.keys.reference import parse_key
from signkit.wiring import Wiring

wiring = Wiring(os.environ)
for _ in range(int(sys.argv[1])):
    try:
        print(wiring.keys.create_version(parse_key("alias/release"))[1].number)
    except SignkitError as error:
        print(f"refused {error.exit_status} {error.code}")
wiring.close()
"""


@pytest.fixture
def wiring(workdir: Path) -> Wiring:
    (workdir / "signkit.toml").write_text("[keys]\nmaximum-versions = 1000\n")
    wiring = Wiring(os.environ)
    wiring.init(f"file:{workdir / 'root.key'}")
    wiring.keys.create_key("ED25519", alias="alias/release")
    return wiring


def run_all() -> list[str]:
    """What the processes print, together."""
    command, environment = [sys.executable, "-c", CHILD, str(EACH)], os.environ | {"PYTHONPATH": str(ROOT)}
    children = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    lines = []
    for child in children:
        out, error = child.communicate(timeout=120)
        assert (child.returncode, error) == (0, "")
        lines += out.splitlines()
    return lines


def test_no_version_is_lost_and_all_are_dense(wiring: Wiring) -> None:
    lines = run_all()
    made = sorted(int(line) for line in lines if line.isdecimal())
    assert {line for line in lines if not line.isdecimal() and not line.startswith("refused 3 Store")} == set()
    [key] = wiring.store.keys()
    versions = wiring.store.versions(key.id)
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    assert made == [version.number for version in versions[1:] if version.state is VersionState.ENABLED]
    assert len(lines) == PROCESSES * EACH and len(made) > EACH
    log = [entry for entry in wiring.store.audit_entries() if entry.action == "CreateKeyVersion"]
    assert sorted(entry.version for entry in log if entry.result == "ok") == made
    assert wiring.store.check() == []


def test_of_many_at_once_the_interval_lets_one_through(wiring: Wiring, workdir: Path) -> None:
    """It is looked at within the transaction that adds the version: no two processes can both be first."""
    key_id = wiring.keys.directory.key(parse_key("alias/release")).id
    wiring.close()
    (workdir / "signkit.toml").write_text("[keys]\nminimum-version-interval-days = 1\n")
    with_interval = Wiring(os.environ)
    connection = with_interval.store._database
    connection.execute("UPDATE version SET created_at = '2020-01-01T00:00:00.000000Z'")
    lines = run_all()
    assert [line for line in lines if line.isdecimal()] == ["2"]
    assert set(lines) == {"2", "refused 4 Rejected.UnsupportedOperation"}
    assert len(with_interval.store.versions(key_id)) == 2
    assert with_interval.store.check() == []
