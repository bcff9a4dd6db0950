"""Detached SignedData of GM/T 0010 (GB/T 35275), ``ARTIFACT.p7s``, for verifiers that know no other SM2 signatures.

Its own content types, digest SM3, signature algorithm 1.2.156.10197.1.301.1, and no signed attributes: SM2 signs
SM3(Z || artifact) itself.
"""

from __future__ import annotations

from datetime import datetime

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.cms import signed_data
from signkit.cms.signed_data import SignerTemplate
from signkit.errors import UsageError
from signkit.formats.base import Format
from signkit.formats.cms_detached import CmsDetached
from signkit.x509.certificate import Certificate


class Gmt0010(CmsDetached):
    """The format; see ``base.Format``."""

    name = "gmt0010"

    def prepare(
        self,
        certificate: Certificate,
        chain: tuple[bytes, ...],
        algorithm: SignatureAlgorithm,
        digest: str,
        *,
        signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
    ) -> SignerTemplate:
        """See ``base.Format.prepare``."""
        if not algorithm.binds_signer:
            raise UsageError(
                f"GM/T 0010 knows SM2 signers only, found one that signs with {algorithm.name}",
                hint="leave --sm2-profile out, or sign with EC_SM2 keys only",
            )
        return signed_data.gmt0010_template(certificate, chain, algorithm, signer_id)

    def artifact_digest(self, prepared: SignerTemplate) -> str:
        """See ``base.Format.artifact_digest``: SM3 behind the signer's Z."""
        public_key_info = prepared.certificate.public_key_info
        prefix = algorithms.signer_prefix(prepared.algorithm, public_key_info, prepared.signer_id)
        return digests.with_prefix(prepared.digest, prefix)

    def to_be_signed(self, prepared: SignerTemplate, digest: bytes, signing_time: datetime) -> bytes:
        """See ``base.Format.to_be_signed``: there is nothing around the artifact."""
        return digest

    def key_input(self, prepared: SignerTemplate, to_be_signed: bytes) -> bytes:
        """See ``base.Format.key_input``."""
        return to_be_signed


FORMAT: Format = Gmt0010()
