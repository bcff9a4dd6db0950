"""Bare signature values by one key version, and what its public key alone can do: verify and encrypt.

Public operations (verify, encrypt) run on the public key alone and need no store.
"""

from __future__ import annotations

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.errors import UsageError
from signkit.keys.reference import KeyReference
from signkit.operations.keys import KeyService
from signkit.operations.use import SignInput, encryption_algorithm, signature_algorithm


def signed_data(
    algorithm: SignatureAlgorithm,
    public_key_info: bytes,
    *,
    message: bytes | None,
    digest: bytes | None,
    signer_id: bytes,
) -> bytes:
    """What is signed, from a message or from its digest.

    Args:
        algorithm: how it is signed.
        public_key_info: DER SubjectPublicKeyInfo of the signer, which SM2 binds the signature to.
        message: the message, or None when a digest is given.
        digest: the digest (for SM2 that of Z and the message), or None when a message is given.
        signer_id: identifier of an SM2 signer.

    Raises:
        UsageError: both or neither is given, the digest has another length, or the algorithm takes messages only.
    """
    if (message is None) == (digest is None):
        raise UsageError("expected a message or a digest, found both or neither", hint="name one of --in and --digest")
    if message is not None:
        return algorithms.prehash(algorithm, public_key_info, message, signer_id=signer_id)
    if algorithm.digest is None:
        raise UsageError(f"{algorithm.name} signs messages, found a digest", hint="name the message with --in")
    expected = digests.size(algorithm.digest)
    if digest is None or len(digest) != expected:
        raise UsageError(f"the digest has {len(digest or b'')} bytes, expected {expected} for {algorithm.name}")
    return digest


def _chosen(algorithm: SignatureAlgorithm, digest: bytes | None) -> SignatureAlgorithm:
    """The algorithm over a digest when one is given, and where it can (for ML-DSA the digest is mu)."""
    return algorithm if digest is None else algorithm.over_digest() or algorithm


def sign(
    keys: KeyService,
    reference: KeyReference,
    algorithm_name: str,
    *,
    message: bytes | None = None,
    digest: bytes | None = None,
    signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
    detail: str = "",
) -> bytes:
    """Sign with one key version; the bare signature value (DER for ECDSA and SM2).

    Raises:
        NotFoundError: no such key or version.
        AccessDeniedError: the caller may not sign with it.
        StateError: the state of key or version forbids it.
        UsageError: the key has another usage, no such algorithm, or the digest another length.
    """
    with keys.use.signing(reference, algorithm_name, detail=detail) as signer:
        signer.algorithm = algorithm = _chosen(signer.algorithm, digest)
        public_key_info = signer.version.public_key_info
        data = signed_data(algorithm, public_key_info, message=message, digest=digest, signer_id=signer_id)
        recorded = data if algorithm.digest is not None else digests.digest("sha512", data)
        return signer.sign([SignInput(data, recorded, detail)])[0]


def verify(
    public_key_info: bytes,
    algorithm_name: str,
    signature: bytes,
    *,
    message: bytes | None = None,
    digest: bytes | None = None,
    signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
) -> str:
    """Check a bare signature value.

    Returns:
        An empty string when it is right, else the reason.

    Raises:
        UsageError: the key type has no such algorithm, or the digest has another length.
        MalformedError: the public key can't be read.
    """
    algorithm = _chosen(signature_algorithm(_offered(public_key_info), algorithm_name), digest)
    data = signed_data(algorithm, public_key_info, message=message, digest=digest, signer_id=signer_id)
    return algorithms.verify_digest(algorithm, public_key_info, data, signature)


def encrypt(public_key_info: bytes, algorithm_name: str, plaintext: bytes) -> bytes:
    """Encrypt to a public key.

    Raises:
        UsageError: the key type has no such algorithm, or the plaintext is empty or too long.
        MalformedError: the public key can't be read.
    """
    key_type = _offered(public_key_info)
    return algorithms.encrypt(key_type, encryption_algorithm(key_type, algorithm_name), public_key_info, plaintext)


def _offered(public_key_info: bytes) -> str:
    name = algorithms.key_type_of(public_key_info)
    algorithms.key_type(name)
    return name
