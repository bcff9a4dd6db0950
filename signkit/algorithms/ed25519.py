"""Ed25519, pure (RFC 8032, identifiers of RFC 8410; in CMS RFC 8419)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signkit.algorithms import _keys
from signkit.algorithms.base import KeyType, SignatureAlgorithm
from signkit.der import oids, writer
from signkit.errors import MalformedError

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

_IDENTIFIER = writer.sequence(writer.oid(oids.ED25519))
ED25519 = SignatureAlgorithm("ED25519", None, _IDENTIFIER, _IDENTIFIER, cms_digest="sha512")
PUBLIC_KEY_SIZE = 32
"""Bytes of a public key (RFC 8032 section 5.1.5)."""
KEY_TYPES = (KeyType("ED25519", "ed25519", (ED25519,), None),)


def identify(oid: str, parameters: bytes, digest: str | None) -> SignatureAlgorithm | None:
    """See ``base.Family.identify``."""
    if oid != oids.ED25519:
        return None
    if parameters:
        raise MalformedError("Ed25519 signature algorithm has parameters: expected none (RFC 8410 section 3)")
    return ED25519


def key_type_of(oid: str, parameters: bytes, public_key: bytes) -> str | None:
    """See ``base.Family.key_type_of``."""
    return "ED25519" if oid == oids.ED25519 else None


def weakness(key_type: str) -> str:
    """See ``base.Family.weakness``."""
    return ""


def public_key_info(public_key: bytes) -> bytes:
    """DER SubjectPublicKeyInfo of a public key of 32 bytes (RFC 8410 section 4); it ends with these bytes."""
    return writer.sequence(_IDENTIFIER, writer.bit_string(public_key))


def generate(key_type: KeyType) -> tuple[bytes, bytes]:
    """See ``base.Family.generate``."""
    key = Ed25519PrivateKey.generate()
    return _keys.export(key)


def load_private_key(private_key_info: bytes) -> Ed25519PrivateKey:
    """See ``base.Family.load_private_key``."""
    return _keys.load_own(private_key_info, Ed25519PrivateKey, "Ed25519")


def prehash(algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, signer_id: bytes) -> bytes:
    """See ``base.Family.prehash``: Ed25519 signs the message itself."""
    return message


def sign(private_key: Ed25519PrivateKey, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """See ``base.Family.sign``."""
    return private_key.sign(data)


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    """See ``base.Family.verify``."""
    try:
        key = _keys.public_key(public_key_info)
        if not isinstance(key, Ed25519PublicKey):
            return "ED25519 with a key that is not an Ed25519 key"
        key.verify(signature, data)
    except InvalidSignature:
        return "the Ed25519 signature does not verify"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"the Ed25519 key or signature is unusable: {error}"
    return ""


def import_private_key(key: PrivateKeyInfo) -> tuple[bytes, bytes] | None:
    """See ``base.Family.import_private_key``: RFC 8410 section 7."""
    if key.oid != oids.ED25519:
        return None
    if key.parameters:
        raise MalformedError("Ed25519 key algorithm has parameters: expected none (RFC 8410 section 3)")
    return _keys.imported(key, _keys.load_foreign(key, Ed25519PrivateKey, "Ed25519"))
