"""Where keys, certificates, permissions and the audit log are kept, as operations see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from signkit.audit.checkpoint import Checkpoint
    from signkit.audit.entry import AuditEntry
    from signkit.audit.merkle import Frontier
    from signkit.keys.model import Alias, AuditKey, BoundCertificate, Key, KeyVersion, Permission, VersionState
    from signkit.ports.provider import CreatedKey

OpenRecord = Callable[["Key", "KeyVersion"], object]
"""Opens the private key of a version and raises SignkitError when it can't; what it answers is not looked at."""

NO_INTERVAL = timedelta(0)


class Store(Protocol):
    """Keys, versions, aliases, certificates, permissions, audit log, custody.

    Every change and its audit entries are one transaction. A change takes what the caller saw and decided on (``seen``)
    and is refused with StateError (``Rejected.StateModifiedFailed``) when that is no longer so, hence two processes
    never undo each other's work.
    """

    @property
    def id(self) -> str:
        """UUID of the store."""

    # Keys and versions

    def create_key(
        self, key: Key, version: KeyVersion | None, alias: str | None, entries: Sequence[AuditEntry]
    ) -> None:
        """Add a key, with its first, pending version unless its import is pending, and possibly with an alias.

        Raises:
            ConflictError: the alias exists.
        """

    def update_key(self, seen: Key, key: Key, entries: Sequence[AuditEntry]) -> None:
        """Change state, description, tags, deletion, protection or policy of a key from what the caller saw.

        Raises:
            NotFoundError: it is gone.
            StateError: somebody changed it.
            ValueError: it would change what is fixed at creation.
        """

    def delete_key(self, seen: Key, now: datetime, entries: Sequence[AuditEntry]) -> bool:
        """Delete a key whose time to be deleted has come, its versions, certificates and aliases, for good.

        Returns:
            whether nothing of its private keys is left in the store's files; False when somebody was reading just
            then: what is left stays sealed, and a later deletion or the last one to close the store removes it.

        Raises:
            NotFoundError: it is gone.
            StateError: somebody changed it, it is protected, or its deletion is not pending or not yet due.
        """

    def create_version(
        self, version: KeyVersion, entries: Sequence[AuditEntry], *, minimum_interval: timedelta = NO_INTERVAL
    ) -> KeyVersion:
        """Add a pending version. Its number is set to the lowest free one, whatever the argument says.

        Args:
            version: the version.
            entries: audit entries.
            minimum_interval: what must lie between the times of creation of the last version and of this one.

        Raises:
            NotFoundError: no such key.
            StateError: the key is to be deleted.
            RefusedError: the key has as many versions as it may have, or got its last one too recently.
        """

    def complete_version(self, version_id: str, created: CreatedKey, entries: Sequence[AuditEntry]) -> KeyVersion:
        """Turn a pending version into an enabled one; a key whose import was pending is enabled by it.

        Raises:
            NotFoundError: no such version.
            StateError: it is not pending.
        """

    def abandon_version(self, version_id: str, entries: Sequence[AuditEntry]) -> None:
        """Take a pending version away again, and with its only version a key and its aliases.

        A key whose import is pending stays.

        Raises:
            NotFoundError: no such version.
            StateError: it is not pending.
        """

    def set_version_state(self, seen: KeyVersion, state: VersionState, entries: Sequence[AuditEntry]) -> KeyVersion:
        """Enable or disable a version.

        Raises:
            NotFoundError: it is gone.
            StateError: it is pending or destroyed, or somebody changed it.
        """

    def destroy_version(self, seen: KeyVersion, entries: Sequence[AuditEntry]) -> bool:
        """Destroy a version: its locator is overwritten, its public key and certificates stay.

        It is a promise about this store only: backups keep the sealed private key.

        Returns:
            whether nothing of the locator is left in the store's files; see ``delete_key``.

        Raises:
            NotFoundError: it is gone.
            StateError: it is pending or destroyed, or somebody changed it.
        """

    def key(self, key_id: str) -> Key | None:
        """The key of that id, or None."""

    def keys(self) -> list[Key]:
        """All keys, oldest first."""

    def versions(self, key_id: str) -> list[KeyVersion]:
        """Versions of a key by number."""

    # Aliases, certificates, permissions

    def alias(self, name: str) -> Alias | None:
        """The alias of that name, or None."""

    def aliases(self) -> list[Alias]:
        """All aliases by name."""

    def create_alias(self, alias: Alias, entries: Sequence[AuditEntry]) -> None:
        """Add an alias.

        Raises:
            ConflictError: the name exists.
            NotFoundError: no such key.
        """

    def update_alias(self, name: str, key_id: str, entries: Sequence[AuditEntry]) -> None:
        """Move an alias to another key; NotFoundError when there is no such alias or key."""

    def delete_alias(self, name: str, entries: Sequence[AuditEntry]) -> None:
        """Remove an alias, NotFoundError when there is none; its key is not touched."""

    def bind_certificate(self, bound: BoundCertificate, entries: Sequence[AuditEntry]) -> None:
        """Bind a certificate to a version and make it the version's current one; certificates go only with their key.

        One that is bound already becomes current again, with the chain and the provenance it came with this time.

        Raises:
            NotFoundError: no such version.
        """

    def certificates(self, version_id: str | None = None) -> list[BoundCertificate]:
        """Bound certificates of one version, or of all: the current one of each version comes first."""

    def attach_permission(self, permission: Permission, entries: Sequence[AuditEntry]) -> None:
        """Attach a permission document to a principal; one that is attached already stays as it is."""

    def detach_permission(self, permission: Permission, entries: Sequence[AuditEntry]) -> None:
        """Detach the permission document of this principal and text; NotFoundError when it is not attached."""

    def permissions(self, principal: str | None = None) -> list[Permission]:
        """Permission documents of one principal, or of all: by principal, oldest first."""

    # Audit log

    def record(self, entries: Sequence[AuditEntry]) -> int:
        """Append audit entries durably, all or none.

        Returns:
            number of the first of them in the log, from 0.
        """

    def audit_entries(self) -> Iterator[AuditEntry]:
        """The audit log from its first entry, read as it is consumed."""

    def audit_encoded(self) -> Iterator[bytes]:
        """The same entries in the canonical form that the log's Merkle tree is over."""

    def audit_leaves(self) -> list[bytes]:
        """Leaf hashes of all entries, from which proofs are made (``signkit.audit.merkle``)."""

    def audit_head(self) -> Frontier:
        """Size and frontier of the audit log's Merkle tree, as kept beside the log."""

    def verify_audit(self, checkpoints: Sequence[Checkpoint] = ()) -> list[str]:
        """Recompute the audit log's Merkle tree (RFC 6962 section 2.1) from its entries.

        A store that was rolled back as a whole is found only against a checkpoint that was kept elsewhere.

        Args:
            checkpoints: verified checkpoints that the log must continue.

        Returns:
            everything that is wrong, in the log's order; empty when the log is sound.
        """

    def audit_key(self) -> AuditKey | None:
        """The key that signs checkpoints, or None while there is none."""

    def add_audit_key(self, key: AuditKey, entries: Sequence[AuditEntry]) -> None:
        """Set the key that signs checkpoints, once and for all; ConflictError when there is one."""

    def add_checkpoint(self, size: int, note: bytes, entries: Sequence[AuditEntry] = ()) -> None:
        """Keep a signed checkpoint of the log; the first of each size stays."""

    def checkpoints(self) -> list[bytes]:
        """The signed checkpoints that are kept, by size; whoever can write to the store can remove them."""

    # Custody

    def wrapped_keks(self) -> dict[int, bytes]:
        """Number of each key-encryption key to its wrapped form (``signkit.keys.sealing.Kek.unwrap``)."""

    def replace_keks(
        self, seen: Mapping[int, bytes], wrapped: Mapping[int, bytes], root_key: str, entries: Sequence[AuditEntry]
    ) -> bool:
        """Put the key-encryption keys, which stay the same, under another root key.

        Args:
            seen: what ``wrapped_keks`` gave.
            wrapped: the same keys under the new root key.
            root_key: URI of the new root key.
            entries: audit entries.

        Returns:
            whether nothing of the old wrapped keys is left in the store's files; see ``delete_key``.

        Raises:
            StateError: somebody replaced them meanwhile.
            ValueError: the numbers differ.
        """

    def check(self, open_record: OpenRecord | None = None, checkpoints: Sequence[Checkpoint] = ()) -> list[str]:
        """Everything that is wrong with the store: database, audit log, versions, sealed private keys.

        Args:
            open_record: opens the private key of a version; None = they are not opened, which needs no root key.
            checkpoints: verified checkpoints that the audit log must continue.

        Returns:
            one sentence for each thing, which names the version where it is about one; empty when all is sound.
        """

    def backup(self, path: str, *, overwrite: bool = False) -> None:
        """Write a consistent copy to a new private file, whole or not at all, while others go on using the store.

        Raises:
            OutputExistsError: the file exists and ``overwrite`` is false.
            StoreError: the store could not be read, or the file could not be written.
        """
