"""Look into a file without judging it: signatures, timestamps, certificates, certification requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from signkit.cms import signed_data, signer_info
from signkit.cms.signed_data import Parsed
from signkit.der.cms import SignerInfo
from signkit.errors import MalformedError
from signkit.formats import format_named
from signkit.formats.base import Signer
from signkit.formats.cms_detached import describe_signer
from signkit.operations import inspect_revocation
from signkit.operations.inspect_revocation import InspectedRevocation
from signkit.ports import ArtifactSource
from signkit.tsp import response, token
from signkit.tsp.token import TimeStampToken
from signkit.x509 import bundle, request
from signkit.x509 import certificate as x509_certificate
from signkit.x509.certificate import Certificate
from signkit.x509.request import CertificationRequest

MAXIMUM_FILE = 16 << 20


class InspectedSignature(NamedTuple):
    """What is in a signature file.

    Attributes:
        encoding: ``DER``, ``BER`` or ``PEM``.
        version: CMS version number.
        content_size: bytes of embedded content, None when it is detached.
        signers: the signers; none of their checks has been made.
        certificates: the certificates, parsed.
        crls: how many CRLs it carries.
        unusual: what stands out, in words.
    """

    encoding: str
    version: int
    content_size: int | None
    signers: tuple[Signer, ...]
    certificates: tuple[Certificate, ...]
    crls: int
    unusual: tuple[str, ...]


class InspectedCertificates(NamedTuple):
    """What is in a file with certificates."""

    certificates: tuple[Certificate, ...]


class InspectedTimestamp(NamedTuple):
    """What is in a timestamp token, or in the response of a time-stamping authority.

    Attributes:
        status: what the response says of itself; None when there is the token alone.
        token: the token; None when the authority gave none.
    """

    status: str | None
    token: TimeStampToken | None


Inspected = InspectedSignature | InspectedTimestamp | InspectedCertificates | CertificationRequest


def inspect(source: ArtifactSource, path: str) -> Inspected | InspectedRevocation:
    """Find out what a file holds.

    Args:
        source: reads the file.
        path: the file; ``-`` is standard input.

    Returns:
        A signature, a timestamp, one or several certificates, or a certification request.

        A CRL and an OCSP response are recognised, too.

    Raises:
        FileError: the file can't be read.
        MalformedError: it is none of these.
    """
    data = source.read(path, limit=MAXIMUM_FILE, what="signature, certificate or request")
    if (status := inspect_revocation.look(data)) is not None:
        return status
    reasons = []
    readers: tuple[Callable[[bytes], Inspected], ...] = (
        _timestamp,
        _response,
        _signature,
        _certificates,
        request.from_file,
    )
    for read in readers:
        try:
            return read(data)
        except MalformedError as error:
            reasons.append(error.message)
    signature, certificates, csr = reasons[-3:]
    raise MalformedError(
        f"{path}: neither a signature ({signature}), nor a certificate ({certificates}), nor a request ({csr})",
        hint="expected CMS, X.509 or PKCS #10 in DER or PEM",
    )


def _timestamp(data: bytes) -> InspectedTimestamp:
    return InspectedTimestamp(None, token.load(data))


def _response(data: bytes) -> InspectedTimestamp:
    found = response.decode(data)
    return InspectedTimestamp(found.explain(), None if found.token is None else token.load(found.token))


def _signature(data: bytes) -> InspectedSignature:
    parsed = signed_data.parse(data)
    content = parsed.signed_data.content
    format_named("cms").parse(data)  # refuses one without signers: that is a bundle of certificates
    certificates = []
    unusual = list(_unusual(parsed))
    for der in parsed.signed_data.certificates:
        try:
            certificates.append(x509_certificate.load(der))
        except MalformedError as error:
            unusual.append(f"a certificate that can't be parsed: {error.message}")
    return InspectedSignature(
        encoding=parsed.encoding,
        version=parsed.signed_data.version,
        content_size=None if content is None else len(content),
        signers=tuple(_signer(info, certificates) for info in parsed.signed_data.signer_infos),
        certificates=tuple(certificates),
        crls=len(parsed.signed_data.crls),
        unusual=tuple(unusual),
    )


def _signer(info: SignerInfo, certificates: list[Certificate]) -> Signer:
    certificate = next((one for one in certificates if signer_info.names(info, one)), None)
    return describe_signer(info, certificate, ())


def _unusual(parsed: Parsed) -> list[str]:
    found = []
    if parsed.encoding == "BER":
        found.append("it is BER, not DER")
    if parsed.signed_data.content is not None:
        found.append("it carries its content; signkit's signatures are detached")
    if not parsed.signed_data.certificates:
        found.append("it carries no certificate; verifying needs the signer's by --intermediate")
    if any(info.signed_attributes is None for info in parsed.signed_data.signer_infos):
        found.append("a signer has no signed attributes")
    return found


def _certificates(data: bytes) -> InspectedCertificates:
    return InspectedCertificates(tuple(x509_certificate.load(der) for der in bundle.certificates(data)))
