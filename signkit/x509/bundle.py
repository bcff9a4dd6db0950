"""Certificates out of whatever an authority sends: PEM with text around it, DER, or PKCS #7."""

from __future__ import annotations

from signkit.der import cms
from signkit.errors import MalformedError
from signkit.x509 import pem

_HINT = "expected PEM or DER certificates, or PKCS #7"


def certificates(data: bytes) -> list[bytes]:
    """DER of all certificates in a file, in their order.

    Raises:
        MalformedError: there is none, or the file is broken.
    """
    if not data.strip():
        raise MalformedError("the file is empty, expected certificates", hint=_HINT)
    if not pem.looks_like(data):
        return _from_der(data)
    found: list[bytes] = []
    labels = []
    for block in pem.decode(data):
        labels.append(block.label)
        if block.label in pem.CERTIFICATE_LABELS:
            found.append(block.data)
        elif block.label in pem.PKCS7_LABELS:
            found += _from_pkcs7(block.data)
    if not found:
        raise MalformedError(f"no certificate in the file, found {', '.join(labels)}", hint=_HINT)
    return found


def _from_der(data: bytes) -> list[bytes]:
    if data[:1] != b"\x30":
        raise MalformedError("neither PEM nor DER, expected certificates", hint=_HINT)
    try:
        return _from_pkcs7(data)
    except MalformedError:
        return [data]


def _from_pkcs7(data: bytes) -> list[bytes]:
    found = [der for der in cms.decode(data).certificates if der[:1] == b"\x30"]
    if not found:
        raise MalformedError("the PKCS #7 structure holds no certificate", hint=_HINT)
    return found
