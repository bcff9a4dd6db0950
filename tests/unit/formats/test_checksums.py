"""``SHA256SUMS`` is what GNU sha256sum reads and writes, for any file name, and its rules travel with it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from signkit.errors import MalformedError, UsageError
from signkit.formats import checksums
from signkit.formats.checksums import Manifest, Rules

DIGEST = hashlib.sha256(b"x").digest()
HEX = DIGEST.hex().encode()
NAMES = [
    "a",
    "dir/b c",
    "back\\slash",
    "line\nbreak",
    "carriage\rreturn",
    "ü",
    "\udcff",
    "-dash",
    "#hash",
    " space ",
    "*star",
]

octets = st.binary(min_size=1, max_size=20).filter(lambda b: not {0, 0x2F} & set(b) and b not in (b".", b".."))
names = octets.map(os.fsdecode)


@given(st.dictionaries(names, st.binary(min_size=32, max_size=32), max_size=5))
def test_what_is_written_is_read_again(listed: dict[str, bytes]) -> None:
    manifest = Manifest(listed, Rules(("**/*.so",), ("*.log", "tmp/")))
    assert checksums.decode(checksums.encode(manifest)) == manifest


def test_sha256sum_reads_it_and_we_read_what_it_writes(tmp_path: Path) -> None:
    for name in NAMES:
        path = os.fsencode(tmp_path) + b"/" + os.fsencode(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(os.fsencode(name))
    listed = {name: hashlib.sha256(os.fsencode(name)).digest() for name in NAMES}
    (tmp_path / "SHA256SUMS").write_bytes(checksums.encode(Manifest(listed, Rules(exclude=("SHA256SUMS*",)))))
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True)
    assert checked.returncode == 0, checked
    assert checked.stdout.count(b": OK") == len(NAMES)
    written = subprocess.run(
        ["sha256sum", "--", *(os.fsencode(f"./{name}") for name in NAMES)],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert checksums.decode(written.stdout).digests == listed


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (HEX + b"  a", "ends within a line"),
        (HEX[:-1] + b"  a\n", "expected 64"),
        (HEX.upper() + b"  a\n", "expected 64"),
        (HEX + b" a\n", "expected 64"),
        (HEX + b"  \n", "expected 64"),
        (b"\n", "expected 64"),
        (HEX + b"  a\n" + HEX + b"  a\n", "twice"),
        (HEX + b"  a\n" + HEX + b"  ./a\n", "twice"),
        (HEX + b"  ../a\n", "leads out"),
        (HEX + b"  a/../../b\n", "leads out"),
        (HEX + b"  /etc/passwd\n", "leads out"),
        (HEX + b"  a//b\n", "leads out"),
        (HEX + b"  a/\n", "leads out"),
        (HEX + b"  a\0b\n", "leads out"),
        (b"\\" + HEX + b"  a\\x\n", "unknown escape"),
        (b"\\" + HEX + b"  a\\\n", "unknown escape"),
        (b"# exclude: /abs\n", "is no pattern"),
    ],
)
def test_what_is_no_manifest_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        checksums.decode(data)


@given(st.binary(max_size=200))
def test_anything_else_is_malformed_or_a_manifest(data: bytes) -> None:
    try:
        manifest = checksums.decode(data)
    except MalformedError:
        return
    assert checksums.decode(checksums.encode(manifest)) == manifest


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.log", ["a.log"], ["d/a.log", "a.logs"]),
        ("**/*.log", ["a.log", "d/a.log", "d/e/a.log"], ["a.txt"]),
        ("build/**", ["build/a", "build/d/a"], ["build", "x/build/a"]),
        ("build/", ["build/a", "build/d/a"], ["build", "builds/a"]),
        ("a?c", ["abc"], ["ac", "a/c"]),
        ("[ab].c", ["[ab].c"], ["a.c"]),
        ("a.b", ["a.b"], ["aXb"]),
    ],
)
def test_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    chooses = Rules(include=(pattern,)).matcher().chooses
    assert all(map(chooses, matching)) and not any(map(chooses, others))
    spares = Rules(exclude=(pattern,)).matcher().chooses
    assert not any(map(spares, matching)) and all(map(spares, others))


@pytest.mark.parametrize("pattern", ["", "/a", "a\nb", "\x1b", "x" * 1001])
def test_what_can_be_no_rule(pattern: str) -> None:
    with pytest.raises(UsageError, match="is no pattern"):
        checksums.encode(Manifest({}, Rules(exclude=(pattern,))))


def test_no_rule_takes_long() -> None:
    """A rule that backtracks would take longer than anybody lives."""
    started = time.perf_counter()
    assert not Rules(include=("**a" * 300 + "b",)).matcher().chooses("a" * 4000)
    assert not Rules(include=("**/" * 300 + "b",)).matcher().chooses("a/" * 2000 + "a")
    assert time.perf_counter() - started < 5


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?"]), min_size=1, max_size=7).map("".join),
    st.text("ab/", max_size=9),
)
def test_rules_choose_as_regular_expressions_would(pattern: str, name: str) -> None:
    assume(not pattern.startswith("/"))
    known = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern + ("**" if pattern.endswith("/") else ""))
    expected = re.fullmatch("".join(known.get(piece, piece) for piece in pieces), name) is not None
    assert Rules(include=(pattern,)).matcher().chooses(name) is expected
