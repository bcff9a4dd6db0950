"""Verify artifacts: read what is to be judged through ports, then leave the judgement to the pure core."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from signkit import formats
from signkit.errors import FileError, MalformedError, UsageError, VerificationError
from signkit.ports import ArtifactSource, Clock
from signkit.verification.decide import decide
from signkit.verification.examine import examine
from signkit.verification.inputs import ArtifactInput, Trust, is_one_element
from signkit.verification.policy import ANYONE, Policy
from signkit.verification.result import VerificationResult, hint_for
from signkit.x509 import bundle
from signkit.x509 import certificate as x509_certificate

MAXIMUM_SIGNATURE = 16 << 20
MAXIMUM_CERTIFICATES = 10 << 20
_FALLBACK_DIGEST = "sha256"


class VerifyingService:
    """Verifies artifacts. Needs no store, no configuration and no key."""

    def __init__(self, source: ArtifactSource, *, clock: Clock) -> None:
        """Take the parts; nothing is opened here."""
        self._source = source
        self._clock = clock

    def verify(
        self,
        artifacts: Sequence[str],
        *,
        trust: Sequence[str] = (),
        intermediates: Sequence[str] = (),
        signature: str | None = None,
        policy: Policy = ANYONE,
        at: datetime | None = None,
        format: str = "cms",
    ) -> VerificationResult:
        """Judge chain and artifact together.

        Args:
            artifacts: paths.
            trust: files with trust anchors (PEM, DER, PKCS #7). Trust is never implied.
            intermediates: files with further certificates.
            signature: the signature of the only artifact; None = beside each artifact.
            policy: whom to accept.
            at: judge as if now were this moment (aware UTC); None = the clock.
            format: name of the signature format.

        Returns:
            A result whose truth value is the verdict.

        Raises:
            UsageError: no artifact, or one signature named for several.
            FileError: a certificate file can't be read. Unreadable artifacts and signatures are part of the result.
            MalformedError: a certificate file holds no certificate or a broken one.
        """
        if not artifacts:
            raise UsageError("no artifact to verify", hint="name the files to verify")
        if signature is not None and len(artifacts) != 1:
            raise UsageError(f"--signature names one signature, and there are {len(artifacts)} artifacts, expected one")
        if at is not None and at.tzinfo is None:
            raise UsageError(
                f"the time {at} has no zone, expected an aware time", hint="for example tzinfo=datetime.UTC"
            )
        now = at or self._clock()
        given = Trust(self._certificates(trust), self._certificates(intermediates), now)
        suffix = formats.format_named(format).suffix
        results = []
        for artifact in without_signatures(artifacts, suffix):
            subject = self._subject(artifact, artifact + suffix if signature is None else signature, format, given)
            results.append(decide(examine(subject, given), policy))
        return VerificationResult(tuple(results), now)

    def _certificates(self, paths: Sequence[str]) -> tuple[bytes, ...]:
        found: list[bytes] = []
        for path in paths:
            data = self._source.read(path, limit=MAXIMUM_CERTIFICATES, what="certificate")
            try:
                ders = bundle.certificates(data)
                for der in ders:
                    x509_certificate.load(der)
            except MalformedError as error:
                raise MalformedError(f"{path}: {error.message}", hint=error.hint) from error
            found += ders
        return tuple(dict.fromkeys(found))

    def _subject(self, artifact: str, signature: str, format: str, given: Trust) -> ArtifactInput:
        """Read one artifact and its signature; what goes wrong becomes part of the evidence."""
        if not self._source.exists(artifact):
            return ArtifactInput(artifact, signature, None, {}, False, _missing(artifact))
        present = self._source.exists(signature)
        try:
            if not present:
                digested = self._source.digest(artifact, (_FALLBACK_DIGEST,))
                return ArtifactInput(artifact, signature, None, digested.values, False, None)
            data = self._source.read(signature, limit=MAXIMUM_SIGNATURE, what="signature")
            parsed = formats.format_named(format).parse(data)
            digested = self._source.digest(
                artifact,
                parsed.required_digests((*given.intermediates, *given.trust_anchors), given.sm2_id)
                or (_FALLBACK_DIGEST,),
            )
        except (FileError, MalformedError) as error:
            return ArtifactInput(artifact, signature, None, {}, present, error)
        is_der = is_one_element(digested.head, digested.size)
        return ArtifactInput(artifact, signature, parsed, digested.values, True, None, is_der)


def without_signatures(artifacts: Sequence[str], suffix: str = ".p7s") -> list[str]:
    """The artifacts, each once, without signature files that are judged anyway, with the artifact they belong to."""
    unique = dict.fromkeys(artifacts)
    return [path for path in unique if not (path.endswith(suffix) and path.removesuffix(suffix) in unique)]


def raise_unless_accepted(result: VerificationResult) -> None:
    """What must not be ignored is an exception.

    Raises:
        VerificationError: at least one artifact was refused.
    """
    if result.accepted:
        return
    refused = [artifact for artifact in result.artifacts if not artifact.accepted]
    weightiest = min(refused, key=lambda artifact: (artifact.exit_status < 10, artifact.exit_status))
    first = weightiest.problems[0]
    message = f"{weightiest.artifact}: {first.name}: {first.detail}"
    if len(refused) > 1:
        message += f" (and {len(refused) - 1} more of {len(result.artifacts)} artifacts refused)"
    raise VerificationError(message, result=result, hint=hint_for(first))


def _missing(path: str) -> FileError:
    return FileError(f"{path}: no such file (artifact)", path=path, hint="check the path")
