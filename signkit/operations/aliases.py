"""Aliases: movable names of keys. Moving one never breaks it: at each moment it names one key."""

from __future__ import annotations

from signkit.errors import ConflictError
from signkit.keys import states
from signkit.keys.model import Alias
from signkit.keys.reference import KeyReference, parse_alias
from signkit.operations.access import Access
from signkit.operations.directory import Directory
from signkit.ports import Store


class AliasService:
    """Makes, moves and takes away aliases; both the alias and its key must be permitted."""

    def __init__(self, access: Access, directory: Directory) -> None:
        """Take the parts; nothing is opened here."""
        self._access = access
        self._store = access.store
        self._directory = directory

    def create(self, name: str, reference: KeyReference, *, dry_run: bool = False) -> Alias:
        """Give a key a further name.

        Raises:
            UsageError: a malformed alias.
            NotFoundError: no such key.
            AccessDeniedError: the caller may not name this key so.
            StateError: the state of the key forbids it.
            ConflictError: the alias exists.
        """
        with self._access.attempt("CreateAlias", dry_run=dry_run, detail=name) as attempt:
            parse_alias(name)
            key = self._directory.find(reference)
            attempt.allow(key, alias=name)
            states.require_key(attempt.action, key, named=reference.key)
            require_free(self._store, name)
            alias = Alias(name, key.id, attempt.at)
            if not dry_run:
                self._store.create_alias(alias, [attempt.entry()])
            return alias

    def update(self, name: str, reference: KeyReference, *, dry_run: bool = False) -> Alias:
        """Move an alias to another key.

        Raises:
            NotFoundError: no such alias or key.
            AccessDeniedError: the caller may not name this key so.
            StateError: the state of the key forbids it.
        """
        with self._access.attempt("UpdateAlias", dry_run=dry_run, detail=name) as attempt:
            alias = self._directory.find_alias(name)
            key = self._directory.find(reference)
            attempt.allow(key, alias=name)
            states.require_key(attempt.action, key, named=reference.key)
            if not dry_run:
                self._store.update_alias(name, key.id, [attempt.entry()])
            return alias._replace(key_id=key.id)

    def delete(self, name: str, *, dry_run: bool = False) -> Alias:
        """Take a name away; its key stays.

        Returns:
            The alias that was.

        Raises:
            NotFoundError: no such alias.
            AccessDeniedError: the caller may not take it away.
        """
        with self._access.attempt("DeleteAlias", dry_run=dry_run, detail=name) as attempt:
            alias = self._directory.find_alias(name)
            key = self._directory.find(KeyReference(name, None))
            attempt.allow(key, alias=name)
            if not dry_run:
                self._store.delete_alias(name, [attempt.entry()])
            return alias


def require_free(store: Store, name: str) -> None:
    """Refuse a taken alias early; that two callers can't take one at once is the store's to see to.

    Raises:
        UsageError: a malformed alias.
        ConflictError: it is taken.
    """
    taken = store.alias(parse_alias(name))
    if taken is not None:
        raise ConflictError(
            f"{name} exists already and names key {taken.key_id}",
            hint="choose another name, or move it with 'signkit alias update'",
        )
