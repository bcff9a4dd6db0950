"""OCSP (RFC 6960): responses read from their original bytes, and requests as signkit makes them (RFC 9654 nonce)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from signkit.x509 import names
from signkit.x509.certificate import Certificate, Extension
from signkit.x509.crl import Revoked, parse_extensions, reason_name
from signkit.x509.names import Name

STATUSES = {
    0: "successful",
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
}
"""OCSPResponseStatus (RFC 6960 section 4.2.1)."""

MAXIMUM_RESPONSES = 1000
MAXIMUM_CERTIFICATES = 32

_GOOD, _REVOKED, _UNKNOWN = 0x80, 0xA1, 0x82
_PROCESSED = {oids.OCSP_NONCE}
_PROCESSED_IN_SINGLE = {oids.OCSP_ARCHIVE_CUTOFF, oids.INVALIDITY_DATE, oids.REASON_CODE}


class CertificateId(NamedTuple):
    """Which certificate is meant (RFC 6960 section 4.1.1).

    Attributes:
        digest: name of the digest algorithm; empty when it is none that can be computed.
        issuer_name: digest of the issuer's Name.
        issuer_key: digest of the issuer's public key, without tag and unused bits.
        serial_number: of the certificate.
    """

    digest: str
    issuer_name: bytes
    issuer_key: bytes
    serial_number: int

    def names(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether a certificate that this issuer made is meant."""
        if self.serial_number != certificate.serial_number or not self.digest:
            return False
        if self.issuer_key != digests.digest(self.digest, public_key_bits(issuer.public_key_info)):
            return False
        written = {certificate.issuer.raw, issuer.subject.raw}  # one name, which may be encoded in two ways
        return any(self.issuer_name == digests.digest(self.digest, raw) for raw in written)


class SingleResponse(NamedTuple):
    """What a response says about one certificate.

    Attributes:
        certificate_id: which certificate.
        status: ``good``, ``revoked`` or ``unknown``.
        revoked: when and why, when it was revoked.
        this_update: when this was known to be right.
        next_update: when newer information comes at the latest, or None.
        archive_cutoff: certificates that expired after this are still known, or None (RFC 6960 section 4.4.4).
        unusable: why it must not be used, or an empty string.
    """

    certificate_id: CertificateId
    status: str
    revoked: Revoked | None
    this_update: datetime
    next_update: datetime | None
    archive_cutoff: datetime | None
    unusable: str


class BasicResponse:
    """A BasicOCSPResponse. ``tbs`` are the original bytes of its tbsResponseData."""

    def __init__(self, der: bytes) -> None:
        """Take the DER of a BasicOCSPResponse; ``load`` is the way in from outside.

        Raises:
            MalformedError: it can't be parsed.
        """
        self.der = der
        tbs, algorithm, signature, *rest = reader.parse(der, reader.SEQUENCE, "BasicOCSPResponse").few()
        self.tbs = tbs.raw
        self.signature_algorithm = algorithm.raw
        self.signature = reader.bit_string(signature, "signature")
        self.certificates = _certificates(rest)
        """DER of the certificates that came along, not parsed."""
        fields = tbs.expect(reader.SEQUENCE, "tbsResponseData").few()
        if fields[0].tag == 0xA0:
            version = reader.integer(_only(fields.pop(0)), "version")
            if version != 0:
                raise MalformedError(f"OCSP response has version {version + 1}, expected 1")
        self.responder_name: Name | None = None
        self.responder_key: bytes | None = None
        responder = fields[0]
        if responder.tag == 0xA1:
            self.responder_name = names.load(responder.content)
        elif responder.tag == 0xA2:
            self.responder_key = _only(responder).expect(reader.OCTET_STRING, "KeyHash").content
        else:
            raise MalformedError(f"responderID has tag 0x{responder.tag:02x}, expected a name or a key hash")
        self.produced_at = _time(fields[1], "producedAt")
        responses = fields[2].expect(reader.SEQUENCE, "responses").few(MAXIMUM_RESPONSES)
        self.responses = tuple(map(_single, responses))
        self.extensions: dict[str, Extension] = {}
        if len(fields) == 4 and fields[3].tag == 0xA1:
            self.extensions = parse_extensions(_only(fields[3]), "OCSP response")
        elif len(fields) != 3:
            raise MalformedError("tbsResponseData has fields that it must not have")
        unknown = [oids.name(oid) for oid, one in self.extensions.items() if one.critical and oid not in _PROCESSED]
        self.unusable = f"it has critical extensions that are not processed: {', '.join(unknown)}" if unknown else ""

    @property
    def responder(self) -> str:
        """How the response names its signer, for people."""
        return str(self.responder_name) if self.responder_name else f"key {(self.responder_key or b'').hex()}"

    @property
    def nonce(self) -> bytes | None:
        """The nonce of the request it answers, or None (RFC 9654); the octets, however they are wrapped."""
        extension = self.extensions.get(oids.OCSP_NONCE)
        return None if extension is None else _unwrapped(extension.value)

    def by(self, certificate: Certificate) -> bool:
        """Whether its responderID means this certificate."""
        if self.responder_name is not None:
            return self.responder_name == certificate.subject
        return self.responder_key == digests.digest("sha1", public_key_bits(certificate.public_key_info))

    def about(self, certificate: Certificate, issuer: Certificate) -> SingleResponse | None:
        """What it says about a certificate; of several answers the newest, of those a revocation."""
        found = [one for one in self.responses if one.certificate_id.names(certificate, issuer)]
        return max(found, key=lambda one: (one.this_update, one.status == "revoked"), default=None)


