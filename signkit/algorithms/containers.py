"""The forms in which private keys come from outside: PKCS #8 plain or encrypted (RFC 5958), SEC 1 (RFC 5915), PKCS #1.

All are taken apart here and put together again as PKCS #8, so nothing of a file is kept that was not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from signkit.der import oids, reader, writer
from signkit.der.reader import Element
from signkit.errors import DecryptionError, MalformedError

MAXIMUM_SIZE = 1 << 16
"""Most bytes of a file with a private key; the largest key of any type has under 8 kB."""

_EXPECTED = "expected PKCS #8, SEC 1 (EC) or PKCS #1 (RSA)"
_ATTRIBUTES, _PUBLIC_KEY = 0xA0, 0x81


class PrivateKeyInfo(NamedTuple):
    """A PKCS #8 private key, taken apart (RFC 5958 section 2). Its attributes are not kept.

    Attributes:
        oid: OBJECT IDENTIFIER of the key's algorithm.
        parameters: DER of the algorithm's parameters, empty when absent.
        private_key: contents of the privateKey.
        public_key: the public key that came with it (octets of the BIT STRING), or None.
    """

    oid: str
    parameters: bytes
    private_key: bytes
    public_key: bytes | None

    @property
    def der(self) -> bytes:
        """DER PrivateKeyInfo, version 0, without attributes and public key."""
        algorithm = writer.sequence(writer.oid(self.oid), self.parameters)
        return writer.sequence(writer.integer(0), algorithm, writer.octet_string(self.private_key))

    def require_public_key(self, *expected: bytes) -> None:
        """Refuse a public key that came with the private key and does not belong to it.

        Args:
            expected: the forms that the right one can have.

        Raises:
            MalformedError: it is another one.
        """
        if self.public_key is not None and self.public_key not in expected:
            raise MalformedError("the public key that came with the private key does not belong to it")


def read(data: bytes, passphrase: Callable[[], bytes]) -> bytes:
    """DER PKCS #8 PrivateKeyInfo of a private key in any of the forms, in DER.

    Args:
        data: the key.
        passphrase: called when the key is encrypted.

    Raises:
        MalformedError: none of the forms, too large, or encrypted in a way that is not read.
        DecryptionError: the passphrase is wrong, or the file damaged.
    """
    if len(data) > MAXIMUM_SIZE:
        raise MalformedError(f"the private key has {len(data)} bytes, expected at most {MAXIMUM_SIZE}")
    fields = reader.parse(data, reader.SEQUENCE, "private key").children()
    tags = tuple(field.tag for field in fields[:2])
    if tags == (reader.SEQUENCE, reader.OCTET_STRING):
        return _decrypted(fields, passphrase)
    if tags == (reader.INTEGER, reader.SEQUENCE):
        _refuse_pkcs12(fields)
        return data
    if tags == (reader.INTEGER, reader.OCTET_STRING):
        return _from_sec1(data, fields)
    if tags == (reader.INTEGER, reader.INTEGER):
        algorithm = writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL)
        return writer.sequence(writer.integer(0), algorithm, writer.octet_string(data))
    raise MalformedError(f"this is no private key: {_EXPECTED}")


def parse(private_key_info: bytes) -> PrivateKeyInfo:
    """Take a PrivateKeyInfo or OneAsymmetricKey apart (RFC 5958 section 2).

    Raises:
        MalformedError: it is neither, or not strict DER.
    """
    fields = reader.parse(private_key_info, reader.SEQUENCE, "private key").children()
    if len(fields) < 3:
        raise MalformedError(f"private key has {len(fields)} fields, expected at least 3 (RFC 5958 section 2)")
    version = reader.integer(fields[0], "version of the private key")
    if version not in (0, 1):
        raise MalformedError("private key has an unknown version, expected 0 or 1 (RFC 5958 section 2)")
    algorithm = fields[1].expect(reader.SEQUENCE, "algorithm of the private key").children()
    if not 1 <= len(algorithm) <= 2:
        raise MalformedError(f"algorithm of the private key has {len(algorithm)} fields, expected 1 or 2")
    private_key = fields[2].expect(reader.OCTET_STRING, "private key").content
    public_key = None
    rest = fields[3:]
    if rest and rest[0].tag == _ATTRIBUTES:
        del rest[0]
    if rest and rest[0].tag == _PUBLIC_KEY and version == 1:
        public_key = _implicit_bit_string(rest.pop(0))
    if rest:
        raise MalformedError(f"private key of version {version} has a field with tag 0x{rest[0].tag:02x}")
    parameters = algorithm[1].raw if len(algorithm) == 2 else b""
    return PrivateKeyInfo(reader.oid(algorithm[0]), parameters, private_key, public_key)


def _implicit_bit_string(element: Element) -> bytes:
    if element.content[:1] != b"\x00":
        raise MalformedError("public key beside the private key is empty or has unused bits")
    return element.content[1:]


def _decrypted(fields: list[Element], passphrase: Callable[[], bytes]) -> bytes:
    if len(fields) != 2:
        raise MalformedError(f"encrypted private key has {len(fields)} fields, expected 2 (RFC 5958 section 3)")
    from signkit.algorithms import pbes2  # brings ciphers that no other command needs

    plain = pbes2.decrypt(fields[0], fields[1].content, passphrase())
    try:
        parse(plain)
    except MalformedError:  # one wrong passphrase in 256 leaves a right padding
        raise DecryptionError(pbes2.WRONG) from None
    return plain


def _from_sec1(data: bytes, fields: list[Element]) -> bytes:
    """ECPrivateKey of RFC 5915 section 3; outside PKCS #8 only its own parameters name the curve."""
    named = next((field.children() for field in fields[2:] if field.tag == 0xA0), [])
    if len(named) != 1:
        raise MalformedError("EC private key does not name its curve", hint="convert it with 'openssl pkcs8 -topk8'")
    algorithm = writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), named[0].raw)
    return writer.sequence(writer.integer(0), algorithm, writer.octet_string(data))


def _refuse_pkcs12(fields: list[Element]) -> None:
    if fields[0].content == b"\x03":
        hint = "'openssl pkcs12 -in F -nocerts -out KEY' takes the key out of it"
        raise MalformedError(f"this is a PKCS #12 file, {_EXPECTED}", hint=hint)
