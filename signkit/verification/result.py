"""The outcome of a verification: one result feeds every report, and its exit status names the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from signkit.evidence import Check, Verdict
from signkit.x509.certificate import Certificate

UNAVAILABLE = 3
_STATUSES: tuple[tuple[str, int], ...] = (
    (r"artifact\.readable", UNAVAILABLE),
    (r"signature\.present", 10),
    (r"signature\.format|path\.0\.format", 11),
    (r"artifact\..*", 12),
    (r"signature\.value", 13),
    (r"signed-attributes\..*", 13),
    (r"path\.\d+\.validity", 15),
    (r"path\..*", 14),
    (r"timestamp\..*", 18),
    (r"time\.established", 18),
    (r"identity|threshold|signature\.algorithm|policy\.artifact", 19),
)
"""Check name (pattern) to exit status; the first match counts. Revocation depends on the verdict too."""

_HINTS: tuple[tuple[str, str], ...] = (
    (r"artifact\.readable", "check the path and the permissions"),
    (r"signature\.present", "sign it with 'signkit sign', or name the signature with --signature"),
    (r"signature\.format", "the file is damaged or is not a CMS signature; 'signkit inspect' shows what is in it"),
    (r"artifact\..*", "the file was changed after it was signed, or the signature belongs to another file"),
    (r"signature\.value|signed-attributes\..*", "the signature was altered or made wrongly: do not trust the artifact"),
    (r"path\.\d+\.validity", "compare the dates with the clock; what an expired signer signed must be signed anew"),
    (r"path\.leaf\.extended-key-usage", "the certificate was not issued for this purpose"),
    (r"path\.0\.format", "the file is damaged or holds no certificate; 'signkit inspect' shows what is in it"),
    (r"path\.built", "name the right root with --trust, and missing intermediates with --intermediate"),
    (r"path\..*", "the authority must issue a certificate that fits; 'signkit inspect' shows the present one"),
    (r"timestamp\.path\..*", "name the root of the time-stamping authority with --tsa-trust"),
    (r"timestamp\..*|time\.established", "have it stamped anew, or judge without timestamps by a policy"),
    (r"identity", "compare --signer, --issuer and --spki-sha256 with the signer shown"),
    (r"threshold", "more of the required keys must sign"),
    (r"signature\.algorithm", "sign again with one of the accepted algorithms"),
    (r"revocation\..*", "give current CRLs with --crl or OCSP responses with --ocsp; sign anew what is revoked"),
    (r"policy\.artifact", "name the artifact as the policy file does, or add a policy for it"),
)

WARN, IGNORE = "warn", "ignore"
"""Values of the fact ``action`` of a check that did not pass and does not refuse: the policy only warns about it, or
does not look at it.
"""


def status_of(check: Check) -> int:
    """Exit status that a check leads to when it did not pass (see ``docs/exit-codes.md``)."""
    if check.name.startswith("revocation."):
        return 16 if check.verdict is Verdict.FAIL else 17
    return next(status for pattern, status in _STATUSES if re.fullmatch(pattern, check.name))


def refuses(check: Check) -> bool:
    """Whether a check stands in the way of acceptance: it did not pass, and the policy has not lowered it."""
    return check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE) and check.facts.get("action") not in (WARN, IGNORE)


def warns(check: Check) -> bool:
    """Whether a check did not pass and the policy only warns about it."""
    return check.facts.get("action") == WARN


def hint_for(check: Check) -> str:
    """What a user can do about a check that did not pass."""
    return next((hint for pattern, hint in _HINTS if re.fullmatch(pattern, check.name)), "")


class TimestampResult(NamedTuple):
    """The timestamp token of a signer that counts; whether it is valid, the checks ``timestamp.*`` say.

    Attributes:
        time: what it states, aware UTC.
        certificate: of the time-stamping authority, or None when it is missing.
        authority: how the token itself names the authority, empty when it does not.
        policy: the authority's policy (dotted).
        serial_number: number of the token.
        accuracy: how far ``time`` may be off, or None when only the policy says it.
        digest: name of the digest algorithm of the message imprint.
        path: certificates from the authority's to the trust anchor, as far as known.
    """

    time: datetime
    certificate: Certificate | None
    authority: str
    policy: str
    serial_number: int
    accuracy: timedelta | None
    digest: str
    path: tuple[Certificate, ...]


class SignerResult(NamedTuple):
    """One signer, judged.

    Attributes:
        certificate: the signer's certificate, or None when it is missing.
        named: how the signature names the signer.
        key_type: type of the signer's key, empty without certificate.
        algorithm: name of the signature algorithm.
        signing_time: the signer's own word; None when absent.
        path: certificates from the leaf to the trust anchor, as far as known.
        tried: other paths, each with the reason it was not taken.
        checks: every check of this signer.
        accepted: whether the policy accepts this signer.
        timestamp: the timestamp token that counts, valid or not; None when there is none.
    """

    certificate: Certificate | None
    named: str
    key_type: str
    algorithm: str
    signing_time: datetime | None
    path: tuple[Certificate, ...]
    tried: tuple[str, ...]
    checks: tuple[Check, ...]
    accepted: bool = False
    timestamp: TimestampResult | None = None

    @property
    def proven_time(self) -> datetime | None:
        """The time before which it was signed, as a valid timestamp proves; None without one."""
        established = any(check.name == "time.established" and check.passed for check in self.checks)
        return self.timestamp.time if self.timestamp is not None and established else None

    @property
    def subject(self) -> str:
        """Subject of the signer's certificate (RFC 4514), empty when the certificate is missing."""
        return str(self.certificate.subject) if self.certificate else ""

    @property
    def problems(self) -> tuple[Check, ...]:
        """Checks that stand in the way of acceptance."""
        return tuple(filter(refuses, self.checks))


