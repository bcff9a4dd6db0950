"""What is done for each file that is signed and needs no key: workers do it, in this process or in others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from signkit import formats
from signkit.algorithms import digests
from signkit.errors import FileError, MalformedError, OutputExistsError, SignkitError, UsageError
from signkit.evidence import Verdict
from signkit.formats.base import WHOLE
from signkit.operations.sign import pipeline, targets
from signkit.operations.sign.acceptance import Acceptance
from signkit.operations.sign.existing import MAXIMUM_SIGNATURE, Existing
from signkit.operations.sign.options import Failure, SignOptions
from signkit.operations.sign.pipeline import Stamper, Work
from signkit.operations.sign.signers import Opened
from signkit.ports import ArtifactSource, OutputSink

MAXIMUM_MESSAGE = 64 << 20
"""Largest artifact in bytes that is signed by an algorithm that takes no digest."""
_WHOLE_DIGEST = "sha512"
"""Goes into the audit log for an artifact that is signed whole."""


class Planned(NamedTuple):
    """An artifact and where its signature will be."""

    artifact: str
    signature: str


class Examined(NamedTuple):
    """An artifact that can be signed, and whether right signatures by all the signers are there already."""

    work: Work
    unchanged: bool = False

    @property
    def artifact(self) -> str:
        """Path of the artifact."""
        return self.work.artifact


class Made(NamedTuple):
    """An artifact, the bytes that were signed for it and the signature values, one for each signer.

    ``receipt`` = proof that the first of them is in the audit log; empty when none is wanted.
    """

    examined: Examined
    to_be_signed: tuple[bytes, ...]
    values: tuple[bytes, ...]
    receipt: bytes = b""


Answer = Examined | Failure


class FileWork:
    """Reads artifacts, and writes signatures that were verified from the bytes that are written."""

    def __init__(
        self,
        source: ArtifactSource,
        sink: OutputSink,
        signers: Opened,
        options: SignOptions,
        acceptance: Acceptance | None = None,
        stamper: Stamper | None = None,
    ) -> None:
        """Take what holds for all files.

        Args:
            source: reads artifacts.
            sink: writes signatures.
            signers: who signs.
            options: how.
            acceptance: the policy that each signature must satisfy.
            stamper: gives what goes along with each signature value.
        """
        self._source, self._sink, self._signers, self._options = source, sink, signers, options
        self._acceptance, self._stamper = acceptance, stamper
        self._overwrite = options.overwrite or options.add
        self.asks_servers = stamper is not None
        """Whether finishing a file waits for servers, so that threads of this process do it best."""

    def examine(self, planned: Sequence[Planned]) -> list[Answer]:
        """Digest artifacts, and find out whether their signatures could be written; one answer each."""
        return [self._examined(one) for one in planned]

    def finish(self, made: Sequence[Made]) -> list[Answer]:
        """Put signatures together, verify them again, and write them; one answer each."""
        return [self._finished(one) for one in made]

    def _examined(self, planned: Planned) -> Answer:
        path, output = planned
        try:
            self._sink.check((output,), overwrite=self._overwrite or self._options.skip_signed)
            if self._options.receipt:
                self._sink.check((targets.receipt(output, self._signers.recipe),), overwrite=self._options.overwrite)
            if self._acceptance is not None:
                self._acceptance.require_covered((path,))
            if self._options.skip_signed and self._source.exists(output):
                work = self._prepared(path, output, self._options._replace(add=False))
                if self._is_right(work):
                    return Examined(work, unchanged=True)
                if not self._overwrite:
                    raise OutputExistsError(
                        f"{output}: exists and is no signature by this certificate of the file as it is now",
                        path=output,
                        hint="use --force with --skip-signed to replace such signatures",
                    )
            return Examined(self._prepared(path, output, self._options))
        except SignkitError as error:
            return Failure(path, error)

    def _prepared(self, path: str, output: str, options: SignOptions) -> Work:
        """Digest an artifact in one pass for all signers, also for those that are there already."""
        wanted = self._signers.recipe.digests()
        if WHOLE in wanted:
            return self._whole(path, output)
        existing = Existing.read(self._source, output, self._signers, options) if options.add else None
        digested = self._source.digest(path, wanted | existing.digests if existing else wanted)
        work = Work(path, output, digested.size, digested.values, digested.head)
        return existing.joined_by(work) if existing else work

    def _whole(self, path: str, output: str) -> Work:
        """An artifact for an algorithm that takes no digest."""
        digested = self._source.digest(path, (_WHOLE_DIGEST,))
        if digested.size > MAXIMUM_MESSAGE:
            raise UsageError(
                f"{path}: has {digested.size} bytes, expected at most {MAXIMUM_MESSAGE}: "
                f"{self._signers.used[0].algorithm.name} signs the whole artifact at once, not its digest",
                hint="sign with --format cms, the default, which digests an artifact of any size",
            )
        content = self._source.read(path, limit=digested.size, what="artifact")
        if digests.digest(_WHOLE_DIGEST, content) != digested.values[_WHOLE_DIGEST]:
            hint = "let whatever writes the file finish first"
            raise FileError(f"{path}: changed while it was read", path=path, hint=hint)
        return Work(path, output, digested.size, {WHOLE: content, **digested.values}, digested.head)

    def _is_right(self, work: Work) -> bool:
        """Whether the file that is there has a right signature by each of the signers."""
        recipe = self._signers.recipe
        data = self._source.read(work.output, limit=MAXIMUM_SIGNATURE, what="signature")
        form = formats.format_named(recipe.format)
        try:
            if not form.faults([one.prepared for one in recipe.signers], data, work.digested):
                return True
            parsed = form.parse(data)
            if parsed.required_digests((), self._options.sm2_id) - set(work.digested):
                return False
            found = parsed.signers(work.digested, (), signer_id=self._options.sm2_id)
        except MalformedError:
            return False
        bad = (Verdict.FAIL, Verdict.INDETERMINATE)
        right = [one.certificate for one in found if not any(check.verdict in bad for check in one.checks)]
        return all(one.certificate in right for one in recipe.signers)

    def _finished(self, made: Made) -> Answer:
        work = made.examined.work
        try:
            stamped = () if self._stamper is None else tuple(map(self._stamper, made.values))
            data = pipeline.finish(self._signers.recipe, work, made.to_be_signed, made.values, stamped)
            if self._acceptance is not None:
                self._acceptance.require(work, data)
            self._sink.write(work.output, data, overwrite=self._overwrite)
            if made.receipt:
                receipt = targets.receipt(work.output, self._signers.recipe)
                self._sink.write(receipt, made.receipt, overwrite=self._options.overwrite)
        except SignkitError as error:
            return Failure(work.artifact, error)
        return made.examined
