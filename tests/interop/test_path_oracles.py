"""Path validation against three others, on chains made by chance: where they disagree, a clause says who is right.

``cryptography.x509.verification``, pyhanko-certvalidator and OpenSSL (its command line, and the newer one inside
pyOpenSSL). Each has a table: oddity of a chain to the clause by which signkit decides otherwise than the other.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

import signkit
from tests.support import keys, pki
from tests.support.odd_chains import ODDITIES, OddChain, odd_chains

SEED, COUNT = 20260601, 260

Clauses = dict[str, tuple[bool, str]]
"""Oddity to what signkit says where the other says the opposite, and the clause that decides."""

CERT_SIGN = (False, "RFC 5280 4.2.1.9: keyCertSign must not be there without cA")
END_ENTITY = (False, "CA/B CSBR 7.1.2.3: the certificate of a signer is no CA's")
HINT = (True, "RFC 5280 6.1: key identifiers are no input of path validation")
BY_CRYPTOGRAPHY: Clauses = {
    "issuer in other letters": (True, "RFC 5280 7.1: names match without regard to case and inner spaces"),
    "DN inside": (True, "RFC 5280 4.2.1.10: directoryName constraints apply to the subject"),
    "e-mail in subject outside": (False, "RFC 5280 4.2.1.10: e-mail constraints apply to the subject's addresses"),
    "explicit policy missing": (False, "RFC 5280 6.1.3 (f): certificate policies are processed"),
    "rollover": (True, "RFC 5280 6.1.4 (l): self-issued certificates do not count (with a path length)"),
    "leaf is CA": END_ENTITY,
    "leaf keyCertSign": CERT_SIGN,
}
BY_PYHANKO: Clauses = {
    "root expired": (False, "RFC 5280 6.1.1 (d) leaves it open: in signkit's profiles an anchor's certificate binds"),
    "path length exceeded": (False, "the same, for the path length in the anchor's certificate"),
    "e-mail in subject outside": (False, "RFC 5280 4.2.1.10 leaves it open where there is a subjectAltName"),
    "AKI of another key": HINT,
    "IP inside": (True, "RFC 5280 4.2.1.10: iPAddress constraints are processed"),
    "issuing other purpose": (False, "CA/B CSBR 7.1.2.2: the purposes of an authority bind those below it"),
    "leaf is CA": END_ENTITY,
    "leaf keyCertSign": CERT_SIGN,
}
BY_OPENSSL: Clauses = {
    "AKI of another key": HINT,
    "explicit policy there": (True, "RFC 5280 6.1.1 (c): without a set from the user, any policy is acceptable"),
    "leaf keyCertSign": CERT_SIGN,
    "leaf SHA-1": (False, "CA/B CSBR 7.1.3.2.1: no SHA-1; OpenSSL's default security level here lets it pass"),
}


def ours(chain: OddChain, purpose: str = "code-signing") -> bool:
    return bool(
        signkit.validate_path(
            chain.leaf, trust_anchors=[chain.root], intermediates=chain.bag, at=pki.NOW, purpose=purpose
        )
    )


def by_cryptography(chain: OddChain) -> bool:
    """As its documentation says for leaves that are not servers: policies of extensions of one's own."""

    def for_code_signing(_policy: Any, _certificate: Any, usage: Any) -> None:
        if usage is not None and not {
            ExtendedKeyUsageOID.CODE_SIGNING,
            ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        } & set(usage):
            raise ValueError("not for code signing")

    def end_entity(_policy: Any, _certificate: Any, usage: Any) -> None:
        if ExtendedKeyUsageOID.CODE_SIGNING not in usage:
            raise ValueError("not for code signing")

    kinds = verification.Criticality.AGNOSTIC
    ca = verification.ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.ExtendedKeyUsage, kinds, for_code_signing
    )
    for extension in (x509.CertificatePolicies, x509.PolicyConstraints):
        ca = ca.may_be_present(extension, kinds, None)
    leaf = verification.ExtensionPolicy.permit_all().require_present(x509.ExtendedKeyUsage, kinds, end_entity)
    try:
        builder = verification.PolicyBuilder().store(verification.Store([x509.load_der_x509_certificate(chain.root)]))
        builder = builder.time(pki.NOW.replace(tzinfo=None)).extension_policies(ca_policy=ca, ee_policy=leaf)
        bag = [x509.load_der_x509_certificate(der) for der in chain.bag]
        builder.build_client_verifier().verify(x509.load_der_x509_certificate(chain.leaf), bag)
    except (verification.VerificationError, ValueError):
        return False
    return True


