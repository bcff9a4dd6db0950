"""Every fuzzing target works, and stands a short, repeatable round of damaged inputs without atheris."""

from __future__ import annotations

import random
import warnings

import pytest

from tests.fuzz.run import main
from tests.fuzz.targets import TARGETS

AVAILABLE = [name for name, target in TARGETS.items() if target.available]
_ROUNDS = 300


def damaged(seed: bytes, chance: random.Random) -> bytes:
    """The seed with a few bytes changed, cut out, doubled, or something put in."""
    data = bytearray(seed[:8192])
    for _ in range(chance.randint(1, 4)):
        begin = chance.randrange(len(data) + 1)
        end = min(len(data), begin + chance.choice((1, 1, 2, 8, 64)))
        kind = chance.randrange(4)
        if kind == 0:
            data[begin:end] = chance.randbytes(end - begin)
        elif kind == 1:
            del data[begin:end]
        elif kind == 2:
            data[begin:begin] = data[begin:end]
        else:
            data[begin:begin] = chance.choice((b"\x30\x80", b"\xff", b"\x00" * 4, b"[[", b'"', b"\x84\xff\xff\xff\xff"))
    return bytes(data)


@pytest.mark.parametrize("name", AVAILABLE)
def test_target_stands_damaged_inputs(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    seeds = target.begin()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parsers of others about what they read
        for data in (b"", *seeds):
            target(data)
        for _ in range(_ROUNDS):
            target(damaged(chance.choice(seeds or [chance.randbytes(64)]), chance))


def test_the_parsers_of_this_release_are_there() -> None:
    assert {"certificate", "signature", "policy", "configuration", "bundle", "request"} <= set(AVAILABLE)


@pytest.mark.parametrize("name", ["certificate", "signature", "policy"])
def test_target_has_seeds_it_accepts(name: str) -> None:
    target = TARGETS[name]
    assert target.begin()
    target(target.begin()[0])


def test_an_unknown_target_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["nothing"])
    assert left.value.code == 2
    assert "no target 'nothing', expected one of der" in capsys.readouterr().err
