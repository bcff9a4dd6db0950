"""Patterns of artifacts and checks: what they fit, what they cover, and that none takes long."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.verification import checks, patterns


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("dist/**", "dist/app.bin", True),
        ("dist/**", "dist/a/b/c", True),
        ("dist/**", "dist", False),
        ("dist/**", "distant/app.bin", False),
        ("dist/**", "../dist/app.bin", False),
        ("dist/**", "/dist/app.bin", False),
        ("dist/*", "dist/app.bin", True),
        ("dist/*", "dist/a/b", False),
        ("*.bin", "app.bin", True),
        ("*.bin", "dist/app.bin", False),
        ("**/*.bin", "app.bin", True),
        ("**/*.bin", "a/b/app.bin", True),
        ("**/*.bin", "/srv/app.bin", True),
        ("**", "anything", True),
        ("**", "/abs/olute", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/y/c", False),
        ("app-?.bin", "app-1.bin", True),
        ("app-?.bin", "app-12.bin", False),
        ("app-?.bin", "app-/.bin", False),
        ("app.bin", "APP.BIN", False),
        ("a[1].bin", "a[1].bin", True),
        ("a.bin", "axbin", False),
        ("../out/*", "../out/x", True),
        ("/srv/**", "/srv/x", True),
    ],
)
def test_paths(pattern: str, path: str, fits: bool) -> None:
    assert patterns.fault(pattern) == ""
    assert patterns.matches_path(pattern, path) is fits


@pytest.mark.parametrize(
    ("named", "simple"),
    [("./dist//a", "dist/a"), ("dist/x/../a", "dist/a"), ("dist/../../a", "../a"), ("//srv/a", "/srv/a"), ("a", "a")],
)
def test_the_same_file_has_one_name(named: str, simple: str) -> None:
    assert patterns.simple(named) == simple


@pytest.mark.parametrize(
    "pattern",
    ["", "dist/", "./dist", "a//b", "a/../b", "a/./b", "a**", "**.bin", "a\nb", "x" * 1001, "**/a/" * 20 + "b"],
)
def test_patterns_that_can_match_nothing(pattern: str) -> None:
    assert patterns.fault(pattern)


@pytest.mark.parametrize(
    ("wider", "narrower", "covered"),
    [
        ("**", "dist/**", True),
        ("dist/**", "dist/app.bin", True),
        ("dist/**", "dist/*.bin", True),
        ("dist/*", "dist/*.bin", True),
        ("dist/*", "dist/**", False),
        ("dist/*.bin", "dist/*", False),
        ("**/*.bin", "dist/**", False),
        ("**/*.bin", "dist/a?.bin", True),
        ("dist/a?.bin", "dist/a*.bin", False),
        ("dist/**", "dist/**", True),
        ("a/**/c", "a/b/c", True),
        ("a/**/c", "a/**/c", True),
    ],
)
def test_covers(wider: str, narrower: str, covered: bool) -> None:
    assert patterns.covers(wider, narrower) is covered


_SEGMENT = st.sampled_from(["a", "b", "a*", "*", "?", "*b", "**"])
_PATTERN = st.lists(_SEGMENT, min_size=1, max_size=4).map("/".join)
_PATH = st.lists(st.sampled_from(["a", "b", "ab", "ba", "aab"]), min_size=1, max_size=4).map("/".join)


@given(_PATTERN, _PATTERN, _PATH)
def test_what_is_covered_is_matched(wider: str, narrower: str, path: str) -> None:
    if patterns.covers(wider, narrower) and patterns.matches_path(narrower, path):
        assert patterns.matches_path(wider, path)


def test_no_pattern_takes_long() -> None:
    begun = time.perf_counter()
    assert not patterns.matches_path("/".join(["**", "a*" * 50] * 40), "/".join(["a" * 100] * 400) + "/b")
    assert not patterns.matches_name("*a" * 400, "a" * 390 + "b")
    assert time.perf_counter() - begun < 5


# --- names of checks ---


@pytest.mark.parametrize(
    ("name", "actions", "lowered"),
    [
        ("path.0.policies", [("path.*.policies", "warn")], True),
        ("path.12.policies", [("path.*.policies", "warn")], True),
        ("path.0.policies", [], False),
        ("path.0.validity", [("path.*.policies", "warn")], False),
        ("path.0.policies", [("path.*.policies", "warn"), ("path.0.policies", "enforce")], False),
        ("path.1.policies", [("path.*.policies", "warn"), ("path.0.policies", "enforce")], True),
        ("path.0.policies", [("path.*.policies", "enforce"), ("path.0.policies", "warn")], True),
        ("revocation.3", [("revocation.*", "warn")], True),
        ("timestamp.path.0.validity", [("timestamp.*", "warn")], True),
        *[(name.replace("N", "7"), [("*", "warn")], False) for name in checks.NEVER_LOWERED],
        *[(name.replace("N", "7"), [(name.replace("N", "7"), "warn")], False) for name in checks.NEVER_LOWERED],
    ],
)
def test_what_an_action_lowers(name: str, actions: list[tuple[str, str]], lowered: bool) -> None:
    assert checks.lowered(name, actions) is lowered


def test_documented_checks_are_those_that_policies_know() -> None:
    """A check that policies don't know could not be named in [policy.actions]."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "exit-codes.md").read_text()
    table = page[page.index("## Checks") : page.index("## When nothing is judged")]
    assert set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)) <= set(checks.NAMES)


def test_never_lowered_are_checks_and_the_contract_s_three_are_among_them() -> None:
    assert set(checks.NEVER_LOWERED) <= set(checks.NAMES)
    assert {"artifact.digest", "signature.value", "path.built"} <= set(checks.NEVER_LOWERED)
