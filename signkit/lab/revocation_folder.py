"""What a lab has revoked, in its folder: the list itself as JSON, and the CRLs in PEM and DER."""

from __future__ import annotations

import json
import os.path
from datetime import UTC, datetime
from typing import Any

from signkit.errors import MalformedError
from signkit.lab import revoking
from signkit.lab.authority import Authority
from signkit.lab.revoking import CRL_NAME, Revocations
from signkit.ports import ArtifactSource, OutputSink
from signkit.x509 import crl, pem
from signkit.x509.crl import REASONS, Revoked

REVOKED, CRL, ROOT_CRL = "revoked.json", "crl.pem", "root.crl"
"""The list, both CRLs in PEM, the root's CRL in DER; the issuing CA's in DER is ``revoking.CRL_NAME``."""

_LIMIT = 4 << 20


def files(folder: str) -> list[str]:
    """Paths of the files that ``publish`` writes."""
    return [os.path.join(folder, name) for name in (REVOKED, CRL, ROOT_CRL, CRL_NAME)]


def load(folder: str, source: ArtifactSource) -> Revocations:
    """What the lab in a folder has revoked; nothing when it never published a CRL.

    Raises:
        FileError: the list can't be read.
        MalformedError: the list is malformed.
    """
    path = os.path.join(folder, REVOKED)
    if not source.exists(path):
        return Revocations(number=0)
    try:
        document = json.loads(source.read(path, limit=_LIMIT, what="list of revoked certificates"))
        return Revocations(
            int(document["number"]), tuple(map(_revoked, document["root"])), tuple(map(_revoked, document["issuing"]))
        )
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise MalformedError(f"{path} is malformed: {error}", hint="remove it to begin an empty list") from error


def publish(authority: Authority, known: Revocations, folder: str, sink: OutputSink, *, now: datetime) -> list[str]:
    """Write the list and fresh CRLs.

    Args:
        authority: the lab.
        known: what it has revoked.
        folder: where the lab lies.
        sink: writes the files.
        now: time of issue of the CRLs.

    Returns:
        The paths that were written.

    Raises:
        FileError: they could not be written.
    """
    root = revoking.crl(authority.root, known.root, number=known.number, now=now)
    issuing = revoking.crl(authority.issuing, known.issuing, number=known.number, now=now)
    document = {
        "number": known.number,
        "root": [_document(one) for one in known.root],
        "issuing": [_document(one) for one in known.issuing],
    }
    contents = {
        REVOKED: (json.dumps(document, indent=2) + "\n").encode(),
        CRL: (pem.encode(crl.LABELS[0], issuing) + pem.encode(crl.LABELS[0], root)).encode(),
        ROOT_CRL: root,
        CRL_NAME: issuing,
    }
    paths = {name: os.path.join(folder, name) for name in contents}
    with sink.batch():
        for name, data in contents.items():
            sink.write(paths[name], data, overwrite=True)
    return list(paths.values())


def _document(one: Revoked) -> dict[str, str]:
    return {
        "serial_number": f"{one.serial_number:x}",
        "revocation_date": one.revocation_date.isoformat(),
        "reason": one.reason,
    }


def _revoked(document: dict[str, Any]) -> Revoked:
    if document["reason"] not in REASONS.values():
        raise ValueError(f"reason '{document['reason']}', expected one of {' '.join(REASONS.values())}")
    when = datetime.fromisoformat(document["revocation_date"])
    if when.tzinfo is None:
        raise ValueError(f"revocation_date '{document['revocation_date']}' has no time zone")
    return Revoked(int(document["serial_number"], 16), when.astimezone(UTC), document["reason"])
