"""Where the root key of a store comes from: one scheme, one file. A root key is named by a URI, ``SCHEME:LOCATION``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from signkit.errors import UsageError

if TYPE_CHECKING:
    from signkit.ports import RootKey


def _file(location: str) -> RootKey:
    from signkit.custody.file import FileRootKey

    return FileRootKey(location)


def _prompt(location: str) -> RootKey:
    from signkit.custody.prompt import PromptRootKey

    return PromptRootKey(location)


def _keyring(location: str) -> RootKey:
    from signkit.custody.keyring import KeyringRootKey

    return KeyringRootKey(location)


def _credential(location: str) -> RootKey:
    from signkit.custody.credential import CredentialRootKey

    return CredentialRootKey(location)


SCHEMES: Mapping[str, Callable[[str], RootKey]] = MappingProxyType(
    {"file": _file, "keyring": _keyring, "credential": _credential, "prompt": _prompt}
)
"""Scheme to what makes a root-key source of the rest of the URI; a scheme's module is imported when it is used."""


def parse_root_key(uri: str) -> RootKey:
    """The root-key source of a URI: ``file:PATH``, ``keyring:``, ``keyring:NAME``, ``credential:NAME`` or ``prompt:``.

    Nothing is read or asked yet.

    Raises:
        UsageError: unknown scheme, or a location that the scheme does not take.
    """
    scheme, separator, location = uri.partition(":")
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{name}:" for name in SCHEMES)
        raise UsageError(f"'{uri}' names no root key: expected one of {known}", hint="for example file:/PATH/root.key")
    return SCHEMES[scheme](location)
