"""Completion of keys, versions and aliases from the store, by the metavar of a parameter. No root key is needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from signkit.errors import SignkitError

if TYPE_CHECKING:
    from signkit.wiring import Wiring

Names = Callable[["Wiring"], Iterable[str]]


def prepare() -> None:
    """Make typer know the shells."""
    from typer._completion_classes import completion_init  # no public name

    completion_init()


def attach(parameter: Any) -> None:
    """Have a parameter of a command completed when its metavar says that it names something in the store."""
    names = _NAMES.get((parameter.metavar or "").removesuffix("..."))
    if names is None:
        return

    def complete(context: Any, _parameter: Any, incomplete: str) -> list[Any]:
        """What begins so; nothing when there is no store, since nobody reads an error here."""
        from typer._click.shell_completion import CompletionItem  # no public name

        from signkit.wiring import Wiring

        home = context.find_root().params.get("home")
        wiring = Wiring(os.environ, home=home, config=context.find_root().params.get("config"))
        try:
            found = sorted(name for name in names(wiring) if name.startswith(incomplete))
        except SignkitError:
            return []
        finally:
            wiring.close()
        return [CompletionItem(name) for name in found]

    parameter._custom_shell_complete = complete


def _keys(wiring: Wiring) -> Iterable[str]:
    yield from _aliases(wiring)
    yield from (key.id for key in wiring.store.keys())


def _aliases(wiring: Wiring) -> Iterable[str]:
    yield from (alias.name for alias in wiring.store.aliases())


def _versions(wiring: Wiring) -> Iterable[str]:
    """By alias where there is one: nobody types the id of a key that has a name."""
    numbers = {key.id: [version.number for version in wiring.store.versions(key.id)] for key in wiring.store.keys()}
    named = set()
    for alias in wiring.store.aliases():
        named.add(alias.key_id)
        yield from (f"{alias.name}@{number}" for number in numbers.get(alias.key_id, ()))
    for key_id in numbers.keys() - named:
        yield from (f"{key_id}@{number}" for number in numbers[key_id])


def _keys_and_versions(wiring: Wiring) -> Iterable[str]:
    yield from _keys(wiring)
    yield from _versions(wiring)


_NAMES: dict[str, Names] = {
    "KEY": _keys,
    "KEY@V": _versions,
    "KEY@V|FILE": _versions,
    "KEY[@V]": _keys_and_versions,
    "alias/NAME": _aliases,
}
