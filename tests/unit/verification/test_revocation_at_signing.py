"""Revocation by two clocks: evidence from outside is judged now, what came with a timestamp at the time it proves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from signkit.der import oids, writer
from signkit.evidence import Verdict, find
from signkit.verification.policy import Policy
from signkit.verification.result import ArtifactResult
from tests.support import cms_builder, pki, tsa
from tests.support import revocation as rev
from tests.support.judging import judge
from tests.support.tsa import STAMPED, Token, stamped

DAY = timedelta(days=1)
REQUIRE = Policy(revocation="require")
FRESH = {"this_update": pki.NOW - DAY, "next_update": pki.NOW + DAY}
THEN = {"this_update": STAMPED - DAY, "next_update": STAMPED + DAY}


def crls(*entries: bytes, when: dict[str, Any] = FRESH) -> tuple[bytes, ...]:
    return (rev.crl(entries=entries, **when), rev.crl(pki.ROOT, pki.key(1), **when))


def required(signature: bytes, known: tuple[bytes, ...] = (), **options: Any) -> ArtifactResult:
    return judge(signature, policy=REQUIRE, revocation="require", crls=known, **options)


def verdict(result: ArtifactResult, name: str) -> Verdict | None:
    check = find(result.checks, name)
    return None if check is None else check.verdict


def with_crls(*found: bytes) -> bytes:
    """A stamped signature that carries CRLs."""
    one = cms_builder.signer()
    value = one.key.sign(cms_builder.encode_attributes(one.attributes or ()))
    token = cms_builder.attribute(oids.SIGNATURE_TIME_STAMP, Token(value).encode())
    from dataclasses import replace

    return cms_builder.signature(replace(one, signature=value, unsigned=(token,)), crls=found)


def test_all_known_and_good() -> None:
    assert required(stamped(), crls()).accepted


def test_required_and_unknown() -> None:
    result = required(stamped())
    assert result.exit_status == 17
    assert not required(cms_builder.signature()).accepted


def test_unknown_and_not_required() -> None:
    result = judge(stamped())
    assert result.accepted
    assert result.signers[0].proven_time == STAMPED
    assert verdict(result, "timestamp.revocation.0") is Verdict.SKIPPED  # there is nothing to know it by


@pytest.mark.parametrize(("when", "status"), [(STAMPED - DAY, 16), (STAMPED + DAY, 0)])
def test_a_signer_revoked_before_and_after_it_signed(when: Any, status: int) -> None:
    known = crls(rev.entry(pki.chain().leaf, when))
    assert required(stamped(), known).exit_status == status
    assert required(cms_builder.signature(), known).exit_status == 16  # without a timestamp it is judged now


@pytest.mark.parametrize("code", [0, 3, 4, 5])
@pytest.mark.parametrize(("when", "status"), [(STAMPED - DAY, 18), (STAMPED + DAY, 0)])
def test_an_authority_given_up_before_and_after_it_stamped(when: Any, status: int, code: int) -> None:
    """RFC 3161 section 4: with these reasons the tokens from before stay valid."""
    result = required(stamped(), crls(rev.entry(tsa.certificate(), when, rev.reason(code))))
    assert result.exit_status == status
    assert verdict(result, "timestamp.revocation.0") is (Verdict.FAIL if status else Verdict.PASS)


@pytest.mark.parametrize("code", [None, 1, 2, 6, 9, 10])
def test_an_authority_whose_key_may_be_stolen_proves_no_time(code: int | None) -> None:
    """Whoever has the key writes the time: with these reasons, or none, no token of it counts."""
    reasons = () if code is None else (rev.reason(code),)
    result = required(stamped(), crls(rev.entry(tsa.certificate(), pki.NOW - DAY, *reasons)))
    assert result.exit_status == 18
    found = find(result.checks, "timestamp.revocation.0")
    assert found and found.verdict is Verdict.FAIL and "RFC 3161 section 4" in found.detail


def test_evidence_that_came_along_is_fresh_at_the_proven_time() -> None:
    data = with_crls(*crls(when=THEN))
    assert required(data).accepted
    assert required(data, at=pki.NOT_AFTER + 300 * DAY).accepted
    late = with_crls(*crls(when={"this_update": STAMPED - 20 * DAY, "next_update": STAMPED - 10 * DAY}))
    assert required(late).exit_status == 17


def test_old_evidence_from_outside_is_not_enough() -> None:
    assert required(stamped(), crls(when=THEN)).exit_status == 17


def test_without_a_timestamp_evidence_that_came_along_is_judged_now() -> None:
    assert required(cms_builder.signature(crls=crls(when=THEN))).exit_status == 17
    assert required(cms_builder.signature(crls=crls())).accepted


def test_an_ocsp_response_that_came_along() -> None:
    """RFC 5940: as another revocation info among the CRLs."""
    chain = pki.chain()
    response = rev.ocsp(
        rev.single(chain.leaf, chain.issuing, this_update=pki.NOW - DAY, next_update=pki.NOW + DAY),
        produced_at=pki.NOW - DAY,
    )
    other = b"\xa1" + writer.sequence(writer.oid(oids.OCSP_RESPONSE), response)[1:]
    result = required(cms_builder.signature(crls=(other, rev.crl(pki.ROOT, pki.key(1), **FRESH)), version=5))
    assert result.accepted, result.problems


class TestEvidenceByOldKeys:
    """The time that evidence states is its signer's word: an expired key may be anybody's."""

    LEAF, ISSUER = pki.chain().leaf, pki.chain().issuing
    OLD = pki.key(30)
    EXPIRED = rev.responder(OLD, not_before=pki.NOW - 900 * DAY, not_after=pki.NOW - 500 * DAY)

    def forged(self, **times: Any) -> bytes:
        status = rev.single(self.LEAF, self.ISSUER, **times)
        made = {"produced_at": pki.NOW - 600 * DAY, "certificates": (self.EXPIRED,)}
        return rev.ocsp(status, key=self.OLD, responder=rev.by_key(self.OLD), **made)

    @pytest.mark.parametrize("since", [DAY / 24, 601 * DAY])
    def test_an_embedded_response_by_an_expired_responder(self, since: timedelta) -> None:
        forged = self.forged(this_update=pki.NOW - since, next_update=pki.NOW + 7 * DAY)
        assert rev.judge(crls=(rev.ROOT_CRL,), embedded_responses=[forged])[0].verdict is Verdict.INDETERMINATE

    def test_an_embedded_answer_overrules_none_from_outside(self) -> None:
        times = {"this_update": pki.NOW - 2 * DAY, "next_update": pki.NOW + DAY}
        known = rev.ocsp(
            rev.single(self.LEAF, self.ISSUER, rev.revoked(pki.NOW - 10 * DAY, 1), **times),
            produced_at=pki.NOW - 2 * DAY,
        )
        newer = rev.ocsp(rev.single(self.LEAF, self.ISSUER))
        found = rev.judge(crls=(rev.ROOT_CRL,), responses=[known], embedded_responses=[newer])
        assert found[0].verdict is Verdict.FAIL
        assert rev.judge(crls=(rev.ROOT_CRL,), responses=[known, newer])[0].verdict is Verdict.PASS  # the same source
