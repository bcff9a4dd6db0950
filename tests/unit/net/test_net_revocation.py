"""Evidence from the network: what is asked, what is compared, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from signkit.der import oids, writer
from signkit.files import FileSink, FileSource
from signkit.net.http import HttpClient
from signkit.net.revocation import EvidenceCache, NetworkRevocationSource
from signkit.operations.revocation import gather
from signkit.x509 import certificate, ocsp, pem
from signkit.x509.revocation import RevocationEvidence
from tests.support import pki
from tests.support import revocation as rev
from tests.support.http_server import Handler, Server, answer

ISSUING = certificate.load(pki.chain().issuing)
NONCE = bytes(range(32))


def leaf_at(server: Server, *, crl: str = "", responder: str = "", url: str = "") -> certificate.Certificate:
    """A leaf whose CRL and responder are at these paths of the server; ``url`` is one more distribution point."""
    points = [[rev.full_name(rev.uri(one))] for one in ([server.url(crl)] if crl else []) + ([url] if url else [])]
    extra = [rev.points(*points)] if points else []
    extra += [rev.ocsp_url(server.url(responder))] if responder else []
    return certificate.load(pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=extra))


def source(**fields: object) -> NetworkRevocationSource:
    return NetworkRevocationSource(HttpClient(timeout_seconds=5), random=lambda size: NONCE[:size], **fields)  # type: ignore[arg-type]


def responding(
    status: bytes = rev.GOOD,
    nonce: Callable[[bytes], bytes | None] = lambda asked: asked,
    this_update: datetime = rev.THIS_UPDATE,
) -> Handler:
    """An OCSP responder for the usual leaf's issuer."""

    def respond(request: bytes, connection: object) -> None:
        asked = ocsp.parse_request(request.partition(b"\r\n\r\n")[2])
        echo = nonce(asked.nonce or b"")
        single = writer.sequence(
            asked.raw_ids[0],
            status,
            rev.generalized(this_update),
            writer.tlv(0xA0, rev.generalized(rev.NEXT_UPDATE)),
        )
        extensions = [pki.extension(oids.OCSP_NONCE, writer.octet_string(echo))] if echo else []
        answer(rev.ocsp(single, produced_at=this_update, extensions=extensions))(request, connection)  # type: ignore[arg-type]

    return respond


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (answer(b"", "503 Busy"), "status 503"),
        (answer(b"junk"), "OCSP"),
        (answer(writer.sequence(writer.tlv(0x0A, b"\x03"))), "tryLater"),
        (responding(nonce=lambda asked: asked[::-1]), "another nonce"),
        (responding(rev.UNKNOWN), "does not know"),
        (answer(rev.ocsp(rev.single(pki.chain().issuing, pki.chain().root))), "does not know"),
    ],
)
def test_a_responder_that_gives_nothing_leads_on_to_the_crl(handler: Handler, problem: str) -> None:
    with Server({"/ocsp": handler, "/crl": answer(rev.crl())}) as server:
        leaf = leaf_at(server, crl="/crl", responder="/ocsp")
        asking = source()
        found = asking.fetch(leaf, ISSUING, pki.NOW)
        assert found.crls == (rev.crl(),)
        assert found.ocsp_responses == ()
        assert problem in " ".join(found.problems)
        assert list(asking.connections) == [server.url("/ocsp"), server.url("/crl")]


@pytest.mark.parametrize("handler", [answer(b"", "404 Not Found"), answer(b"<html>"), answer(b"")])
def test_what_is_no_crl_is_a_problem_and_no_error(handler: Handler) -> None:
    with Server({"/crl": handler}) as server:
        found = source().fetch(leaf_at(server, crl="/crl", url="ldap://127.0.0.1/"), ISSUING, pki.NOW)
    assert found.crls == ()
    assert len(found.problems) == 2
    assert "expected http" in " ".join(found.problems)


def test_a_certificate_that_names_nothing() -> None:
    found = source().fetch(certificate.load(pki.chain().leaf), ISSUING, pki.NOW)
    assert "neither an OCSP responder nor a CRL" in found.problems[0]


@pytest.mark.parametrize("nonce", [lambda asked: asked, lambda asked: None])
def test_a_response(nonce: Callable[[bytes], bytes | None]) -> None:
    with Server({"/ocsp": responding(nonce=nonce), "/crl": answer(rev.crl())}) as server:
        leaf = leaf_at(server, crl="/crl", responder="/ocsp")
        asking = source()
        found = asking.fetch(leaf, ISSUING, pki.NOW)
        assert found.problems == () and found.crls == ()
        assert list(asking.connections) == [server.url("/ocsp")]
        asked = ocsp.parse_request(server.requests[0].partition(b"\r\n\r\n")[2])
        assert asked.nonce == NONCE
        assert asked.certificate_ids[0].names(leaf, ISSUING)
        [check, _] = rev.judge(responses=found.ocsp_responses, certificates=rev.path(leaf.der))
        assert check.passed


def test_answers_are_kept_for_ten_minutes(tmp_path: Path) -> None:
    text = pem.encode("X509 CRL", rev.crl(this_update=pki.NOW)).encode()
    with Server({"/crl": answer(text), "/ocsp": responding(this_update=pki.NOW)}) as server:
        folder = tmp_path / "cache"
        crl_leaf, ocsp_leaf = leaf_at(server, crl="/crl"), leaf_at(server, responder="/ocsp")

        def ask(now: object = pki.NOW) -> int:
            asking = source(cache=EvidenceCache(str(folder), FileSource(), FileSink()))
            for leaf in (crl_leaf, ocsp_leaf, crl_leaf, ocsp_leaf):
                found = asking.fetch(leaf, ISSUING, now)  # type: ignore[arg-type]
                assert found.crls + found.ocsp_responses and not found.problems
            return len(asking.connections)

        assert ask() == 2
        assert sorted(file.stat().st_mode & 0o777 for file in folder.iterdir()) == [0o600, 0o600]
        assert ask() == 0
        assert ask(pki.NOW + timedelta(minutes=9)) == 0
        assert ask(pki.NOW + timedelta(minutes=10)) == 4, "a revocation since then would go unheard"
        for file in folder.iterdir():
            file.write_bytes(b"damaged")
        assert ask() == 2
        folder.joinpath("x").write_bytes(b"")


def test_a_cache_that_cant_be_written_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with Server({"/crl": answer(rev.crl())}) as server:
        cache = EvidenceCache(str(tmp_path / "file" / "cache"), FileSource(), FileSink())
        assert source(cache=cache).fetch(leaf_at(server, crl="/crl"), ISSUING, pki.NOW).crls


def test_gather_asks_for_each_certificate_but_the_anchor() -> None:
    with Server({"/crl": answer(rev.crl())}) as server:
        leaf = leaf_at(server, crl="/crl")
        known = RevocationEvidence(crls=(rev.ROOT_CRL,), embedded_crls=(rev.crl(),))
        found = gather(rev.path(leaf.der), source(), now=pki.NOW, known=known)
        assert found.evidence == known._replace(crls=(rev.ROOT_CRL, rev.crl()))
        assert found.network == (server.url("/crl"),)
        assert len(found.problems) == 1, "the issuing CA's certificate names nothing"
