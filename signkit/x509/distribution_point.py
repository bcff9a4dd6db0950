"""CRL distribution points of certificates and the issuing distribution point of CRLs (RFC 5280 4.2.1.13 and 5.2.5)."""

from __future__ import annotations

from typing import NamedTuple

from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from signkit.x509 import names
from signkit.x509.certificate import Certificate
from signkit.x509.names import Name

REASON_FLAGS = (
    "unused",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
)
"""Names of the bits of ReasonFlags, bit 0 first."""

ALL_REASONS = frozenset(REASON_FLAGS[1:])
"""What a complete answer covers; the first bit means nothing."""

GeneralName = tuple[int, bytes | Name]
"""Tag of the choice and its contents; a directoryName as Name, so that two match as RFC 5280 section 7.1 says."""

_DIRECTORY_NAME, _URI = 0xA4, 0x86
_MAXIMUM = 1000


class PointName(NamedTuple):
    """A DistributionPointName.

    Attributes:
        full: the names, or empty.
        relative: contents of the RDN that is to be appended to the CRL issuer's name, or empty.
    """

    full: frozenset[GeneralName]
    relative: bytes = b""

    def resolved(self, crl_issuer: Name) -> frozenset[GeneralName]:
        """The names in full (RFC 5280 section 4.2.1.13: nameRelativeToCRLIssuer).

        Raises:
            MalformedError: the relative name is not an RDN.
        """
        if not self.relative:
            return self.full
        whole = reader.parse(crl_issuer.raw).content + writer.tlv(reader.SET, self.relative)
        return frozenset({(_DIRECTORY_NAME, names.load(writer.tlv(reader.SEQUENCE, whole)))})


class DistributionPoint(NamedTuple):
    """Where revocation of a certificate is published.

    Attributes:
        name: of the CRL there, None when only the CRL's issuer is named.
        reasons: the reasons it covers.
        crl_issuers: who signs the CRL when it is not the certificate's issuer.
        urls: the URIs among its names.
    """

    name: PointName | None
    reasons: frozenset[str]
    crl_issuers: tuple[Name, ...]
    urls: tuple[str, ...] = ()


class IssuingDistributionPoint(NamedTuple):
    """What a CRL covers.

    Attributes:
        name: of the distribution point, or None.
        user_certificates: onlyContainsUserCerts.
        ca_certificates: onlyContainsCACerts.
        attribute_certificates: onlyContainsAttributeCerts.
        reasons: the reasons it covers.
        indirect: whether it has entries of other issuers than its own.
    """

    name: PointName | None = None
    user_certificates: bool = False
    ca_certificates: bool = False
    attribute_certificates: bool = False
    reasons: frozenset[str] = ALL_REASONS
    indirect: bool = False


EVERYTHING = IssuingDistributionPoint()
"""The scope of a CRL without the extension: all certificates of its issuer, all reasons."""


