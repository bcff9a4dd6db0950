"""Components of the system, programs that some tests call, and what their absence means."""

from __future__ import annotations

import os
import shutil

import pytest

MISSING = "missing component:"
"""How the reason of a skip begins when a component is missing."""


def components_required() -> bool:
    """Whether a missing component is a failure and not a skip."""
    return os.environ.get("CI") == "true" or os.environ.get("SIGNKIT_REQUIRE_COMPONENTS") == "1"


def need_component(*names: str) -> None:
    """Skip the running test unless all these programs are on the PATH."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{MISSING} {', '.join(missing)}")
