"""ML-DSA (FIPS 204, identifiers of RFC 9881; in CMS RFC 9882), pure, with an empty context."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa

from signkit.algorithms import _keys
from signkit.algorithms.base import KeyType, SignatureAlgorithm
from signkit.der import oids, writer
from signkit.errors import MalformedError

_OIDS = {"ML_DSA_44": oids.ML_DSA_44, "ML_DSA_65": oids.ML_DSA_65, "ML_DSA_87": oids.ML_DSA_87}
_PRIVATE: dict[str, Any] = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey,
}
_PUBLIC: dict[str, Any] = {
    "ML_DSA_44": mldsa.MLDSA44PublicKey,
    "ML_DSA_65": mldsa.MLDSA65PublicKey,
    "ML_DSA_87": mldsa.MLDSA87PublicKey,
}


_WEAKER_DIGESTS = {"ML_DSA_44": ("sha384", "sha256"), "ML_DSA_65": ("sha384",), "ML_DSA_87": ()}
"""Digests of the content beside SHA-512 that are as strong as the parameter set (RFC 9882 section 3.3, table 1)."""


def _algorithm(name: str) -> SignatureAlgorithm:
    identifier = writer.sequence(writer.oid(_OIDS[name]))
    return SignatureAlgorithm(
        name, None, identifier, identifier, cms_digest="sha512", cms_alternatives=_WEAKER_DIGESTS[name]
    )


ALGORITHMS = {name: _algorithm(name) for name in _OIDS}
KEY_TYPES = tuple(KeyType(name, "mldsa", (ALGORITHMS[name],), None) for name in _OIDS)


def identify(oid: str, parameters: bytes, digest: str | None) -> SignatureAlgorithm | None:
    """See ``base.Family.identify``."""
    name = next((name for name, dotted in _OIDS.items() if dotted == oid), None)
    if name is None:
        return None
    if parameters:
        raise MalformedError("ML-DSA signature algorithm has parameters: expected none (RFC 9881 section 2)")
    return ALGORITHMS[name]


def key_type_of(oid: str, parameters: bytes, public_key: bytes) -> str | None:
    """See ``base.Family.key_type_of``."""
    return next((name for name, dotted in _OIDS.items() if dotted == oid), None)


def weakness(key_type: str) -> str:
    """See ``base.Family.weakness``."""
    return ""


def generate(key_type: KeyType) -> tuple[bytes, bytes]:
    """See ``base.Family.generate``."""
    key = _PRIVATE[key_type.name].generate()
    return _keys.export(key)


def load_private_key(private_key_info: bytes) -> Any:
    """See ``base.Family.load_private_key``."""
    return _keys.load_own(private_key_info, tuple(_PRIVATE.values()), "ML-DSA")


def prehash(algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, signer_id: bytes) -> bytes:
    """See ``base.Family.prehash``: ML-DSA signs the message itself."""
    return message


def sign(private_key: Any, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """See ``base.Family.sign``."""
    return bytes(private_key.sign(data))


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    """See ``base.Family.verify``."""
    try:
        key = _keys.public_key(public_key_info)
        if not isinstance(key, _PUBLIC[algorithm.name]):
            return f"{algorithm.name} with a key that is not an {algorithm.name} key"
        key.verify(signature, data)
    except InvalidSignature:
        return "the ML-DSA signature does not verify"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"the ML-DSA key or signature is unusable: {error}"
    return ""


def import_private_key(private_key_info: bytes) -> tuple[bytes, bytes] | None:
    """See ``base.Family.import_private_key``."""
    return _keys.import_foreign(private_key_info, tuple(_PRIVATE.values()))