def points(certificate: Certificate) -> tuple[DistributionPoint, ...]:
    """The distribution points of a certificate, in its order; empty when it has none.

    Raises:
        MalformedError: the extension is malformed.
    """
    extension = certificate.extensions.get(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None:
        return ()
    elements = reader.parse(extension.value, reader.SEQUENCE, "cRLDistributionPoints").few(_MAXIMUM)
    if not elements:
        raise MalformedError("cRLDistributionPoints is empty: expected at least one point")
    return tuple(map(_point, elements))


def issuing(value: bytes) -> IssuingDistributionPoint:
    """The contents of an issuingDistributionPoint extension.

    Raises:
        MalformedError: it is malformed, or says that it contains nothing at all.
    """
    found, flags, last = EVERYTHING, dict[str, bool](), -1
    for element in reader.parse(value, reader.SEQUENCE, "issuingDistributionPoint").few():
        if element.tag <= last:
            raise MalformedError("issuingDistributionPoint has its fields out of order")
        last = element.tag if element.tag != 0xA0 else 0x80
        if element.tag == 0xA0:
            found = found._replace(name=_point_name(element))
        elif element.tag == 0x83:
            found = found._replace(reasons=_reasons(element))
        elif element.tag in _FLAGS:
            flags.update({_FLAGS[element.tag]: _flag(element)})
        else:
            raise MalformedError(f"issuingDistributionPoint has a field of unknown tag 0x{element.tag:02x}")
    found = IssuingDistributionPoint(found.name, reasons=found.reasons, **flags)
    if found.user_certificates + found.ca_certificates + found.attribute_certificates > 1:
        raise MalformedError("issuingDistributionPoint restricts the CRL to two kinds of certificates: expected one")
    return found


def urls(certificate: Certificate, method: str) -> tuple[str, ...]:
    """URIs of the authorityInfoAccess extension for an access method (RFC 5280 section 4.2.2.1).

    Raises:
        MalformedError: the extension is malformed.
    """
    extension = certificate.extensions.get(oids.AUTHORITY_INFO_ACCESS)
    if extension is None:
        return ()
    found = []
    for description in reader.parse(extension.value, reader.SEQUENCE, "authorityInfoAccess").few(_MAXIMUM):
        fields = description.expect(reader.SEQUENCE, "AccessDescription").few()
        if len(fields) != 2:
            raise MalformedError(f"AccessDescription has {len(fields)} fields, expected 2")
        if reader.oid(fields[0], "accessMethod") == method and fields[1].tag == _URI:
            found.append(fields[1].content.decode("ascii", "replace"))
    return tuple(found)


def general_names(element: reader.Element) -> frozenset[GeneralName]:
    """The names inside a GeneralNames, whatever its own tag.

    Raises:
        MalformedError: one is malformed, or there is none.
    """
    found = frozenset(
        (child.tag, names.load(child.content) if child.tag == _DIRECTORY_NAME else child.content)
        for child in element.few(_MAXIMUM)
    )
    if not found:
        raise MalformedError("GeneralNames is empty: expected at least one name")
    return found


def directory_names(found: frozenset[GeneralName]) -> tuple[Name, ...]:
    """The directoryNames among names."""
    return tuple(value for _tag, value in found if isinstance(value, Name))


def directory_name(name: Name) -> GeneralName:
    """A name as GeneralName."""
    return _DIRECTORY_NAME, name


_FLAGS = {
    0x81: "user_certificates",
    0x82: "ca_certificates",
    0x84: "indirect",
    0x85: "attribute_certificates",
}


def _point(element: reader.Element) -> DistributionPoint:
    name, reasons, issuers = None, ALL_REASONS, frozenset[GeneralName]()
    for field in element.expect(reader.SEQUENCE, "DistributionPoint").few():
        if field.tag == 0xA0:
            name = _point_name(field)
        elif field.tag == 0x81:
            reasons = _reasons(field)
        elif field.tag == 0xA2:
            issuers = general_names(field)
        else:
            raise MalformedError(f"DistributionPoint has a field of unknown tag 0x{field.tag:02x}")
    if name is None and not issuers:
        raise MalformedError("DistributionPoint has neither a name nor a CRL issuer: expected one of them")
    full = name.full if name else frozenset()
    uris = sorted(value.decode("ascii", "replace") for tag, value in full if tag == _URI and isinstance(value, bytes))
    return DistributionPoint(name, reasons, directory_names(issuers), tuple(uris))


def _point_name(element: reader.Element) -> PointName:
    children = element.few()
    if len(children) != 1 or children[0].tag not in (0xA0, 0xA1) or not children[0].content:
        raise MalformedError("DistributionPointName is malformed: expected fullName or nameRelativeToCRLIssuer")
    if children[0].tag == 0xA1:
        return PointName(frozenset(), children[0].content)
    return PointName(general_names(children[0]))


def _reasons(element: reader.Element) -> frozenset[str]:
    bits = reader.named_bits(element._replace(tag=reader.BIT_STRING), "ReasonFlags")
    return frozenset(REASON_FLAGS[bit] for bit in bits if bit < len(REASON_FLAGS)) & ALL_REASONS


def _flag(element: reader.Element) -> bool:
    return reader.boolean(element._replace(tag=reader.BOOLEAN), "issuingDistributionPoint")
