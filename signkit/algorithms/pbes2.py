"""Private keys encrypted under a passphrase: PBES2 of PKCS #5 (RFC 8018 section 6.2) with PBKDF2 or scrypt (RFC 7914).

cryptography reads such files too, but no SM2 keys and no SM4, and it does whatever work a file asks for. Here the work
is bounded before it begins, and every failure after it is one error, whatever went wrong.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from signkit.der import oids, reader, writer
from signkit.der.reader import Element
from signkit.errors import DecryptionError, MalformedError

MAXIMUM_ITERATIONS = 10_000_000
MAXIMUM_SCRYPT_MEMORY = 256 << 20
MAXIMUM_SCRYPT_WORK = 1 << 30
MAXIMUM_SALT = 1024
"""Most that a file may ask for: rounds of PBKDF2, bytes that scrypt holds and bytes that it mixes, bytes of salt."""

WRONG = "the private key can't be decrypted: the passphrase is wrong, or the file is damaged"
_HINT = "'openssl pkcs8 -topk8 -v2 aes-256-cbc' writes a file that is understood"


class _CipherKind(NamedTuple):
    algorithm: Any
    key_size: int
    block_size: int


_PRFS: dict[str, hashes.HashAlgorithm] = {
    oids.HMAC_SHA1: hashes.SHA1(),  # noqa: S303 - the default of RFC 8018, and not a signature
    oids.HMAC_SHA224: hashes.SHA224(),
    oids.HMAC_SHA256: hashes.SHA256(),
    oids.HMAC_SHA384: hashes.SHA384(),
    oids.HMAC_SHA512: hashes.SHA512(),
    oids.HMAC_SM3: hashes.SM3(),
    oids.HMAC_SM3_BY_GMSSL: hashes.SM3(),
}
_CIPHERS = {
    oids.AES_128_CBC: _CipherKind(AES, 16, 16),
    oids.AES_192_CBC: _CipherKind(AES, 24, 16),
    oids.AES_256_CBC: _CipherKind(AES, 32, 16),
    oids.SM4_CBC: _CipherKind(SM4, 16, 16),
    oids.DES_EDE3_CBC: _CipherKind(TripleDES, 24, 8),
}


def decrypt(algorithm: Element, ciphertext: bytes, passphrase: bytes) -> bytes:
    """What an EncryptedPrivateKeyInfo (RFC 5958 section 3) holds.

    Args:
        algorithm: its encryptionAlgorithm.
        ciphertext: its encryptedData.
        passphrase: octets of the passphrase.

    Raises:
        MalformedError: another algorithm, malformed parameters, or more work than is done for a file.
        DecryptionError: it can't be decrypted; one error for every reason.
    """
    oid, parameters = _identifier(algorithm, "encryption algorithm")
    if oid != oids.PBES2:
        raise MalformedError(f"the private key is encrypted by {oids.name(oid)}, expected PBES2", hint=_HINT)
    derivation, encryption = _fields(parameters, "PBES2 parameters", 2, 2)
    cipher, initialization = _cipher(encryption)
    key = _derived_key(derivation, passphrase, cipher.key_size)
    if not ciphertext or len(ciphertext) % cipher.block_size:
        raise DecryptionError(WRONG)
    decryptor = Cipher(cipher.algorithm(key), CBC(initialization)).decryptor()
    return _unpadded(decryptor.update(ciphertext) + decryptor.finalize(), cipher.block_size)


def _unpadded(padded: bytes, block_size: int) -> bytes:
    """Without the padding of RFC 8018 section 6.1.1."""
    count = padded[-1]
    if not 1 <= count <= block_size or padded[-count:] != bytes((count,)) * count:
        raise DecryptionError(WRONG)
    return padded[:-count]


def _cipher(element: Element) -> tuple[_CipherKind, bytes]:
    oid, parameters = _identifier(element, "encryption scheme")
    found = _CIPHERS.get(oid)
    if found is None:
        expected = "AES-CBC, SM4-CBC or DES-EDE3-CBC"
        raise MalformedError(f"the private key is encrypted with {oids.name(oid)}, expected {expected}", hint=_HINT)
    initialization = parameters.expect(reader.OCTET_STRING, "initialization vector").content if parameters else b""
    if len(initialization) != found.block_size:
        raise MalformedError(f"initialization vector of {len(initialization)} bytes, expected {found.block_size}")
    return found, initialization


def _derived_key(element: Element, passphrase: bytes, size: int) -> bytes:
    oid, parameters = _identifier(element, "key derivation")
    if oid == oids.PBKDF2:
        return _pbkdf2(parameters, passphrase, size)
    if oid == oids.SCRYPT:
        return _scrypt(parameters, passphrase, size)
    raise MalformedError(f"the key is derived by {oids.name(oid)}, expected PBKDF2 or scrypt", hint=_HINT)


def _pbkdf2(parameters: Element | None, passphrase: bytes, size: int) -> bytes:
    """PBKDF2-params of RFC 8018 appendix A.2."""
    salt, count, *rest = _fields(parameters, "PBKDF2 parameters", 2, 4)
    iterations = reader.integer(count, "PBKDF2 iteration count")
    if not 1 <= iterations <= MAXIMUM_ITERATIONS:
        raise MalformedError(f"PBKDF2 asks for {_shown(iterations)} rounds, expected 1 to {MAXIMUM_ITERATIONS}")
    if rest and rest[0].tag == reader.INTEGER:
        _require_size(rest.pop(0), size)
    prf = oids.HMAC_SHA1
    if rest:
        prf, argument = _identifier(rest.pop(0), "PBKDF2 function")
        if argument is not None and argument.raw != writer.NULL:
            raise MalformedError("PBKDF2 function has parameters, expected NULL or none")
    if rest or prf not in _PRFS:
        found = "a field that is not known" if rest else oids.name(prf)
        raise MalformedError(f"PBKDF2 with {found}, expected HMAC with SHA-1, SHA-2 or SM3", hint=_HINT)
    return PBKDF2HMAC(_PRFS[prf], size, _salt(salt), iterations).derive(passphrase)


def _scrypt(parameters: Element | None, passphrase: bytes, size: int) -> bytes:
    """scrypt-params of RFC 7914 section 7.1."""
    salt, *numbers = _fields(parameters, "scrypt parameters", 4, 5)
    cost, block, parallel = (reader.integer(number, "scrypt parameter") for number in numbers[:3])
    if len(numbers) == 4:
        _require_size(numbers[3], size)
    if min(cost, block, parallel) < 1 or cost < 2 or cost & (cost - 1):
        raise MalformedError("scrypt parameters are not positive, or the cost is no power of 2")
    memory = 128 * cost * block
    if memory > MAXIMUM_SCRYPT_MEMORY or memory * parallel > MAXIMUM_SCRYPT_WORK:
        asked = f"N = {_shown(cost)}, r = {_shown(block)}, p = {_shown(parallel)}"
        raise MalformedError(f"scrypt asks for {asked}, expected 128 * N * r of at most {MAXIMUM_SCRYPT_MEMORY} bytes")
    try:
        return Scrypt(_salt(salt), size, cost, block, parallel).derive(passphrase)
    except (ValueError, MemoryError) as error:
        raise MalformedError(f"scrypt could not run with the parameters of the file: {error}") from error


def _salt(element: Element) -> bytes:
    salt = element.expect(reader.OCTET_STRING, "salt").content
    if len(salt) > MAXIMUM_SALT:
        raise MalformedError(f"salt of {len(salt)} bytes, expected at most {MAXIMUM_SALT}")
    return salt


def _require_size(element: Element, size: int) -> None:
    found = reader.integer(element, "key length")
    if found != size:
        raise MalformedError(f"derived key of {_shown(found)} bytes, expected {size} for the cipher")


def _identifier(element: Element, what: str) -> tuple[str, Element | None]:
    oid, *parameters = _fields(element, what, 1, 2)
    return reader.oid(oid, what), parameters[0] if parameters else None


def _fields(element: Element | None, what: str, fewest: int, most: int) -> list[Element]:
    fields = [] if element is None else element.expect(reader.SEQUENCE, what).children()
    if not fewest <= len(fields) <= most:
        raise MalformedError(f"{what}: found {len(fields)} fields, expected {fewest} to {most}")
    return fields


def _shown(number: int) -> str:
    return str(number) if abs(number) < 1 << 64 else f"a number of {number.bit_length()} bits"
