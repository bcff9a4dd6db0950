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
from signkit.errors import ConflictError, RefusedError, SignkitError
from signkit.keys import states
from signkit.keys.model import NO_TAGS, Key, KeyOrigin, KeyState, KeyUsage, KeyVersion, VersionState
from signkit.keys.reference import KeyReference
from signkit.operations.keys import KeyService
from signkit.operations.refusals import require_interval, require_tags, require_usage
from signkit.ports import Clock, Provider, Store
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
        self,
        keys: KeyService,
        store: Store,
        providers: Mapping[str, Provider],
        *,
        clock: Clock,
        new_id: Callable[[], str],
        principal: str,
        minimum_version_interval_days: int = 0,
    ) -> None:
        """Take the parts; nothing is opened here. They are those of the key service."""
        self._keys = keys
        self._store = store
        self._providers = providers
        self._clock = clock
        self._new_id = new_id
        self._principal = principal
        self._minimum_interval = timedelta(days=minimum_version_interval_days)

    def create_pending(self, wanted: NewKey, *, dry_run: bool = False) -> Key:
        """Make a key without version, whose private key is imported later (KMS: CreateKey with Origin EXTERNAL).

        Raises:
            UsageError: unknown key type, provider or usage, or a malformed alias or description.
            ConflictError: the alias exists.
        """
        key = self._new_key(wanted, KeyState.PENDING_IMPORT)
        if not dry_run:
            self._store.create_key(key, None, wanted.alias, [self._entry("CreateKey", key, detail=wanted.alias or "")])
        return key

    def import_key(
        self, wanted: NewKey, data: bytes, *, passphrase: Callable[[], bytes], dry_run: bool = False
    ) -> tuple[Key, KeyVersion]:
        """Make a key whose version 1 is a private key from outside.

        Args:
            wanted: what the key is to be.
            data: the private key, PEM or DER (see ``read``); nothing of it is kept as it is.
            passphrase: called when it is encrypted.
            dry_run: read and check everything and make nothing.

        Raises:
            UsageError: unknown key type, provider or usage, or a malformed alias or description.
            ConflictError: the alias exists, or the private key is in the store already.
            MalformedError: the private key can't be read, is out of range or inconsistent.
            DecryptionError: the passphrase is wrong.
            RefusedError: it is of another type, or too weak.
            ProviderError: the provider could not take it.
        """
        key = self._new_key(wanted, KeyState.ENABLED)
        pending = KeyVersion(self._new_id(), key.id, 1, VersionState.PENDING, key.created_at, b"", b"")
        entry = self._entry("ImportKeyMaterial", key)
        material = self._read(data, key, None, passphrase, None if dry_run else entry)
        if dry_run:
            return key, pending._replace(public_key_info=material.public_key_info)
        self._store.create_key(key, pending, wanted.alias, [])
        created = entry._replace(action="CreateKey", version=1, detail=wanted.alias or "")
        return key, self._complete(key, pending, material, [created], entry)

    def import_version(
        self, reference: KeyReference, data: bytes, *, passphrase: Callable[[], bytes], dry_run: bool = False
    ) -> tuple[Key, KeyVersion]:
        """Take in the next version of a key whose private keys come from outside; the first one enables it.

        Versions after the first are an addition of ours: KMS has one for such keys.

        Raises:
            NotFoundError: no such key.
            StateError: the state of the key forbids it.
            RefusedError: the key's private keys are made here (``Unsupported.Origin``), the last version is too recent,
                there are too many, or the private key is of another type or too weak.
            ConflictError: the private key is in the store already.
            MalformedError: it can't be read, is out of range or inconsistent.
            DecryptionError: the passphrase is wrong.
            ProviderError: the provider could not take it.
        """
        key = self._keys.resolve(reference)
        entry = self._entry("ImportKeyMaterial", key)
        self._require_importable(key, reference)
        material = self._read(data, key, key, passphrase, None if dry_run else entry)
        wanted = KeyVersion(self._new_id(), key.id, 0, VersionState.PENDING, self._clock(), b"", b"")
        if dry_run:
            number = len(self._store.versions(key.id)) + 1
            return key, wanted._replace(number=number, public_key_info=material.public_key_info)
        pending = self._store.create_version(wanted, [])
        return key, self._complete(key, pending, material, [], entry)

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
            require_interval(key, self._store.versions(key.id), self._clock(), self._minimum_interval)

    def _new_key(self, wanted: NewKey, state: KeyState) -> Key:
        key_type = algorithms.key_type(wanted.key_type)
        require_usage(wanted.usage, key_type)
        self._keys.require_creatable(wanted.key_type, wanted.description, wanted.alias, wanted.provider)
        require_tags(wanted.tags)
        return Key(
            self._new_id(),
            wanted.key_type,
            KeyUsage(wanted.usage),
            state,
            wanted.provider,
            wanted.description,
            self._clock(),
            origin=KeyOrigin.EXTERNAL,
            tags=wanted.tags,
        )

    def _read(
        self, data: bytes, key: Key, into: Key | None, passphrase: Callable[[], bytes], entry: AuditEntry | None
    ) -> Material:
        """The validated private key; what is refused goes on record, unless ``entry`` is None."""
        try:
            material = read(data, key.key_type, passphrase)
            require_new(self._store, material, into)
        except SignkitError as error:
            if entry is not None:
                self._store.record([entry._replace(result=error.code, key_id=into.id if into else "")])
            raise
        return material

    def _complete(
        self, key: Key, pending: KeyVersion, material: Material, before: list[AuditEntry], entry: AuditEntry
    ) -> KeyVersion:
        """Give the private key to the provider, for a version that is on record as pending."""
        entry = entry._replace(
            version=pending.number, digest_hex=material.fingerprint, detail="digest of the public key, SHA-256"
        )
        try:
            private_key, public_key = material.private_key_info, material.public_key_info
            created = self._providers[key.provider].import_key(key, pending, private_key, public_key)
        except BaseException as error:
            code = error.code if isinstance(error, SignkitError) else "InternalFailure"
            self._store.abandon_version(pending.id, [entry._replace(result=code)])
            raise
        return self._store.complete_version(pending.id, created, [*before, entry])

    def _entry(self, action: str, key: Key, *, detail: str = "") -> AuditEntry:
        return AuditEntry(
            at=self._clock(),
            principal=self._principal,
            action=action,
            result="ok",
            request_id=self._new_id(),
            key_id=key.id,
            detail=detail,
        )