def load(der: bytes) -> BasicResponse:
    """The response of an OCSPResponse, or of a BasicOCSPResponse as signatures carry it.

    Raises:
        MalformedError: it can't be parsed, is of another type, or the responder refused to answer.
    """
    try:
        fields = reader.parse(der, reader.SEQUENCE, "OCSP response").few()
        if fields[0].tag != reader.ENUMERATED:
            return BasicResponse(der)
        status = reader.enumerated(fields[0], "responseStatus")
        if status != 0:
            raise MalformedError(f"the responder did not answer: {STATUSES.get(status, status)}")
        if len(fields) != 2 or fields[1].tag != 0xA0:
            raise MalformedError("OCSP response has no responseBytes")
        kind, response = _only(fields[1]).expect(reader.SEQUENCE, "ResponseBytes").few()
        if reader.oid(kind, "responseType") != oids.OCSP_BASIC:
            raise MalformedError(f"OCSP response is of type {reader.oid(kind)}, expected id-pkix-ocsp-basic")
        return BasicResponse(response.expect(reader.OCTET_STRING, "response").content)
    except (ValueError, IndexError) as error:
        raise MalformedError(f"OCSP response can't be parsed: {error}") from error


def request(certificate: Certificate, issuer: Certificate, nonce: bytes = b"") -> bytes:
    """DER OCSPRequest about one certificate (RFC 6960 section 4.1.1), not signed.

    SHA-1 names the issuer, since that is what every responder knows (RFC 5019 section 2.1.1). Nothing depends on its
    strength, because the answer is compared with the issuer that is known.

    Args:
        certificate: the certificate in question.
        issuer: its issuer's certificate.
        nonce: 1 to 128 octets; empty = none.
    """
    certificate_id = writer.sequence(
        writer.sequence(writer.oid(_SHA1), writer.NULL),
        writer.octet_string(digests.digest("sha1", certificate.issuer.raw)),
        writer.octet_string(digests.digest("sha1", public_key_bits(issuer.public_key_info))),
        writer.integer(certificate.serial_number),
    )
    fields = [writer.sequence(writer.sequence(certificate_id))]
    if nonce:
        extension = writer.sequence(writer.oid(oids.OCSP_NONCE), writer.octet_string(writer.octet_string(nonce)))
        fields.append(writer.tlv(0xA2, writer.sequence(extension)))
    return writer.sequence(writer.sequence(*fields))


_SHA1 = next(dotted for dotted, name in oids.DIGESTS.items() if name == "sha1")


class Request(NamedTuple):
    """What an OCSPRequest asks: the certificates, and the nonce or None."""

    certificate_ids: tuple[CertificateId, ...]
    nonce: bytes | None
    raw_ids: tuple[bytes, ...]


def parse_request(der: bytes) -> Request:
    """An OCSPRequest; its signature, if any, is not looked at.

    Raises:
        MalformedError: it can't be parsed.
    """
    try:
        fields = reader.parse(der, reader.SEQUENCE, "OCSPRequest").few()[0].few()
        lists = [field for field in fields if field.tag == reader.SEQUENCE]
        extensions = [parse_extensions(_only(field), "OCSP request") for field in fields if field.tag == 0xA2]
        asked = [one.few()[0] for one in lists[0].few(MAXIMUM_RESPONSES)]
        nonce = extensions[0].get(oids.OCSP_NONCE) if extensions else None
        return Request(
            tuple(map(_certificate_id, asked)),
            _unwrapped(nonce.value) if nonce else None,
            tuple(one.raw for one in asked),
        )
    except (ValueError, IndexError) as error:
        raise MalformedError(f"OCSP request can't be parsed: {error}") from error


