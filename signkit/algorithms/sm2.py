"""SM2 signatures and encryption (GB/T 32918, identifiers of GM/T 0006), digest SM3.

The signature is over e = SM3(Z || M), where Z names the signer: an identifier, the curve and the public key. Private
operations run in the system's libcrypto (``_libcrypto``); where that has no SM2, verifying falls back to gmssl through
``_gmssl`` and signing is refused, since every implementation left leaks the key through its timing. Who accepts that
(``sign_with_gmssl``) signs with keys that there are; making, importing and decrypting stay refused.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from signkit.algorithms import _ec_private_key, digests
from signkit.algorithms.base import CAN_T_DECRYPT, EncryptionAlgorithm, KeyType, SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import DecryptionError, MalformedError, ProviderError

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

if TYPE_CHECKING:  # importing ctypes loads the interpreter's own library: only when SM2 is used
    from signkit.algorithms._gmssl import GmsslKey, RandomBelow
    from signkit.algorithms._libcrypto import Library, Sm2Key

DEFAULT_ID = b"1234567812345678"
"""Identifier of the signer unless the parties agree on another (GM/T 0009 section 10)."""

MAXIMUM_PLAINTEXT = 6047
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A = _P - 3
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G = bytes.fromhex(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
_CURVE = _A.to_bytes(32, "big") + _B.to_bytes(32, "big") + _G
_KEY_ALGORITHM = writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SM2))
_CURVE_AS_ALGORITHM = writer.sequence(writer.oid(oids.SM2), writer.oid(oids.SM2))
_SIGNATURE_ALGORITHM = writer.sequence(writer.oid(oids.SM2_WITH_SM3))

SM2DSA = SignatureAlgorithm("SM2DSA", "sm3", _SIGNATURE_ALGORITHM, _SIGNATURE_ALGORITHM, binds_signer=True)
SM2PKE = EncryptionAlgorithm("SM2PKE")
KEY_TYPES = (KeyType("EC_SM2", "sm2", (SM2DSA,), None, (SM2PKE,)),)


class Backend(NamedTuple):
    """What does the arithmetic.

    Attributes:
        library: the system's libcrypto, or None when none is usable.
        reasons: why each library that was tried is not usable.
    """

    library: Library | None
    reasons: tuple[str, ...]

    @property
    def description(self) -> str:
        """For ``signkit doctor``."""
        if self.library is not None:
            return f"{self.library.version} ({self.library.path})"
        if _nonces:
            return f"signs by gmssl, whose timing tells the key, as was asked for: {'; '.join(self.reasons)}"
        return f"none that can sign: {'; '.join(self.reasons)}"


_chosen: list[str] = []
_nonces: list[RandomBelow] = []


def use_library(path: str) -> None:
    """Use this libcrypto and no other; to be called before the first SM2 operation."""
    _chosen[:] = [path]
    backend.cache_clear()


def sign_with_gmssl(random_below: RandomBelow) -> None:
    """Sign by gmssl where no library is usable; only for who knows that its timing tells the private key.

    Args:
        random_below: where its nonces come from.
    """
    _nonces[:] = [random_below]


@lru_cache(maxsize=1)
def backend() -> Backend:
    """The first usable library; chosen once per process, never by whichever happens to work for one call."""
    from signkit.algorithms import _libcrypto

    reasons: list[str] = []
    for path in _chosen or _libcrypto.default_names():
        try:
            return Backend(_libcrypto.Library(path), tuple(reasons))
        except _libcrypto.LibraryUnusable as error:
            reasons.append(str(error))
    return Backend(None, tuple(reasons))


def identify(oid: str, parameters: bytes, digest: str | None) -> SignatureAlgorithm | None:
    """See ``base.Family.identify``. Authorities write NULL parameters or none; 301.1 stands for 501 in GM/T 0010."""
    if oid not in (oids.SM2_WITH_SM3, oids.SM2_SIGN):
        return None
    if parameters not in (b"", writer.NULL):
        raise MalformedError("SM2 signature algorithm has parameters: expected NULL or none")
    return SM2DSA


def key_type_of(oid: str, parameters: bytes, public_key: bytes) -> str | None:
    """See ``base.Family.key_type_of``. GM/T 0015 allows the curve itself as key algorithm, so {sm2, sm2} counts too."""
    if parameters != writer.oid(oids.SM2) or oid not in (oids.EC_PUBLIC_KEY, oids.SM2):
        return None
    _ec_private_key.require_form(public_key)
    return "EC_SM2"


def weakness(key_type: str) -> str:
    """See ``base.Family.weakness``."""
    return ""


def generate(key_type: KeyType) -> tuple[bytes, bytes]:
    """See ``base.Family.generate``."""
    key = _signing_library().generate()
    point = key.point
    return _private_key_info(key.scalar, point), _public_key_info(point)


def load_private_key(private_key_info: bytes) -> Sm2Key | GmsslKey:
    """See ``base.Family.load_private_key``; checked on every load, since a bad scalar makes signing loop for ever."""
    if backend().library is None and _nonces:
        return _gmssl_key(private_key_info, _nonces[0])
    return _signing_library().private_key(private_key_info)


def prehash(algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, signer_id: bytes) -> bytes:
    """See ``base.Family.prehash``: e = SM3(Z || M)."""
    return digests.digest("sm3", signer_prefix(public_key_info, signer_id) + message)


@lru_cache(maxsize=256)
def signer_prefix(public_key_info: bytes, signer_id: bytes = DEFAULT_ID) -> bytes:
    """Z of GB/T 32918.2 section 5.5: SM3 of identifier, curve and public key; goes before the message.

    Raises:
        MalformedError: the key is not a point of the curve, or the identifier is longer than 8190 bytes.
    """
    if len(signer_id) > 8190:  # 8191 would fit into 16 bits, but OpenSSL refuses it
        raise MalformedError(f"SM2 identifier has {len(signer_id)} bytes, expected at most 8190")
    bits = (8 * len(signer_id)).to_bytes(2, "big")
    return digests.digest("sm3", bits + signer_id + _CURVE + _point(public_key_info)[1:])


def _gmssl_key(private_key_info: bytes, random_below: RandomBelow) -> GmsslKey:
    from signkit.algorithms import _gmssl, containers

    d, point = _ec_private_key.scalar(containers.parse(private_key_info), "EC_SM2", ORDER, margin=2)
    return _gmssl.GmsslKey(d.to_bytes(32, "big"), point or b"", random_below)


def sign(private_key: Sm2Key | GmsslKey, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """See ``base.Family.sign``; ``data`` is e."""
    return private_key.sign(data)


def verify(algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
    """See ``base.Family.verify``; ``data`` is e."""
    library = backend().library
    try:
        if library is not None:
            right = _public_key(library, public_key_info).verify(data, signature)
        else:
            from signkit.algorithms import _gmssl

            right = _gmssl.verify(_point(public_key_info), data, signature)
    except (MalformedError, ProviderError) as error:
        return error.message
    return "" if right else "the SM2 signature does not verify"


def maximum_plaintext(algorithm: EncryptionAlgorithm, public_key_info: bytes) -> int:
    """See ``base.Family.maximum_plaintext``: KMS's limit."""
    return MAXIMUM_PLAINTEXT


