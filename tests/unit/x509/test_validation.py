"""Path validation: each check by its name, refused for the right reason and for that alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from signkit.der import oids, writer
from signkit.errors import MalformedError
from signkit.evidence import Verdict, find
from signkit.x509 import certificate, validation
from tests.support import pki

CHAIN = pki.chain()
SECOND = timedelta(seconds=1)


def validate(
    leaf: bytes = CHAIN.leaf,
    anchors: Sequence[bytes] = (CHAIN.root,),
    bag: Sequence[bytes] = (CHAIN.issuing,),
    *,
    at: datetime = pki.NOW,
    purpose: str | None = oids.CODE_SIGNING,
) -> validation.PathResult:
    return validation.validate(certificate.load(leaf), trust_anchors=anchors, intermediates=bag, at=at, purpose=purpose)


def faults(result: validation.PathResult) -> list[str]:
    """Names of the checks that stand in the way; the truth value must agree."""
    found = [check.name for check in result.checks if check.verdict is not Verdict.PASS]
    assert bool(result) is (not found)
    return found


def a_leaf(**arguments: object) -> bytes:
    return pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), **arguments)  # type: ignore[arg-type]


def an_issuing(**arguments: object) -> bytes:
    return pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), **arguments)  # type: ignore[arg-type]


def a_root(**arguments: object) -> bytes:
    return pki.ca(pki.ROOT, pki.key(1), **arguments)  # type: ignore[arg-type]


def test_a_good_path_passes_every_check() -> None:
    result = validate()
    assert faults(result) == []
    assert {check.name for check in result.checks} >= {
        "path.built",
        "path.0.signature",
        "path.1.signature",
        *(
            f"path.{n}.{check}"
            for n in (0, 1, 2)
            for check in ("validity", "key-strength", "unknown-critical-extensions", "basic-constraints", "key-usage")
        ),
        "path.leaf.extended-key-usage",
    }
    assert [one.der for one in result.path] == [CHAIN.leaf, CHAIN.issuing, CHAIN.root]


def test_no_anchor_is_refused_and_says_so() -> None:
    result = validate(anchors=())
    assert faults(result) == ["path.built"]
    assert "no trust anchor was given" in result.checks[0].detail


def test_a_foreign_anchor_is_refused() -> None:
    assert faults(validate(anchors=(pki.ca("CN=Other", pki.key(9)),))) == ["path.built"]
    assert faults(validate(anchors=(pki.ca(pki.ROOT, pki.key(9)),))) == ["path.built"]


def test_a_missing_intermediate_is_refused() -> None:
    result = validate(bag=())
    assert faults(result) == ["path.built"]
    assert "no certificate of its issuer" in result.checks[0].detail


def test_an_unreadable_anchor_raises() -> None:
    with pytest.raises(MalformedError):
        validate(anchors=(b"junk",))


def test_the_leaf_is_judged_even_without_a_path() -> None:
    """All that is wrong is said at once."""
    assert set(faults(validate(a_leaf(purposes=None, not_after=pki.NOT_BEFORE), anchors=()))) == {
        "path.built",
        "path.0.validity",
        "path.leaf.extended-key-usage",
    }


# --- validity ---

EDGES = [
    (pki.NOT_BEFORE - SECOND, False),
    (pki.NOT_BEFORE, True),
    (pki.NOT_AFTER, True),
    (pki.NOT_AFTER + SECOND, False),
]


@pytest.mark.parametrize(("at", "valid"), EDGES)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_both_ends_of_validity_are_inside(position: int, at: datetime, valid: bool) -> None:
    wide = {"not_before": pki.NOT_BEFORE - timedelta(days=1), "not_after": pki.NOT_AFTER + timedelta(days=1)}
    narrow: dict[str, datetime] = {}
    result = validate(
        a_leaf(**(narrow if position == 0 else wide)),
        [a_root(**(narrow if position == 2 else wide))],
        [an_issuing(**(narrow if position == 1 else wide))],
        at=at,
    )
    assert faults(result) == ([] if valid else [f"path.{position}.validity"])


def test_the_message_says_when_and_which() -> None:
    check = find(validate(at=pki.NOT_AFTER + SECOND).checks, "path.1.validity")
    assert check is not None
    assert "certificate 1 (CN=Test Issuing CA,O=signkit tests) has expired at 2034-01-01T00:00:01Z" in check.detail
    assert check.facts["not_after"] == "2034-01-01T00:00:00Z"
    check = find(validate(at=pki.NOT_BEFORE - SECOND).checks, "path.0.validity")
    assert check is not None
    assert "is not yet valid" in check.detail


def test_valid_until_the_end_of_time() -> None:
    forever = a_leaf(not_after=writer.tlv(0x18, b"99991231235959Z"))
    assert faults(validate(forever)) == []


# --- basic constraints and path length ---


@pytest.mark.parametrize(
    "issuing",
    [
        pki.certificate(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), [pki.key_usage("keyCertSign")]),
        pki.certificate(
            pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), [pki.basic_constraints(False), pki.key_usage("keyCertSign")]
        ),
        pki.certificate(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), version=None),
    ],
    ids=["absent", "CA FALSE", "version 1"],
)
def test_an_issuer_must_be_a_ca(issuing: bytes) -> None:
    assert faults(validate(bag=[issuing])) == ["path.1.basic-constraints"]


def test_a_leaf_that_signs_a_leaf_is_refused() -> None:
    below = pki.leaf("CN=Below", pki.key(6), pki.SIGNER, pki.key(3))
    names = faults(validate(below, bag=[CHAIN.issuing, CHAIN.leaf]))
    assert {"path.1.basic-constraints", "path.1.key-usage"} <= set(names)


def test_an_anchor_of_version_1_is_a_ca_and_an_intermediate_is_not() -> None:
    old = pki.certificate(pki.ROOT, pki.key(1), pki.ROOT, pki.key(1), version=None)
    assert faults(validate(anchors=[old])) == []
    not_ca = pki.certificate(pki.ROOT, pki.key(1), pki.ROOT, pki.key(1), [pki.basic_constraints(False)])
    assert faults(validate(anchors=[not_ca])) == ["path.2.basic-constraints"]


def test_a_leaf_that_is_a_ca_is_refused() -> None:
    assert faults(validate(a_leaf(extra=[pki.basic_constraints()]))) == ["path.0.basic-constraints"]
    assert faults(validate(a_leaf(extra=[pki.basic_constraints(False)]))) == []


def two_levels(path_length: int | None, *, rollover: bool = False) -> validation.PathResult:
    """Root with a path length, then one or, with ``rollover``, a second and self-issued CA of the same name."""
    bag = [an_issuing()]
    key = pki.key(2)
    if rollover:
        key = pki.key(7)
        bag.append(pki.ca(pki.ISSUING, key, pki.ISSUING, pki.key(2)))
    leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, key)
    return validate(leaf, [a_root(path_length=path_length)], bag)


def test_path_length() -> None:
    assert faults(two_levels(None)) == []
    assert faults(two_levels(1)) == []
    assert faults(two_levels(0)) == ["path.2.basic-constraints"]


def test_self_issued_certificates_do_not_count() -> None:
    assert faults(two_levels(1, rollover=True)) == []
    assert faults(two_levels(0, rollover=True)) == ["path.3.basic-constraints"]


def test_path_length_of_an_intermediate() -> None:
    sub = pki.ca("CN=Sub", pki.key(7), pki.ISSUING, pki.key(2))
    leaf = pki.leaf(pki.SIGNER, pki.key(3), "CN=Sub", pki.key(7))
    assert faults(validate(leaf, bag=[an_issuing(path_length=1), sub])) == []
    result = validate(leaf, bag=[an_issuing(path_length=0), sub])
    assert faults(result) == ["path.2.basic-constraints"]
    check = find(result.checks, "path.2.basic-constraints")
    assert check is not None
    assert (check.facts["expected"], check.facts["found"]) == (0, 1)


# --- key usage ---


@pytest.mark.parametrize(
    "usages",
    [None, (), ("keyEncipherment",), ("nonRepudiation",), ("keyAgreement", "decipherOnly")],
    ids=lambda usages: "absent" if usages is None else " ".join(usages) or "empty",
)
def test_a_leaf_needs_digital_signature(usages: tuple[str, ...] | None) -> None:
    assert faults(validate(a_leaf(usages=usages))) == ["path.0.key-usage"]


def test_a_leaf_must_not_sign_certificates() -> None:
    assert faults(validate(a_leaf(usages=("digitalSignature", "keyCertSign")))) == ["path.0.key-usage"]
    assert faults(validate(a_leaf(usages=("digitalSignature", "nonRepudiation")))) == []


@pytest.mark.parametrize("usages", [(), ("digitalSignature",), ("cRLSign",)])
def test_an_issuer_with_key_usage_needs_key_cert_sign(usages: tuple[str, ...]) -> None:
    assert faults(validate(bag=[an_issuing(usages=usages)])) == ["path.1.key-usage"]
    assert faults(validate(anchors=[a_root(usages=usages)])) == ["path.2.key-usage"]


def test_an_issuer_without_key_usage_is_not_restricted() -> None:
    assert faults(validate(bag=[an_issuing(usages=None)])) == []


# --- extended key usage ---


@pytest.mark.parametrize(
    "purposes",
    [None, (oids.ANY_EXTENDED_KEY_USAGE,), (oids.SERVER_AUTH,), (oids.TIME_STAMPING, oids.CLIENT_AUTH)],
    ids=["absent", "any", "serverAuth", "others"],
)
def test_a_leaf_needs_code_signing(purposes: tuple[str, ...] | None) -> None:
    assert faults(validate(a_leaf(purposes=purposes))) == ["path.leaf.extended-key-usage"]


def test_further_purposes_and_critical_ones_are_fine() -> None:
    assert faults(validate(a_leaf(purposes=(oids.SERVER_AUTH, oids.CODE_SIGNING)))) == []
    critical = a_leaf(purposes=None, extra=[pki.extended_key_usage(oids.CODE_SIGNING, critical=True)])
    assert faults(validate(critical)) == []


def test_another_purpose_and_any_purpose() -> None:
    assert faults(validate(purpose=oids.TIME_STAMPING)) == ["path.leaf.extended-key-usage"]
    assert faults(validate(a_leaf(purposes=None), purpose=None)) == []


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [
        ((oids.CODE_SIGNING,), []),
        ((oids.ANY_EXTENDED_KEY_USAGE,), []),
        ((oids.SERVER_AUTH, oids.CODE_SIGNING), []),
        ((oids.SERVER_AUTH,), ["path.1.extended-key-usage"]),
        ((oids.EMAIL_PROTECTION, oids.TIME_STAMPING), ["path.1.extended-key-usage"]),
    ],
)
def test_purposes_nest(purposes: tuple[str, ...], expected: list[str]) -> None:
    """A CA that is limited to other purposes can't certify code signers (CA/B CSBR 7.1.2.2)."""
    assert faults(validate(bag=[an_issuing(extra=[pki.extended_key_usage(*purposes)])])) == expected


