"""What becomes of a key after it was made: description, tags, states, protection, deletion; and states of versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from signkit.errors import RefusedError, UsageError
from signkit.keys import states, tags
from signkit.keys.model import Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.access import Access, Attempt
from signkit.operations.directory import Directory
from signkit.operations.refusals import require_description, require_provider
from signkit.ports import Provider

_NOT_ERASED = (
    "somebody was reading the store just then: the sealed private key is still in its write-ahead log, until the last"
    " one to use the store closes it"
)


class Changed(NamedTuple):
    """A key, and possibly one of its versions, as they are now, or after a dry run would be.

    Attributes:
        key: the key.
        version: the version, when only that was changed.
        note: what the user should be told about it, or an empty string.
    """

    key: Key
    version: KeyVersion | None = None
    note: str = ""


class Lifecycle:
    """Changes keys and the states of versions."""

    def __init__(self, access: Access, directory: Directory, providers: Mapping[str, Provider]) -> None:
        """Take the parts; nothing is opened here."""
        self._access = access
        self._store = access.store
        self._directory = directory
        self._providers = providers

    def describe(self, reference: KeyReference, text: str, *, dry_run: bool = False) -> Changed:
        """Give a key another description of at most 8192 characters (UpdateKeyDescription).

        Raises:
            NotFoundError: no such key.
            AccessDeniedError: the caller may not.
            StateError: its deletion is pending, or somebody changed the key meanwhile.
            UsageError: the description is too long.
        """

        def alter(key: Key, _attempt: Attempt) -> Changed:
            require_description(text)
            return Changed(key._replace(description=text))

        return self._change("UpdateKeyDescription", reference, alter, dry_run=dry_run)

    def tag(self, reference: KeyReference, further: Mapping[str, str], *, dry_run: bool = False) -> Changed:
        """Give a key tags; one of the same name gets the new value (TagResource).

        Raises:
            NotFoundError: no such key.
            AccessDeniedError: the caller may not.
            StateError: its deletion is pending, or somebody changed the key meanwhile.
            UsageError: too many tags, or one that KMS would not take.
        """
        return self._change(
            "TagResource",
            reference,
            lambda key, _attempt: Changed(key._replace(tags=tags.with_tags(key.tags, further))),
            detail=" ".join(f"{name}={value}" for name, value in further.items()),
            dry_run=dry_run,
        )

    def untag(self, reference: KeyReference, names: Iterable[str], *, dry_run: bool = False) -> Changed:
        """Take tags away (UntagResource).

        Raises:
            NotFoundError: no such key.
            AccessDeniedError: the caller may not.
            StateError: its deletion is pending, or somebody changed the key meanwhile.
            UsageError: it has no such tag.
        """
        gone = tuple(names)
        return self._change(
            "UntagResource",
            reference,
            lambda key, _attempt: Changed(key._replace(tags=tags.without_tags(key.tags, gone))),
            detail=" ".join(gone),
            dry_run=dry_run,
        )

    def protect(self, reference: KeyReference, text: str = "", *, dry_run: bool = False) -> Changed:
        """Keep a key from being deleted and its versions from being destroyed (SetDeletionProtection).

        Args:
            reference: the key.
            text: why.
            dry_run: check everything, change nothing.

        Raises:
            NotFoundError: no such key.
            AccessDeniedError: the caller may not.
            StateError: its deletion is pending, or somebody changed the key meanwhile.
        """

        def alter(key: Key, _attempt: Attempt) -> Changed:
            require_description(text)
            return Changed(key._replace(deletion_protection=True, deletion_protection_description=text))

        return self._change("SetDeletionProtection", reference, alter, detail="on", dry_run=dry_run)

    def unprotect(self, reference: KeyReference, *, dry_run: bool = False) -> Changed:
        """Take the protection from deletion away again; errors as for ``protect``."""
        return self._change(
            "SetDeletionProtection",
            reference,
            lambda key, _attempt: Changed(key._replace(deletion_protection=False, deletion_protection_description="")),
            detail="off",
            dry_run=dry_run,
        )

    def schedule_deletion(self, reference: KeyReference, days: int, *, dry_run: bool = False) -> Changed:
        """Have a key deleted for good after some days; until then it does nothing (ScheduleKeyDeletion).

        Args:
            reference: the key.
            days: 7 to 366.
            dry_run: check everything, change nothing.

        Raises:
            UsageError: another number of days.
            NotFoundError: no such key.
            AccessDeniedError: the caller may not.
            StateError: its deletion is pending already, it is protected, or somebody changed it meanwhile.
        """

        def alter(key: Key, attempt: Attempt) -> Changed:
            states.require_window(days)
            state = states.change_key(attempt.action, key, named=reference.key).state
            due = attempt.at + timedelta(days=days)
            return Changed(key._replace(state=state, state_before_deletion=key.state, deletion_at=due))

        return self._change("ScheduleKeyDeletion", reference, alter, detail=f"{days} days", dry_run=dry_run)

    def cancel_deletion(self, reference: KeyReference, *, dry_run: bool = False) -> Changed:
        """Keep a key that was to be deleted; it is Enabled then, whatever it was before (CancelKeyDeletion).

        Raises:
            NotFoundError: no such key; its time may have come.
            AccessDeniedError: the caller may not.
            StateError: its deletion is not pending, or somebody changed it meanwhile.
        """

        def alter(key: Key, attempt: Attempt) -> Changed:
            made = states.change_key(attempt.action, key, named=reference.key)
            kept = key._replace(state=made.state, state_before_deletion=None, deletion_at=None)
            return Changed(kept, note=made.note)

        return self._change("CancelKeyDeletion", reference, alter, dry_run=dry_run)

    def enable(self, reference: KeyReference, *, dry_run: bool = False) -> Changed:
        """Enable a key, or only the version that is named (EnableKey, EnableKeyVersion); what is enabled stays so.

        Raises:
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not.
            StateError: its state forbids it, or somebody changed it meanwhile.
        """
        return self._switch("EnableKey", reference, dry_run=dry_run)

    def disable(self, reference: KeyReference, *, dry_run: bool = False) -> Changed:
        """Disable a key, or only the version that is named (DisableKey, DisableKeyVersion); errors as ``enable``."""
        return self._switch("DisableKey", reference, dry_run=dry_run)

    def destroy_version(self, reference: KeyReference, *, force: bool = False, dry_run: bool = False) -> Changed:
        """Destroy the private key of a disabled version, for good (DestroyKeyVersion).

        Its public key, its certificates and its place in the numbering stay, so that what it signed can be verified.

        Args:
            reference: key and version.
            force: that it is meant; without it nothing is destroyed.
            dry_run: check everything, change nothing.

        Raises:
            RefusedError: it is not forced.
            NotFoundError: no such key or version.
            VersionRequiredError: no version is named.
            AccessDeniedError: the caller may not.
            StateError: the version is not disabled, the key is protected, or somebody changed it meanwhile.
            ProviderError: the provider could not destroy it; nothing has changed.
        """
        with self._attempt("DestroyKeyVersion", reference, dry_run) as attempt:
            key, version = self._directory.find_usable(attempt, reference)
            states.require_unprotected(key, named=reference.key)
            state = states.change_version(attempt.action, version, named=reference.key)
            destroyed = Changed(key, version._replace(state=state, locator=b""))
            if dry_run:
                return destroyed
            if not force:
                raise RefusedError(
                    f"the private key of {reference} would be destroyed for good, expected --force to confirm it",
                    hint="--dry-run shows what would be done; a version that is disabled can be enabled again",
                    code="Rejected.Unconfirmed",
                )
            require_provider(self._providers, key.provider).destroy(key, version)
            erased = self._store.destroy_version(version, [attempt.entry(version=version.number)])
            return destroyed._replace(note="" if erased else _NOT_ERASED)

    def _attempt(self, action: str, reference: KeyReference, dry_run: bool, detail: str = "") -> Attempt:
        return self._access.attempt(
            action, dry_run=dry_run, version=reference.number or 0, detail=detail or str(reference)
        )

    def _switch(self, action: str, reference: KeyReference, *, dry_run: bool) -> Changed:
        if reference.version is None:
            return self._change(
                action,
                reference,
                lambda key, attempt: Changed(
                    key._replace(state=states.change_key(attempt.action, key, named=reference.key).state)
                ),
                dry_run=dry_run,
            )
        with self._attempt(f"{action}Version", reference, dry_run) as attempt:
            key, version = self._directory.find_usable(attempt, reference)
            state = states.change_version(attempt.action, version, named=reference.key)
            if dry_run:
                return Changed(key, version._replace(state=state))
            entry = attempt.entry(version=version.number)
            return Changed(key, self._store.set_version_state(version, state, [entry]))

    def _change(
        self,
        action: str,
        reference: KeyReference,
        alter: Callable[[Key, Attempt], Changed],
        *,
        detail: str = "",
        dry_run: bool,
    ) -> Changed:
        """Change a key from what it is to what ``alter`` makes of it; that is checked for form before anything else."""
        if reference.version is not None:
            raise UsageError(f"'{reference}' names a version, expected a key", hint=f"use {reference.key}")
        with self._attempt(action, reference, dry_run, detail) as attempt:
            key = self._directory.find(reference)
            attempt.allow(key)
            states.require_key(action, key, named=reference.key)
            changed = alter(key, attempt)
            if not dry_run:
                self._store.update_key(key, changed.key, [attempt.entry()])
            return changed
