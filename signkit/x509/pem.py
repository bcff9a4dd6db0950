"""PEM (RFC 7468), read leniently as authorities really send it: CRLF, text around the blocks, several blocks."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from signkit.der import reader
from signkit.errors import MalformedError

CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
REQUEST_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
PKCS7_LABELS = ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")
PRIVATE_KEY_LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9# ]{1,40})-----")
_BLANK_LINE = re.compile(rb"\n[ \t]*\r?\n")


class Block(NamedTuple):
    """One PEM block: its label and the bytes it carries."""

    label: str
    data: bytes


def looks_like(data: bytes) -> bool:
    """Whether the data holds a PEM boundary, and not as text inside one ASN.1 SEQUENCE that is the whole file.

    One file must not be one thing to who reads DER and another to who reads PEM.
    """
    return b"-----BEGIN " in plain(data) and not _is_sequence(data)


def plain(data: bytes) -> bytes:
    """Text as ASCII or UTF-8: what some editors save as UTF-16 is decoded, when it says so by a byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def decode(data: bytes) -> list[Block]:
    """All PEM blocks in the data, in order.

    Raises:
        MalformedError: a block is not base64, or begins and never ends.
    """
    data = plain(data)
    blocks: list[Block] = []
    position = data.find(b"-----BEGIN ")
    while position >= 0:
        match = _BEGIN.match(data, position)
        boundary = b"-----END " + match[1] + b"-----" if match else b""
        end = data.find(boundary, match.end()) if match else -1
        if match is None or end < 0:
            raise MalformedError(f"PEM block {len(blocks) + 1} has no matching -----END line")
        label = match[1].decode("ascii")
        text = data[match.end() : end]
        blank = _BLANK_LINE.search(text)
        if blank and b":" in text[: blank.start()]:  # headers of RFC 1421 section 4.4
            text = text[blank.end() :]
        try:
            blocks.append(Block(label, base64.b64decode(text.translate(None, b" \t\r\n\v\f"), validate=True)))
        except binascii.Error as error:
            raise MalformedError(f"PEM block {len(blocks) + 1} ({label}) is not base64: {error}") from error
        position = data.find(b"-----BEGIN ", end + len(boundary))
    return blocks


def _is_sequence(data: bytes) -> bool:
    if data[:2] == b"\x30\x80":  # BER, indefinite length
        return True
    try:
        reader.parse(data, reader.SEQUENCE)
    except MalformedError:
        return False
    return True


def encode(label: str, der: bytes) -> str:
    """One PEM block with lines of 64 characters."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def public_key(data: bytes) -> bytes:
    """DER SubjectPublicKeyInfo from a PEM (``PUBLIC KEY``) or DER file.

    Raises:
        MalformedError: it is neither.
    """
    if not looks_like(data):
        reader.parse(data, reader.SEQUENCE, "public key")
        return data
    found = [block.data for block in decode(data) if block.label == "PUBLIC KEY"]
    if len(found) != 1:
        raise MalformedError(f"{len(found)} public keys in the file, expected 1", hint="expected PUBLIC KEY in PEM")
    return found[0]


def private_key(data: bytes) -> bytes:
    """DER of the one private key in a PEM or DER file, in the form in which it is there (``algorithms.containers``).

    Raises:
        MalformedError: none, several, or one in a form of OpenSSH or of old OpenSSL.
    """
    if not looks_like(data):
        return data
    if b"Proc-Type:" in data:  # RFC 1421; the passphrase goes through one round of MD5
        raise MalformedError(
            "the private key is encrypted in the old way of OpenSSL, expected PKCS #8",
            hint="'openssl pkcs8 -topk8 -v2 aes-256-cbc -in F -out KEY' converts it",
        )
    blocks = [block for block in decode(data) if block.label.endswith("PRIVATE KEY")]
    if len(blocks) != 1:
        raise MalformedError(f"{len(blocks)} private keys in the file, expected 1")
    if blocks[0].label not in PRIVATE_KEY_LABELS:
        raise MalformedError(
            f"the private key is labelled {blocks[0].label}, expected {' or '.join(PRIVATE_KEY_LABELS)}",
            hint="'ssh-keygen -p -m PKCS8 -f COPY' converts a copy of an OpenSSH RSA or ECDSA key, not an Ed25519 key",
        )
    return blocks[0].data
