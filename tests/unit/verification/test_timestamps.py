"""The time of signing: which tokens prove it, and what it means for the signer's path."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from signkit.der import oids, writer
from signkit.evidence import Verdict, find
from signkit.verification.result import ArtifactResult
from tests.support import cms_builder, pki, tsa
from tests.support.judging import failures, judge
from tests.support.tsa import STAMPED, Token, stamped

DAY = timedelta(days=1)
ROOT2 = pki.ca("CN=TSA Root,O=signkit tests", pki.key(30))
OWN_TSA = tsa.certificate(issuer="CN=TSA Root,O=signkit tests", issuer_number=30)
"""An authority whose root is not the signer's."""
EXPIRED = pki.leaf(
    pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), not_before=STAMPED - 300 * DAY, not_after=STAMPED + DAY
)
"""A signer's certificate that was valid when the token was made and is not any more."""


def token(**changes: Any) -> Token:
    return replace(Token(b""), **changes)


def by_expired(*tokens: Token | bytes | None, **options: Any) -> bytes:
    return stamped(*tokens, signer=cms_builder.signer(certificate=EXPIRED), **options)


def verdict(result: ArtifactResult, name: str) -> Verdict | None:
    check = find(result.checks, name)
    return None if check is None else check.verdict


def test_a_token_carries_a_signature_over_its_certificate() -> None:
    assert judge(cms_builder.signature(cms_builder.signer(certificate=EXPIRED))).exit_status == 15
    result = judge(by_expired())
    assert result.accepted
    assert result.signers[0].proven_time == STAMPED
    assert verdict(result, "time.established") is Verdict.PASS


def test_years_later_all_paths_are_judged_at_the_time_of_the_token() -> None:
    assert judge(stamped(), at=pki.NOT_AFTER + 3000 * DAY).accepted


def test_a_certificate_that_was_not_yet_valid_or_no_longer() -> None:
    for moment in (STAMPED - 301 * DAY, STAMPED + DAY + timedelta(seconds=1)):
        result = judge(by_expired(time=moment))
        assert result.exit_status == 15, moment
        assert verdict(result, "time.established") is Verdict.PASS
    for moment in (STAMPED - 300 * DAY, STAMPED + DAY):
        assert judge(by_expired(time=moment)).accepted


def test_what_the_signer_claims_counts_for_nothing() -> None:
    claims = (cms_builder.content_type(), cms_builder.message_digest(), cms_builder.signing_time(STAMPED))
    one = cms_builder.signer(certificate=EXPIRED, attributes=claims)
    assert judge(cms_builder.signature(one)).exit_status == 15


def test_no_token_is_skipped() -> None:
    result = judge(cms_builder.signature())
    assert verdict(result, "timestamp.present") is Verdict.SKIPPED
    assert result.signers[0].timestamp is None


