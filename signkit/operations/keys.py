"""The key service: makes keys and their versions, and opens to its other rooms.

- ``directory``: from references to keys, versions and aliases; what only reads
- ``aliases``: movable names
- ``use``: the one place where private keys are used

Each operation is authorised and recorded by ``signkit.operations.access``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from signkit import algorithms
from signkit.errors import SignkitError, UsageError
from signkit.keys import states
from signkit.keys.model import Key, KeyState, KeyUsage, KeyVersion, VersionState
from signkit.keys.reference import KeyReference
from signkit.operations.access import Access, Attempt, recordable
from signkit.operations.aliases import AliasService, require_free
from signkit.operations.directory import Directory
from signkit.operations.refusals import require_own_origin, require_provider, require_usage
from signkit.operations.use import KeyUse
from signkit.ports import Clock, Provider, Store

MAXIMUM_DESCRIPTION = 8192


class KeyService:
    """Keys and their versions, by reference. No operation picks a version.

    Attributes:
        access: who asks, and the door that every operation passes.
        directory: look-ups and reading operations.
        aliases: movable names of keys.
        use: signing and decrypting.
    """

    def __init__(
        self,
        store: Store,
        providers: Mapping[str, Provider],
        *,
        clock: Clock,
        new_id: Callable[[], str],
        principal: str,
        source: str = "",
        minimum_version_interval_days: int = 0,
    ) -> None:
        """Take the parts; nothing is opened here.

        Args:
            store: where keys are listed.
            providers: provider name to provider.
            clock: the present.
            new_id: makes UUIDs.
            principal: who asks, for example ``os:alice``.
            source: address of who asks; empty = this machine.
            minimum_version_interval_days: days that must lie between two versions of a key.
        """
        self._store = store
        self._providers = providers
        self._minimum_interval = timedelta(days=minimum_version_interval_days)
        self.access = Access(store, clock=clock, new_id=new_id, principal=principal, source=source)
        self.directory = Directory(self.access)
        self.aliases = AliasService(self.access, self.directory)
        self.use = KeyUse(self.access, self.directory, providers)

    def create_key(
        self,
        key_type: str,
        *,
        usage: str = KeyUsage.SIGN_VERIFY,
        alias: str | None = None,
        description: str = "",
        provider: str = "software",
        dry_run: bool = False,
    ) -> tuple[Key, KeyVersion]:
        """Make a key with its version 1 (CreateKey).

        Args:
            key_type: for example ``EC_P256``.
            usage: what it may be used for.
            alias: ``alias/NAME`` to give it, or None.
            description: free text of at most 8192 characters.
            provider: where its private keys shall live.
            dry_run: check everything and make nothing.

        Raises:
            UsageError: unknown key type, provider or usage, or a malformed alias.
            AccessDeniedError: the caller may not make keys.
            ConflictError: the alias exists.
            ProviderError: the provider could not make the key pair.
        """
        with self.access.attempt("CreateKey", dry_run=dry_run, detail=alias or "") as attempt:
            require_usage(usage, algorithms.key_type(key_type))
            require_description(description)
            attempt.allow()
            if alias is not None:
                require_free(self._store, alias)
            holder = require_provider(self._providers, provider)
            if not holder.supports(key_type):
                raise UsageError(f"provider {provider} can't make keys of type {key_type}")
            now, new_id = attempt.at, self.access.new_id
            key = Key(new_id(), key_type, KeyUsage(usage), KeyState.ENABLED, provider, description, now)
            pending = KeyVersion(new_id(), key.id, 1, VersionState.PENDING, now, b"", b"")
            if alias is not None:
                attempt.allow(key, alias=alias, action="CreateAlias")
            if dry_run:
                return key, pending
            self._store.create_key(key, pending, alias, [])
            return key, self._complete(key, pending, attempt)

    def create_version(self, reference: KeyReference, *, dry_run: bool = False) -> tuple[Key, KeyVersion]:
        """Make the next version of a key (CreateKeyVersion). It is used only by who names it.

        Args:
            reference: the key.
            dry_run: check everything and make nothing.

        Raises:
            NotFoundError: no such key.
            AccessDeniedError: the caller may not give it versions.
            StateError: the key is not enabled.
            RefusedError: the key has as many versions as are allowed, or got its last one too recently.
        """
        with self.access.attempt("CreateKeyVersion", dry_run=dry_run, detail=str(reference)) as attempt:
            key = self.directory.find(reference)
            attempt.allow(key)
            require_own_origin(key, reference.key)
            states.require_key(attempt.action, key, named=reference.key)
            wanted = KeyVersion(self.access.new_id(), key.id, 0, VersionState.PENDING, attempt.at, b"", b"")
            versions = self.directory.find_versions(key)
            states.require_interval(wanted, versions, self._minimum_interval)
            if dry_run:
                return key, wanted._replace(number=len(versions) + 1)
            pending = self._store.create_version(wanted, [], minimum_interval=self._minimum_interval)
            return key, self._complete(key, pending, attempt)

    def _complete(self, key: Key, pending: KeyVersion, attempt: Attempt) -> KeyVersion:
        """Have the key pair made for a version that is on record as pending, so that a crash leaves a trace."""
        try:
            created = require_provider(self._providers, key.provider).create(key, pending)
        except BaseException as error:
            try:
                self._store.abandon_version(pending.id, [])
            except SignkitError as failure:
                error.add_note(f"version {pending.number} of key {key.id} could not be abandoned: {failure}")
            raise
        entry = attempt.entry(key_id=key.id, version=pending.number)
        return self._store.complete_version(pending.id, created, [entry])


def require_description(text: str) -> None:
    """Refuse a description that is too long or can't be written down.

    Raises:
        UsageError: it is.
    """
    if len(text) > MAXIMUM_DESCRIPTION:
        raise UsageError(f"description has {len(text)} characters, expected at most {MAXIMUM_DESCRIPTION}")
    if text != recordable(text):
        raise UsageError(f"description is not UTF-8: found {recordable(text)}")
