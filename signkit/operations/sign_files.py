"""What is done for each file that is signed and needs no key: workers do it, in this process or in others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from signkit.errors import MalformedError, OutputExistsError, ProviderError, SignkitError
from signkit.evidence import Verdict
from signkit.formats.base import Format
from signkit.ports import ArtifactSource, OutputSink
from signkit.x509.certificate import Certificate

MAXIMUM_SIGNATURE = 16 << 20
"""Most bytes of a signature file that is there already."""


class SignedArtifact(NamedTuple):
    """One artifact and its signature.

    Attributes:
        artifact: path of the artifact.
        signature: path of the signature.
        size: bytes of the artifact.
        digest_algorithm: digest that was signed.
        digest_hex: lower-case hex digest of the artifact.
        unchanged: whether a signature by the same certificate was there that is right for the artifact as it is.
    """

    artifact: str
    signature: str
    size: int
    digest_algorithm: str
    digest_hex: str
    unchanged: bool = False


class Planned(NamedTuple):
    """An artifact and where its signature will be."""

    artifact: str
    signature: str


class Made(NamedTuple):
    """An artifact, the bytes that were signed for it, and the signature value."""

    artifact: SignedArtifact
    to_be_signed: bytes
    value: bytes


class Failure(NamedTuple):
    """An artifact that was not signed, and why."""

    artifact: str
    error: SignkitError


class FileWork:
    """Reads artifacts, and writes signatures that were verified from the bytes that are written."""

    def __init__(
        self,
        source: ArtifactSource,
        sink: OutputSink,
        format: Format,
        prepared: Any,
        certificate: Certificate,
        digest: str,
        *,
        overwrite: bool,
        skip_signed: bool,
    ) -> None:
        """Take what holds for all files.

        Args:
            source: reads artifacts.
            sink: writes signatures.
            format: the signature format.
            prepared: what its ``prepare`` gave.
            certificate: the signer's.
            digest: name of the digest that is signed.
            overwrite: whether existing signatures are replaced.
            skip_signed: whether existing signatures that are right are left alone.
        """
        self._source, self._sink = source, sink
        self._format, self._prepared, self._certificate, self._digest = format, prepared, certificate, digest
        self._overwrite, self._skip_signed = overwrite, skip_signed

    def examine(self, planned: Sequence[Planned]) -> list[SignedArtifact | Failure]:
        """Digest artifacts, and find out whether their signatures could be written; one answer each."""
        return [self._examined(one) for one in planned]

    def finish(self, made: Sequence[Made]) -> list[SignedArtifact | Failure]:
        """Put signatures together, verify them again, and write them; one answer each."""
        return [self._finished(one) for one in made]

    def _examined(self, planned: Planned) -> SignedArtifact | Failure:
        path, output = planned
        try:
            self._sink.check((output,), overwrite=self._overwrite or self._skip_signed)
            found = self._source.digest(path, (self._digest,))
            value = found.values[self._digest]
            artifact = SignedArtifact(path, output, found.size, self._digest, value.hex())
            if not self._skip_signed or not self._source.exists(output):
                return artifact
            if self._is_right(output, value):
                return artifact._replace(unchanged=True)
            if not self._overwrite:
                raise OutputExistsError(
                    f"{output}: exists and is no signature by this certificate of the file as it is now",
                    path=output,
                    hint="use --force with --skip-signed to replace such signatures",
                )
        except SignkitError as error:
            return Failure(path, error)
        return artifact

    def _is_right(self, signature: str, digest: bytes) -> bool:
        """Whether a signature by the certificate is there that verifies for the artifact."""
        data = self._source.read(signature, limit=MAXIMUM_SIGNATURE, what="signature")
        try:
            parsed = self._format.parse(data)
            if parsed.required_digests() - {self._digest}:
                return False
            signers = parsed.signers({self._digest: digest}, ())
        except MalformedError:
            return False
        mine = [signer for signer in signers if signer.certificate == self._certificate]
        return bool(mine) and not any(_faults(signer.checks) for signer in mine)

    def _finished(self, made: Made) -> SignedArtifact | Failure:
        artifact = made.artifact
        try:
            data = self._format.assemble(self._prepared, made.to_be_signed, made.value)
            self._verify_again(data, bytes.fromhex(artifact.digest_hex), artifact)
            self._sink.write(artifact.signature, data, overwrite=self._overwrite)
        except SignkitError as error:
            return Failure(artifact.artifact, error)
        return artifact

    def _verify_again(self, data: bytes, digest: bytes, artifact: SignedArtifact) -> None:
        """Read the signature back from the bytes that will be written; a fault in the key or in us stops here."""
        found = self._format.parse(data).signers({self._digest: digest}, ())
        faults = [fault for one in found for fault in _faults(one.checks)]
        if len(found) != 1 or found[0].certificate != self._certificate or faults:
            raise ProviderError(
                f"{artifact.artifact}: the signature that was just made does not verify: {'; '.join(faults)}",
                hint="nothing was written; 'signkit doctor' checks the provider",
            )


def _faults(checks: Collection[Any]) -> list[str]:
    bad = (Verdict.FAIL, Verdict.INDETERMINATE)
    return [check.detail or check.name for check in checks if check.verdict in bad]
