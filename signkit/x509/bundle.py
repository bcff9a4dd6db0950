"""Certificates out of whatever an authority sends: PEM with text around it, DER, PKCS #7 (also BER), PKCS #12."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from signkit.der import ber, cms, reader
from signkit.errors import MalformedError
from signkit.x509 import pem

MAXIMUM_CERTIFICATE = 1 << 18
"""Most bytes of one certificate; real ones have 1 to 10 kB, those with post-quantum keys 20 kB."""
MAXIMUM_CERTIFICATES = 1000

_HINT = "expected PEM or DER certificates, PKCS #7 or PKCS #12"
_TRUSTED = "TRUSTED CERTIFICATE"
_BARE_BASE64 = re.compile(rb"\s*MI[A-Za-z0-9+/\s]{40,}={0,2}\s*")


class Bundle(NamedTuple):
    """What a file held: DER of its certificates in their order, and what was passed over, in words."""

    certificates: tuple[bytes, ...]
    notices: tuple[str, ...] = ()


def certificates(data: bytes) -> list[bytes]:
    """DER of all certificates in a file, in their order.

    Raises:
        MalformedError: there is none, or the file is broken.
    """
    return list(read(data).certificates)


def read(data: bytes, passphrase: str = "") -> Bundle:
    """All certificates in a file. A private key in it is passed over, and said so; it is never decrypted or kept.

    Args:
        data: the file.
        passphrase: for PKCS #12.

    Raises:
        MalformedError: there is no certificate in it, one that is larger than any real one, or the file is broken.
    """
    if not data.strip():
        raise MalformedError("the file is empty, expected certificates", hint=_HINT)
    found = _from_pem(pem.decode(data)) if pem.looks_like(data) else _from_der(_unarmoured(data), passphrase)
    largest = max(map(len, found.certificates))
    if largest > MAXIMUM_CERTIFICATE or len(found.certificates) > MAXIMUM_CERTIFICATES:
        raise MalformedError(
            f"{len(found.certificates)} certificates of up to {largest} bytes, "
            f"expected at most {MAXIMUM_CERTIFICATES} of {MAXIMUM_CERTIFICATE} bytes"
        )
    return found


def is_pkcs12(der: bytes) -> bool:
    """Whether DER begins like a PFX (RFC 7292 section 4): a SEQUENCE with version 3 and a ContentInfo."""
    try:
        fields = reader.parse(der, reader.SEQUENCE).children()
        return len(fields) in (2, 3) and reader.integer(fields[0]) == 3 and fields[1].tag == reader.SEQUENCE
    except MalformedError:
        return False


def _from_pem(blocks: list[pem.Block]) -> Bundle:
    found: list[bytes] = []
    notices = []
    for block in blocks:
        if block.label == _TRUSTED:
            found.append(_without_trust(block.data))
        elif block.label in pem.CERTIFICATE_LABELS:
            found.append(block.data)
        elif block.label in pem.PKCS7_LABELS:
            found += _from_pkcs7(block.data)
        elif block.label.endswith("PRIVATE KEY"):
            notices.append("a private key stands in the file: it was passed over; whoever sent it has it too")
    if not found:
        labels = ", ".join(block.label for block in blocks)
        raise MalformedError(f"no certificate in the file, found {labels}", hint=_HINT)
    return Bundle(tuple(found), tuple(dict.fromkeys(notices)))


def _unarmoured(data: bytes) -> bytes:
    """Base64 without boundaries, as enrolment services answer (RFC 7030 section 4.1.3), decoded; else the data."""
    text = pem.plain(data)
    if not _BARE_BASE64.fullmatch(text):
        return data
    try:
        return base64.b64decode(text.translate(None, b" \t\r\n\v\f"), validate=True)
    except binascii.Error:
        return data


def _from_der(data: bytes, passphrase: str) -> Bundle:
    if data[:1] != b"\x30":
        raise MalformedError("neither PEM nor DER, expected certificates", hint=_HINT)
    if is_pkcs12(_der(data)):
        return _from_pkcs12(_der(data), passphrase)
    try:
        return Bundle(tuple(_from_pkcs7(data)))
    except MalformedError:
        if _is_content_info(data):
            raise
        return Bundle((data,))


def _from_pkcs12(der: bytes, passphrase: str) -> Bundle:
    from signkit.der import pkcs12  # what signing and verifying do without

    found = pkcs12.read(der, passphrase)
    if not found.certificates:
        raise MalformedError("the PKCS #12 file holds no certificate", hint=_HINT)
    notice = "a private key is in the PKCS #12 file: it was not decrypted and not taken; 'signkit key import' does that"
    return Bundle(found.certificates, (notice,) if found.private_keys else ())


def _from_pkcs7(data: bytes) -> list[bytes]:
    try:
        parsed = cms.decode(data)
    except MalformedError:
        der = ber.to_der(data)
        if der == data:
            raise
        parsed = cms.decode(der)
    found = [der for der in parsed.certificates if der[:1] == b"\x30"]
    if not found:
        raise MalformedError("the PKCS #7 structure holds no certificate", hint=_HINT)
    return found


def _der(data: bytes) -> bytes:
    """BER of indefinite length, as some writers of PKCS #7 and PKCS #12 use it, as DER; else the data itself."""
    if data[1:2] != b"\x80":
        return data
    return ber.to_der(data)


def _is_content_info(data: bytes) -> bool:
    """Whether it begins with an OBJECT IDENTIFIER, as no certificate does."""
    try:
        return reader.parse(_der(data), reader.SEQUENCE).children()[0].tag == reader.OID
    except (MalformedError, IndexError):
        return False


def _without_trust(data: bytes) -> bytes:
    """The certificate of OpenSSL's TRUSTED CERTIFICATE; behind it stands what somebody trusts it for."""
    if data[:1] != b"\x30" or len(data) < 6:
        return data
    length = data[1] & 0x7F if data[1] & 0x80 else 0
    size = 2 + length + (int.from_bytes(data[2 : 2 + length], "big") if length else data[1])
    return data[:size]
