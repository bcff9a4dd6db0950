"""What the lab issues, judged by openssl, and requests that openssl makes, issued by the lab."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signkit.errors import OutputExistsError, RefusedError
from signkit.files import FileSink, FileSource
from signkit.lab import folder
from signkit.lab.authority import Authority
from signkit.x509 import pem
from tests.support.openssl import OpenSSL


@pytest.fixture
def lab(openssl: OpenSSL) -> Path:
    """A folder with a lab in it, inside the folder of openssl."""
    path = openssl.folder / "lab"
    path.mkdir()
    folder.save(Authority.create(datetime.now(UTC), secrets.token_bytes), str(path), FileSink())
    return path


def issue(lab: Path, request: Path, name: str = "leaf", *, der: bytes | None = None) -> Path:
    """Issue ``NAME.pem`` and ``NAME-issuer.pem`` for a request in PEM (or for ``der``), beside it."""
    (block,) = pem.decode(request.read_bytes())
    assert block.label in pem.REQUEST_LABELS
    authority = folder.load(str(lab), FileSource())
    leaf, issuer = authority.issue(der or block.data, now=datetime.now(UTC), random=secrets.token_bytes)
    request.with_name(f"{name}.pem").write_text(pem.encode("CERTIFICATE", leaf))
    request.with_name(f"{name}-issuer.pem").write_text(pem.encode("CERTIFICATE", issuer))
    return request.with_name(f"{name}.pem")


@pytest.mark.parametrize("key_type", ["RSA_2048", "RSA_3072", "EC_P256", "EC_P384"])
@pytest.mark.parametrize("label", pem.REQUEST_LABELS)
def test_openssl_accepts_the_chain_of_its_own_request(openssl: OpenSSL, lab: Path, key_type: str, label: str) -> None:
    request = openssl.request("leaf", "/CN=Acme Release/O=Acme/C=DE", key_type)
    if label == "NEW CERTIFICATE REQUEST":
        openssl("req", "-in", "leaf.csr", "-newhdr", "-out", "leaf.csr")
    assert f"BEGIN {label}" in request.read_text()
    leaf = issue(lab, request)
    path = ("-x509_strict", "-CAfile", "lab/root.pem", "-untrusted", "lab/issuing.pem")
    assert openssl("verify", *path, "-purpose", "any", leaf) == f"{leaf}: OK\n"
    assert (openssl.folder / "leaf-issuer.pem").read_text() == (lab / "issuing.pem").read_text()
    assert openssl("x509", "-in", leaf, "-noout", "-pubkey") == openssl("pkey", "-in", "leaf.key", "-pubout")
    assert "subject=CN = Acme Release, O = Acme, C = DE" in openssl("x509", "-in", leaf, "-noout", "-subject")


def test_signature_of_the_leaf_verifies_as_cms(openssl: OpenSSL, lab: Path) -> None:
    leaf = issue(lab, openssl.request("leaf", "/CN=Acme Release"))
    (openssl.folder / "app.bin").write_bytes(b"artifact")
    sign = ("cms", "-sign", "-binary", "-in", "app.bin", "-outform", "DER", "-out", "app.p7s")
    openssl(*sign, "-signer", leaf, "-inkey", "leaf.key", "-certfile", "lab/issuing.pem")
    verify = ("cms", "-verify", "-binary", "-inform", "DER", "-in", "app.p7s", "-content", "app.bin")
    openssl(*verify, "-CAfile", "lab/root.pem", "-purpose", "any", "-out", "out.bin")
    assert (openssl.folder / "out.bin").read_bytes() == b"artifact"


def test_openssl_shows_the_extensions(openssl: OpenSSL, lab: Path) -> None:
    leaf = issue(lab, openssl.request("leaf", "/CN=Acme Release"))
    basic, usage = "X509v3 Basic Constraints: critical", "X509v3 Key Usage: critical"
    expected = {
        lab / "root.pem": f"{basic} CA:TRUE, pathlen:1 {usage} Certificate Sign, CRL Sign X509v3 Subject",
        lab / "issuing.pem": f"{basic} CA:TRUE, pathlen:0 {usage} Certificate Sign, CRL Sign X509v3 Subject",
        leaf: f"{basic} CA:FALSE {usage} Digital Signature X509v3 Extended Key Usage: Code Signing X509v3 Subject",
    }
    common = ("Version: 3 (0x2)", "X509v3 Authority Key Identifier: ", "Netscape Comment: signkit lab: for tests only")
    for file, extensions in expected.items():
        text = " ".join(openssl("x509", "-in", file, "-noout", "-text").split())
        for part in (extensions, *common):
            assert part in text


def test_default_values_are_left_out_as_der_demands(openssl: OpenSSL, lab: Path) -> None:
    """X.690 section 11.5: neither a critical of FALSE nor a cA of FALSE is encoded."""
    leaf = issue(lab, openssl.request("leaf", "/CN=Acme Release"))
    for file in (lab / "root.pem", lab / "issuing.pem", leaf):
        text = openssl("asn1parse", "-in", file)
        assert text.count("BOOLEAN") == text.count("BOOLEAN           :255") == 2
    assert "[HEX DUMP]:3000\n" in openssl("asn1parse", "-in", leaf)


def test_subject_keeps_the_encoding_of_the_request(openssl: OpenSSL, lab: Path) -> None:
    """Strings that signkit would never write itself are certified octet for octet."""
    openssl.key("leaf")
    (openssl.folder / "bmp.cnf").write_text("[req]\nstring_mask = MASK:0x800\ndistinguished_name = dn\n[dn]\n")
    openssl(
        "req", "-new", "-utf8", "-key", "leaf.key", "-subj", "/CN=Zoë/O=Acmé", "-config", "bmp.cnf", "-out", "leaf.csr"
    )
    leaf = issue(lab, openssl.folder / "leaf.csr")
    assert "BMPSTRING" in openssl("asn1parse", "-in", leaf)
    both = ("-noout", "-subject", "-nameopt", "sep_multiline,show_type,dump_all,dump_der")
    assert openssl("x509", "-in", leaf, *both) == openssl("req", "-in", "leaf.csr", *both)


def test_flipped_signature_bit_and_weak_key_are_refused(openssl: OpenSSL, lab: Path) -> None:
    request = openssl.request("leaf", "/CN=Acme Release", "RSA_2048")
    der = bytearray(pem.decode(request.read_bytes())[0].data)
    der[-10] ^= 0x10
    with pytest.raises(RefusedError, match="proof of possession"):
        issue(lab, request, der=bytes(der))
    openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "w.key", "-subj", "/CN=Weak", "-out", "w.csr")
    with pytest.raises(RefusedError, match="RSA modulus of 1024 bits, expected at least 2048"):
        issue(lab, openssl.folder / "w.csr")


def test_openssl_reads_the_private_keys(openssl: OpenSSL, lab: Path) -> None:
    for name in ("root", "issuing"):
        public = openssl("x509", "-in", lab / f"{name}.pem", "-noout", "-pubkey")
        assert openssl("pkey", "-in", lab / f"{name}.key.pem", "-pubout") == public


def test_private_keys_are_readable_by_the_owner_only(lab: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in lab.iterdir()}
    assert modes.keys() == {"root.pem", "issuing.pem", "root.key.pem", "issuing.key.pem"}
    assert modes["root.key.pem"] == modes["issuing.key.pem"] == 0o600


def test_folder_with_a_lab_is_not_overwritten(lab: Path) -> None:
    before = {path: path.read_bytes() for path in lab.iterdir()}
    with pytest.raises(OutputExistsError):
        folder.save(Authority.create(datetime.now(UTC), secrets.token_bytes), str(lab), FileSink())
    assert {path: path.read_bytes() for path in lab.iterdir()} == before