def test_an_anchor_is_limited_by_its_own_purposes() -> None:
    limited = a_root(extra=[pki.extended_key_usage(oids.EMAIL_PROTECTION)])
    assert faults(validate(anchors=[limited])) == ["path.2.extended-key-usage"]


# --- extensions ---

UNKNOWN = pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL, critical=True)


def test_unknown_critical_extensions_are_refused_wherever_they_are() -> None:
    assert faults(validate(a_leaf(extra=[UNKNOWN]))) == ["path.0.unknown-critical-extensions"]
    assert faults(validate(bag=[an_issuing(extra=[UNKNOWN])])) == ["path.1.unknown-critical-extensions"]
    assert faults(validate(anchors=[a_root(extra=[UNKNOWN])])) == ["path.2.unknown-critical-extensions"]


def test_unknown_extensions_that_are_not_critical_are_passed_over() -> None:
    harmless = pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL)
    assert faults(validate(a_leaf(extra=[harmless]), bag=[an_issuing(extra=[harmless])])) == []


@pytest.mark.parametrize(
    "oid", [oids.CERTIFICATE_POLICIES, oids.POLICY_MAPPINGS, oids.POLICY_CONSTRAINTS, oids.INHIBIT_ANY_POLICY]
)
def test_malformed_policy_extensions_are_refused(oid: str) -> None:
    malformed = pki.extension(oid, writer.sequence(writer.NULL), critical=True)
    assert faults(validate(bag=[an_issuing(extra=[malformed])])) == ["path.1.policies"]


