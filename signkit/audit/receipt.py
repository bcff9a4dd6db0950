"""Receipt of one entry of the audit log, to be put beside a signature: C2SP tlog-proof, version 1.

::

    c2sp.org/tlog-proof@v1
    extra base64(entry)                     the canonical entry itself, so that the receipt needs nothing beside it
    index INDEX                             number of the entry, from 0
    base64(hash)                            zero or more: the inclusion proof (RFC 6962 section 2.1.1)

    ORIGIN ...                              a checkpoint (signkit.audit.checkpoint)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from signkit.audit import checkpoint as checkpoints
from signkit.audit import merkle
from signkit.audit.checkpoint import Checkpoint, LogKey
from signkit.errors import MalformedError, SignatureValueError

MAXIMUM_SIZE = 1 << 18
"""Most bytes of a receipt that is read."""

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_MAXIMUM_PROOF = 64


class Receipt(NamedTuple):
    """A receipt as it was read; nothing of it is verified yet.

    Attributes:
        entry: the canonical entry, or empty when it is not in the receipt.
        number: number of the entry in the log, from 0.
        proof: the inclusion proof.
        note: the signed checkpoint.
    """

    entry: bytes
    number: int
    proof: tuple[bytes, ...]
    note: bytes


class VerifiedEntry(NamedTuple):
    """An entry that was in the log.

    Attributes:
        entry: the canonical entry (``AuditEntry.encode``).
        number: its number, from 0.
        checkpoint: the head of the log that includes it.
    """

    entry: bytes
    number: int
    checkpoint: Checkpoint


def write(receipt: Receipt) -> bytes:
    """A receipt as text."""
    extra = f"extra {checkpoints.to_base64(receipt.entry)}\n" if receipt.entry else ""
    proof = "".join(f"{checkpoints.to_base64(one)}\n" for one in receipt.proof)
    return f"{_FIRST_LINE}\n{extra}index {receipt.number}\n{proof}\n".encode() + receipt.note


def make(entries: Sequence[bytes], leaf_hashes: Sequence[bytes], first: int, note: bytes) -> list[bytes]:
    """Receipts of consecutive entries.

    Args:
        entries: the canonical entries.
        leaf_hashes: the hashes of all entries that the checkpoint counts.
        first: number of the first of the entries.
        note: the signed checkpoint.

    Raises:
        ValueError: the checkpoint counts fewer entries.
    """
    numbers = range(first, first + len(entries))
    proofs = merkle.inclusion_proofs(leaf_hashes, numbers)
    return [write(Receipt(*one, note)) for one in zip(entries, numbers, proofs, strict=True)]


def parse(data: bytes) -> Receipt:
    """Read a receipt; what is in it is to be believed only after ``verify``.

    Raises:
        MalformedError: it is not one.
    """
    if len(data) > MAXIMUM_SIZE:
        raise MalformedError(f"the receipt has {len(data)} bytes, expected at most {MAXIMUM_SIZE}")
    head, blank, note = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise MalformedError("the receipt is not text") from None
    if first != _FIRST_LINE or not blank:
        raise MalformedError(f"not a receipt: expected {_FIRST_LINE}, a proof, an empty line and a checkpoint")
    entry = b""
    if lines and lines[0].startswith("extra "):
        entry = checkpoints.from_base64(lines.pop(0)[len("extra ") :], "receipt's entry")
    digits = lines[0].removeprefix("index ") if lines and lines[0].startswith("index ") else ""
    if not _DECIMAL.fullmatch(digits):
        raise MalformedError("the receipt does not say 'index' and the number of its entry")
    proof = tuple(checkpoints.from_base64(line, "receipt's proof") for line in lines[1:])
    if len(proof) > _MAXIMUM_PROOF or any(len(one) != merkle.HASH_SIZE for one in proof):
        raise MalformedError(f"the receipt's proof is not of at most {_MAXIMUM_PROOF} hashes of 32 bytes")
    return Receipt(entry, int(digits), proof, note)


def verify(data: bytes, key: LogKey, *, entry: bytes = b"") -> VerifiedEntry:
    """What a receipt proves: that the log's key has signed a log with this entry at this place.

    Args:
        data: the receipt.
        key: public key of the log.
        entry: the canonical entry that it must be for; empty = the one in the receipt.

    Raises:
        MalformedError: not a receipt, without an entry, or of another log.
        SignatureValueError: the checkpoint's signature or the proof is not right, or it is for another entry.
    """
    receipt = parse(data)
    if not (entry or receipt.entry):
        raise MalformedError("the receipt does not contain its entry", hint="name the entry that it is for")
    if entry and receipt.entry not in (b"", entry):
        raise SignatureValueError("the receipt is for another entry")
    found = entry or receipt.entry
    head = checkpoints.verify(receipt.note, key)
    leaf = merkle.leaf_hash(found)
    if not merkle.verify_inclusion(leaf, receipt.number, head.size, receipt.proof, head.root_hash):
        raise SignatureValueError(
            f"the receipt does not prove that its entry is number {receipt.number} of the {head.size} in the log"
        )
    return VerifiedEntry(found, receipt.number, head)
