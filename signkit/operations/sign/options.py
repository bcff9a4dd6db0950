"""How to sign, and what signing came to."""

from __future__ import annotations

from typing import NamedTuple

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.algorithms.base import SignatureAlgorithm
from signkit.errors import SignkitError
from signkit.keys.model import Key, KeyVersion
from signkit.x509.certificate import Certificate


class SignOptions(NamedTuple):
    """How to sign.

    Attributes:
        digest: ``sha256``, ``sha384`` or ``sha512``, for the keys that have the choice; empty = the key type's own.
        format: name of the signature format.
        out_dir: folder for the signatures; empty = beside each artifact.
        overwrite: whether existing signatures are replaced.
        dry_run: do everything that needs no key and write nothing.
        padding: ``pkcs1`` or ``pss``, for the RSA keys; empty = ``pkcs1``.
        sm2_profile: ``cms`` or ``gmt0010``, for the format ``cms`` with SM2 keys.
        sm2_id: identifier of SM2 signers.
        add: whether the signers go into the signatures that exist already.
        minimum_remaining_days: a certificate that is valid for fewer days is pointed out.
        policy: path of the policy file that every signature must satisfy before it is written; empty = none.
        receipt: whether ``ARTIFACT.receipt`` is written too: that the first signer's signature is in the audit log.
        keep_going: sign what can be signed and tell of the rest, instead of signing nothing.
        skip_signed: leave alone what has right signatures by the same certificates already.
    """

    digest: str = ""
    format: str = "cms"
    out_dir: str = ""
    overwrite: bool = False
    dry_run: bool = False
    padding: str = ""
    sm2_profile: str = "cms"
    sm2_id: bytes = DEFAULT_SIGNER_ID
    add: bool = False
    minimum_remaining_days: int = 0
    policy: str = ""
    receipt: bool = False
    keep_going: bool = False
    skip_signed: bool = False


DEFAULTS = SignOptions()


class SignedArtifact(NamedTuple):
    """One artifact and its signature.

    Attributes:
        artifact: path of the artifact.
        signature: path of the signature.
        size: bytes of the artifact.
        digests: digest algorithm to lower-case hex digest of the artifact, in the order of the signers; empty where
            a signer takes the artifact itself.
        receipt: path of the receipt, or empty.
    """

    artifact: str
    signature: str
    size: int
    digests: dict[str, str]
    receipt: str = ""

    @property
    def digest_algorithm(self) -> str:
        """The digest of the first signer, empty when it took none."""
        return next(iter(self.digests), "")

    @property
    def digest_hex(self) -> str:
        """Lower-case hex digest of the artifact by ``digest_algorithm``."""
        return self.digests.get(self.digest_algorithm, "")


class Failure(NamedTuple):
    """An artifact that was not signed, and why."""

    artifact: str
    error: SignkitError


class SignedBy(NamedTuple):
    """A key version that signed, how, and its certificate."""

    key: Key
    version: KeyVersion
    algorithm: SignatureAlgorithm
    certificate: Certificate


class Signed(NamedTuple):
    """What a call to ``SigningService.sign`` made.

    Attributes:
        artifacts: one each.
        signers: who signed each of them, in the order they were named.
        skipped: paths that were left out because they are signatures themselves.
        notices: what a person should know about the signers' certificates.
        unchanged: artifacts that were left alone because their signatures are right already.
        failures: artifacts that were not signed, when asked to keep going.
    """

    artifacts: tuple[SignedArtifact, ...]
    signers: tuple[SignedBy, ...]
    skipped: tuple[str, ...]
    notices: tuple[str, ...] = ()
    unchanged: tuple[SignedArtifact, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def key(self) -> Key:
        """The key of the first signer."""
        return self.signers[0].key

    @property
    def version(self) -> KeyVersion:
        """The key version of the first signer."""
        return self.signers[0].version

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """The signature algorithm of the first signer."""
        return self.signers[0].algorithm

    @property
    def certificate(self) -> Certificate:
        """The certificate of the first signer."""
        return self.signers[0].certificate


def raise_for_failures(signed: Signed) -> None:
    """What must not be ignored is an exception, also when it was asked to keep going.

    Raises:
        SignkitError: the failure with the highest exit status, the first of them.
    """
    if signed.failures:
        raise max(signed.failures, key=lambda failure: failure.error.exit_status).error
