"""Keys of cryptography, in and out: what the families that it implements share."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from signkit.der import reader
from signkit.errors import MalformedError

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

PrivateKey = TypeVar("PrivateKey")


def export(key: Any) -> tuple[bytes, bytes]:
    """DER PKCS #8 PrivateKeyInfo and DER SubjectPublicKeyInfo of a private key."""
    return (
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def load_own(private_key_info: bytes, kind: type[PrivateKey] | tuple[type[PrivateKey], ...], name: str) -> PrivateKey:
    """A private key that was validated when it came in; RSA primes are not tried again, which would cost 40 ms.

    Raises:
        MalformedError: it is of another kind.
    """
    key = load_der_private_key(private_key_info, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, kind):
        raise MalformedError(f"the private key is not of kind {name}")
    return key


def load_foreign(key: PrivateKeyInfo, kind: type[PrivateKey] | tuple[type[PrivateKey], ...], name: str) -> PrivateKey:
    """A private key from outside, validated in full.

    Raises:
        MalformedError: it can't be read, is inconsistent, or of another kind.
    """
    try:
        loaded = load_der_private_key(key.der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # their messages are about formats, not about this key
        raise MalformedError(f"the {name} private key can't be read, or its parts do not belong together") from None
    if not isinstance(loaded, kind):
        raise MalformedError(f"the private key is not of kind {name}")
    return loaded


def imported(key: PrivateKeyInfo, loaded: Any) -> tuple[bytes, bytes]:
    """``export``, for a key that came from outside with the public key that belongs to it, or none.

    Raises:
        MalformedError: it came with another public key.
    """
    private_key_info, public_key_info = export(loaded)
    children = reader.parse(public_key_info, reader.SEQUENCE, "SubjectPublicKeyInfo").children()
    key.require_public_key(reader.bit_string(children[1], "subjectPublicKey"))
    return private_key_info, public_key_info


@lru_cache(maxsize=256)
def public_key(public_key_info: bytes) -> Any:
    """A public key, parsed once per process.

    Raises:
        ValueError: it can't be read.
        UnsupportedAlgorithm: it is of a kind that cryptography does not know.
    """
    return load_der_public_key(public_key_info)
