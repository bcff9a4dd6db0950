"""Signatures with broken digests, which nothing accepts unless a profile names the digest. Never for signing.

They are kept apart from the families, so that no key type offers them and no signature file can ask for them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from signkit import algorithms
from signkit.algorithms import _keys
from signkit.algorithms import rsa as strong_rsa
from signkit.der import oids, writer

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303 - read only, and only when a profile says so
    "sha1": hashes.SHA1(),  # noqa: S303
}


class WeakAlgorithm(NamedTuple):
    """A signature algorithm with a broken digest: ``scheme`` is ``rsa`` (PKCS#1 v1.5) or ``ecdsa``."""

    scheme: str
    digest: str


_ALGORITHMS = {
    oids.RSA_MD5: WeakAlgorithm("rsa", "md5"),
    oids.RSA_SHA1: WeakAlgorithm("rsa", "sha1"),
    oids.ECDSA_SHA1: WeakAlgorithm("ecdsa", "sha1"),
}


@lru_cache(maxsize=64)
def identify(identifier: bytes) -> WeakAlgorithm | None:
    """The weak algorithm of a DER AlgorithmIdentifier, or None when it is none of these or has odd parameters.

    Raises:
        MalformedError: not an AlgorithmIdentifier.
    """
    oid, parameters = algorithms.split_identifier(identifier)
    found = _ALGORITHMS.get(oid)
    if found is None or parameters not in ((b"", writer.NULL) if found.scheme == "rsa" else (b"",)):
        return None
    return found


def verify(algorithm: WeakAlgorithm, public_key_info: bytes, message: bytes, signature: bytes) -> str:
    """An empty string when the signature over the message is right, else the reason."""
    digest = _HASHES[algorithm.digest]
    try:
        key = _keys.public_key(public_key_info)
        if algorithm.scheme == "rsa" and isinstance(key, rsa.RSAPublicKey):
            if problem := strong_rsa.size_problem(public_key_info, signature):
                return problem
            key.verify(signature, message, PKCS1v15(), digest)
        elif algorithm.scheme == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(digest))
        else:
            return f"{algorithm.scheme} signature with a key of another kind"
    except InvalidSignature:
        return f"the {algorithm.scheme} signature does not verify"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"the key or signature is unusable: {error}"
    return ""
