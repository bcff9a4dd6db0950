"""A slip of the finger is answered with the word that was meant, wherever a word is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Workshop, call


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")


@pytest.mark.parametrize(
    ("arguments", "status", "meant"),
    [
        (("sgin", "app.bin"), 2, "'sign'"),
        (("key", "crate"), 2, "'create'"),
        (("verify", "app.bin", "--trsut", "root.pem"), 2, "--trust"),
        (("help", "polcy"), 2, "'policy'"),
        (("sign", "app.bin", "--key", "alias/EC_P265@1"), 3, "did you mean alias/EC_P256?"),
        (("key", "show", "EC_P256"), 3, "did you mean alias/EC_P256?"),
        (("sign", "app.bin", "--key", "alias/EC_P256@2"), 3, "expected one of 1"),
        (("sign", "app.bin", "--key", "alias/EC_P256"), 2, "alias/EC_P256@1"),
    ],
)
def test_commands_options_and_keys(
    arguments: tuple[str, ...], status: int, meant: str, shop: Workshop, workdir: Path
) -> None:
    (workdir / "app.bin").touch()
    done = shop(*arguments)
    done.error(status)
    assert meant in done.err


def test_a_name_that_is_like_no_other_is_answered_with_the_way_to_them(shop: Workshop) -> None:
    done = shop("key", "show", "alias/nothing-like-it")
    done.error(3)
    assert "did you mean" not in done.err
    assert "'signkit alias list'" in done.err


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[stroe]", "did you mean [store]?"),
        ('[store]\nroot_key = "x"', "did you mean root-key?"),
        ("[zzz]", "signkit help"),
    ],
)
def test_configuration(text: str, meant: str, workdir: Path) -> None:
    (workdir / "signkit.toml").write_text(text)
    done = call("key", "list")
    done.error(4)
    assert meant in done.err
