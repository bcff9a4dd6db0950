"""Renewal and re-key: the names of the present certificate, never a version that nobody named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signkit import algorithms
from signkit.cms import full_pki_request, signed_data
from signkit.der import oids, reader, writer
from signkit.errors import CertificateUnusableError, MalformedError, NotFoundError, StateError, VersionRequiredError
from signkit.keys.reference import parse_key, parse_key_version
from signkit.operations import renewal
from signkit.x509 import extensions, general_names, request
from tests.support import pki
from tests.support.onboarding import House
from tests.support.openssl import OpenSSL

NAMES = writer.sequence(general_names.parse("email:release@acme.example"), general_names.parse("upn:release@acme"))
ALTERNATIVE = pki.extension(oids.SUBJECT_ALT_NAME, NAMES)
# Written by others: a BMPString and a multi-valued RDN stay as they are.
SUBJECT = writer.sequence(
    writer.set_of(
        writer.sequence(writer.oid("2.5.4.3"), writer.tlv(reader.BMP_STRING, "Zoë".encode("utf-16-be"))),
        writer.sequence(writer.oid("2.5.4.5"), writer.tlv(reader.PRINTABLE_STRING, b"7")),
    )
)


@pytest.fixture
def house() -> House:
    return House()


def rekey(house: House, follow: str | None = None) -> renewal.Rekeyed:
    key = parse_key("alias/release")
    return renewal.rekey(house.keys, house.certificates, key, follow=follow)


def test_renewal_asks_for_what_the_certificate_says(house: House) -> None:
    key = house.key()
    house.certify(key, subject=SUBJECT, extra=[ALTERNATIVE])
    made = renewal.renew(house.keys, house.certificates, parse_key_version(key))
    assert made.request.subject.raw == SUBJECT
    assert extensions.alternative_names(made.request.extensions) == general_names.read(NAMES)
    assert made.request.key_usage == {"digitalSignature"}
    assert made.request.extended_key_usage == (oids.CODE_SIGNING,)
    assert made.request.public_key_info == house.public_key(key)
    assert made.request.proof_of_possession() == ""


def test_renewal_needs_a_version_and_a_certificate(house: House) -> None:
    key = house.key()
    with pytest.raises(VersionRequiredError):
        renewal.renew(house.keys, house.certificates, parse_key_version("alias/release"))
    with pytest.raises(NotFoundError, match="no certificate"):
        renewal.renew(house.keys, house.certificates, parse_key_version(key))
    house.certify(key)
    house.disable(key)
    with pytest.raises(StateError):
        renewal.renew(house.keys, house.certificates, parse_key_version(key))


def test_rekey_makes_a_version_and_signs_with_both_keys(house: House) -> None:
    key = house.key()
    house.certify(key, subject=SUBJECT, extra=[ALTERNATIVE])
    made = rekey(house)
    assert made.created.version.number == 2
    assert str(made.present) == "alias/release@1"
    assert made.created.request.subject.raw == SUBJECT
    assert made.created.request.public_key_info == house.public_key("alias/release@2")
    parsed = signed_data.parse(made.full_request)
    assert parsed.encoding == "DER"
    content = parsed.signed_data.content or b""
    assert parsed.signed_data.content_type == "1.3.6.1.5.5.7.12.2"  # id-cct-PKIData (RFC 5272)
    assert parsed.signed_data.version == 3
    assert full_pki_request.request_in(content) == made.created.der
    assert request.load(made.created.der).proof_of_possession() == ""


@pytest.mark.parametrize("key_type", sorted(set(algorithms.key_types()) - {"RSA_2048", "RSA_3072", "RSA_4096"}))
def test_a_key_of_every_type_can_follow_itself(house: House, key_type: str) -> None:
    """RSA is left out here because making its keys takes long; openssl judges it below."""
    key = house.key(key_type=key_type)
    house.certify(key)
    made = rekey(house)
    assert made.created.request.key_type == key_type
    assert full_pki_request.request_in(signed_data.parse(made.full_request).signed_data.content or b"")


@pytest.mark.parametrize("key_type", ["RSA_2048", "EC_P384", "EC_P256K"])
def test_openssl_verifies_the_full_request(house: House, openssl: OpenSSL, key_type: str) -> None:
    """Ed25519 is left out: the cms command of OpenSSL 3.0 can't verify it (RFC 8419)."""
    key = house.key(key_type=key_type)
    house.certify(key)
    made = rekey(house)
    (openssl.folder / "root.pem").write_bytes(pki.as_pem(pki.chain().root))
    (openssl.folder / "request.p7m").write_bytes(made.full_request)
    at = ("-attime", str(int(house.now.timestamp())))
    verify = ("cms", "-verify", "-inform", "DER", "-in", "request.p7m", "-CAfile", "root.pem", "-purpose", "any", *at)
    openssl(*verify, "-out", "pkidata.der")
    content = (openssl.folder / "pkidata.der").read_bytes()
    assert full_pki_request.request_in(content) == made.created.der
    (openssl.folder / "new.csr").write_text(made.created.pem)
    openssl("req", "-in", "new.csr", "-verify", "-noout")


def test_rekey_never_picks_among_several_certified_versions(house: House) -> None:
    first = house.key()
    house.certify(first)
    second = house.version(first)
    house.certify(second, subject="CN=Second")
    with pytest.raises(VersionRequiredError, match="alias/release@1, alias/release@2") as caught:
        rekey(house)
    assert "--from 2" in caught.value.hint
    assert len(house.keys.directory.versions(parse_key("alias/release"))[1]) == 2
    made = rekey(house, "1")
    assert made.created.version.number == 3
    assert str(made.created.request.subject) == pki.SIGNER


@pytest.mark.parametrize("state", ["no certificate", "expired", "disabled", "unknown version"])
def test_what_is_refused_is_refused_before_a_version_is_made(house: House, state: str) -> None:
    key, follow, error = house.key(), None, NotFoundError
    if state != "no certificate":
        house.certify(key)
    if state == "expired":
        house.now += timedelta(days=365)
        error = CertificateUnusableError
    elif state == "disabled":
        house.disable(key)
        error = StateError
    elif state == "unknown version":
        follow = "7"
    with pytest.raises(error):
        rekey(house, follow)
    assert len(house.keys.directory.versions(parse_key("alias/release"))[1]) == 1


def test_a_dry_run_of_a_rekey_makes_nothing(house: House) -> None:
    house.certify(house.key())
    before = len(house.store.entries)
    ready = renewal.prepare_rekey(house.keys, house.certificates, parse_key("alias/release"))
    assert (str(ready.present), ready.number, str(ready.wanted.subject)) == ("alias/release@1", 2, pki.SIGNER)
    assert len(house.keys.directory.versions(parse_key("alias/release"))[1]) == 1
    assert len(house.store.entries) == before


def test_a_wrong_signature_never_leaves(house: House) -> None:
    key = house.key()
    house.certify(key)
    made = rekey(house)
    leaf = house.certificates.with_chain(parse_key_version(key))[0]
    algorithm = algorithms.signature_algorithm("EC_P256")
    prepared = full_pki_request.prepare(made.created.der, leaf, (), algorithm, house.now)
    with pytest.raises(MalformedError, match="does not verify"):
        full_pki_request.assemble(prepared, bytes(70))


@pytest.mark.parametrize("content", [b"", b"\x30\x00", b"\x30\x08" + b"\x30\x00" * 4])
def test_content_without_a_request(content: bytes) -> None:
    with pytest.raises(MalformedError):
        full_pki_request.request_in(content)
