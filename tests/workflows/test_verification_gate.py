"""workflows/verification-gate, run as a pipeline runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.commands import Ran, Workshop, listing
from tests.support.scripts import WORKFLOWS, error, script

GATE = WORKFLOWS / "verification-gate" / "verification-gate.sh"
NAMES = ("app.bin", "sub/-x 'y'\n.txt")
REPORTS = ["verification.html", "verification.json", "verification.md", "verification.sarif", "verification.xml"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """An authority, and a signed release with the policy for it."""
    made = Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")
    for name in NAMES:
        path = made.folder / "release" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        made.sign(path)
    (made.folder / "policy.toml").write_text(f"""\
version = 1
[[policy]]
name = "release"
artifacts = ["release/**"]
trust-anchors = ["{made.root}"]
signers = [{{ subject = "CN=Acme EC_P256" }}]
""")
    return made


@pytest.fixture
def work(shop: Workshop, tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    shutil.copytree(shop.folder / "release", folder / "release")
    shutil.copy(shop.folder / "policy.toml", folder)
    return folder


def gate(work: Path, *arguments: str, **variables: str) -> Ran:
    return script(GATE, *(arguments or ("release",)), folder=work, **{"SIGNKIT_POLICY": "policy.toml", **variables})


def test_a_signed_folder_passes_and_leaves_reports(work: Path) -> None:
    done = gate(work)
    assert done.status == 0, done.out + done.err
    assert sorted(path.name for path in (work / "signkit-reports").iterdir()) == REPORTS
    document = json.loads((work / "signkit-reports" / "verification.json").read_text())
    assert sorted(one["artifact"] for one in document["artifacts"]) == sorted(f"release/{name}" for name in NAMES)
    assert gate(work).status == 0  # and again, over the reports of the first run


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda folder: (folder / "app.bin").write_bytes(b"changed"), 12),
        (lambda folder: (folder / "extra.bin").write_bytes(b"unsigned"), 10),
        (lambda folder: (folder / ".hidden").write_bytes(b"unsigned"), 10),
        (lambda folder: (folder / "app.bin.p7s").unlink(), 10),
        (lambda folder: (folder / "app.bin").unlink(), 3),
        (lambda folder: (folder / "app.bin.p7s").write_bytes(b"nonsense"), 11),
        (lambda folder: (folder / "link").symlink_to("/etc/passwd"), 3),
    ],
    ids=["changed", "unsigned", "hidden", "signature gone", "artifact gone", "malformed", "link"],
)
def test_the_status_is_the_reason(change: object, status: int, work: Path) -> None:
    assert callable(change)
    change(work / "release")
    done = gate(work)
    assert done.status == status, done.out + done.err


def test_refusal_leaves_the_reports_and_tells_github(work: Path) -> None:
    (work / "release" / "app.bin").write_bytes(b"changed")
    files = {"GITHUB_OUTPUT": str(work / "output"), "GITHUB_STEP_SUMMARY": str(work / "summary")}
    done = gate(work, GITHUB_ACTIONS="true", **files)
    assert done.status == 12
    assert (work / "output").read_text() == "exit-status=12\nreports=signkit-reports\n"
    assert "artifact.digest" in (work / "summary").read_text()
    assert "::error" in done.out
    assert sorted(path.name for path in (work / "signkit-reports").iterdir()) == REPORTS


@pytest.mark.parametrize(
    ("arguments", "variables", "status"),
    [
        ((), {"SIGNKIT_POLICY": ""}, 2),
        ((), {"SIGNKIT_POLICY": "absent.toml"}, 3),
        (("absent",), {}, 3),
        (("release", "more"), {}, 2),
        (("empty",), {}, 3),
    ],
)
def test_what_is_missing_is_said_before_anything_is_written(
    arguments: tuple[str, ...], variables: dict[str, str], status: int, work: Path
) -> None:
    (work / "empty").mkdir()
    before = listing(work)
    error(gate(work, *arguments, **variables), status)
    assert listing(work) == before


def test_a_policy_from_the_judged_folder_is_refused(work: Path) -> None:
    shutil.copy(work / "policy.toml", work / "release" / "policy.toml")
    assert "lies in the folder" in error(gate(work, SIGNKIT_POLICY="release/../release/policy.toml"), 4)


def test_an_invalid_policy_is_no_verdict(work: Path) -> None:
    (work / "policy.toml").write_text("version = 2\n")
    assert gate(work).status == 4
