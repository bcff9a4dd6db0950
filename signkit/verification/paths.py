"""Paths of signers and of time-stamping authorities: each judged once for each moment, however many artifacts."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from signkit.der import oids
from signkit.evidence import Check, skipped
from signkit.verification.inputs import Trust
from signkit.x509 import profiles, validation
from signkit.x509.certificate import Certificate
from signkit.x509.path import Bag
from signkit.x509.validation import PathResult, Revocation


class Carried(NamedTuple):
    """What a signature or token brings along for paths, all DER: chosen by whoever made it, and trusted for nothing.

    Attributes:
        certificates: in any order, with anything among them.
        crls: revocation evidence, which has to be fresh at the proven time only.
        ocsp_responses: the same.
    """

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()

    def with_more(self, other: Carried) -> Carried:
        """Both together, each thing once."""
        return Carried(*(tuple(dict.fromkeys((*mine, *more))) for mine, more in zip(self, other, strict=True)))


@lru_cache(maxsize=256)
def signer(certificate: Certificate, carried: Carried, trust: Trust, at: datetime) -> PathResult:
    """The path of a signer, judged for code signing.

    Args:
        certificate: the signer's.
        carried: what the signature brings along.
        trust: what is trusted and known.
        at: the time of signing: what a timestamp proves, else now.
    """
    return _judge(certificate, carried, trust, trust.trust_anchors, at, oids.CODE_SIGNING)


@lru_cache(maxsize=256)
def authority(certificate: Certificate, carried: Carried, trust: Trust, at: datetime) -> PathResult:
    """The path of a time-stamping authority, judged at the time that its token states: checks ``timestamp.path.*``."""
    anchors = trust.tsa_trust_anchors or trust.trust_anchors
    found = _judge(certificate, carried, trust, anchors, at, oids.TIME_STAMPING)
    return found._replace(checks=tuple(check._replace(name=f"timestamp.{check.name}") for check in found.checks))


def _judge(
    certificate: Certificate, carried: Carried, trust: Trust, anchors: tuple[bytes, ...], at: datetime, purpose: str
) -> PathResult:
    bag = _bag((*carried.certificates, *trust.intermediates), anchors)
    return validation.validate_in(
        certificate,
        bag,
        at=at,
        now=trust.now,
        purpose=purpose,
        profile=trust.profile,
        sm2_id=trust.sm2_id,
        revocation=_revocation(carried, trust, bag, at, purpose),
        revocation_required=trust.revocation == "require",
    )


def _revocation(carried: Carried, trust: Trust, bag: Bag, at: datetime, purpose: str) -> Revocation | None:
    """What judges revocation; None when nobody wants it judged."""
    if trust.revocation == "ignore":
        return None
    known = (trust.crls, trust.ocsp_responses, carried.crls, carried.ocsp_responses)
    if trust.revocation == "check" and not any(known):
        return _not_checked
    from signkit.x509.revocation import (  # ten modules that a plain verification does without
        RevocationEvidence,
        checker,
    )

    return checker(
        RevocationEvidence(*known),
        bag=bag,
        at=at,
        now=trust.now,
        mode=trust.revocation,
        profile=profiles.named(trust.profile),
        sm2_id=trust.sm2_id,
        embedded_at=at,
        stamping=purpose == oids.TIME_STAMPING,
    )


def _not_checked(path: tuple[Certificate, ...]) -> list[Check]:
    """Nothing is known, and nothing was given to know it by: said once for each certificate below the anchor."""
    detail = "not checked: there is no CRL and no OCSP response"
    return [skipped(f"revocation.{number}", detail, source="RFC 5280 6.3") for number in range(len(path) - 1)]


@lru_cache(maxsize=16)
def _bag(certificates: tuple[bytes, ...], trust_anchors: tuple[bytes, ...]) -> Bag:
    """One bag, and so one budget of signature checks, for all signers and twins of a signature file."""
    return Bag(trust_anchors, certificates)
