"""CRLs and OCSP responses, as the documents that ``inspect`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signkit.report.json import Document, certificate, time

if TYPE_CHECKING:
    from datetime import datetime

    from signkit.operations.inspect import Inspected
    from signkit.operations.inspect_revocation import InspectedRevocation
    from signkit.x509.crl import CertificateList, Revoked
    from signkit.x509.ocsp import BasicResponse, SingleResponse

SHOWN = 20
"""Most entries of a CRL that are listed."""


def inspected(found: Inspected | InspectedRevocation) -> Document:
    """What is in a file; everything but CRLs and OCSP responses is described elsewhere."""
    from signkit.cli import documents
    from signkit.operations.inspect_revocation import InspectedLists, InspectedResponse

    if isinstance(found, InspectedLists):
        return {"kind": "CRL", "crls": [_list(one) for one in found.lists]}
    if isinstance(found, InspectedResponse):
        certificates = [certificate(one) for one in found.certificates]
        return {"kind": "OCSP response", **_response(found.response), "certificates": certificates}
    return documents.inspected(found)


def _list(crl: CertificateList) -> Document:
    from signkit import algorithms

    scope = crl.scope
    limits = {
        "user certificates": scope.user_certificates,
        "CA certificates": scope.ca_certificates,
        "attribute certificates": scope.attribute_certificates,
    }
    return {
        "issuer": str(crl.issuer),
        "this_update": time(crl.this_update),
        "next_update": _moment(crl.next_update),
        "number": crl.number,
        "delta_of": crl.base_number,
        "indirect": scope.indirect,
        "only": [name for name, limited in limits.items() if limited],
        "signature_algorithm": algorithms.describe(crl.signature_algorithm),
        "unusable": crl.unusable or None,
        "entries": crl.size,
        "revoked": [{"serial_number": f"{one.serial_number:x}", **_revoked(one)} for one in crl.entries(SHOWN)],
    }


def _response(response: BasicResponse) -> Document:
    from signkit import algorithms

    return {
        "responder": response.responder,
        "produced_at": time(response.produced_at),
        "signature_algorithm": algorithms.describe(response.signature_algorithm),
        "nonce": None if response.nonce is None else response.nonce.hex(),
        "responses": [_single(one) for one in response.responses],
    }


def _single(single: SingleResponse) -> Document:
    return {
        "serial_number": f"{single.certificate_id.serial_number:x}",
        "status": single.status,
        **(_revoked(single.revoked) if single.revoked else {}),
        "this_update": time(single.this_update),
        "next_update": _moment(single.next_update),
        "archive_cutoff": _moment(single.archive_cutoff),
    }


def _revoked(revoked: Revoked) -> Document:
    return {
        "revocation_date": time(revoked.revocation_date),
        "reason": revoked.reason,
        "invalidity_date": _moment(revoked.invalidity_date),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else time(moment)
