"""The key service: keys, versions and aliases, and the one place where private keys are used.

Every private operation is executed, then recorded; its result is released only after the record is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import EncryptionAlgorithm, SignatureAlgorithm
from signkit.audit.entry import AuditEntry
from signkit.errors import (
    ConflictError,
    NotFoundError,
    ProviderError,
    RefusedError,
    SignkitError,
    StateError,
    UsageError,
    VersionRequiredError,
)
from signkit.keys.model import Alias, Key, KeyState, KeyUsage, KeyVersion, VersionState
from signkit.keys.reference import KeyReference, parse_alias
from signkit.operations import refusals
from signkit.ports import Clock, Provider, Store
from signkit.x509 import public_key


class SignInput(NamedTuple):
    """One thing to sign.

    Attributes:
        data: the digest that the algorithm signs, or the message when it takes messages.
        artifact_digest: digest of the artifact that this signature is for; goes into the audit log.
        detail: name of the artifact, for the audit log.
    """

    data: bytes
    artifact_digest: bytes
    detail: str = ""


class KeyService:
    """Keys and their versions, by reference. No operation picks a version."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[str, Provider],
        *,
        clock: Clock,
        new_id: Callable[[], str],
        principal: str,
        minimum_version_interval_days: int = 0,
    ) -> None:
        """Take the parts; nothing is opened here.

        Args:
            store: where keys are listed.
            providers: provider name to provider.
            clock: the present.
            new_id: makes UUIDs.
            principal: who asks, for example ``os:alice``.
            minimum_version_interval_days: days that must lie between two versions of a key.
        """
        self._store = store
        self._providers = providers
        self._clock = clock
        self._new_id = new_id
        self._principal = principal
        self._minimum_interval = timedelta(days=minimum_version_interval_days)

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
        """Make a key with its version 1.

        Args:
            key_type: for example ``EC_P256``.
            usage: what it may be used for.
            alias: ``alias/NAME`` to give it, or None.
            description: free text of at most 8192 characters.
            provider: where its private keys shall live.
            dry_run: check everything and make nothing.

        Raises:
            UsageError: unknown key type, provider or usage, or a malformed alias.
            ConflictError: the alias exists.
            ProviderError: the provider could not make the key pair.
        """
        refusals.require_usage(usage, algorithms.key_type(key_type))
        self.require_creatable(key_type, description, alias, provider)
        now = self._clock()
        key = Key(self._new_id(), key_type, KeyUsage(usage), KeyState.ENABLED, provider, description, now)
        pending = KeyVersion(self._new_id(), key.id, 1, VersionState.PENDING, now, b"", b"")
        if dry_run:
            return key, pending
        self._store.create_key(key, pending, alias, [])
        return key, self._complete(key, pending, self._entry("CreateKey", key, 1, detail=alias or ""))

    def require_creatable(self, key_type: str, description: str, alias: str | None, provider: str) -> None:
        """Refuse what no key can be made with, also where its private key comes from outside.

        Raises:
            UsageError: the provider has no such keys, or a malformed alias or description.
            ConflictError: the alias exists.
            ProviderError: no such provider.
        """
        refusals.require_description(description)
        if alias is not None:
            self._require_free(alias)
        if not self._provider(provider).supports(key_type):
            raise UsageError(f"provider {provider} can't make keys of type {key_type}")

    def create_version(self, reference: KeyReference, *, dry_run: bool = False) -> tuple[Key, KeyVersion]:
        """Make the next version of a key. It is used only by who names it.

        Args:
            reference: the key.
            dry_run: check everything and make nothing.

        Raises:
            NotFoundError: no such key.
            StateError: the key is not enabled.
            RefusedError: the key has as many versions as are allowed.
        """
        key = self.resolve(reference)
        refusals.require_own_origin(key, reference.key)
        refusals.require_enabled(key)
        refusals.require_interval(key, self._store.versions(key.id), self._clock(), self._minimum_interval)
        wanted = KeyVersion(self._new_id(), key.id, 0, VersionState.PENDING, self._clock(), b"", b"")
        if dry_run:
            return key, wanted._replace(number=len(self._store.versions(key.id)) + 1)
        pending = self._store.create_version(wanted, [])
        return key, self._complete(key, pending, self._entry("CreateKeyVersion", key, pending.number))

    def _complete(self, key: Key, pending: KeyVersion, entry: AuditEntry) -> KeyVersion:
        """Have the key pair made for a version that is on record as pending, so that a crash leaves a trace."""
        try:
            created = self._provider(key.provider).create(key, pending)
        except BaseException as error:
            code = error.code if isinstance(error, SignkitError) else "InternalFailure"
            self._store.abandon_version(pending.id, [entry._replace(result=code)])
            raise
        return self._store.complete_version(pending.id, created, [entry])

    def keys(self) -> list[Key]:
        """All keys, oldest first."""
        return self._store.keys()

    def resolve(self, reference: KeyReference) -> Key:
        """The key that a reference names; its version, if any, is not looked at.

        Raises:
            NotFoundError: no such alias or key.
        """
        key_id = self._alias(reference.key).key_id if reference.is_alias else reference.key
        key = self._store.key(key_id)
        if key is None:
            meant = f"alias/{key_id}"
            hint = f"did you mean {meant}?" if self._store.alias(meant) else "'signkit key list' shows all keys"
            raise NotFoundError(f"no key '{key_id}'", hint=hint)
        return key

    def versions_of(self, key: Key) -> list[KeyVersion]:
        """Versions of a key by number."""
        return self._store.versions(key.id)

    def public_key(self, reference: KeyReference, encoding: str = "der") -> bytes:
        """The public key of a version.

        Args:
            reference: key and version.
            encoding: one of ``signkit.x509.public_key.FORMS``.

        Raises:
            UsageError: no such form, or none for this type of key.
            NotFoundError: no such key or version.
            StateError: the state of key or version forbids it.
        """
        public_key.require_form(encoding)
        _key, version = self.usable_version(reference)
        return public_key.encode(version.public_key_info, encoding)

    def resolve_version(self, reference: KeyReference) -> tuple[Key, KeyVersion]:
        """The key and version that a reference names.

        Raises:
            VersionRequiredError: the reference names no version.
            NotFoundError: no such key or version.
        """
        key = self.resolve(reference)
        versions = self._store.versions(key.id)
        refusals.require_versions(key, versions, reference.key)
        if reference.version is None:
            listed = ", ".join(f"{reference.key}@{version.number} ({version.state.value})" for version in versions)
            raise VersionRequiredError(
                f"'{reference.key}' names a key without a version, and no version is primary: expected one of {listed}",
                hint=f"name one, for example {reference.key}@{versions[-1].number}",
            )
        for version in versions:
            if reference.version == version.id or reference.number == version.number:
                return key, version
        listed = ", ".join(str(version.number) for version in versions)
        raise NotFoundError(
            f"key {reference.key} has no version '{reference.version}', expected one of {listed}",
            hint=f"'signkit version list {reference.key}' shows them",
            code="Forbidden.KeyVersionNotFound",
        )

    def usable_version(self, reference: KeyReference, usage: KeyUsage | None = None) -> tuple[Key, KeyVersion]:
        """Like ``resolve_version``, for an operation that needs key and version enabled.

        Raises:
            NotFoundError: no such key or version.
            StateError: the state of key or version forbids it.
            RefusedError: the key was made for another usage.
        """
        key, version = self.resolve_version(reference)
        if usage is not None and key.usage is not usage:
            raise RefusedError(
                f"key {reference.key} is for {key.usage.value}, expected {usage.value}",
                hint="the usage of a key is fixed when it is made: use another key",
            )
        refusals.require_enabled(key)
        if version.state is not VersionState.ENABLED:
            raise StateError(
                f"version {version.number} of key {reference.key} is {version.state.value}, expected enabled",
                hint=f"'signkit version list {reference.key}' shows the states",
                code=f"Rejected.{version.state.value.capitalize()}",
            )
        return key, version

    def aliases(self) -> list[Alias]:
        """All aliases by name."""
        return self._store.aliases()

    def create_alias(self, name: str, reference: KeyReference, *, dry_run: bool = False) -> Alias:
        """Give a key a further name.

        Raises:
            UsageError: a malformed alias.
            NotFoundError: no such key.
            ConflictError: the alias exists.
        """
        self._require_free(name)
        key = self.resolve(reference)
        alias = Alias(name, key.id, self._clock())
        if not dry_run:
            self._store.create_alias(alias, [self._entry("CreateAlias", key, detail=name)])
        return alias

    def update_alias(self, name: str, reference: KeyReference, *, dry_run: bool = False) -> Alias:
        """Move an alias to another key.

        Raises:
            NotFoundError: no such alias or key.
        """
        alias = self._alias(name)
        key = self.resolve(reference)
        if not dry_run:
            self._store.update_alias(name, key.id, [self._entry("UpdateAlias", key, detail=name)])
        return alias._replace(key_id=key.id)

    def delete_alias(self, name: str, *, dry_run: bool = False) -> Alias:
        """Take a name away; its key stays.

        Returns:
            The alias that was.

        Raises:
            NotFoundError: no such alias.
        """
        alias = self._alias(name)
        key = self.resolve(KeyReference(name, None))
        if not dry_run:
            self._store.delete_alias(name, [self._entry("DeleteAlias", key, detail=name)])
        return alias

    def sign(self, reference: KeyReference, algorithm: SignatureAlgorithm, inputs: Sequence[SignInput]) -> list[bytes]:
        """Sign with one version; all signatures are recorded in one transaction before any is handed out.

        Args:
            reference: key and version.
            algorithm: one of the key type's.
            inputs: what to sign.

        Returns:
            The signature values in the order of the inputs.

        Raises:
            NotFoundError: no such key or version.
            StateError: the state of key or version forbids it.
            UsageError: the algorithm is not one of the key type's.
            ProviderError: the provider could not sign.
        """
        key = self.resolve(reference)
        entry = self._entry("AsymmetricSign", key, reference.number or 0)._replace(algorithm=algorithm.name)
        entries: list[AuditEntry] = []
        try:
            signatures = self._sign(reference, algorithm, inputs, entry, entries)
        except BaseException as error:
            code = error.code if isinstance(error, SignkitError) else "InternalFailure"
            self._store.record([*entries, entry._replace(result=code)])
            raise
        self._store.record(entries)
        return signatures

    def _sign(
        self,
        reference: KeyReference,
        algorithm: SignatureAlgorithm,
        inputs: Sequence[SignInput],
        entry: AuditEntry,
        entries: list[AuditEntry],
    ) -> list[bytes]:
        """Sign all inputs; ``entries`` gets one entry for each signature that was made."""
        key, version = self.usable_version(reference, KeyUsage.SIGN_VERIFY)
        if algorithm.name not in (one.name for one in algorithms.key_type(key.key_type).algorithms):
            raise UsageError(f"a key of type {key.key_type} can't sign with {algorithm.name}")
        provider = self._provider(key.provider)
        signatures = []
        for item in inputs:
            named = {"digest": item.data} if algorithm.digest is not None else {"message": item.data}
            signatures.append(provider.sign(key, version, algorithm, **named))
            digest_hex, detail = item.artifact_digest.hex(), refusals.recordable(item.detail)
            entries.append(entry._replace(version=version.number, digest_hex=digest_hex, detail=detail))
        return signatures

    def decrypt(self, reference: KeyReference, algorithm: EncryptionAlgorithm, ciphertext: bytes) -> bytes:
        """Decrypt with one version; recorded before the plaintext is handed out.

        Raises:
            NotFoundError: no such key or version.
            StateError: the state of key or version forbids it.
            RefusedError: the key was made for another usage.
            DecryptionError: it can't be decrypted.
        """
        key, version = self.usable_version(reference, KeyUsage.ENCRYPT_DECRYPT)
        provider = self._provider(key.provider)
        entry = self._entry("AsymmetricDecrypt", key, version.number)._replace(
            algorithm=algorithm.name, digest_hex=digests.digest("sha256", ciphertext).hex()
        )
        try:
            plaintext = provider.decrypt(key, version, algorithm, ciphertext)
        except SignkitError as error:
            self._store.record([entry._replace(result=error.code)])
            raise
        self._store.record([entry])
        return plaintext

    def _alias(self, name: str) -> Alias:
        alias = self._store.alias(parse_alias(name))
        if alias is None:
            raise NotFoundError(
                f"no alias '{name}': {refusals.known_names('alias', [one.name for one in self._store.aliases()])}",
                hint="'signkit alias list' shows all; 'signkit key create --alias' makes one",
                code="Forbidden.AliasNotFound",
            )
        return alias

    def _require_free(self, name: str) -> None:
        """Refuse a taken alias early; that two callers can't take one at once is the store's to see to."""
        taken = self._store.alias(parse_alias(name))
        if taken is not None:
            raise ConflictError(
                f"{name} exists already and names key {taken.key_id}",
                hint="choose another name, or move it with 'signkit alias update'",
            )

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise ProviderError(f"no provider '{name}' here, expected one of {', '.join(self._providers)}")
        return provider

    def _entry(self, action: str, key: Key, version: int = 0, *, detail: str = "") -> AuditEntry:
        return AuditEntry(
            at=self._clock(),
            principal=self._principal,
            action=action,
            result="ok",
            request_id=self._new_id(),
            key_id=key.id,
            version=version,
            detail=detail,
        )
