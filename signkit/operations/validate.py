"""Validate certification paths: from bytes, and for the command line from files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import import_module

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.errors import MalformedError, UsageError, VerificationError
from signkit.evidence import failed
from signkit.operations import evidence_files
from signkit.ports import ArtifactSource, Clock
from signkit.verification.path_outcome import PathOutcome
from signkit.verification.result import hint_for
from signkit.x509 import bundle, certificate, profiles, validation
from signkit.x509.checks import PURPOSES
from signkit.x509.path import Bag
from signkit.x509.policies import InitialPolicies
from signkit.x509.profiles import Profile
from signkit.x509.validation import PathResult, Revocation

REVOCATION_MODES = ("ignore", "check", "require")


def validate_path(
    leaf: bytes,
    *,
    trust_anchors: Sequence[bytes],
    intermediates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    ocsp_responses: Sequence[bytes] = (),
    at: datetime,
    now: datetime | None = None,
    purpose: str | None = "code-signing",
    profile: str | Profile = "code-signing",
    revocation: str = "ignore",
    sm2_id: bytes = DEFAULT_SIGNER_ID,
    max_depth: int | None = None,
    policies: InitialPolicies | Iterable[str] | None = None,
) -> PathResult:
    """Build and validate a certification path (RFC 5280 section 6, policies by RFC 9618). All bytes are DER.

    Args:
        leaf: the certificate in question.
        trust_anchors: certificates that are trusted; trust is never implied.
        intermediates: certificates that may help, in any order; what can't be parsed among them is passed over.
        crls: CRLs, in any order.
        ocsp_responses: OCSP responses, in any order.
        at: the time of signing, at which the path must be valid; aware.
        now: the present, at which revocation evidence must be fresh; None = ``at``.
        purpose: ``code-signing``, ``timestamping``, or the dotted OBJECT IDENTIFIER of another purpose; ``any`` or
            None = no purpose is asked for, and the leaf may be a CA.
        profile: ``code-signing``, ``cabf``, ``authenticode``, ``private``, or a ``Profile``.
        revocation: ``ignore``, ``check`` (what is known to be revoked is refused) or ``require`` (an unknown status is
            refused, too).
        sm2_id: identifier of SM2 signers, which may be empty; no other one is tried.
        max_depth: most certificates between leaf and anchor, self-issued ones not counted; None = 20.
        policies: inputs of policy processing, or only the acceptable policies; None = RFC 5280's most tolerant ones.

    Returns:
        The path, every check, and every other path that was tried; the truth value is the verdict. A leaf that can't be
        parsed is refused by the check ``path.0.format``.

    Raises:
        MalformedError: a trust anchor can't be parsed.
        UsageError: an unknown purpose, profile or mode, a negative depth, or a time without zone.
    """
    _check_arguments(purpose, revocation, max_depth, at, now)
    bag = Bag(trust_anchors, intermediates)
    chosen = profiles.named(profile)
    try:
        found = certificate.load(leaf)
    except MalformedError as error:
        return PathResult((), (failed("path.0.format", error.message, source="RFC 5280 4.1"),), ())
    initial = (
        policies if policies is None or isinstance(policies, InitialPolicies) else InitialPolicies(tuple(policies))
    )
    required = revocation == "require"
    checker = None
    if revocation != "ignore":
        checker = _revocation(crls, ocsp_responses, bag, at, now or at, revocation, chosen, sm2_id)
    return validation.validate_in(
        found,
        bag,
        at=at,
        now=now,
        purpose=purpose,
        profile=chosen,
        sm2_id=sm2_id,
        max_depth=max_depth,
        policies=initial,
        revocation=checker,
        revocation_required=required,
    )


def _revocation(
    crls: Sequence[bytes],
    ocsp_responses: Sequence[bytes],
    bag: Bag,
    at: datetime,
    now: datetime,
    mode: str,
    profile: Profile,
    sm2_id: bytes,
) -> Revocation:
    """What judges the revocation of a path's certificates."""
    module = import_module("signkit.x509.revocation")
    evidence = module.RevocationEvidence(crls=tuple(crls), ocsp_responses=tuple(ocsp_responses))
    found: Revocation = module.checker(evidence, bag=bag, at=at, now=now, mode=mode, profile=profile, sm2_id=sm2_id)
    return found


