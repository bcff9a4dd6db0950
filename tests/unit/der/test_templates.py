"""Requests and certificates to be signed: strict DER that says what was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from signkit.der import gate, oids, reader, templates, writer
from signkit.errors import MalformedError
from signkit.x509 import certificate, names, request
from tests.support import pki

KEY = pki.key(20)
SUBJECT = names.parse("CN=Acme Release,O=Acme,C=DE")


def a_request(**arguments: Any) -> request.CertificationRequest:
    usual = {"key_usage": ("digitalSignature",), "extended_key_usage": (oids.CODE_SIGNING,)}
    info = templates.certification_request_info(SUBJECT.raw, KEY.public_key_info, **(usual | arguments))
    return request.load(writer.sequence(info, pki.ALGORITHMS["ecdsa-sha256"], writer.bit_string(KEY.sign(info))))


def a_certificate(**arguments: Any) -> certificate.Certificate:
    usual = {
        "serial_number": 5,
        "signature_algorithm": pki.ALGORITHMS["ecdsa-sha256"],
        "issuer": SUBJECT.raw,
        "not_before": pki.NOT_BEFORE,
        "not_after": pki.NOT_AFTER,
        "subject": SUBJECT.raw,
        "public_key_info": KEY.public_key_info,
        "subject_key_identifier": b"subject",
        "authority_key_identifier": b"issuer",
        "ca": False,
    }
    tbs = templates.tbs_certificate(**(usual | arguments))
    algorithm = pki.ALGORITHMS["ecdsa-sha256"]
    return certificate.load(writer.sequence(tbs, algorithm, writer.bit_string(KEY.sign(tbs))))


def test_request_asks_for_what_was_said() -> None:
    found = a_request()
    assert found.subject == SUBJECT
    assert found.public_key_info == KEY.public_key_info
    assert found.proof_of_possession() == ""
    assert found.extensions.keys() == {oids.KEY_USAGE, oids.EXTENDED_KEY_USAGE}
    usage = found.extensions[oids.KEY_USAGE]
    assert usage.critical
    assert reader.named_bits(reader.parse(usage.value)) == {0}
    purposes = reader.parse(found.extensions[oids.EXTENDED_KEY_USAGE].value).children()
    assert [reader.oid(purpose) for purpose in purposes] == [oids.CODE_SIGNING]


def test_request_may_ask_for_nothing() -> None:
    found = a_request(key_usage=(), extended_key_usage=())
    assert found.extensions == {}
    assert reader.parse(found.info).children()[-1].raw == b"\xa0\x00"  # attributes are not optional (RFC 2986 4.1)


def test_certificate_says_what_was_said() -> None:
    found = a_certificate(
        ca=True,
        path_length=0,
        key_usage=("keyCertSign", "cRLSign"),
        extended_key_usage=(oids.CODE_SIGNING, oids.TIME_STAMPING),
        extended_key_usage_critical=True,
        comment="for tests only",
    )
    assert found.version == 3
    assert found.serial_number == 5
    assert found.basic_constraints == (True, 0)
    assert found.key_usage == {"keyCertSign", "cRLSign"}
    assert found.extended_key_usage == (oids.CODE_SIGNING, oids.TIME_STAMPING)
    assert found.extensions[oids.EXTENDED_KEY_USAGE].critical
    assert (found.subject_key_identifier, found.authority_key_identifier) == (b"subject", b"issuer")
    assert found.extensions[templates.NETSCAPE_COMMENT].value == writer.tlv(0x16, b"for tests only")


def test_absent_extensions_are_absent() -> None:
    found = a_certificate()
    assert found.key_usage is None
    assert found.extended_key_usage is None
    assert templates.NETSCAPE_COMMENT not in found.extensions
    assert found.basic_constraints == (False, None)


@pytest.mark.parametrize("usage", certificate.KEY_USAGES)
def test_every_key_usage_has_its_bit(usage: str) -> None:
    assert a_certificate(key_usage=(usage,)).key_usage == {usage}


def test_times_change_their_form_in_2050() -> None:
    found = a_certificate(
        not_before=datetime(2049, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), not_after=datetime(2050, 1, 1, tzinfo=UTC)
    )
    assert found.not_before == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert found.not_after == datetime(2050, 1, 1, tzinfo=UTC)
    validity = reader.parse(found.tbs).children()[4].children()
    assert [element.tag for element in validity] == [reader.UTC_TIME, reader.GENERALIZED_TIME]


def test_times_of_another_zone_are_the_same_moment() -> None:
    east = timezone(timedelta(hours=5))
    found = a_certificate(not_after=datetime(2050, 1, 1, 2, tzinfo=east))
    assert found.not_after == datetime(2049, 12, 31, 21, tzinfo=UTC)
    assert reader.parse(found.tbs).children()[4].children()[1].tag == reader.UTC_TIME


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", pki.chain().leaf + b"\x00"], ids=range(4))
def test_the_gate_refuses_what_is_no_certificate_or_request(der: bytes) -> None:
    with pytest.raises(MalformedError, match="certificate can't be parsed"):
        gate.certificate(der)
    with pytest.raises(MalformedError, match="certification request can't be parsed"):
        gate.certification_request(der)
