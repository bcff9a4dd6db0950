"""Certificate revocation lists (RFC 5280 section 5), sliced from their original bytes.

A list of 100,000 entries is indexed in one pass by serial number; only the entries that are asked for are parsed.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from signkit.der import oids, reader
from signkit.errors import MalformedError
from signkit.x509 import distribution_point, names, pem
from signkit.x509.certificate import Extension
from signkit.x509.distribution_point import EVERYTHING, GeneralName, IssuingDistributionPoint
from signkit.x509.names import Name

LABELS = ("X509 CRL", "CRL")
"""PEM labels of a CRL (RFC 7468 section 6)."""

REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
"""CRLReason (RFC 5280 section 5.3.1)."""

MAXIMUM_EXTENSIONS = 64

_PROCESSED = {
    oids.AUTHORITY_KEY_IDENTIFIER,
    oids.CRL_NUMBER,
    oids.DELTA_CRL_INDICATOR,
    oids.ISSUING_DISTRIBUTION_POINT,
    oids.FRESHEST_CRL,
    oids.EXPIRED_CERTS_ON_CRL,
}
_PROCESSED_IN_ENTRIES = {oids.REASON_CODE, oids.INVALIDITY_DATE, oids.CERTIFICATE_ISSUER}
_CRITICAL = b"\x01\x01\xff"  # DER of BOOLEAN TRUE: an entry without these octets has no critical extension
_CERTIFICATE_ISSUER = b"\x06\x03\x55\x1d\x1d"  # DER of the extension's OBJECT IDENTIFIER


_RETIRED = frozenset({"unspecified", "affiliationChanged", "superseded", "cessationOfOperation"})


class Revoked(NamedTuple):
    """One entry.

    Attributes:
        serial_number: of the certificate.
        revocation_date: when it was revoked.
        reason: one of ``REASONS``; ``unspecified`` when the entry gives none.
        invalidity_date: since when the key is suspected, or None.
        reason_given: whether the entry gives its reason.
    """

    serial_number: int
    revocation_date: datetime
    reason: str = "unspecified"
    invalidity_date: datetime | None = None
    reason_given: bool = True

    @property
    def retired(self) -> bool:
        """Whether the key was given up and nothing speaks against what it did before (RFC 3161 section 4)."""
        return self.reason_given and self.reason in _RETIRED

    @property
    def since(self) -> datetime:
        """The moment from which signatures don't count."""
        return min(self.revocation_date, self.invalidity_date or self.revocation_date)