# --- algorithms and keys ---


@pytest.mark.parametrize("algorithm", ["rsa-md5", "rsa-sha1"])
def test_weak_digests_are_refused_in_leaf_and_intermediate(algorithm: str) -> None:
    rsa = pki.rsa_key("rsa-2048-b")
    root, issuing = pki.ca(pki.ROOT, rsa), pki.ca(pki.ISSUING, rsa, pki.ROOT, rsa)
    leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, rsa)
    assert faults(validate(leaf, [root], [issuing])) == []
    weak_leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, rsa, algorithm=algorithm)
    result = validate(weak_leaf, [root], [issuing])
    assert faults(result) == ["path.built"]
    assert "WithRSAEncryption is not accepted" in result.checks[0].detail
    weak_issuing = pki.ca(pki.ISSUING, rsa, pki.ROOT, rsa, algorithm=algorithm)
    assert faults(validate(leaf, [root], [weak_issuing])) == ["path.built"]


def test_ecdsa_with_sha1_is_refused() -> None:
    assert faults(validate(a_leaf(algorithm="ecdsa-sha1"))) == ["path.built"]


def test_the_anchors_own_signature_says_nothing() -> None:
    """A root is trusted because it was named; old roots are signed with SHA-1."""
    assert faults(validate(anchors=[a_root(algorithm="ecdsa-sha1")])) == []


