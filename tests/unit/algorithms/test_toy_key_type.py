"""A key type is one file and its name in ``FAMILIES``: everything works with it, and nothing else knows of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from signkit import algorithms
from signkit.errors import UsageError
from tests.support import toy
from tests.support.commands import Workshop


def forget() -> None:
    """Empty the caches over ``FAMILIES``, which is fixed in a process that is no test."""
    for value in vars(algorithms).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy's file put beside the others, and its row into the table."""
    monkeypatch.setitem(sys.modules, "signkit.algorithms.toy", toy)
    monkeypatch.setattr(algorithms, "FAMILIES", (*algorithms.FAMILIES, "toy"))
    forget()
    yield
    monkeypatch.undo()
    forget()


@pytest.fixture
def shop(family: None, tmp_path: Path) -> Workshop:
    """A store with a certified toy key: key create, csr create, lab issue and cert import have worked."""
    return Workshop.create(tmp_path, "TOY_127")


def test_from_key_to_verified_signature(shop: Workshop) -> None:
    artifact = shop.folder / "app.bin"
    artifact.write_bytes(b"an artifact\n")
    shop.sign(artifact)
    assert shop.verify(artifact).status == 0
    artifact.write_bytes(b"another artifact\n")
    assert shop.verify(artifact).status == 12


def test_raw_signatures(shop: Workshop) -> None:
    message, signature = shop.folder / "message", shop.folder / "signature"
    message.write_bytes(b"message")
    options = ("--algorithm", "TOY_SCHNORR_SHA_256", "--in", message)
    shop.do("raw", "sign", shop.key, *options, "--out", signature)
    check = ("raw", "verify", shop.key, *options, "--signature", signature)
    shop.do(*check)
    message.write_bytes(b"massage")
    assert shop(*check).status == 13


def test_it_is_listed_shown_and_rotated(shop: Workshop) -> None:
    shop.do("version", "create", shop.key.removesuffix("@1"))
    document = json.loads(shop.do("key", "show", shop.key.removesuffix("@1"), "--json").out)
    assert (document["key_type"], len(document["versions"])) == ("TOY_127", 2)
    request = shop.folder / f"{shop.key.removeprefix('alias/').removesuffix('@1')}.csr"
    assert "TOY_127" in shop.do("inspect", request).out
    assert "TOY_127" in shop.do("doctor").out
    assert b"PUBLIC KEY" in shop.do("key", "public", shop.key).out.encode()
    assert shop("key", "public", shop.key, "--format", "jwk").status == 2


def test_private_keys_of_it_come_in(family: None) -> None:
    private_key_info, public_key_info = toy.generate(toy.KEY_TYPES[0])
    assert algorithms.import_private_key(private_key_info) == ("TOY_127", private_key_info, public_key_info)


def test_without_its_row_nobody_knows_it() -> None:
    with pytest.raises(UsageError, match="'TOY_127' is not a key type"):
        algorithms.key_type("TOY_127")
    assert "signkit.algorithms.toy" not in sys.modules
