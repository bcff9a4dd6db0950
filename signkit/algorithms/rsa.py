"""RSA: PKCS#1 v1.5 and PSS (RFC 8017, identifiers of RFC 4055, RFC 3370 and RFC 4056)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signkit.algorithms import _keys, digests
from signkit.algorithms.base import CAN_T_DECRYPT, EncryptionAlgorithm, KeyType, SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import DecryptionError, MalformedError, RefusedError

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

MINIMUM_BITS, MAXIMUM_BITS, MAXIMUM_EXPONENT_BITS = 2048, 8192, 33
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_PKCS1_OID = {"sha256": oids.RSA_SHA256, "sha384": oids.RSA_SHA384, "sha512": oids.RSA_SHA512}
_MGF1 = "1.2.840.113549.1.1.8"
_SIZES = (2048, 3072, 4096)
_WEAK = "InvalidKeyMaterial"


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


PKCS1 = {digest: _pkcs1(digest) for digest in _PKCS1_OID}
PSS_ALGORITHMS = {digest: _pss(digest, digests.SIZES[digest]) for digest in _PKCS1_OID}
OAEP = {
    "RSAES_OAEP_SHA_256": (EncryptionAlgorithm("RSAES_OAEP_SHA_256"), hashes.SHA256()),
    "RSAES_OAEP_SHA_1": (EncryptionAlgorithm("RSAES_OAEP_SHA_1"), hashes.SHA1()),  # noqa: S303 - KMS has it; not a signature
}
_ALGORITHMS = (*PKCS1.values(), *PSS_ALGORITHMS.values())
_ENCRYPTION = tuple(algorithm for algorithm, _hash in OAEP.values())
KEY_TYPES = tuple(KeyType(f"RSA_{bits}", "rsa", _ALGORITHMS, bits, _ENCRYPTION) for bits in _SIZES)


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
    value = reader.integer(modulus, "RSA modulus")
    if value <= 0:
        raise ValueError("RSA modulus is not positive")
    return f"RSA_{value.bit_length()}"


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
    return _keys.export(key)


def load_private_key(private_key_info: bytes) -> rsa.RSAPrivateKey:
    """See ``base.Family.load_private_key``. The primes were checked when the key came in; checking costs 40 ms."""
    return _keys.load_own(private_key_info, rsa.RSAPrivateKey, "RSA")


def prehash(algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, signer_id: bytes) -> bytes:
    """See ``base.Family.prehash``."""
    return digests.digest(algorithm.digest or "", message)


def sign(private_key: rsa.RSAPrivateKey, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """See ``base.Family.sign``."""
    return private_key.sign(data, *_padding(algorithm))


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    """See ``base.Family.verify``."""
    try:
        key = _keys.public_key(public_key_info)
        if not isinstance(key, rsa.RSAPublicKey):
            return f"{algorithm.name} with a key that is not an RSA key"
        if not _permitted(algorithm, public_key_info):
            return f"{algorithm.name} with a key that is for other signatures only (RFC 4055 section 1.2)"
        if problem := size_problem(public_key_info, signature):
            return problem
        key.verify(signature, data, *_padding(algorithm))
    except InvalidSignature:
        return "the RSA signature does not verify"
    except (ValueError, UnsupportedAlgorithm, MalformedError) as error:
        return f"the RSA key or signature is unusable: {error}"
    return ""


def size_problem(public_key_info: bytes, signature: bytes) -> str:
    """Why a signature can't be checked with an RSA key, by the sizes of both, or an empty string."""
    bits, exponent_bits = _sizes(public_key_info)
    if bits > MAXIMUM_BITS or exponent_bits > MAXIMUM_EXPONENT_BITS:
        return f"RSA key of {bits} bits or its exponent is too large to be checked, expected {MAXIMUM_BITS}"
    if len(signature) != (bits + 7) // 8:  # OpenSSL takes leading zeros left out (RFC 8017 section 8.1.2)
        return f"RSA signature of {len(signature)} bytes, expected {(bits + 7) // 8}"
    return ""


