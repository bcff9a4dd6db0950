"""Private keys written in the forms in which they come from outside, by the tests' own writer."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from signkit.algorithms.containers import PrivateKeyInfo
from signkit.der import writer

CIPHERS: dict[str, tuple[str, Any, int, int]] = {
    "aes-128-cbc": ("2.16.840.1.101.3.4.1.2", AES, 16, 16),
    "aes-192-cbc": ("2.16.840.1.101.3.4.1.22", AES, 24, 16),
    "aes-256-cbc": ("2.16.840.1.101.3.4.1.42", AES, 32, 16),
    "des-ede3-cbc": ("1.2.840.113549.3.7", TripleDES, 24, 8),
    "sm4-cbc": ("1.2.156.10197.1.104.2", SM4, 16, 16),
}
"""Name to OBJECT IDENTIFIER, cipher, octets of key and of block."""

PRFS: dict[str, tuple[str | None, hashes.HashAlgorithm]] = {
    "absent": (None, hashes.SHA1()),
    "hmacWithSHA1": ("1.2.840.113549.2.7", hashes.SHA1()),
    "hmacWithSHA224": ("1.2.840.113549.2.8", hashes.SHA224()),
    "hmacWithSHA256": ("1.2.840.113549.2.9", hashes.SHA256()),
    "hmacWithSHA384": ("1.2.840.113549.2.10", hashes.SHA384()),
    "hmacWithSHA512": ("1.2.840.113549.2.11", hashes.SHA512()),
    "hmacWithSM3": ("1.2.156.10197.1.401.3.1", hashes.SM3()),
    "hmacWithSM3 of GmSSL": ("1.2.156.10197.1.401.2", hashes.SM3()),
}
"""Name to OBJECT IDENTIFIER (None = left out) and hash."""


def pkcs8(key: PrivateKeyInfo, *fields: bytes, public_key: bytes | None = None, version: int | None = None) -> bytes:
    """A PrivateKeyInfo, or a OneAsymmetricKey of version 1 with its public key."""
    algorithm = writer.sequence(writer.oid(key.oid), key.parameters)
    rest = [] if public_key is None else [writer.tlv(0x81, b"\x00", public_key)]
    number = (1 if rest else 0) if version is None else version
    return writer.sequence(writer.integer(number), algorithm, writer.octet_string(key.private_key), *fields, *rest)


def encrypted(
    plain: bytes,
    passphrase: bytes,
    *,
    prf: str = "hmacWithSHA256",
    cipher: str = "aes-256-cbc",
    iterations: tuple[int, int] = (2, 2),
    salt: bytes = b"12345678",
) -> bytes:
    """An EncryptedPrivateKeyInfo by PBKDF2.

    Args:
        plain: the PrivateKeyInfo.
        passphrase: octets of the passphrase.
        prf: one of ``PRFS``.
        cipher: one of ``CIPHERS``.
        iterations: what the file says, and what is done.
        salt: the salt.
    """
    dotted, chosen = PRFS[prf]
    key = PBKDF2HMAC(chosen, CIPHERS[cipher][2], salt, iterations[1]).derive(passphrase)
    function = [] if dotted is None else [writer.sequence(writer.oid(dotted), writer.NULL)]
    fields = writer.sequence(writer.octet_string(salt), writer.integer(iterations[0]), *function)
    return _pbes2(plain, writer.sequence(writer.oid("1.2.840.113549.1.5.12"), fields), key, cipher)


def encrypted_by_scrypt(
    plain: bytes, passphrase: bytes, *, cipher: str = "aes-256-cbc", claimed: tuple[int, int, int] = (16, 8, 1)
) -> bytes:
    """An EncryptedPrivateKeyInfo by scrypt with N = 16, whatever N, r and p are ``claimed``."""
    size = CIPHERS[cipher][2]
    key = hashlib.scrypt(passphrase, salt=b"salt", n=16, r=8, p=1, dklen=size)
    fields = (writer.octet_string(b"salt"), *map(writer.integer, claimed), writer.integer(size))
    derivation = writer.sequence(writer.oid("1.3.6.1.4.1.11591.4.11"), writer.sequence(*fields))
    return _pbes2(plain, derivation, key, cipher)


def _pbes2(plain: bytes, derivation: bytes, key: bytes, cipher: str) -> bytes:
    dotted, algorithm, _size, block = CIPHERS[cipher]
    initialization = os.urandom(block)
    padder = PKCS7(8 * block).padder()
    encryptor = Cipher(algorithm(key), CBC(initialization)).encryptor()
    ciphertext = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    scheme = writer.sequence(writer.oid(dotted), writer.octet_string(initialization))
    parameters = writer.sequence(derivation, scheme)
    return writer.sequence(
        writer.sequence(writer.oid("1.2.840.113549.1.5.13"), parameters), writer.octet_string(ciphertext)
    )