INVALID: dict[str, tuple[Token | bytes, set[str]]] = {
    "over another signature value": (token(imprint=bytes(32)), {"timestamp.message-imprint"}),
    "signed by another key": (token(key=21), {"timestamp.signature"}),
    "not bound to its certificate": (token(binding=()), {"timestamp.signing-certificate"}),
    "by a certificate of the wrong purpose": (
        token(certificate=tsa.certificate(purposes=(oids.CODE_SIGNING,))),
        {"timestamp.extended-key-usage", "timestamp.path.leaf.extended-key-usage"},
    ),
    "by a certificate that is not critical": (
        token(certificate=tsa.certificate(critical=False)),
        {"timestamp.extended-key-usage"},
    ),
    "by an authority under another root": (token(certificate=OWN_TSA), {"timestamp.path.built"}),
    "without certificates of the authority": (
        token(certificate=OWN_TSA, bag=(ROOT2,)),
        {"timestamp.path.built"},
    ),
    "before the authority was certified": (token(time=pki.NOT_BEFORE - DAY), {"timestamp.path.0.validity"}),
    "after the authority's certificate": (
        token(certificate=tsa.certificate(not_after=STAMPED - DAY)),
        {"timestamp.path.0.validity"},
    ),
    "of tomorrow": (token(time=pki.NOW + DAY), {"timestamp.time"}),
    "a structure of another kind": (writer.sequence(), {"timestamp.format"}),
    "a signature over a file": (cms_builder.signature(content=b"x"), {"timestamp.format"}),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_token_that_proves_nothing_refuses(name: str) -> None:
    made, expected = INVALID[name]
    for valid_now in (True, False):
        result = judge(stamped(made) if valid_now else by_expired(made))
        assert result.exit_status == (18 if valid_now else 15)
        assert expected <= failures(result)
        assert "time.established" in failures(result)
        assert result.signers[0].proven_time is None
        assert result.reasons[-1] == "time.established" or result.reasons[0].startswith(("timestamp.", "time."))
    ignored = judge(stamped(made), timestamp="ignored")
    assert ignored.accepted
    assert verdict(ignored, "timestamp.present") is Verdict.SKIPPED
    assert judge(by_expired(made), timestamp="ignored").exit_status == 15


def test_a_good_token_that_is_ignored_does_not_help() -> None:
    assert judge(by_expired(), timestamp="ignored").exit_status == 15


@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("first", [True, False])
def test_beside_a_valid_one_it_is_only_told(name: str, first: bool) -> None:
    made = INVALID[name][0]
    result = judge(by_expired(*((made, None) if first else (None, made))))
    assert result.accepted
    assert result.signers[0].proven_time == STAMPED
    other = find(result.checks, "timestamp.other-token")
    assert other is not None and other.verdict is Verdict.SKIPPED
    assert "not valid" in other.detail


def test_the_earliest_valid_one_counts() -> None:
    moments = [STAMPED - 10 * DAY, STAMPED - 30 * DAY, STAMPED - 20 * DAY]
    made = [token(time=moment) for moment in moments]
    early_and_wrong = token(time=STAMPED - 40 * DAY, key=21)
    result = judge(by_expired(*made, early_and_wrong))
    assert result.accepted
    assert result.signers[0].proven_time == min(moments)


def test_tokens_beyond_the_limit_are_not_looked_at() -> None:
    wrong = [token(key=21, fields=(("nonce", number),)) for number in range(8)]
    assert not judge(stamped(*wrong, None)).accepted
    assert judge(stamped(*wrong[:7], None)).accepted


def test_trust_anchors_of_its_own_for_the_authority() -> None:
    made = stamped(certificate=OWN_TSA)
    assert judge(made).exit_status == 18
    assert judge(made, tsa_trust_anchors=(ROOT2,)).accepted
    result = judge(stamped(), tsa_trust_anchors=(ROOT2,))
    assert result.exit_status == 18  # named anchors are the only ones
    both = judge(made, anchors=[pki.chain().root, ROOT2])
    assert both.accepted
    # anchors of authorities are none for signers
    assert judge(stamped(), anchors=[ROOT2], tsa_trust_anchors=(pki.chain().root,)).exit_status == 14


def test_certificates_of_the_authority_from_elsewhere() -> None:
    below = pki.ca("CN=TSA CA", pki.key(31), "CN=TSA Root,O=signkit tests", pki.key(30))
    leaf = tsa.certificate(issuer="CN=TSA CA", issuer_number=31)
    made = stamped(certificate=leaf, bag=())
    assert judge(made, tsa_trust_anchors=(ROOT2,)).exit_status == 18
    assert judge(made, tsa_trust_anchors=(ROOT2,), intermediates=[below]).accepted


def test_profile_for_old_authorities_of_microsoft() -> None:
    made = stamped(certificate=tsa.certificate(critical=False))
    assert judge(made).exit_status == 18
    assert judge(made, profile="authenticode").accepted


def test_where_authenticode_keeps_the_token() -> None:
    result = judge(by_expired(kind=oids.MICROSOFT_TIME_STAMP))
    assert result.accepted
    assert result.signers[0].proven_time == STAMPED


def test_a_clock_that_is_a_little_slow() -> None:
    assert judge(stamped(time=pki.NOW + timedelta(minutes=5))).accepted
    assert judge(stamped(time=pki.NOW + timedelta(minutes=5, seconds=1))).exit_status == 18


def test_judged_at_a_moment_before_the_token_there_was_none() -> None:
    assert judge(stamped(), at=STAMPED - DAY).exit_status == 18


def test_lifetime_signing_ends_with_the_certificate() -> None:
    def made(**fields: Any) -> bytes:
        purposes = (oids.CODE_SIGNING, oids.LIFETIME_SIGNING)
        leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), purposes=purposes, **fields)
        return stamped(signer=cms_builder.signer(certificate=leaf))

    assert judge(made()).accepted
    assert judge(made(), at=pki.NOT_AFTER + DAY).exit_status == 15
    assert judge(made(not_after=STAMPED + DAY)).exit_status == 15
    assert judge(made(not_before=STAMPED + DAY)).exit_status == 15  # not yet valid when it was stamped


def test_a_token_of_one_signer_proves_nothing_for_another() -> None:
    """Each signature value has tokens of its own."""
    first, second = cms_builder.signer(), cms_builder.signer(key=pki.key(4), certificate=EXPIRED)
    second = replace(second, certificate=pki.leaf("CN=B", pki.key(4), pki.ISSUING, pki.key(2), not_after=STAMPED + DAY))
    value = first.key.sign(cms_builder.encode_attributes(first.attributes or ()))
    moved = cms_builder.attribute(oids.SIGNATURE_TIME_STAMP, Token(value).encode())
    data = cms_builder.signature(replace(first, signature=value), replace(second, unsigned=(moved,)))
    result = judge(data)
    assert result.signers[0].proven_time is None and result.signers[1].proven_time is None
    assert "timestamp.message-imprint" in failures(result)


def test_another_signature_value_with_the_same_token() -> None:
    """A token cut out of one signature file and pasted into another."""
    value = cms_builder.signer().key.sign(b"another signature")
    assert judge(stamped(Token(value).encode())).exit_status == 18
