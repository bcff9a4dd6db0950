"""PKCS #12: certificates out of files that other software writes; private keys stay where they are."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, PrivateFormat, pkcs12

from signkit.der import pkcs12 as signkit_pkcs12
from signkit.der import writer
from signkit.errors import MalformedError
from signkit.x509 import bundle
from tests.support import pki
from tests.support.openssl import OpenSSL

CHAIN = pki.chain()
CERTIFICATES = [x509.load_der_x509_certificate(der) for der in (CHAIN.leaf, CHAIN.issuing, CHAIN.root)]
PRIVATE = CHAIN.leaf_key.private


def made(password: bytes | None, *, with_key: bool = False, algorithm: pkcs12.PBES | None = None) -> bytes:
    """A file by cryptography; an empty password is written as none at all."""
    if password is None:
        encryption: object = NoEncryption()
    elif algorithm is None:
        encryption = BestAvailableEncryption(password)
    else:
        builder = PrivateFormat.PKCS12.encryption_builder().key_cert_algorithm(algorithm).hmac_hash(hashes.SHA1())
        encryption = builder.build(password)
    key, leaf, others = (PRIVATE, CERTIFICATES[0], CERTIFICATES[1:]) if with_key else (None, None, CERTIFICATES)
    return pkcs12.serialize_key_and_certificates(b"release", key, leaf, others, encryption)  # type: ignore[arg-type]


@pytest.mark.parametrize("with_key", [False, True])
@pytest.mark.parametrize(
    ("password", "algorithm"),
    [
        (None, None),
        ("geheim", None),
        ("zoë", pkcs12.PBES.PBESv2SHA256AndAES256CBC),
        ("geheim", pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC),
    ],
)
def test_files_by_cryptography(password: str | None, algorithm: pkcs12.PBES | None, with_key: bool) -> None:
    data = made(None if password is None else password.encode(), with_key=with_key, algorithm=algorithm)
    assert bundle.is_pkcs12(data)
    found = signkit_pkcs12.read(data, password or "")
    assert set(found.certificates) == {CHAIN.leaf, CHAIN.issuing, CHAIN.root}
    assert found.private_keys == with_key


OPENSSL = {
    "AES-256": (),
    "AES-128": ("-certpbe", "AES-128-CBC"),
    "3DES": ("-certpbe", "PBE-SHA1-3DES"),
    "SHA-1 MAC": ("-macalg", "sha1"),
    "SHA-512 MAC": ("-macalg", "sha512"),
    "no MAC": ("-nomac",),
    "not encrypted": ("-certpbe", "NONE"),
}


@pytest.mark.parametrize("password", ["", "a passphrase"])
@pytest.mark.parametrize("name", OPENSSL)
def test_files_by_openssl(openssl: OpenSSL, name: str, password: str) -> None:
    (openssl.folder / "chain.pem").write_bytes(pki.as_pem(CHAIN.leaf, CHAIN.issuing))
    out = ("-out", "chain.p12", "-passout", f"pass:{password}")
    openssl("pkcs12", "-export", "-nokeys", "-in", "chain.pem", *OPENSSL[name], *out)
    found = signkit_pkcs12.read((openssl.folder / "chain.p12").read_bytes(), password)
    assert set(found.certificates) == {CHAIN.leaf, CHAIN.issuing}
    assert not found.private_keys


@pytest.mark.parametrize("purpose", [1, 2, 3])
@pytest.mark.parametrize(("digest", "length"), [("sha1", 24), ("sha256", 8), ("sha512", 100)])
def test_key_material_is_that_of_openssl(openssl: OpenSSL, digest: str, length: int, purpose: int) -> None:
    """RFC 7292 appendix B.2; a hundred octets need several rounds, with their carries."""
    password, salt = "sesamé".encode("utf-16-be") + b"\0\0", b"\xff" * 9
    options = {"digest": digest, "hexpass": password.hex(), "hexsalt": salt.hex(), "iter": "3", "id": str(purpose)}
    shown = openssl(
        *("kdf", "-keylen", str(length)),
        *(word for name, value in options.items() for word in ("-kdfopt", f"{name}:{value}")),
        "PKCS12KDF",
    )
    expected = bytes.fromhex(shown.strip().replace(":", ""))
    assert signkit_pkcs12.derive(digest, password, salt, 3, purpose, length) == expected


@pytest.mark.parametrize("password", ["", "wrong", "Geheim", "geheim\0"])
def test_a_wrong_passphrase(password: str) -> None:
    with pytest.raises(MalformedError, match="passphrase is wrong") as caught:
        signkit_pkcs12.read(made(b"geheim"), password)
    assert "--passphrase-file" in caught.value.hint


def test_a_changed_file_does_not_open() -> None:
    data = bytearray(made(b"geheim"))
    data[len(data) // 2] ^= 1
    with pytest.raises(MalformedError):
        signkit_pkcs12.read(bytes(data), "geheim")


def test_an_old_cipher_is_named_with_a_way_out(openssl: OpenSSL) -> None:
    (openssl.folder / "leaf.pem").write_bytes(pki.as_pem(CHAIN.leaf))
    old = ("-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-passout", "pass:x", "-out", "old.p12")
    openssl("pkcs12", "-export", "-nokeys", "-in", "leaf.pem", *old)
    with pytest.raises(MalformedError, match="1.2.840.113549.1.12.1.6") as caught:
        signkit_pkcs12.read((openssl.folder / "old.p12").read_bytes(), "x")
    assert "openssl pkcs12 -legacy" in caught.value.hint


def test_so_many_iterations_that_it_would_only_keep_us_busy() -> None:
    mac = writer.sequence(
        writer.sequence(writer.sequence(writer.oid("2.16.840.1.101.3.4.2.1")), writer.octet_string(bytes(32))),
        writer.octet_string(b"salt"),
        writer.integer(2**31),
    )
    content = writer.sequence(writer.oid("1.2.840.113549.1.7.1"), writer.tlv(0xA0, writer.octet_string(b"\x30\x00")))
    began = time.monotonic()
    with pytest.raises(MalformedError, match="2147483648 iterations"):
        signkit_pkcs12.read(writer.sequence(writer.integer(3), content, mac), "")
    assert time.monotonic() - began < 1


def test_truncation_at_every_tenth_byte() -> None:
    data = made(None)
    for length in range(0, len(data), 10):
        with pytest.raises(MalformedError):
            signkit_pkcs12.read(data[:length], "")


def test_what_is_no_pkcs12() -> None:
    for data in (b"", b"\x30\x00", CHAIN.leaf, writer.sequence(writer.integer(3))):
        assert not bundle.is_pkcs12(data)
