"""Keys of cryptography, in and out: what the families that it implements share."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from signkit.errors import MalformedError

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


def import_foreign(private_key_info: bytes, kind: Any) -> tuple[bytes, bytes] | None:
    """A private key from outside, validated in full; None when it is of another kind.

    Raises:
        MalformedError: it can't be read or is inconsistent.
    """
    try:
        key = load_der_private_key(private_key_info, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MalformedError(f"the private key can't be read: {error}") from error
    return export(key) if isinstance(key, kind) else None


@lru_cache(maxsize=256)
def public_key(public_key_info: bytes) -> Any:
    """A public key, parsed once per process.

    Raises:
        ValueError: it can't be read.
        UnsupportedAlgorithm: it is of a kind that cryptography does not know.
    """
    return load_der_public_key(public_key_info)


def require_point_form(public_key: bytes) -> None:
    """Refuse points that are neither uncompressed nor compressed; the hybrid form is forbidden (RFC 5480 section 2.2).

    Raises:
        ValueError: another form.
    """
    if public_key[:1] not in (b"\x02", b"\x03", b"\x04"):
        raise ValueError(f"the point is of form 0x{public_key[:1].hex()}, expected 02, 03 or 04")
