"""``inspect`` of CRLs and OCSP responses: what is none is left to others, what is broken is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signkit.cli.revocation_documents import inspected
from signkit.errors import MalformedError
from signkit.operations.inspect_revocation import look
from signkit.x509 import pem
from tests.support import cms_builder, pki
from tests.support import revocation as rev

WHEN = datetime(2026, 5, 1, tzinfo=UTC)
CHAIN = pki.chain()


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\x30\x00", b"\x30\x02\x30\x00", CHAIN.leaf, pki.as_pem(CHAIN.leaf), cms_builder.ARTIFACT]
)
def test_other_files_are_left_to_others(data: bytes) -> None:
    assert look(data) is None


@pytest.mark.parametrize("data", [rev.crl(version=1), rev.ocsp(rev.single(CHAIN.leaf, CHAIN.issuing), status=6)])
def test_what_is_broken_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        look(data)


def test_a_crl() -> None:
    entries = [rev.entry(n, WHEN, rev.reason(1)) for n in range(30)]
    der = rev.crl(entries=entries)
    for data in (der, pem.encode("X509 CRL", der).encode()):
        found = look(data)
        assert found is not None
        document = inspected(found)
        assert document["kind"] == "CRL"
        [one] = document["crls"]
        assert (one["number"], one["entries"], len(one["revoked"])) == (1, 30, 20)
        assert one["revoked"][17] == {
            "serial_number": "11",
            "revocation_date": "2026-05-01T00:00:00Z",
            "reason": "keyCompromise",
            "invalidity_date": None,
        }


def test_an_ocsp_response() -> None:
    delegate = rev.responder(pki.key(20))
    single = rev.single(CHAIN.leaf, CHAIN.issuing, rev.revoked(WHEN, 4))
    found = look(rev.ocsp(single, certificates=[delegate, b"\x30\x00"]))
    assert found is not None
    document = inspected(found)
    assert document["kind"] == "OCSP response"
    [one] = document["responses"]
    assert (one["status"], one["reason"]) == ("revoked", "superseded")
    assert len(document["certificates"]) == 1
