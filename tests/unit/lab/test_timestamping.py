"""The lab's time-stamping authority, without a network."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from signkit.algorithms import digests
from signkit.der import tsp, writer
from signkit.errors import CertificateUnusableError
from signkit.lab import timestamping
from signkit.lab.authority import ISSUING_DAYS, Authority
from signkit.tsp import request, response, token
from signkit.x509 import certificate, validation

NOW = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
LAB = Authority.create(NOW, os.urandom)
TSA = timestamping.create(LAB, clock=lambda: NOW, random=os.urandom)


def ask(wanted: request.TimeStampRequest) -> response.TimeStampResponse:
    return response.decode(TSA.answer(wanted.encode()))


@pytest.mark.parametrize("digest", digests.SIGNING)
def test_a_token_that_passes_every_check(digest: str) -> None:
    answer = ask(request.over(b"signature value", digest, nonce=1 << 63, policy=timestamping.POLICY))
    assert answer.granted
    made = token.load(answer.token or b"")
    found = token.examine(made, b"signature value", map(certificate.load, made.certificates))
    assert [check.name for check in found.checks if not check.passed] == []
    assert all(check.passed for check in token.answers(made, nonce=1 << 63, policy=timestamping.POLICY))
    assert made.time == NOW.replace(microsecond=891000)
    assert made.authority == timestamping.SUBJECT
    assert found.certificate is not None
    path = validation.validate(
        found.certificate,
        trust_anchors=[LAB.root.certificate.der],
        intermediates=made.certificates,
        at=made.time,
        purpose="1.3.6.1.5.5.7.3.8",
    )
    assert path


def test_certificates_only_when_asked_for() -> None:
    wanted = request.over(b"", "sha256")
    assert len(token.load(ask(wanted).token or b"").certificates) == 2
    assert token.load(ask(wanted._replace(certificates=False)).token or b"").certificates == ()


def test_serial_numbers_differ() -> None:
    numbers = {token.load(ask(request.over(b"", "sha256")).token or b"").info.serial_number for _ in range(20)}
    assert len(numbers) == 20 and min(numbers) > 0


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        (request.over(b"", "sha1").encode(), "badAlg"),
        (request.over(b"", "sha256", policy="1.2.3").encode(), "unacceptedPolicy"),
        (b"", "badDataFormat"),
        (b"junk", "badDataFormat"),
        (request.over(b"", "sha256").encode() + b"\0", "badDataFormat"),
        (
            tsp.encode_request(
                tsp.TimeStampReq(tsp.MessageImprint(digests.identifier("sha256"), bytes(31)), None, None, True)
            ),
            "badDataFormat",
        ),
    ],
)
def test_refusals(wanted: bytes, word: str) -> None:
    answer = response.decode(TSA.answer(wanted))
    assert not answer.granted
    assert answer.token is None
    assert word in answer.explain()


def test_extensions_are_refused() -> None:
    from signkit.der import reader

    fields = [child.raw for child in reader.parse(request.over(b"", "sha256").encode()).children()]
    extension = writer.sequence(writer.oid("1.2.3"), writer.octet_string(b""))
    answer = response.decode(TSA.answer(writer.sequence(*fields, writer.tlv(0xA0, extension))))
    assert "unacceptedExtension" in answer.explain()


def test_an_authority_that_has_expired_makes_none() -> None:
    late = NOW + timedelta(days=ISSUING_DAYS + 1)
    with pytest.raises(CertificateUnusableError):
        timestamping.create(LAB, clock=lambda: late, random=os.urandom)
