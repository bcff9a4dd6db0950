"""GeneralNames (RFC 5280 section 4.2.1.6): written as ``TYPE:VALUE`` by people, and back again for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from signkit.der import oids, reader, writer
from signkit.errors import MalformedError, UsageError
from signkit.x509 import names

MAXIMUM_NAMES = 100
"""Most names in one request."""
MAXIMUM_LENGTH = 2048
"""Most characters of one name."""

_OTHER_NAME, _EMAIL, _DNS, _DIRECTORY, _URI, _IP, _REGISTERED_ID = 0xA0, 0x81, 0x82, 0xA4, 0x86, 0x87, 0x88
_LABEL = "(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_URI_FORM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_DOTTED = re.compile(r"([01]\.[1-3]?[0-9]|2\.(0|[1-9][0-9]{0,9}))(\.(0|[1-9][0-9]{0,37}))*")
_KINDS = {_OTHER_NAME: "other", 0xA3: "x400", 0xA5: "edi"}


def parse(text: str) -> bytes:
    """DER GeneralName of ``TYPE:VALUE``.

    Args:
        text: ``dns:host``, ``email:local@host``, ``uri:scheme:...``, ``ip:address``, ``upn:name@realm``,
            ``rid:1.2.3`` or ``dirname:CN=...``.

    Raises:
        UsageError: an unknown type, or a value that its type does not allow.
    """
    kind, separator, value = text.partition(":")
    write = _WRITERS.get(kind.lower())
    if not separator or write is None:
        raise UsageError(
            f"'{text}' is not an alternative name: expected TYPE:VALUE with one of the types {', '.join(_WRITERS)}",
            hint="for example --san email:release@example.com",
        )
    if len(value) > MAXIMUM_LENGTH:
        raise UsageError(f"alternative name has {len(value)} characters, expected at most {MAXIMUM_LENGTH}")
    return write(value)


def parse_all(texts: Sequence[str]) -> tuple[bytes, ...]:
    """DER GeneralNames, each once, in the order of the texts.

    Raises:
        UsageError: as ``parse``, or there are more than ``MAXIMUM_NAMES``.
    """
    if len(texts) > MAXIMUM_NAMES:
        raise UsageError(f"{len(texts)} alternative names, expected at most {MAXIMUM_NAMES}")
    return tuple(dict.fromkeys(map(parse, texts)))


def read(value: bytes) -> tuple[bytes, ...]:
    """The DER GeneralNames in the value of a subjectAltName or issuerAltName extension.

    Raises:
        MalformedError: it is not a SEQUENCE of at least one GeneralName.
    """
    found = reader.parse(value, reader.SEQUENCE, "GeneralNames").children()
    if not found:
        raise MalformedError("GeneralNames is empty: expected at least one name")
    return tuple(element.raw for element in found)


def describe(der: bytes) -> str:
    """A DER GeneralName as ``TYPE:VALUE``; what can't be read is shown in hexadecimal."""
    element = reader.parse(der)
    try:
        return _describe(element)
    except (MalformedError, ValueError):
        return f"malformed:{element.raw[:64].hex()}"


def _describe(element: reader.Element) -> str:
    content, tag = element.content, element.tag
    if tag in (_EMAIL, _DNS, _URI):
        kind = {_EMAIL: "email", _DNS: "dns", _URI: "uri"}[tag]
        return f"{kind}:{content.decode('ascii')}"
    if tag == _IP and len(content) in (4, 16):
        import ipaddress  # 4 ms that only who has addresses pays

        return f"ip:{ipaddress.ip_address(content)}"
    if tag == _REGISTERED_ID:
        return f"rid:{reader.decode_oid(content)}"
    if tag == _DIRECTORY:
        return f"dirname:{names.load(content)}"
    if tag == _OTHER_NAME:
        kind_of_name, value = element.children()
        inner = reader.parse(value.content)
        if reader.oid(kind_of_name) == oids.USER_PRINCIPAL_NAME and inner.tag == reader.UTF8_STRING:
            return f"upn:{inner.content.decode()}"
        return f"other:{reader.oid(kind_of_name)}:{inner.raw[:64].hex()}"
    return f"{_KINDS.get(tag, f'tag {tag:02x}')}:{content[:64].hex()}"


def _dns(value: str) -> bytes:
    if not _HOST.fullmatch(value) or len(value) > 253:
        raise _refused("dns", value, "a host name of ASCII labels, as in release.example.com")
    return writer.tlv(_DNS, value.encode())


def _email(value: str) -> bytes:
    local, _, host = value.rpartition("@")
    if not _LOCAL.fullmatch(local) or not _HOST.fullmatch(host) or host.startswith("*"):
        raise _refused("email", value, "an ASCII address local@host")
    return writer.tlv(_EMAIL, value.encode())


def _uri(value: str) -> bytes:
    if not _URI_FORM.fullmatch(value):
        raise _refused("uri", value, "an absolute URI of ASCII characters without spaces (RFC 3986)")
    return writer.tlv(_URI, value.encode())


def _ip(value: str) -> bytes:
    import ipaddress

    try:
        address = ipaddress.ip_address(value)
    except ValueError as error:
        raise _refused("ip", value, "an IPv4 or IPv6 address, without a prefix length") from error
    if getattr(address, "scope_id", None):
        raise _refused("ip", value, "an address without a zone")
    return writer.tlv(_IP, address.packed)


def _upn(value: str) -> bytes:
    if not re.fullmatch(r"[^\s@\x00-\x1f]+@[^\s@\x00-\x1f]+", value):
        raise _refused("upn", value, "a user principal name, name@realm")
    try:
        text = value.encode()
    except UnicodeEncodeError as error:
        raise _refused("upn", value, "valid Unicode") from error
    inner = writer.tlv(0xA0, writer.tlv(reader.UTF8_STRING, text))
    return writer.tlv(_OTHER_NAME, writer.oid(oids.USER_PRINCIPAL_NAME), inner)


def _rid(value: str) -> bytes:
    if not _DOTTED.fullmatch(value):
        raise _refused("rid", value, "a dotted object identifier")
    encoded = writer.oid(value)
    return writer.tlv(_REGISTERED_ID, reader.parse(encoded).content)


def _dirname(value: str) -> bytes:
    return writer.tlv(_DIRECTORY, names.parse_subject(value).raw)


def _refused(kind: str, value: str, expected: str) -> UsageError:
    hint = "write an international host name in its ASCII form, xn--..." if not value.isascii() else ""
    return UsageError(f"alternative name {kind}:{value} has another form, expected {expected}", hint=hint)


_WRITERS: Mapping[str, Callable[[str], bytes]] = {
    "dns": _dns,
    "email": _email,
    "uri": _uri,
    "ip": _ip,
    "upn": _upn,
    "rid": _rid,
    "dirname": _dirname,
}
