"""The bare signature value over the artifact, ``ARTIFACT.sig``.

RSA and ECDSA sign the artifact's digest, SM2 signs SM3(Z || artifact), Ed25519 and ML-DSA sign the artifact itself. It
says neither who signed nor how: whoever verifies must know the public key and the algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.errors import MalformedError, UsageError
from signkit.formats.base import WHOLE, Format, ParsedSignature, SignedPart
from signkit.x509.certificate import Certificate


class RawTemplate(NamedTuple):
    """A signer: its public key (DER SubjectPublicKeyInfo), its algorithm, and what it signs of an artifact."""

    public_key_info: bytes
    algorithm: SignatureAlgorithm
    artifact_digest: str


class Raw:
    """The format; see ``base.Format``."""

    name = "raw"
    suffix = ".sig"

    def prepare(
        self,
        certificate: Certificate,
        chain: tuple[bytes, ...],
        algorithm: SignatureAlgorithm,
        digest: str,
        *,
        signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
    ) -> RawTemplate:
        """See ``base.Format.prepare``."""
        public_key_info = certificate.public_key_info
        if algorithm.digest is None:
            return RawTemplate(public_key_info, algorithm, WHOLE)
        prefix = algorithms.signer_prefix(algorithm, public_key_info, signer_id)
        return RawTemplate(public_key_info, algorithm, digests.with_prefix(algorithm.digest, prefix))

    def artifact_digest(self, prepared: RawTemplate) -> str:
        """See ``base.Format.artifact_digest``."""
        return prepared.artifact_digest

    def to_be_signed(self, prepared: RawTemplate, digest: bytes, signing_time: datetime) -> bytes:
        """See ``base.Format.to_be_signed``: there is nothing around the artifact."""
        return digest

    def key_input(self, prepared: RawTemplate, to_be_signed: bytes) -> bytes:
        """See ``base.Format.key_input``."""
        return to_be_signed

    def assemble(
        self,
        parts: Sequence[SignedPart],
        *,
        certificates: tuple[bytes, ...] = (),
        crls: tuple[bytes, ...] = (),
        existing: bytes = b"",
    ) -> bytes:
        """See ``base.Format.assemble``: one value and nothing else."""
        stamped = any(part.unsigned_attributes for part in parts)
        if len(parts) != 1 or existing or stamped or certificates or crls:
            raise UsageError(
                "a bare signature value holds nothing else: no second signer, timestamp, certificate or CRL",
                hint="sign with --format cms, the default",
            )
        return parts[0].signature

    def faults(
        self, prepared: Sequence[RawTemplate], data: bytes, digested: Mapping[str, bytes], *, existing: bytes = b""
    ) -> list[str]:
        """See ``base.Format.faults``."""
        signer = prepared[0]
        value = digested[signer.artifact_digest]
        reason = algorithms.verify_digest(signer.algorithm, signer.public_key_info, value, data)
        return [reason] if reason else []

    def parse(self, data: bytes) -> ParsedSignature:
        """See ``base.Format.parse``: nothing in the file says by whom and how it was signed."""
        raise MalformedError(
            "a bare signature value names neither signer nor algorithm: expected a CMS signature",
            hint="'signkit raw verify' checks one against a public key",
        )


FORMAT: Format = Raw()