def test_rsa_1024_is_refused_in_every_place() -> None:
    weak = pki.rsa_key("rsa-1024")
    assert faults(validate(pki.leaf(pki.SIGNER, weak, pki.ISSUING, pki.key(2)))) == ["path.0.key-strength"]
    issuing = pki.ca(pki.ISSUING, weak, pki.ROOT, pki.key(1))
    leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, weak)
    assert faults(validate(leaf, bag=[issuing])) == ["path.1.key-strength"]
    root = pki.ca(pki.ROOT, weak)
    issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, weak)
    assert faults(validate(anchors=[root], bag=[issuing])) == ["path.2.key-strength"]


@pytest.mark.parametrize("curve", [ec.SECP192R1, ec.SECP224R1, ec.BrainpoolP256R1], ids=lambda curve: curve.name)
def test_curves_that_are_not_known_are_refused_in_every_place(curve: type[ec.EllipticCurve]) -> None:
    """The library behind us verifies with curves of 192 bits; what we can't name we can't call strong."""
    odd = pki.key(90, curve)
    assert "path.0.key-strength" in faults(validate(pki.leaf(pki.SIGNER, odd, pki.ISSUING, pki.key(2))))
    issuing = pki.ca(pki.ISSUING, odd, pki.ROOT, pki.key(1))
    assert not validate(pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, odd), bag=[issuing])
    root = pki.ca(pki.ROOT, odd)
    assert not validate(anchors=[root], bag=[pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, odd)])


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1, ec.SECP384R1, ec.SECP521R1, ec.SECP256K1], ids=lambda curve: curve.name
)
def test_known_curves_are_accepted_in_every_place(curve: type[ec.EllipticCurve]) -> None:
    root, issuing, signer = (pki.key(n, curve) for n in (91, 92, 93))
    leaf = pki.leaf(pki.SIGNER, signer, pki.ISSUING, issuing)
    bag = [pki.ca(pki.ISSUING, issuing, pki.ROOT, root)]
    assert faults(validate(leaf, [pki.ca(pki.ROOT, root)], bag)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[:-1] + bytes([value[-1] ^ 1]),
        lambda value: value + b"\x00",
        lambda value: b"",
        lambda value: b"\x30\x06\x02\x01\x00\x02\x01\x00",
        lambda value: b"\x30\x06\x02\x01\x01\x02\x01\x01",
        lambda value: b"\x30\x81" + value[1:],
    ],
    ids=["flipped", "trailing byte", "empty", "zeros", "ones", "long length"],
)
def test_wrong_signature_values_are_refused(change: object) -> None:
    assert faults(validate(a_leaf(signature=change))) == ["path.built"]
    assert faults(validate(bag=[an_issuing(signature=change)])) == ["path.built"]


