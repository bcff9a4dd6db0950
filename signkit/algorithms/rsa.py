"""RSA: PKCS#1 v1.5 and PSS (RFC 8017, identifiers of RFC 4055, RFC 3370 and RFC 4056)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from signkit.algorithms import digests
from signkit.algorithms.base import KeyType, SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError

MINIMUM_BITS, MAXIMUM_BITS = 2048, 16384
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_PKCS1_OID = {"sha256": oids.RSA_SHA256, "sha384": oids.RSA_SHA384, "sha512": oids.RSA_SHA512}
_MGF1 = "1.2.840.113549.1.1.8"
_PSS_KEY = writer.oid(oids.RSASSA_PSS)
_IDENTIFIER_END = 24
"""The algorithm's OBJECT IDENTIFIER stands within the first bytes of a SubjectPublicKeyInfo."""


def _pkcs1(digest: str) -> SignatureAlgorithm:
    return SignatureAlgorithm(
        f"RSA_PKCS1_SHA_{digest[3:]}",
        digest,
        writer.sequence(writer.oid(_PKCS1_OID[digest]), writer.NULL),
        writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL),
    )


def _pss(digest: str, salt_length: int) -> SignatureAlgorithm:
    hash_identifier = digests.identifier(digest)
    parameters = writer.sequence(
        writer.tlv(0xA0, hash_identifier),
        writer.tlv(0xA1, writer.sequence(writer.oid(_MGF1), hash_identifier)),
        writer.tlv(0xA2, writer.integer(salt_length)),
    )
    identifier = writer.sequence(writer.oid(oids.RSASSA_PSS), parameters)
    return SignatureAlgorithm(f"RSA_PSS_SHA_{digest[3:]}", digest, identifier, identifier)


PKCS1 = {digest: _pkcs1(digest) for digest in digests.SIGNING}
PSS_ALGORITHMS = {digest: _pss(digest, digests.SIZES[digest]) for digest in digests.SIGNING}
_ALGORITHMS = (*PKCS1.values(), *PSS_ALGORITHMS.values())
KEY_TYPES = tuple(KeyType(f"RSA_{bits}", "rsa", _ALGORITHMS, bits) for bits in (2048, 3072, 4096))


def identify(oid: str, parameters: bytes, digest: str | None) -> SignatureAlgorithm | None:
    """See ``base.Family.identify``. ``rsaEncryption`` takes its digest from beside it (RFC 3370 section 3.2)."""
    for name, dotted in _PKCS1_OID.items():
        if oid == dotted:
            _absent_or_null(parameters)
            return PKCS1[name]
    if oid == oids.RSA_ENCRYPTION and digest is not None:
        _absent_or_null(parameters)
        return PKCS1.get(digest)
    if oid == oids.RSASSA_PSS:
        return _identify_pss(parameters)
    return None


def key_type_of(oid: str, parameters: bytes, public_key: bytes) -> str | None:
    """See ``base.Family.key_type_of``."""
    if oid not in (oids.RSA_ENCRYPTION, oids.RSASSA_PSS):
        return None
    modulus, _exponent = reader.parse(public_key, reader.SEQUENCE, "RSAPublicKey").children()
    return f"RSA_{reader.integer(modulus, 'RSA modulus').bit_length()}"


def weakness(key_type: str) -> str:
    """See ``base.Family.weakness``."""
    if not key_type.startswith("RSA_"):
        return ""
    bits = int(key_type.removeprefix("RSA_"))
    if bits < MINIMUM_BITS:
        return f"RSA modulus of {bits} bits, expected at least {MINIMUM_BITS}"
    return f"RSA modulus of {bits} bits, expected at most {MAXIMUM_BITS}" if bits > MAXIMUM_BITS else ""


def generate(key_type: KeyType) -> tuple[bytes, bytes]:
    """See ``base.Family.generate``."""
    key = rsa.generate_private_key(65537, key_type.parameter)
    return (
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def load_private_key(private_key_info: bytes) -> rsa.RSAPrivateKey:
    """See ``base.Family.load_private_key``. The primes were checked when the key came in; checking costs 40 ms."""
    key = load_der_private_key(private_key_info, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise MalformedError("private key is not an RSA key")
    return key


def sign(private_key: rsa.RSAPrivateKey, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """See ``base.Family.sign``."""
    return private_key.sign(data, *_padding(algorithm))


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    """See ``base.Family.verify``."""
    if algorithm.name.startswith("RSA_PKCS1") and _PSS_KEY in public_key_info[:_IDENTIFIER_END]:
        return f"{algorithm.name} with a key that is restricted to PSS (RFC 4055 section 1.2)"
    try:
        key = _public_key(public_key_info)
        if not isinstance(key, rsa.RSAPublicKey):
            return f"{algorithm.name} with a key that is not an RSA key"
        key.verify(signature, data, *_padding(algorithm))
    except InvalidSignature:
        return "the RSA signature does not verify"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"the RSA key or signature is unusable: {error}"
    return ""


@lru_cache(maxsize=64)
def _padding(algorithm: SignatureAlgorithm) -> tuple[PKCS1v15 | PSS, Prehashed]:
    chosen = _HASHES[algorithm.digest or ""]
    if algorithm.name.startswith("RSA_PKCS1"):
        return PKCS1v15(), Prehashed(chosen)
    parameters = reader.parse(algorithm.identifier).children()[1]
    salt = next(field.children()[0] for field in parameters.children() if field.tag == 0xA2)
    return PSS(MGF1(chosen), reader.integer(salt)), Prehashed(chosen)


@lru_cache(maxsize=256)
def _public_key(public_key_info: bytes) -> object:
    return load_der_public_key(public_key_info)


def _identify_pss(parameters: bytes) -> SignatureAlgorithm | None:
    """RSASSA-PSS-params of RFC 4055 section 3.1; absent fields mean SHA-1, which is not accepted."""
    fields: dict[int, reader.Element] = {}
    for field in reader.parse(parameters, reader.SEQUENCE, "PSS parameters").children():
        contents = field.children() if field.tag & 0x20 else []
        if field.tag in fields or len(contents) != 1:
            raise MalformedError("PSS parameters are malformed: a field stands there twice or has not one value")
        fields[field.tag] = contents[0]
    if not {0xA0, 0xA1} <= fields.keys() <= {0xA0, 0xA1, 0xA2, 0xA3}:
        return None
    digest = _digest_name(fields[0xA0])
    mask = fields[0xA1].expect(reader.SEQUENCE, "PSS mask generation").children()
    if len(mask) != 2 or reader.oid(mask[0]) != _MGF1 or digest is None or _digest_name(mask[1]) != digest:
        return None
    salt_length = reader.integer(fields[0xA2], "PSS salt length") if 0xA2 in fields else 20
    if 0xA3 in fields and reader.integer(fields[0xA3], "PSS trailer field") != 1:
        raise MalformedError("PSS trailer field: expected 1")
    if not 0 <= salt_length <= 512:
        raise MalformedError("PSS salt length: expected 0 to 512")
    return _pss(digest, salt_length)


def _digest_name(identifier: reader.Element) -> str | None:
    children = identifier.expect(reader.SEQUENCE, "PSS hash algorithm").children()
    name = oids.DIGESTS.get(reader.oid(children[0])) if children else None
    return name if name in _HASHES else None


def _absent_or_null(parameters: bytes) -> None:
    if parameters not in (b"", writer.NULL):
        raise MalformedError("RSA signature algorithm has parameters: expected NULL or none")