def encrypt(algorithm: EncryptionAlgorithm, public_key_info: bytes, plaintext: bytes) -> bytes:
    """See ``base.Family.encrypt``: 04 || x || y || C3 || C2, as KMS writes it."""
    return _raw_ciphertext(_public_key(_signing_library(), public_key_info).encrypt(plaintext))


def decrypt(private_key: Sm2Key | GmsslKey, algorithm: EncryptionAlgorithm, ciphertext: bytes) -> bytes:
    """See ``base.Family.decrypt``; takes the raw form and the DER form of GM/T 0009. Never by gmssl.

    Raises:
        ProviderError: there is no library that can decrypt.
    """
    _signing_library()
    key = cast("Sm2Key", private_key)
    try:
        return key.decrypt(ciphertext if ciphertext[:1] == b"\x30" else _der_ciphertext(ciphertext))
    except ProviderError:
        raise DecryptionError(CAN_T_DECRYPT) from None


def import_private_key(key: PrivateKeyInfo) -> tuple[bytes, bytes] | None:
    """See ``base.Family.import_private_key``. Only d is taken over, 1 to n - 2: with n - 1 signing loops."""
    if key.oid not in (oids.EC_PUBLIC_KEY, oids.SM2) or key.parameters != writer.oid(oids.SM2):
        return None
    d, beside = _ec_private_key.scalar(key, "EC_SM2", ORDER, margin=2)
    scalar = d.to_bytes(32, "big")
    point = _signing_library().private_key(_private_key_info(scalar, None)).point
    _ec_private_key.require_point(key, beside, point)
    return _private_key_info(scalar, point), _public_key_info(point)


