"""Sign artifacts: digest, to-be-signed bytes out, signature in, verify what will be written, write it whole."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from signkit import algorithms, formats
from signkit.algorithms.base import SignatureAlgorithm
from signkit.errors import CertificateUnusableError, ProviderError, UsageError
from signkit.evidence import Verdict
from signkit.formats.base import Format
from signkit.keys.model import Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.certificates import CertificateService, require_signer
from signkit.operations.keys import KeyService
from signkit.operations.use import SignInput
from signkit.ports import ArtifactSource, Clock, OutputSink
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import validation
from signkit.x509.certificate import Certificate

GROUP = 1000
"""Artifacts whose signatures are recorded in one transaction and then written."""


class SignOptions(NamedTuple):
    """How to sign.

    Attributes:
        digest: ``sha256``, ``sha384`` or ``sha512``; empty = the key type's own.
        format: name of the signature format.
        out_dir: folder for the signatures; empty = beside each artifact.
        overwrite: whether existing signatures are replaced.
        dry_run: do everything that needs no key and write nothing.
    """

    digest: str = ""
    format: str = "cms"
    out_dir: str = ""
    overwrite: bool = False
    dry_run: bool = False


DEFAULTS = SignOptions()


class SignedArtifact(NamedTuple):
    """One artifact and its signature.

    Attributes:
        artifact: path of the artifact.
        signature: path of the signature.
        size: bytes of the artifact.
        digest_algorithm: digest that was signed.
        digest_hex: lower-case hex digest of the artifact.
    """

    artifact: str
    signature: str
    size: int
    digest_algorithm: str
    digest_hex: str


class Signed(NamedTuple):
    """What a call to ``SigningService.sign`` made.

    Attributes:
        artifacts: one each.
        key: the key.
        version: the key version.
        algorithm: the signature algorithm.
        certificate: the signer's certificate.
        skipped: paths that were left out because they are signatures themselves.
    """

    artifacts: tuple[SignedArtifact, ...]
    key: Key
    version: KeyVersion
    algorithm: SignatureAlgorithm
    certificate: Certificate
    skipped: tuple[str, ...]


class _Signer(NamedTuple):
    """Everything about the signer that holds for all artifacts of a call."""

    reference: KeyReference
    key: Key
    version: KeyVersion
    algorithm: SignatureAlgorithm
    certificate: Certificate
    digest: str
    format: Format
    prepared: Any


class SigningService:
    """Signs artifacts with certified key versions."""

    def __init__(
        self,
        keys: KeyService,
        certificates: CertificateService,
        source: ArtifactSource,
        sink: OutputSink,
        *,
        clock: Clock,
    ) -> None:
        """Take the parts; nothing is opened here."""
        self._keys = keys
        self._certificates = certificates
        self._source = source
        self._sink = sink
        self._clock = clock

    def sign(self, paths: Sequence[str], reference: KeyReference, options: SignOptions = DEFAULTS) -> Signed:
        """Write a detached signature for each artifact.

        Nothing is signed unless every artifact can be read and every output can be written. A signature file is
        written only after it verified again, from its own bytes, against the artifact's digest.

        Raises:
            UsageError: no artifact, two artifacts with the same output, or an algorithm the key can't use.
            NotFoundError: no such key or version, or it has no certificate.
            AccessDeniedError: the caller may not sign with it.
            StateError: key or version is not enabled.
            CertificateUnusableError: the certificate has expired or is not for code signing.
            FileError: an artifact can't be read or a signature can't be written.
            OutputExistsError: a signature exists already.
            ProviderError: the provider could not sign.
        """
        signer = self._signer(reference, options)
        wanted, skipped = _artifacts(paths, signer.format.suffix)
        outputs = _outputs(wanted, signer.format.suffix, options.out_dir)
        self._sink.check(outputs.values(), overwrite=options.overwrite)
        artifacts = [self._digest(path, output, signer) for path, output in outputs.items()]
        if not options.dry_run:
            self._write(artifacts, signer, options)
        return Signed(
            tuple(artifacts), signer.key, signer.version, signer.algorithm, signer.certificate, tuple(skipped)
        )

    def _signer(self, reference: KeyReference, options: SignOptions) -> _Signer:
        with self._keys.use.signing(reference, digest=options.digest, dry_run=options.dry_run) as opened:
            key, version, algorithm = opened.key, opened.version, opened.algorithm
            bound = self._certificates.find_required(version, reference)
            certificate = require_signer(bound, version, reference, clock=self._clock)
            _require_purpose(certificate, reference)
        digest = algorithm.content_digest
        chosen = formats.format_named(options.format)
        chain = tuple(der for der in bound.chain if not x509_certificate.load_accepted(der).self_issued)
        prepared = chosen.prepare(certificate, chain, algorithm, digest)
        return _Signer(reference, key, version, algorithm, certificate, digest, chosen, prepared)

    def _digest(self, path: str, output: str, signer: _Signer) -> SignedArtifact:
        digested = self._source.digest(path, (signer.digest,))
        return SignedArtifact(path, output, digested.size, signer.digest, digested.values[signer.digest].hex())

    def _write(self, artifacts: Sequence[SignedArtifact], signer: _Signer, options: SignOptions) -> None:
        if len(artifacts) == 1:
            self._write_group(artifacts, signer, options)
            return
        with self._sink.batch():
            for start in range(0, len(artifacts), GROUP):
                self._write_group(artifacts[start : start + GROUP], signer, options)

    def _write_group(self, artifacts: Sequence[SignedArtifact], signer: _Signer, options: SignOptions) -> None:
        now = self._clock()
        digested = [bytes.fromhex(artifact.digest_hex) for artifact in artifacts]
        to_be_signed = [signer.format.to_be_signed(signer.prepared, digest, now) for digest in digested]
        inputs = [
            SignInput(
                algorithms.prehash(signer.algorithm, signer.version.public_key_info, tbs), digest, artifact.artifact
            )
            for tbs, digest, artifact in zip(to_be_signed, digested, artifacts, strict=True)
        ]
        values = self._keys.use.sign(signer.reference, signer.algorithm.name, inputs)
        for artifact, digest, tbs, value in zip(artifacts, digested, to_be_signed, values, strict=True):
            data = signer.format.assemble(signer.prepared, tbs, value)
            _verify_again(data, digest, signer, artifact)
            self._sink.write(artifact.signature, data, overwrite=options.overwrite)


def _verify_again(data: bytes, digest: bytes, signer: _Signer, artifact: SignedArtifact) -> None:
    """Read the signature back from the bytes that will be written; a fault in the key or in us stops here."""
    found = signer.format.parse(data).signers({signer.digest: digest}, ())
    faults = [
        check.detail or check.name
        for one in found
        for check in one.checks
        if check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE)
    ]
    if len(found) != 1 or found[0].certificate != signer.certificate or faults:
        raise ProviderError(
            f"{artifact.artifact}: the signature that was just made does not verify: {'; '.join(faults)}",
            hint="nothing was written; 'signkit doctor' checks the provider",
        )


def _require_purpose(certificate: Certificate, reference: KeyReference) -> None:
    faults = validation.leaf_faults(certificate)
    if faults:
        raise CertificateUnusableError(
            f"the certificate of {reference} is not for code signing: {'; '.join(faults)}",
            hint="ask the authority for a code-signing certificate, and import it",
        )


def _artifacts(paths: Sequence[str], suffix: str) -> tuple[list[str], list[str]]:
    """The artifacts to sign, each once, and those left out because they are signatures."""
    unique = list(dict.fromkeys(paths))
    if not unique:
        raise UsageError("no artifact to sign", hint="name the files to sign")
    if len(unique) == 1:
        return unique, []
    wanted = [path for path in unique if not path.endswith(suffix)]
    if not wanted:
        raise UsageError(
            f"no artifact to sign: all {len(unique)} files are signatures ({suffix})",
            hint="name the files to sign; a signature is signed when it is the only file named",
        )
    return wanted, [path for path in unique if path.endswith(suffix)]


def _outputs(artifacts: Iterable[str], suffix: str, out_dir: str) -> dict[str, str]:
    """Artifact to the path of its signature."""
    outputs: dict[str, str] = {}
    taken: dict[str, str] = {}
    for artifact in artifacts:
        folder = out_dir or os.path.dirname(artifact)
        output = os.path.join(folder, os.path.basename(artifact) + suffix)
        same = os.path.normpath(output)
        if same in taken:
            raise UsageError(
                f"{artifact} and {taken[same]} would both be signed into {output}, expected one output each",
                hint="name each file once; sign files of one name in separate calls with different --out-dir",
            )
        outputs[artifact], taken[same] = output, artifact
    return outputs
