"""ML-DSA (FIPS 204, identifiers of RFC 9881; in CMS RFC 9882), pure, with an empty context."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa

from signkit.algorithms import _keys, digests
from signkit.algorithms.base import KeyType, SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

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
_SEED = 0x80
_EXPANDED = {"ML_DSA_44": (2560, b"\x04\x04"), "ML_DSA_65": (4032, b"\x06\x05"), "ML_DSA_87": (4896, b"\x08\x07")}
"""Octets of an expanded private key, and k and l, which go into what the seed becomes (FIPS 204 sections 4 and 6.1)."""


_WEAKER_DIGESTS = {"ML_DSA_44": ("sha384", "sha256"), "ML_DSA_65": ("sha384",), "ML_DSA_87": ()}
"""Digests of the content beside SHA-512 that are as strong as the parameter set (RFC 9882 section 3.3, table 1)."""


def _algorithm(name: str) -> SignatureAlgorithm:
    identifier = writer.sequence(writer.oid(_OIDS[name]))
    return SignatureAlgorithm(
        name,
        None,
        identifier,
        identifier,
        cms_digest="sha512",
        cms_alternatives=_WEAKER_DIGESTS[name],
        external=digests.MU,
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
    """See ``base.Family.sign``; ``data`` is the message, or its mu where that is the algorithm's digest."""
    return bytes(private_key.sign(data) if algorithm.digest is None else private_key.sign_mu(data))


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    """See ``base.Family.verify``."""
    try:
        key = _keys.public_key(public_key_info)
        if not isinstance(key, _PUBLIC[algorithm.name]):
            return f"{algorithm.name} with a key that is not an {algorithm.name} key"
        if algorithm.digest is None:
            key.verify(signature, data)
        else:
            key.verify_mu(signature, data)
    except InvalidSignature:
        return "the ML-DSA signature does not verify"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"the ML-DSA key or signature is unusable: {error}"
    return ""


def import_private_key(key: PrivateKeyInfo) -> tuple[bytes, bytes] | None:
    """See ``base.Family.import_private_key``: RFC 9881 section 6. What is kept is the seed.

    Of an expanded key beside the seed its length and rho, K and tr are compared (FIPS 204 algorithm 24), which are made
    of the seed and of the whole public key; the rest is made from the seed again.
    """
    name = next((name for name, dotted in _OIDS.items() if dotted == key.oid), None)
    if name is None:
        return None
    if key.parameters:
        raise MalformedError("ML-DSA key algorithm has parameters: expected none (RFC 9881 section 2)")
    seed, expanded = _seed_and_expanded(key.private_key, name)
    loaded = _PRIVATE[name].from_seed_bytes(seed)
    found = _keys.imported(key, loaded)
    if expanded is not None and not _belongs(expanded, name, seed, loaded.public_key().public_bytes_raw()):
        raise MalformedError(f"the expanded {name} key does not belong to the seed beside it")
    return found


def _seed_and_expanded(private_key: bytes, name: str) -> tuple[bytes, bytes | None]:
    """Seed and expanded key of the CHOICE in RFC 9881 section 6."""
    choice = reader.parse(private_key, what=f"{name} private key")
    if choice.tag == reader.OCTET_STRING:
        raise MalformedError(
            f"the {name} private key is in its expanded form, expected its seed (RFC 9881 section 6)",
            hint="export it again with its seed, which can't be had from the expanded form",
        )
    expanded = None
    seed = choice
    if choice.tag == reader.SEQUENCE:
        parts = choice.children()
        if len(parts) != 2:
            raise MalformedError(f"{name} private key has {len(parts)} parts, expected seed and expanded key")
        seed = parts[0].expect(reader.OCTET_STRING, f"{name} seed")
        expanded = parts[1].expect(reader.OCTET_STRING, f"expanded {name} key").content
    elif choice.tag != _SEED:
        raise MalformedError(f"{name} private key has tag 0x{choice.tag:02x}, expected its seed (RFC 9881 section 6)")
    if len(seed.content) != 32:
        raise MalformedError(f"{name} seed of {len(seed.content)} bytes, expected 32")
    return seed.content, expanded


def _belongs(expanded: bytes, name: str, seed: bytes, public_key: bytes) -> bool:
    size, dimensions = _EXPANDED[name]
    secret = hashlib.shake_256(seed + dimensions).digest(128)
    start = public_key[:32] + secret[96:] + hashlib.shake_256(public_key).digest(64)
    return len(expanded) == size and hmac.compare_digest(expanded[:128], start)
