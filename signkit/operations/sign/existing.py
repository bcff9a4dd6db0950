"""A signature file that exists already and gets a further signer."""

from __future__ import annotations

from typing import NamedTuple

from signkit import formats
from signkit.errors import FileError, RefusedError
from signkit.evidence import Verdict
from signkit.formats.base import ParsedSignature
from signkit.operations.sign.options import SignOptions
from signkit.operations.sign.pipeline import Work
from signkit.operations.sign.signers import Opened
from signkit.ports import ArtifactSource

MAXIMUM_SIGNATURE = 16 << 20


class Existing(NamedTuple):
    """An existing signature file.

    Attributes:
        path: where it is.
        data: its bytes.
        parsed: the same, read.
        signers: who joins it.
        sm2_id: identifier of SM2 signers.
    """

    path: str
    data: bytes
    parsed: ParsedSignature
    signers: Opened
    sm2_id: bytes

    @classmethod
    def read(cls, source: ArtifactSource, path: str, signers: Opened, options: SignOptions) -> Existing:
        """Read the signature at that path.

        Raises:
            FileError: there is none, or it can't be read.
            MalformedError: it is no signature.
        """
        if not source.exists(path):
            raise FileError(
                f"{path}: no such file (signature to add a signer to)",
                path=path,
                hint="sign without --add first",
            )
        data = source.read(path, limit=MAXIMUM_SIGNATURE, what="signature")
        parsed = formats.format_named(signers.recipe.format).parse(data)
        return cls(path, data, parsed, signers, options.sm2_id)

    @property
    def digests(self) -> frozenset[str]:
        """What must be made of the artifact to check the signers that are there."""
        return self.parsed.required_digests((), self.sm2_id)

    def joined_by(self, work: Work) -> Work:
        """The work on an artifact, with this file to go into.

        Raises:
            RefusedError: this file is not a right signature over the artifact, or has one of the signers already.
        """
        found = self.parsed.signers(work.digested, (), signer_id=self.sm2_id)
        faults = [
            f"{check.name}: {check.detail}"
            for signer in found
            for check in signer.checks
            if check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE)
        ]
        faults += [f"the certificate of {signer.named} is not in it" for signer in found if signer.certificate is None]
        if faults:
            raise RefusedError(
                f"{self.path}: does not verify for {work.artifact}, expected a right signature to add to: {faults[0]}",
                hint="sign anew without --add, with --force to replace it",
                code="ExistingSignatureInvalid",
            )
        present = {signer.certificate.public_key_info for signer in found if signer.certificate is not None}
        for one in self.signers.used:
            if one.version.public_key_info in present:
                raise RefusedError(
                    f"{self.path}: has a signature by {one.certificate.subject} with this key already",
                    hint="each key signs a file once; name another key",
                    code="AlreadySigned",
                )
        return work._replace(existing=self.data)
