"""signkit's own release goes through its own workflows: reproducible packages, an SBOM, signatures that hold."""

from __future__ import annotations

import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from signkit.version import VERSION
from tests.support.commands import call
from tests.support.scripts import ROOT, script

REHEARSAL = ROOT / ".ci" / "rehearse-release"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a rehearsal, which fails by itself when two builds differ or anything is refused."""
    folder = tmp_path_factory.mktemp("release")
    (folder / "work").mkdir()
    done = script(REHEARSAL, "made", folder=folder / "work", PYTHON=sys.executable, SOURCE_DATE_EPOCH="1700000000")
    assert done.status == 0, done.out + done.err
    return folder / "work" / "made"


@pytest.mark.component("openssl")
def test_both_builds_are_the_same_bytes(release: Path) -> None:
    for name in (f"signkit-{VERSION}-py3-none-any.whl", f"signkit-{VERSION}.tar.gz"):
        assert (release / "release" / name).read_bytes() == (release / "second" / name).read_bytes()


def test_packages_have_what_users_need(release: Path) -> None:
    names = zipfile.ZipFile(release / "release" / f"signkit-{VERSION}-py3-none-any.whl").namelist()
    assert f"signkit-{VERSION}.data/data/share/man/man1/signkit.1" in names
    assert "signkit/docs/exit-codes.md" in names
    with tarfile.open(release / "release" / f"signkit-{VERSION}.tar.gz") as source:
        inside = {name.partition("/")[2] for name in source.getnames()}
    assert {"workflows/release-signing/release-signing.sh", ".pre-commit-hooks.yaml", "constraints.txt"} <= inside


def test_sbom_is_valid_and_names_what_is_pinned(release: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (release / "release" / "signkit.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    sbom = json.loads(text)
    assert sbom["metadata"]["component"]["name"] == "signkit"
    assert sbom["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"  # SOURCE_DATE_EPOCH, so it is reproducible, too
    runtime = (ROOT / "constraints.txt").read_text().partition("\n# Tools")[0]
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", runtime, re.MULTILINE))
    assert {one["name"]: one["version"] for one in sbom["components"]} == pinned
    assert {"cryptography", "asn1crypto", "typer"} <= set(pinned)


def test_every_published_file_is_signed(release: Path, tmp_path: Path) -> None:
    published = [path for path in (release / "release").iterdir() if path.suffix != ".p7s"]
    assert len(published) == 3
    assert call("verify", *published, "--policy", release / "verification-kit" / "release.policy.toml").status == 0
    assert sorted(path.name for path in (release / "gate-reports").iterdir())[0] == "verification.html"
