"""Sign artifacts: digest, to-be-signed bytes out, signature in, verify what will be written, write it whole.

The rooms: ``options`` (how, and what it came to), ``targets`` (which files), ``signers`` (which keys, and what must
hold before one is used), ``existing`` (a signature that another signer joins), ``acceptance`` (what a policy says),
``pipeline`` (one artifact, without I/O and keys, also for worker processes), ``files`` (the same with files), ``batch``
(many of them at once). This module
puts them together, and is the only place where they meet keys and files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from signkit import formats
from signkit.algorithms import digests
from signkit.errors import SignkitError
from signkit.formats.base import WHOLE
from signkit.keys.reference import KeyReference
from signkit.operations.access import Recorded
from signkit.operations.certificates import CertificateService
from signkit.operations.keys import KeyService
from signkit.operations.sign import pipeline, targets
from signkit.operations.sign.acceptance import load_acceptance
from signkit.operations.sign.batch import Batch
from signkit.operations.sign.files import Examined, FileWork, Made
from signkit.operations.sign.options import DEFAULTS as DEFAULTS
from signkit.operations.sign.options import Failure as Failure
from signkit.operations.sign.options import Signed as Signed
from signkit.operations.sign.options import SignedArtifact as SignedArtifact
from signkit.operations.sign.options import SignedBy as SignedBy
from signkit.operations.sign.options import SignOptions as SignOptions
from signkit.operations.sign.options import raise_for_failures as raise_for_failures
from signkit.operations.sign.pipeline import Recipe, Work
from signkit.operations.sign.pipeline import Stamped as Stamped
from signkit.operations.sign.pipeline import Stamper as Stamper
from signkit.operations.sign.signers import Opened, open_signers
from signkit.operations.use import SignInput
from signkit.ports import ArtifactSource, Clock, OutputSink, Workers

if TYPE_CHECKING:
    from signkit.operations.verify import VerifyingService


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
        workers: Workers | None = None,
        receipts: Callable[[Recorded], list[bytes]] | None = None,
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
            workers: do what needs no key; None = everything here, one after the other.
            receipts: makes those of entries of the audit log.
        """
        self._keys = keys
        self._certificates = certificates
        self._source = source
        self._sink = sink
        self._clock = clock
        self._stamper = stamper
        self._verifying = verifying
        self._workers = workers
        self._receipts = receipts

    def sign(
        self, paths: Sequence[str], references: KeyReference | Sequence[KeyReference], options: SignOptions = DEFAULTS
    ) -> Signed:
        """Write a detached signature for each artifact, by all the key versions together.

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
            ConfigurationError: the policy is invalid.
            RefusedError: the policy would refuse the signature, or ``add`` meets a signature that it can't go with.
        """
        named = [references] if isinstance(references, KeyReference) else list(references)
        signers = open_signers(self._keys, self._certificates, named, options, self._clock)
        acceptance = load_acceptance(self._verifying, options, signers)
        suffix = formats.format_named(signers.recipe.format).suffix
        wanted, skipped = targets.artifacts(paths, suffix)
        outputs = targets.outputs(wanted, suffix, options.out_dir)
        work = FileWork(self._source, self._sink, signers, options, acceptance, self._stamper)
        writing = len(outputs) > 1 and not options.dry_run
        with self._sink.batch(outputs.values()) if writing else contextlib.nullcontext():
            unwritten = partial(self._record_why, signers)
            batch = Batch(work, self._workers, keep_going=options.keep_going, unwritten=unwritten)
            done = batch.run(outputs, None if options.dry_run else partial(self._values, signers, options))
        fresh, unchanged = (
            tuple(_described(one, signers.recipe, options) for one in done.artifacts if one.unchanged is left)
            for left in (False, True)
        )
        return Signed(fresh, signers.used, tuple(skipped), signers.notices, unchanged, done.failures)

    def _values(self, signers: Opened, options: SignOptions, group: Sequence[Examined]) -> list[Made]:
        """What is signed for each artifact of a group and the values, on record before any is handed out."""
        now, works = self._clock(), [one.work for one in group]
        to_be_signed = [pipeline.to_be_signed(signers.recipe, work, now) for work in works]
        values, recorded = self._sign_group(works, to_be_signed, signers)
        wanted = options.receipt and self._receipts is not None
        receipts = self._receipts(recorded) if wanted and self._receipts else [b""] * len(works)
        return [Made(*one) for one in zip(group, to_be_signed, values, receipts, strict=True)]

    def _sign_group(
        self, works: Sequence[Work], to_be_signed: Sequence[tuple[bytes, ...]], signers: Opened
    ) -> tuple[list[tuple[bytes, ...]], Recorded]:
        """The signature values of all signers for each artifact, and where the first signer's are on record.

        All uses of keys for signing artifacts are here.
        """
        recipe = signers.recipe
        inputs = [pipeline.key_inputs(recipe, data) for data in to_be_signed]
        detail = works[0].artifact if len(works) == 1 else ""
        by_signer, recorded = [], []
        for number, reference in enumerate(signers.references):
            signer = recipe.signers[number]
            group = [
                SignInput(one[number], pipeline.recorded_digest(signer, work), work.artifact)
                for work, one in zip(works, inputs, strict=True)
            ]
            with self._keys.use.signing(reference, signer.algorithm.name, detail=detail) as opened:
                by_signer.append(opened.sign(group))
            recorded.append(opened.recorded)
        return list(zip(*by_signer, strict=True)), recorded[0]

    def _record_why(self, signers: Opened, error: SignkitError) -> None:
        """The signature values are on record as made: say there, too, why no file came of them."""
        first = signers.used[0]
        with (
            contextlib.suppress(type(error)),
            self._keys.access.attempt(
                "AsymmetricSign", version=first.version.number, algorithm=first.algorithm.name, detail=error.message
            ) as attempt,
        ):
            attempt.allow(first.key, algorithm=first.algorithm.name)
            raise error


def _described(examined: Examined, recipe: Recipe, options: SignOptions) -> SignedArtifact:
    work = examined.work
    plain = [name for signer in recipe.signers if digests.is_plain(name := signer.digest) and name != WHOLE]
    found = {name: work.digested[name].hex() for name in plain}
    receipt = targets.receipt(work.output, recipe) if options.receipt and not examined.unchanged else ""
    return SignedArtifact(work.artifact, work.output, work.size, found, receipt)