def by_pyhanko(chain: OddChain) -> bool:
    from asn1crypto import x509 as asn1
    from pyhanko_certvalidator import CertificateValidator, ValidationContext, errors

    leaf, root, *bag = (asn1.Certificate.load(der) for der in (chain.leaf, chain.root, *chain.bag))
    context = ValidationContext(trust_roots=[root], other_certs=bag, moment=pki.NOW.astimezone(UTC))
    validator = CertificateValidator(leaf, bag, validation_context=context)
    try:
        asyncio.run(validator.async_validate_usage({"digital_signature"}, {"code_signing"}))
    except (errors.ValidationError, errors.PathBuildingError, NotImplementedError, ValueError):
        return False
    return True


def by_pyopenssl(chain: OddChain) -> bool:
    from OpenSSL import crypto

    load: Any = crypto.load_certificate
    leaf, root, *bag = (load(crypto.FILETYPE_ASN1, der) for der in (chain.leaf, chain.root, *chain.bag))
    store = crypto.X509Store()
    store.add_cert(root)
    store.set_time(pki.NOW.replace(tzinfo=None))
    store.set_flags(crypto.X509StoreFlags.POLICY_CHECK)
    try:
        crypto.X509StoreContext(store, leaf, bag).verify_certificate()
    except crypto.X509StoreContextError:
        return False
    return True


def compare(other: Callable[[OddChain], bool], clauses: Clauses, *, purpose: str = "code-signing") -> None:
    """Every disagreement must have a clause, and every clause a disagreement."""
    unexplained, used = [], set()
    for chain in odd_chains(SEED, COUNT):
        mine, theirs = ours(chain, purpose), other(chain)
        reasons = {odd for odd in chain.odd & clauses.keys() if clauses[odd][0] is mine}
        if mine is not theirs:
            used |= reasons
            if not reasons:
                unexplained.append((sorted(chain.odd), f"signkit {mine}, the other {theirs}"))
    assert unexplained == []
    assert used == set(clauses), "clauses that no chain needs"


def test_cryptography() -> None:
    compare(by_cryptography, BY_CRYPTOGRAPHY)


def test_pyhanko() -> None:
    compare(by_pyhanko, BY_PYHANKO)


def test_newer_openssl() -> None:
    compare(by_pyopenssl, BY_OPENSSL, purpose="any")


@pytest.mark.component("openssl")
def test_openssl_program(tmp_path: Path) -> None:
    """As the newer one, over the oddities alone: starting a program for each of hundreds would take long."""
    for number, chain in enumerate(odd_chains(SEED, len(ODDITIES) + 1)):
        files = {}
        for name, ders in (("leaf", [chain.leaf]), ("bag", chain.bag), ("root", [chain.root])):
            files[name] = tmp_path / f"{number}-{name}.pem"
            files[name].write_bytes(pki.as_pem(*ders))
        command = ["openssl", "verify", "-attime", str(int(pki.NOW.timestamp())), "-policy_check"]
        command += ["-CAfile", files["root"], "-untrusted", files["bag"], files["leaf"]]
        theirs = subprocess.run(command, capture_output=True).returncode == 0
        mine = ours(chain, "any")
        assert mine is theirs or any(BY_OPENSSL[odd][0] is mine for odd in chain.odd & BY_OPENSSL.keys()), chain.odd


@pytest.mark.parametrize(
    "kinds", [("EC_SM2",) * 3, ("EC_P256K",) * 3, ("RSA_2048", "EC_SM2", "EC_P256"), ("ED25519",) * 3]
)
def test_keys_of_which_only_openssl_knows(kinds: tuple[str, ...]) -> None:
    """SM2 chains as OpenSSL 4 judges them, with its default identifier, in one call for the whole path."""
    chain = keys.chain(*(keys.any_key(kind, number) for number, kind in enumerate(kinds)))
    other = keys.chain(*(keys.any_key(kind, number + 3) for number, kind in enumerate(kinds)))
    for leaf, issuing, root in (
        (chain.leaf, chain.issuing, chain.root),
        (chain.leaf, other.issuing, chain.root),
        (chain.leaf, chain.issuing, other.root),
        (chain.leaf[:-1] + bytes([chain.leaf[-1] ^ 1]), chain.issuing, chain.root),
        (chain.leaf, chain.issuing[:-1] + bytes([chain.issuing[-1] ^ 1]), chain.root),
    ):
        one = OddChain(frozenset(), leaf, (issuing,), root)
        assert (
            ours(one) is by_pyopenssl(one) is (root == chain.root and leaf == chain.leaf and issuing == chain.issuing)
        )
