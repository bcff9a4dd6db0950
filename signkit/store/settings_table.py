"""What a store holds beside keys: its root key's URI, key-encryption keys, permissions and the key of the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from signkit.errors import ConflictError, NotFoundError, StateError
from signkit.keys.model import AuditKey, Permission
from signkit.store.database import Database
from signkit.store.rows import to_audit_key, to_permission, to_text


class SettingsTable:
    """Root key, key-encryption keys, permissions and audit key of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wrapped_keks(self) -> dict[int, bytes]:
        """Number of each key-encryption key to its wrapped form."""
        return dict(self._database.rows("SELECT id, wrapped FROM kek ORDER BY id"))

    def add_keks(self, wrapped: Mapping[int, bytes]) -> None:
        """Add wrapped key-encryption keys."""
        self._database.execute_many("INSERT INTO kek (id, wrapped) VALUES (?, ?)", wrapped.items())

    def replace_keks(self, seen: Mapping[int, bytes], wrapped: Mapping[int, bytes], root_key: str) -> None:
        """Put the key-encryption keys under another root key.

        Args:
            seen: number and wrapped form of all of them as the caller unwrapped them.
            wrapped: the same under the new root key.
            root_key: URI of the new root key.

        Raises:
            StateError: somebody changed them.
            ValueError: the numbers differ.
        """
        if seen.keys() != wrapped.keys():
            raise ValueError(f"found key-encryption keys {sorted(wrapped)}, expected {sorted(seen)}")
        if self.wrapped_keks() != dict(seen):
            raise StateError(
                "the root key of the store was changed by somebody else meanwhile, nothing was done",
                hint="find out who did, and with which root key the store opens now",
                code="Rejected.StateModifiedFailed",
            )
        self._database.execute_many(
            "UPDATE kek SET wrapped = ? WHERE id = ?", [(one, number) for number, one in wrapped.items()]
        )
        self._database.execute("UPDATE store SET root_key = ?", (root_key,))

    def add_permission(self, permission: Permission) -> None:
        """Attach a permission document to a principal; one that is attached already stays as it is."""
        self._database.execute(
            "INSERT INTO permission (principal, document, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (permission.principal, permission.document, to_text(permission.created_at)),
        )

    def remove_permission(self, permission: Permission) -> None:
        """Detach a permission document from a principal.

        Raises:
            NotFoundError: it is not attached.
        """
        if not self._database.execute(
            "DELETE FROM permission WHERE principal = ? AND document = ?", (permission.principal, permission.document)
        ):
            raise NotFoundError(
                f"no such permission document is attached to {permission.principal}",
                hint="'signkit permission list' shows them",
                code="Forbidden.PermissionNotFound",
            )

    def permissions(self, principal: str | None) -> list[Permission]:
        """Permission documents of one principal, or of all: by principal, oldest first."""
        return self._database.values(
            "permission document of",
            to_permission,
            "SELECT principal, document, created_at FROM permission WHERE ? IS NULL OR principal = ?"
            " ORDER BY principal, created_at, document",
            (principal, principal),
        )

    def audit_key(self) -> AuditKey | None:
        """The key that signs checkpoints, or None."""
        keys = self._database.values(
            "key of the audit log", to_audit_key, "SELECT origin, public_key, locator, created_at FROM audit_key"
        )
        return keys[0] if keys else None

    def add_audit_key(self, key: AuditKey) -> None:
        """Set the key that signs checkpoints, once and for all.

        Raises:
            ConflictError: there is one.
        """
        existing = self.audit_key()
        if existing is not None:
            raise ConflictError(f"the audit log has a key already, of {existing.created_at:%Y-%m-%d}")
        self._database.execute(
            "INSERT INTO audit_key (row, origin, public_key, locator, created_at) VALUES (1, ?, ?, ?, ?)",
            (key.origin, key.public_key, key.locator, to_text(key.created_at)),
        )
