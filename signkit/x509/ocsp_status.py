"""What OCSP responses say about a certificate (RFC 6960 section 3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from signkit.x509.certificate import Certificate
from signkit.x509.ocsp import BasicResponse, SingleResponse
from signkit.x509.revocation_answer import SKEW, Answer, Clocks, text
from signkit.x509.revocation_signers import Signers, Subject


class HeldResponse(NamedTuple):
    """An OCSP response and where it is from."""

    response: BasicResponse
    embedded: bool


def answers(subject: Subject, held: Iterable[HeldResponse], signers: Signers, clocks: Clocks) -> list[Answer]:
    """The answer of each response that is about the certificate.

    Args:
        subject: the certificate in question.
        held: OCSP responses about anything.
        signers: checks who signed them.
        clocks: the moments that matter.
    """
    return [
        _answer(subject, one, single, signers, clocks)
        for one in held
        if (single := one.response.about(subject.certificate, subject.issuer)) is not None
    ]


def _answer(subject: Subject, held: HeldResponse, single: SingleResponse, signers: Signers, clocks: Clocks) -> Answer:
    response, embedded = held
    answer = Answer("ocsp", response.responder, single.this_update, single.next_update, embedded)
    if unusable := response.unusable or single.unusable:
        return answer._replace(problem=unusable)
    if response.produced_at < single.this_update - SKEW:
        made = f"producedAt {text(response.produced_at)}, thisUpdate {text(single.this_update)}"
        return answer._replace(problem=f"it knows what was true after it was made: {made}")
    at = clocks.signed_at(response.produced_at, embedded)
    signer = signers.of_response(response, subject, at, embedded)
    if signer.problem:
        return answer._replace(problem=signer.problem)
    if single.status == "unknown":
        return answer._replace(problem="the responder does not know the certificate")
    stale = clocks.stale(single.this_update, single.next_update, embedded)
    if single.revoked is None and not stale:
        stale = _forgotten(single, subject.certificate)
    return answer._replace(stale=stale, revoked=single.revoked, family="ocsp")


def _forgotten(single: SingleResponse, certificate: Certificate) -> str:
    """Why ``good`` about an expired certificate proves nothing, or an empty string (RFC 6960 section 4.4.4)."""
    if single.this_update <= certificate.not_after:
        return ""
    if single.archive_cutoff is not None and single.archive_cutoff <= certificate.not_after:
        return ""
    return "it was made after the certificate had expired, and the responder may have forgotten it"
