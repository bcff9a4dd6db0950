"""``keyring:``: made once, kept by a keyring that protects it, and every failure is a sentence."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

from signkit.custody import parse_root_key
from signkit.errors import RootKeyError, UsageError


class NoKeyringError(RuntimeError):
    """Named as the package's own."""


class Backend:
    """A keyring in memory, as the package hands it out."""

    priority: float = 5

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None

    def get_password(self, service: str, name: str) -> str | None:
        if self.error:
            raise self.error
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.entries[service, name] = value


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The backend of a package ``keyring`` that is installed."""
    backend, package = Backend(), ModuleType("keyring")
    vars(package).update(
        get_keyring=lambda: backend,
        get_password=lambda service, name: backend.get_password(service, name),
        set_password=lambda service, name, value: backend.set_password(service, name, value),
    )
    monkeypatch.setitem(sys.modules, "keyring", package)
    return backend


def refused(uri: str, match: str, *verbs: str) -> RootKeyError:
    for verb in verbs or ("create", "load"):
        with pytest.raises(RootKeyError, match=match) as caught:
            getattr(parse_root_key(uri), verb)()
    assert caught.value.exit_status == 3
    return caught.value


# Refused


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "pip install 'signkit[keyring]'" in refused("keyring:", "the package 'keyring' can't be used").hint


def test_a_missing_backend_is_a_sentence(backend: Backend) -> None:
    backend.error = NoKeyringError("No recommended backend was available. Install ...")
    assert "--root-key file:PATH" in refused("keyring:", "there is no keyring here").hint


@pytest.mark.parametrize("error", [ValueError("locked"), KeyError(), OSError(5, "D-Bus")])
def test_whatever_a_backend_raises_is_a_sentence(backend: Backend, error: Exception) -> None:
    backend.error = error
    refused("keyring:", f"the keyring could not give the root key: {type(error).__name__}")


@pytest.mark.parametrize("priority", [-1, 0, 0.5])
def test_a_new_root_key_is_not_put_where_it_lies_open(backend: Backend, priority: float) -> None:
    """The package's plain-text, failing and null backends have a priority below one."""
    backend.priority = priority
    refused("keyring:", "no keyring here that protects a root key: found .*Backend", "create")
    assert backend.entries == {}


def test_a_keyring_that_keeps_nothing_is_refused(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "set_password", lambda service, name, value: None)
    refused("keyring:", "has no entry 'root-key' of signkit", "create")


def test_a_missing_entry_is_refused_and_not_made(backend: Backend) -> None:
    assert refused("keyring:other", "the keyring has no entry 'other' of signkit", "load").hint
    assert backend.entries == {}


@pytest.mark.parametrize("value", ["", "secret", "00" * 31, "00" * 33, "\u0661" * 64])
def test_an_entry_that_is_no_root_key_is_refused_unseen_and_unchanged(backend: Backend, value: str) -> None:
    backend.entries["signkit", "root-key"] = value
    error = refused("keyring:", "is no root key: expected 64 hex digits")
    assert not value or value not in error.message
    assert backend.entries == {("signkit", "root-key"): value}


@pytest.mark.parametrize("name", ["a\nb", "a\0", "x" * 256])
def test_a_name_that_can_not_be_one(name: str) -> None:
    with pytest.raises(UsageError, match="at most 255 printable characters"):
        parse_root_key(f"keyring:{name}")


# Accepted


@pytest.mark.parametrize(("uri", "name"), [("keyring:", "root-key"), ("keyring:release keys", "release keys")])
def test_a_root_key_is_made_once(backend: Backend, uri: str, name: str) -> None:
    made = parse_root_key(uri).create()
    assert made.kind == "key" and len(made.value) == 32
    assert backend.entries == {("signkit", name): made.value.hex()}
    for _ in range(2):
        assert parse_root_key(uri).create() == parse_root_key(uri).load() == made
    assert parse_root_key(uri).uri == uri


def test_the_package_is_imported_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "signkit.custody.keyring", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)
    importlib.import_module("signkit.custody.keyring")
    assert parse_root_key("keyring:").uri == "keyring:"
