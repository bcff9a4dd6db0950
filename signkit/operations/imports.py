"""Bring your own private key: as a new key, as the first version of a key that waits for one, or as the next version.

What comes in is validated once (``algorithms.import_private_key``), written again as PKCS #8 and given to the provider.
The version is on record as pending before the provider has it, so a crash leaves a trace. A private key goes in and
never out: no operation gives one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import containers, digests
from signkit.audit.entry import AuditEntry
from signkit.errors import ConflictError, RefusedError, SignkitError, UsageError
from signkit.keys import states
from signkit.keys.model import NO_TAGS, Key, KeyOrigin, KeyState, KeyUsage, KeyVersion, VersionState
from signkit.keys.reference import KeyReference
from signkit.operations.access import Attempt
from signkit.operations.aliases import require_free
from signkit.operations.keys import KeyService, require_description
from signkit.operations.refusals import require_provider, require_tags, require_usage
from signkit.ports import Provider, Store
from signkit.x509 import pem

INVALID = "InvalidKeyMaterial"


class Material(NamedTuple):
    """A validated private key on its way in.

    Attributes:
        key_type: name of its type.
        private_key_info: DER PKCS #8, as it will be sealed. Never printed, logged or written.
        public_key_info: DER SubjectPublicKeyInfo.
    """

    key_type: str
    private_key_info: bytes
    public_key_info: bytes

    @property
    def fingerprint(self) -> str:
        """Lower-case hex SHA-256 of the public key: what goes on record."""
        return digests.digest("sha256", self.public_key_info).hex()

    def __repr__(self) -> str:
        """Without the private key."""
        return f"Material({self.key_type}, {self.fingerprint})"


def read(data: bytes, key_type: str, passphrase: Callable[[], bytes]) -> Material:
    """Read and validate a private key of a type that is known beforehand.

    Args:
        data: PEM or DER: PKCS #8, also encrypted, SEC 1 or PKCS #1.
        key_type: name of the type that it must have.
        passphrase: called when it is encrypted.

    Raises:
        UsageError: no such key type.
        MalformedError: it can't be read, is out of range or inconsistent.
        DecryptionError: the passphrase is wrong; one error for every reason.
        RefusedError: it is of another type, or too weak.
    """
    algorithms.key_type(key_type)
    found = Material(*algorithms.import_private_key(containers.read(pem.private_key(data), passphrase)))
    if found.key_type != key_type:
        raise RefusedError(
            f"the private key is of type {found.key_type}, expected {key_type}",
            hint="the type of a key is fixed: name the right file, or import it as a key of its own",
            code=INVALID,
        )
    return found


def require_new(store: Store, material: Material, key: Key | None) -> None:
    """Refuse a private key that the store has already.

    One that was destroyed may come back into the key that it was of, as a version with a new number; the destroyed
    version stays destroyed. Anywhere else it would be one secret under two names.

    Args:
        store: where all versions are.
        material: what comes in.
        key: the key it comes into, None for a new one.

    Raises:
        ConflictError: another version has it.
    """
    for other in store.keys():
        for version in store.versions(other.id):
            if version.public_key_info != material.public_key_info:
                continue
            if not (key is not None and other.id == key.id and version.state is VersionState.DESTROYED):
                raise ConflictError(
                    f"this private key is in the store already: version {version.number} of key {other.id} "
                    f"({version.state.value})",
                    hint=f"use {other.id}@{version.number}, or make a new key pair",
                    code=INVALID,
                )


class NewKey(NamedTuple):
    """What a key is to be that is made for a private key from outside.

    Attributes:
        key_type: for example ``EC_P256``.
        usage: what it may be used for.
        alias: ``alias/NAME`` to give it, or None.
        description: free text of at most 8192 characters.
        tags: tag name to value.
        provider: where its private keys shall live.
    """

    key_type: str
    usage: str = KeyUsage.SIGN_VERIFY
    alias: str | None = None
    description: str = ""
    tags: Mapping[str, str] = NO_TAGS
    provider: str = "software"


class ImportService:
    """Private keys from outside."""

    def __init__(
        self, keys: KeyService, providers: Mapping[str, Provider], *, minimum_version_interval_days: int = 0
    ) -> None:
        """Take the parts, which are those of the key service; nothing is opened here."""
        self._keys = keys
        self._access = keys.access
        self._store = keys.access.store
        self._providers = providers
        self._minimum_interval = timedelta(days=minimum_version_interval_days)

    def create_pending(self, wanted: NewKey, *, dry_run: bool = False) -> Key:
        """Make a key without version, whose private key is imported later (CreateKey with Origin EXTERNAL).

        Raises:
            UsageError: unknown key type, provider or usage, or a malformed alias, description or tag.
            AccessDeniedError: the caller may not make keys.
            ConflictError: the alias exists.
        """
        with self._access.attempt("CreateKey", dry_run=dry_run, detail=wanted.alias or "") as attempt:
            key = self._new_key(wanted, KeyState.PENDING_IMPORT, attempt)
            if not dry_run:
                self._store.create_key(key, None, wanted.alias, [attempt.entry(key_id=key.id)])
            return key

    def import_key(
        self, wanted: NewKey, data: bytes, *, passphrase: Callable[[], bytes], dry_run: bool = False
    ) -> tuple[Key, KeyVersion]:
        """Make a key whose version 1 is a private key from outside (CreateKey and ImportKeyMaterial).

        Args:
            wanted: what the key is to be.
            data: the private key, PEM or DER (see ``read``); nothing of it is kept as it is.
            passphrase: called when it is encrypted.
            dry_run: read and check everything and make nothing.

        Raises:
            UsageError: unknown key type, provider or usage, or a malformed alias, description or tag.
            AccessDeniedError: the caller may not make keys, or not import into them.
            ConflictError: the alias exists, or the private key is in the store already.
            MalformedError: the private key can't be read, is out of range or inconsistent.
            DecryptionError: the passphrase is wrong.
            RefusedError: it is of another type, or too weak.
            ProviderError: the provider could not take it.
        """
        with (
            self._access.attempt("CreateKey", dry_run=dry_run, detail=wanted.alias or "") as making,
            self._access.attempt("ImportKeyMaterial", dry_run=dry_run) as attempt,
        ):
            key = self._new_key(wanted, KeyState.ENABLED, making)
            attempt.allow(key)
            material = read(data, key.key_type, passphrase)
            require_new(self._store, material, None)
            pending = KeyVersion(self._access.new_id(), key.id, 1, VersionState.PENDING, key.created_at, b"", b"")
            if dry_run:
                return key, pending._replace(public_key_info=material.public_key_info)
            self._store.create_key(key, pending, wanted.alias, [])
            made = making.entry(key_id=key.id, version=1)
            return key, self._complete(key, pending, material, attempt, [made])

    def import_version(
        self, reference: KeyReference, data: bytes, *, passphrase: Callable[[], bytes], dry_run: bool = False
    ) -> tuple[Key, KeyVersion]:
        """Take in the next version of a key whose private keys come from outside; the first one enables it.

        Versions after the first are an addition of ours: KMS has one for such keys.

        Raises:
            NotFoundError: no such key.
            AccessDeniedError: the caller may not import into it.
            StateError: the state of the key forbids it.
            RefusedError: the key's private keys are made here (``Unsupported.Origin``), the last version is too recent,
                there are too many, or the private key is of another type or too weak.
            ConflictError: the private key is in the store already.
            MalformedError: it can't be read, is out of range or inconsistent.
            DecryptionError: the passphrase is wrong.
            ProviderError: the provider could not take it.
        """
        with self._access.attempt("ImportKeyMaterial", dry_run=dry_run, detail=str(reference)) as attempt:
            key = self._keys.directory.find(reference)
            attempt.allow(key)
            self._require_importable(key, reference)
            material = read(data, key.key_type, passphrase)
            require_new(self._store, material, key)
            wanted = KeyVersion(self._access.new_id(), key.id, 0, VersionState.PENDING, attempt.at, b"", b"")
            versions = self._store.versions(key.id)
            states.require_interval(wanted, versions, self._minimum_interval)
            if dry_run:
                return key, wanted._replace(number=len(versions) + 1, public_key_info=material.public_key_info)
            pending = self._store.create_version(wanted, [], minimum_interval=self._minimum_interval)
            return key, self._complete(key, pending, material, attempt, [])

    def _require_importable(self, key: Key, reference: KeyReference) -> None:
        if key.origin is not KeyOrigin.EXTERNAL:
            raise RefusedError(
                f"the private keys of {reference.key} are made here, expected a key with origin EXTERNAL",
                hint="'signkit version create' makes its next version, 'signkit key import' another key",
                code="Unsupported.Origin",
            )
        states.require_key("ImportKeyMaterial", key, named=reference.key)
        if states.same_material_only(key):  # a further version, as CreateKeyVersion makes one
            states.require_key("CreateKeyVersion", key, named=reference.key)

    def _new_key(self, wanted: NewKey, state: KeyState, attempt: Attempt) -> Key:
        """The key that an attempt is to make, permitted and checked."""
        require_usage(wanted.usage, algorithms.key_type(wanted.key_type))
        require_description(wanted.description)
        require_tags(wanted.tags)
        attempt.allow()
        if wanted.alias is not None:
            require_free(self._store, wanted.alias)
        if not require_provider(self._providers, wanted.provider).supports(wanted.key_type):
            raise UsageError(f"provider {wanted.provider} can't hold keys of type {wanted.key_type}")
        usage, new_id = KeyUsage(wanted.usage), self._access.new_id()
        key = Key(new_id, wanted.key_type, usage, state, wanted.provider, wanted.description, attempt.at)
        if wanted.alias is not None:
            attempt.allow(key, alias=wanted.alias, action="CreateAlias")
        return key._replace(origin=KeyOrigin.EXTERNAL, tags=wanted.tags)

    def _complete(
        self, key: Key, pending: KeyVersion, material: Material, attempt: Attempt, before: list[AuditEntry]
    ) -> KeyVersion:
        """Give the private key to the provider, for a version that is on record as pending."""
        provider = require_provider(self._providers, key.provider)
        try:
            created = provider.import_key(key, pending, material.private_key_info, material.public_key_info)
        except BaseException as error:
            try:
                self._store.abandon_version(pending.id, [])
            except SignkitError as failure:
                error.add_note(f"version {pending.number} of key {key.id} could not be abandoned: {failure}")
            raise
        detail = "digest of the public key, SHA-256"
        entry = attempt.entry(key_id=key.id, version=pending.number, digest_hex=material.fingerprint, detail=detail)
        return self._store.complete_version(pending.id, created, [*before, entry])