@lru_cache(maxsize=256)
def _sizes(public_key_info: bytes) -> tuple[int, int]:
    """Bits of modulus and public exponent."""
    key = _rsa_public_key(public_key_info)
    return key.key_size, key.public_numbers().e.bit_length()


def maximum_plaintext(algorithm: EncryptionAlgorithm, public_key_info: bytes) -> int:
    """See ``base.Family.maximum_plaintext``: modulus less two digests and two octets (RFC 8017 section 7.1.1)."""
    return (_rsa_public_key(public_key_info).key_size + 7) // 8 - 2 * OAEP[algorithm.name][1].digest_size - 2


def encrypt(algorithm: EncryptionAlgorithm, public_key_info: bytes, plaintext: bytes) -> bytes:
    """See ``base.Family.encrypt``."""
    return _rsa_public_key(public_key_info).encrypt(plaintext, _oaep(algorithm))


def decrypt(private_key: rsa.RSAPrivateKey, algorithm: EncryptionAlgorithm, ciphertext: bytes) -> bytes:
    """See ``base.Family.decrypt``."""
    try:
        return private_key.decrypt(ciphertext, _oaep(algorithm))
    except ValueError:
        raise DecryptionError(CAN_T_DECRYPT) from None


def import_private_key(key: PrivateKeyInfo) -> tuple[bytes, bytes] | None:
    """See ``base.Family.import_private_key``; the primes are checked here, once.

    Size and exponent first, since the work grows with them; then what FIPS 186-5 section A.1.1 demands of d, p and q.
    """
    if key.oid == oids.RSASSA_PSS:
        raise MalformedError("the private key is for RSASSA-PSS alone, expected rsaEncryption")
    if key.oid != oids.RSA_ENCRYPTION:
        return None
    _absent_or_null(key.parameters)
    _require_strength(key)
    loaded = _keys.load_foreign(key, rsa.RSAPrivateKey, "RSA")
    numbers, half = loaded.private_numbers(), loaded.key_size // 2
    if numbers.d.bit_length() <= half:
        raise RefusedError("the private exponent of the RSA key is so small that it can be computed", code=_WEAK)
    if abs(numbers.p - numbers.q).bit_length() <= half - 100:
        raise RefusedError("the primes of the RSA key are so close that they can be found", code=_WEAK)
    return _keys.imported(key, loaded)


def _require_strength(key: PrivateKeyInfo) -> None:
    """Refuse a modulus or a public exponent that is not offered, before anything is computed with it."""
    fields = reader.parse(key.private_key, reader.SEQUENCE, "RSAPrivateKey").children()
    if len(fields) != 9 or reader.integer(fields[0], "version of the RSAPrivateKey") != 0:
        raise MalformedError("RSAPrivateKey: expected version 0 with two primes (RFC 8017 appendix A.1.2)")
    modulus, exponent = reader.integer(fields[1], "RSA modulus"), reader.integer(fields[2], "RSA public exponent")
    if modulus.bit_length() not in _SIZES or modulus < 0:
        expected = " or ".join(map(str, _SIZES))
        found = f"RSA modulus of {modulus.bit_length()} bits"
        raise RefusedError(f"{found}, expected {expected}", hint="make a new key", code=_WEAK)
    if not 65537 <= exponent < 1 << MAXIMUM_EXPONENT_BITS or exponent % 2 == 0:
        shown = exponent if exponent.bit_length() <= 64 else f"a number of {exponent.bit_length()} bits"
        expected = f"an odd number of 65537 or more and at most {MAXIMUM_EXPONENT_BITS} bits (FIPS 186-5 section 5.1)"
        raise RefusedError(f"RSA public exponent is {shown}, expected {expected}", hint="make a new key", code=_WEAK)


