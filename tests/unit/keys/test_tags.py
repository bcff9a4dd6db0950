"""Tags within the limits of KMS."""

from __future__ import annotations

import pytest

from signkit.errors import UsageError
from signkit.keys import tags


def test_the_form_on_the_command_line() -> None:
    assert tags.parse(["team=release", "empty=", "with=a=b"]) == {"team": "release", "empty": "", "with": "a=b"}
    for bad in (["team"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            tags.parse(bad)


@pytest.mark.parametrize(
    "further",
    [
        {"": "x"},
        {"n" * 129: "x"},
        {"name": "v" * 129},
        {"aliyun": "x"},
        {"Aliyun-x": "x"},
        {"acs:team": "x"},
        {"name": "acs:x"},
        {"na\nme": "x"},
        {"name": "\udcff"},
        {f"n{number}": "" for number in range(21)},
    ],
)
def test_what_kms_would_not_take(further: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        tags.with_tags({}, further)


def test_the_limits_themselves_are_fine() -> None:
    assert len(tags.with_tags({}, {f"n{number}": "" for number in range(20)})) == 20
    assert tags.with_tags({"n" * 128: "a"}, {"n" * 128: "v" * 128}) == {"n" * 128: "v" * 128}
