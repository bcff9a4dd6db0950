"""Verify artifacts: read what is to be judged through ports, then leave the judgement to the pure core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from signkit import formats
from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.errors import FileError, MalformedError, UnavailableError, UsageError, VerificationError
from signkit.operations import evidence_files, policies
from signkit.ports import ArtifactSource, Clock, RevocationSource, TrustStore
from signkit.verification.decide import decide, without_policy
from signkit.verification.examine import Evidence, examine
from signkit.verification.inputs import ArtifactInput, Trust, is_one_element
from signkit.verification.policy import ANYBODY, ANYONE, PROFILES, REVOCATIONS, Identity, Policy
from signkit.verification.policy_fields import SYSTEM
from signkit.verification.policy_file import FilePolicy, PolicyFile
from signkit.verification.result import ArtifactResult, VerificationResult, hint_for

if TYPE_CHECKING:
    from signkit.operations.online import OnlineEvidence

MAXIMUM_SIGNATURE = 16 << 20
_FALLBACK_DIGEST = "sha256"


class VerifyingService:
    """Verifies artifacts. Needs no store, no configuration and no key."""

    def __init__(self, source: ArtifactSource, *, clock: Clock, system_trust: TrustStore | None = None) -> None:
        """Take the parts; nothing is opened here.

        Args:
            source: reads files.
            clock: the present.
            system_trust: the trust anchors of the platform, for who asks for them.
        """
        self._source = source
        self._clock = clock
        self._system_trust = system_trust

    def load_policy(self, path: str) -> PolicyFile:
        """The policy file at that path.

        Raises:
            FileError: it can't be read.
            ConfigurationError: it is invalid.
        """
        return policies.load(self._source, path)

    def policy(
        self,
        named: str | None,
        *,
        default: Callable[[], str | None] = lambda: None,
        instead: Mapping[str, Any] = MappingProxyType({}),
        identity: Identity = ANYBODY,
        require_identity: bool = False,
    ) -> Policy | PolicyFile:
        """The policy that a command line means.

        Args:
            named: path of the policy file that it names.
            default: asked for the configured policy file, when neither a file nor something in its stead was given.
            instead: the options given that a policy file says itself (``--trust``, ``--tsa-trust``, ``--profile``,
                ``--revocation``) with their values.
            identity: whom the signer must be, beside what a policy file says.
            require_identity: whether somebody must be named.

        Raises:
            UsageError: a policy file and something in its stead, or an unknown profile or treatment of revocation.
            FileError: the policy file can't be read.
            ConfigurationError: it is invalid.
        """
        if named is not None and instead:
            raise policies.mixed(next(iter(instead)), named)
        path = default() if named is None and not instead else named
        if path is not None:
            return self.load_policy(path).narrowed(identity, require_identity)
        return adjusted(
            Policy(identity, require_identity),
            profile=instead.get("--profile"),
            revocation=instead.get("--revocation"),
        )

    def verify(
        self,
        artifacts: Sequence[str],
        *,
        trust: Sequence[str] = (),
        intermediates: Sequence[str] = (),
        signature: str | None = None,
        policy: Policy | PolicyFile = ANYONE,
        tsa_trust: Sequence[str] = (),
        crls: Sequence[str] = (),
        ocsp_responses: Sequence[str] = (),
        sm2_id: bytes = DEFAULT_SIGNER_ID,
        at: datetime | None = None,
        named: str | None = None,
        online: RevocationSource | None = None,
        format: str = "cms",
    ) -> VerificationResult:
        """Judge chain and artifact together.

        Args:
            artifacts: paths.
            trust: files with trust anchors (PEM, DER, PKCS #7), or ``system``. Trust is never implied.
            intermediates: files with further certificates.
            signature: the signature of the only artifact; None = beside each artifact.
            policy: whom to accept; a policy file brings its trust anchors along.
            tsa_trust: files with trust anchors of timestamp authorities, or ``system``.
            crls: files with CRLs (PEM, DER).
            ocsp_responses: files with OCSP responses (DER).
            sm2_id: identifier of SM2 signers.
            at: judge as if now were this moment (aware UTC); None = the clock.
            named: the path that the patterns of the policy file see instead of that of the only artifact.
            online: where the revocation status of certificates may be asked for; None = no network is used.
            format: name of the signature format.

        Returns:
            A result whose truth value is the verdict.

        Raises:
            UsageError: no artifact, one signature named for several, or a policy file beside trust anchors.
            FileError: a certificate file can't be read. Unreadable artifacts and signatures are part of the result.
            ConfigurationError: a trust anchor that a policy file names holds no certificate or a broken one.
            MalformedError: the same of a file that was named otherwise.
            UnavailableError: the trust anchors of the platform can't be had.
        """
        _require_sound(artifacts, signature is not None or named is not None, at)
        rules = _rules(policy, trust, tsa_trust)
        now = at or self._clock()
        suffix = formats.format_named(format).suffix
        wanted = without_signatures(artifacts, suffix)
        chosen = [rules.policy_for(named or artifact) for artifact in wanted]
        given = Trust(
            (),
            evidence_files.certificates(self._source, intermediates),
            now,
            sm2_id=sm2_id,
            crls=evidence_files.crls(self._source, crls),
            ocsp_responses=evidence_files.ocsp_responses(self._source, ocsp_responses),
        )
        reader = _TrustReader(self._source, self._system_trust, rules, given)
        trusted = {rule: reader.trust_of(rule) for rule in dict.fromkeys(chosen) if rule is not None}
        network = None if online is None else _network(online, now)
        results = []
        for artifact, rule in zip(wanted, chosen, strict=True):
            trust_of_rule = reader.given if rule is None else trusted[rule]
            place = artifact + suffix if signature is None else signature
            subject = self._subject(artifact, place, format, trust_of_rule)
            if rule is None:
                evidence = examine(subject._replace(signature=None), reader.given)
                results.append(without_policy(evidence, rules.uncovered(named or artifact)))
            else:
                results.append(decide(_examined(subject, trust_of_rule, network), rule.policy))
        notices = [*rules.warnings, *reader.notices, *(network.problems if network else ())]
        connections = network.connections if network else ()
        return VerificationResult(tuple(results), now, connections, notices=tuple(notices))

    def judging(
        self, rules: PolicyFile, *, sm2_id: bytes = DEFAULT_SIGNER_ID
    ) -> Callable[[ArtifactInput], ArtifactResult]:
        """Judges signatures that are still in memory, by the policies of a file; the present is that of each call.

        Args:
            rules: the policy file. Its trust anchors are read when first needed.
            sm2_id: identifier of SM2 signers.

        Returns:
            Judges one artifact. It raises what ``verify`` does.
        """
        reader = _TrustReader(self._source, self._system_trust, rules, Trust((), (), self._clock(), sm2_id=sm2_id))
        trusted: dict[FilePolicy, Trust] = {}

        def judge(subject: ArtifactInput) -> ArtifactResult:
            rule = rules.policy_for(subject.artifact)
            if rule is None:
                evidence = examine(subject._replace(signature=None), reader.given)
                return without_policy(evidence, rules.uncovered(subject.artifact))
            if rule not in trusted:
                trusted[rule] = reader.trust_of(rule)
            return decide(examine(subject, trusted[rule]._replace(now=self._clock())), rule.policy)

        return judge

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


def _network(online: RevocationSource, now: datetime) -> OnlineEvidence:
    from signkit.operations.online import OnlineEvidence

    return OnlineEvidence(online, now)


def _examined(subject: ArtifactInput, trust: Trust, network: OnlineEvidence | None) -> Evidence:
    """The evidence of one artifact; with a network, again with what servers say about the paths found without."""
    evidence = examine(subject, trust)
    if network is None:
        return evidence
    completed = network.completed(trust, evidence)
    return evidence if completed == trust else examine(subject, completed)


class _TrustReader:
    """Reads the trust anchors of policies; says so when they are the platform's."""

    def __init__(
        self, source: ArtifactSource, system_trust: TrustStore | None, rules: PolicyFile, given: Trust
    ) -> None:
        self.given = given
        self.notices: list[str] = []
        self._source = source
        self._system_trust = system_trust
        self._rules = rules
        self._system: tuple[bytes, ...] = ()

    def trust_of(self, rule: FilePolicy) -> Trust:
        """What one policy trusts, and what is known beside it."""
        policy = rule.policy
        ignored = policy.timestamp == "ignored"
        return self.given._replace(
            trust_anchors=self._anchors(rule, "trust-anchors", rule.trust_anchors),
            profile=policy.profile,
            revocation=policy.revocation,
            timestamp=policy.timestamp,
            tsa_trust_anchors=() if ignored else self._anchors(rule, "tsa-trust-anchors", rule.tsa_trust_anchors),
        )

    def _anchors(self, rule: FilePolicy, key: str, named: Sequence[str]) -> tuple[bytes, ...]:
        files = [one for one in named if one != SYSTEM]
        if self._rules.name:
            found = policies.anchors(self._source, self._rules, rule, key, files)
        else:
            found = evidence_files.certificates(self._source, files)
        return (*found, *self._platform()) if SYSTEM in named else found

    def _platform(self) -> tuple[bytes, ...]:
        if not self._system:
            if self._system_trust is None:
                raise UnavailableError("the trust anchors of the system are not connected here", hint="name files")
            self._system = self._system_trust()
            self.notices.append(
                f"trusting the {len(self._system)} trust anchors of this system: "
                "they are meant for TLS servers, and each of them may certify any code signer"
            )
        return self._system


def _require_sound(artifacts: Sequence[str], lone: bool, at: datetime | None) -> None:
    """``lone``: something was said that can be about one artifact only."""
    if not artifacts:
        raise UsageError("no artifact to verify", hint="name the files to verify")
    if lone and len(artifacts) != 1:
        raise UsageError(f"--signature names one signature, and there are {len(artifacts)} artifacts, expected one")
    if at is not None and not isinstance(at, datetime):
        raise UsageError(f"the time is {at!r}, expected a datetime", hint="datetime(2030, 1, 1, tzinfo=UTC) is one")
    if at is not None and at.tzinfo is None:
        raise UsageError(f"the time {at} has no zone, expected an aware time", hint="for example tzinfo=datetime.UTC")


def adjusted(policy: Policy, *, profile: str | None = None, revocation: str | None = None) -> Policy:
    """A policy with another profile and another treatment of revocation; None leaves either as it is.

    Raises:
        UsageError: there is no such profile or treatment.
    """
    for option, value, known in (("--profile", profile, PROFILES), ("--revocation", revocation, REVOCATIONS)):
        if value is not None and value not in known:
            raise UsageError(f"{option} is '{value}', expected one of {', '.join(known)}")
    return policy._replace(profile=profile or policy.profile, revocation=revocation or policy.revocation)


def _rules(policy: Policy | PolicyFile, trust: Sequence[str], tsa_trust: Sequence[str]) -> PolicyFile:
    """The policies of a file, or the one that was given as if it were a file for everything."""
    if isinstance(policy, Policy):
        return PolicyFile("", (FilePolicy(policy, ("**",), tuple(trust), tuple(tsa_trust)),))
    for option, given in (("--trust", trust), ("--tsa-trust", tsa_trust)):
        if given:
            raise policies.mixed(option, policy.name)
    return policy


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
