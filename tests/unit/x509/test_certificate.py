"""Certificates: odd ones are malformed or read as they are, and only MalformedError comes out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from signkit.x509 import certificate
from tests.support import pki

KEY, CA = pki.key(30), pki.key(31)


def make(*extensions: bytes, **fields: object) -> bytes:
    return pki.certificate("CN=Odd", KEY, "CN=CA", CA, extensions, **fields)  # type: ignore[arg-type]


def test_fields_of_a_good_one() -> None:
    found = certificate.load(pki.chain().leaf)
    assert str(found.subject) == pki.SIGNER
    assert str(found.issuer) == pki.ISSUING
    assert (found.not_before, found.not_after) == (pki.NOT_BEFORE, pki.NOT_AFTER)
    assert found.version == 3
    assert found.key_type == "EC_P256"
    assert found.key_usage == {"digitalSignature"}
    assert found.extended_key_usage == (oids.CODE_SIGNING,)
    assert found.authority_key_identifier == pki.key(2).identifier
    assert found.subject_key_identifier == pki.key(3).identifier
    assert not found.is_ca
    assert not found.self_issued
    assert certificate.load(pki.chain().root).self_issued
    assert found.der == pki.chain().leaf
    assert found.tbs in found.der


def test_equality_is_that_of_the_bytes() -> None:
    found = certificate.load(pki.chain().leaf)
    assert found == certificate.Certificate(pki.chain().leaf)
    assert hash(found) == hash(certificate.Certificate(pki.chain().leaf))
    assert found != certificate.load(pki.chain().root)
    assert found != pki.chain().leaf


def hybrid() -> bytes:
    """A public key whose point is in the hybrid form, which RFC 5480 section 2.2 forbids and OpenSSL reads."""
    algorithm, key = (child.raw for child in reader.parse(KEY.public_key_info).children())
    return writer.sequence(algorithm, key[:3] + bytes((6 + (key[-1] & 1),)) + key[4:])


MALFORMED = {
    "a hybrid point": pki.certificate("CN=Odd", hybrid(), "CN=CA", CA, ()),
    "empty": b"",
    "not DER": b"\x00" * 100,
    "trailing byte": pki.chain().leaf + b"\x00",
    "an extension twice": make(pki.key_usage("digitalSignature"), pki.key_usage("keyCertSign")),
    "an unknown extension twice": make(*[pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL)] * 2),
    "another algorithm inside": make(inner=pki.ALGORITHMS["ecdsa-sha384"]),
    "another algorithm outside": make(outer=pki.ALGORITHMS["ecdsa-sha512"]),
    "other parameters outside": make(outer=writer.sequence(writer.oid(oids.ECDSA_SHA256), writer.NULL)),
    "version 1 with extensions": make(pki.basic_constraints(), version=1),
    "no version with extensions": make(pki.basic_constraints(), version=None),
    "version 2 with extensions": make(pki.basic_constraints(), version=2),
    "version 4": make(version=4),
    "version 0": make(version=0),
    "a huge version": make(version=1 << 20_000),
    "unused bits in the signature": make(unused_bits=1),
    "eight unused bits": make(unused_bits=8),
    "UTCTime with an offset": make(not_after=writer.tlv(0x17, b"340101000000+0000")),
    "UTCTime without seconds": make(not_after=writer.tlv(0x17, b"3401010000Z")),
    "UTCTime on 30 February": make(not_after=writer.tlv(0x17, b"340230000000Z")),
    "GeneralizedTime with a fraction": make(not_after=writer.tlv(0x18, b"20340101000000.5Z")),
    "GeneralizedTime in the year 0": make(not_before=writer.tlv(0x18, b"00000101000000Z")),
    "a time that is text": make(not_after=writer.tlv(0x0C, b"340101000000Z")),
    "a third time": make(not_after=pki.time(pki.NOT_AFTER) + pki.time(pki.NOT_AFTER)),
    "a padded serial number": make(serial=b"\x02\x02\x00\x01"),
    "a serial number without octets": make(serial=b"\x02\x00"),
    "a serial number that is text": make(serial=b"\x0c\x011"),
    "a subject that is no name": pki.certificate(writer.set_of(), KEY, "CN=CA", CA),
    "a subject that is not UTF-8": pki.certificate(
        writer.sequence(writer.set_of(writer.sequence(writer.oid("2.5.4.3"), writer.tlv(0x0C, b"\xff")))),
        KEY,
        "CN=CA",
        CA,
    ),
    "a public key with unused bits": pki.certificate(
        "CN=Odd", KEY.public_key_info[:-66] + b"\x01" + KEY.public_key_info[-65:], "CN=CA", CA
    ),
    "a public key that is no key": pki.certificate("CN=Odd", writer.sequence(), "CN=CA", CA),
    "an RSA key that is no RSAPublicKey": pki.certificate(
        "CN=Odd",
        writer.sequence(writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL), writer.bit_string(b"\x30\x00")),
        "CN=CA",
        CA,
    ),
    "an RSA key of one number": pki.certificate(
        "CN=Odd",
        writer.sequence(
            writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL),
            writer.bit_string(writer.sequence(writer.integer(5))),
        ),
        "CN=CA",
        CA,
    ),
    "a curve that is no object identifier": pki.certificate(
        "CN=Odd",
        writer.sequence(writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), b"\x06\x00"), writer.bit_string(b"\x04")),
        "CN=CA",
        CA,
    ),
    "keyUsage that is an OCTET STRING": make(pki.extension(oids.KEY_USAGE, writer.octet_string(b"\x80"))),
    "keyUsage with a bit that is not there": make(pki.extension(oids.KEY_USAGE, b"\x03\x03\x05\x00\x20")),
    "keyUsage with unused bits set": make(pki.extension(oids.KEY_USAGE, b"\x03\x02\x07\xff")),
    "keyUsage with bytes behind it": make(pki.extension(oids.KEY_USAGE, b"\x03\x02\x07\x80\x00")),
    "extKeyUsage without purposes": make(pki.extended_key_usage()),
    "extKeyUsage that is an OBJECT IDENTIFIER": make(
        pki.extension(oids.EXTENDED_KEY_USAGE, writer.oid(oids.CODE_SIGNING))
    ),
    "extKeyUsage that holds text": make(pki.extension(oids.EXTENDED_KEY_USAGE, writer.sequence(b"\x0c\x01a"))),
    "basicConstraints with a BOOLEAN of 01": make(
        pki.extension(oids.BASIC_CONSTRAINTS, writer.sequence(b"\x01\x01\x01"))
    ),
    "basicConstraints with three fields": make(
        pki.extension(oids.BASIC_CONSTRAINTS, writer.sequence(pki.boolean(True), writer.integer(0), writer.integer(0)))
    ),
    "a negative path length": make(pki.basic_constraints(True, -1)),
    "a path length of 6,000 digits": make(pki.basic_constraints(True, 1 << 20_000)),
    "subjectKeyIdentifier that is NULL": make(pki.extension(oids.SUBJECT_KEY_IDENTIFIER, writer.NULL)),
    "authorityKeyIdentifier that is an OCTET STRING": make(
        pki.extension(oids.AUTHORITY_KEY_IDENTIFIER, writer.octet_string(b"a"))
    ),
    "an extension that is no SEQUENCE": make(writer.set_of(writer.oid(oids.KEY_USAGE), writer.octet_string(b""))),
    "an extension without value": make(writer.sequence(writer.oid(oids.KEY_USAGE))),
    "an extension with a critical of 01": make(
        writer.sequence(writer.oid(oids.KEY_USAGE), b"\x01\x01\x01", writer.octet_string(b"\x03\x02\x07\x80"))
    ),
    "an extension whose value is a BIT STRING": make(
        writer.sequence(writer.oid(oids.KEY_USAGE), writer.bit_string(b"\x03\x02\x07\x80"))
    ),
    "two fields of extensions": make(
        pki.basic_constraints(), optional=writer.tlv(0xA3, writer.sequence(pki.key_usage("keyCertSign")))
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    with pytest.raises(MalformedError):
        certificate.load(MALFORMED[name])


@pytest.mark.parametrize("name", MALFORMED)
def test_nothing_else_is_raised_without_the_gate(name: str) -> None:
    """Also what the gate catches first must not end in a traceback when the store hands it out."""
    try:
        certificate.load_accepted(MALFORMED[name])
    except MalformedError:
        pass


def test_truncation_at_every_byte_is_refused() -> None:
    der = pki.chain().leaf
    for length in range(len(der)):
        with pytest.raises(MalformedError):
            certificate.load(der[:length])
        with pytest.raises(MalformedError):
            certificate.load_accepted(der[:length])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"not_before": datetime(1950, 1, 1, tzinfo=UTC)}, datetime(1950, 1, 1, tzinfo=UTC)),
        ({"not_before": writer.tlv(0x18, b"00010101000000Z")}, datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_early_dates(fields: dict[str, object], expected: datetime) -> None:
    """Dates at the edge of what can be computed with are read or refused, and never overflow."""
    try:
        assert certificate.load(make(**fields)).not_before == expected
    except MalformedError:
        pass


def test_the_end_of_time() -> None:
    """RFC 5280 section 4.1.2.5: a certificate without a known end says 9999."""
    found = certificate.load(make(not_after=writer.tlv(0x18, b"99991231235959Z")))
    assert found.not_after == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_certificates_without_extensions_are_read() -> None:
    for version in (None, 1, 3):
        try:
            found = certificate.load(make(version=version))
        except MalformedError:
            assert version == 1  # an encoded default is not DER
            continue
        assert found.extensions == {}
        assert found.key_usage is None
        assert not found.is_ca


def test_an_explicit_false_can_not_be_misread() -> None:
    """Not DER, but real authorities write it."""
    der = make(pki.extension(oids.BASIC_CONSTRAINTS, writer.sequence(pki.boolean(False))))
    assert certificate.load(der).basic_constraints == (False, None, True)


def test_an_unknown_key_is_no_fault_of_the_encoding() -> None:
    ed448 = writer.sequence(writer.sequence(writer.oid("1.3.101.113")), writer.bit_string(bytes(57)))
    assert certificate.load(pki.certificate("CN=Odd", ed448, "CN=CA", CA)).key_type == "unknown (1.3.101.113)"


def test_the_same_bytes_are_parsed_once() -> None:
    assert certificate.load(pki.chain().leaf) is certificate.load(bytes(bytearray(pki.chain().leaf)))


def test_extension_values_are_the_bytes_inside() -> None:
    der = make(pki.extension(pki.UNKNOWN_EXTENSION, b"\x0c\x01a", critical=True))
    assert certificate.load(der).extensions == {pki.UNKNOWN_EXTENSION: (True, b"\x0c\x01a")}
    assert reader.parse(certificate.load(der).der).raw == der
