"""The throwaway authority in a folder: made, and revoking."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from signkit.errors import OutputExistsError
from signkit.files import FileSink, FileSource

if TYPE_CHECKING:
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
