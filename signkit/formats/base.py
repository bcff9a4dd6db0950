"""What a signature format offers to signing and to verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.algorithms.base import SignatureAlgorithm
from signkit.evidence import Check
from signkit.x509.certificate import Certificate


class Signer(NamedTuple):
    """One signer of a signature, and every check of it that needs no trust.

    Attributes:
        certificate: the signer's certificate, or None when it was nowhere to be found.
        named: how the signature names the signer, for messages when there is no certificate.
        algorithm: name of the signature algorithm.
        digest: name of the digest algorithm.
        signing_time: the signer's own word, never trusted; None when absent.
        signature: the signature value, which timestamp tokens stamp.
        timestamps: the timestamp tokens the signer carries, as they are, unchecked.
        attributes: types of all signed attributes, by name.
        checks: checks of digest, signature value and attributes.
        twins: further certificates that the signature fits as well: of the same name, serial number and key. Which of
            them an authority really issued, only a path can tell.
    """

    certificate: Certificate | None
    named: str
    algorithm: str
    digest: str
    signing_time: datetime | None
    signature: bytes
    timestamps: tuple[bytes, ...]
    attributes: tuple[str, ...]
    checks: tuple[Check, ...]
    twins: tuple[Certificate, ...] = ()


class ParsedSignature(Protocol):
    """A signature file that could be parsed."""

    @property
    def encoding(self) -> str:
        """How it was encoded: ``DER``, ``BER`` or ``PEM``."""

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """DER of the certificates it carries, in any order, unchecked."""

    @property
    def crls(self) -> tuple[bytes, ...]:
        """DER of the CRLs it carries, unchecked."""

    @property
    def ocsp_responses(self) -> tuple[bytes, ...]:
        """DER of the OCSP responses it carries, unchecked."""

    def required_digests(
        self, certificates: Sequence[bytes] = (), signer_id: bytes = DEFAULT_SIGNER_ID
    ) -> frozenset[str]:
        """Digests that must be made of the artifact, as ``digests.new`` takes them.

        Args:
            certificates: DER certificates from elsewhere, as for ``signers``.
            signer_id: identifier of an SM2 signer: without signed attributes it goes before the artifact.
        """

    def signers(
        self,
        digested: Mapping[str, bytes],
        certificates: Sequence[bytes],
        *,
        signer_id: bytes = DEFAULT_SIGNER_ID,
    ) -> list[Signer]:
        """Judge every signer against the artifact's digests.

        Args:
            digested: digest name to the artifact's digest, for all of ``required_digests``.
            certificates: DER certificates from elsewhere, for signatures that carry none.
            signer_id: identifier of an SM2 signer; no other algorithm knows one.
        """


WHOLE = "message"
"""Stands for the artifact itself where the name of a digest is expected: some algorithms sign no digest."""


class SignedPart(NamedTuple):
    """One signer's part of a signature file.

    Attributes:
        prepared: what ``Format.prepare`` gave.
        to_be_signed: what ``Format.to_be_signed`` gave.
        signature: the signature value.
        unsigned_attributes: DER Attributes that go along unsigned, such as a timestamp.
    """

    prepared: Any
    to_be_signed: bytes
    signature: bytes
    unsigned_attributes: tuple[bytes, ...] = ()


class Format(Protocol):
    """A signature format: one file of this package."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    @property
    def suffix(self) -> str:
        """What is appended to the artifact's file name."""

    def prepare(
        self,
        certificate: Certificate,
        chain: tuple[bytes, ...],
        algorithm: SignatureAlgorithm,
        digest: str,
        *,
        signer_id: bytes = DEFAULT_SIGNER_ID,
    ) -> Any:
        """Everything of one signer that does not depend on the artifact; handed to the methods below. Can be pickled.

        Raises:
            UsageError: the format does not know such signers.
        """

    def artifact_digest(self, prepared: Any) -> str:
        """What must be made of the artifact for this signer: a name as ``digests.new`` takes it, or ``WHOLE``."""

    def to_be_signed(self, prepared: Any, digest: bytes, signing_time: datetime) -> bytes:
        """The bytes that the key must sign, for an artifact with that digest (or that content)."""

    def key_input(self, prepared: Any, to_be_signed: bytes) -> bytes:
        """What the key gets for them: a digest, or the bytes themselves where the algorithm takes messages."""

    def assemble(
        self,
        parts: Sequence[SignedPart],
        *,
        certificates: tuple[bytes, ...] = (),
        crls: tuple[bytes, ...] = (),
        existing: bytes = b"",
    ) -> bytes:
        """The signature file.

        Args:
            parts: the signers.
            certificates: DER certificates that go along, beside the signers' own chains.
            crls: DER of revocation values that go along.
            existing: the file whose signers stay as they are, beside the new ones; empty = none.

        Raises:
            UsageError: the format can't hold that.
        """

    def faults(
        self, prepared: Sequence[Any], data: bytes, digested: Mapping[str, bytes], *, existing: bytes = b""
    ) -> list[str]:
        """Why a signature file is not one by these signers over these digests, in words; empty when it is.

        Args:
            prepared: the signers.
            data: the file.
            digested: digest name (or ``WHOLE``) to the artifact's digest (or content).
            existing: the file whose signers must be there as well, unchanged.
        """

    def parse(self, data: bytes) -> ParsedSignature:
        """Read a signature file.

        Raises:
            MalformedError: it is not one.
        """
