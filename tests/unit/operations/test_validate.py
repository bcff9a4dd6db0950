"""``signkit.validate_path``: its arguments, its result, and what it never does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import signkit
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError, UsageError
from signkit.evidence import Check, failed, indeterminate, passed, skipped
from signkit.x509 import certificate, validation
from signkit.x509.certificate import Certificate
from signkit.x509.path import Bag
from tests.support import keys, pki

CHAIN = pki.chain()


def validate(leaf: bytes = CHAIN.leaf, **arguments: Any) -> signkit.PathResult:
    given: dict[str, Any] = {"trust_anchors": [CHAIN.root], "intermediates": [CHAIN.issuing], "at": pki.NOW}
    return signkit.validate_path(leaf, **(given | arguments))


def test_a_good_path() -> None:
    result = validate()
    assert result
    assert [one.der for one in result.path] == [CHAIN.leaf, CHAIN.issuing, CHAIN.root]
    assert result.faults == ()
    assert result.checks[0].facts["profile"] == "code-signing"


@pytest.mark.parametrize("leaf", [b"", b"junk", b"\x30\x00", CHAIN.leaf[:-1], CHAIN.leaf + b"\x00"])
def test_a_malformed_leaf_is_a_result(leaf: bytes) -> None:
    result = validate(leaf)
    assert not result
    assert [check.name for check in result.faults] == ["path.0.format"]
    assert result.path == ()


def test_a_malformed_anchor_is_an_error_and_a_malformed_intermediate_is_passed_over() -> None:
    with pytest.raises(MalformedError):
        validate(trust_anchors=[CHAIN.root, b"junk"])
    assert validate(intermediates=[b"junk", CHAIN.issuing])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"purpose": "codesigning"}, "is not a purpose"),
        ({"profile": "strict"}, "is not a profile"),
        ({"revocation": "maybe"}, "expected one of ignore, check, require"),
        ({"max_depth": -1}, "expected 0 or more"),
        ({"at": datetime(2026, 1, 1)}, "no zone"),  # noqa: DTZ001
        ({"now": datetime(2026, 1, 1)}, "no zone"),  # noqa: DTZ001
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        validate(**arguments)


def test_times_of_other_zones_are_the_same_times() -> None:
    there = pki.NOT_AFTER.astimezone(timezone(timedelta(hours=8)))
    result = validate(at=there)
    assert result
    assert result.checks[0].facts["at"] == "2034-01-01T00:00:00Z"
    assert not validate(at=there + timedelta(seconds=1))


def test_purposes() -> None:
    assert validate(purpose="any")
    assert validate(purpose=None)
    assert validate(purpose=oids.CODE_SIGNING)
    assert not validate(purpose="timestamping")
    assert not validate(purpose=oids.SERVER_AUTH)
    assert validate(CHAIN.issuing, intermediates=[], purpose="any")


@pytest.mark.parametrize(("depth", "expected"), [(0, False), (1, True), (None, True)])
def test_the_depth_counts_intermediates(depth: int | None, expected: bool) -> None:
    assert bool(validate(max_depth=depth)) is expected
    direct = pki.leaf(pki.SIGNER, pki.key(3), pki.ROOT, pki.key(1))
    assert validate(direct, max_depth=0)
    rollover = pki.ca(pki.ISSUING, pki.key(7), pki.ISSUING, pki.key(2))
    leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(7))
    bag = [rollover, pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1))]
    assert validate(leaf, intermediates=bag, max_depth=1), "self-issued certificates do not count"


def test_acceptable_policies_may_be_named_alone() -> None:
    assert validate(policies=["1.2.3"]), "no explicit policy is demanded"
    assert not validate(policies=signkit.InitialPolicies(("1.2.3",), initial_explicit_policy=True))


# --- the search ---


def test_faulty_branches_do_not_hide_the_good_path() -> None:
    """A hundred issuers with the right key, each unfit in another way, stand before the good one."""
    unfit = [
        pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), serial=n + 1, extra=[pki.extended_key_usage(purpose)])
        for n, purpose in enumerate([oids.SERVER_AUTH, oids.EMAIL_PROTECTION] * 50)
    ]
    result = validate(intermediates=[*unfit, CHAIN.issuing])
    assert result
    assert result.path[1].der == CHAIN.issuing
    assert len(result.tried) == 65
    assert "expected codeSigning" in result.tried[0]
    assert result.tried[-1] == "and more than 64 other branches"


def test_what_was_tried_is_told_apart() -> None:
    decoys = [pki.ca(pki.ISSUING, pki.key(n), pki.ROOT, pki.key(1), serial=7) for n in (61, 62)]
    result = validate(intermediates=decoys)
    assert not result
    assert len([line for line in result.tried if "does not verify" in line]) == 2


# --- the seam of revocation ---


def with_revocation(
    answer: Sequence[Check] | dict[str, Sequence[Check]], *, required: bool = False, bag: Sequence[bytes] = ()
) -> tuple[validation.PathResult, list[tuple[Certificate, ...]]]:
    asked: list[tuple[Certificate, ...]] = []

    def revocation(path: tuple[Certificate, ...]) -> Sequence[Check]:
        asked.append(path)
        return answer.get(path[1].fingerprint, ()) if isinstance(answer, dict) else answer

    result = validation.validate_in(
        certificate.load(CHAIN.leaf),
        Bag([CHAIN.root], bag or [CHAIN.issuing]),
        at=pki.NOW,
        revocation=revocation,
        revocation_required=required,
    )
    return result, asked


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize(
    ("check", "accepted"),
    [
        (passed("revocation.0"), (True, True)),
        (failed("revocation.0", "revoked"), (False, False)),
        (indeterminate("revocation.0", "unknown"), (True, False)),
        (skipped("revocation.0", "not asked"), (True, True)),
    ],
    ids=["good", "revoked", "unknown", "skipped"],
)
def test_revocation_checks_count(check: Check, accepted: tuple[bool, bool], required: bool) -> None:
    result, asked = with_revocation([check], required=required)
    assert bool(result) is accepted[required]
    assert check in result.checks
    assert len(asked) == 1
    assert result.revocation_required is required


def test_revocation_is_asked_of_paths_without_other_fault_alone() -> None:
    expired = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), not_after=pki.NOT_BEFORE)
    result, asked = with_revocation([passed("revocation.0")], bag=[expired])
    assert not result
    assert asked == []


def test_a_revoked_path_is_a_faulty_one_and_the_search_goes_on() -> None:
    other = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), serial=99)
    revoked = {certificate.load(CHAIN.issuing).fingerprint: [failed("revocation.1", "revoked")]}
    result, asked = with_revocation(revoked, bag=[CHAIN.issuing, other])
    assert result
    assert result.path[1].der == other
    assert len(asked) == 2
    assert any("revoked" in line for line in result.tried)


def test_an_open_check_of_another_kind_is_never_borne() -> None:
    result = validation.PathResult((), (indeterminate("path.0.policies", "open"),), ())
    assert not result
    assert not validation.PathResult((), (skipped("path.0.policies", "open"),), ())


# --- keys of every kind ---


@pytest.mark.parametrize("kind", keys.KINDS)
def test_chains_of_every_kind_of_key(kind: str) -> None:
    chain = keys.chain(*(keys.any_key(kind, number) for number in range(3)))
    result = signkit.validate_path(chain.leaf, trust_anchors=[chain.root], intermediates=[chain.issuing], at=pki.NOW)
    assert result, result.faults
    stranger = keys.chain(*(keys.any_key(kind, number) for number in (2, 1, 0)))
    assert not signkit.validate_path(
        chain.leaf, trust_anchors=[stranger.root], intermediates=[chain.issuing], at=pki.NOW
    )


def test_pss_and_a_mixed_chain() -> None:
    pss = keys.any_key("RSA_2048", 0, "pss")
    chain = keys.chain(pss, keys.any_key("EC_SM2"), keys.any_key("ED25519"))
    assert signkit.validate_path(chain.leaf, trust_anchors=[chain.root], intermediates=[chain.issuing], at=pki.NOW)


def test_an_sm2_key_may_name_the_curve_as_its_algorithm() -> None:
    """GM/T 0015 allows it, and Tongsuo's root has it."""
    root, issuing, signer = (keys.AnyKey("EC_SM2") for _ in range(3))
    for key in (root, issuing):
        point = reader.parse(key.public_key_info).children()[1].raw
        key.public_key_info = writer.sequence(writer.sequence(writer.oid(oids.SM2), writer.oid(oids.SM2)), point)
    chain = keys.chain(root, issuing, signer)
    assert signkit.validate_path(chain.leaf, trust_anchors=[chain.root], intermediates=[chain.issuing], at=pki.NOW)


