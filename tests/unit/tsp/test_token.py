"""Timestamp tokens: what is checked of one alone, without any trust. Negative cases first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from signkit.algorithms import digests
from signkit.der import oids, tsp, writer
from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict, find
from signkit.tsp import token
from signkit.x509 import certificate
from tests.support import cms_builder, pki, tsa
from tests.support.tsa import Token

STAMPED = b"a signature value"
OTHER = pki.leaf("CN=Test Signer,O=Acme", pki.key(3), pki.ISSUING, pki.key(2))


def examine(made: Token | bytes, stamped: bytes = STAMPED, **options: Any) -> dict[str, Check]:
    loaded = token.load(made if isinstance(made, bytes) else made.encode())
    known = [certificate.load(der) for der in loaded.certificates]
    return {check.name: check for check in token.examine(loaded, stamped, known, **options).checks}


def faults(made: Token | bytes, stamped: bytes = STAMPED, **options: Any) -> set[str]:
    return {
        name.removeprefix("timestamp.")
        for name, check in examine(made, stamped, **options).items()
        if check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE)
    }


def info(**changes: Any) -> bytes:
    usual = tsp.TstInfo("1.2.3", tsp.MessageImprint(digests.identifier("sha256"), bytes(32)), 1, tsa.STAMPED)
    return tsp.encode_info(usual._replace(**changes))


REFUSED = {
    "over other bytes": (Token(b"other"), {"message-imprint"}),
    "with an empty imprint": (Token(STAMPED, imprint=b""), {"message-imprint"}),
    "with an imprint cut short": (
        Token(STAMPED, imprint=digests.digest("sha256", STAMPED)[:20]),
        {"message-imprint"},
    ),
    "with an imprint by SHA-1": (Token(STAMPED, digest="sha1"), {"message-imprint"}),
    "with an imprint by SHA-224": (Token(STAMPED, digest="sha224"), {"message-imprint"}),
    "with an imprint that says another digest": (
        Token(STAMPED, digest="sha512", imprint=digests.digest("sha256", STAMPED)),
        {"message-imprint"},
    ),
    "signed by another key": (Token(STAMPED, key=21), {"signature"}),
    "with a signature of nothing": (Token(STAMPED, changes=(("signature", b"\0"),)), {"signature"}),
    "without signed attributes": (
        Token(STAMPED, changes=(("attributes", None),)),
        {"signature"},
    ),
    "with a message digest of other content": (
        Token(
            STAMPED,
            attributes=(
                cms_builder.content_type(oids.TST_INFO),
                cms_builder.message_digest(b"other"),
                cms_builder.signing_certificate_v2(tsa.certificate()),
            ),
        ),
        {"signature"},
    ),
    "without a message digest": (
        Token(
            STAMPED,
            attributes=(
                cms_builder.content_type(oids.TST_INFO),
                cms_builder.signing_certificate_v2(tsa.certificate()),
            ),
        ),
        {"signature"},
    ),
    "with the content type of a file in its attributes": (
        Token(
            STAMPED,
            attributes=(
                cms_builder.content_type(oids.DATA),
                cms_builder.message_digest(Token(STAMPED).tst_info),
                cms_builder.signing_certificate_v2(tsa.certificate()),
            ),
        ),
        {"signature"},
    ),
    "by SHA-1": (
        Token(
            STAMPED,
            attributes=(
                cms_builder.content_type(oids.TST_INFO),
                cms_builder.message_digest(Token(STAMPED).tst_info, "sha1"),
                cms_builder.signing_certificate_v2(tsa.certificate()),
            ),
            changes=(("algorithm", "ecdsa-sha1"), ("digest_algorithm", digests.identifier("sha1"))),
        ),
        {"signature"},
    ),
    "bound to no certificate": (Token(STAMPED, binding=()), {"signing-certificate"}),
    "bound to another certificate": (
        Token(STAMPED, binding=(cms_builder.signing_certificate_v2(OTHER),)),
        {"signing-certificate"},
    ),
    "bound to another certificate by SHA-1": (
        Token(STAMPED, binding=(cms_builder.signing_certificate(OTHER),)),
        {"signing-certificate"},
    ),
    "bound twice, once to another certificate": (
        Token(
            STAMPED,
            binding=(
                cms_builder.signing_certificate_v2(tsa.certificate()),
                cms_builder.signing_certificate(OTHER),
            ),
        ),
        {"signing-certificate"},
    ),
    "by a certificate without purposes": (
        Token(STAMPED, certificate=tsa.certificate(purposes=())),
        {"extended-key-usage"},
    ),
    "by a certificate for code signing": (
        Token(STAMPED, certificate=tsa.certificate(purposes=(oids.CODE_SIGNING,))),
        {"extended-key-usage"},
    ),
    "by a certificate for more than timestamping": (
        Token(STAMPED, certificate=tsa.certificate(purposes=(oids.TIME_STAMPING, oids.CODE_SIGNING))),
        {"extended-key-usage"},
    ),
    "by a certificate for any purpose": (
        Token(STAMPED, certificate=tsa.certificate(purposes=(oids.ANY_EXTENDED_KEY_USAGE,))),
        {"extended-key-usage"},
    ),
    "by a certificate whose purpose is not critical": (
        Token(STAMPED, certificate=tsa.certificate(critical=False)),
        {"extended-key-usage"},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    made, expected = REFUSED[name]
    found = faults(made)
    assert found - {"signing-certificate"} == expected - {"signing-certificate"}
    assert expected <= found
    for check in examine(made).values():
        assert check.passed or check.detail


NOT_TOKENS = {
    "a signature over a file": cms_builder.signature(content=cms_builder.ARTIFACT),
    "a detached signature": cms_builder.signature(),
    "of content type data": Token(STAMPED, content_type=oids.DATA).encode(),
    "without a signer": Token(STAMPED, signers=0).encode(),
    "of two signers": Token(STAMPED, signers=2).encode(),
    "TSTInfo is none": Token(STAMPED, info=writer.sequence()).encode(),
    "TSTInfo is empty": Token(STAMPED, info=b"").encode(),
    "a response": tsp.encode_response(tsp.TimeStampResp(0, (), frozenset(), Token(STAMPED).encode())),
    "a certificate": pki.chain().leaf,
    "nothing": b"",
    "a byte too many": Token(STAMPED).encode() + b"\0",
    "a byte too few": Token(STAMPED).encode()[:-1],
    "digest algorithm with parameters": Token(
        STAMPED,
        info=info(
            imprint=tsp.MessageImprint(
                writer.sequence(writer.oid("2.16.840.1.101.3.4.2.1"), writer.integer(1)), bytes(32)
            )
        ),
    ).encode(),
}


@pytest.mark.parametrize("name", NOT_TOKENS)
def test_what_is_no_token(name: str) -> None:
    with pytest.raises(MalformedError):
        token.load(NOT_TOKENS[name])


def test_a_critical_extension_is_not_passed_over() -> None:
    from signkit.der import reader

    extension = writer.sequence(writer.oid("1.2.3"), writer.tlv(1, b"\xff"), writer.octet_string(b""))
    fields = [child.raw for child in reader.parse(info()).children()]
    with pytest.raises(MalformedError, match="critical"):
        token.load(Token(STAMPED, info=writer.sequence(*fields, writer.tlv(0xA1, extension))).encode())


GOOD = {
    "usual": Token(STAMPED),
    "SHA-384": Token(STAMPED, digest="sha384"),
    "SHA-512": Token(STAMPED, digest="sha512"),
    "SM3": Token(STAMPED, digest="sm3"),
    "bound by SHA-1": Token(STAMPED, binding=(cms_builder.signing_certificate(tsa.certificate()),)),
    "bound by SHA-512": Token(
        STAMPED, binding=(cms_builder.signing_certificate_v2(tsa.certificate(), digest="sha512"),)
    ),
    "bound by both": Token(
        STAMPED,
        binding=(
            cms_builder.signing_certificate_v2(tsa.certificate()),
            cms_builder.signing_certificate(tsa.certificate()),
        ),
    ),
    "with a fraction of a second": Token(STAMPED, time=tsa.STAMPED + timedelta(microseconds=123)),
    "with nonce and order": Token(STAMPED, fields=(("nonce", 5), ("ordering", True))),
    "named by key identifier": Token(STAMPED, changes=(("by_key_identifier", True),)),
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    assert faults(GOOD[name]) == set()
    assert faults(cms_builder.to_ber(GOOD[name].encode())) == set()


def test_without_certificate_nothing_is_proved() -> None:
    loaded = token.load(Token(STAMPED, bag=()).encode())
    found = token.examine(loaded, STAMPED, [certificate.load(OTHER)])
    assert found.certificate is None
    check = find(found.checks, "timestamp.signature")
    assert check is not None and check.verdict is Verdict.FAIL


def test_a_decoy_of_the_same_name_and_number_does_not_stand_in_the_way() -> None:
    right = certificate.load(tsa.certificate())
    decoy = certificate.load(tsa.certificate(number=22, serial=right.serial_number))
    loaded = token.load(Token(STAMPED).encode())
    for known in ([decoy, right], [right, decoy]):
        assert token.examine(loaded, STAMPED, known).certificate == right
    assert token.examine(loaded, STAMPED, [decoy]).certificate == decoy
    assert not all(check.passed for check in token.examine(loaded, STAMPED, [decoy]).checks)


def test_old_authorities_of_microsoft_by_a_switch_only() -> None:
    made = Token(STAMPED, certificate=tsa.certificate(critical=False))
    assert faults(made) == {"extended-key-usage"}
    assert faults(made, non_critical=True) == set()
    further = Token(STAMPED, certificate=tsa.certificate(purposes=(oids.TIME_STAMPING, oids.CODE_SIGNING)))
    assert faults(further, non_critical=True) == {"extended-key-usage"}


def test_answers_to_a_request() -> None:
    def found(fields: tuple[tuple[str, Any], ...], **asked: Any) -> dict[str, bool]:
        loaded = token.load(Token(STAMPED, fields=fields).encode())
        return {check.name: check.passed for check in token.answers(loaded, **asked)}

    assert found((("nonce", 5),), nonce=5, policy=tsa.POLICY) == {"timestamp.nonce": True, "timestamp.policy": True}
    assert found((("nonce", 6),), nonce=5, policy=None) == {"timestamp.nonce": False}
    assert found((), nonce=5, policy=None) == {"timestamp.nonce": False}
    assert found((), nonce=None, policy="1.2.3") == {"timestamp.policy": False}
    assert found((("nonce", 6),), nonce=None, policy=None) == {}


def test_a_key_in_use_for_long_is_a_remark() -> None:
    check = examine(Token(STAMPED))["timestamp.key-period"]
    assert check.verdict is Verdict.SKIPPED and "25 months" in check.detail
    assert examine(Token(STAMPED, time=pki.NOT_BEFORE + timedelta(days=300)))["timestamp.key-period"].passed


def test_how_the_token_names_its_authority() -> None:
    name = writer.tlv(0xA4, pki.name(tsa.TSA))
    assert token.load(Token(STAMPED, fields=(("tsa", name),)).encode()).authority == tsa.TSA
    for other in (None, writer.tlv(0x86, b"http://a"), writer.tlv(0xA4, writer.NULL)):
        assert token.load(Token(STAMPED, fields=(("tsa", other),)).encode()).authority == ""
