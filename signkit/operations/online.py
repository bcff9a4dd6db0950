"""Verification with evidence of revocation from the network: only when asked for, and every connection is reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from signkit.operations.revocation import gather
from signkit.ports import RevocationSource
from signkit.verification.examine import Evidence
from signkit.verification.inputs import Trust
from signkit.x509.certificate import Certificate
from signkit.x509.revocation import RevocationEvidence


class OnlineEvidence:
    """Asks once about each path, however many artifacts its signer signed."""

    def __init__(self, source: RevocationSource, now: datetime) -> None:
        """Take where to ask, and the present."""
        self._source = source
        self._now = now
        self._asked: dict[tuple[Certificate, ...], RevocationEvidence] = {}
        self._problems: list[str] = []

    @property
    def connections(self) -> tuple[str, ...]:
        """Every URL that was asked, in order."""
        return tuple(self._source.connections)

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be had, a sentence each."""
        return tuple(dict.fromkeys(self._problems))

    def completed(self, trust: Trust, evidence: Evidence) -> Trust:
        """What is trusted and known, with what servers say about the paths that were found without them."""
        if trust.revocation == "ignore":
            return trust
        found = [self._about(path) for path in _paths(evidence)]
        crls = [der for one in found for der in one.crls]
        responses = [der for one in found for der in one.ocsp_responses]
        return trust._replace(
            crls=tuple(dict.fromkeys((*trust.crls, *crls))),
            ocsp_responses=tuple(dict.fromkeys((*trust.ocsp_responses, *responses))),
        )

    def _about(self, path: tuple[Certificate, ...]) -> RevocationEvidence:
        if path not in self._asked:
            gathered = gather(path, self._source, now=self._now)
            self._asked[path] = gathered.evidence
            self._problems += gathered.problems
        return self._asked[path]


def _paths(evidence: Evidence) -> Iterable[tuple[Certificate, ...]]:
    """Paths of signers and of time-stamping authorities that lead somewhere."""
    found: list[Sequence[Certificate]] = []
    for signer in evidence.signers:
        found.append(signer.path)
        if signer.timestamp is not None:
            found.append(signer.timestamp.path)
    return dict.fromkeys(tuple(path) for path in found if len(path) > 1)
