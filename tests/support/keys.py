"""Keys of every type for chains in tests; made anew in each run, unlike those of ``pki``. FOR TESTS ONLY."""

from __future__ import annotations

from functools import cache
from typing import Any

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from tests.support import pki

KINDS = ("RSA_2048", "EC_P256", "EC_P384", "EC_P521", "EC_P256K", "EC_SM2", "ED25519", "ML_DSA_44", "ML_DSA_65")


class AnyKey:
    """A key pair with the algorithm it signs with; takes the place of a ``pki.Key``."""

    def __init__(self, key_type: str, *, padding: str | None = None, signer_id: bytes = b"1234567812345678") -> None:
        family = algorithms.family(algorithms.key_type(key_type).family)
        private, self.public_key_info = family.generate(algorithms.key_type(key_type))
        self._private: Any = family.load_private_key(private)
        self._family = family
        self._signer_id = signer_id
        self.scheme: SignatureAlgorithm = algorithms.signature_algorithm(key_type, padding=padding)
        self.algorithm = self.scheme.name
        self.identifier = digests.digest("sha1", self.public_key_info)

    def sign(self, data: bytes, algorithm: str = "") -> bytes:
        """Signature over a whole message."""
        prepared = self._family.prehash(self.scheme, self.public_key_info, data, self._signer_id)
        return self._family.sign(self._private, self.scheme, prepared)


@cache
def any_key(key_type: str, number: int = 0, padding: str | None = None) -> AnyKey:
    """The key of that type and number in this run."""
    return AnyKey(key_type, padding=padding)


def signed_by(key: AnyKey) -> dict[str, Any]:
    """Arguments for ``pki.ca`` and ``pki.leaf`` that make ``key`` the issuer's."""
    return {"issuer_key": key, "inner": key.scheme.identifier, "outer": key.scheme.identifier}


def chain(root: AnyKey, issuing: AnyKey, signer: AnyKey) -> pki.Chain:
    """Root, issuing CA and leaf with these keys."""
    return pki.Chain(
        pki.ca(pki.ROOT, root, pki.ROOT, **signed_by(root)),  # type: ignore[arg-type]
        pki.ca(pki.ISSUING, issuing, pki.ROOT, path_length=0, **signed_by(root)),  # type: ignore[arg-type]
        pki.leaf(pki.SIGNER, signer.public_key_info, pki.ISSUING, **signed_by(issuing)),
        signer,  # type: ignore[arg-type]
    )
