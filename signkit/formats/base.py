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


class Format(Protocol):
    """A signature format: one file of this package."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    @property
    def suffix(self) -> str:
        """What is appended to the artifact's file name."""

    def prepare(
        self, certificate: Certificate, chain: tuple[bytes, ...], algorithm: SignatureAlgorithm, digest: str
    ) -> Any:
        """Everything of a signature that does not depend on the artifact; handed to the methods below."""

    def to_be_signed(self, prepared: Any, digest: bytes, signing_time: datetime) -> bytes:
        """The bytes that the key must sign, for an artifact with that digest."""

    def assemble(self, prepared: Any, to_be_signed: bytes, signature: bytes) -> bytes:
        """The signature file."""

    def parse(self, data: bytes) -> ParsedSignature:
        """Read a signature file.

        Raises:
            MalformedError: it is not one.
        """
