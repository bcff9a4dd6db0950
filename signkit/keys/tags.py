"""Tags of keys, within the limits of Alibaba Cloud KMS: at most 20, names and values of at most 128 characters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from signkit.errors import UsageError

MAXIMUM_TAGS = 20
MAXIMUM_LENGTH = 128
RESERVED = ("aliyun", "acs:")
"""Beginnings that names and values may not have."""


def parse(texts: Iterable[str]) -> dict[str, str]:
    """Tags that are written ``NAME=VALUE``; the value may be empty, and may have further ``=``.

    Raises:
        UsageError: another form, or a name given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"'{text}' is not a tag: expected NAME=VALUE", hint="for example team=release")
        if name in found:
            raise UsageError(f"the tag '{name}' is given twice, expected it once")
        found[name] = value
    return found


def with_tags(tags: Mapping[str, str], further: Mapping[str, str]) -> Mapping[str, str]:
    """The tags of a key with further ones, which take the place of those of the same name.

    Raises:
        UsageError: too many, or one that KMS would not take.
    """
    for name, value in further.items():
        _require("name of a tag", name, 1)
        _require(f"value of the tag '{name}'", value, 0)
    found = {**tags, **further}
    if len(found) > MAXIMUM_TAGS:
        raise UsageError(f"the key would have {len(found)} tags, expected at most {MAXIMUM_TAGS}")
    return MappingProxyType(found)


def without_tags(tags: Mapping[str, str], names: Iterable[str]) -> Mapping[str, str]:
    """The tags of a key without those of these names.

    Raises:
        UsageError: the key has no such tag.
    """
    found = dict(tags)
    for name in dict.fromkeys(names):
        if name not in found:
            raise UsageError(f"the key has no tag '{name}', expected one of {', '.join(tags) or 'none'}")
        del found[name]
    return MappingProxyType(found)


def _require(what: str, text: str, minimum: int) -> None:
    if not minimum <= len(text) <= MAXIMUM_LENGTH:
        raise UsageError(f"{what} has {len(text)} characters, expected {minimum} to {MAXIMUM_LENGTH}")
    if text.lower().startswith(RESERVED):
        raise UsageError(f"{what} is '{text}', expected one that begins with neither {' nor '.join(RESERVED)}")
    if not all(character.isprintable() for character in text):
        raise UsageError(f"{what} is {text!a}, expected printable characters")
