"""Signed checkpoints of the audit log: C2SP tlog-checkpoint, a signed note (C2SP signed-note) with an Ed25519 key.

::

    ORIGIN                                  name of the log, and of its key
    SIZE                                    number of entries, decimal
    base64(root hash)                       of the RFC 6962 tree

    — ORIGIN base64(key id | signature)     over the lines above the empty one

A checkpoint that is kept elsewhere shows later whether the log was cut, rolled back or written again. Nothing of a
note may be believed before ``verify`` has returned it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from signkit.audit.merkle import EMPTY, HASH_SIZE, root
from signkit.errors import MalformedError, SignatureValueError, UsageError

MAXIMUM_SIZE = 1 << 16
"""Most bytes of a note that is read."""

MAXIMUM_SIGNATURES = 100
"""Most signatures of a note that is read; witnesses add theirs."""

_ED25519 = b"\x01"
_KEY_SIZE, _KEY_ID_SIZE = 32, 4
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f]")
_BLANK = "\n\n"


class LogKey(NamedTuple):
    """The public key of a log.

    Attributes:
        name: name of the key, and origin of the log's checkpoints; best a URL without its scheme.
        public_key: 32 bytes (RFC 8032).
    """

    name: str
    public_key: bytes

    @property
    def id(self) -> bytes:
        """First 4 bytes of SHA-256 over name, newline, signature type and public key (signed-note, Signatures)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_KEY_ID_SIZE]

    def __str__(self) -> str:
        """The vkey, by which logs are named to verifiers: ``NAME+hex(key id)+base64(type | public key)``."""
        return f"{self.name}+{self.id.hex()}+{to_base64(_ED25519 + self.public_key)}"


class Checkpoint(NamedTuple):
    """The head of a log at one size.

    Attributes:
        origin: name of the log.
        size: number of entries.
        root_hash: root of their tree, 32 bytes.
        extensions: further lines, which mean nothing here.
    """

    origin: str
    size: int
    root_hash: bytes
    extensions: tuple[str, ...] = ()


def log_key(name: str, public_key: bytes) -> LogKey:
    """The key of a log.

    Raises:
        UsageError: the name can't be one, or the key has not 32 bytes.
    """
    if not _is_name(name):
        raise UsageError(
            f"'{name}' can't name a log: expected text without spaces, plus signs and control characters",
            hint="for example example.com/signkit-audit",
        )
    if len(public_key) != _KEY_SIZE:
        raise UsageError(f"the log's public key has {len(public_key)} bytes, expected {_KEY_SIZE} (Ed25519)")
    return LogKey(name, public_key)


