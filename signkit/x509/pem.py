"""PEM (RFC 7468), read leniently as authorities really send it: CRLF, text around the blocks, several blocks."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from signkit.errors import MalformedError

CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
REQUEST_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
PKCS7_LABELS = ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9# ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)


class Block(NamedTuple):
    """One PEM block: its label and the bytes it carries."""

    label: str
    data: bytes


def looks_like(data: bytes) -> bool:
    """Whether the data holds a PEM boundary at all."""
    return b"-----BEGIN " in data


def decode(data: bytes) -> list[Block]:
    """All PEM blocks in the data, in order.

    Raises:
        MalformedError: a block is not base64, or begins and never ends.
    """
    blocks = []
    for match in _BLOCK.finditer(data):
        label = match[1].decode("ascii")
        text = b"".join(line for line in match[2].split() if b":" not in line)
        try:
            blocks.append(Block(label, base64.b64decode(text, validate=True)))
        except binascii.Error as error:
            raise MalformedError(f"PEM block {len(blocks) + 1} ({label}) is not base64: {error}") from error
    if data.count(b"-----BEGIN ") > len(blocks):
        raise MalformedError(f"PEM block {len(blocks) + 1} has no matching -----END line")
    return blocks


def encode(label: str, der: bytes) -> str:
    """One PEM block with lines of 64 characters."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
