"""Who holds private keys, as operations see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from signkit.algorithms.base import EncryptionAlgorithm, SignatureAlgorithm
    from signkit.keys.model import Key, KeyVersion


class CreatedKey(NamedTuple):
    """What a provider answers for a new key pair.

    Attributes:
        locator: where the provider finds the private key again; opaque bytes.
        public_key_info: DER SubjectPublicKeyInfo.
    """

    locator: bytes
    public_key_info: bytes


class Provider(Protocol):
    """Holds private keys. The only kind of part that ever does."""

    name: str

    def supports(self, key_type: str) -> bool:
        """Whether it can make and use keys of this type."""

    def create(self, key: Key, version: KeyVersion) -> CreatedKey:
        """Make the key pair of a pending version.

        Raises:
            ProviderError: it could not.
        """

    def import_key(self, key: Key, version: KeyVersion, private_key_info: bytes, public_key_info: bytes) -> CreatedKey:
        """Take in the key pair of a pending version, as ``algorithms.import_private_key`` gave it.

        Raises:
            ProviderError: it could not, or takes no private keys from outside.
        """

    def sign(
        self, key: Key, version: KeyVersion, algorithm: SignatureAlgorithm, *, digest: bytes = b"", message: bytes = b""
    ) -> bytes:
        """Sign a digest, or a message where the algorithm takes messages (``algorithm.digest`` is None).

        Raises:
            ProviderError: it could not.
        """

    def decrypt(self, key: Key, version: KeyVersion, algorithm: EncryptionAlgorithm, ciphertext: bytes) -> bytes:
        """Decrypt with a private key.

        Raises:
            DecryptionError: it can't be decrypted; one error for every reason.
            ProviderError: the provider could not decrypt at all.
        """
