"""References: a key and its version as users write them; a version is named or it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.errors import UsageError
from signkit.keys import reference
from signkit.keys.reference import KeyReference

UUID = "5f2b1d57-7b4e-4c38-9a55-0a6b6f6f7c11"


@pytest.mark.parametrize(
    ("text", "key", "version"),
    [
        ("alias/release@2", "alias/release", "2"),
        ("alias/release@002", "alias/release", "2"),
        (f"{UUID}@1", UUID, "1"),
        (f"alias/release@{UUID}", "alias/release", UUID),
        ("alias/a/b_c-d@10", "alias/a/b_c-d", "10"),
        ("key-hzz62f1cb66fa42qo@12", "key-hzz62f1cb66fa42qo", "12"),
    ],
)
def test_key_and_version(text: str, key: str, version: str) -> None:
    found = reference.parse_key_version(text)
    assert found == (key, version)
    assert str(found) == f"{key}@{version}"
    assert found.is_alias is key.startswith("alias/")
    assert found.number == (int(version) if version.isdecimal() else None)


def test_a_key_without_version_is_no_version() -> None:
    """Nothing is ever guessed; that one is missing the key service says, which knows the versions."""
    for text in ("alias/release", UUID):
        for parse in (reference.parse_key, reference.parse_key_version):
            assert parse(text) == (text, None)
            assert parse(text).number is None
            assert str(parse(text)) == text


def test_a_version_where_the_whole_key_is_meant() -> None:
    with pytest.raises(UsageError, match="names a version"):
        reference.parse_key("alias/release@2")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@1",
        " ",
        "alias/",
        "alias/@1",
        "alias/release@",
        "alias/release@0",
        "alias/release@000",
        "alias/release@-1",
        "alias/release@+1",
        "alias/release@1.0",
        "alias/release@ 1",
        "alias/release@1 ",
        "alias/release@1@2",
        "alias/release@latest!",
        "alias/release@١",
        "alias/release@²",
        "alias/rele ase@1",
        "alias/réléase@1",
        "alias/release\n@1",
        "alias/release@1\n",
        "alias/release;rm@1",
        "alias/../x@1",
        "alias/acs/kms@1",
        "alias/" + "a" * 256 + "@1",
        "Alias/release@1",
        "-key@1",
        "ke y@1",
        "../key@1",
        "a" * 129 + "@1",
        "key@" + "1" * 129,
        "key\x00@1",
        "kéy@1",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        reference.parse_key_version(text)
    assert caught.value.exit_status == 2


def test_alias_names() -> None:
    assert reference.parse_alias("alias/a") == "alias/a"
    assert reference.parse_alias("alias/" + "a" * 255)
    for text in ("release", "alias/", "alias/acs", "alias/acs/x", "alias/a@1", "alias/a ", "alias/ä"):
        with pytest.raises(UsageError, match="is not an alias"):
            reference.parse_alias(text)


@given(st.text(max_size=30))
def test_any_text_is_a_reference_or_a_usage_error(text: str) -> None:
    for parse in (reference.parse_key, reference.parse_key_version):
        try:
            found = parse(text)
        except UsageError:
            continue
        assert parse(str(found)) == found


@given(st.integers(1, 10**20))
def test_numbers_come_back(number: int) -> None:
    assert KeyReference("k", str(number)).number == number
    assert reference.parse_key_version(f"k@{number}").number == number
