"""Certificates for tests: fixed keys, fixed times, raw DER, so that any odd one can be made and signed correctly.

``ca`` and ``leaf`` make good ones; their keyword arguments replace single fields by anything, and ``certificate`` takes
every field as it comes. ECDSA signatures are deterministic (RFC 6979), so the same call gives the same bytes.

The keys protect nothing: they are FOR TESTS ONLY.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from signkit.algorithms import digests
from signkit.der import oids, writer
from signkit.x509 import names, pem
from signkit.x509.certificate import KEY_USAGES

KEYS = Path(__file__).resolve().parents[2] / "fixtures" / "keys"
NOT_BEFORE = datetime(2024, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2034, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)

UNKNOWN_EXTENSION = "1.3.6.1.4.1.99999.1"
"""An extension that nobody processes."""

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
ALGORITHMS: dict[str, bytes] = {
    "rsa-md5": writer.sequence(writer.oid(oids.RSA_MD5), writer.NULL),
    "rsa-sha1": writer.sequence(writer.oid(oids.RSA_SHA1), writer.NULL),
    "rsa-sha256": writer.sequence(writer.oid(oids.RSA_SHA256), writer.NULL),
    "rsa-sha384": writer.sequence(writer.oid(oids.RSA_SHA384), writer.NULL),
    "rsa-sha512": writer.sequence(writer.oid(oids.RSA_SHA512), writer.NULL),
    "ecdsa-sha1": writer.sequence(writer.oid(oids.ECDSA_SHA1)),
    "ecdsa-sha256": writer.sequence(writer.oid(oids.ECDSA_SHA256)),
    "ecdsa-sha384": writer.sequence(writer.oid(oids.ECDSA_SHA384)),
    "ecdsa-sha512": writer.sequence(writer.oid(oids.ECDSA_SHA512)),
    "sm2": writer.sequence(writer.oid(oids.SM2_WITH_SM3)),
}
"""DER AlgorithmIdentifier of each signature algorithm that ``Key.sign`` or ``sm2_key.Sm2Key.sign`` can make."""


@dataclass(frozen=True)
class Key:
    """A key pair of the tests, with the algorithm it signs with when nothing is said."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    algorithm: str

    @cached_property
    def public_key_info(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(encoding, form)

    @cached_property
    def private_key_info(self) -> bytes:
        """DER PKCS #8."""
        form, sealed = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.private.private_bytes(serialization.Encoding.DER, form, sealed)

    @cached_property
    def identifier(self) -> bytes:
        """What subjectKeyIdentifier and authorityKeyIdentifier say about it."""
        return digests.digest("sha1", self.public_key_info)

    def sign(self, data: bytes, algorithm: str = "") -> bytes:
        """Signature over a whole message by one of ``ALGORITHMS``."""
        digest = _HASHES[(algorithm or self.algorithm).partition("-")[2]]
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), digest)
        return self.private.sign(data, ec.ECDSA(digest, deterministic_signing=True))


@cache
def key(number: int, curve: Callable[[], ec.EllipticCurve] = ec.SECP256R1) -> Key:
    """The elliptic-curve key of that number, always the same. FOR TESTS ONLY."""
    secret = int.from_bytes(digests.digest("sha256", f"signkit: FOR TESTS ONLY: {number}".encode()), "big")
    return Key(ec.derive_private_key(secret >> (256 - min(256, curve().key_size - 8)), curve()), "ecdsa-sha256")


