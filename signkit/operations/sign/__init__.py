"""Sign artifacts: digest, to-be-signed bytes out, signature in, verify what will be written, write it whole.

The rooms: ``options`` (how, and what it came to), ``targets`` (which files), ``signers`` (which keys, and what must
hold before one is used), ``existing`` (a signature that another signer joins), ``acceptance`` (what a policy says),
``pipeline`` (one artifact, without I/O and keys, also for worker processes). This module
puts them together, and is the only place where they meet keys and files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from signkit import formats
from signkit.algorithms import digests
from signkit.errors import FileError, SignkitError, UsageError
from signkit.formats.base import WHOLE
from signkit.keys.reference import KeyReference
from signkit.operations.certificates import CertificateService
from signkit.operations.keys import KeyService
from signkit.operations.sign import pipeline, targets
from signkit.operations.sign.acceptance import Acceptance, load_acceptance
from signkit.operations.sign.existing import Existing
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

if TYPE_CHECKING:
    from signkit.operations.verify import VerifyingService

GROUP = 1000
"""Artifacts whose signatures are recorded in one transaction and then written."""

MAXIMUM_MESSAGE = 64 << 20
"""Largest artifact in bytes that is signed by an algorithm that takes no digest."""


_WHOLE_DIGEST = "sha512"
"""Goes into the audit log for an artifact that is signed whole."""


class _Call(NamedTuple):
    """What holds for a whole call: signers, what every signature must satisfy, whether files are replaced."""

    signers: Opened
    acceptance: Acceptance | None
    overwrite: bool


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
        verifying: Callable[[], VerifyingService] | None = None,
    ) -> None:
        """Take the parts; nothing is opened here.

        Args:
            keys: the key service.
            certificates: certificates of key versions.
            source: reads artifacts.
            sink: writes signatures.
            clock: the present.
            stamper: gives what goes along with each signature value, such as a timestamp; None = nothing.
            verifying: gives what judges signatures by the policy of ``SignOptions.policy``; None = nothing does.
        """
        self._keys = keys
        self._certificates = certificates
        self._source = source
        self._sink = sink
        self._clock = clock
        self._stamper = stamper
        self._verifying = verifying

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
            ConfigurationError: the policy is invalid.
            RefusedError: the policy would refuse the signature, or ``add`` meets a signature that it can't go with.
        """
        named = [references] if isinstance(references, KeyReference) else list(references)
        signers = open_signers(self._keys, self._certificates, named, options, self._clock)
        acceptance = load_acceptance(self._verifying, options, signers)
        suffix = formats.format_named(signers.recipe.format).suffix
        wanted, skipped = targets.artifacts(paths, suffix)
        outputs = targets.outputs(wanted, suffix, options.out_dir)
        self._sink.check(outputs.values(), overwrite=options.overwrite or options.add)
        works = [self._prepare(path, output, signers, options) for path, output in outputs.items()]
        if acceptance is not None:
            acceptance.require_covered(outputs)
        if not options.dry_run:
            self._write(works, _Call(signers, acceptance, options.overwrite or options.add))
        artifacts = tuple(_described(work, signers.recipe) for work in works)
        return Signed(artifacts, signers.used, tuple(skipped), signers.notices)

    def _prepare(self, path: str, output: str, signers: Opened, options: SignOptions) -> Work:
        """Digest an artifact in one pass for all signers, also for those that are there already."""
        wanted = signers.recipe.digests()
        if WHOLE in wanted:
            return self._whole(path, output, signers)
        existing = Existing.read(self._source, output, signers, options) if options.add else None
        digested = self._source.digest(path, wanted | existing.digests if existing else wanted)
        work = Work(path, output, digested.size, digested.values, digested.head)
        return existing.joined_by(work) if existing else work

    def _whole(self, path: str, output: str, signers: Opened) -> Work:
        """An artifact for an algorithm that takes no digest."""
        digested = self._source.digest(path, (_WHOLE_DIGEST,))
        if digested.size > MAXIMUM_MESSAGE:
            raise UsageError(
                f"{path}: has {digested.size} bytes, expected at most {MAXIMUM_MESSAGE}: "
                f"{signers.used[0].algorithm.name} signs the whole artifact at once, not its digest",
                hint="sign with --format cms, the default, which digests an artifact of any size",
            )
        content = self._source.read(path, limit=digested.size, what="artifact")
        if digests.digest(_WHOLE_DIGEST, content) != digested.values[_WHOLE_DIGEST]:
            hint = "let whatever writes the file finish first"
            raise FileError(f"{path}: changed while it was read", path=path, hint=hint)
        return Work(path, output, digested.size, {WHOLE: content, **digested.values}, digested.head)

    def _write(self, works: Sequence[Work], call: _Call) -> None:
        if len(works) == 1:
            self._write_group(works, call)
            return
        with self._sink.batch():
            for start in range(0, len(works), GROUP):
                self._write_group(works[start : start + GROUP], call)

    def _write_group(self, works: Sequence[Work], call: _Call) -> None:
        now, recipe = self._clock(), call.signers.recipe
        to_be_signed = [pipeline.to_be_signed(recipe, work, now) for work in works]
        values = self._sign_group(works, to_be_signed, call.signers)
        for work, data, value in zip(works, to_be_signed, values, strict=True):
            try:
                stamped = () if self._stamper is None else tuple(map(self._stamper, value))
                signature = pipeline.finish(recipe, work, data, value, stamped)
                if call.acceptance is not None:
                    call.acceptance.require(work, signature)
                self._sink.write(work.output, signature, overwrite=call.overwrite)
            except SignkitError as error:
                self._record_why(call.signers, error)
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

    def _record_why(self, signers: Opened, error: SignkitError) -> None:
        """The signature values are on record as made: say there, too, why no file came of them."""
        first = signers.used[0]
        with self._keys.access.attempt(
            "AsymmetricSign", version=first.version.number, algorithm=first.algorithm.name, detail=error.message
        ) as attempt:
            attempt.allow(first.key, algorithm=first.algorithm.name)
            raise error


def _described(work: Work, recipe: Recipe) -> SignedArtifact:
    plain = [name for signer in recipe.signers if digests.is_plain(name := signer.digest) and name != WHOLE]
    return SignedArtifact(work.artifact, work.output, work.size, {name: work.digested[name].hex() for name in plain})
