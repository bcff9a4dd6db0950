"""The throwaway authority in a folder: made, issuing, revoking, serving."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from signkit.errors import OutputExistsError
from signkit.files import FileSink, FileSource

if TYPE_CHECKING:
    from signkit.lab.serving import LabServer
    from signkit.ports import Clock
    from signkit.x509.certificate import Certificate
    from signkit.x509.crl import Revoked


class Published(NamedTuple):
    """CRLs that were just made.

    Attributes:
        subject: of the certificate in question, empty when there is none.
        revoked: its entry, or None when it is on no CRL.
        number: cRLNumber of the CRLs.
        files: the paths that were written.
    """

    subject: str
    revoked: Revoked | None
    number: int
    files: tuple[str, ...]


def create(folder: str, *, now: datetime, dry_run: bool) -> list[str]:
    """Make an authority, and CRLs that revoke nobody.

    Returns:
        The files it consists of.

    Raises:
        OutputExistsError: there is one in that folder.
        FileError: the folder can't be written to.
    """
    from signkit.lab import folder as lab_folder
    from signkit.lab import revocation_folder
    from signkit.lab.authority import Authority
    from signkit.lab.revoking import Revocations

    sink = FileSink()
    if dry_run:
        return lab_folder.files(folder) + revocation_folder.files(folder)
    sink.make_folder(folder)
    authority = Authority.create(now, secrets.token_bytes)
    try:
        made = lab_folder.save(authority, folder, sink)
    except OutputExistsError as error:
        hint = "an authority is never replaced: use it, or name another folder"
        raise OutputExistsError(error.message, path=error.path, hint=hint) from error
    return made + revocation_folder.publish(authority, Revocations(), folder, sink, now=now)


def revoke(
    folder: str, certificate: Certificate | None, *, reason: str, when: datetime | None, now: datetime, dry_run: bool
) -> Published:
    """Revoke a certificate, when one is named, and publish fresh CRLs.

    Args:
        folder: where the authority lies.
        certificate: the certificate, or None.
        reason: one of ``crl.REASONS``.
        when: from when on it is revoked; None = ``now``.
        now: time of issue of the CRLs.
        dry_run: write nothing.

    Raises:
        UsageError: no such reason.
        RefusedError: the certificate can't be revoked.
        FileError: a file can't be read or written.
        MalformedError: a file of the lab is malformed.
    """
    from signkit.lab import folder as lab_folder
    from signkit.lab import revocation_folder, revoking

    source = FileSource()
    authority = lab_folder.load(folder, source)
    known = revocation_folder.load(folder, source)
    if certificate is None:
        changed = known._replace(number=known.number + 1)
    else:
        changed = revoking.revoke(authority, known, certificate, reason=reason, when=when or now)
    entries = changed.issuing + changed.root
    found = next((one for one in entries if certificate and one.serial_number == certificate.serial_number), None)
    if dry_run:
        files = revocation_folder.files(folder)
    else:
        files = revocation_folder.publish(authority, changed, folder, FileSink(), now=now)
    return Published(str(certificate.subject) if certificate else "", found, changed.number, tuple(files))


def issue(folder: str, request: str, *, days: int, base_url: str, now: datetime) -> list[Certificate]:
    """Issue a certificate; it is followed by the issuing one's.

    Args:
        folder: where the authority lies.
        request: path of the certification request.
        days: days of validity.
        base_url: where CRL and OCSP are served; empty = the certificate says nothing about that.
        now: the present.

    Raises:
        UsageError: ``base_url`` is not an HTTP URL.
        FileError: a file can't be read.
        MalformedError: the request or a file of the lab is malformed.
        ProofOfPossessionError: the request is not signed by the key it carries.
    """
    from signkit.lab import folder as lab_folder
    from signkit.lab import revoking
    from signkit.operations import requests
    from signkit.x509.certificate import load

    source = FileSource()
    authority = lab_folder.load(folder, source)
    found = requests.read(source, request)
    extensions = revoking.publication(base_url) if base_url else ()
    issued = authority.issue(found.der, now=now, random=secrets.token_bytes, days=days, further_extensions=extensions)
    return [load(der) for der in issued]


def server(folder: str, address: str, *, clock: Clock) -> LabServer:
    """Timestamps, CRL and OCSP responses of an authority on ``HOST:PORT``, not yet running.

    What is revoked while it runs is known to its next answer.

    Raises:
        UsageError: not a loopback address.
        UnavailableError: the port is taken.
        FileError: a file of the lab can't be read.
    """
    from signkit.lab import folder as lab_folder
    from signkit.lab import revocation_folder, revoking, serving
    from signkit.lab.serving import Route

    source = FileSource()
    authority = lab_folder.load(folder, source)

    def answer_ocsp(request: bytes) -> bytes:
        known = revocation_folder.load(folder, source)
        return revoking.answer_ocsp(authority, known, request, now=clock())

    def issuing_crl(_request: bytes) -> bytes:
        known = revocation_folder.load(folder, source)
        return revoking.crl(authority.issuing, known.issuing, number=known.number, now=clock())

    further = (
        Route("POST", f"/{revoking.OCSP_NAME}", "application/ocsp-request", "application/ocsp-response", answer_ocsp),
        Route("GET", f"/{revoking.CRL_NAME}", "", "application/pkix-crl", issuing_crl),
    )
    return serving.of(authority, address, clock=clock, random=secrets.token_bytes, further=further)
