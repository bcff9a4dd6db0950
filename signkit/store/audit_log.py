"""The audit log in a SQLite database: entries with their RFC 6962 leaf hashes, and the frontier of their tree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from signkit.audit import merkle
from signkit.audit.entry import AuditEntry
from signkit.errors import StoreError
from signkit.store.database import Database
from signkit.store.rows import from_text

_FROM_BACKUP = "restore the store from a backup"


class AuditLog:
    """The log of one database. It is appended to within a transaction of the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, encoded: Sequence[bytes]) -> None:
        """Append entries in their canonical form; on average one node hash for each.

        Raises:
            StoreError: the head of the log is damaged.
        """
        if not encoded:
            return
        head = self.head()
        leaves = [merkle.leaf_hash(entry) for entry in encoded]
        tree = merkle.append(head, leaves)
        self._database.execute_many(
            "INSERT INTO audit (seq, leaf, entry) VALUES (?, ?, ?)",
            zip(range(head.size, tree.size), leaves, encoded, strict=True),
        )
        self._database.execute("UPDATE audit_head SET size = ?, frontier = ?", (tree.size, b"".join(tree.subtrees)))

    def entries(self) -> Iterator[AuditEntry]:
        """The entries from the first on, read as they are consumed.

        Raises:
            StoreError: one can't be read; ``verify`` says more.
        """
        for number, data in self._database.stream("SELECT seq, entry FROM audit ORDER BY seq"):
            try:
                fields = json.loads(data)
                entry = AuditEntry(**{**fields, "at": from_text(fields["at"])})
            except (ValueError, TypeError, KeyError) as error:
                raise StoreError(f"audit entry {number} can't be read: {error}", hint=_FROM_BACKUP) from error
            yield entry

    def head(self) -> merkle.Frontier:
        """The tree of the log, as kept beside it.

        Raises:
            StoreError: what is kept can't be the frontier of any tree.
        """
        for size, data in self._database.rows("SELECT size, frontier FROM audit_head"):
            subtrees = tuple(data[start : start + merkle.HASH_SIZE] for start in range(0, len(data), merkle.HASH_SIZE))
            if size.bit_count() == len(subtrees):
                return merkle.Frontier(size, subtrees)
        raise StoreError(f"the audit log of {self._database.path} has no usable head", hint=_FROM_BACKUP)

    def verify(self) -> list[str]:
        """Recompute the tree from the entries; one finding for each thing that is wrong, none when the log is sound.

        Raises:
            StoreError: the head of the log is damaged.
        """
        findings: list[str] = []
        tree = merkle.EMPTY
        with self._database.snapshot():
            head = self.head()
            for number, leaf, entry in self._database.stream("SELECT seq, leaf, entry FROM audit ORDER BY seq"):
                if number != tree.size:
                    return [*findings, f"audit entry {tree.size} is missing: found entry {number} in its place"]
                found = merkle.leaf_hash(entry)
                if found != leaf:
                    findings.append(
                        f"audit entry {number} was changed: found hash {found.hex()}, expected {leaf.hex()}"
                    )
                tree = merkle.append(tree, [found])
        if tree.size != head.size:
            findings.append(f"the audit log has {tree.size} entries, expected {head.size}")
        elif tree != head:
            found, expected = merkle.root(tree), merkle.root(head)
            findings.append(f"the audit log has the root hash {found.hex()}, expected {expected.hex()}")
        return findings
