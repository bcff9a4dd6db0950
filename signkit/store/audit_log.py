"""The audit log in a SQLite database: entries with their RFC 6962 leaf hashes, and the frontier of their tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from signkit.audit import merkle
from signkit.audit.entry import AuditEntry
from signkit.errors import StoreError
from signkit.store.database import Database

if TYPE_CHECKING:
    from signkit.audit.checkpoint import Checkpoint

_FROM_BACKUP = "restore the store from a backup"


class AuditLog:
    """The log of one database. It is appended to within a transaction of the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, encoded: Sequence[bytes]) -> int:
        """Append entries in their canonical form; on average one node hash for each.

        Returns:
            number of the first of them, from 0.

        Raises:
            StoreError: the head of the log is damaged.
        """
        if not encoded:
            return 0
        head = self.head()
        leaves = [merkle.leaf_hash(entry) for entry in encoded]
        tree = merkle.append(head, leaves)
        self._database.execute_many(
            "INSERT INTO audit (seq, leaf, entry) VALUES (?, ?, ?)",
            zip(range(head.size, tree.size), leaves, encoded, strict=True),
        )
        self._database.execute("UPDATE audit_head SET size = ?, frontier = ?", (tree.size, b"".join(tree.subtrees)))
        return head.size

    def entries(self) -> Iterator[AuditEntry]:
        """The entries from the first on, read as they are consumed.

        Raises:
            StoreError: one can't be read; ``verify`` says more.
        """
        for expected, (number, data) in enumerate(self._database.stream("SELECT seq, entry FROM audit ORDER BY seq")):
            if number != expected:
                raise StoreError(f"audit entry {expected} is missing", hint=_FROM_BACKUP)
            try:
                yield AuditEntry.decode(data)
            except ValueError as error:
                raise StoreError(f"audit entry {number} can't be read: {error}", hint=_FROM_BACKUP) from error

    def encoded(self) -> Iterator[bytes]:
        """The entries in their canonical form, over which the tree is, read as they are consumed."""
        for (data,) in self._database.stream("SELECT entry FROM audit ORDER BY seq"):
            yield data

    def leaves(self) -> list[bytes]:
        """Hashes of all entries: what proofs are made from."""
        return [leaf for (leaf,) in self._database.rows("SELECT leaf FROM audit ORDER BY seq")]

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint; the first of each size stays."""
        self._database.execute("INSERT INTO checkpoint (size, note) VALUES (?, ?) ON CONFLICT DO NOTHING", (size, note))

    def checkpoints(self) -> list[bytes]:
        """The signed checkpoints that are kept, by size."""
        return [note for (note,) in self._database.rows("SELECT note FROM checkpoint ORDER BY size")]

    def head(self) -> merkle.Frontier:
        """The tree of the log, as kept beside it.

        Raises:
            StoreError: what is kept can't be the frontier of any tree.
        """
        for size, data in self._database.rows("SELECT size, frontier FROM audit_head"):
            subtrees = tuple(data[start : start + merkle.HASH_SIZE] for start in range(0, len(data), merkle.HASH_SIZE))
            if size >= 0 and size.bit_count() == len(subtrees) and len(data) == merkle.HASH_SIZE * len(subtrees):
                return merkle.Frontier(size, subtrees)
        raise StoreError(f"the audit log of {self._database.path} has no usable head", hint=_FROM_BACKUP)

    def verify(self, checkpoints: Sequence[Checkpoint] = ()) -> list[str]:
        """Recompute the tree from the entries; one finding for each thing that is wrong, none when the log is sound.

        Args:
            checkpoints: verified checkpoints, best kept elsewhere, that the log must continue.

        Raises:
            StoreError: the head of the log is damaged.
        """
        findings: list[str] = []
        tree, awaited = merkle.EMPTY, sorted(checkpoints, key=lambda one: one.size, reverse=True)
        with self._database.snapshot():
            head = self.head()
            findings += _disagreements(tree, awaited)
            for number, leaf, entry in self._database.stream("SELECT seq, leaf, entry FROM audit ORDER BY seq"):
                if number != tree.size:
                    return [*findings, f"audit entry {tree.size} is missing: found entry {number} in its place"]
                found = merkle.leaf_hash(entry)
                if found != leaf:
                    findings.append(
                        f"audit entry {number} was changed: found hash {found.hex()}, expected {leaf.hex()}"
                    )
                tree = merkle.append(tree, [found])
                findings += _disagreements(tree, awaited)
        if tree.size != head.size:
            findings.append(f"the audit log has {tree.size} entries, expected {head.size}")
        elif tree != head:
            findings.append(_other_root("the audit log has", tree, merkle.root(head)))
        findings += [f"the audit log has {tree.size} entries, expected {one.size} by a checkpoint" for one in awaited]
        return findings


def _disagreements(tree: merkle.Frontier, awaited: list[Checkpoint]) -> list[str]:
    """What checkpoints of this size say against the tree; they are taken off the end of the list."""
    found = []
    while awaited and awaited[-1].size == tree.size:
        expected = awaited.pop().root_hash
        if merkle.root(tree) != expected:
            found.append(_other_root(f"the first {tree.size} entries of the audit log have", tree, expected))
    return found


def _other_root(what: str, tree: merkle.Frontier, expected: bytes) -> str:
    return f"{what} the root hash {merkle.root(tree).hex()}, expected {expected.hex()}"