@cache
def rsa_key(name: str) -> Key:
    """The RSA key in ``fixtures/keys``: ``rsa-1024``, ``rsa-2048`` or ``rsa-2048-b``. FOR TESTS ONLY."""
    loaded = serialization.load_pem_private_key((KEYS / f"{name}.for-tests-only.pem").read_bytes(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return Key(loaded, "rsa-sha256")


def name(text: str) -> bytes:
    """DER Name of RFC 4514's form; an empty text gives the empty name."""
    return names.parse(text).raw if text else writer.sequence()


def boolean(value: bool) -> bytes:
    return writer.tlv(0x01, b"\xff" if value else b"\x00")


def extension(oid: str, value: bytes, critical: bool = False) -> bytes:
    """DER Extension around DER."""
    return writer.sequence(writer.oid(oid), *([boolean(True)] if critical else []), writer.octet_string(value))


def basic_constraints(ca: bool = True, path_length: int | None = None, critical: bool = True) -> bytes:
    fields = [boolean(True)] if ca else []
    fields += [] if path_length is None else [writer.integer(path_length)]
    return extension(oids.BASIC_CONSTRAINTS, writer.sequence(*fields), critical)


def key_usage(*usages: str, critical: bool = True) -> bytes:
    bits = [KEY_USAGES.index(usage) for usage in usages]
    number = sum(1 << (15 - bit) for bit in bits)
    octets = number.to_bytes(2, "big").rstrip(b"\0")
    unused = (octets[-1] & -octets[-1]).bit_length() - 1 if octets else 0
    return extension(oids.KEY_USAGE, writer.tlv(0x03, bytes([unused]), octets), critical)


def extended_key_usage(*purposes: str, critical: bool = False) -> bytes:
    return extension(oids.EXTENDED_KEY_USAGE, writer.sequence(*map(writer.oid, purposes)), critical)


def subject_key_identifier(identifier: bytes) -> bytes:
    return extension(oids.SUBJECT_KEY_IDENTIFIER, writer.octet_string(identifier))


def authority_key_identifier(identifier: bytes) -> bytes:
    return extension(oids.AUTHORITY_KEY_IDENTIFIER, writer.sequence(writer.tlv(0x80, identifier)))


def name_constraints(permitted: str = "", excluded: str = "", critical: bool = True) -> bytes:
    """directoryName constraints."""
    subtrees = [
        writer.tlv(tag, writer.sequence(writer.tlv(0xA4, name(text))))
        for tag, text in ((0xA0, permitted), (0xA1, excluded))
        if text
    ]
    return extension(oids.NAME_CONSTRAINTS, writer.sequence(*subtrees), critical)


def time(moment: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime from 2050."""
    if 1950 <= moment.year < 2050:
        return writer.tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return writer.tlv(0x18, f"{moment:%Y%m%d%H%M%SZ}".rjust(15, "0").encode())


def certificate(
    subject: str | bytes,
    key: Key | bytes,
    issuer: str | bytes,
    issuer_key: Key,
    extensions: Sequence[bytes] = (),
    *,
    serial: int | bytes = 0,
    not_before: datetime | bytes = NOT_BEFORE,
    not_after: datetime | bytes = NOT_AFTER,
    version: int | None = 3,
    algorithm: str = "",
    inner: bytes | None = None,
    outer: bytes | None = None,
    signature: Callable[[bytes], bytes] = lambda value: value,
    unused_bits: int = 0,
    optional: bytes = b"",
) -> bytes:
    """DER of a certificate, signed over whatever it says.

    Args:
        subject: text or DER.
        key: the certified key, or DER SubjectPublicKeyInfo.
        issuer: text or DER.
        issuer_key: signs.
        extensions: DER Extensions; none leaves the field out.
        serial: number or a whole DER element; 0 = one made of subject, issuer and key.
        not_before: time or a whole DER element.
        not_after: time or a whole DER element.
        version: 1, 2, 3, ...; None leaves the field out, which means 1.
        algorithm: one of ``ALGORITHMS``; empty = the key's own.
        inner: AlgorithmIdentifier inside, when it shall be another one.
        outer: AlgorithmIdentifier outside, when it shall be another one.
        signature: changes the signature value after it was made.
        unused_bits: of the signature's BIT STRING.
        optional: DER between the public key and the extensions (unique identifiers).
    """
    algorithm = algorithm or issuer_key.algorithm
    subject_der = name(subject) if isinstance(subject, str) else subject
    issuer_der = name(issuer) if isinstance(issuer, str) else issuer
    public_key_info = key if isinstance(key, bytes) else key.public_key_info
    if serial == 0:
        seed = subject_der + issuer_der + public_key_info + issuer_key.public_key_info
        serial = int.from_bytes(digests.digest("sha256", seed)[:15], "big") | 1
    tbs = writer.sequence(
        b"" if version is None else writer.tlv(0xA0, writer.integer(version - 1)),
        serial if isinstance(serial, bytes) else writer.integer(serial),
        inner or ALGORITHMS[algorithm],
        issuer_der,
        writer.sequence(*(m if isinstance(m, bytes) else time(m) for m in (not_before, not_after))),
        subject_der,
        public_key_info,
        optional,
        writer.tlv(0xA3, writer.sequence(*extensions)) if extensions else b"",
    )
    value = signature(issuer_key.sign(tbs, algorithm))
    return writer.sequence(tbs, outer or ALGORITHMS[algorithm], writer.tlv(0x03, bytes([unused_bits]), value))


def ca(
    subject: str | bytes,
    key: Key,
    issuer: str | bytes | None = None,
    issuer_key: Key | None = None,
    *,
    path_length: int | None = None,
    usages: Sequence[str] | None = ("keyCertSign", "cRLSign"),
    extra: Sequence[bytes] = (),
    **fields: Any,
) -> bytes:
    """A good CA certificate; self-signed when no issuer is named."""
    signer = issuer_key or key
    extensions = [
        basic_constraints(True, path_length),
        *([key_usage(*usages)] if usages is not None else []),
        subject_key_identifier(key.identifier),
        *([authority_key_identifier(signer.identifier)] if issuer is not None else []),
        *extra,
    ]
    return certificate(subject, key, subject if issuer is None else issuer, signer, extensions, **fields)


def leaf(
    subject: str | bytes,
    key: Key | bytes,
    issuer: str | bytes,
    issuer_key: Key,
    *,
    usages: Sequence[str] | None = ("digitalSignature",),
    purposes: Sequence[str] | None = (oids.CODE_SIGNING,),
    extra: Sequence[bytes] = (),
    identified: bool = True,
    **fields: Any,
) -> bytes:
    """A good code-signing certificate; ``None`` for usages or purposes leaves the extension out."""
    extensions = [
        *([key_usage(*usages)] if usages is not None else []),
        *([extended_key_usage(*purposes)] if purposes is not None else []),
        *([authority_key_identifier(issuer_key.identifier)] if identified else []),
        *extra,
    ]
    if isinstance(key, Key):
        extensions.append(subject_key_identifier(key.identifier))
    return certificate(subject, key, issuer, issuer_key, extensions, **fields)


ROOT, ISSUING, SIGNER = "CN=Test Root,O=signkit tests", "CN=Test Issuing CA,O=signkit tests", "CN=Test Signer,O=Acme"


@dataclass(frozen=True)
class Chain:
    """Root, issuing CA and leaf, with the leaf's key."""

    root: bytes
    issuing: bytes
    leaf: bytes
    leaf_key: Key = field(repr=False)


@cache
def chain() -> Chain:
    """The chain that most tests need, P-256 throughout."""
    return Chain(
        ca(ROOT, key(1)),
        ca(ISSUING, key(2), ROOT, key(1), path_length=0),
        leaf(SIGNER, key(3), ISSUING, key(2)),
        key(3),
    )


@cache
def rsa_chain() -> Chain:
    """As ``chain``, with an RSA-2048 leaf."""
    signer = leaf("CN=Test RSA Signer,O=Acme", rsa_key("rsa-2048"), ISSUING, key(2))
    return Chain(chain().root, chain().issuing, signer, rsa_key("rsa-2048"))


def as_pem(*certificates: bytes) -> bytes:
    """PEM of certificates."""
    return "".join(pem.encode("CERTIFICATE", der) for der in certificates).encode()
