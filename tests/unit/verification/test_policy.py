"""Whom a policy lets in: every mismatch is reported, and nobody gets in unnamed where somebody was named."""

from __future__ import annotations

import pytest

from signkit.der import writer
from signkit.evidence import Verdict, find
from signkit.verification.policy import ANYONE, Identity, Policy
from signkit.x509 import certificate, names
from tests.support import pki
from tests.support.cms_builder import signature
from tests.support.judging import judge

LEAF = certificate.load(pki.chain().leaf)
SUBJECT, ISSUER = names.parse(pki.SIGNER), names.parse(pki.ISSUING)
OTHER = names.parse("CN=Other")
EMPTY = names.Name(writer.sequence())


@pytest.mark.parametrize(
    "identity",
    [
        Identity(subjects=(SUBJECT,)),
        Identity(subjects=(OTHER, SUBJECT)),
        Identity(subjects=(names.parse("O=acme"),)),
        Identity(issuer=ISSUER),
        Identity(public_key_sha256=(LEAF.public_key_fingerprint,)),
        Identity(public_key_sha256=("0" * 64, LEAF.public_key_fingerprint)),
        Identity((SUBJECT,), ISSUER, (LEAF.public_key_fingerprint,)),
    ],
    ids=range(7),
)
def test_the_signer_that_was_asked_for(identity: Identity) -> None:
    assert identity
    assert identity.mismatches(LEAF) == []
    result = judge(signature(), policy=Policy(identity, require_identity=True))
    assert result.accepted
    check = find(result.checks, "identity")
    assert check is not None
    assert check.verdict is Verdict.PASS


@pytest.mark.parametrize(
    "identity",
    [
        Identity(subjects=(OTHER,)),
        Identity(subjects=(names.parse("CN=Test Signer,O=Evil"),)),
        Identity(subjects=(names.parse("CN=Test"),)),
        Identity(issuer=OTHER),
        Identity(issuer=SUBJECT),
        Identity(subjects=(ISSUER,)),
        Identity(public_key_sha256=("0" * 64,)),
        Identity(public_key_sha256=(LEAF.fingerprint,)),
        Identity((SUBJECT,), OTHER, (LEAF.public_key_fingerprint,)),
        Identity((SUBJECT,), ISSUER, ("0" * 64,)),
        Identity(subjects=(EMPTY,)),
        Identity(issuer=EMPTY),
        Identity(subjects=(EMPTY, OTHER)),
    ],
    ids=range(13),
)
def test_another_signer_is_refused(identity: Identity) -> None:
    assert identity
    assert identity.mismatches(LEAF)
    result = judge(signature(), policy=Policy(identity))
    assert (result.accepted, result.exit_status, result.reasons) == (False, 19, ("identity",))


def test_all_mismatches_are_reported_with_expected_and_found() -> None:
    mismatches = Identity((OTHER, names.parse("CN=Third")), names.parse("CN=CA"), ("0" * 64,)).mismatches(LEAF)
    assert mismatches == [
        f"subject is '{pki.SIGNER}', expected 'CN=Other' or 'CN=Third'",
        f"issuer is '{pki.ISSUING}', expected 'CN=CA'",
        f"public key has SHA-256 {LEAF.public_key_fingerprint}, expected {'0' * 64}",
    ]
    result = judge(signature(), policy=Policy(Identity((OTHER,), names.parse("CN=CA"), ("0" * 64,))))
    check = find(result.checks, "identity")
    assert check is not None
    for word in ("subject is", "issuer is", "public key has"):
        assert word in check.detail


def test_nobody_named_is_said() -> None:
    check = find(judge(signature()).checks, "identity")
    assert check is not None
    assert check.verdict is Verdict.SKIPPED
    assert check.detail == "not checked, any signer under the given anchors is accepted"
    assert not ANYONE.identity


def test_an_identity_can_be_required() -> None:
    result = judge(signature(), policy=Policy(require_identity=True))
    assert (result.accepted, result.exit_status, result.reasons) == (False, 19, ("identity",))


def test_a_signer_without_certificate_has_no_identity() -> None:
    result = judge(signature(certificates=()), policy=Policy(Identity(subjects=(SUBJECT,))))
    assert (result.accepted, result.exit_status) == (False, 14)
