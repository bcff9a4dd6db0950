"""Every switch of a profile, both ways, and that a profile has only what the table says."""

from __future__ import annotations

import pytest

from signkit.der import oids, writer
from signkit.errors import UsageError
from signkit.x509 import certificate, profiles, validation
from signkit.x509.path import Bag
from signkit.x509.profiles import CODE_SIGNING, Profile
from tests.support import pki

CHAIN = pki.chain()
TSA = oids.TIME_STAMPING
FALSE = pki.extension(oids.BASIC_CONSTRAINTS, writer.sequence(pki.boolean(False)))


def a_leaf(**arguments: object) -> bytes:
    return pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), **arguments)  # type: ignore[arg-type]


def tsa(*purposes: str, critical: bool = True, usages: tuple[str, ...] | None = ("digitalSignature",)) -> bytes:
    return a_leaf(purposes=None, usages=usages, extra=[pki.extended_key_usage(*purposes, critical=critical)])


def faults(leaf: bytes, profile: str | Profile, purpose: str = "code-signing", root: bytes = CHAIN.root) -> list[str]:
    bag = Bag([root], [CHAIN.issuing])
    found = validation.validate_in(certificate.load(leaf), bag, at=pki.NOW, profile=profile, purpose=purpose)
    return [check.name for check in found.faults]


NOT_CRITICAL = a_leaf(usages=None, extra=[pki.key_usage("digitalSignature", critical=False)])
SWITCHES = [
    ("key_usage_absent", a_leaf(usages=None), "path.0.key-usage"),
    ("key_usage_not_critical", NOT_CRITICAL, "path.0.key-usage"),
    ("crl_sign_on_leaf", a_leaf(usages=("digitalSignature", "cRLSign")), "path.0.key-usage"),
    ("further_purposes", a_leaf(purposes=(oids.CODE_SIGNING, oids.SERVER_AUTH)), "path.leaf.extended-key-usage"),
    (
        "further_purposes",
        a_leaf(purposes=(oids.CODE_SIGNING, oids.ANY_EXTENDED_KEY_USAGE)),
        "path.leaf.extended-key-usage",
    ),
    ("explicit_ca_false", a_leaf(extra=[FALSE]), "path.0.basic-constraints"),
    ("odd_serial_numbers", a_leaf(serial=-1), "path.0.serial-number"),
    ("odd_serial_numbers", a_leaf(serial=1 << 160), "path.0.serial-number"),
    ("odd_serial_numbers", a_leaf(serial=writer.integer(0)), "path.0.serial-number"),
]


@pytest.mark.parametrize(("switch", "leaf", "fault"), SWITCHES)
def test_a_switch_decides_about_its_own_check_alone(switch: str, leaf: bytes, fault: str) -> None:
    assert faults(leaf, CODE_SIGNING._replace(**{switch: True})) == []
    assert faults(leaf, CODE_SIGNING._replace(**{switch: False})) == [fault]


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("code-signing", {1, 2, 3, 4, 5, 6, 7, 8}),
        ("cabf", set()),
        ("authenticode", {0, 1, 2, 3, 4, 5, 6, 7, 8}),
        ("private", {0, 1, 2, 3, 4, 5, 6, 7, 8}),
    ],
)
def test_what_each_profile_accepts(name: str, accepted: set[int]) -> None:
    assert {n for n, (_switch, leaf, _fault) in enumerate(SWITCHES) if not faults(leaf, name)} == accepted
    assert faults(CHAIN.leaf, name) == []


def test_an_odd_serial_number_is_said_where_it_is_accepted() -> None:
    bag = Bag([CHAIN.root], [CHAIN.issuing])
    found = validation.validate_in(certificate.load(a_leaf(serial=1 << 160)), bag, at=pki.NOW)
    [check] = [check for check in found.checks if check.name == "path.0.serial-number"]
    assert found
    assert check.passed
    assert check.facts["warning"]
    assert "21 octets" in check.detail


@pytest.mark.parametrize("name", profiles.PROFILES)
def test_timestamping(name: str) -> None:
    """RFC 3161 section 2.3: the purpose must be critical and alone."""
    assert faults(tsa(TSA), name, "timestamping") == []
    assert faults(tsa(TSA, usages=("nonRepudiation",)), name, "timestamping") == []
    assert faults(tsa(TSA, oids.CODE_SIGNING), name, "timestamping") == ["path.leaf.extended-key-usage"]
    assert faults(tsa(oids.ANY_EXTENDED_KEY_USAGE), name, "timestamping") == ["path.leaf.extended-key-usage"]
    assert faults(CHAIN.leaf, name, "timestamping") == ["path.leaf.extended-key-usage"]
    assert faults(tsa(TSA), name) == ["path.leaf.extended-key-usage"]
    tolerated = [] if name == "authenticode" else ["path.leaf.extended-key-usage"]
    assert faults(tsa(TSA, critical=False), name, "timestamping") == tolerated


