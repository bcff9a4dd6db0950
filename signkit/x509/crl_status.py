"""What CRLs say about a certificate: RFC 5280 section 6.3.3, for one certificate and one CRL at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from signkit.errors import MalformedError
from signkit.x509 import distribution_point
from signkit.x509.certificate import Certificate
from signkit.x509.crl import CertificateList, Revoked
from signkit.x509.distribution_point import ALL_REASONS, DistributionPoint, PointName
from signkit.x509.names import Name
from signkit.x509.revocation_answer import Answer, Clocks
from signkit.x509.revocation_signers import Signers, Subject


class HeldList(NamedTuple):
    """A CRL and where it is from."""

    crl: CertificateList
    embedded: bool


def crl_issuers(certificate: Certificate) -> frozenset[Name]:
    """Whose CRLs can be about a certificate: its issuer's, and those its distribution points name.

    Raises:
        MalformedError: its distribution points are malformed.
    """
    points = distribution_point.points(certificate)
    return frozenset({certificate.issuer, *(name for point in points for name in point.crl_issuers)})


def answers(
    subject: Subject, held: Iterable[HeldList], signers: Signers, clocks: Clocks, *, kept_for: timedelta = timedelta()
) -> list[Answer]:
    """The answer of each CRL that is about the certificate.

    Args:
        subject: the certificate in question.
        held: CRLs of its possible issuers (``crl_issuers``), complete ones and deltas.
        signers: checks who signed them.
        clocks: the moments that matter.
        kept_for: how long revoked certificates stay on the CRL after they expired, by the authority's rules.
    """
    found = list(held)
    deltas = [one for one in found if one.crl.base_number is not None]
    return [
        _answer(subject, one, reasons, deltas, signers, clocks, kept_for)
        for one in found
        if one.crl.base_number is None and (reasons := covered(one.crl, subject.certificate))
    ]


def covered(crl: CertificateList, certificate: Certificate) -> frozenset[str]:
    """The reasons for which a CRL speaks about a certificate; empty when it is not about it (steps (b) and (d))."""
    scope = crl.scope
    if (scope.user_certificates and certificate.is_ca) or (scope.ca_certificates and not certificate.is_ca):
        return frozenset()
    if scope.attribute_certificates:
        return frozenset()
    implied = PointName(frozenset({distribution_point.directory_name(certificate.issuer)}))
    points = (*distribution_point.points(certificate), DistributionPoint(implied, ALL_REASONS, ()))
    return frozenset[str]().union(
        *(point.reasons & scope.reasons for point in points if _meant(crl, point, certificate))
    )


def _meant(crl: CertificateList, point: DistributionPoint, certificate: Certificate) -> bool:
    """Whether a distribution point means this CRL (step (b))."""
    if point.crl_issuers:
        if crl.issuer not in point.crl_issuers or not crl.scope.indirect:
            return False
    elif crl.issuer != certificate.issuer:
        return False
    if crl.scope.name is None:
        return True
    published = crl.scope.name.resolved(crl.issuer)
    if point.name is None:
        return any(distribution_point.directory_name(name) in published for name in point.crl_issuers)
    base = point.crl_issuers[0] if point.crl_issuers else certificate.issuer
    return bool(published & point.name.resolved(base))


def _answer(
    subject: Subject,
    held: HeldList,
    reasons: frozenset[str],
    deltas: list[HeldList],
    signers: Signers,
    clocks: Clocks,
    kept_for: timedelta,
) -> Answer:
    crl, embedded = held
    answer = Answer("crl", str(crl.issuer), crl.this_update, crl.next_update, embedded, reasons=reasons)
    if crl.unusable:
        return answer._replace(problem=crl.unusable)
    at = clocks.signed_at(crl.this_update, embedded)
    signer = signers.of_crl(crl, subject, at, embedded)
    if signer.problem:
        return answer._replace(problem=signer.problem)
    stale = clocks.stale(crl.this_update, crl.next_update, embedded)
    certificate = subject.certificate
    delta = _delta(crl, deltas, signer.public_key_info, subject, signers, clocks)
    try:
        revoked = _entry(crl, None if delta is None else delta.crl, certificate)
    except MalformedError as error:
        return answer._replace(problem=f"its entry can't be read: {error.message}")
    if delta is not None:
        newer = delta.crl
        stale = stale and clocks.stale(newer.this_update, newer.next_update, delta.embedded)
        embedded = embedded or delta.embedded
        answer = answer._replace(this_update=newer.this_update, next_update=newer.next_update, embedded=embedded)
    if revoked is None and not stale:
        stale = _dropped(crl, certificate, kept_for)
    return answer._replace(stale=stale, revoked=revoked, family=("crl", crl.issuer, crl.scope_der))


def _delta(
    crl: CertificateList,
    deltas: list[HeldList],
    public_key_info: bytes,
    subject: Subject,
    signers: Signers,
    clocks: Clocks,
) -> HeldList | None:
    """The newest delta CRL that goes with a complete one (step (c)), signed with the same key (step (h))."""
    for held in sorted(deltas, key=lambda one: one.crl.number or 0, reverse=True):
        delta, embedded = held
        at = clocks.signed_at(delta.this_update, embedded)
        if _continues(delta, crl) and not delta.unusable and delta.this_update <= clocks.now:
            signer = signers.of_crl(delta, subject, at, embedded)
            if not signer.problem and signer.public_key_info == public_key_info:
                return held
    return None


def _continues(delta: CertificateList, crl: CertificateList) -> bool:
    """Whether a delta CRL may be put on top of a complete one (RFC 5280 section 5.2.4)."""
    same = (
        delta.issuer == crl.issuer
        and delta.scope_der == crl.scope_der
        and delta.authority_key_identifier_der == crl.authority_key_identifier_der
    )
    if not same or delta.base_number is None or crl.number is None or delta.number is None:
        return False
    return delta.base_number <= crl.number < delta.number


def _entry(crl: CertificateList, delta: CertificateList | None, certificate: Certificate) -> Revoked | None:
    """Steps (i) to (k): what the delta CRL says counts before what the complete one says."""
    if delta is not None:
        found = delta.find(certificate.serial_number, certificate.issuer)
        if found is not None:
            return None if found.reason == "removeFromCRL" else found
    return crl.find(certificate.serial_number, certificate.issuer)


def _dropped(crl: CertificateList, certificate: Certificate, kept_for: timedelta) -> str:
    """Why the absence of an expired certificate proves nothing, or an empty string (RFC 5280 section 3.3)."""
    if crl.this_update - certificate.not_after <= kept_for:
        return ""
    if crl.expired_since is not None and crl.expired_since <= certificate.not_after:
        return ""
    return "it was issued after the certificate had expired, and may have dropped it"