def _oaep(algorithm: EncryptionAlgorithm) -> padding.OAEP:
    """OAEP with MGF1 over the same hash and an empty label, as KMS has it."""
    chosen = OAEP[algorithm.name][1]
    return padding.OAEP(mgf=MGF1(chosen), algorithm=chosen, label=None)


def _rsa_public_key(public_key_info: bytes) -> rsa.RSAPublicKey:
    try:
        key = _keys.public_key(public_key_info)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError(f"the RSA public key is unusable: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise MalformedError("the public key is not an RSA key")
    return key


@lru_cache(maxsize=64)
def _padding(algorithm: SignatureAlgorithm) -> tuple[PKCS1v15 | PSS, Prehashed]:
    chosen = _HASHES[algorithm.digest or ""]
    if algorithm.name.startswith("RSA_PKCS1"):
        return PKCS1v15(), Prehashed(chosen)
    return PSS(MGF1(chosen), _salt_length(algorithm)), Prehashed(chosen)


@lru_cache(maxsize=256)
def _permitted(algorithm: SignatureAlgorithm, public_key_info: bytes) -> bool:
    """Whether a key may be used so: one for RSASSA-PSS, for nothing else, and with its own parameters where it has any.

    Raises:
        MalformedError: parameters that can't be.
    """
    oid, *parameters = reader.parse(public_key_info).children()[0].children()
    if reader.oid(oid) != oids.RSASSA_PSS:
        return True
    scheme, _hash = _padding(algorithm)
    if not isinstance(scheme, PSS) or not parameters:
        return isinstance(scheme, PSS)
    own = _identify_pss(parameters[0].raw)
    return own is not None and own.digest == algorithm.digest and _salt_length(own) <= _salt_length(algorithm)


def _salt_length(algorithm: SignatureAlgorithm) -> int:
    parameters = reader.parse(algorithm.identifier).children()[1]
    return reader.integer(next(field.children()[0] for field in parameters.children() if field.tag == 0xA2))


def _identify_pss(parameters: bytes) -> SignatureAlgorithm | None:
    """RSASSA-PSS-params of RFC 4055 section 3.1; absent fields mean SHA-1, which is not accepted."""
    elements = reader.parse(parameters, reader.SEQUENCE, "PSS parameters").children()
    fields = {element.tag: element.children() for element in elements}
    if [element.tag for element in elements] != sorted(fields):
        raise MalformedError("PSS parameters are not in their order, or given twice")
    if any(len(values) != 1 for values in fields.values()):
        raise MalformedError("PSS parameters: expected one value in each field")
    if not {0xA0, 0xA1} <= fields.keys() <= {0xA0, 0xA1, 0xA2, 0xA3}:
        return None
    digest = _digest_name(fields[0xA0][0])
    mask = fields[0xA1][0].expect(reader.SEQUENCE, "PSS mask generation").children()
    if len(mask) != 2 or reader.oid(mask[0]) != _MGF1 or digest is None or _digest_name(mask[1]) != digest:
        return None
    salt_length = reader.integer(fields[0xA2][0], "PSS salt length") if 0xA2 in fields else 20
    if 0xA3 in fields and reader.integer(fields[0xA3][0], "PSS trailer field") != 1:
        raise MalformedError("PSS trailer field: expected 1")
    if not 0 <= salt_length <= 512:
        raise MalformedError(f"PSS salt length: found {salt_length}, expected 0 to 512")
    return _pss(digest, salt_length)


def _digest_name(identifier: reader.Element) -> str | None:
    children = identifier.expect(reader.SEQUENCE, "PSS hash algorithm").children()
    if not 1 <= len(children) <= 2 or (len(children) == 2 and children[1].raw != writer.NULL):
        raise MalformedError("PSS hash algorithm: expected NULL parameters or none (RFC 4055 section 2.1)")
    name = oids.DIGESTS.get(reader.oid(children[0]))
    return name if name in _HASHES else None


def _absent_or_null(parameters: bytes) -> None:
    if parameters not in (b"", writer.NULL):
        raise MalformedError("RSA signature algorithm has parameters: expected NULL or none")
