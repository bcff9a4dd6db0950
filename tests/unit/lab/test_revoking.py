"""Revocation by the lab, judged by signkit's own reader; openssl judges it in ``tests/interop``."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signkit.errors import MalformedError, RefusedError, UsageError
from signkit.files import FileSink, FileSource
from signkit.lab import revocation_folder, revoking
from signkit.lab.authority import PURPOSES, Authority, SigningKey
from signkit.lab.revoking import Revocations
from signkit.x509 import certificate, distribution_point, names, ocsp, pem, revocation
from signkit.x509.certificate import Certificate
from signkit.x509.path import Bag
from tests.support import pki

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def lab() -> Authority:
    return Authority.create(NOW - DAY, secrets.token_bytes)


def leaf_of(lab: Authority, *extensions: bytes) -> Certificate:
    return lab.issuing.issue(
        names.parse("CN=A"),
        SigningKey.generate().public_key_info,
        PURPOSES["code-signing"],
        now=NOW - DAY,
        days=90,
        random=secrets.token_bytes,
        further_extensions=extensions,
    )


def judge(lab: Authority, leaf: Certificate, evidence: revocation.RevocationEvidence) -> list[str]:
    path = (leaf, lab.issuing.certificate, lab.root.certificate)
    bag = Bag([path[2].der], [path[1].der])
    return [check.verdict.value for check in revocation.checker(evidence, bag=bag, at=NOW, now=NOW, mode="check")(path)]


def crls(lab: Authority, known: Revocations) -> revocation.RevocationEvidence:
    cas = (lab.root, lab.issuing)
    made = tuple(revoking.crl(ca, known.of(lab, ca), number=known.number, now=NOW) for ca in cas)
    return revocation.RevocationEvidence(crls=made)


def responses(lab: Authority, known: Revocations, *asked: bytes) -> revocation.RevocationEvidence:
    made = tuple(revoking.answer_ocsp(lab, known, request, now=NOW) for request in asked)
    return revocation.RevocationEvidence(ocsp_responses=made)


def test_what_cant_be_revoked(lab: Authority) -> None:
    leaf, foreign = leaf_of(lab), certificate.load(pki.chain().leaf)
    with pytest.raises(UsageError, match="keyCompromise"):
        revoking.revoke(lab, Revocations(), leaf, reason="lost", when=NOW)
    with pytest.raises(RefusedError, match="not issued by this lab"):
        revoking.revoke(lab, Revocations(), foreign, reason="unspecified", when=NOW)
    with pytest.raises(RefusedError, match="root of a lab"):
        revoking.revoke(lab, Revocations(), lab.root.certificate, reason="unspecified", when=NOW)
    with pytest.raises(RefusedError, match="not on hold"):
        revoking.revoke(lab, Revocations(), leaf, reason="removeFromCRL", when=NOW)
    once = revoking.revoke(lab, Revocations(), leaf, reason="superseded", when=NOW)
    with pytest.raises(RefusedError, match="final"):
        revoking.revoke(lab, once, leaf, reason="keyCompromise", when=NOW)
    impostor = Authority.create(NOW - DAY, secrets.token_bytes)
    with pytest.raises(RefusedError, match="not issued by this lab"):
        revoking.revoke(lab, Revocations(), leaf_of(impostor), reason="unspecified", when=NOW)


def test_crls(lab: Authority) -> None:
    leaf = leaf_of(lab)
    assert judge(lab, leaf, crls(lab, Revocations())) == ["pass", "pass"]
    known = revoking.revoke(lab, Revocations(), leaf, reason="keyCompromise", when=NOW - DAY)
    assert judge(lab, leaf, crls(lab, known)) == ["fail", "pass"]
    assert judge(lab, leaf_of(lab), crls(lab, known)) == ["pass", "pass"]
    known = revoking.revoke(lab, known, lab.issuing.certificate, reason="cACompromise", when=NOW + DAY)
    assert judge(lab, leaf, crls(lab, known)) == ["fail", "pass"], "the CA only from tomorrow on"
    assert known.number == 3


def test_a_hold_is_lifted_or_becomes_final(lab: Authority) -> None:
    leaf = leaf_of(lab)
    held = revoking.revoke(lab, Revocations(), leaf, reason="certificateHold", when=NOW - DAY)
    assert judge(lab, leaf, crls(lab, held)) == ["fail", "pass"]
    lifted = revoking.revoke(lab, held, leaf, reason="removeFromCRL", when=NOW)
    assert judge(lab, leaf, crls(lab, lifted)) == ["pass", "pass"]
    [final] = revoking.revoke(lab, held, leaf, reason="keyCompromise", when=NOW).issuing
    assert (final.reason, final.revocation_date) == ("keyCompromise", NOW - DAY)


def test_ocsp(lab: Authority) -> None:
    leaf, issuing, root = leaf_of(lab), lab.issuing.certificate, lab.root.certificate
    asked = (ocsp.request(leaf, issuing, b"n" * 32), ocsp.request(issuing, root))
    assert judge(lab, leaf, responses(lab, Revocations(), *asked)) == ["pass", "pass"]
    known = revoking.revoke(lab, Revocations(), leaf, reason="unspecified", when=NOW - DAY)
    evidence = responses(lab, known, *asked)
    assert judge(lab, leaf, evidence) == ["fail", "pass"]
    assert [ocsp.load(der).nonce for der in evidence.ocsp_responses] == [b"n" * 32, None]
    foreign, authority = certificate.load(pki.chain().leaf), certificate.load(pki.chain().issuing)
    stranger = ocsp.load(revoking.answer_ocsp(lab, known, ocsp.request(foreign, authority), now=NOW))
    assert [one.status for one in stranger.responses] == ["unknown"]
    for junk in (b"", b"\x30\x00", leaf.der):
        with pytest.raises(MalformedError, match="malformedRequest"):
            ocsp.load(revoking.answer_ocsp(lab, known, junk, now=NOW))


def test_certificates_say_where_to_ask_only_when_told(lab: Authority) -> None:
    assert distribution_point.points(leaf_of(lab)) == ()
    leaf = leaf_of(lab, *revoking.publication("http://127.0.0.1:8000/"))
    assert distribution_point.points(leaf)[0].urls == ("http://127.0.0.1:8000/issuing.crl",)
    assert distribution_point.urls(leaf, "1.3.6.1.5.5.7.48.1") == ("http://127.0.0.1:8000/ocsp",)
    assert judge(lab, leaf, crls(lab, Revocations())) == ["pass", "pass"]
    for wrong in ("file:///x", "127.0.0.1", "http://ä/"):
        with pytest.raises(UsageError, match="HTTP URL"):
            revoking.publication(wrong)


def test_the_folder(lab: Authority, tmp_path: Path) -> None:
    assert revocation_folder.load(str(tmp_path), FileSource()) == Revocations(number=0)
    known = revoking.revoke(lab, Revocations(), leaf_of(lab), reason="superseded", when=NOW)
    written = revocation_folder.publish(lab, known, str(tmp_path), FileSink(), now=NOW)
    assert sorted(written) == sorted(revocation_folder.files(str(tmp_path)))
    assert revocation_folder.load(str(tmp_path), FileSource()) == known
    blocks = pem.decode((tmp_path / "crl.pem").read_bytes())
    assert [block.data for block in blocks] == [(tmp_path / name).read_bytes() for name in ("issuing.crl", "root.crl")]
    for wrong in (
        "",
        "[]",
        '{"number": 1}',
        '{"number": 1, "root": [], "issuing": [{"serial_number": "x"}]}',
        "[" * 9999,
    ):
        (tmp_path / "revoked.json").write_text(wrong)
        with pytest.raises(MalformedError, match=r"revoked\.json is malformed"):
            revocation_folder.load(str(tmp_path), FileSource())
