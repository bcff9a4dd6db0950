"""The judgement over CRLs (RFC 5280 section 6.3) and over several pieces of evidence, by two clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signkit.der import oids, writer
from signkit.evidence import Verdict
from signkit.x509 import certificate, path, revocation, revocation_signers
from tests.support import pki
from tests.support import revocation as rev

CHAIN = pki.chain()
SECOND = timedelta(seconds=1)
WHEN = datetime(2026, 5, 1, tzinfo=UTC)
HTTP = rev.uri("http://crl.test/a")
POINT = rev.points([rev.full_name(HTTP)])
CRL_ISSUER, CRL_ISSUER_KEY = "CN=Test CRL Issuer,O=signkit tests", pki.key(30)


def with_points(*extra: bytes) -> bytes:
    return pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=extra)


def status(*crls: bytes, leaf: bytes | None = None, **fields: object) -> tuple[Verdict, str]:
    """Verdict about the leaf, and why."""
    arguments: dict[str, object] = {"crls": [rev.ROOT_CRL, *crls], "certificates": rev.path(leaf), **fields}
    check = rev.judge(**arguments)[0]  # type: ignore[no-untyped-call]
    return check.verdict, check.detail


def scoped(*fields: bytes, entries: tuple[bytes, ...] = (), key: pki.Key | None = None, **more: object) -> bytes:
    """A CRL with an issuing distribution point."""
    return rev.crl(
        key=key,
        entries=entries,
        extensions=[rev.number(1), rev.issuing_point(*fields)],
        **more,  # type: ignore[arg-type]
    )


REVOKED = rev.entry(CHAIN.leaf, WHEN, rev.reason(1))
UNKNOWN_CRITICAL = pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL, critical=True)


@pytest.mark.parametrize(
    ("crl", "message"),
    [
        (rev.crl(pki.ROOT), "no CRL and no OCSP response"),
        (rev.crl(key=pki.key(9)), "does not verify"),
        (rev.crl(signature=lambda value: value[:-1] + bytes([value[-1] ^ 1])), "does not verify"),
        (rev.crl(signature=lambda value: value + b"\0"), "verify|malformed|DER"),
        (rev.crl(next_update=pki.NOW - SECOND), "stale"),
        (rev.crl(this_update=pki.NOW - 2 * rev.DAY, next_update=None), "stale"),
        (rev.crl(this_update=pki.NOW + timedelta(minutes=6)), "future"),
        (rev.crl(extensions=[rev.number(1), UNKNOWN_CRITICAL]), "critical"),
        (rev.crl(entries=[rev.entry(4711, WHEN, UNKNOWN_CRITICAL)]), "critical"),
        (rev.crl(extensions=[rev.number(2), rev.delta(1)]), "no CRL and no OCSP response"),
        (scoped(rev.ONLY_CAS), "no CRL and no OCSP response"),
        (scoped(rev.ONLY_ATTRIBUTES), "no CRL and no OCSP response"),
        (scoped(rev.full_name(HTTP)), "no CRL and no OCSP response"),
        (scoped(rev.reason_flags(0x83, 1, 2)), "reasons that no CRL covers: aACompromise, affiliationChanged"),
        (b"junk", "can't be read"),
        (rev.crl()[:-1], "can't be read"),
        (rev.crl(inner=pki.ALGORITHMS["rsa-sha256"]), "can't be read"),
    ],
)
def test_what_says_nothing_leaves_it_unknown(crl: bytes, message: str) -> None:
    verdict, detail = status(crl)
    assert verdict is Verdict.INDETERMINATE
    assert any(part in detail for part in message.split("|")), detail


def test_without_evidence_everything_is_unknown() -> None:
    checks = rev.judge()
    assert [check.name for check in checks] == ["revocation.0", "revocation.1"]
    assert {check.verdict for check in checks} == {Verdict.INDETERMINATE}
    assert all(check.facts["mode"] == "require" for check in checks)
    assert rev.judge(certificates=rev.path()[2:]) == []


def test_each_certificate_is_judged_by_its_own_issuers_crl() -> None:
    leaf, issuing = rev.judge(crls=[rev.ROOT_CRL, rev.crl()])
    assert leaf.passed and issuing.passed
    leaf, issuing = rev.judge(crls=[rev.crl()])
    assert leaf.passed and issuing.verdict is Verdict.INDETERMINATE
    revoking = rev.crl(pki.ROOT, pki.key(1), [rev.entry(CHAIN.issuing, WHEN, rev.reason(2))])
    leaf, issuing = rev.judge(crls=[revoking, rev.crl()])
    assert leaf.passed and issuing.verdict is Verdict.FAIL


def test_the_facts_of_a_revocation() -> None:
    entry = rev.entry(CHAIN.leaf, WHEN, rev.reason(1), rev.invalidity(WHEN - rev.DAY))
    [check, _] = rev.judge(crls=[rev.ROOT_CRL, rev.crl(entries=[entry])])
    assert check.verdict is Verdict.FAIL
    assert check.facts == {
        "source": "crl",
        "issuer": str(certificate.load(CHAIN.issuing).subject),
        "embedded": False,
        "this_update": "2026-05-31T00:00:00Z",
        "next_update": "2026-06-02T00:00:00Z",
        "revocation_date": "2026-05-01T00:00:00Z",
        "invalidity_date": "2026-04-30T00:00:00Z",
        "reason": "keyCompromise",
        "at": "2026-06-01T00:00:00Z",
        "now": "2026-06-01T00:00:00Z",
        "mode": "require",
    }
    assert [child.name for child in check.children] == ["revocation.0.crl"]


@pytest.mark.parametrize(
    ("at", "invalidity", "verdict"),
    [
        (WHEN, None, Verdict.FAIL),
        (WHEN + SECOND, None, Verdict.FAIL),
        (WHEN - SECOND, None, Verdict.PASS),
        (WHEN - rev.DAY, WHEN - rev.DAY, Verdict.FAIL),
        (WHEN - rev.DAY - SECOND, WHEN - rev.DAY, Verdict.PASS),
        (WHEN + SECOND, WHEN + rev.DAY, Verdict.FAIL),
    ],
)
def test_two_clocks(at: datetime, invalidity: datetime | None, verdict: Verdict) -> None:
    """The signing time decides whether a revocation counts; the CRL, issued later, is fresh at the present."""
    extensions = [rev.invalidity(invalidity)] if invalidity else []
    crl = rev.crl(entries=[rev.entry(CHAIN.leaf, WHEN, *extensions)])
    assert status(crl, at=at)[0] is verdict


def test_a_hold_counts_while_it_is_known_to_last() -> None:
    hold = rev.entry(CHAIN.leaf, WHEN, rev.reason(6))
    assert status(rev.crl(entries=[hold]))[0] is Verdict.FAIL
    stale = rev.crl(entries=[hold], next_update=pki.NOW - SECOND)
    assert status(stale)[0] is Verdict.INDETERMINATE
    lifted = rev.crl(this_update=rev.THIS_UPDATE + SECOND)
    for order in ([rev.crl(entries=[hold]), lifted], [lifted, rev.crl(entries=[hold])]):
        assert status(*order)[0] is Verdict.PASS


def test_a_stale_crl_still_proves_a_revocation() -> None:
    assert status(rev.crl(entries=[REVOKED], next_update=pki.NOW - SECOND))[0] is Verdict.FAIL


def test_revoked_wins_over_good() -> None:
    newer_good = rev.ocsp(rev.single(CHAIN.leaf, CHAIN.issuing, this_update=rev.THIS_UPDATE + SECOND))
    assert status(rev.crl(entries=[REVOKED]), responses=[newer_good])[0] is Verdict.FAIL, "of another kind"
    older_good = rev.crl(this_update=rev.THIS_UPDATE - SECOND)
    assert status(rev.crl(entries=[REVOKED]), older_good)[0] is Verdict.FAIL, "older"
    corrected = rev.crl(entries=[rev.entry(CHAIN.leaf, pki.NOW)], this_update=rev.THIS_UPDATE + SECOND)
    assert status(rev.crl(entries=[REVOKED]), corrected, at=pki.NOW - SECOND)[0] is Verdict.PASS, "newer, same kind"
    stale = rev.crl(this_update=rev.THIS_UPDATE + SECOND, next_update=pki.NOW - SECOND)
    assert status(rev.crl(entries=[REVOKED]), stale)[0] is Verdict.FAIL, "newer, but stale"


def test_embedded_evidence_is_judged_at_its_own_moment() -> None:
    signed, now = WHEN, WHEN + 3000 * rev.DAY
    fields = {"this_update": signed - rev.DAY, "next_update": signed + rev.DAY}
    crl, response = rev.crl(**fields), rev.ocsp(rev.single(CHAIN.leaf, CHAIN.issuing, **fields), bare=True)  # type: ignore[arg-type]
    for embedded in ({"embedded_crls": [crl]}, {"embedded_responses": [response]}):
        assert status(at=signed, now=now, embedded_at=signed, **embedded)[0] is Verdict.PASS
        assert status(at=signed, now=now, embedded_at=signed + 2 * rev.DAY, **embedded)[0] is Verdict.INDETERMINATE
        assert status(at=signed, now=now, **embedded)[0] is Verdict.INDETERMINATE
    assert status(crl, at=signed, now=now, embedded_at=signed)[0] is Verdict.INDETERMINATE, "the same from outside"
    gathered_later = rev.crl(this_update=signed + SECOND, next_update=signed + rev.DAY)
    assert status(at=signed, now=now, embedded_at=signed, embedded_crls=[gathered_later])[0] is Verdict.PASS
    revoking = rev.crl(entries=[rev.entry(CHAIN.leaf, signed)], this_update=now - rev.DAY, next_update=now + rev.DAY)
    assert status(revoking, at=signed, now=now, embedded_at=signed, embedded_crls=[crl])[0] is Verdict.FAIL


def test_reasons_of_several_crls_add_up() -> None:
    some, rest = rev.reason_flags(0x83, 1, 2, 3, 4), rev.reason_flags(0x83, 5, 6, 7, 8)
    assert status(scoped(some))[0] is Verdict.INDETERMINATE
    assert status(scoped(some), scoped(rest))[0] is Verdict.PASS
    assert status(scoped(some), scoped(rest, entries=(REVOKED,)))[0] is Verdict.FAIL
    assert status(scoped(some), scoped(rest, next_update=pki.NOW - SECOND))[0] is Verdict.INDETERMINATE


def test_distribution_points() -> None:
    leaf = with_points(POINT)
    assert status(scoped(rev.full_name(HTTP)), leaf=leaf)[0] is Verdict.PASS
    assert status(scoped(rev.full_name(rev.uri("http://crl.test/b"))), leaf=leaf)[0] is Verdict.INDETERMINATE
    assert status(rev.crl(), leaf=leaf)[0] is Verdict.PASS, "a complete CRL covers every point"
    part = with_points(rev.points([rev.full_name(HTTP), rev.reason_flags(0x81, 1, 2)]))
    assert status(scoped(rev.full_name(HTTP)), leaf=part)[0] is Verdict.INDETERMINATE
    relative = with_points(rev.points([rev.relative_name("CN=part 1")]))
    assert status(scoped(rev.relative_name("CN=part 1")), leaf=relative)[0] is Verdict.PASS
    assert status(scoped(rev.relative_name("CN=part 2")), leaf=relative)[0] is Verdict.INDETERMINATE
    whole = rev.directory(f"CN=part 1,{pki.ISSUING}")
    assert status(scoped(rev.full_name(whole)), leaf=relative)[0] is Verdict.PASS


@pytest.mark.parametrize("value", [writer.sequence(), writer.sequence(writer.sequence()), b"\x04\x00"])
def test_malformed_distribution_points_leave_it_unknown(value: bytes) -> None:
    leaf = with_points(pki.extension(oids.CRL_DISTRIBUTION_POINTS, value))
    assert status(rev.crl(), leaf=leaf)[0] is Verdict.INDETERMINATE


def test_onlies() -> None:
    assert status(scoped(rev.ONLY_USERS))[0] is Verdict.PASS
    root = rev.crl(pki.ROOT, pki.key(1), extensions=[rev.number(1), rev.issuing_point(rev.ONLY_USERS)])
    assert rev.judge(crls=[root, rev.crl()])[1].verdict is Verdict.INDETERMINATE
    root = rev.crl(pki.ROOT, pki.key(1), extensions=[rev.number(1), rev.issuing_point(rev.ONLY_CAS)])
    assert rev.judge(crls=[root, rev.crl()])[1].passed


def indirect(*entries: bytes, **fields: object) -> bytes:
    return scoped(rev.INDIRECT, entries=entries, key=CRL_ISSUER_KEY, issuer=CRL_ISSUER, **fields)  # type: ignore[arg-type]


def crl_issuer(issuer: str = pki.ROOT, key: pki.Key | None = None, **fields: object) -> bytes:
    arguments: dict[str, object] = {"usages": ("cRLSign",), "purposes": None, **fields}
    return pki.leaf(CRL_ISSUER, CRL_ISSUER_KEY, issuer, key or pki.key(1), **arguments)  # type: ignore[arg-type]


POINTED = with_points(rev.points([rev.full_name(HTTP), writer.tlv(0xA2, rev.directory(CRL_ISSUER))]))


@pytest.mark.parametrize(
    ("crl", "others", "message"),
    [
        (indirect(), [], "no certificate of its issuer"),
        (indirect(), [crl_issuer(usages=("digitalSignature",))], "cRLSign"),
        (indirect(), [crl_issuer(not_after=pki.NOW - rev.DAY)], "expired"),
        (indirect(), [crl_issuer(key=pki.key(9))], "not valid"),
        (scoped(issuer=CRL_ISSUER, key=CRL_ISSUER_KEY), [crl_issuer()], "no CRL and no OCSP"),
    ],
)
def test_whose_indirect_crl_is_not_believed(crl: bytes, others: list[bytes], message: str) -> None:
    verdict, detail = status(crl, leaf=POINTED, others=others)
    assert verdict is Verdict.INDETERMINATE
    assert message in detail


def test_indirect_crls() -> None:
    others = [crl_issuer()]
    mine = rev.entry(POINTED, WHEN, rev.certificate_issuer(pki.ISSUING))
    others_serial = rev.entry(POINTED, WHEN)
    assert status(indirect(), leaf=POINTED, others=others)[0] is Verdict.PASS
    assert status(indirect(mine), leaf=POINTED, others=others)[0] is Verdict.FAIL
    assert status(indirect(others_serial), leaf=POINTED, others=others)[0] is Verdict.PASS, "its own serial number"
    assert status(indirect(), others=others)[0] is Verdict.INDETERMINATE, "the leaf does not name that CRL issuer"


def test_a_revoked_crl_issuer_is_not_believed() -> None:
    signer = crl_issuer()
    root = rev.crl(pki.ROOT, pki.key(1), [rev.entry(signer, WHEN)])
    verdict, detail = status(indirect(), leaf=POINTED, others=[signer], crls=[root, indirect()])
    assert verdict is Verdict.INDETERMINATE
    assert "its signer can't be believed" in detail


def test_another_key_of_the_issuer_needs_a_path_to_the_same_anchor() -> None:
    new_key = pki.key(31)
    rolled = rev.crl(key=new_key)
    certified = pki.ca(pki.ISSUING, new_key, pki.ROOT, pki.key(1), path_length=0)
    foreign_root = pki.ca("CN=Foreign Root", pki.key(32))
    foreign = pki.ca(pki.ISSUING, new_key, "CN=Foreign Root", pki.key(32))
    assert status(rolled)[0] is Verdict.INDETERMINATE
    assert status(rolled, others=[certified])[0] is Verdict.PASS
    used = rev.path()
    bag = path.Bag([used[-1].der, foreign_root], [used[1].der, foreign])
    evidence = revocation.RevocationEvidence((rolled, rev.ROOT_CRL))
    check = revocation.checker(evidence, bag=bag, at=pki.NOW, now=pki.NOW, mode="check")(used)[0]
    assert check.verdict is Verdict.INDETERMINATE
    assert "another trust anchor" in check.detail


def test_the_issuers_certificate_must_allow_signing_crls() -> None:
    issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), usages=("keyCertSign",))
    verdict, detail = status(rev.crl(), certificates=rev.path(issuing=issuing))
    assert verdict is Verdict.INDETERMINATE
    assert "cRLSign" in detail


def delta(base: int, number: int, *entries: bytes, **fields: object) -> bytes:
    key = pki.key(2)
    extensions = [pki.authority_key_identifier(key.identifier), rev.number(number), rev.delta(base)]
    return rev.crl(entries=entries, extensions=extensions, **fields)  # type: ignore[arg-type]


def complete(number: int, *entries: bytes, **fields: object) -> bytes:
    extensions = [pki.authority_key_identifier(pki.key(2).identifier), rev.number(number)]
    return rev.crl(entries=entries, extensions=extensions, **fields)  # type: ignore[arg-type]


def test_delta_crls() -> None:
    hold, removed = rev.entry(CHAIN.leaf, WHEN, rev.reason(6)), rev.entry(CHAIN.leaf, WHEN, rev.reason(8))
    assert status(complete(5), delta(5, 6, REVOKED))[0] is Verdict.FAIL
    assert status(complete(5, hold), delta(5, 6, removed))[0] is Verdict.PASS
    assert status(complete(5, hold), delta(5, 6))[0] is Verdict.FAIL
    assert status(complete(5), delta(5, 6, REVOKED), delta(5, 7, removed))[0] is Verdict.PASS, "the newest counts"
    assert status(complete(5), delta(6, 7, REVOKED))[0] is Verdict.PASS, "of a later base"
    assert status(complete(5), delta(4, 5, REVOKED))[0] is Verdict.PASS, "no newer than the complete one"
    assert status(complete(5), delta(5, 6, REVOKED, key=pki.key(9)))[0] is Verdict.PASS, "not by the same key"
    stale = complete(5, next_update=pki.NOW - SECOND)
    assert status(stale)[0] is Verdict.INDETERMINATE
    assert status(stale, delta(5, 6))[0] is Verdict.PASS, "the delta CRL makes it fresh"
    assert status(stale, delta(5, 6, next_update=pki.NOW - SECOND))[0] is Verdict.INDETERMINATE


def test_an_expired_certificate_may_be_dropped() -> None:
    """RFC 5280 section 3.3; X.509 section 9.5.2.8; CSBR 7.2."""
    expired = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), not_after=WHEN)
    at = WHEN - rev.DAY

    def keeps(moment: datetime) -> bytes:
        extension = pki.extension(oids.EXPIRED_CERTS_ON_CRL, rev.generalized(moment))
        return rev.crl(extensions=[rev.number(1), extension])

    assert status(rev.crl(), leaf=expired, at=at)[0] is Verdict.INDETERMINATE
    assert status(keeps(WHEN + SECOND), leaf=expired, at=at)[0] is Verdict.INDETERMINATE
    assert status(keeps(WHEN), leaf=expired, at=at)[0] is Verdict.PASS
    assert status(rev.crl(entries=[rev.entry(expired, at)]), leaf=expired, at=at)[0] is Verdict.FAIL
    assert status(rev.crl(this_update=WHEN), leaf=expired, at=at)[0] is Verdict.PASS
    kept = revocation.checker(
        revocation.RevocationEvidence((rev.crl(),)),
        bag=path.Bag([CHAIN.root], [CHAIN.issuing]),
        at=at,
        now=pki.NOW,
        mode="check",
        profile=NamedLike("cabf"),
    )(rev.path(expired))
    assert kept[0].passed


class NamedLike:
    def __init__(self, name: str) -> None:
        self.name = name


def test_junk_costs_no_signatures() -> None:
    """500 CRLs of others are skipped by the name of their issuer; 500 forged ones of ours end at the budget."""
    strangers = [rev.crl(f"CN=Stranger {n}", pki.key(9)) for n in range(500)]
    assert status(*strangers, rev.crl())[0] is Verdict.PASS
    forged = [rev.crl(key=pki.key(9), this_update=rev.THIS_UPDATE - n * SECOND) for n in range(500)]
    began = process_time()
    verdict, detail = status(*forged)
    assert verdict is Verdict.INDETERMINATE
    assert f"more than {revocation_signers.MAXIMUM_SIGNATURES} signatures" in detail
    assert process_time() - began < 2
    assert status(rev.crl(), embedded_crls=forged)[0] is Verdict.PASS, "what is embedded has its own budget"
    assert status(rev.crl(entries=[REVOKED]), embedded_crls=forged)[0] is Verdict.FAIL
    check = rev.judge(crls=[rev.ROOT_CRL], embedded_crls=forged)[0]
    assert len(check.children) <= 20
    assert len(check.detail) < 5_000


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_is_believed(data: st.DataObject) -> None:
    """A mutated CRL that revokes the leaf never becomes one that does not, and nothing is raised."""
    der = bytearray(rev.crl(entries=[rev.entry(1, WHEN), REVOKED, rev.entry(2, WHEN, rev.invalidity(WHEN))]))
    der[data.draw(st.integers(0, len(der) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert status(bytes(der))[0] is not Verdict.PASS


DELEGATED = rev.ocsp(
    rev.single(CHAIN.leaf, CHAIN.issuing),
    key=pki.key(20),
    responder=rev.by_key(pki.key(20)),
    certificates=[rev.responder(pki.key(20))],
)


@pytest.mark.parametrize("kind", ["crls", "responses"])
def test_no_octet_of_good_evidence_can_be_changed(kind: str) -> None:
    good = DELEGATED if kind == "responses" else rev.crl(entries=[rev.entry(77, WHEN)])
    for position in range(-1, len(good)):
        der = bytearray(good)
        if position >= 0:
            der[position] ^= 1 << position % 8
        evidence = {"crls": [rev.ROOT_CRL], "responses": []}
        evidence[kind] = [*evidence[kind], bytes(der)]
        assert rev.judge(**evidence)[0].passed is (position < 0), position
