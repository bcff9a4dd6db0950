"""ECDSA on the NIST curves and secp256k1 (SEC 1, RFC 5480, RFC 5758)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signkit.algorithms import _ec_private_key, _keys, digests
from signkit.algorithms.base import KeyType, SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

_SCHEMES = {
    "sha256": ec.ECDSA(Prehashed(hashes.SHA256())),
    "sha384": ec.ECDSA(Prehashed(hashes.SHA384())),
    "sha512": ec.ECDSA(Prehashed(hashes.SHA512())),
}
_OID = {"sha256": oids.ECDSA_SHA256, "sha384": oids.ECDSA_SHA384, "sha512": oids.ECDSA_SHA512}


def _ecdsa(digest: str) -> SignatureAlgorithm:
    identifier = writer.sequence(writer.oid(_OID[digest]))
    return SignatureAlgorithm(f"ECDSA_SHA_{digest[3:]}", digest, identifier, identifier)


ECDSA = {digest: _ecdsa(digest) for digest in _SCHEMES}
_256, _384, _512 = ECDSA.values()
KEY_TYPES = (
    KeyType("EC_P256", "ec", (_256, _384, _512), ec.SECP256R1()),
    KeyType("EC_P384", "ec", (_384, _256, _512), ec.SECP384R1()),
    KeyType("EC_P521", "ec", (_512, _256, _384), ec.SECP521R1()),
    KeyType("EC_P256K", "ec", (_256, _384, _512), ec.SECP256K1()),
)
_OFFERED = tuple(type(key_type.parameter) for key_type in KEY_TYPES)
_CURVES = {
    oids.SECP256R1: "EC_P256",
    oids.SECP384R1: "EC_P384",
    oids.SECP521R1: "EC_P521",
    oids.SECP256K1: "EC_P256K",
}


def identify(oid: str, parameters: bytes, digest: str | None) -> SignatureAlgorithm | None:
    """See ``base.Family.identify``."""
    for name, dotted in _OID.items():
        if oid == dotted:
            if parameters:
                raise MalformedError("ECDSA signature algorithm has parameters: expected none (RFC 5758 section 3.2)")
            return ECDSA[name]
    return None


def key_type_of(oid: str, parameters: bytes, public_key: bytes) -> str | None:
    """See ``base.Family.key_type_of``. Only named curves and no hybrid points (RFC 5480 sections 2.1.1 and 2.2)."""
    if oid != oids.EC_PUBLIC_KEY or parameters[:1] != b"\x06":
        return None
    name = _CURVES.get(reader.oid(reader.parse(parameters)))
    if name is not None:
        _ec_private_key.require_form(public_key)
    return name


def weakness(key_type: str) -> str:
    """See ``base.Family.weakness``. All curves of this file have at least 256 bits."""
    return ""


def generate(key_type: KeyType) -> tuple[bytes, bytes]:
    """See ``base.Family.generate``."""
    key = ec.generate_private_key(key_type.parameter)
    return _keys.export(key)


def load_private_key(private_key_info: bytes) -> ec.EllipticCurvePrivateKey:
    """See ``base.Family.load_private_key``."""
    return _keys.load_own(private_key_info, ec.EllipticCurvePrivateKey, "elliptic curve")


def prehash(algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, signer_id: bytes) -> bytes:
    """See ``base.Family.prehash``."""
    return digests.digest(algorithm.digest or "", message)


def sign(private_key: ec.EllipticCurvePrivateKey, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """See ``base.Family.sign``: DER Ecdsa-Sig-Value."""
    return private_key.sign(data, _SCHEMES[algorithm.digest or ""])


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    """See ``base.Family.verify``. OpenSSL demands strict DER of the signature and r, s in 1 .. n-1."""
    try:
        key = _public_key(public_key_info)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return f"{algorithm.name} with a key that is not an elliptic-curve key"
        if not isinstance(key.curve, _OFFERED):
            return f"curve {key.curve.name} is not accepted"
        key.verify(signature, data, _SCHEMES[algorithm.digest or ""])
    except InvalidSignature:
        return "the ECDSA signature does not verify"
    except (ValueError, MalformedError, UnsupportedAlgorithm) as error:
        return f"the elliptic-curve key or signature is unusable: {error}"
    return ""


def import_private_key(key: PrivateKeyInfo) -> tuple[bytes, bytes] | None:
    """See ``base.Family.import_private_key``. Only d is taken over; the public key is made from it again."""
    if key.oid != oids.EC_PUBLIC_KEY:
        return None
    if key.parameters[:1] != b"\x06":
        raise MalformedError("the curve of the EC private key is not named (RFC 5480 section 2.1.1)")
    name = _CURVES.get(reader.oid(reader.parse(key.parameters)))
    if name is None:
        return None
    curve = next(key_type.parameter for key_type in KEY_TYPES if key_type.name == name)
    d, beside = _ec_private_key.scalar(key, name, curve.group_order)
    private_key_info, public_key_info = _keys.export(ec.derive_private_key(d, curve))
    _ec_private_key.require_point(key, beside, reader.bit_string(reader.parse(public_key_info).children()[1]))
    return private_key_info, public_key_info


@lru_cache(maxsize=256)
def _public_key(public_key_info: bytes) -> Any:
    """A public key whose point is in a form that RFC 5480 allows.

    Raises:
        MalformedError: it is in another form.
        ValueError: it can't be read.
        UnsupportedAlgorithm: cryptography does not know its kind.
    """
    key = _keys.public_key(public_key_info)
    if isinstance(key, ec.EllipticCurvePublicKey):
        children = reader.parse(public_key_info).children()
        _ec_private_key.require_form(reader.bit_string(children[1], "subjectPublicKey"))
    return key
