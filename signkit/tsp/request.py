"""Requests to a time-stamping authority (RFC 3161 section 2.4.1)."""

from __future__ import annotations

from typing import NamedTuple

from signkit.algorithms import digests
from signkit.der import tsp
from signkit.errors import MalformedError
from signkit.tsp import imprint


class TimeStampRequest(NamedTuple):
    """What a time-stamping authority is asked to stamp.

    Attributes:
        digest: name of the digest algorithm, or its dotted identifier when unknown.
        value: the digest.
        nonce: a number that must come back in the token, or None.
        certificates: whether the TSA's certificates are to go into the token; without, nobody can verify it alone.
        policy: the TSA policy that is asked for (dotted), or None for the TSA's choice.
        extensions: types (dotted) of the extensions it carries.
    """

    digest: str
    value: bytes
    nonce: int | None = None
    certificates: bool = True
    policy: str | None = None
    extensions: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """DER TimeStampReq; extensions are not written."""
        stamped = tsp.MessageImprint(digests.identifier(self.digest), self.value)
        return tsp.encode_request(tsp.TimeStampReq(stamped, self.policy, self.nonce, self.certificates))


def over(data: bytes, digest: str, *, nonce: int | None = None, policy: str | None = None) -> TimeStampRequest:
    """A request to stamp some bytes, for a signature timestamp the signature value.

    Args:
        data: what is stamped; only its digest goes to the TSA.
        digest: name of the digest algorithm.
        nonce: 64 random bits, so that no old answer can be passed off as the new one.
        policy: the TSA policy to ask for (dotted).
    """
    return TimeStampRequest(digest, digests.digest(digest, data), nonce, True, policy)


def decode(der: bytes) -> TimeStampRequest:
    """Read a request.

    Raises:
        MalformedError: it is not one, or its digest has not the size of its algorithm.
    """
    found = tsp.decode_request(der)
    digest = imprint.digest_name(found.imprint)
    expected = digests.SIZES.get(digest)
    if expected is not None and len(found.imprint.digest) != expected:
        raise MalformedError(
            f"the {digest} digest to be stamped has {len(found.imprint.digest)} bytes, expected {expected}"
        )
    return TimeStampRequest(
        digest, found.imprint.digest, found.nonce, found.certificates, found.policy, found.extensions
    )
