"""What an authority sent, put in order: which certificate is the key's, which issued it, what is missing or odd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from signkit.der import cms, oids
from signkit.errors import MalformedError, UsageError
from signkit.x509 import extensions, pem, validation
from signkit.x509.certificate import Certificate
from signkit.x509.path import signature_problem

MAXIMUM_CHAIN = 20
MAXIMUM_TRIED = 100
"""Most issuers whose signature is tried for one certificate; they all bear the same name."""
FORMS = ("pem", "der", "p7b")


def leaves(found: Iterable[Certificate], public_key_info: bytes, now: datetime) -> list[Certificate]:
    """The certificates of a key, the one to use first: valid now, then issued last, then valid longest.

    Args:
        found: certificates of anybody.
        public_key_info: DER SubjectPublicKeyInfo of the key.
        now: the present, aware UTC.
    """
    matching = [one for one in found if one.public_key_info == public_key_info]
    return sorted(
        matching,
        key=lambda one: (one.not_before <= now <= one.not_after, one.not_before, one.not_after, one.der),
        reverse=True,
    )


def order(leaf: Certificate, found: Sequence[Certificate]) -> list[Certificate]:
    """The issuers of a leaf, in order, as far as they are among the certificates; of several the one valid longest."""
    chain: list[Certificate] = []
    current = leaf
    while not current.self_issued and len(chain) < MAXIMUM_CHAIN:
        named = [one for one in found if one.subject == current.issuer and one not in chain and one is not leaf]
        named.sort(key=lambda one: one.not_after, reverse=True)
        child = current
        issuer = next((one for one in named[:MAXIMUM_TRIED] if not signature_problem(child, one)), None)
        if issuer is None:
            break
        chain.append(issuer)
        current = issuer
    return chain


def warnings(
    leaf: Certificate, chain: Sequence[Certificate], replaced: Certificate | None, now: datetime
) -> Iterator[str]:
    """What a person should know before the first signature with a certificate.

    Args:
        leaf: the certificate.
        chain: its issuers, as far as they came with it.
        replaced: the one whose place it takes, if there is one.
        now: the present, aware UTC.
    """
    if now > leaf.not_after:
        yield f"it expired at {leaf.not_after:%Y-%m-%dT%H:%M:%SZ}: nothing can be signed with it"
    if now < leaf.not_before:
        yield f"it is valid only from {leaf.not_before:%Y-%m-%dT%H:%M:%SZ}: nothing can be signed with it before"
    for fault in validation.leaf_faults(leaf):
        yield f"nothing can be signed with it: {fault}"
    if not chain and not leaf.self_issued:
        yield f"its issuer's certificate did not come with it: verifiers need that of {leaf.issuer}{_where(leaf)}"
    elif chain and not chain[-1].self_issued and not chain[-1].is_ca:
        yield f"the chain ends at {chain[-1].subject}, which is not a CA"
    for one in chain:
        if now > one.not_after:
            yield f"the issuing certificate {one.subject} expired at {one.not_after:%Y-%m-%dT%H:%M:%SZ}"
    if replaced is not None and replaced != leaf and replaced.not_after > leaf.not_after:
        yield f"it takes the place of one that is valid longer, to {replaced.not_after:%Y-%m-%dT%H:%M:%SZ}"


def encode(certificates: Sequence[bytes], form: str) -> bytes:
    """Certificates as a file.

    Args:
        certificates: DER, leaf first.
        form: one of ``FORMS``.

    Raises:
        UsageError: another form, or several certificates in DER.
    """
    if form == "pem":
        return "".join(pem.encode(pem.CERTIFICATE_LABELS[0], der) for der in certificates).encode()
    if form == "p7b":
        empty = cms.SignedData(1, (), oids.DATA, None, tuple(certificates), (), ())
        return pem.encode(pem.PKCS7_LABELS[0], cms.encode(empty)).encode()
    if form != "der":
        raise UsageError(f"'{form}' is not a form of certificates: expected one of {' '.join(FORMS)}")
    if len(certificates) != 1:
        raise UsageError(
            f"a DER file holds one certificate, found {len(certificates)}",
            hint="leave --chain out, or take --format pem or p7b",
        )
    return certificates[0]


def _where(leaf: Certificate) -> str:
    """Where the certificate says that its issuer's is to be had."""
    found = leaf.extensions.get(oids.AUTHORITY_INFO_ACCESS)
    try:
        accesses = extensions.accesses(found.value) if found else ()
    except (MalformedError, IndexError):
        return ""
    places = [one.location.removeprefix("uri:") for one in accesses if one.method == oids.CA_ISSUERS]
    return f", which is at {places[0]}" if places else ""
