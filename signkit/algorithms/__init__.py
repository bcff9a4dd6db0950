"""Key types and signature algorithms. A family of key types is one file; ``FAMILIES`` has one row for each."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from typing import cast

from signkit.algorithms import digests
from signkit.algorithms.base import EncryptingFamily, EncryptionAlgorithm, Family, KeyType, SignatureAlgorithm
from signkit.der import oids, reader
from signkit.errors import MalformedError, UsageError

DEFAULT_SIGNER_ID = b"1234567812345678"
"""Identifier of an SM2 signer unless another is agreed (GM/T 0009 section 10); no other algorithm knows one."""

FAMILIES = ("sm2", "ec", "rsa", "ed25519", "mldsa")
"""Modules of this package, each a ``base.Family``; loaded when first needed."""


@cache
def families() -> tuple[Family, ...]:
    """The families, loaded."""
    return tuple(cast(Family, import_module(f"{__name__}.{name}")) for name in FAMILIES)


@cache
def key_types() -> dict[str, KeyType]:
    """Every key type that can be generated, by name."""
    return {key_type.name: key_type for family in families() for key_type in family.KEY_TYPES}


def key_type(name: str) -> KeyType:
    """The key type of that name.

    Raises:
        UsageError: there is none.
    """
    found = key_types().get(name)
    if found is None:
        raise UsageError(
            f"'{name}' is not a key type: expected one of {' '.join(sorted(key_types()))}",
            hint="EC_P256 is the usual choice; RSA_3072 where old verifiers must be served",
        )
    return found


def family(name: str) -> Family:
    """The family of that name."""
    return families()[FAMILIES.index(name)]


@lru_cache(maxsize=256)
def identify(identifier: bytes, digest: str | None = None) -> SignatureAlgorithm | None:
    """The signature algorithm of a DER AlgorithmIdentifier, or None when it is not one that signkit accepts.

    Args:
        identifier: DER AlgorithmIdentifier.
        digest: digest algorithm named beside it (CMS), which ``rsaEncryption`` needs.

    Raises:
        MalformedError: not an AlgorithmIdentifier, or parameters that can't be.
    """
    oid, parameters = split_identifier(identifier)
    for member in families():
        found = member.identify(oid, parameters, digest)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=256)
def split_identifier(identifier: bytes) -> tuple[str, bytes]:
    """OBJECT IDENTIFIER (dotted) and DER parameters (empty when absent) of an AlgorithmIdentifier.

    Raises:
        MalformedError: it is not one.
    """
    children = reader.parse(identifier, reader.SEQUENCE, "AlgorithmIdentifier").children()
    if not 1 <= len(children) <= 2:
        raise MalformedError(f"AlgorithmIdentifier has {len(children)} fields, expected 1 or 2")
    return reader.oid(children[0]), children[1].raw if len(children) == 2 else b""


def describe(identifier: bytes) -> str:
    """Name of an AlgorithmIdentifier for people: KMS's where it is accepted, else the standard's or the dotted one."""
    try:
        found = identify(identifier)
        return found.name if found else oids.name(split_identifier(identifier)[0])
    except MalformedError:
        return "malformed algorithm identifier"


@lru_cache(maxsize=256)
def key_type_of(public_key_info: bytes) -> str:
    """Name of the type of a public key (``EC_P256``, also ``RSA_1024``), or ``unknown (OID)``.

    Raises:
        MalformedError: not a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    """
    children = reader.parse(public_key_info, reader.SEQUENCE, "SubjectPublicKeyInfo").children()
    if len(children) != 2:
        raise MalformedError(f"SubjectPublicKeyInfo has {len(children)} fields, expected 2")
    oid, parameters = split_identifier(children[0].raw)
    public_key = reader.bit_string(children[1], "subjectPublicKey")
    for member in families():
        try:
            name = member.key_type_of(oid, parameters, public_key)
        except ValueError as error:
            raise MalformedError(f"public key is malformed: {error}") from error
        if name is not None:
            return name
    return f"unknown ({oid})"


def weakness(key_type_name: str) -> str:
    """Why a key of that type (as ``key_type_of`` names it) is too weak to be relied on, or an empty string."""
    return next(filter(None, (member.weakness(key_type_name) for member in families())), "")


def signature_algorithm(
    key_type_name: str, *, digest: str | None = None, padding: str | None = None
) -> SignatureAlgorithm:
    """The algorithm with which a key of that type signs.

    Args:
        key_type_name: for example ``RSA_3072``.
        digest: ``sha256``, ``sha384`` or ``sha512``; None for the key type's default.
        padding: ``pkcs1`` or ``pss`` for RSA; None for the default.

    Raises:
        UsageError: the key type has no such algorithm.
    """
    candidates = key_type(key_type_name).algorithms
    if digest is not None:
        candidates = tuple(a for a in candidates if a.content_digest == digest)
    if padding is not None:
        candidates = tuple(a for a in candidates if f"_{padding.upper()}_" in a.name)
    if not candidates:
        wanted = " and ".join(f"'{value}'" for value in (digest, padding) if value)
        raise UsageError(f"a key of type {key_type_name} can't sign with {wanted}")
    return candidates[0]


def verify_digest(algorithm: SignatureAlgorithm, public_key_info: bytes, digest: bytes, signature: bytes) -> str:
    """Check a signature over a digest, or over a message when ``algorithm.digest`` is None.

    Returns:
        An empty string when it is right, else the reason in a few words.
    """
    if algorithm.digest is not None and len(digest) != digests.size(algorithm.digest):
        return f"digest of {len(digest)} bytes, expected {digests.size(algorithm.digest)} for {algorithm.name}"
    return family(_family_of(algorithm)).verify(algorithm, public_key_info, digest, signature)


def prehash(
    algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, *, signer_id: bytes = DEFAULT_SIGNER_ID
) -> bytes:
    """What a key signs for a message: see ``base.Family.prehash``."""
    return family(_family_of(algorithm)).prehash(algorithm, public_key_info, message, signer_id)


def signer_prefix(algorithm: SignatureAlgorithm, public_key_info: bytes, signer_id: bytes) -> bytes:
    """What goes before a message that is digested: Z for SM2 (GB/T 32918.2 section 5.5), nothing for all others.

    Raises:
        MalformedError: the public key or the identifier can't be used.
    """
    if not algorithm.binds_signer:
        return b""
    from signkit.algorithms import sm2

    return sm2.signer_prefix(public_key_info, signer_id)


def verify_message(
    algorithm: SignatureAlgorithm,
    public_key_info: bytes,
    message: bytes,
    signature: bytes,
    *,
    signer_id: bytes = DEFAULT_SIGNER_ID,
) -> str:
    """Check a signature over a whole message; returns as ``verify_digest`` does."""
    try:
        data = prehash(algorithm, public_key_info, message, signer_id=signer_id)
    except MalformedError as error:
        return error.message
    return verify_digest(algorithm, public_key_info, data, signature)


@cache
def _families_by_algorithm() -> dict[str, str]:
    return {algorithm.name: key_type.family for key_type in key_types().values() for algorithm in key_type.algorithms}


def _family_of(algorithm: SignatureAlgorithm) -> str:
    return _families_by_algorithm()[algorithm.name]


def encrypt(key_type_name: str, algorithm: EncryptionAlgorithm, public_key_info: bytes, plaintext: bytes) -> bytes:
    """Encrypt to a public key.

    Raises:
        UsageError: the plaintext is empty or too long for key and algorithm.
        MalformedError: the public key can't be used.
    """
    member = encrypting_family(key_type_name)
    maximum = member.maximum_plaintext(algorithm, public_key_info)
    if not 0 < len(plaintext) <= maximum:
        raise UsageError(
            f"the plaintext has {len(plaintext)} bytes, expected 1 to {maximum} ({key_type_name}, {algorithm.name})",
            hint="encrypt a symmetric key with it, and the data with that",
        )
    return member.encrypt(algorithm, public_key_info, plaintext)


def encrypting_family(key_type_name: str) -> EncryptingFamily:
    """The family of a key type that can encrypt.

    Raises:
        UsageError: it can't.
    """
    found = key_type(key_type_name)
    if not found.encryption:
        raise UsageError(f"a key of type {key_type_name} can't encrypt")
    return cast(EncryptingFamily, family(found.family))


def import_private_key(private_key_info: bytes) -> tuple[str, bytes, bytes]:
    """Validate a private key from outside.

    Args:
        private_key_info: DER PKCS #8, not encrypted (see ``containers.read`` for the other forms).

    Returns:
        Name of its key type, DER PKCS #8 as it will be kept, DER SubjectPublicKeyInfo.

    Raises:
        MalformedError: it can't be read, is out of range, inconsistent, or of no key type that is offered.
        RefusedError: it is in order, and too weak.
    """
    from signkit.algorithms import containers

    key = containers.parse(private_key_info)
    for member in families():
        found = member.import_private_key(key)
        if found is not None:
            return (key_type_of(found[1]), *found)
    curve = f" {reader.oid(reader.parse(key.parameters))}" if key.parameters[:1] == b"\x06" else ""
    expected = " ".join(sorted(key_types()))
    raise MalformedError(f"the private key is of type {oids.name(key.oid)}{curve}, expected one of {expected}")
