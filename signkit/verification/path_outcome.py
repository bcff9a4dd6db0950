"""The outcome of validating a certification path alone, with the exit status that ``verify`` would give for it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from signkit.evidence import Check, Verdict
from signkit.verification.result import (
    ArtifactResult,
    SignerResult,
    VerificationResult,
    combine_statuses,
    status_of,
)
from signkit.x509.certificate import Certificate
from signkit.x509.validation import PathResult


class PathOutcome(NamedTuple):
    """A path, judged. Its truth value is the verdict.

    Attributes:
        name: the certificate as the caller named it.
        result: path, checks, and what else was tried.
        at: the time of signing that was judged at.
        now: the present that revocation evidence was judged at.
        purpose: what the certificate had to be for.
        profile: name of the profile.
    """

    name: str
    result: PathResult
    at: datetime
    now: datetime
    purpose: str
    profile: str

    def __bool__(self) -> bool:
        return bool(self.result)

    @property
    def certificate(self) -> Certificate | None:
        """The leaf, or None when it could not be parsed."""
        return self.result.path[0] if self.result.path else None

    @property
    def problems(self) -> tuple[Check, ...]:
        """The checks that stand in the way, the weightiest first."""
        return tuple(
            sorted(self.result.faults, key=lambda check: (status_of(check), check.verdict is not Verdict.FAIL))
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """Names of those checks, each once."""
        return tuple(dict.fromkeys(check.name for check in self.problems))

    @property
    def exit_status(self) -> int:
        """0, or the status of the weightiest problem."""
        return combine_statuses(map(status_of, self.problems)) if self.problems else 0

    def as_verification(self) -> VerificationResult:
        """The same as a verification whose only artifact is the certificate, with it as signer."""
        leaf = self.certificate
        signer = SignerResult(
            certificate=leaf,
            named=str(leaf.subject) if leaf else self.name,
            key_type=leaf.key_type if leaf else "",
            algorithm="",
            signing_time=None,
            path=self.result.path,
            tried=self.result.tried,
            checks=self.result.checks,
            accepted=bool(self),
        )
        artifact = ArtifactResult(self.name, "", {}, self.result.checks, (signer,), bool(self), self.problems)
        return VerificationResult((artifact,), self.now)
