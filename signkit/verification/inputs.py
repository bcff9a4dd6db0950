"""Everything that a verification looks at. Same inputs, same verdict, for ever."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.errors import SignkitError
from signkit.formats.base import ParsedSignature


class Trust(NamedTuple):
    """What is trusted, what is known about it, and the moment it is judged at.

    Attributes:
        trust_anchors: DER certificates.
        intermediates: DER certificates that may help to build paths.
        now: aware UTC; the time of signing where no timestamp proves another.
        tsa_trust_anchors: DER certificates that paths of time-stamping authorities may end at; empty = those above.
        crls: DER CRLs from outside.
        ocsp_responses: DER OCSP responses from outside.
        profile: rules for paths: ``code-signing``, ``cabf``, ``authenticode`` or ``private``.
        revocation: ``require``, ``check`` or ``ignore``.
        timestamp: ``required``, ``if-expired`` or ``ignored``; with the last no token is looked at.
        sm2_id: identifier of SM2 signers.
    """

    trust_anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...]
    now: datetime
    tsa_trust_anchors: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    profile: str = "code-signing"
    revocation: str = "check"
    timestamp: str = "if-expired"
    sm2_id: bytes = DEFAULT_SIGNER_ID


class ArtifactInput(NamedTuple):
    """One artifact and what was found as its signature.

    Attributes:
        artifact: the artifact as the caller named it.
        signature_name: where its signature was looked for.
        signature: the parsed signature, or None when there is none or it could not be parsed.
        digested: digest algorithm name to the artifact's digest.
        present: whether there was anything at ``signature_name``.
        problem: why the signature or the artifact could not be read or parsed, else None.
        is_der: whether the whole artifact is one DER SET or SEQUENCE (``is_one_element``).
    """

    artifact: str
    signature_name: str
    signature: ParsedSignature | None
    digested: Mapping[str, bytes]
    present: bool
    problem: SignkitError | None
    is_der: bool = False


def is_one_element(head: bytes, size: int) -> bool:
    """Whether an artifact of that size which begins so is one DER SET or SEQUENCE from its first byte to its last."""
    if len(head) < 2 or head[0] not in (0x30, 0x31):
        return False
    octets = head[1] & 0x7F if head[1] & 0x80 else 0
    length = int.from_bytes(head[2 : 2 + octets], "big") if octets else head[1]
    return octets <= len(head) - 2 and 2 + octets + length == size
