"""Certificates out of PKCS #12 files (RFC 7292). Private keys in them are counted and never decrypted.

Only the structure is read here, and only what the certificates need is decrypted: password integrity, and data that is
plain or encrypted by PBES2 (AES, Triple DES) or by the older Triple DES of appendix C.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import NamedTuple

from signkit.der import ber, oids, reader
from signkit.errors import MalformedError

MAXIMUM_ITERATIONS = 2_000_000
"""Most iterations of a key derivation; writers use 2,048 to 600,000, and more would only keep us busy."""
MAXIMUM_BAGS = 1000
_MAXIMUM_DEPTH = 4
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"
_SHA1_3DES, _SHA1_3DES_2KEY = "1.2.840.113549.1.12.1.3", "1.2.840.113549.1.12.1.4"
_BAG = "1.2.840.113549.1.12.10.1."
_KEY_BAGS, _CERTIFICATE_BAG, _SAFE_CONTENTS_BAG = (_BAG + "1", _BAG + "2"), _BAG + "3", _BAG + "6"
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
_HMACS = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": ("AES", 16),
    "2.16.840.1.101.3.4.1.22": ("AES", 24),
    "2.16.840.1.101.3.4.1.42": ("AES", 32),
    "1.2.840.113549.3.7": ("TripleDES", 24),
}
_OTHER_CIPHER = "'openssl pkcs12 -legacy -nokeys -in F' takes the certificates out of such a file"
_ID_ENCRYPTION, _ID_MAC = 1, 3


class Contents(NamedTuple):
    """What is in a PKCS #12 file: DER of its certificates, and how many private keys were passed over."""

    certificates: tuple[bytes, ...]
    private_keys: int


def read(der: bytes, passphrase: str) -> Contents:
    """The certificates of a PFX.

    Args:
        der: the file, in DER.
        passphrase: what it is protected with; an empty one is tried in both encodings that writers use.

    Raises:
        MalformedError: the passphrase is wrong, or the file is broken, or protected in a way that is not supported.
    """
    try:
        return _read(der, passphrase)
    except (ValueError, IndexError) as error:
        raise MalformedError(f"PKCS #12 file can't be read: {error}") from error


def _read(der: bytes, passphrase: str) -> Contents:
    fields = reader.parse(der, reader.SEQUENCE, "PFX").children()
    kind, *rest = fields[1].children()
    if reader.oid(kind) != oids.DATA or len(rest) != 1:
        raise MalformedError(
            "PKCS #12 file is signed by a public key, expected one that is protected by a passphrase",
            hint="have it exported again, without private key if you can",
        )
    content = _octets(rest[0].children()[0])
    encoded = _passphrase(fields[2] if len(fields) == 3 else None, content, passphrase)
    certificates: list[bytes] = []
    keys = 0
    for bag, value in _bags(content, passphrase, encoded):
        if bag in _KEY_BAGS:
            keys += 1
        elif bag == _CERTIFICATE_BAG:
            certificates += _certificate(value)
        if len(certificates) + keys > MAXIMUM_BAGS:
            raise MalformedError(f"PKCS #12 file has more than {MAXIMUM_BAGS} entries")
    return Contents(tuple(certificates), keys)


def _bags(content: bytes, passphrase: str, encoded: bytes) -> Iterator[tuple[str, reader.Element]]:
    for info in reader.parse(_der(content), reader.SEQUENCE, "AuthenticatedSafe").children():
        kind, value = info.children()
        inner = value.children()[0]
        if reader.oid(kind) == oids.DATA:
            safe = _octets(inner)
        elif reader.oid(kind) == _ENCRYPTED_DATA:
            safe = _decrypt(inner, passphrase, encoded)
        else:
            raise MalformedError(f"PKCS #12 file holds content of type {reader.oid(kind)}, which is not supported")
        yield from _safe_contents(reader.parse(_der(safe), reader.SEQUENCE, "SafeContents"), 0)


def _der(data: bytes) -> bytes:
    """What stands inside OCTET STRINGs is BER with some writers (NSS)."""
    return ber.to_der(data) if data[1:2] == b"\x80" else data


def _safe_contents(safe: reader.Element, depth: int) -> Iterator[tuple[str, reader.Element]]:
    if depth > _MAXIMUM_DEPTH:
        raise MalformedError("PKCS #12 file has bags within bags, deeper than any real one")
    for bag in safe.children():
        kind, value = bag.children()[:2]
        if reader.oid(kind) == _SAFE_CONTENTS_BAG:
            yield from _safe_contents(value.children()[0], depth + 1)
        else:
            yield reader.oid(kind), value


def _certificate(value: reader.Element) -> list[bytes]:
    kind, wrapped = value.children()[0].children()
    return [_octets(wrapped.children()[0])] if reader.oid(kind) == _X509_CERTIFICATE else []


def _octets(element: reader.Element) -> bytes:
    return element.expect(reader.OCTET_STRING, "PKCS #12 content").content


def _iterations(element: reader.Element) -> int:
    number = reader.integer(element, "iterations")
    if not 1 <= number <= MAXIMUM_ITERATIONS:
        raise MalformedError(f"PKCS #12 file wants {number} iterations, expected 1 to {MAXIMUM_ITERATIONS}")
    return number


