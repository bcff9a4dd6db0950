"""Collect the evidence of one artifact: every check that can be made, before any judgement."""

from __future__ import annotations

from typing import NamedTuple

from signkit.algorithms import digests
from signkit.der import oids
from signkit.errors import FileError
from signkit.evidence import Check, Verdict, failed, passed
from signkit.formats.base import Signer
from signkit.verification import paths, timestamps
from signkit.verification.inputs import ArtifactInput, Trust
from signkit.verification.paths import Carried
from signkit.verification.result import SignerResult
from signkit.verification.timestamps import Established
from signkit.x509.certificate import Certificate
from signkit.x509.validation import PathResult


class Evidence(NamedTuple):
    """What was found about one artifact.

    Attributes:
        artifact: the artifact as the caller named it.
        signature: where its signature was looked for.
        digested: digest algorithm name to the artifact's digest in lower-case hex.
        checks: checks of the signature file as a whole.
        signers: its signers, with their checks, not yet judged.
    """

    artifact: str
    signature: str
    digested: dict[str, str]
    checks: tuple[Check, ...]
    signers: tuple[SignerResult, ...]


def examine(subject: ArtifactInput, trust: Trust) -> Evidence:
    """Make every check of one artifact that its inputs allow."""
    checks = _checks_of_file(subject)
    signers: tuple[SignerResult, ...] = ()
    if subject.signature is not None and subject.problem is None:
        elsewhere = (*trust.intermediates, *trust.trust_anchors)
        found = subject.signature.signers(subject.digested, elsewhere, signer_id=trust.sm2_id)
        parsed = subject.signature
        carried = Carried(parsed.certificates, parsed.crls, parsed.ocsp_responses)
        signers = tuple(_signer(signer, carried, trust, subject.is_der) for signer in found)
    digested = {name: value.hex() for name, value in sorted(subject.digested.items()) if digests.is_plain(name)}
    return Evidence(subject.artifact, subject.signature_name, digested, tuple(checks), signers)


def _checks_of_file(subject: ArtifactInput) -> list[Check]:
    problem = subject.problem
    if isinstance(problem, FileError):
        return [failed("artifact.readable", problem.message)]
    if not subject.present:
        detail = f"no signature found: expected {subject.signature_name}"
        return [failed("signature.present", detail, expected=subject.signature_name)]
    checks = [passed("signature.present", subject.signature_name)]
    if problem is not None:
        checks.append(failed("signature.format", problem.message, source="RFC 5652"))
    elif subject.signature is not None:
        checks.append(passed("signature.format", subject.signature.encoding, encoding=subject.signature.encoding))
    return checks


def _signer(signer: Signer, carried: Carried, trust: Trust, artifact_is_der: bool) -> SignerResult:
    established = timestamps.establish(signer, carried, trust)
    certificate, path = signer.certificate, _missing(signer)
    if certificate is not None:
        path = _path(certificate, established, trust)
        for twin in signer.twins:
            if not path and (other := _path(twin, established, trust)):
                certificate, path = twin, other
    checks = [*signer.checks, *path.checks, *established.checks]
    if artifact_is_der and not signer.attributes:
        # Whoever has a signature could name its signed attributes as the artifact and leave them out of the signer:
        # both are what is signed; the same goes for a certification request or the body of a certificate. So a
        # signature without signed attributes does not do for a file that is exactly one SET or SEQUENCE.
        detail = "the artifact may be another thing that was signed (attributes, request, certificate), not a file"
        checks.append(failed("signed-attributes.ambiguity", detail, source="draft-ietf-lamps-cms-euf-cma-signeddata"))
    return SignerResult(
        certificate=certificate,
        named=signer.named,
        key_type=certificate.key_type if certificate else "",
        algorithm=signer.algorithm,
        signing_time=signer.signing_time,
        path=path.path,
        tried=path.tried,
        checks=tuple(checks),
        timestamp=established.timestamp,
    )


def _path(certificate: Certificate, established: Established, trust: Trust) -> PathResult:
    """The signer's path at the time of signing.

    A certificate for lifetime signing wants its signatures to end with it: then the path must hold now as well.
    """
    at_signing = paths.signer(certificate, established.carried, trust, established.at)
    if established.proven and at_signing and oids.LIFETIME_SIGNING in (certificate.extended_key_usage or ()):
        return paths.signer(certificate, established.carried, trust, trust.now)
    return at_signing


def _missing(signer: Signer) -> PathResult:
    detail = f"the signer's certificate ({signer.named}) is neither in the signature nor among those given"
    return PathResult((), (Check("path.built", Verdict.FAIL, detail, source="RFC 5652 5.3"),), ())
