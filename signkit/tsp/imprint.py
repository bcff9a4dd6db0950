"""The message imprint (RFC 3161 section 2.4.1): which digest of what was stamped."""

from __future__ import annotations

from signkit import algorithms
from signkit.der import oids
from signkit.der.tsp import MessageImprint
from signkit.errors import MalformedError


def digest_name(imprint: MessageImprint) -> str:
    """Name of the digest algorithm of an imprint, or its dotted identifier when it is not a known one.

    Raises:
        MalformedError: not an AlgorithmIdentifier of a digest: it has other parameters than NULL.
    """
    oid, parameters = algorithms.split_identifier(imprint.algorithm)
    if parameters not in (b"", b"\x05\x00"):
        raise MalformedError("the digest algorithm of the message imprint has parameters, expected NULL or none")
    return oids.DIGESTS.get(oid, oid)
