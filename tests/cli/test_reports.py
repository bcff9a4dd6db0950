"""``verify --report``: files and annotations are written whatever the verdict is, and never over what exists."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from signkit.x509 import pem
from tests.support import pki
from tests.support.commands import Workshop, call, command_line, environment

ALL = ("sarif", "junit", "json", "html", "markdown")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("reports"), "EC_P256")


@pytest.fixture
def pair(shop: Workshop, tmp_path: Path) -> tuple[Path, Path]:
    """A good artifact and one that was changed after it was signed."""
    good, bad = tmp_path / "good.bin", tmp_path / "bad.bin"
    for path in (good, bad):
        path.write_bytes(b"x" * 100)
        shop.sign(path)
    bad.write_bytes(b"y" * 100)
    return good, bad


def test_every_report_is_written_when_the_verdict_is_no(
    shop: Workshop, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    reports = {name: tmp_path / f"report.{name}" for name in ALL}
    options = [text for name, path in reports.items() for text in ("--report", f"{name}={path}")]
    shop.verify(*pair, *options).error(12)
    document = json.loads(reports["json"].read_text())
    assert document["exit_status"] == 12 and document["schema"] == "signkit.verification/v1"
    assert json.loads(reports["sarif"].read_text())["runs"][0]["results"]
    assert ElementTree.parse(reports["junit"]).find(".//failure") is not None
    for name in ("html", "markdown"):
        assert "artifact.digest" in reports[name].read_text()


def test_the_json_report_is_what_json_prints_and_the_same_each_time(
    shop: Workshop, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    at = ("--at", "2026-12-01T00:00:00Z")
    runs = []
    for number in range(2):
        path = tmp_path / f"{number}.json"
        printed = shop.verify(pair[0], *at, "--json", "--report", f"json={path}")
        runs.append(path.read_bytes())
        assert json.loads(path.read_text()) == printed.json()
    assert runs[0] == runs[1]


def test_an_existing_report_is_kept_unless_forced(shop: Workshop, pair: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text("mine")
    assert str(path) in shop.verify(pair[0], "--report", f"junit={path}").error(4)
    assert path.read_text() == "mine"
    assert shop.verify(pair[0], "--report", f"junit={path}", "--force").status == 0
    assert path.read_text().startswith("<?xml")


@pytest.mark.parametrize("value", ["pdf=x.pdf", "junit", "junit=", "=x"])
def test_a_report_that_is_not_one_is_a_usage_error(shop: Workshop, pair: tuple[Path, Path], value: str) -> None:
    shop.verify(pair[0], "--report", value).error(2)


def test_a_folder_that_is_missing_is_told_before_the_work(
    shop: Workshop, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    assert "nowhere" in shop.verify(pair[0], "--report", f"junit={tmp_path / 'nowhere' / 'j.xml'}").error(3)


def test_two_reports_into_one_file_are_refused(shop: Workshop, pair: tuple[Path, Path], tmp_path: Path) -> None:
    same = tmp_path / "same"
    shop.verify(pair[0], "--report", f"junit={same}", "--report", f"json={same}").error(2)


def test_github_gets_annotations_and_a_summary(
    shop: Workshop, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = shop.verify(*pair, "--report", "github")
    assert f"::error file={pair[1]},title=artifact.digest%3A" in done.out
    assert summary.read_text().startswith("before\n## signkit verification: REFUSED")
    shop.verify(*pair, "--report", "github", "--json").error(2)


def test_the_commands_that_repeat_a_verification_repeat_it(
    shop: Workshop, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "report.md"
    shop.verify(*pair, "--report", f"markdown={page}").error(12)
    commands = [line.strip() for line in page.read_text().splitlines() if line.startswith("    ")]
    assert [command.split()[0] for command in commands] == ["signkit", "openssl", "openssl"]
    statuses = []
    for command in commands:
        words = shlex.split(command)
        line = command_line(*words[1:]) if words[0] == "signkit" else words
        statuses.append(subprocess.run(line, capture_output=True, env=environment(), cwd=Path.cwd()).returncode)
    assert statuses[0] == 12 and statuses[1] == 0 and statuses[2] != 0


def test_the_stock_command_takes_all_anchors_and_no_others(
    shop: Workshop, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    """openssl takes one -CAfile, the last one, and the system's anchors beside it."""
    page, stranger = tmp_path / "report.md", tmp_path / "a stranger.pem"
    stranger.write_text(pem.encode("CERTIFICATE", pki.chain().root))
    for trust in (["--trust", shop.root, "--trust", stranger], ["--trust", shop.root]):
        assert call("verify", pair[0], *trust, "--report", f"markdown={page}", "--force").status == 0
        [command] = [line.strip() for line in page.read_text().splitlines() if line.startswith("    openssl")]
        assert "-no-CApath -no-CAstore" in command
        assert subprocess.run(["bash", "-c", command], capture_output=True, cwd=Path.cwd()).returncode == 0
