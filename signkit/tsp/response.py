"""Responses of a time-stamping authority (RFC 3161 section 2.4.2)."""

from __future__ import annotations

from typing import NamedTuple

from signkit.der import tsp

GRANTED, GRANTED_WITH_MODIFICATIONS, REJECTION = 0, 1, 2

STATUSES = {
    0: "granted",
    1: "granted with modifications",
    2: "rejected",
    3: "waiting",
    4: "a revocation is imminent",
    5: "a revocation has taken place",
}
"""PKIStatus in words."""

FAILURES = {
    0: "unrecognised or unsupported digest algorithm (badAlg)",
    2: "transaction not permitted or not supported (badRequest)",
    5: "data of the wrong format (badDataFormat)",
    14: "the time source is not available (timeNotAvailable)",
    15: "the policy asked for is not supported (unacceptedPolicy)",
    16: "an extension is not supported (unacceptedExtension)",
    17: "additional information is not understood or not available (addInfoNotAvailable)",
    25: "system failure of the authority (systemFailure)",
}
"""Bits of PKIFailureInfo in words."""

BAD_ALGORITHM, BAD_REQUEST, BAD_DATA_FORMAT, UNACCEPTED_POLICY, UNACCEPTED_EXTENSION = 0, 2, 5, 15, 16


class TimeStampResponse(NamedTuple):
    """What a time-stamping authority answered.

    Attributes:
        status: PKIStatus, a key of ``STATUSES`` unless the authority invents one.
        text: the authority's own words.
        failures: bits of PKIFailureInfo.
        token: DER of the token, not looked into; None when there is none.
    """

    status: int
    text: tuple[str, ...] = ()
    failures: frozenset[int] = frozenset()
    token: bytes | None = None

    @property
    def granted(self) -> bool:
        """Whether there is a token and the status says so; with modifications counts (RFC 3161 section 2.4.2)."""
        return self.status in (GRANTED, GRANTED_WITH_MODIFICATIONS) and self.token is not None

    def explain(self) -> str:
        """Status and reasons in one line for a person."""
        words = [STATUSES.get(self.status, f"unknown status {self.status}")]
        words += [FAILURES.get(bit, f"unknown failure {bit}") for bit in sorted(self.failures)]
        if not self.granted and self.status in (GRANTED, GRANTED_WITH_MODIFICATIONS):
            words.append("but without a token")
        words += [f"'{text[:200]}'" for text in self.text[:5]]
        return ", ".join(words)

    def encode(self) -> bytes:
        """DER TimeStampResp."""
        return tsp.encode_response(tsp.TimeStampResp(self.status, self.text, self.failures, self.token))


def decode(der: bytes) -> TimeStampResponse:
    """Read a response.

    Raises:
        MalformedError: it is not one.
    """
    return TimeStampResponse(*tsp.decode_response(der))


def granted(token: bytes) -> TimeStampResponse:
    """A response with a token."""
    return TimeStampResponse(GRANTED, token=token)


def rejected(failure: int, text: str) -> TimeStampResponse:
    """A refusal: one of ``FAILURES``, and words for a person."""
    return TimeStampResponse(REJECTION, (text,), frozenset({failure}))
