"""What all tests share: components of the system that may be missing, and folders where nothing of the user's is seen.

``@pytest.mark.component("strace")`` on a test says which programs it calls. Where one is missing the test is skipped,
with a reason that begins with ``missing component:``. With ``CI=true`` or ``SIGNKIT_REQUIRE_COMPONENTS=1`` such a skip
is a failure, whoever raised it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.components import MISSING, components_required, need_component
from tests.support.openssl import OpenSSL


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that is marked with a component this machine lacks."""
    need_component(*(name for marker in item.iter_markers("component") for name in marker.args))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn a skip for a missing component into a failure where components are required."""
    report = yield
    reason = str(call.excinfo.value) if call.excinfo is not None and report.skipped else ""
    if components_required() and reason.startswith(MISSING):
        report.outcome = "failed"
        report.longrepr = f"{reason} (required, because CI=true or SIGNKIT_REQUIRE_COMPONENTS=1 is set)"
    return report


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder; home and configuration of the user are out of sight, below ``tmp_path``."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    for name in [name for name in os.environ if name.startswith(("SIGNKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SIGNKIT_HOME", str(home / "signkit"))
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSSL:
    """The openssl command line, run in ``tmp_path / "openssl"``."""
    need_component("openssl")
    folder = tmp_path / "openssl"
    folder.mkdir()
    return OpenSSL(folder)
