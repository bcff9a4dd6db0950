"""Look into a CRL or an OCSP response without judging it."""

from __future__ import annotations

from typing import NamedTuple

from signkit.der import reader
from signkit.errors import MalformedError
from signkit.x509 import certificate, crl, ocsp, pem
from signkit.x509.certificate import Certificate
from signkit.x509.crl import CertificateList
from signkit.x509.ocsp import BasicResponse

_TIMES = (reader.UTC_TIME, reader.GENERALIZED_TIME)


class InspectedLists(NamedTuple):
    """The CRLs in a file."""

    lists: tuple[CertificateList, ...]


class InspectedResponse(NamedTuple):
    """An OCSP response, and the certificates in it that can be parsed."""

    response: BasicResponse
    certificates: tuple[Certificate, ...]


InspectedRevocation = InspectedLists | InspectedResponse


def look(data: bytes) -> InspectedRevocation | None:
    """What is in a file, when it has the shape of a CRL or of an OCSP response; else None.

    Raises:
        MalformedError: it has the shape and can't be parsed.
    """
    if pem.looks_like(data):
        return InspectedLists(tuple(map(crl.load, crl.from_file(data)))) if _names_a_crl(data) else None
    shape = _shape(data)
    if shape == "CRL":
        return InspectedLists((crl.load(data),))
    if shape == "OCSP response":
        response = ocsp.load(data)
        return InspectedResponse(response, tuple(filter(None, map(_certificate, response.certificates))))
    return None


def _names_a_crl(data: bytes) -> bool:
    try:
        return any(block.label in crl.LABELS for block in pem.decode(data))
    except MalformedError:
        return False


def _shape(data: bytes) -> str:
    """What the outermost elements look like: no other structure that signkit reads looks the same."""
    try:
        outer = reader.parse(data, reader.SEQUENCE).few()
        if outer and outer[0].tag == reader.ENUMERATED:
            return "OCSP response"
        fields = outer[0].few() if outer and outer[0].tag == reader.SEQUENCE else []
    except MalformedError:
        return ""
    tags = [field.tag for field in fields]
    if tags[:1] == [reader.INTEGER]:
        tags.pop(0)
    return "CRL" if len(tags) >= 3 and tags[2] in _TIMES else ""


def _certificate(der: bytes) -> Certificate | None:
    try:
        return certificate.load(der)
    except MalformedError:
        return None
