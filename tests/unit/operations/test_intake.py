"""Taking in what an authority sent: the right certificate, its chain, and nothing that is on record ever lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from signkit.der import oids, writer
from signkit.errors import BindingError, MalformedError, NotFoundError, UsageError
from signkit.keys.reference import parse_key, parse_key_version
from signkit.x509 import bundle, certificate, general_names, pem
from tests.support import pki
from tests.support.cms_builder import SignedData, to_ber
from tests.support.onboarding import House

CHAIN = pki.chain()
DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    return House()


def test_the_newest_that_is_valid_becomes_current_and_the_others_are_kept(house: House) -> None:
    key = house.key()
    old = house.leaf(key, not_before=house.now - 300 * DAY, not_after=house.now + 60 * DAY)
    new = house.leaf(key, not_before=house.now - 2 * DAY, not_after=house.now + 30 * DAY)
    expired = house.leaf(key, not_before=house.now - 90 * DAY, not_after=house.now - DAY)
    future = house.leaf(key, not_before=house.now + DAY, not_after=house.now + 900 * DAY)
    found = house.import_(key, pki.as_pem(expired, old, CHAIN.issuing), pki.as_pem(future, new))
    assert found.bound.certificate == new
    assert {one.der for one in found.earlier} == {old, expired, future}
    assert house.on_record(key)[0] == new
    assert set(house.on_record(key)) == {old, new, expired, future}
    assert [one.current for one in house.certificates.certificates()] == [True, False, False, False]
    assert house.actions().count("ImportCertificate") == 4
    assert all(one.bound.chain == (CHAIN.issuing,) for one in house.certificates.certificates())


def test_import_never_deletes(house: House) -> None:
    key = house.key()
    first, second = house.certify(key), house.leaf(key, not_before=house.now - 3 * DAY, not_after=house.now + DAY)
    found = house.import_(key, second)
    assert house.on_record(key) == [second, first]
    assert any("takes the place of one that is valid longer" in warning for warning in found.warnings)


def test_a_dry_run_records_nothing(house: House) -> None:
    key = house.key()
    before = len(house.actions())
    assert house.import_(key, house.leaf(key), dry_run=True).certificate
    assert not house.on_record(key)
    assert len(house.actions()) == before


def test_a_reissue_under_a_new_intermediate(house: House) -> None:
    """Two issuing CAs of one name: the chain is the one whose key signed."""
    key, other = house.key(), pki.key(77)
    twin = pki.ca(pki.ISSUING, other, pki.ROOT, pki.key(1))
    leaf = pki.leaf(pki.SIGNER, house.public_key(key), pki.ISSUING, other)
    found = house.import_(key, pki.as_pem(CHAIN.issuing, CHAIN.root, leaf, twin))
    assert found.bound.chain == (twin, CHAIN.root)
    assert found.unused == (pki.ISSUING,)
    assert found.complete


def test_a_leaf_of_another_key_is_refused_by_naming_both(house: House) -> None:
    key, other = house.key("release"), house.key("other")
    certified = house.leaf(other)
    with pytest.raises(BindingError) as caught:
        house.import_(key, pki.as_pem(certified, CHAIN.issuing))
    mine, theirs = (house.keys.directory.key(parse_key(name)).id for name in ("alias/release", "alias/other"))
    assert f"{mine}@1" in caught.value.message
    assert f"{theirs}@1" in caught.value.message
    assert f"cert import {theirs}@1" in caught.value.hint
    assert not house.on_record(key)
    assert not house.on_record(other)


def test_a_leaf_of_another_version_is_refused(house: House) -> None:
    key = house.key()
    second = house.version(key)
    with pytest.raises(BindingError, match="@2"):
        house.import_(key, house.leaf(second))


def test_what_is_missing_is_said_with_where_it_is_to_be_had(house: House) -> None:
    key = house.key()
    entry = writer.sequence(writer.oid(oids.CA_ISSUERS), general_names.parse("uri:http://ca.example/issuing.crt"))
    extra = pki.extension(oids.AUTHORITY_INFO_ACCESS, writer.sequence(entry))
    (warning,) = house.import_(key, house.leaf(key, extra=[extra])).warnings
    assert pki.ISSUING in warning
    assert "http://ca.example/issuing.crt" in warning


def test_a_malformed_place_of_the_issuer_is_no_defect(house: House) -> None:
    key = house.key()
    extra = pki.extension(oids.AUTHORITY_INFO_ACCESS, b"\x30\x02\x30\x00")
    assert house.import_(key, house.leaf(key, extra=[extra])).warnings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"not_after": pki.NOW - DAY, "not_before": pki.NOW - 9 * DAY}, "expired"),
        ({"not_before": pki.NOW + DAY}, "valid only from"),
        ({"purposes": (oids.SERVER_AUTH,)}, "nothing can be signed"),
    ],
)
def test_what_stands_in_the_way_of_signing(house: House, changes: dict[str, object], words: str) -> None:
    key = house.key()
    found = house.import_(key, pki.as_pem(house.leaf(key, **changes), CHAIN.issuing))
    assert any(words in warning for warning in found.warnings)


def test_an_issuer_that_has_expired(house: House) -> None:
    key = house.key()
    issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), not_after=house.now - DAY)
    assert any("issuing certificate" in w for w in house.import_(key, house.leaf(key), issuing).warnings)


# --- files ---


def p12(password: bytes, *, key: object = None, leaf: bytes = CHAIN.leaf) -> bytes:
    loaded = x509.load_der_x509_certificate(leaf)
    issuing = x509.load_der_x509_certificate(CHAIN.issuing)
    own, others = (loaded, [issuing]) if key is not None else (None, [loaded, issuing])
    return pkcs12.serialize_key_and_certificates(b"x", key, own, others, BestAvailableEncryption(password))  # type: ignore[arg-type]


def test_pkcs12_with_a_passphrase(house: House) -> None:
    key = house.key()
    data = p12(b"geheim", leaf=house.leaf(key))
    with pytest.raises(MalformedError, match="file-0: .*passphrase is wrong"):
        house.import_(key, data)
    assert house.import_(key, data, passphrase="geheim").chain
    assert len(house.on_record(key)) == 1


def test_a_private_key_in_pkcs12_or_pem_is_never_taken(house: House) -> None:
    key = house.key()
    leaf = house.leaf(key)
    private = pem.encode("PRIVATE KEY", pki.key(3).private_key_info).encode()
    found = house.import_(key, private + pki.as_pem(leaf, CHAIN.issuing))
    assert any("private key" in warning and "passed over" in warning for warning in found.warnings)
    read = bundle.read(p12(b"geheim", key=pki.key(3).private), "geheim")
    assert "not decrypted and not taken" in read.notices[0]
    assert set(read.certificates) == {CHAIN.leaf, CHAIN.issuing}


PKCS7 = SignedData((), (CHAIN.leaf, CHAIN.issuing), digest_algorithms=(), ordered=False).encode()
TEXT = pki.as_pem(CHAIN.leaf, CHAIN.issuing).decode()
TRUSTED = CHAIN.leaf + writer.sequence(writer.sequence(writer.oid(oids.CODE_SIGNING)))
FORMS = {
    "BER": to_ber(PKCS7, segment=100),
    "BER in PEM": pem.encode("PKCS7", to_ber(PKCS7, segment=100)).encode(),
    "byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16, big endian": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "base64 alone": pem.encode("X", PKCS7).encode().partition(b"\n")[2].rpartition(b"-----END")[0],
    "CRLF, text around": ("Dear customer,\n" + TEXT.replace("\n", "\r\n") + "Regards").encode(),
    "trusted": pem.encode("TRUSTED CERTIFICATE", TRUSTED).encode() + pki.as_pem(CHAIN.issuing),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_that_authorities_send(name: str) -> None:
    found = bundle.certificates(FORMS[name])
    assert found == [CHAIN.leaf, CHAIN.issuing]
    assert [certificate.load(der).der for der in found] == found


def test_certificates_beyond_all_measure_are_refused() -> None:
    large = writer.sequence(bytes(bundle.MAXIMUM_CERTIFICATE))
    for data in (large, pem.encode("CERTIFICATE", large).encode(), pki.as_pem(CHAIN.leaf) * 1001):
        with pytest.raises(MalformedError, match="expected at most"):
            bundle.certificates(data)


# --- list and export ---


def test_listing_of_one_key_or_version(house: House) -> None:
    first, other = house.key("release"), house.key("other")
    second = house.version(first)
    ders = {one: house.certify(one) for one in (first, other, second)}

    def listed(text: str | None) -> set[bytes]:
        reference = None if text is None else parse_key_version(text)
        return {one.bound.certificate for one in house.certificates.certificates(reference)}

    assert listed(None) == set(ders.values())
    assert listed("alias/release") == {ders[first], ders[second]}
    assert listed(second) == {ders[second]}
    with pytest.raises(NotFoundError):
        listed("alias/nobody")
    with pytest.raises(NotFoundError):
        listed("alias/release@9")


def test_export_in_every_form(house: House) -> None:
    key = house.key()
    leaf = house.certify(key)
    reference = parse_key_version(key)
    assert house.certificates.export(reference) == pki.as_pem(leaf)
    assert house.certificates.export(reference, form="der") == leaf
    assert house.certificates.export(reference, chain=True) == pki.as_pem(leaf, CHAIN.issuing)
    for chain, expected in ((False, {leaf}), (True, {leaf, CHAIN.issuing})):
        data = house.certificates.export(reference, chain=chain, form="p7b")
        assert set(bundle.certificates(data)) == expected
    for chain, form in ((True, "der"), (False, "p12")):
        with pytest.raises(UsageError):
            house.certificates.export(reference, chain=chain, form=form)
