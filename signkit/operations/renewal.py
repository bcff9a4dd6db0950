"""Requests that follow a present certificate: renewal (the same key version) and re-key (a new one)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.cms import full_pki_request
from signkit.errors import NotFoundError, VersionRequiredError
from signkit.keys.model import BoundCertificate
from signkit.keys.reference import KeyReference
from signkit.operations import requests
from signkit.operations.certificates import CertificateService, require_signer
from signkit.operations.keys import KeyService
from signkit.operations.requests import Created, Wanted
from signkit.operations.use import Signer, SignInput
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import extensions
from signkit.x509.certificate import KEY_USAGES


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


def prepare(keys: KeyService, certificates: CertificateService, reference: KeyReference) -> Wanted:
    """What ``renew`` would ask for; arguments and errors as for it, and the key is not used."""
    with keys.use.signing(reference, detail=f"CSR renewal of {reference}", dry_run=True) as signer:
        return _as_in(certificates.find_required(signer.version, reference))


def renew(keys: KeyService, certificates: CertificateService, reference: KeyReference) -> Created:
    """A request for the same version, with the names and usages of its present certificate.

    Raises:
        VersionRequiredError: no version was named.
        NotFoundError: no such key or version, or it has no certificate.
        AccessDeniedError: the caller may not sign with it.
        StateError: key or version is not enabled.
        ProviderError: the provider could not sign.
    """
    with keys.use.signing(reference, detail=f"CSR renewal of {reference}") as signer:
        return requests.make_with(signer, _as_in(certificates.find_required(signer.version, reference)))


def present_version(certificates: CertificateService, reference: KeyReference, named: str | None) -> KeyReference:
    """The version whose certificate a re-key follows: the named one, or the only one that has a certificate.

    Args:
        certificates: certificates of key versions.
        reference: the key.
        named: number or id of the version, None = there must be one only.

    Raises:
        VersionRequiredError: none was named, and several versions have a certificate.
        NotFoundError: no such key or version, or no version has a certificate.
        AccessDeniedError: the caller may not list the versions.
    """
    if named is not None:
        return KeyReference(reference.key, named)
    certified = [version for version, bound in certificates.of_versions(reference) if bound is not None]
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


class Prepared(NamedTuple):
    """A re-key that nothing stands in the way of, as far as can be told without doing it.

    Attributes:
        present: the version whose certificate it follows.
        bound: that certificate.
        wanted: what will be asked for.
        number: number of the version that will be made.
    """

    present: KeyReference
    bound: BoundCertificate
    wanted: Wanted
    number: int


def prepare_rekey(
    keys: KeyService, certificates: CertificateService, reference: KeyReference, *, follow: str | None = None
) -> Prepared:
    """Everything about a re-key that can be checked without making a version; arguments and errors as for ``rekey``."""
    present = present_version(certificates, reference, follow)
    with keys.use.signing(present, detail=_detail(reference), dry_run=True) as signer:
        bound = certificates.find_required(signer.version, present)
        require_signer(bound, signer.version, present, clock=keys.access.clock)
    _key, version = keys.create_version(KeyReference(reference.key, None), dry_run=True)
    return Prepared(present, bound, _as_in(bound), version.number)


def rekey(
    keys: KeyService, certificates: CertificateService, reference: KeyReference, *, follow: str | None = None
) -> Rekeyed:
    """Make the next version of a key and a request for it, as the present certificate says, signed by both keys.

    What can be refused is refused before the new version is made.

    Args:
        keys: the key service.
        certificates: certificates of key versions.
        reference: the key.
        follow: number or id of the version whose certificate it follows; None = there must be one only.

    Raises:
        VersionRequiredError: several versions have a certificate, and none was named.
        NotFoundError: no such key or version, or no certificate.
        AccessDeniedError: the caller may not sign with it, or not make versions.
        StateError: the key or the present version is not enabled.
        CertificateUnusableError: the present certificate is not valid now.
        RefusedError: the key has as many versions as are allowed.
        ProviderError: the provider could not make the version or sign.
    """
    ready = prepare_rekey(keys, certificates, reference, follow=follow)
    _key, version = keys.create_version(KeyReference(reference.key, None))
    created = requests.make(keys, KeyReference(reference.key, str(version.number)), ready.wanted)
    with keys.use.signing(ready.present, detail=_detail(reference)) as signer:
        return Rekeyed(created, ready.present, _full_request(signer, created, ready.bound, keys.access.clock()))


def _detail(reference: KeyReference) -> str:
    return f"full PKI request for the next version of {reference.key}"


def _full_request(signer: Signer, created: Created, bound: BoundCertificate, now: datetime) -> bytes:
    """The request, signed by the key of the present certificate."""
    leaf = x509_certificate.load_accepted(bound.certificate)
    chain = tuple(der for der in bound.chain if not x509_certificate.load_accepted(der).self_issued)
    prepared = full_pki_request.prepare(created.der, leaf, chain, signer.algorithm, now)
    data = algorithms.prehash(signer.algorithm, leaf.public_key_info, prepared.signed_attributes)
    digest = digests.digest("sha256", created.der)
    what = f"full PKI request for version {created.version.number}"
    return full_pki_request.assemble(prepared, signer.sign([SignInput(data, digest, what)])[0])


def _as_in(bound: BoundCertificate) -> Wanted:
    """The names and usages of a certificate; what is not there is not asked for."""
    leaf = x509_certificate.load_accepted(bound.certificate)
    usages = leaf.key_usage or frozenset()
    return Wanted(
        leaf.subject,
        extensions.alternative_names(leaf.extensions),
        tuple(usage for usage in KEY_USAGES if usage in usages),
        leaf.extended_key_usage or (),
    )