def _passphrase(mac: reader.Element | None, content: bytes, passphrase: str) -> bytes:
    """The passphrase as appendix B.1 encodes it, once the MAC has confirmed it; an empty one has two encodings.

    Raises:
        MalformedError: the MAC is wrong, or of an unknown kind.
    """
    terminated = passphrase.encode("utf-16-be") + b"\0\0"
    if mac is None:
        return terminated
    digest_info, salt, *rest = mac.children()
    algorithm, expected = digest_info.children()
    oid = reader.oid(algorithm.children()[0])
    name = oids.DIGESTS.get(oid, oid)
    if name not in ("sha1", "sha256", "sha384", "sha512"):
        raise MalformedError(f"PKCS #12 file has a MAC by {name}, which is not supported", hint=_OTHER_CIPHER)
    rounds = _iterations(rest[0]) if rest else 1
    for encoded in (terminated, b"") if not passphrase else (terminated,):
        key = derive(name, encoded, _octets(salt), rounds, _ID_MAC, hashlib.new(name).digest_size)
        if hmac.compare_digest(hmac.new(key, content, name).digest(), _octets(expected)):
            return encoded
    raise MalformedError(
        "PKCS #12 file does not open: the passphrase is wrong, or the file was changed"
        + ("" if passphrase else " (tried with an empty passphrase)"),
        hint="put its passphrase into a file and name that with --passphrase-file",
    )


def _decrypt(encrypted_data: reader.Element, passphrase: str, encoded: bytes) -> bytes:
    """Content of an EncryptedData (RFC 5652 section 8)."""
    _kind, algorithm, *content = encrypted_data.children()[1].children()
    if not content or content[0].tag not in (0x80, 0xA0):
        raise MalformedError("PKCS #12 file has an encrypted part without content")
    segments = content[0].children() if content[0].tag == 0xA0 else []  # a constructed string of BER
    data = b"".join(map(_octets, segments)) if segments else content[0].content
    identifier, parameters = algorithm.children()
    oid = reader.oid(identifier)
    if oid == _PBES2:
        cipher, key, initial = _pbes2(parameters, passphrase)
    elif oid in (_SHA1_3DES, _SHA1_3DES_2KEY):
        salt, rounds = parameters.children()
        count, length = _iterations(rounds), 24 if oid == _SHA1_3DES else 16
        key = derive("sha1", encoded, _octets(salt), count, _ID_ENCRYPTION, length)
        initial = derive("sha1", encoded, _octets(salt), count, 2, 8)
        cipher, key = "TripleDES", key + key[: 24 - length]
    else:
        raise MalformedError(f"PKCS #12 file is encrypted by {oid}, which is not supported", hint=_OTHER_CIPHER)
    return _cbc(cipher, key, initial, data)


def _pbes2(parameters: reader.Element, passphrase: str) -> tuple[str, bytes, bytes]:
    """Cipher, key and initial vector of PBES2 (RFC 8018 section 6.2)."""
    derivation, scheme = parameters.children()
    kind, arguments = derivation.children()
    oid, initial = scheme.children()
    cipher = _CIPHERS.get(reader.oid(oid))
    if reader.oid(kind) != _PBKDF2 or cipher is None:
        raise MalformedError(
            f"PKCS #12 file is encrypted by {reader.oid(oid)} with {reader.oid(kind)}, which is not supported",
            hint=_OTHER_CIPHER,
        )
    salt, rounds, *rest = arguments.children()
    functions = [reader.oid(field.children()[0]) for field in rest if field.tag == reader.SEQUENCE]
    name = _HMACS.get(functions[0], "") if functions else "sha1"
    if not name:
        raise MalformedError(f"PKCS #12 file derives its key by {functions[0]}, which is not supported")
    key = hashlib.pbkdf2_hmac(name, passphrase.encode(), _octets(salt), _iterations(rounds), cipher[1])
    return cipher[0], key, _octets(initial)


def _cbc(cipher: str, key: bytes, initial: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    chosen = algorithms.AES(key) if cipher == "AES" else TripleDES(key)
    decryptor = Cipher(chosen, modes.CBC(initial)).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= chosen.block_size // 8 or plain[-padding:] != bytes([padding]) * padding:
        raise MalformedError("PKCS #12 file does not decrypt: the passphrase is wrong, or the file was changed")
    return plain[:-padding]


def derive(digest: str, passphrase: bytes, salt: bytes, iterations: int, purpose: int, length: int) -> bytes:
    """Key material of RFC 7292 appendix B.2.

    Args:
        digest: name of the digest algorithm.
        passphrase: encoded as BMPString, with its two closing zero octets (or empty).
        salt: octets.
        iterations: how often to hash.
        purpose: 1 = key, 2 = initial vector, 3 = MAC key.
        length: octets wanted.
    """
    block = hashlib.new(digest).block_size
    material = _filled(salt, block) + _filled(passphrase, block)
    out = b""
    while len(out) < length:
        state = bytes([purpose]) * block + material
        for _ in range(iterations):
            state = hashlib.new(digest, state).digest()
        out += state
        addend = int.from_bytes(_filled(state, block)[:block], "big") + 1
        material = b"".join(
            ((int.from_bytes(material[i : i + block], "big") + addend) % (1 << 8 * block)).to_bytes(block, "big")
            for i in range(0, len(material), block)
        )
    return out[:length]


def _filled(data: bytes, block: int) -> bytes:
    """The data over and over, up to a whole number of blocks; nothing stays nothing."""
    size = -(-len(data) // block) * block
    return (data * (size // len(data) + 1))[:size] if data else b""