def _check_arguments(
    purpose: str | None, revocation: str, max_depth: int | None, at: datetime, now: datetime | None
) -> None:
    if purpose not in (None, *PURPOSES) and not re.fullmatch(r"[0-2](\.[0-9]+)+", purpose or ""):
        raise UsageError(f"'{purpose}' is not a purpose: expected one of {', '.join(PURPOSES)}")
    if revocation not in REVOCATION_MODES:
        raise UsageError(f"revocation is '{revocation}', expected one of {', '.join(REVOCATION_MODES)}")
    if max_depth is not None and max_depth < 0:
        raise UsageError(f"the depth is {max_depth}, expected 0 or more")
    for moment in (at, now):
        if moment is not None and moment.tzinfo is None:
            raise UsageError(
                f"the time {moment} has no zone, expected an aware time", hint="for example tzinfo=datetime.UTC"
            )


class PathService:
    """Validates paths of certificates in files. Needs no store, no configuration and no key."""

    def __init__(self, source: ArtifactSource, *, clock: Clock) -> None:
        """Take the parts; nothing is opened here."""
        self._source = source
        self._clock = clock

    def validate(
        self,
        leaf: str,
        *,
        trust: Sequence[str] = (),
        intermediates: Sequence[str] = (),
        crls: Sequence[str] = (),
        ocsp_responses: Sequence[str] = (),
        at: datetime | None = None,
        now: datetime | None = None,
        purpose: str = "code-signing",
        profile: str = "code-signing",
        revocation: str | None = None,
        sm2_id: bytes = DEFAULT_SIGNER_ID,
    ) -> PathOutcome:
        """Validate the path of the first certificate in a file; further ones in it serve as intermediates.

        Args:
            leaf: file with the certificate (PEM, DER, PKCS #7).
            trust: files with trust anchors. Trust is never implied.
            intermediates: files with further certificates.
            crls: files with CRLs (PEM, DER).
            ocsp_responses: files with OCSP responses.
            at: the time of signing; None = ``now``.
            now: the present; None = the clock.
            purpose: see ``validate_path``.
            profile: see ``validate_path``.
            revocation: see ``validate_path``; None = ``check`` when there is evidence of revocation, else ``ignore``.
            sm2_id: see ``validate_path``.

        Raises:
            UsageError: see ``validate_path``.
            FileError: a file can't be read.
            MalformedError: a file holds nothing of its kind, or, but for the leaf, something broken.
        """
        present = now or self._clock()
        judged_at = at or present
        data = self._source.read(leaf, limit=evidence_files.MAXIMUM_CERTIFICATES, what="certificate")
        try:
            first, *others = bundle.certificates(data)
        except MalformedError as error:
            raise MalformedError(f"{leaf}: {error.message}", hint=error.hint) from error
        result = validate_path(
            first,
            trust_anchors=evidence_files.certificates(self._source, trust),
            intermediates=(*others, *evidence_files.certificates(self._source, intermediates)),
            crls=evidence_files.crls(self._source, crls),
            ocsp_responses=evidence_files.ocsp_responses(self._source, ocsp_responses),
            at=judged_at,
            now=present,
            purpose=purpose,
            profile=profile,
            revocation=revocation or ("check" if crls or ocsp_responses else "ignore"),
            sm2_id=sm2_id,
        )
        return PathOutcome(leaf, result, judged_at, present, purpose, profile)


def raise_unless_valid(outcome: PathOutcome) -> None:
    """What must not be ignored is an exception.

    Raises:
        VerificationError: the path was refused.
    """
    if not outcome:
        first = outcome.problems[0]
        message = f"{outcome.name}: {first.name}: {first.detail}"
        raise VerificationError(message, result=outcome.as_verification(), hint=hint_for(first))
