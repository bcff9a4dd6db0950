"""Distribution points: nothing but MalformedError, whatever the extension holds."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from signkit.x509 import certificate, crl, distribution_point, names, ocsp
from signkit.x509.certificate import Certificate
from tests.support import pki
from tests.support import revocation as rev

HTTP = rev.uri("http://crl.test/a")
GOOD = rev.issuing_point(rev.full_name(HTTP, rev.directory("CN=A")), rev.ONLY_USERS, rev.reason_flags(0x83, 1))


def leaf(*extra: bytes) -> Certificate:
    return certificate.load(pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=extra))


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [writer.tlv(0xA0)],
        [writer.tlv(0xA0, writer.tlv(0xA0))],
        [writer.tlv(0xA0, writer.tlv(0xA2, HTTP))],
        [writer.tlv(0xA3)],
        [rev.reason_flags(0x81, 1)],
        [rev.full_name(writer.tlv(0xA4, b"\x30\x03\x31\x01\x00"))],
        [rev.full_name(HTTP), writer.tlv(0xA2)],
    ],
)
def test_malformed_points(fields: list[bytes]) -> None:
    with pytest.raises(MalformedError):
        distribution_point.points(leaf(rev.points(fields)))


def test_points() -> None:
    issuer = writer.tlv(0xA2, rev.directory("CN=CRL Issuer"))
    found = distribution_point.points(
        leaf(rev.points([rev.full_name(rev.uri("ldap://x"), HTTP), rev.reason_flags(0x81, 1, 8)], [issuer]))
    )
    assert found[0].urls == ("http://crl.test/a", "ldap://x")
    assert found[0].reasons == {"keyCompromise", "aACompromise"}
    assert found[1].crl_issuers == (names.parse("CN=CRL Issuer"),)
    assert distribution_point.points(leaf()) == ()
    assert distribution_point.urls(leaf(rev.ocsp_url("http://o/")), oids.AD_OCSP) == ("http://o/",)
    assert distribution_point.urls(leaf(rev.ocsp_url("http://o/")), "1.2.3") == ()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_raises_anything_else(data: st.DataObject) -> None:
    value = bytearray(reader.parse(GOOD).children()[-1].content)
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    subject = Certificate(leaf().der)  # not the one that is kept
    for oid in (oids.CRL_DISTRIBUTION_POINTS, oids.AUTHORITY_INFO_ACCESS):
        subject.extensions[oid] = certificate.Extension(False, bytes(value))
    for read in (
        lambda: distribution_point.issuing(bytes(value)).name,
        lambda: distribution_point.points(subject),
        lambda: distribution_point.urls(subject, oids.AD_OCSP),
    ):
        try:
            read()
        except MalformedError:
            pass


def test_millions_of_empty_elements_cost_little() -> None:
    """Two octets each: as a list they would take a hundred times their size."""
    many = writer.tlv(0x05) * (4 << 20)
    began = process_time()
    for der in (
        writer.sequence(writer.sequence(many)),
        writer.sequence(many),
        writer.sequence(writer.sequence(rev.by_name("CN=A"), rev.generalized(pki.NOW), writer.sequence(many))),
    ):
        for read in (crl.issuer_of, crl.load, ocsp.load, ocsp.parse_request):
            with pytest.raises(MalformedError):
                read(der)
    assert process_time() - began < 2
