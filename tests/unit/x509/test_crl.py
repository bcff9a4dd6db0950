"""CRLs: what can't be read or must not be used is refused before anything else; then what is read."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signkit.der import oids, writer
from signkit.errors import MalformedError
from signkit.x509 import certificate, crl, names, pem
from signkit.x509.distribution_point import ALL_REASONS
from tests.support import pki
from tests.support import revocation as rev

ISSUING = names.parse(pki.ISSUING)
WHEN = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("der", "message"),
    [
        (b"", "can't be parsed"),
        (b"\x30\x00", "can't be parsed"),
        (pki.chain().leaf, "can't be parsed"),
        (rev.crl() + b"\0", "can't be parsed"),
        (rev.crl(inner=pki.ALGORITHMS["rsa-sha256"]), "two signature algorithms|can't be parsed"),
        (rev.crl(version=1), "version"),
        (rev.crl(version=None), "version 1"),
        (rev.crl(extensions=[rev.number(1), rev.number(2)]), "twice|can't be parsed"),
        (rev.crl(extensions=[rev.issuing_point(rev.ONLY_USERS, rev.ONLY_CAS)]), "two kinds"),
        (rev.crl(extensions=[rev.issuing_point(rev.INDIRECT, rev.ONLY_USERS)]), "out of order"),
        (rev.crl(extensions=[rev.issuing_point(writer.tlv(0x86, b"\xff"))]), "unknown tag"),
        (rev.crl(entries=[writer.sequence(pki.time(WHEN), writer.integer(1))]), "serial number|can't be parsed"),
    ],
)
def test_what_is_no_crl_is_refused(der: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        crl.load(der)


@pytest.mark.parametrize("extension", [pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL, critical=True)])
def test_unknown_critical_extensions_make_it_unusable(extension: bytes) -> None:
    assert "critical" in crl.load(rev.crl(extensions=[rev.number(1), extension])).unusable
    other_entry = rev.entry(4711, WHEN, extension)
    assert "critical" in crl.load(rev.crl(entries=[rev.entry(1, WHEN), other_entry])).unusable


def test_a_certificate_issuer_belongs_into_indirect_crls_only() -> None:
    entries = [rev.entry(1, WHEN, rev.certificate_issuer(pki.ROOT))]
    assert "not indirect" in crl.load(rev.crl(entries=entries)).unusable
    assert not crl.load(rev.crl(entries=entries, extensions=[rev.issuing_point(rev.INDIRECT)])).unusable


def test_extensions_that_are_not_critical_do_no_harm() -> None:
    extension = pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL)
    found = crl.load(rev.crl(entries=[rev.entry(1, WHEN, extension)], extensions=[rev.number(7), extension]))
    assert not found.unusable
    assert found.number == 7


def test_entries() -> None:
    entries = [
        rev.entry(1, WHEN),
        rev.entry(-5, WHEN, rev.reason(6)),
        rev.entry(1 << 158, WHEN, rev.reason(1), rev.invalidity(datetime(2026, 4, 1, tzinfo=UTC))),
        rev.entry(200, WHEN, rev.reason(7)),
    ]
    found = crl.load(rev.crl(entries=entries))
    assert found.size == 4
    assert found.find(2, ISSUING) is None
    assert found.find(1, names.parse(pki.ROOT)) is None
    plain, compromised = found.find(1, ISSUING), found.find(1 << 158, ISSUING)
    assert plain is not None and compromised is not None
    assert (plain.revocation_date, plain.reason, plain.invalidity_date) == (WHEN, "unspecified", None)
    assert (compromised.reason, compromised.since) == ("keyCompromise", datetime(2026, 4, 1, tzinfo=UTC))
    assert found.find(-5, ISSUING)._asdict()["reason"] == "certificateHold"  # type: ignore[union-attr]
    assert found.find(200, ISSUING)._asdict()["reason"] == "unspecified"  # type: ignore[union-attr]


def test_of_two_entries_for_one_certificate_the_earlier_counts() -> None:
    later = datetime(2026, 5, 20, tzinfo=UTC)
    found = crl.load(rev.crl(entries=[rev.entry(1, later), rev.entry(1, WHEN), rev.entry(1, WHEN, rev.reason(8))]))
    entry = found.find(1, ISSUING)
    assert entry is not None
    assert (entry.revocation_date, entry.reason) == (WHEN, "unspecified")


def test_entries_of_an_indirect_crl_are_of_the_issuer_named_last() -> None:
    entries = [
        rev.entry(1, WHEN),
        rev.entry(2, WHEN, rev.certificate_issuer("CN=A")),
        rev.entry(3, WHEN),
        rev.entry(4, WHEN, rev.certificate_issuer("CN=B")),
    ]
    found = crl.load(rev.crl(entries=entries, extensions=[rev.issuing_point(rev.INDIRECT)]))
    for serial, issuer in ((1, pki.ISSUING), (2, "CN=A"), (3, "cn=a"), (4, "CN=B")):
        for name in (pki.ISSUING, "CN=A", "CN=B"):
            same = names.parse(name) == names.parse(issuer)
            assert (found.find(serial, names.parse(name)) is not None) is same, (serial, name)


def test_fields() -> None:
    scope = rev.issuing_point(rev.full_name(rev.uri("http://a/")), rev.ONLY_USERS, rev.reason_flags(0x83, 1, 2))
    found = crl.load(rev.crl(extensions=[rev.number(5), rev.delta(4), scope], next_update=None))
    assert (found.number, found.base_number, found.next_update) == (5, 4, None)
    assert found.scope.user_certificates and not found.scope.indirect
    assert found.scope.reasons == {"keyCompromise", "cACompromise"}
    assert crl.load(rev.crl()).scope.reasons == ALL_REASONS
    assert crl.load(rev.crl(version=None, extensions=())).version == 1


def test_pem_and_der_files() -> None:
    der = rev.crl()
    text = pem.encode("X509 CRL", der).encode()
    assert crl.from_file(der) == [der]
    assert crl.from_file(b"text\n" + text + text) == [der, der]
    for wrong in (b"", b"hello", pki.as_pem(pki.chain().leaf)):
        with pytest.raises(MalformedError):
            crl.from_file(wrong)


def test_a_hundred_thousand_entries() -> None:
    """The limits of the specification: two seconds, 200 MB."""
    extensions = (rev.reason(1), rev.invalidity(WHEN))
    thousand = b"".join(rev.entry(1 << 120 | n, WHEN, *extensions) for n in range(1000))
    # a hundred times the same thousand, with other serial numbers of the same length
    der = rev.crl(entries=[thousand.replace(b"\x01" + b"\0" * 10, b"\x01" + bytes([n]) * 10) for n in range(1, 101)])
    began = process_time()
    found = crl.load(der)
    assert found.find(1, ISSUING) is None
    taken = process_time() - began
    tracemalloc.start()
    crl.load(der)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.size == 100_000
    assert taken < 2, f"{taken:.2f} s"
    assert peak < 100 << 20, f"{peak >> 20} MB"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_raises_anything_else(data: st.DataObject) -> None:
    der = bytearray(
        rev.crl(
            entries=[rev.entry(1, WHEN, rev.reason(1), rev.certificate_issuer("CN=A")), rev.entry(2, WHEN)],
            extensions=[rev.number(3), rev.issuing_point(rev.full_name(rev.directory("CN=X")), rev.INDIRECT)],
        )
    )
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = crl.load(bytes(der))
        found.find(1, names.parse("CN=A"))
        found.find(2, ISSUING)
    except MalformedError:
        pass


def test_the_leaf_is_found_by_its_certificate() -> None:
    leaf = certificate.load(pki.chain().leaf)
    found = crl.load(rev.crl(entries=[rev.entry(leaf.der, WHEN)]))
    assert found.find(leaf.serial_number, leaf.issuer) is not None
    assert oids.name(oids.CRL_NUMBER) == "cRLNumber"
