"""What a verification is given in files: certificates, CRLs, OCSP responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signkit.der import reader
from signkit.errors import MalformedError
from signkit.ports import ArtifactSource
from signkit.x509 import bundle, pem
from signkit.x509 import certificate as x509_certificate

MAXIMUM_CERTIFICATES = 10 << 20
MAXIMUM_REVOCATION = 64 << 20
"""Most bytes of a CRL: those of large authorities have tens of millions."""

_CRL_LABELS = ("X509 CRL", "CRL")
_OCSP_LABELS = ("OCSP RESPONSE",)


def certificates(source: ArtifactSource, paths: Sequence[str]) -> tuple[bytes, ...]:
    """DER of all certificates in these files, each once.

    Raises:
        FileError: a file can't be read.
        MalformedError: a file holds no certificate or a broken one.
    """

    def convert(data: bytes) -> list[bytes]:
        found = bundle.certificates(data)
        for der in found:
            x509_certificate.load(der)
        return found

    return _read(source, paths, MAXIMUM_CERTIFICATES, "certificate", convert)


def crls(source: ArtifactSource, paths: Sequence[str]) -> tuple[bytes, ...]:
    """DER of all CRLs in these files (PEM or DER), each once.

    Raises:
        FileError: a file can't be read.
        MalformedError: a file holds no CRL.
    """
    return _read(source, paths, MAXIMUM_REVOCATION, "CRL", lambda data: _blocks(data, _CRL_LABELS, "CRL"))


def ocsp_responses(source: ArtifactSource, paths: Sequence[str]) -> tuple[bytes, ...]:
    """DER of all OCSP responses in these files, each once.

    Raises:
        FileError: a file can't be read.
        MalformedError: a file holds no OCSP response.
    """
    what = "OCSP response"
    return _read(source, paths, MAXIMUM_CERTIFICATES, what, lambda data: _blocks(data, _OCSP_LABELS, what))


def _read(
    source: ArtifactSource, paths: Sequence[str], limit: int, what: str, convert: Callable[[bytes], list[bytes]]
) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for path in paths:
        data = source.read(path, limit=limit, what=what)
        try:
            found += convert(data)
        except MalformedError as error:
            raise MalformedError(f"{path}: {error.message}", hint=error.hint) from error
    return tuple(dict.fromkeys(found))


def _blocks(data: bytes, labels: tuple[str, ...], what: str) -> list[bytes]:
    if pem.looks_like(data):
        blocks = pem.decode(data)
        ders = [block.data for block in blocks if block.label in labels]
        if not ders:
            found = ", ".join(block.label for block in blocks)
            raise MalformedError(f"no {what} in the file, found {found}", hint=f"expected PEM or DER of a {what}")
    else:
        ders = [data]
    for der in ders:
        reader.parse(der, reader.SEQUENCE, what)
    return ders