def _signing_library() -> Library:
    found = backend()
    if found.library is None:
        raise ProviderError(
            f"SM2 needs a libcrypto with SM2, found none: {'; '.join(found.reasons)}",
            hint="install OpenSSL 3 built with SM2, or name one in SIGNKIT_LIBCRYPTO",
        )
    return found.library


@lru_cache(maxsize=256)
def _public_key(library: Library, public_key_info: bytes) -> Sm2Key:
    return library.public_key(_canonical(public_key_info))


@lru_cache(maxsize=256)
def _point(public_key_info: bytes) -> bytes:
    """The public key as an uncompressed point."""
    library = backend().library
    if library is not None:
        return _public_key(library, public_key_info).point
    point = reader.bit_string(reader.parse(_canonical(public_key_info)).children()[1], "subjectPublicKey")
    if len(point) != 65 or point[0] != 4:
        raise MalformedError("SM2 public key is compressed, which only a libcrypto with SM2 can read")
    return point


def _canonical(public_key_info: bytes) -> bytes:
    """The SubjectPublicKeyInfo with id-ecPublicKey as its algorithm.

    Raises:
        MalformedError: it is not one, or of another kind of key.
    """
    children = reader.parse(public_key_info, reader.SEQUENCE, "SubjectPublicKeyInfo").children()
    if len(children) != 2 or children[0].raw not in (_KEY_ALGORITHM, _CURVE_AS_ALGORITHM):
        raise MalformedError("the public key is not an SM2 key")
    _ec_private_key.require_form(reader.bit_string(children[1], "subjectPublicKey"))
    return writer.sequence(_KEY_ALGORITHM, children[1].raw)


def _public_key_info(point: bytes) -> bytes:
    return writer.sequence(_KEY_ALGORITHM, writer.bit_string(point))


def _private_key_info(scalar: bytes, point: bytes | None) -> bytes:
    """PKCS #8 with the ECPrivateKey of RFC 5915 inside."""
    public_key = [] if point is None else [writer.tlv(0xA1, writer.bit_string(point))]
    private_key = writer.sequence(writer.integer(1), writer.octet_string(scalar), *public_key)
    return writer.sequence(writer.integer(0), _KEY_ALGORITHM, writer.octet_string(private_key))


def _raw_ciphertext(der: bytes) -> bytes:
    """SEQUENCE {x, y, C3, C2} of GM/T 0009 to 04 || x || y || C3 || C2."""
    x, y, c3, c2 = reader.parse(der, reader.SEQUENCE, "SM2 ciphertext").children()
    coordinates = (reader.integer(value).to_bytes(32, "big") for value in (x, y))
    return b"".join((b"\x04", *coordinates, c3.content, c2.content))


def _der_ciphertext(raw: bytes) -> bytes:
    if len(raw) < 98 or raw[0] != 4:
        raise DecryptionError(CAN_T_DECRYPT)
    x, y = (writer.integer(int.from_bytes(raw[start : start + 32], "big")) for start in (1, 33))
    return writer.sequence(x, y, writer.octet_string(raw[65:97]), writer.octet_string(raw[97:]))