def test_any_purpose_takes_any_certificate_but_one_that_contradicts_itself() -> None:
    assert faults(CHAIN.issuing, "code-signing", "any") == []
    assert faults(a_leaf(usages=None, purposes=None), "code-signing", "any") == []
    assert faults(a_leaf(usages=("keyCertSign",)), "code-signing", "any") == ["path.0.key-usage"]


def test_an_anchor_that_does_not_bind_is_a_name_and_a_key() -> None:
    free = CODE_SIGNING._replace(anchor_binds=False)
    for root in (
        pki.ca(pki.ROOT, pki.key(1), not_after=pki.NOT_BEFORE),
        pki.ca(pki.ROOT, pki.key(1), path_length=0, usages=("cRLSign",)),
        pki.ca(pki.ROOT, pki.key(1), extra=[pki.extended_key_usage(oids.SERVER_AUTH)]),
        pki.ca(pki.ROOT, pki.key(1), extra=[pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL, critical=True)]),
        pki.certificate(pki.ROOT, pki.key(1), pki.ROOT, pki.key(1)),
    ):
        assert faults(CHAIN.leaf, "code-signing", root=root)
        assert faults(CHAIN.leaf, free, root=root) == []


def weak_chain(algorithm: str) -> tuple[bytes, bytes, bytes]:
    rsa = pki.rsa_key("rsa-2048")
    root = pki.ca(pki.ROOT, rsa)
    issuing = pki.ca(pki.ISSUING, pki.rsa_key("rsa-2048-b"), pki.ROOT, rsa, algorithm=algorithm)
    leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.rsa_key("rsa-2048-b"), algorithm=algorithm)
    return leaf, issuing, root


@pytest.mark.parametrize(("algorithm", "digest"), [("rsa-sha1", "sha1"), ("rsa-md5", "md5")])
def test_weak_digests_count_only_where_a_profile_names_them(algorithm: str, digest: str) -> None:
    leaf, issuing, root = weak_chain(algorithm)
    for allowed in ({"sha1"}, {"md5"}, {"sha1", "md5"}, set()):
        profile = CODE_SIGNING._replace(weak_digests=frozenset(allowed))
        found = validation.validate_in(certificate.load(leaf), Bag([root], [issuing]), at=pki.NOW, profile=profile)
        assert bool(found) is (digest in allowed)
    profile = CODE_SIGNING._replace(weak_digests=frozenset({"sha1", "md5"}))
    flipped = leaf[:-1] + bytes([leaf[-1] ^ 1])
    assert not validation.validate_in(certificate.load(flipped), Bag([root], [issuing]), at=pki.NOW, profile=profile)


def test_ecdsa_with_sha1_where_a_profile_names_it() -> None:
    leaf = a_leaf(algorithm="ecdsa-sha1")
    assert faults(leaf, CODE_SIGNING._replace(weak_digests=frozenset({"sha1"}))) == []
    assert faults(leaf, CODE_SIGNING) == ["path.built"]
    confused = a_leaf(inner=pki.ALGORITHMS["rsa-sha1"], outer=pki.ALGORITHMS["rsa-sha1"])
    assert faults(confused, CODE_SIGNING._replace(weak_digests=frozenset({"sha1"}))) == ["path.built"]


def test_key_strength() -> None:
    weak = pki.leaf(pki.SIGNER, pki.rsa_key("rsa-1024"), pki.ISSUING, pki.key(2))
    assert faults(weak, "code-signing") == ["path.0.key-strength"]
    assert faults(weak, CODE_SIGNING._replace(minimum_rsa_bits=1024)) == []
    middling = pki.leaf(pki.SIGNER, pki.rsa_key("rsa-2048"), pki.ISSUING, pki.key(2))
    assert faults(middling, "code-signing") == []
    assert faults(middling, "cabf") == ["path.0.key-strength"]
    from cryptography.hazmat.primitives.asymmetric import ec

    koblitz = pki.leaf(pki.SIGNER, pki.key(3, ec.SECP256K1), pki.ISSUING, pki.key(2))
    assert faults(koblitz, "code-signing") == []
    assert faults(koblitz, "cabf") == ["path.0.key-strength"]


def test_an_unknown_profile_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="'strict' is not a profile: expected one of code-signing, cabf"):
        profiles.named("strict")