@pytest.mark.parametrize("made_with", [b"1234567812345678", b"", b"other"])
@pytest.mark.parametrize("given", [b"1234567812345678", b"", b"other"])
def test_an_sm2_signer_has_the_identifier_that_was_given_and_no_other(made_with: bytes, given: bytes) -> None:
    root, issuing, signer = (keys.AnyKey("EC_SM2", signer_id=made_with) for _ in range(3))
    chain = keys.chain(root, issuing, signer)
    result = signkit.validate_path(
        chain.leaf, trust_anchors=[chain.root], intermediates=[chain.issuing], at=pki.NOW, sm2_id=given
    )
    assert bool(result) is (made_with == given)


def test_one_bag_keeps_the_identifiers_apart() -> None:
    chain = keys.chain(*(keys.any_key("EC_SM2", number) for number in range(3)))
    bag, leaf = Bag([chain.root], [chain.issuing]), certificate.load(chain.leaf)
    for sm2_id, expected in ((b"1234567812345678", True), (b"", False), (b"1234567812345678", True)):
        assert bool(validation.validate_in(leaf, bag, at=pki.NOW, sm2_id=sm2_id)) is expected


def test_the_bag_shows_what_it_holds() -> None:
    bag = Bag([CHAIN.root], [CHAIN.issuing, b"junk"])
    issuing = certificate.load(CHAIN.issuing)
    assert bag.named(issuing.subject) == [issuing]
    assert bag.named(issuing.issuer) == [certificate.load(CHAIN.root)]
    assert bag.named(certificate.load(CHAIN.leaf).subject) == []
