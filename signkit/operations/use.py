"""The one place where private keys are used: authorised, executed, recorded durably, and only then released."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import EncryptionAlgorithm, SignatureAlgorithm
from signkit.errors import UsageError
from signkit.keys.model import Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.access import Access, Attempt, Recorded
from signkit.operations.directory import Directory
from signkit.operations.refusals import require_provider
from signkit.ports import Provider


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


class Signer:
    """A key version that may sign, while the attempt to do so lasts.

    Attributes:
        key: the key.
        version: the version.
        algorithm: how it signs.
        recorded: where the audit log has what was signed last.
    """

    def __init__(
        self, key: Key, version: KeyVersion, algorithm: SignatureAlgorithm, provider: Provider, attempt: Attempt
    ) -> None:
        self.key, self.version, self.algorithm = key, version, algorithm
        self.recorded = Recorded(0, ())
        self._provider = provider
        self._attempt = attempt

    def sign(self, inputs: Sequence[SignInput]) -> list[bytes]:
        """Sign all inputs; all signatures are recorded in one transaction before any is handed out.

        Returns:
            The signature values in the order of the inputs.

        Raises:
            ProviderError: the provider could not sign.
            StoreError: the signatures could not be recorded; none is handed out.
        """
        if self._attempt.dry_run:
            raise ValueError("a dry run signs nothing")
        signatures = []
        for item in inputs:
            named = {"digest": item.data} if self.algorithm.digest is not None else {"message": item.data}
            signatures.append(self._provider.sign(self.key, self.version, self.algorithm, **named))
            self._attempt.done(digest_hex=item.artifact_digest.hex(), detail=item.detail, version=self.version.number)
        self.recorded = self._attempt.record()
        return signatures


class KeyUse:
    """Signing and decrypting with key versions."""

    def __init__(self, access: Access, directory: Directory, providers: Mapping[str, Provider]) -> None:
        """Take the parts; nothing is opened here."""
        self._access = access
        self._directory = directory
        self._providers = providers

    @contextlib.contextmanager
    def signing(
        self,
        reference: KeyReference,
        algorithm: str = "",
        *,
        digest: str = "",
        padding: str = "",
        detail: str = "",
        dry_run: bool = False,
    ) -> Iterator[Signer]:
        """A key version that may sign (AsymmetricSign). It is authorised once for all that is signed with it.

        Args:
            reference: key and version.
            algorithm: name of a signature algorithm; empty = the key type's own.
            digest: ``sha256``, ``sha384`` or ``sha512``, where the key type's own algorithm has a choice.
            padding: ``pkcs1`` or ``pss``, where the key type has a choice.
            detail: what is signed, for the record of a refusal; empty = the reference.
            dry_run: check everything; nothing can be signed and nothing is recorded.

        Raises:
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not sign with it.
            RefusedError: the key was made for another usage.
            StateError: the state of key or version forbids it.
            UsageError: the key type has no such algorithm.
        """
        number, detail = reference.number or 0, detail or str(reference)
        with self._access.attempt(
            "AsymmetricSign", dry_run=dry_run, version=number, algorithm=algorithm, detail=detail
        ) as attempt:
            asked = algorithm or _own_algorithm(self._directory.find(reference).key_type, digest, padding)
            key, version = self._directory.find_usable(attempt, reference, algorithm=asked)
            if algorithm:
                chosen = signature_algorithm(key.key_type, algorithm)
            else:
                chosen = algorithms.signature_algorithm(key.key_type, digest=digest or None, padding=padding or None)
            yield Signer(key, version, chosen, require_provider(self._providers, key.provider), attempt)

    def sign(self, reference: KeyReference, algorithm: str, inputs: Sequence[SignInput]) -> list[bytes]:
        """Sign several things at once: see ``signing`` and ``Signer.sign``."""
        with self.signing(reference, algorithm, detail=inputs[0].detail if len(inputs) == 1 else "") as signer:
            return signer.sign(inputs)

    def decrypt(self, reference: KeyReference, algorithm: str, ciphertext: bytes) -> bytes:
        """Decrypt with one version (AsymmetricDecrypt); recorded before the plaintext is handed out.

        Args:
            reference: key and version.
            algorithm: name of an encryption algorithm.
            ciphertext: what to decrypt; its digest is recorded.

        Raises:
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not decrypt with it.
            RefusedError: the key was made for another usage.
            StateError: the state of key or version forbids it.
            UsageError: the key type has no such algorithm.
            DecryptionError: it can't be decrypted; one error for every reason.
        """
        number, digest_hex = reference.number or 0, digests.digest("sha256", ciphertext).hex()
        with self._access.attempt(
            "AsymmetricDecrypt", version=number, algorithm=algorithm, digest_hex=digest_hex, detail=str(reference)
        ) as attempt:
            key, version = self._directory.find_usable(attempt, reference, algorithm=algorithm)
            chosen = encryption_algorithm(key.key_type, algorithm)
            plaintext = require_provider(self._providers, key.provider).decrypt(key, version, chosen, ciphertext)
            attempt.done(version=version.number)
            attempt.record()
            return plaintext


def signature_algorithm(key_type: str, name: str) -> SignatureAlgorithm:
    """The signature algorithm of that name that a key type can use.

    Raises:
        UsageError: it has no such algorithm.
    """
    found = algorithms.key_type(key_type).algorithms
    for algorithm in found:
        if algorithm.name == name:
            return algorithm
    known = ", ".join(algorithm.name for algorithm in found)
    raise UsageError(f"a key of type {key_type} can't sign with '{name}', expected one of {known}")


def encryption_algorithm(key_type: str, name: str) -> EncryptionAlgorithm:
    """The encryption algorithm of that name that a key type can use.

    Raises:
        UsageError: it has no such algorithm.
    """
    found = algorithms.key_type(key_type).encryption
    for algorithm in found:
        if algorithm.name == name:
            return algorithm
    known = ", ".join(algorithm.name for algorithm in found) or "none"
    raise UsageError(f"a key of type {key_type} can't encrypt with '{name}', expected one of {known}")


def _own_algorithm(key_type: str, digest: str, padding: str) -> str:
    """Name of the algorithm that will be used, for permissions; empty when there is none, which is refused later."""
    try:
        return algorithms.signature_algorithm(key_type, digest=digest or None, padding=padding or None).name
    except UsageError:
        return ""
