"""Sign artifacts: digest, to-be-signed bytes out, signature in, verify what will be written, write it whole."""

from __future__ import annotations

import contextlib
import os.path
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from signkit import algorithms, formats
from signkit.algorithms.base import SignatureAlgorithm
from signkit.errors import CertificateUnusableError, UsageError
from signkit.formats.base import Format
from signkit.keys.model import Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.certificates import CertificateService, require_signer
from signkit.operations.keys import KeyService
from signkit.operations.sign_batch import Batch
from signkit.operations.sign_files import Failure, FileWork, Made, SignedArtifact
from signkit.operations.use import SignInput
from signkit.ports import ArtifactSource, Clock, OutputSink, Workers
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import validation
from signkit.x509.certificate import Certificate


class SignOptions(NamedTuple):
    """How to sign.

    Attributes:
        digest: ``sha256``, ``sha384`` or ``sha512``; empty = the key type's own.
        format: name of the signature format.
        out_dir: folder for the signatures; empty = beside each artifact.
        overwrite: whether existing signatures are replaced.
        dry_run: do everything that needs no key and write nothing.
        keep_going: sign what can be signed and tell of the rest, instead of signing nothing.
        skip_signed: leave alone what has a right signature by the same certificate already.
    """

    digest: str = ""
    format: str = "cms"
    out_dir: str = ""
    overwrite: bool = False
    dry_run: bool = False
    keep_going: bool = False
    skip_signed: bool = False


DEFAULTS = SignOptions()


class Signed(NamedTuple):
    """What a call to ``SigningService.sign`` made.

    Attributes:
        artifacts: one each.
        key: the key.
        version: the key version.
        algorithm: the signature algorithm.
        certificate: the signer's certificate.
        skipped: paths that were left out because they are signatures themselves.
        unchanged: artifacts that were left alone because their signatures are right already.
        failures: artifacts that were not signed, when asked to keep going.
    """

    artifacts: tuple[SignedArtifact, ...]
    key: Key
    version: KeyVersion
    algorithm: SignatureAlgorithm
    certificate: Certificate
    skipped: tuple[str, ...]
    unchanged: tuple[SignedArtifact, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def exit_status(self) -> int:
        """0, or the highest status of a failure."""
        return max((failure.error.exit_status for failure in self.failures), default=0)


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
        workers: Workers | None = None,
    ) -> None:
        """Take the parts; nothing is opened here. Without workers everything is done one after the other."""
        self._keys = keys
        self._certificates = certificates
        self._source = source
        self._sink = sink
        self._clock = clock
        self._workers = workers

    def sign(self, paths: Sequence[str], reference: KeyReference, options: SignOptions = DEFAULTS) -> Signed:
        """Write a detached signature for each artifact.

        Nothing is signed unless every artifact can be read and every output can be written; asked to keep going,
        what can be signed is signed, and ``Signed.failures`` has the rest. A signature file is written only after it
        verified again, from its own bytes, against the artifact's digest.

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
        work = self._work(signer, options)
        writing = len(outputs) > 1 and not options.dry_run
        with self._sink.batch(outputs.values()) if writing else contextlib.nullcontext():
            batch = Batch(work, self._workers, keep_going=options.keep_going)
            done = batch.run(outputs, None if options.dry_run else partial(self._values, signer))
        return Signed(
            tuple(one for one in done.artifacts if not one.unchanged),
            signer.key,
            signer.version,
            signer.algorithm,
            signer.certificate,
            tuple(skipped),
            tuple(one for one in done.artifacts if one.unchanged),
            done.failures,
        )

    def _work(self, signer: _Signer, options: SignOptions) -> FileWork:
        return FileWork(
            self._source,
            self._sink,
            signer.format,
            signer.prepared,
            signer.certificate,
            signer.digest,
            overwrite=options.overwrite,
            skip_signed=options.skip_signed,
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

    def _values(self, signer: _Signer, artifacts: Sequence[SignedArtifact]) -> list[Made]:
        """The one place where the key is used; the group is put on record before any signature is handed out."""
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
        return [Made(*one) for one in zip(artifacts, to_be_signed, values, strict=True)]


def raise_for_failures(signed: Signed) -> None:
    """What must not be ignored is an exception, also when it was asked to keep going.

    Raises:
        SignkitError: the failure with the highest exit status, the first of them.
    """
    if signed.failures:
        raise max(signed.failures, key=lambda failure: failure.error.exit_status).error


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
