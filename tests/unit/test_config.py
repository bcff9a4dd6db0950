"""``signkit.toml``: what is read, and that nothing unknown is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit import config
from signkit.config import Settings
from signkit.errors import ConfigurationError


def test_an_empty_file_is_the_defaults() -> None:
    assert config.parse("") == Settings()
    assert config.parse("# nothing\n[sign]\n") == Settings()


def test_every_key() -> None:
    text = """
        [store]
        url = "sqlite:/srv/store.db"
        root-key = "prompt:"
        [sign]
        key = ["alias/release@2"]
        digest = "sha384"
        policy = "sign.policy.toml"
        minimum-remaining-days = 30
        jobs = 2
        timestamp = ["https://tsa.example/", "https://other.example/"]
        tsa-trust = ["tsa.pem"]
        [verify]
        policy = "release.policy.toml"
        [keys]
        maximum-versions = 10
        minimum-version-interval-days = 7
    """
    assert config.parse(text) == Settings(
        store_url="sqlite:/srv/store.db",
        root_key="prompt:",
        sign_key=("alias/release@2",),
        digest="sha384",
        sign_policy="sign.policy.toml",
        minimum_remaining_days=30,
        jobs=2,
        timestamp=("https://tsa.example/", "https://other.example/"),
        tsa_trust=("tsa.pem",),
        verify_policy="release.policy.toml",
        maximum_versions=10,
        minimum_version_interval_days=7,
    )


def test_one_key_may_stand_alone() -> None:
    assert config.parse('sign = { key = "alias/release@2" }').sign_key == ("alias/release@2",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "not valid TOML"),
        ("a", "not valid TOML"),
        ('[store]\nurl = "a"\nurl = "b"', "not valid TOML"),
        ("[stroe]", r"unknown \[stroe\]: expected one of \[store\]"),
        ('url = "sqlite:x"', r"unknown \[url\]"),
        ('[store]\nulr = "x"', "unknown ulr in .store.: expected one of url, root-key"),
        ('[store]\nroot_key = "x"', "unknown root_key"),
        ("store = 1", "'store' is a value, expected a table"),
        ("[[store]]", "expected a table"),
        ("[store]\nurl = 5", "url in .store. is 5, expected a string"),
        ("[store]\nurl = ['a']", "expected a string"),
        ("[sign]\nkey = 5", "expected a list of strings"),
        ("[sign]\ntimestamp = 5", "expected a list of strings"),
        ("[sign]\njobs = -1", "from 0 to 1024"),
        ("[sign]\nminimum-remaining-days = '5'", "from 0 to 3650"),
        ("[sign]\npolicy = 5", "expected a string"),
        ("[sign]\nkey = ['a', 5]", "expected a list of strings"),
        ("[sign]\nkey = { a = 1 }", "expected a list of strings"),
        ("[keys]\nmaximum-versions = 0", "from 1 to 1000"),
        ("[keys]\nmaximum-versions = 1001", "from 1 to 1000"),
        ("[keys]\nmaximum-versions = 1.0", "whole number"),
        ("[keys]\nmaximum-versions = true", "whole number"),
        ("[keys]\nmaximum-versions = '5'", "whole number"),
        ("[keys]\nminimum-version-interval-days = -1", "from 0 to 3650"),
        ("[keys]\nminimum-version-interval-days = 2026-01-01", "whole number"),
    ],
)
def test_invalid_configuration(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        config.parse(text, "signkit.toml")
    assert caught.value.exit_status == 4
    assert caught.value.message.startswith("signkit.toml: ")


@given(st.text(max_size=60))
def test_any_text_is_settings_or_an_error(text: str) -> None:
    try:
        config.parse(text)
    except ConfigurationError:
        pass


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, "[keys]\nmaximum-versions = " + "9" * 5000], ids=["depth", "digits"]
)
def test_hostile_toml(text: str) -> None:
    with pytest.raises(ConfigurationError):
        config.parse(text)
