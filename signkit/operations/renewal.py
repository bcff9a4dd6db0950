"""Requests that follow a present certificate: renewal (the same key version) and re-key (a new one)."""

from __future__ import annotations

from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.cms import full_pki_request
from signkit.errors import NotFoundError, VersionRequiredError
from signkit.keys.model import KeyUsage
from signkit.keys.reference import KeyReference
from signkit.operations import requests
from signkit.operations.certificates import CertificateService, require_signer
from signkit.operations.keys import KeyService, SignInput
from signkit.operations.requests import Created, Wanted
from signkit.ports import Clock
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import extensions
from signkit.x509.certificate import KEY_USAGES, Certificate


class Rekeyed(NamedTuple):
    """What asking for a certificate for a new version came to.

    Attributes:
        created: the request, for the new version.
        present: the version whose certificate it follows, and whose key signed the full request.
        full_request: DER full PKI request (RFC 5272): the same request, signed by the present certificate's key.
    """

    created: Created
    present: KeyReference
    full_request: bytes


def prepare(certificates: CertificateService, reference: KeyReference) -> Wanted:
    """What the present certificate of a version says, to be asked for again.

    Raises:
        VersionRequiredError: no version was named.
        NotFoundError: no such key or version, or it has no certificate.
    """
    return _as_in(x509_certificate.load_accepted(certificates.current(reference).certificate))


def renew(keys: KeyService, certificates: CertificateService, reference: KeyReference) -> Created:
    """A request for the same version, with the names and usages of its present certificate.

    Raises:
        VersionRequiredError: no version was named.
        NotFoundError: no such key or version, or it has no certificate.
        StateError: key or version is not enabled.
        ProviderError: the provider could not sign.
    """
    return requests.make(keys, reference, prepare(certificates, reference))


def present_version(
    keys: KeyService, certificates: CertificateService, reference: KeyReference, named: str | None
) -> KeyReference:
    """The version whose certificate a re-key follows: the named one, or the only one that has a certificate.

    Args:
        keys: the key service.
        certificates: certificates of key versions.
        reference: the key.
        named: number or id of the version, None = there must be one only.

    Raises:
        VersionRequiredError: none was named, and several versions have a certificate.
        NotFoundError: no such key or version, or no version has a certificate.
    """
    key = keys.resolve(reference)
    if named is not None:
        chosen = KeyReference(reference.key, named)
        certificates.current(chosen)
        return chosen
    certified = [version for version, bound in certificates.of_key(key) if bound is not None]
    if not certified:
        raise NotFoundError(
            f"no version of {reference.key} has a certificate, expected one whose names the new request takes over",
            hint=f"for a first certificate: 'signkit csr create {reference.key}@1 --subject ...'",
            code="Certificate.NotFound",
        )
    if len(certified) > 1:
        listed = ", ".join(f"{reference.key}@{version.number}" for version in certified)
        raise VersionRequiredError(
            f"several versions of {reference.key} have a certificate: expected one of {listed}",
            hint=f"name the one to follow, for example --from {certified[-1].number}",
        )
    return KeyReference(reference.key, str(certified[0].number))


def rekey(
    keys: KeyService,
    certificates: CertificateService,
    reference: KeyReference,
    *,
    follow: str | None = None,
    clock: Clock,
) -> Rekeyed:
    """Make the next version of a key and a request for it, as the present certificate says, signed by both keys.

    Everything that can be refused is refused before the new version is made.

    Args:
        keys: the key service.
        certificates: certificates of key versions.
        reference: the key.
        follow: number or id of the version whose certificate it follows; None = there must be one only.
        clock: the present.

    Raises:
        VersionRequiredError: several versions have a certificate, and none was named.
        NotFoundError: no such key or version, or no certificate.
        StateError: the key or the present version is not enabled.
        CertificateUnusableError: the present certificate is not valid now.
        RefusedError: the key has as many versions as are allowed.
        ProviderError: the provider could not make the version or sign.
    """
    present = present_version(keys, certificates, reference, follow)
    key, version = keys.usable_version(present, KeyUsage.SIGN_VERIFY)
    bound = certificates.current(present)
    leaf = require_signer(bound, version, present, clock=clock)
    _key, new = keys.create_version(KeyReference(reference.key, None))
    created = requests.make(keys, KeyReference(reference.key, str(new.number)), _as_in(leaf))
    chain = tuple(der for der in bound.chain if not x509_certificate.load_accepted(der).self_issued)
    algorithm = algorithms.signature_algorithm(key.key_type)
    prepared = full_pki_request.prepare(created.der, leaf, chain, algorithm, clock())
    data = algorithms.prehash(algorithm, version.public_key_info, prepared.signed_attributes)
    digest = digests.digest("sha256", created.der)
    detail = f"full PKI request for version {new.number}"
    signature = keys.sign(present, algorithm, [SignInput(data, digest, detail)])[0]
    return Rekeyed(created, present, full_pki_request.assemble(prepared, signature))


def _as_in(leaf: Certificate) -> Wanted:
    """The names and usages of a certificate; what is not there is not asked for."""
    usages = leaf.key_usage or frozenset()
    return Wanted(
        leaf.subject,
        extensions.alternative_names(leaf.extensions),
        tuple(usage for usage in KEY_USAGES if usage in usages),
        leaf.extended_key_usage or (),
    )
