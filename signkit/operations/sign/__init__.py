"""Sign artifacts: digest, to-be-signed bytes out, signature in, verify what will be written, write it whole.

The rooms: ``options`` (how, and what it came to), ``targets`` (which files), ``signers`` (which keys, and what must
hold before one is used), ``pipeline`` (one artifact, without I/O and keys, also for worker processes). This module
puts them together, and is the only place where they meet keys and files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from signkit import formats
from signkit.algorithms import digests
from signkit.errors import SignkitError
from signkit.formats.base import WHOLE
from signkit.keys.reference import KeyReference
from signkit.operations.certificates import CertificateService
from signkit.operations.keys import KeyService
from signkit.operations.sign import pipeline, targets
from signkit.operations.sign.options import DEFAULTS as DEFAULTS
from signkit.operations.sign.options import Signed as Signed
from signkit.operations.sign.options import SignedArtifact as SignedArtifact
from signkit.operations.sign.options import SignedBy as SignedBy
from signkit.operations.sign.options import SignOptions as SignOptions
from signkit.operations.sign.pipeline import Recipe, Work
from signkit.operations.sign.pipeline import Stamped as Stamped
from signkit.operations.sign.pipeline import Stamper as Stamper
from signkit.operations.sign.signers import Opened, open_signers
from signkit.operations.use import SignInput
from signkit.ports import ArtifactSource, Clock, OutputSink

GROUP = 1000
"""Artifacts whose signatures are recorded in one transaction and then written."""

MAXIMUM_MESSAGE = 64 << 20
"""Largest artifact in bytes that is signed by an algorithm that takes no digest."""


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
        stamper: Stamper | None = None,
    ) -> None:
        """Take the parts; nothing is opened here.

        Args:
            keys: the key service.
            certificates: certificates of key versions.
            source: reads artifacts.
            sink: writes signatures.
            clock: the present.
            stamper: gives what goes along with each signature value, such as a timestamp; None = nothing.
        """
        self._keys = keys
        self._certificates = certificates
        self._source = source
        self._sink = sink
        self._clock = clock
        self._stamper = stamper

    def sign(
        self, paths: Sequence[str], references: KeyReference | Sequence[KeyReference], options: SignOptions = DEFAULTS
    ) -> Signed:
        """Write a detached signature for each artifact, by all the key versions together.

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
        named = [references] if isinstance(references, KeyReference) else list(references)
        signers = open_signers(self._keys, self._certificates, named, options, self._clock)
        suffix = formats.format_named(signers.recipe.format).suffix
        wanted, skipped = targets.artifacts(paths, suffix)
        outputs = targets.outputs(wanted, suffix, options.out_dir)
        self._sink.check(outputs.values(), overwrite=options.overwrite)
        works = [self._prepare(path, output, signers) for path, output in outputs.items()]
        if not options.dry_run:
            self._write(works, signers, options)
        artifacts = tuple(_described(work, signers.recipe) for work in works)
        return Signed(artifacts, signers.used, tuple(skipped), signers.notices)

    def _prepare(self, path: str, output: str, signers: Opened) -> Work:
        """Digest an artifact for all signers in one pass."""
        wanted = signers.recipe.digests()
        if WHOLE in wanted:
            content = self._whole(path, signers)
            return Work(path, output, len(content), {WHOLE: content}, content[:8])
        digested = self._source.digest(path, wanted)
        return Work(path, output, digested.size, digested.values, digested.head)

    def _whole(self, path: str, signers: Opened) -> bytes:
        """An artifact for an algorithm that takes no digest."""
        return self._source.read(
            path, limit=MAXIMUM_MESSAGE, what=f"artifact to sign with {signers.used[0].algorithm.name}"
        )

    def _write(self, works: Sequence[Work], signers: Opened, options: SignOptions) -> None:
        if len(works) == 1:
            self._write_group(works, signers, options)
            return
        with self._sink.batch():
            for start in range(0, len(works), GROUP):
                self._write_group(works[start : start + GROUP], signers, options)

    def _write_group(self, works: Sequence[Work], signers: Opened, options: SignOptions) -> None:
        now = self._clock()
        to_be_signed = [pipeline.to_be_signed(signers.recipe, work, now) for work in works]
        values = self._sign_group(works, to_be_signed, signers)
        for work, data, value in zip(works, to_be_signed, values, strict=True):
            try:
                stamped = () if self._stamper is None else tuple(map(self._stamper, value))
                signature = pipeline.finish(signers.recipe, work, data, value, stamped)
                self._sink.write(work.output, signature, overwrite=options.overwrite)
            except SignkitError as error:
                self._record_why(work, signers, error)
                raise

    def _sign_group(
        self, works: Sequence[Work], to_be_signed: Sequence[tuple[bytes, ...]], signers: Opened
    ) -> list[tuple[bytes, ...]]:
        """The signature values of all signers for each artifact. All uses of keys for signing artifacts are here."""
        recipe = signers.recipe
        inputs = [pipeline.key_inputs(recipe, data) for data in to_be_signed]
        by_signer = []
        for number, reference in enumerate(signers.references):
            signer = recipe.signers[number]
            group = [
                SignInput(one[number], pipeline.recorded_digest(signer, work), work.artifact)
                for work, one in zip(works, inputs, strict=True)
            ]
            by_signer.append(self._keys.use.sign(reference, signer.algorithm.name, group))
        return list(zip(*by_signer, strict=True))

    def _record_why(self, work: Work, signers: Opened, error: SignkitError) -> None:
        """The signature values are on record as made: say there, too, why no file came of them."""
        first = signers.used[0]
        with self._keys.access.attempt(
            "AsymmetricSign", version=first.version.number, algorithm=first.algorithm.name, detail=error.message
        ) as attempt:
            attempt.allow(first.key, algorithm=first.algorithm.name)
            raise error


def _described(work: Work, recipe: Recipe) -> SignedArtifact:
    named: Iterable[str] = (signer.digest for signer in recipe.signers if signer.digest != WHOLE)
    return SignedArtifact(
        work.artifact,
        work.output,
        work.size,
        {name.partition(":")[0]: work.digested[name].hex() for name in named if digests.is_plain(name)},
    )