def parse_log_key(text: str) -> LogKey:
    """The key of a log from its vkey, ``NAME+ID+KEY``.

    Raises:
        MalformedError: it is not one, of another kind than Ed25519, or its id is not its own.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = from_base64(encoded, "public key of the log")
    if not _is_name(name) or len(data) != 1 + _KEY_SIZE or not data.startswith(_ED25519):
        raise MalformedError("the log's key is not NAME+ID+KEY with an Ed25519 key")
    key = LogKey(name, data[1:])
    if key_id != key.id.hex():
        raise MalformedError(f"the log's key has the id '{key_id}', expected {key.id.hex()}")
    return key


def sign(checkpoint: Checkpoint, key: LogKey, signer: Callable[[bytes], bytes]) -> bytes:
    """A signed note of a checkpoint.

    Args:
        checkpoint: the head of the log; its origin is the key's name.
        key: public key of the log.
        signer: gives the Ed25519 signature over a message.

    Raises:
        MalformedError: the checkpoint can't be written.
        SignatureValueError: the signer has another key.
    """
    lines = [checkpoint.origin, str(checkpoint.size), to_base64(checkpoint.root_hash), *checkpoint.extensions]
    text = "".join(f"{line}\n" for line in lines)
    signature = signer(text.encode())
    note = f"{text}\n\u2014 {key.name} {to_base64(key.id + signature)}\n".encode()
    if verify(note, key) != checkpoint:
        raise MalformedError("the checkpoint does not come back as it was written")
    return note


def verify(note: bytes, key: LogKey) -> Checkpoint:
    """The checkpoint in a note that the log's key signed. Signatures of other keys are not looked at.

    Raises:
        MalformedError: not a note, not a checkpoint, or one of another log.
        SignatureValueError: no signature of the log's key, or one that is not right.
    """
    text, signatures = _parse_note(note)
    own = [signature[_KEY_ID_SIZE:] for name, signature in signatures if (name, signature[:4]) == (key.name, key.id)]
    if not own:
        names = ", ".join(name for name, _ in signatures[:5])
        raise SignatureValueError(
            f"the checkpoint is not signed by {key.name} ({key.id.hex()}): found signatures of {names}",
            hint="name the log's own key; 'signkit audit checkpoint' prints it",
        )
    for signature in own:
        reason = _verify_signature(key.public_key, text.encode(), signature)
        if reason:
            raise SignatureValueError(f"the checkpoint's signature by {key.name} is not right: {reason}")
    return _parse_text(text, key.name)


def _parse_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Text of a note with its last newline, and of each signature the name and the bytes (key id first)."""
    if len(note) > MAXIMUM_SIZE:
        raise MalformedError(f"the checkpoint has {len(note)} bytes, expected at most {MAXIMUM_SIZE}")
    try:
        decoded = note.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"the checkpoint is not UTF-8: {error.reason}") from None
    if _FORBIDDEN.search(decoded):
        raise MalformedError("the checkpoint contains control characters")
    text, blank, rest = decoded.rpartition(_BLANK)
    if not blank or not text or not rest.endswith("\n"):
        raise MalformedError("the checkpoint is not a signed note: expected text, an empty line, and signature lines")
    lines = rest[:-1].split("\n")
    if len(lines) > MAXIMUM_SIGNATURES:
        raise MalformedError(f"the checkpoint has {len(lines)} signatures, expected at most {MAXIMUM_SIGNATURES}")
    return f"{text}\n", [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "\u2014" or not _is_name(name):
        raise MalformedError("the checkpoint has a line that is no signature: expected an em dash, a name and base64")
    signature = from_base64(encoded, f"signature by {name}")
    if len(signature) <= _KEY_ID_SIZE:
        raise MalformedError(f"the signature by {name} has {len(signature)} bytes, expected more than {_KEY_ID_SIZE}")
    return name, signature


def _parse_text(text: str, origin: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise MalformedError("the checkpoint is not origin, size and root hash, each on a line")
    if lines[0] != origin:
        raise MalformedError(f"the checkpoint is of the log '{lines[0]}', expected '{origin}'")
    if not _DECIMAL.fullmatch(lines[1]):
        raise MalformedError(f"the checkpoint's size is '{lines[1]}', expected a decimal number without leading zeros")
    size, root_hash = int(lines[1]), from_base64(lines[2], "root hash")
    if len(root_hash) != HASH_SIZE:
        raise MalformedError(f"the checkpoint's root hash has {len(root_hash)} bytes, expected {HASH_SIZE}")
    if size == 0 and root_hash != root(EMPTY):
        raise MalformedError("the checkpoint of an empty log has another root hash than the empty tree")
    return Checkpoint(origin, size, root_hash, tuple(lines[3:]))


def _verify_signature(public_key: bytes, message: bytes, signature: bytes) -> str:
    """An empty string when the signature is right, else the reason."""
    from signkit import algorithms
    from signkit.algorithms import ed25519

    return algorithms.verify_digest(ed25519.ED25519, ed25519.public_key_info(public_key), message, signature)


def _is_name(name: str) -> bool:
    """Whether it can name a key (signed-note): not empty, without spaces of any kind and plus signs."""
    return bool(name) and "+" not in name and not _FORBIDDEN.search(name) and not re.search(r"\s", name)


def to_base64(data: bytes) -> str:
    """Standard base64 (RFC 4648 section 4)."""
    return base64.b64encode(data).decode()


def from_base64(text: str, what: str) -> bytes:
    """Bytes from standard base64, of which there is one form only (RFC 4648 section 3.5).

    Raises:
        MalformedError: it is not that.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or to_base64(data) != text:
        raise MalformedError(f"the {what} is not base64")
    return data
