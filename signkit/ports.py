"""What the operations need from the outside, as protocols. Adapters live in providers, custody, store and files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from signkit.algorithms.base import EncryptionAlgorithm, SignatureAlgorithm
    from signkit.audit.entry import AuditEntry
    from signkit.keys.model import Alias, BoundCertificate, Key, KeyVersion
    from signkit.keys.sealing import RootSecret

Clock = Callable[[], datetime]
"""The present as an aware UTC time."""


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


class Store(Protocol):
    """Keys, versions, aliases, certificates, audit log. Every change and its audit entries are one transaction."""

    @property
    def id(self) -> str:
        """UUID of the store."""

    def create_key(self, key: Key, version: KeyVersion, alias: str | None, entries: Sequence[AuditEntry]) -> None:
        """Add a key with its first, pending version and possibly an alias.

        Raises:
            ConflictError: the alias exists.
        """

    def create_version(self, version: KeyVersion, entries: Sequence[AuditEntry]) -> KeyVersion:
        """Add a pending version. Its number is set to the next free one, whatever the argument says.

        Raises:
            RefusedError: the key has ``maximum`` versions already.
        """

    def complete_version(self, version_id: str, created: CreatedKey, entries: Sequence[AuditEntry]) -> KeyVersion:
        """Turn a pending version into an enabled one."""

    def abandon_version(self, version_id: str, entries: Sequence[AuditEntry]) -> None:
        """Take a pending version away again, and its key when it was the first."""

    def key(self, key_id: str) -> Key | None:
        """The key of that id, or None."""

    def keys(self) -> list[Key]:
        """All keys, oldest first."""

    def versions(self, key_id: str) -> list[KeyVersion]:
        """Versions of a key by number."""

    def alias(self, name: str) -> Alias | None:
        """The alias of that name, or None."""

    def aliases(self) -> list[Alias]:
        """All aliases by name."""

    def create_alias(self, alias: Alias, entries: Sequence[AuditEntry]) -> None:
        """Add an alias.

        Raises:
            ConflictError: the name exists.
        """

    def update_alias(self, name: str, key_id: str, entries: Sequence[AuditEntry]) -> None:
        """Move an alias to another key."""

    def delete_alias(self, name: str, entries: Sequence[AuditEntry]) -> None:
        """Remove an alias; its key is not touched."""

    def bind_certificate(self, bound: BoundCertificate, entries: Sequence[AuditEntry]) -> None:
        """Bind a certificate to a version and make it the version's current one; nothing is ever deleted."""

    def certificates(self, version_id: str | None = None) -> list[BoundCertificate]:
        """Bound certificates of one version, or of all: the current one of each version comes first."""

    def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append audit entries durably, all or none."""


class Digests(NamedTuple):
    """Digests of one artifact, taken in one pass.

    Attributes:
        size: bytes read.
        values: digest algorithm name (``sha256``) to digest.
        head: the first 8 bytes, fewer when there are no more.
    """

    size: int
    values: Mapping[str, bytes]
    head: bytes = b""


class ArtifactSource(Protocol):
    """Reads artifacts and small inputs."""

    def digest(self, path: str, algorithms: Collection[str]) -> Digests:
        """Stream a file once through all the digest algorithms; memory does not grow with its size.

        Raises:
            FileError: missing, a directory, unreadable, or changed while it was read.
        """

    def read(self, path: str, *, limit: int, what: str) -> bytes:
        """A whole small file.

        Args:
            path: the file; ``-`` is standard input.
            limit: most bytes that are accepted.
            what: what the file is to the user, for messages ("signature", "certificate").

        Raises:
            FileError: missing, a directory, unreadable, larger than ``limit``.
        """

    def exists(self, path: str) -> bool:
        """Whether something is at that path."""


class OutputSink(Protocol):
    """Writes files whole or not at all."""

    def make_folder(self, path: str) -> None:
        """Make a folder for this user alone, with its parents; one that exists is left as it is.

        Raises:
            FileError: it could not be made, or a file is in the way.
        """

    def check(self, paths: Iterable[str], *, overwrite: bool) -> None:
        """Fail early when a file could not be written: it exists, or its folder is missing or read-only.

        Raises:
            OutputExistsError: it exists and ``overwrite`` is false.
            FileError: its folder is missing or not writable.
        """

    def write(self, path: str, data: bytes, *, overwrite: bool, private: bool = False) -> None:
        """Write one file atomically and durably (temporary file, sync, rename).

        Raises:
            OutputExistsError: it exists and ``overwrite`` is false.
            FileError: it could not be written; nothing is left behind.
        """

    def batch(self) -> AbstractContextManager[None]:
        """Within it single files are not synced; at its end the file systems written to are synced once."""


class RootKey(Protocol):
    """Where the root key of a store comes from. Making one reads nothing and asks nothing yet."""

    @property
    def uri(self) -> str:
        """``SCHEME:LOCATION`` to find it again from any current folder; no secret."""

    def create(self) -> RootSecret:
        """The root key for a new store, made when there is none yet; what exists is never overwritten.

        Raises:
            RootKeyError: it could not be made, or what exists is not acceptable.
        """

    def load(self) -> RootSecret:
        """The root key of an existing store.

        Raises:
            RootKeyError: it could not be had, or is not private.
        """
