"""Time-Stamp Protocol structures (RFC 3161): requests, responses and TSTInfo, read strictly and written as DER."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from signkit.der import reader, writer
from signkit.der.reader import Element
from signkit.errors import MalformedError

VERSION = 1
"""Of requests and of TSTInfo (RFC 3161 sections 2.4.1 and 2.4.2)."""


class MessageImprint(NamedTuple):
    """What is stamped: DER AlgorithmIdentifier of a digest algorithm, and the digest."""

    algorithm: bytes
    digest: bytes


class TimeStampReq(NamedTuple):
    """RFC 3161 section 2.4.1.

    Attributes:
        imprint: what is to be stamped.
        policy: the TSA policy that is asked for (dotted), or None.
        nonce: a number that must come back, or None.
        certificates: whether the TSA's certificates are to go into the token (``certReq``).
        extensions: types (dotted) of the extensions it carries.
    """

    imprint: MessageImprint
    policy: str | None
    nonce: int | None
    certificates: bool
    extensions: tuple[str, ...] = ()


class TimeStampResp(NamedTuple):
    """RFC 3161 section 2.4.2.

    Attributes:
        status: PKIStatus.
        text: the TSA's own words, one string for each UTF8String.
        failures: numbers of the bits that are set in failInfo.
        token: DER ContentInfo, or None when there is none.
    """

    status: int
    text: tuple[str, ...]
    failures: frozenset[int]
    token: bytes | None


class TstInfo(NamedTuple):
    """RFC 3161 section 2.4.2.

    Attributes:
        policy: the TSA's policy (dotted).
        imprint: what was stamped.
        serial_number: number of the token, unique for its TSA.
        time: when, as aware UTC; digits behind the microseconds are cut.
        accuracy: how far ``time`` may be off either way, or None when the policy says it.
        ordering: whether tokens of this TSA can be put in order by their times alone.
        nonce: the one of the request, or None.
        tsa: DER GeneralName by which the TSA names itself, or None.
        critical_extensions: types (dotted) of its critical extensions.
    """

    policy: str
    imprint: MessageImprint
    serial_number: int
    time: datetime
    accuracy: timedelta | None = None
    ordering: bool = False
    nonce: int | None = None
    tsa: bytes | None = None
    critical_extensions: tuple[str, ...] = ()


class _Fields:
    """The fields of a SEQUENCE, taken from the front."""

    def __init__(self, element: Element, what: str) -> None:
        self._rest = element.expect(reader.SEQUENCE, what).children()
        self._what = what

    def optional(self, tag: int) -> Element | None:
        """The next field when it has this tag."""
        return self._rest.pop(0) if self._rest and self._rest[0].tag == tag else None

    def take(self, tag: int, name: str) -> Element:
        """The next field, which must have this tag."""
        found = self.optional(tag)
        if found is None:
            present = f"tag 0x{self._rest[0].tag:02x}" if self._rest else "the end"
            raise MalformedError(f"{self._what}: expected {name}, found {present}")
        return found

    def end(self) -> None:
        """No field is left."""
        if self._rest:
            raise MalformedError(f"{self._what}: {len(self._rest)} unexpected fields at its end")


def decode_request(der: bytes) -> TimeStampReq:
    """Read a TimeStampReq.

    Raises:
        MalformedError: not that structure in DER, or not of version 1.
    """
    fields = _Fields(reader.parse(der), "TimeStampReq")
    _require_version(fields, "TimeStampReq")
    imprint = _imprint(fields.take(reader.SEQUENCE, "messageImprint"))
    policy = fields.optional(reader.OID)
    nonce = fields.optional(reader.INTEGER)
    certificates = fields.optional(reader.BOOLEAN)
    extensions = _extensions(fields.optional(0xA0), "TimeStampReq")
    fields.end()
    return TimeStampReq(
        imprint,
        None if policy is None else reader.oid(policy, "reqPolicy"),
        None if nonce is None else reader.integer(nonce, "nonce"),
        certificates is not None and reader.boolean(certificates, "certReq"),
        tuple(extensions),
    )


def encode_request(request: TimeStampReq) -> bytes:
    """DER TimeStampReq; extensions are not written."""
    return writer.sequence(
        writer.integer(VERSION),
        _encode_imprint(request.imprint),
        b"" if request.policy is None else writer.oid(request.policy),
        b"" if request.nonce is None else writer.integer(request.nonce),
        _encode_true() if request.certificates else b"",
    )


def decode_response(der: bytes) -> TimeStampResp:
    """Read a TimeStampResp. The token is not looked into.

    Raises:
        MalformedError: not that structure in DER.
    """
    fields = _Fields(reader.parse(der), "TimeStampResp")
    status = _Fields(fields.take(reader.SEQUENCE, "PKIStatusInfo"), "PKIStatusInfo")
    number = reader.integer(status.take(reader.INTEGER, "PKIStatus"), "PKIStatus")
    text = status.optional(reader.SEQUENCE)
    failures = status.optional(reader.BIT_STRING)
    status.end()
    token = fields.optional(reader.SEQUENCE)
    fields.end()
    return TimeStampResp(
        number,
        tuple(_utf8(one) for one in text.children()) if text is not None else (),
        frozenset() if failures is None else reader.named_bits(failures, "PKIFailureInfo"),
        None if token is None else token.raw,
    )


def encode_response(response: TimeStampResp) -> bytes:
    """DER TimeStampResp."""
    text = (writer.tlv(reader.UTF8_STRING, one.encode()) for one in response.text)
    status = writer.sequence(
        writer.integer(response.status),
        writer.sequence(*text) if response.text else b"",
        _encode_bits(response.failures) if response.failures else b"",
    )
    return writer.sequence(status, response.token or b"")


def decode_info(der: bytes) -> TstInfo:
    """Read a TSTInfo.

    Raises:
        MalformedError: not that structure in DER, or not of version 1.
    """
    fields = _Fields(reader.parse(der), "TSTInfo")
    _require_version(fields, "TSTInfo")
    policy = reader.oid(fields.take(reader.OID, "policy"), "policy")
    imprint = _imprint(fields.take(reader.SEQUENCE, "messageImprint"))
    serial_number = reader.integer(fields.take(reader.INTEGER, "serialNumber"), "serialNumber")
    moment = _time(fields.take(reader.GENERALIZED_TIME, "genTime"))
    accuracy = fields.optional(reader.SEQUENCE)
    ordering = fields.optional(reader.BOOLEAN)
    nonce = fields.optional(reader.INTEGER)
    tsa = fields.optional(0xA0)
    extensions = _extensions(fields.optional(0xA1), "TSTInfo")
    fields.end()
    return TstInfo(
        policy,
        imprint,
        serial_number,
        moment,
        None if accuracy is None else _accuracy(accuracy),
        ordering is not None and reader.boolean(ordering, "ordering"),
        None if nonce is None else reader.integer(nonce, "nonce"),
        None if tsa is None else reader.parse(tsa.content, what="tsa").raw,
        tuple(oid for oid, critical in extensions.items() if critical),
    )


def encode_info(info: TstInfo) -> bytes:
    """DER TSTInfo; extensions are not written."""
    return writer.sequence(
        writer.integer(VERSION),
        writer.oid(info.policy),
        _encode_imprint(info.imprint),
        writer.integer(info.serial_number),
        _encode_time(info.time),
        b"" if info.accuracy is None else _encode_accuracy(info.accuracy),
        _encode_true() if info.ordering else b"",
        b"" if info.nonce is None else writer.integer(info.nonce),
        b"" if info.tsa is None else writer.tlv(0xA0, info.tsa),
    )


def _require_version(fields: _Fields, what: str) -> None:
    found = reader.integer(fields.take(reader.INTEGER, "version"), "version")
    if found != VERSION:
        raise MalformedError(f"{what} has version {found}, expected {VERSION}")


def _imprint(element: Element) -> MessageImprint:
    fields = _Fields(element, "messageImprint")
    algorithm = fields.take(reader.SEQUENCE, "hashAlgorithm").raw
    digest = fields.take(reader.OCTET_STRING, "hashedMessage").content
    fields.end()
    return MessageImprint(algorithm, digest)


def _encode_imprint(imprint: MessageImprint) -> bytes:
    return writer.sequence(imprint.algorithm, writer.octet_string(imprint.digest))


def _extensions(element: Element | None, what: str) -> dict[str, bool]:
    """Types of extensions, and whether each is critical."""
    found: dict[str, bool] = {}
    for extension in element.children() if element is not None else ():
        fields = _Fields(extension, f"extension of {what}")
        oid = reader.oid(fields.take(reader.OID, "extnID"), "extnID")
        critical = fields.optional(reader.BOOLEAN)
        fields.take(reader.OCTET_STRING, "extnValue")
        fields.end()
        if oid in found:
            raise MalformedError(f"{what} has the extension {oid} twice")
        found[oid] = critical is not None and reader.boolean(critical, "critical")
    return found


def _time(element: Element) -> datetime:
    """A GeneralizedTime with or without a fraction, as RFC 3161 section 2.4.2 and DER have it: no zeros at its end."""
    text = element.content.decode("latin-1")
    whole, dot, fraction = text[:-1].partition(".")
    fits = text[-1:] == "Z" and bool(dot) == bool(fraction) and not fraction.endswith("0")
    if not fits or not (fraction or "0").isascii() or not (fraction or "0").isdigit():
        raise MalformedError(f"genTime '{text[:40]}' is not a GeneralizedTime YYYYMMDDHHMMSS[.s]Z")
    seconds = reader.parse(writer.tlv(reader.GENERALIZED_TIME, f"{whole}Z".encode()))
    return reader.time(seconds, "genTime").replace(microsecond=int(f"{fraction[:6]:0<6}"))


def _encode_time(moment: datetime) -> bytes:
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    text = f"{moment.astimezone(UTC):%Y%m%d%H%M%S}".rjust(14, "0")
    return writer.tlv(reader.GENERALIZED_TIME, f"{text}{fraction}Z".encode())


def _accuracy(element: Element) -> timedelta:
    fields = _Fields(element, "accuracy")
    seconds = fields.optional(reader.INTEGER)
    parts = [fields.optional(tag) for tag in (0x80, 0x81)]
    fields.end()
    whole = 0 if seconds is None else reader.integer(seconds, "seconds")
    small = [0 if one is None else reader.integer(one._replace(tag=reader.INTEGER), "accuracy") for one in parts]
    if not 0 <= whole < 1 << 31 or any(
        one is not None and not 1 <= n <= 999 for one, n in zip(parts, small, strict=True)
    ):
        raise MalformedError("accuracy of a timestamp has a part out of range")
    return timedelta(seconds=whole, milliseconds=small[0], microseconds=small[1])


def _encode_accuracy(accuracy: timedelta) -> bytes:
    seconds = accuracy.days * 86400 + accuracy.seconds
    millis, micros = divmod(accuracy.microseconds, 1000)
    small = (
        bytes([tag]) + writer.integer(value)[1:] if value else b"" for tag, value in ((0x80, millis), (0x81, micros))
    )
    return writer.sequence(writer.integer(seconds) if seconds else b"", *small)


def _encode_true() -> bytes:
    return writer.tlv(reader.BOOLEAN, b"\xff")


def _encode_bits(bits: frozenset[int]) -> bytes:
    """A BIT STRING with named bits: no zero bits at its end (X.690 section 11.2.2)."""
    size = max(bits) + 1
    octets = (size + 7) // 8
    number = sum(1 << (8 * octets - 1 - bit) for bit in bits)
    return writer.tlv(reader.BIT_STRING, bytes([8 * octets - size]), number.to_bytes(octets, "big"))


def _utf8(element: Element) -> str:
    try:
        return element.expect(reader.UTF8_STRING, "PKIFreeText").content.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("PKIFreeText is not UTF-8") from error