class CertificateList:
    """A CRL. Attributes are named after RFC 5280; ``der`` and ``tbs`` are the original bytes."""

    def __init__(self, der: bytes) -> None:
        """Take the DER of a CRL; ``load`` is the way in from outside.

        Raises:
            MalformedError: it can't be parsed.
        """
        self.der = der
        tbs, outer_algorithm, signature = reader.parse(der, reader.SEQUENCE, "CertificateList").children()
        self.tbs = tbs.raw
        self.signature_algorithm = outer_algorithm.raw
        self.signature = reader.bit_string(signature, "signatureValue")
        fields = tbs.expect(reader.SEQUENCE, "TBSCertList").children()
        self.version = 1
        if fields[0].tag == reader.INTEGER:
            self.version = reader.integer(fields.pop(0), "version") + 1
        if fields[0].raw != self.signature_algorithm:
            raise MalformedError("CRL names two signature algorithms, inside and outside: expected one")
        self.issuer: Name = names.load(fields[1].raw)
        self.this_update: datetime = reader.time(fields[2], "thisUpdate")
        rest = fields[3:]
        self.next_update: datetime | None = None
        if rest and rest[0].tag in (reader.UTC_TIME, reader.GENERALIZED_TIME):
            self.next_update = reader.time(rest.pop(0), "nextUpdate")
        entries = rest.pop(0) if rest and rest[0].tag == reader.SEQUENCE else None
        self.extensions: dict[str, Extension] = {}
        if rest and rest[0].tag == 0xA0:
            self.extensions = parse_extensions(rest.pop(0).children()[0], "CRL")
        if rest or (self.extensions and self.version != 2):
            raise MalformedError(f"CRL of version {self.version} has fields that it must not have")
        self._read_extensions()
        self._index(entries)

    def _read_extensions(self) -> None:
        self.number = self._integer(oids.CRL_NUMBER)
        self.base_number = self._integer(oids.DELTA_CRL_INDICATOR)
        """BaseCRLNumber when this is a delta CRL (RFC 5280 section 5.2.4), else None."""
        point = self.extensions.get(oids.ISSUING_DISTRIBUTION_POINT)
        self.scope: IssuingDistributionPoint = distribution_point.issuing(point.value) if point else EVERYTHING
        self.scope_der = point.value if point else b""
        key = self.extensions.get(oids.AUTHORITY_KEY_IDENTIFIER)
        self.authority_key_identifier_der = key.value if key else b""
        self.authority_key_identifier: bytes | None = None
        if key is not None:
            fields = reader.parse(key.value, reader.SEQUENCE, "authorityKeyIdentifier").few()
            self.authority_key_identifier = next((field.content for field in fields if field.tag == 0x80), None)
        expired = self.extensions.get(oids.EXPIRED_CERTS_ON_CRL)
        self.expired_since = reader.time(reader.parse(expired.value), "expiredCertsOnCRL") if expired else None
        """Certificates that expired after this moment stay on the CRL; None = nothing is promised."""
        unknown = [oids.name(oid) for oid, one in self.extensions.items() if one.critical and oid not in _PROCESSED]
        self.unusable = f"it has critical extensions that are not processed: {', '.join(unknown)}" if unknown else ""
        """Why it must not be used at all (RFC 5280 sections 5.2 and 5.3), or an empty string."""

    def _integer(self, oid: str) -> int | None:
        extension = self.extensions.get(oid)
        return None if extension is None else reader.integer(reader.parse(extension.value), oids.name(oid))

    def _index(self, entries: reader.Element | None) -> None:
        """Serial numbers (contents octets) to where their entries begin; issuers of entries, where they change."""
        self._by_serial: dict[bytes, list[int]] = {}
        self._issuers: list[tuple[int, frozenset[GeneralName]]] = []
        self.size = 0
        """Number of entries."""
        if entries is None:
            return
        data = self.der
        any_critical = data.find(_CRITICAL, entries.body, entries.end) >= 0
        any_issuer = data.find(_CERTIFICATE_ISSUER, entries.body, entries.end) >= 0
        for entry in entries.each():
            start = entry.body
            length = data[start + 1]
            if entry.tag != reader.SEQUENCE or data[start] != reader.INTEGER or length > 0x7F:
                raise MalformedError(f"CRL entry {self.size} does not begin with a serial number")
            self._by_serial.setdefault(data[start + 2 : start + 2 + length], []).append(entry.start)
            self.size += 1
            if any_critical and data.find(_CRITICAL, start, entry.end) >= 0:
                self._refuse_unknown(entry)
            if any_issuer and data.find(_CERTIFICATE_ISSUER, start, entry.end) >= 0:
                self._note_issuer(entry)

    def _refuse_unknown(self, entry: reader.Element) -> None:
        """An entry that can't be understood makes the whole CRL useless (RFC 5280 section 5.3)."""
        for oid, extension in _entry_extensions(entry).items():
            if extension.critical and oid not in _PROCESSED_IN_ENTRIES and not self.unusable:
                self.unusable = f"an entry has a critical extension that is not processed: {oids.name(oid)}"

    def _note_issuer(self, entry: reader.Element) -> None:
        extension = _entry_extensions(entry).get(oids.CERTIFICATE_ISSUER)
        if extension is None:
            return
        if not self.scope.indirect:
            self.unusable = self.unusable or "an entry names a certificate issuer, and the CRL is not indirect"
        issuers = distribution_point.general_names(reader.parse(extension.value, reader.SEQUENCE, "certificateIssuer"))
        self._issuers.append((entry.start, issuers))

    def entries(self, limit: int) -> list[Revoked]:
        """The first entries, whatever their issuer.

        Raises:
            MalformedError: one is malformed.
        """
        offsets = (offset for same in self._by_serial.values() for offset in same)
        return [self._entry(offset) for offset in islice(offsets, limit)]

    def find(self, serial_number: int, issuer: Name) -> Revoked | None:
        """The entry of a certificate, or None. Of several the one that revokes earliest.

        Args:
            serial_number: of the certificate.
            issuer: of the certificate: entries of an indirect CRL are of several issuers.

        Raises:
            MalformedError: the entry is malformed.
        """
        octets = max(1, (serial_number.bit_length() + 8) // 8)
        offsets = self._by_serial.get(serial_number.to_bytes(octets, "big", signed=True), ())
        found = [self._entry(offset) for offset in offsets if self._is_of(offset, issuer)]
        return min(found, key=lambda entry: (entry.reason == "removeFromCRL", entry.since), default=None)

    def _is_of(self, offset: int, issuer: Name) -> bool:
        """Whether an entry is of an issuer: the last one named so far, else the CRL's own (RFC 5280 5.3.3)."""
        position = bisect_right(self._issuers, offset, key=lambda pair: pair[0])
        if position == 0:
            return issuer == self.issuer
        return distribution_point.directory_name(issuer) in self._issuers[position - 1][1]

    def _entry(self, offset: int) -> Revoked:
        entry = reader.at(self.der, offset)
        fields = entry.children()
        extensions = _entry_extensions(entry)
        reason = extensions.get(oids.REASON_CODE)
        invalidity = extensions.get(oids.INVALIDITY_DATE)
        return Revoked(
            reader.integer(fields[0], "userCertificate"),
            reader.time(fields[1], "revocationDate"),
            reason_name(reader.enumerated(reader.parse(reason.value), "CRLReason")) if reason else "unspecified",
            reader.time(reader.parse(invalidity.value), "invalidityDate") if invalidity else None,
            reason is not None,
        )


def load(der: bytes) -> CertificateList:
    """The CRL of these bytes. It is not kept: a large one takes as much memory as its bytes ten times over.

    Raises:
        MalformedError: it can't be parsed.
    """
    from signkit.der import gate  # cryptography.x509 costs 20 ms, which signing does without

    gate.certificate_list(der)
    try:
        return CertificateList(der)
    except (ValueError, IndexError) as error:
        raise MalformedError(f"CRL can't be parsed: {error}") from error


def issuer_of(der: bytes) -> Name:
    """The issuer that a CRL names, without a look at the rest: to skip what does not matter before any work on it.

    Raises:
        MalformedError: it is no CRL.
    """
    try:
        tbs = next(reader.parse(der, reader.SEQUENCE, "CertificateList").each())
        fields = tbs.expect(reader.SEQUENCE, "TBSCertList").each()
        first = next(fields)
        issuer = next(islice(fields, 1, None) if first.tag == reader.INTEGER else fields)
        return names.load(issuer.raw)
    except StopIteration as error:
        raise MalformedError("it is no CRL: a field is missing") from error


def from_file(data: bytes) -> list[bytes]:
    """DER of the CRLs in a PEM or DER file.

    Raises:
        MalformedError: there is none.
    """
    if not pem.looks_like(data):
        issuer_of(data)
        return [data]
    blocks = pem.decode(data)
    found = [block.data for block in blocks if block.label in LABELS]
    if not found:
        labels = ", ".join(block.label for block in blocks)
        raise MalformedError(f"no CRL in the file, found {labels}", hint="expected X509 CRL in PEM, or DER")
    return found


def reason_name(code: int) -> str:
    """Name of a CRLReason; one that no standard names is as good as none."""
    return REASONS.get(code, "unspecified")


def parse_extensions(element: reader.Element, what: str) -> dict[str, Extension]:
    """An Extensions SEQUENCE by OBJECT IDENTIFIER.

    Raises:
        MalformedError: malformed, or one extension is there twice.
    """
    found: dict[str, Extension] = {}
    for child in element.expect(reader.SEQUENCE, f"extensions of {what}").few(MAXIMUM_EXTENSIONS):
        parts = child.expect(reader.SEQUENCE, "Extension").few()
        if not 2 <= len(parts) <= 3:
            raise MalformedError(f"an extension of {what} has {len(parts)} fields, expected 2 or 3")
        oid = reader.oid(parts[0], "extension identifier")
        if oid in found:
            raise MalformedError(f"{what} has the extension {oids.name(oid)} twice")
        critical = len(parts) == 3 and reader.boolean(parts[1], "critical")
        found[oid] = Extension(critical, parts[-1].expect(reader.OCTET_STRING, oids.name(oid)).content)
    return found


def _entry_extensions(entry: reader.Element) -> dict[str, Extension]:
    fields = entry.children()
    return parse_extensions(fields[2], "CRL entry") if len(fields) == 3 else {}
