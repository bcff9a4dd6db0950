"""What happens to one artifact between its digest and its signature file: pure, and fit for worker processes.

A ``Recipe`` holds for all artifacts of a call and a ``Work`` for one; both can be pickled. The order is ``digests``,
``to_be_signed``, ``key_inputs``, then the key, then a ``Stamper`` where there is one, then ``finish``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from signkit import formats
from signkit.algorithms import digests as digest_algorithms
from signkit.algorithms.base import SignatureAlgorithm
from signkit.errors import ProviderError
from signkit.formats.base import WHOLE, Format, SignedPart
from signkit.x509.certificate import Certificate


class SignerRecipe(NamedTuple):
    """One signer, as far as no key is needed.

    Attributes:
        certificate: its certificate.
        algorithm: how it signs.
        digest: what must be made of each artifact for it: a name as ``digests.new`` takes it, or ``WHOLE``.
        prepared: what the format prepared for it.
    """

    certificate: Certificate
    algorithm: SignatureAlgorithm
    digest: str
    prepared: Any


class Recipe(NamedTuple):
    """Everything that holds for all artifacts of a call: name of the format, and the signers in their order."""

    format: str
    signers: tuple[SignerRecipe, ...]

    def digests(self) -> frozenset[str]:
        """What must be made of each artifact; ``WHOLE`` among them stands for its content."""
        return frozenset(signer.digest for signer in self.signers)


class Work(NamedTuple):
    """One artifact to sign.

    Attributes:
        artifact: its path.
        output: path of its signature.
        size: its bytes.
        digested: digest name (or ``WHOLE``) to its value, for all of ``Recipe.digests``.
        head: its first bytes.
        existing: the signature file that the signers go into; empty = a new one.
    """

    artifact: str
    output: str
    size: int
    digested: Mapping[str, bytes]
    head: bytes = b""
    existing: bytes = b""


class Stamped(NamedTuple):
    """What goes into a signature beside its value, once that is known.

    Attributes:
        unsigned_attributes: DER Attributes, such as a signature timestamp (RFC 3161 appendix A).
        certificates: DER certificates for ``SignedData.certificates``.
        crls: DER of the choices for ``SignedData.crls``: CRLs, and OCSP responses as RFC 5940 has them.
    """

    unsigned_attributes: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


Stamper = Callable[[bytes], Stamped]
"""Gives what goes along with a signature value; called once for each signer of each artifact."""


def to_be_signed(recipe: Recipe, work: Work, signing_time: datetime) -> tuple[bytes, ...]:
    """The to-be-signed bytes of each signer."""
    form = _format(recipe)
    return tuple(form.to_be_signed(one.prepared, work.digested[one.digest], signing_time) for one in recipe.signers)


def key_inputs(recipe: Recipe, to_be_signed: Sequence[bytes]) -> tuple[bytes, ...]:
    """What the key of each signer gets: a digest, or a message where its algorithm takes messages."""
    form = _format(recipe)
    return tuple(form.key_input(one.prepared, data) for one, data in zip(recipe.signers, to_be_signed, strict=True))


def recorded_digest(signer: SignerRecipe, work: Work) -> bytes:
    """Digest of the artifact for the audit log: the one that is signed, SHA-512 where the whole artifact is."""
    value = work.digested[signer.digest]
    return digest_algorithms.digest("sha512", value) if signer.digest == WHOLE else value


def finish(
    recipe: Recipe,
    work: Work,
    to_be_signed: Sequence[bytes],
    values: Sequence[bytes],
    stamped: Sequence[Stamped] = (),
) -> bytes:
    """The signature file, verified again from its own bytes: a fault in the key or in us stops here.

    Args:
        recipe: what holds for all artifacts.
        work: the artifact.
        to_be_signed: what ``to_be_signed`` gave.
        values: the signature value of each signer.
        stamped: what goes along for each signer; empty = nothing.

    Raises:
        ProviderError: a signature does not verify.
    """
    along = stamped or [Stamped()] * len(recipe.signers)
    parts = [
        SignedPart(signer.prepared, data, value, one.unsigned_attributes)
        for signer, data, value, one in zip(recipe.signers, to_be_signed, values, along, strict=True)
    ]
    data = _format(recipe).assemble(
        parts,
        certificates=tuple(der for one in along for der in one.certificates),
        crls=tuple(der for one in along for der in one.crls),
        existing=work.existing,
    )
    verify_again(recipe, work, data)
    return data


def verify_again(recipe: Recipe, work: Work, data: bytes) -> None:
    """Read a signature file back and check it against the artifact's digests and the signers.

    Raises:
        ProviderError: a signature does not verify, or is not by whom it should be.
    """
    prepared = [signer.prepared for signer in recipe.signers]
    faults = _format(recipe).faults(prepared, data, work.digested, existing=work.existing)
    if faults:
        raise ProviderError(
            f"{work.artifact}: the signature that was just made does not verify: {'; '.join(faults)}",
            hint="nothing was written; 'signkit doctor' checks the provider",
        )


def _format(recipe: Recipe) -> Format:
    return formats.format_named(recipe.format)
