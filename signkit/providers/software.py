"""Private keys as PKCS #8, sealed under the store's key-encryption key and opened only in this process's memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from signkit import algorithms
from signkit.algorithms.base import EncryptionAlgorithm, SignatureAlgorithm
from signkit.errors import ProviderError
from signkit.keys.model import Key, KeyVersion
from signkit.keys.sealing import Kek, RecordContext
from signkit.ports import CreatedKey

_MAXIMUM_LOADED = 64


class SoftwareProvider:
    """Makes and uses keys in software; see ``ports.Provider``. The locator of a key is its sealed record."""

    name = "software"

    def __init__(self, store_id: str, kek: Callable[[], Kek]) -> None:
        """Take the parts.

        Args:
            store_id: UUID of the store that the sealed records belong to.
            kek: gives the store's key-encryption key; called when the first private key is needed.
        """
        self._store_id = store_id
        self._kek = kek
        self._loaded: dict[str, Any] = {}

    def supports(self, key_type: str) -> bool:
        """See ``ports.Provider.supports``."""
        return key_type in algorithms.key_types()

    def create(self, key: Key, version: KeyVersion) -> CreatedKey:
        """See ``ports.Provider.create``."""
        key_type = algorithms.key_type(key.key_type)
        self._kek()  # nothing is made when it can't be sealed
        return self.import_key(key, version, *algorithms.family(key_type.family).generate(key_type))

    def import_key(self, key: Key, version: KeyVersion, private_key_info: bytes, public_key_info: bytes) -> CreatedKey:
        """See ``ports.Provider.import_key``."""
        context = self._context(key, version, public_key_info)
        return CreatedKey(self._kek().seal(private_key_info, context, secrets.token_bytes), public_key_info)

    def sign(
        self, key: Key, version: KeyVersion, algorithm: SignatureAlgorithm, *, digest: bytes = b"", message: bytes = b""
    ) -> bytes:
        """See ``ports.Provider.sign``."""
        family = algorithms.family(algorithms.key_type(key.key_type).family)
        private_key = self._loaded.get(version.id)
        if private_key is None:
            private_key = self._load(key, version)
        try:
            return family.sign(private_key, algorithm, message if algorithm.digest is None else digest)
        except ValueError as error:
            raise ProviderError(f"key {key.id}@{version.number} could not sign: {error}") from error

    def decrypt(self, key: Key, version: KeyVersion, algorithm: EncryptionAlgorithm, ciphertext: bytes) -> bytes:
        """See ``ports.Provider.decrypt``."""
        family = algorithms.encrypting_family(key.key_type)
        private_key = self._loaded.get(version.id)
        if private_key is None:
            private_key = self._load(key, version)
        return family.decrypt(private_key, algorithm, ciphertext)

    def _load(self, key: Key, version: KeyVersion) -> Any:
        """Open a private key and keep it for this process; a store changed underneath fails its seal."""
        private_key_info = self._kek().open(version.locator, self._context(key, version, version.public_key_info))
        family = algorithms.family(algorithms.key_type(key.key_type).family)
        if len(self._loaded) >= _MAXIMUM_LOADED:
            self._loaded.clear()
        self._loaded[version.id] = loaded = family.load_private_key(private_key_info)
        return loaded

    def _context(self, key: Key, version: KeyVersion, public_key_info: bytes) -> RecordContext:
        return RecordContext(self._store_id, key.id, version.id, version.number, key.key_type, public_key_info)