def public_key_bits(public_key_info: bytes) -> bytes:
    """Contents of the BIT STRING of a SubjectPublicKeyInfo: what OCSP hashes.

    Raises:
        MalformedError: it is not one.
    """
    return reader.bit_string(reader.parse(public_key_info, reader.SEQUENCE).few()[1], "subjectPublicKey")


def _only(element: reader.Element) -> reader.Element:
    """The element inside an explicit tag."""
    children = element.few()
    if len(children) != 1:
        raise MalformedError(f"an explicitly tagged field has {len(children)} elements, expected 1")
    return children[0]


def _certificates(rest: list[reader.Element]) -> tuple[bytes, ...]:
    if not rest:
        return ()
    if len(rest) > 1 or rest[0].tag != 0xA0:
        raise MalformedError("BasicOCSPResponse has fields that it must not have")
    found = _only(rest[0]).expect(reader.SEQUENCE, "certs").few(MAXIMUM_CERTIFICATES)
    return tuple(one.raw for one in found)


def _certificate_id(element: reader.Element) -> CertificateId:
    algorithm, issuer_name, issuer_key, serial_number = element.expect(reader.SEQUENCE, "CertID").few()
    name = oids.DIGESTS.get(reader.oid(algorithm.expect(reader.SEQUENCE, "hashAlgorithm").few()[0]), "")
    return CertificateId(
        name if name in digests.SIZES else "",
        issuer_name.expect(reader.OCTET_STRING, "issuerNameHash").content,
        issuer_key.expect(reader.OCTET_STRING, "issuerKeyHash").content,
        reader.integer(serial_number, "serialNumber"),
    )


def _single(element: reader.Element) -> SingleResponse:
    fields = element.expect(reader.SEQUENCE, "SingleResponse").few()
    certificate_id = _certificate_id(fields[0])
    status, this_update = fields[1], _time(fields[2], "thisUpdate")
    rest = fields[3:]
    next_update = _time(_only(rest.pop(0)), "nextUpdate") if rest and rest[0].tag == 0xA0 else None
    extensions: dict[str, Extension] = {}
    if rest and rest[0].tag == 0xA1:
        extensions = parse_extensions(_only(rest.pop(0)), "SingleResponse")
    if rest:
        raise MalformedError("SingleResponse has fields that it must not have")
    unknown = [oids.name(o) for o, one in extensions.items() if one.critical and o not in _PROCESSED_IN_SINGLE]
    cutoff = extensions.get(oids.OCSP_ARCHIVE_CUTOFF)
    invalidity = extensions.get(oids.INVALIDITY_DATE)
    revoked = None
    if status.tag == _REVOKED:
        revoked = _revoked(certificate_id.serial_number, status, invalidity)
    elif status.tag not in (_GOOD, _UNKNOWN) or status.content:
        raise MalformedError(f"certStatus is malformed: tag 0x{status.tag:02x}")
    return SingleResponse(
        certificate_id,
        "revoked" if revoked else "good" if status.tag == _GOOD else "unknown",
        revoked,
        this_update,
        next_update,
        _time(reader.parse(cutoff.value), "archive cutoff") if cutoff else None,
        f"it has critical extensions that are not processed: {', '.join(unknown)}" if unknown else "",
    )


def _revoked(serial_number: int, status: reader.Element, invalidity: Extension | None) -> Revoked:
    """RevokedInfo, with the invalidity date that a response may carry (RFC 6960 section 4.4.5)."""
    fields = status.few()
    if not 1 <= len(fields) <= 2 or (len(fields) == 2 and fields[1].tag != 0xA0):
        raise MalformedError("RevokedInfo is malformed")
    reason = reason_name(reader.enumerated(_only(fields[1]), "revocationReason")) if len(fields) == 2 else "unspecified"
    since = _time(reader.parse(invalidity.value), "invalidityDate") if invalidity else None
    return Revoked(serial_number, _time(fields[0], "revocationTime"), reason, since, len(fields) == 2)


def _time(element: reader.Element, what: str) -> datetime:
    return reader.time(element.expect(reader.GENERALIZED_TIME, what), what)


def _unwrapped(value: bytes) -> bytes:
    """A nonce: an OCTET STRING (RFC 9654), or bare octets as old software writes them."""
    try:
        return reader.parse(value, reader.OCTET_STRING).content
    except MalformedError:
        return value
