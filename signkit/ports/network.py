"""What the operations need from the network, as protocols. Adapters live in net; see ``ports`` for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from signkit.x509.certificate import Certificate


class FetchedEvidence(NamedTuple):
    """What a source found about one certificate, not yet judged: DER, and what could not be had, in sentences."""

    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    problems: tuple[str, ...] = ()


class RevocationSource(Protocol):
    """Finds CRLs and OCSP responses that a certificate points to."""

    @property
    def connections(self) -> Sequence[str]:
        """Every URL that was asked so far, in order."""

    def fetch(self, certificate: Certificate, issuer: Certificate, now: datetime) -> FetchedEvidence:
        """What can be had about a certificate; what can't is a problem in the answer, not an error.

        Args:
            certificate: the certificate in question.
            issuer: the one that issued it.
            now: the present: what was kept must still be current.
        """


class TimestampAuthority(Protocol):
    """One time-stamping authority that can be asked."""

    @property
    def url(self) -> str:
        """Where it is, to name it in messages."""

    def ask(self, request: bytes) -> bytes:
        """DER TimeStampResp to a DER TimeStampReq, not looked into.

        Raises:
            UnavailableError: it could not be asked, or did not answer with a response; the message says why.
        """
