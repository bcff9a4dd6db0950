"""``keyring:`` or ``keyring:NAME``: the root key is kept by the desktop's or the system's keyring.

It needs the package ``keyring`` (``signkit[keyring]``), which is imported when it is used.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from signkit.errors import RootKeyError, UsageError
from signkit.keys.sealing import KEY_SIZE, RootSecret

SERVICE = "signkit"
"""Name of the service in the keyring."""

_DEFAULT_NAME = "root-key"
_MAXIMUM_NAME = 255
_RECOMMENDED = 1  # what the package's backends of lower priority are not
_ELSEWHERE = "name another root key, for example --root-key file:PATH"

_T = TypeVar("_T")


class KeyringRootKey:
    """A root key in a keyring, as 64 hexadecimal digits.

    Attributes:
        name: its name within the service ``signkit``.
        uri: ``keyring:`` and, unless it is the default one, that name.
    """

    def __init__(self, location: str) -> None:
        if len(location) > _MAXIMUM_NAME or not location.isprintable():
            raise UsageError(
                f"a keyring's name has at most {_MAXIMUM_NAME} printable characters, found {location!r}",
                hint="for example keyring:release",
            )
        self.name = location or _DEFAULT_NAME
        self.uri = f"keyring:{location}"

    def create(self) -> RootSecret:
        """The root key for a new store. One that is in the keyring is used as it is and never overwritten.

        Raises:
            RootKeyError: there is no usable keyring, or what it holds is not a root key.
        """
        keyring = _keyring()
        _require_protection(keyring)
        if self._read(keyring) is None:
            key = secrets.token_bytes(KEY_SIZE).hex()
            _asked("keep the root key", lambda: keyring.set_password(SERVICE, self.name, key))
        return self.load()  # what the keyring holds now, in case it kept nothing or another process was first

    def load(self) -> RootSecret:
        """The root key.

        Raises:
            RootKeyError: there is no usable keyring, it has no such entry, or that is not a root key.
        """
        found = self._read(_keyring())
        if found is None:
            raise RootKeyError(
                f"the keyring has no entry '{self.name}' of {SERVICE}",
                hint="unlock or restore the keyring that it was kept in; the store can't be opened without it",
            )
        try:
            key = bytes.fromhex(found)
        except ValueError:
            key = b""
        if len(key) != KEY_SIZE:
            raise RootKeyError(
                f"the keyring's entry '{self.name}' of {SERVICE} is no root key: expected {2 * KEY_SIZE} hex digits"
            )
        return RootSecret("key", key)

    def _read(self, keyring: Any) -> str | None:
        found = _asked("give the root key", lambda: keyring.get_password(SERVICE, self.name))
        return found if found is None else str(found)


def _keyring() -> Any:
    """The package.

    Raises:
        RootKeyError: it is not installed.
    """
    try:
        return import_module("keyring")
    except ImportError as error:
        raise RootKeyError(
            f"the root key is in a keyring, and the package 'keyring' can't be used: {error}",
            hint=f"pip install 'signkit[keyring]'; or {_ELSEWHERE}",
        ) from error


def _require_protection(keyring: Any) -> None:
    """Refuse to put a new root key where it would lie open.

    Raises:
        RootKeyError: the keyring in use does not protect what it holds, or there is none.
    """
    backend = _asked("be opened", keyring.get_keyring)
    priority = _asked("be opened", lambda: float(getattr(backend, "priority", 0)))
    if priority < _RECOMMENDED:
        kind = type(backend)
        raise RootKeyError(
            f"there is no keyring here that protects a root key: found {kind.__module__}.{kind.__qualname__}",
            hint=f"start a keyring (GNOME Keyring, KWallet); or {_ELSEWHERE}",
        )


def _asked(what: str, question: Callable[[], _T]) -> _T:
    """What the keyring answers. Its backends are plug-ins that raise all kinds of errors.

    Raises:
        RootKeyError: it failed.
    """
    try:
        return question()
    except Exception as error:
        kind = type(error).__name__
        if kind == "NoKeyringError":
            raise RootKeyError(
                "there is no keyring here", hint=f"start a keyring (GNOME Keyring, KWallet); or {_ELSEWHERE}"
            ) from error
        detail = f"{kind}: {error}" if str(error) else kind
        raise RootKeyError(f"the keyring could not {what}: {detail}", hint="unlock it, then try again") from error