class ArtifactResult(NamedTuple):
    """One artifact, judged.

    Attributes:
        artifact: the artifact as the caller named it.
        signature: where its signature was looked for.
        digested: digest algorithm name to the artifact's digest in lower-case hex.
        checks: checks of the signature file as a whole, then those of its signers.
        signers: the signers.
        accepted: the verdict.
        problems: the checks that led to a refusal, the weightiest first; empty when accepted.
        policy: name of the policy that was applied, empty when it came from no policy file.
    """

    artifact: str
    signature: str
    digested: dict[str, str]
    checks: tuple[Check, ...]
    signers: tuple[SignerResult, ...]
    accepted: bool
    problems: tuple[Check, ...]
    policy: str = ""

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def accepted_signers(self) -> tuple[SignerResult, ...]:
        """The signers that the policy accepts; anybody can add others to a signature file."""
        return tuple(signer for signer in self.signers if signer.accepted)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that did not pass and that the policy only warns about."""
        return tuple(filter(warns, self.checks))

    @property
    def exit_status(self) -> int:
        """0, or the status of the weightiest problem."""
        return 0 if self.accepted else combine_statuses(map(status_of, self.problems))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Names of the checks that led to a refusal, the weightiest first, each once."""
        return tuple(dict.fromkeys(check.name for check in self.problems))


class VerificationResult(NamedTuple):
    """The outcome for all artifacts. Its truth value is ``accepted``.

    Attributes:
        artifacts: one result each, in the order they were named.
        now: the moment that was judged at.
        network: every network connection that was made, as URLs.
        notices: what whoever relies on the result should know about how it was judged.
    """

    artifacts: tuple[ArtifactResult, ...]
    now: datetime
    network: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def accepted(self) -> bool:
        """Whether every artifact was accepted, and there was at least one."""
        return bool(self.artifacts) and all(artifact.accepted for artifact in self.artifacts)

    @property
    def exit_status(self) -> int:
        """0 when all were accepted, else the lowest of 10 to 19 that applies, else 3."""
        return 0 if self.accepted else combine_statuses(a.exit_status for a in self.artifacts if not a.accepted)


def combine_statuses(statuses: Iterable[int]) -> int:
    """The lowest status of 10 to 19; without one of those, 3."""
    return min((status for status in statuses if status >= 10), default=UNAVAILABLE)
