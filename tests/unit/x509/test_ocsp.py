"""OCSP responses: what can't be read, who may not answer, then what an answer says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signkit.der import oids, writer
from signkit.errors import MalformedError
from signkit.evidence import Verdict
from signkit.x509 import certificate, ocsp
from tests.support import pki
from tests.support import revocation as rev

CHAIN = pki.chain()
WHEN = datetime(2026, 5, 1, tzinfo=UTC)
OTHER_LEAF = pki.leaf("CN=Other", pki.key(9), pki.ISSUING, pki.key(2))
DELEGATE_KEY, DELEGATE = pki.key(20), "CN=Test Responder,O=signkit tests"


def about_leaf(status: bytes = rev.GOOD, **fields: object) -> bytes:
    return rev.single(CHAIN.leaf, CHAIN.issuing, status, **fields)  # type: ignore[arg-type]


def delegated(certificate: bytes, *singles: bytes, **fields: object) -> bytes:
    """A response signed with ``DELEGATE_KEY``, with that certificate."""
    arguments: dict[str, object] = {"responder": rev.by_key(DELEGATE_KEY), "key": DELEGATE_KEY, **fields}
    return rev.ocsp(*(singles or (about_leaf(),)), certificates=[certificate], **arguments)  # type: ignore[arg-type]


def status(*responses: bytes, **fields: object) -> tuple[Verdict, str]:
    """Verdict about the leaf, and why."""
    check = rev.judge(responses=responses, crls=[rev.ROOT_CRL], **fields)[0]
    return check.verdict, check.detail


@pytest.mark.parametrize(
    ("der", "message"),
    [
        (b"", "truncated"),
        (b"\x30\x00", "can't be parsed"),
        (CHAIN.leaf, "can't be parsed|expected"),
        (rev.crl(), "can't be parsed|expected|tag"),
        (writer.sequence(writer.tlv(0x0A, b"\x06")), "unauthorized"),
        (writer.sequence(writer.tlv(0x0A, b"\x00")), "no responseBytes"),
        (rev.ocsp(about_leaf()) + b"\0", "after the end"),
        (rev.ocsp(about_leaf(writer.tlv(0x83))), "certStatus"),
        (rev.ocsp(about_leaf(writer.tlv(0x80, b"\0"))), "certStatus"),
        (rev.ocsp(about_leaf(), responder=writer.tlv(0xA3, b"")), "responderID"),
    ],
)
def test_what_is_no_response_is_refused(der: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        ocsp.load(der)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (rev.ocsp(about_leaf(rev.UNKNOWN)), "does not know"),
        (rev.ocsp(about_leaf(), signature=lambda value: value[:-1] + bytes([value[-1] ^ 1])), "does not verify"),
        (rev.ocsp(about_leaf(), key=pki.key(9)), "does not verify"),
        (rev.ocsp(about_leaf(), responder=rev.by_name("CN=Nobody")), "no certificate of its responder"),
        (rev.ocsp(about_leaf(), key=pki.key(1), responder=rev.by_name(pki.ROOT)), "expected CN=Test Issuing CA"),
        (delegated(rev.responder(DELEGATE_KEY, purposes=(oids.ANY_EXTENDED_KEY_USAGE,))), "OCSPSigning"),
        (delegated(rev.responder(DELEGATE_KEY, purposes=None)), "OCSPSigning"),
        (delegated(rev.responder(DELEGATE_KEY, usages=("keyEncipherment",))), "digitalSignature"),
        (delegated(rev.responder(DELEGATE_KEY, not_after=pki.NOW - rev.DAY)), "expired"),
        (delegated(rev.responder(DELEGATE_KEY, not_before=pki.NOW + rev.DAY)), "not yet valid"),
        (
            delegated(pki.leaf(DELEGATE, DELEGATE_KEY, pki.ISSUING, pki.key(1), purposes=(oids.OCSP_SIGNING,))),
            "not certified by the issuer's key",
        ),
        (
            delegated(pki.leaf(DELEGATE, DELEGATE_KEY, pki.ROOT, pki.key(1), purposes=(oids.OCSP_SIGNING,))),
            "was certified by",
        ),
        (rev.ocsp(about_leaf(next_update=pki.NOW - timedelta(seconds=1))), "stale"),
        (rev.ocsp(about_leaf(this_update=pki.NOW - 2 * rev.DAY, next_update=None)), "stale"),
        (
            rev.ocsp(about_leaf(this_update=pki.NOW + timedelta(minutes=6)), produced_at=pki.NOW + rev.DAY),
            "future",
        ),
        (rev.ocsp(about_leaf(), produced_at=rev.THIS_UPDATE - timedelta(minutes=6)), "true after it was made"),
        (rev.ocsp(about_leaf(extensions=[pki.extension("1.2.3", writer.NULL, True)])), "critical"),
        (rev.ocsp(about_leaf(), extensions=[pki.extension("1.2.3", writer.NULL, True)]), "critical"),
        (rev.ocsp(rev.single(OTHER_LEAF, CHAIN.issuing)), "no CRL and no OCSP response"),
        (rev.ocsp(rev.single(CHAIN.leaf, CHAIN.root)), "no CRL and no OCSP response"),
        (writer.sequence(writer.tlv(0x0A, b"\x03")), "tryLater"),
    ],
)
def test_what_says_nothing_leaves_it_unknown(response: bytes, message: str) -> None:
    verdict, detail = status(response)
    assert verdict is Verdict.INDETERMINATE
    assert message in detail


def test_a_revocation_fails() -> None:
    verdict, detail = status(rev.ocsp(about_leaf(rev.revoked(WHEN, 1))))
    assert verdict is Verdict.FAIL
    assert "2026-05-01T00:00:00Z (keyCompromise)" in detail


def test_a_revocation_after_signing_does_not_count() -> None:
    response = rev.ocsp(about_leaf(rev.revoked(WHEN)))
    assert status(response, at=WHEN)[0] is Verdict.FAIL
    assert status(response, at=WHEN - timedelta(seconds=1))[0] is Verdict.PASS


def test_an_invalidity_date_in_the_response_counts() -> None:
    response = rev.ocsp(about_leaf(rev.revoked(WHEN), extensions=[rev.invalidity(WHEN - rev.DAY)]))
    assert status(response, at=WHEN - rev.DAY)[0] is Verdict.FAIL
    assert status(response, at=WHEN - rev.DAY - timedelta(seconds=1))[0] is Verdict.PASS


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("responder", [rev.by_name(pki.ISSUING), rev.by_key(pki.key(2))])
@pytest.mark.parametrize("bare", [False, True])
def test_the_issuer_answers(digest: str, responder: bytes, bare: bool) -> None:
    response = rev.ocsp(about_leaf(digest=digest), responder=responder, bare=bare)
    assert status(response)[0] is Verdict.PASS


@pytest.mark.parametrize("responder", [rev.by_name(DELEGATE), rev.by_key(DELEGATE_KEY)])
def test_a_delegate_answers(responder: bytes) -> None:
    assert status(delegated(rev.responder(DELEGATE_KEY), responder=responder))[0] is Verdict.PASS


def test_the_delegates_certificate_may_be_among_the_intermediates() -> None:
    response = rev.ocsp(about_leaf(), key=DELEGATE_KEY, responder=rev.by_name(DELEGATE))
    assert status(response)[0] is Verdict.INDETERMINATE
    assert status(response, others=[rev.responder(DELEGATE_KEY)])[0] is Verdict.PASS


def test_a_delegate_that_was_revoked_is_not_believed() -> None:
    """Unless its certificate says that it need not be asked for (id-pkix-ocsp-nocheck)."""
    careful = rev.responder(DELEGATE_KEY, nocheck=False)
    revoking = rev.crl(entries=[rev.entry(careful, WHEN)], extensions=[rev.issuing_point(rev.ONLY_ATTRIBUTES)])
    assert status(delegated(careful))[0] is Verdict.PASS
    assert rev.judge(responses=[delegated(careful)], crls=[rev.ROOT_CRL, revoking])[0].passed, "of another scope"
    revoking = rev.crl(entries=[rev.entry(careful, WHEN), rev.entry(CHAIN.leaf, WHEN + 365 * rev.DAY)])
    [check, _] = rev.judge(responses=[delegated(careful)], crls=[rev.ROOT_CRL, revoking])
    assert any("its signer can't be believed" in child.detail for child in check.children)
    unchecked = rev.responder(DELEGATE_KEY)
    revoking = rev.crl(entries=[rev.entry(unchecked, WHEN)])
    [check, _] = rev.judge(responses=[delegated(unchecked)], crls=[rev.ROOT_CRL, revoking])
    assert check.children[0].passed


def test_a_certificate_does_not_answer_about_itself() -> None:
    vain = pki.leaf(
        pki.SIGNER,
        pki.key(3),
        pki.ISSUING,
        pki.key(2),
        purposes=(oids.CODE_SIGNING, oids.OCSP_SIGNING),
        extra=[pki.extension(oids.OCSP_NO_CHECK, writer.NULL)],
    )
    response = rev.ocsp(
        rev.single(vain, CHAIN.issuing), key=pki.key(3), responder=rev.by_key(pki.key(3)), certificates=[vain]
    )
    verdict, detail = status(response, certificates=rev.path(vain))
    assert verdict is Verdict.INDETERMINATE
    assert "answers about itself" in detail


def test_of_two_answers_at_one_time_the_revocation_counts() -> None:
    for singles in ([about_leaf(), about_leaf(rev.revoked(WHEN))], [about_leaf(rev.revoked(WHEN)), about_leaf()]):
        assert status(rev.ocsp(*singles))[0] is Verdict.FAIL


def test_many_responses_of_one_delegate_take_no_time() -> None:
    """Whoever sends them can change what is not signed, and so make as many as they like."""
    careful = rev.responder(DELEGATE_KEY, nocheck=False)
    own = rev.ocsp(
        rev.single(careful, CHAIN.issuing),
        key=DELEGATE_KEY,
        responder=rev.by_key(DELEGATE_KEY),
        certificates=[careful],
    )
    many = [
        rev.ocsp(
            about_leaf(),
            key=DELEGATE_KEY,
            responder=rev.by_key(DELEGATE_KEY),
            certificates=[careful, writer.sequence(writer.integer(number))],
        )
        for number in range(300)
    ]
    began = process_time()
    assert status(own, *many, embedded_responses=many)[0] is Verdict.PASS
    assert process_time() - began < 2


def test_a_delegate_that_says_where_to_ask_must_be_known_to_be_good() -> None:
    asked = rev.responder(DELEGATE_KEY, extra=[rev.points([rev.full_name(rev.uri("http://a/"))])])
    verdict, detail = status(delegated(asked))
    assert verdict is Verdict.INDETERMINATE
    assert "whether its signer is revoked is unknown" in detail


def test_an_expired_certificate_may_be_forgotten() -> None:
    """RFC 6960 section 4.4.4."""
    expired = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), not_after=WHEN)

    def judge(*extensions: bytes) -> Verdict:
        response = rev.ocsp(rev.single(expired, CHAIN.issuing, extensions=extensions))
        return status(response, certificates=rev.path(expired), at=WHEN - rev.DAY)[0]

    def cutoff(moment: datetime) -> bytes:
        return pki.extension(oids.OCSP_ARCHIVE_CUTOFF, rev.generalized(moment))

    assert judge() is Verdict.INDETERMINATE
    assert judge(cutoff(WHEN + rev.DAY)) is Verdict.INDETERMINATE
    assert judge(cutoff(WHEN)) is Verdict.PASS


def test_request_and_nonce() -> None:
    leaf, issuing = certificate.load(CHAIN.leaf), certificate.load(CHAIN.issuing)
    plain = ocsp.parse_request(ocsp.request(leaf, issuing))
    assert plain.nonce is None
    assert plain.certificate_ids[0].names(leaf, issuing)
    assert not plain.certificate_ids[0].names(issuing, leaf)
    assert ocsp.parse_request(ocsp.request(leaf, issuing, b"0123456789abcdef")).nonce == b"0123456789abcdef"
    for wrong in (b"", b"\x30\x00", CHAIN.leaf[:40], rev.crl()):
        with pytest.raises(MalformedError):
            ocsp.parse_request(wrong)
    echo = pki.extension(oids.OCSP_NONCE, writer.octet_string(b"abc"))
    assert ocsp.load(rev.ocsp(about_leaf(), extensions=[echo])).nonce == b"abc"
    assert ocsp.load(rev.ocsp(about_leaf())).nonce is None


def test_of_several_answers_the_newest_counts() -> None:
    older = about_leaf(rev.revoked(WHEN), this_update=pki.NOW - 2 * rev.DAY)
    assert status(rev.ocsp(older, about_leaf()))[0] is Verdict.PASS
    assert (
        status(rev.ocsp(about_leaf(this_update=pki.NOW - 2 * rev.DAY), about_leaf(rev.revoked(WHEN))))[0]
        is Verdict.FAIL
    )


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_mutation_is_believed(data: st.DataObject) -> None:
    """A mutated answer that says revoked never becomes one that says good, and nothing else is raised."""
    der = bytearray(delegated(rev.responder(DELEGATE_KEY), about_leaf(rev.revoked(WHEN, 1))))
    der[data.draw(st.integers(0, len(der) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert status(bytes(der))[0] is not Verdict.PASS
