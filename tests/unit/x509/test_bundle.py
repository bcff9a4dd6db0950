"""Certificates out of whatever an authority sends."""

from __future__ import annotations

import pytest

from signkit.der import writer
from signkit.errors import MalformedError
from signkit.x509 import bundle, certificate, pem
from tests.support import cms_builder, pki

CHAIN = pki.chain()
ALL = [CHAIN.leaf, CHAIN.issuing, CHAIN.root]
PKCS7 = cms_builder.SignedData((), tuple(ALL), digest_algorithms=(), ordered=False).encode()


@pytest.mark.parametrize(
    "data",
    [
        pki.as_pem(*ALL),
        b"hello\n" + pki.as_pem(*ALL).replace(b"\n", b"\r\n"),
        PKCS7,
        pem.encode("PKCS7", PKCS7).encode(),
        pem.encode("CMS", PKCS7).encode(),
        pki.as_pem(CHAIN.leaf)
        + pem.encode(
            "PKCS7",
            cms_builder.SignedData((), (CHAIN.issuing, CHAIN.root), digest_algorithms=(), ordered=False).encode(),
        ).encode(),
        pem.encode("X509 CERTIFICATE", CHAIN.leaf).encode() + pki.as_pem(CHAIN.issuing, CHAIN.root),
        pem.encode("EC PARAMETERS", b"\x06\x00").encode() + pki.as_pem(*ALL),
    ],
    ids=["PEM", "CRLF and text", "PKCS #7", "PKCS #7 in PEM", "CMS in PEM", "mixed", "old label", "strangers"],
)
def test_all_certificates_in_their_order(data: bytes) -> None:
    assert bundle.certificates(data) == ALL


def test_one_certificate_in_der() -> None:
    assert bundle.certificates(CHAIN.leaf) == [CHAIN.leaf]


def test_other_choices_than_certificates_are_left_out() -> None:
    """RFC 5652 section 10.2.2: attribute certificates and others stand under tags of their own."""
    others = (
        writer.tlv(0xA1, writer.NULL),
        writer.tlv(0xA2, writer.NULL),
        writer.tlv(0xA3, writer.oid("1.2.3"), writer.NULL),
    )
    data = cms_builder.SignedData((), (CHAIN.leaf, *others), digest_algorithms=(), ordered=False).encode()
    assert bundle.certificates(data) == [CHAIN.leaf]


def test_what_a_der_file_says_is_not_what_pem_inside_it_says() -> None:
    """A trust anchor that openssl shows as one certificate must not be taken for another."""
    stranger = pki.ca("CN=Stranger", pki.key(40))
    comment = pki.extension("2.16.840.1.113730.1.13", writer.tlv(0x16, b"\n" + pki.as_pem(stranger)))
    shown = pki.ca("CN=Shown", pki.key(41), extra=[comment])
    assert bundle.certificates(shown) == [shown]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n",
        b"not a certificate",
        b"\x00" * 20,
        pem.encode("CERTIFICATE REQUEST", b"\x30\x00").encode(),
        pem.encode("PRIVATE KEY", b"\x30\x00").encode(),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n",
        pem.encode("PKCS7", cms_builder.SignedData((), (), digest_algorithms=()).encode()).encode(),
        pem.encode("PKCS7", b"\x30\x00").encode(),
        pem.encode(
            "PKCS7", cms_builder.SignedData((), (writer.tlv(0xA1, b""),), digest_algorithms=()).encode()
        ).encode(),
    ],
    ids=range(10),
)
def test_no_certificate(data: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        bundle.certificates(data)
    assert caught.value.exit_status == 11


def test_what_only_looks_like_der_is_refused_when_it_is_loaded() -> None:
    for data in (b"\x30\x00", CHAIN.leaf[:-1], CHAIN.leaf + b"\x00", PKCS7 + b"\x00"):
        with pytest.raises(MalformedError):
            [certificate.load(der) for der in bundle.certificates(data)]


def test_encrypted_or_other_content_holds_no_certificate() -> None:
    data = writer.sequence(writer.oid("1.2.840.113549.1.7.3"), writer.tlv(0xA0, writer.sequence()))
    with pytest.raises(MalformedError, match="1.2.840.113549.1.7.3"):
        bundle.certificates(pem.encode("PKCS7", data).encode())
