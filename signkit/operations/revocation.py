"""Gather revocation evidence for a path from wherever a source finds it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.ports.network import RevocationSource
from signkit.x509.certificate import Certificate
from signkit.x509.revocation import RevocationEvidence


class Gathered(NamedTuple):
    """What was gathered.

    Attributes:
        evidence: CRLs and OCSP responses, not yet judged.
        network: every URL that was asked, for the report's ``network``.
        problems: what could not be had, one sentence each.
    """

    evidence: RevocationEvidence
    network: tuple[str, ...]
    problems: tuple[str, ...]


def gather(
    path: Sequence[Certificate], source: RevocationSource, *, now: datetime, known: RevocationEvidence | None = None
) -> Gathered:
    """Ask about every certificate of a path but the anchor.

    Args:
        path: leaf first, trust anchor last.
        source: where to ask.
        now: the present; what is kept from earlier must still be current.
        known: evidence that is at hand already, which goes along.
    """
    found = known or RevocationEvidence()
    crls, responses, problems = list(found.crls), list(found.ocsp_responses), list[str]()
    asked = len(source.connections)
    for certificate, issuer in zip(path, path[1:], strict=False):
        fetched = source.fetch(certificate, issuer, now)
        crls += fetched.crls
        responses += fetched.ocsp_responses
        problems += fetched.problems
    evidence = found._replace(crls=tuple(dict.fromkeys(crls)), ocsp_responses=tuple(dict.fromkeys(responses)))
    return Gathered(evidence, tuple(source.connections[asked:]), tuple(dict.fromkeys(problems)))