def test_an_algorithm_of_another_key_is_refused() -> None:
    confused = a_leaf(inner=pki.ALGORITHMS["rsa-sha256"], outer=pki.ALGORITHMS["rsa-sha256"])
    assert faults(validate(confused)) == ["path.built"]


def test_a_point_off_the_curve_is_refused() -> None:
    broken = bytearray(pki.key(2).public_key_info)
    broken[-1] ^= 1
    issuing = pki.certificate(
        pki.ISSUING, bytes(broken), pki.ROOT, pki.key(1), [pki.basic_constraints(), pki.key_usage("keyCertSign")]
    )
    assert faults(validate(bag=[issuing])) == ["path.built"]


# --- names ---


def test_names_chain_by_characters_and_not_by_bytes() -> None:
    issuing = pki.ca("CN=test  issuing ca,O=SIGNKIT tests", pki.key(2), pki.ROOT, pki.key(1))
    assert faults(validate(bag=[issuing])) == []


def test_a_signature_without_the_name_is_not_enough() -> None:
    assert faults(validate(bag=[pki.ca("CN=Other", pki.key(2), pki.ROOT, pki.key(1))])) == ["path.built"]


# --- the leaf as anchor ---


def test_a_leaf_that_is_trusted_itself_is_judged_as_a_leaf() -> None:
    assert faults(validate(anchors=[CHAIN.leaf], bag=[])) == []
    expired = a_leaf(not_after=pki.NOT_BEFORE)
    assert faults(validate(expired, [expired], [])) == ["path.0.validity"]
    wrong = a_leaf(purposes=(oids.SERVER_AUTH,))
    assert faults(validate(wrong, [wrong], [])) == ["path.leaf.extended-key-usage"]
    usage = a_leaf(usages=("keyEncipherment",))
    assert faults(validate(usage, [usage], [])) == ["path.0.key-usage"]
    critical = a_leaf(extra=[UNKNOWN])
    assert faults(validate(critical, [critical], [])) == ["path.0.unknown-critical-extensions"]


def test_a_ca_is_no_signer_even_when_it_is_trusted() -> None:
    """Else the body of any certificate it issued would be an artifact that it signed."""
    alone = pki.ca(
        "CN=Alone",
        pki.key(94),
        usages=("digitalSignature", "keyCertSign"),
        extra=[pki.extended_key_usage(oids.CODE_SIGNING)],
    )
    assert set(faults(validate(alone, [alone], []))) == {"path.0.basic-constraints", "path.0.key-usage"}


def test_a_root_is_no_signer() -> None:
    names = faults(validate(CHAIN.root, [CHAIN.root], []))
    assert set(names) == {"path.0.basic-constraints", "path.0.key-usage", "path.leaf.extended-key-usage"}


def test_trusting_a_leaf_does_not_trust_what_its_key_signed() -> None:
    below = pki.leaf("CN=Below", pki.key(6), pki.SIGNER, pki.key(3))
    assert not validate(below, [CHAIN.leaf], [])


# --- what the result says ---


def test_same_input_same_result() -> None:
    assert validate() == validate()


def test_faults_of_a_certificate_before_it_signs() -> None:
    assert validation.leaf_faults(certificate.load(CHAIN.leaf)) == []
    for wrong in (a_leaf(purposes=None), a_leaf(usages=None), a_leaf(extra=[UNKNOWN]), CHAIN.issuing):
        assert validation.leaf_faults(certificate.load(wrong))


def test_expiry_is_reported_rather_than_worse_faults_of_other_paths() -> None:
    expired = an_issuing(not_after=pki.NOT_BEFORE)
    worse = an_issuing(extra=[UNKNOWN], not_after=pki.NOT_BEFORE)
    for bag in ([expired, worse], [worse, expired]):
        result = validate(bag=bag)
        assert faults(result) == ["path.1.validity"]
        assert any("critical extensions" in line for line in result.tried)
