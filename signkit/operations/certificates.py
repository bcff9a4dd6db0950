"""Take in what an authority issued: find the certificate of the key version, order its chain, bind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.errors import BindingError, CertificateUnusableError, MalformedError, NotFoundError
from signkit.keys.model import BoundCertificate, Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.access import recordable
from signkit.operations.keys import KeyService
from signkit.ports import ArtifactSource, Clock
from signkit.x509 import bundle, pem, validation
from signkit.x509 import certificate as x509_certificate
from signkit.x509.certificate import Certificate
from signkit.x509.path import signature_problem

MAXIMUM_FILE = 10 << 20
MAXIMUM_CHAIN = 20


class Imported(NamedTuple):
    """What importing a certificate came to.

    Attributes:
        bound: the certificate with its chain, as it is now on record.
        certificate: the parsed leaf.
        chain: the issuing certificates, issuer of the leaf first.
        complete: whether the chain ends in a self-signed certificate; if not, verifiers must be able to reach an
            anchor from its end.
        unused: subjects of certificates in the files that are not part of the chain.
        warnings: what will stand in the way of signing or verifying with it.
    """

    bound: BoundCertificate
    certificate: Certificate
    chain: tuple[Certificate, ...]
    complete: bool
    unused: tuple[str, ...]
    warnings: tuple[str, ...]


class Listed(NamedTuple):
    """A bound certificate with the key version it is of; ``current`` = signatures by that version carry it."""

    key: Key
    version: KeyVersion
    bound: BoundCertificate
    current: bool


class CertificateService:
    """Certificates of key versions."""

    def __init__(self, keys: KeyService, source: ArtifactSource) -> None:
        """Take the parts; nothing is opened here."""
        self._access = keys.access
        self._store = keys.access.store
        self._directory = keys.directory
        self._source = source

    def import_certificate(self, reference: KeyReference, paths: Sequence[str], *, dry_run: bool = False) -> Imported:
        """Bind the certificate for a key version, found anywhere in the files, and make it the current one.

        Args:
            reference: key and version.
            paths: PEM, DER or PKCS #7 files in any order, with strangers in between.
            dry_run: look and judge, but bind nothing.

        Raises:
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not bind certificates to this key.
            FileError: a file can't be read.
            MalformedError: a file holds no certificate, or a broken one.
            BindingError: no certificate in the files is for this key version.
        """
        with self._access.attempt(
            "ImportCertificate", dry_run=dry_run, version=reference.number or 0, detail=str(reference)
        ) as attempt:
            key = self._directory.find(reference)
            attempt.allow(key)
            version = self._directory.find_version(key, reference)
            found = list(dict.fromkeys(one for path in paths for one in read_certificates(self._source, path)))
            leaf = _leaf_of(version, reference, found)
            previous = self.find_current(version)
            chain = _order(leaf, found)
            if not chain and previous is not None and previous.certificate == leaf.der:
                chain = [x509_certificate.load_accepted(der) for der in previous.chain]
            bound = BoundCertificate(
                id=leaf.fingerprint,
                version_id=version.id,
                certificate=leaf.der,
                chain=tuple(certificate.der for certificate in chain),
                imported_at=attempt.at,
                imported_by=self._access.principal,
                source=recordable(", ".join(paths)),
            )
            if not dry_run:
                fields = {"version": version.number, "digest_hex": leaf.fingerprint, "detail": str(leaf.subject)}
                self._store.bind_certificate(bound, [attempt.entry(**fields)])
        last = chain[-1] if chain else leaf
        unused = tuple(str(c.subject) for c in found if c is not leaf and c not in chain)
        warnings = tuple(_warnings(leaf, chain, previous, attempt.at))
        return Imported(bound, leaf, tuple(chain), last.self_issued, unused, warnings)

    # Steps of operations: they ask for no permission

    def find_current(self, version: KeyVersion) -> BoundCertificate | None:
        """The current certificate of a version, or None."""
        return next(iter(self._store.certificates(version.id)), None)

    def find_required(self, version: KeyVersion, reference: KeyReference) -> BoundCertificate:
        """The current certificate of a version.

        Raises:
            NotFoundError: it has none.
        """
        bound = self.find_current(version)
        if bound is None:
            raise NotFoundError(
                f"{reference} has no certificate, expected one that an authority issued for it",
                hint=f"'signkit csr create {reference} --subject ...', then 'signkit cert import {reference} FILE'",
                code="Certificate.NotFound",
            )
        return bound

    def find_of_key(self, key: Key) -> list[tuple[KeyVersion, BoundCertificate | None]]:
        """The versions of a key, each with its current certificate or None."""
        return [(version, self.find_current(version)) for version in self._directory.find_versions(key)]

    # Operations

    def current(self, reference: KeyReference) -> BoundCertificate:
        """The current certificate of a version (GetCertificate).

        Raises:
            NotFoundError: no such key or version, or it has no certificate.
            AccessDeniedError: the caller may not have it.
        """
        with self._access.attempt("GetCertificate", version=reference.number or 0, detail=str(reference)) as attempt:
            key = self._directory.find(reference)
            attempt.allow(key)
            return self.find_required(self._directory.find_version(key, reference), reference)

    def of_versions(self, reference: KeyReference) -> list[tuple[KeyVersion, BoundCertificate | None]]:
        """The versions of a key, each with its current certificate or None (ListKeyVersions).

        Raises:
            NotFoundError: no such key.
            AccessDeniedError: the caller may not list them.
        """
        _key, versions = self._directory.versions(reference)
        return [(version, self.find_current(version)) for version in versions]

    def with_chain(self, reference: KeyReference) -> list[Certificate]:
        """The current certificate of a version, then its chain.

        Raises:
            NotFoundError: no such key or version, or it has no certificate.
        """
        bound = self.current(reference)
        return [x509_certificate.load(der) for der in (bound.certificate, *bound.chain)]

    def export(self, reference: KeyReference, *, chain: bool = False) -> str:
        """The current certificate of a version as PEM, with its issuing certificates if wanted.

        Raises:
            NotFoundError: no such key or version, or it has no certificate.
        """
        bound = self.current(reference)
        wanted = (bound.certificate, *bound.chain) if chain else (bound.certificate,)
        return "".join(pem.encode(pem.CERTIFICATE_LABELS[0], der) for der in wanted)

    def certificates(self) -> list[Listed]:
        """Every certificate that was bound; the current one of a version first (ListCertificates).

        Raises:
            AccessDeniedError: the caller may not list them.
        """
        with self._access.attempt("ListCertificates") as attempt:
            attempt.allow()
            store = self._store
            versions = {version.id: (key, version) for key in store.keys() for version in store.versions(key.id)}
            seen: set[str] = set()
            listed = []
            for bound in store.certificates():
                listed.append(Listed(*versions[bound.version_id], bound, bound.version_id not in seen))
                seen.add(bound.version_id)
            return listed


def read_certificates(source: ArtifactSource, path: str) -> list[Certificate]:
    """The certificates in a file.

    Raises:
        FileError: the file can't be read.
        MalformedError: it holds no certificate, or a broken one.
    """
    data = source.read(path, limit=MAXIMUM_FILE, what="certificate")
    try:
        return [x509_certificate.load(der) for der in bundle.certificates(data)]
    except MalformedError as error:
        raise MalformedError(f"{path}: {error.message}", hint=error.hint) from error


def require_signer(
    bound: BoundCertificate, version: KeyVersion, reference: KeyReference, *, clock: Clock
) -> Certificate:
    """The leaf certificate, when it can serve a code signature now.

    Raises:
        BindingError: it is not of this version's key.
        CertificateUnusableError: expired, not yet valid, or not for code signing.
    """
    leaf = x509_certificate.load_accepted(bound.certificate)
    if leaf.public_key_info != version.public_key_info:
        raise BindingError(f"the certificate on record for {reference} is of another key; the store may be damaged")
    now = clock()
    if not leaf.not_before <= now <= leaf.not_after:
        state = "has expired" if now > leaf.not_after else "is not yet valid"
        raise CertificateUnusableError(
            f"the certificate of {reference} {state}: valid from {leaf.not_before:%Y-%m-%dT%H:%M:%SZ} "
            f"to {leaf.not_after:%Y-%m-%dT%H:%M:%SZ}, now is {now:%Y-%m-%dT%H:%M:%SZ}",
            hint="import a new certificate with 'signkit cert import', or sign with another version",
            code="CertificateExpired" if now > leaf.not_after else "CertificateNotYetValid",
        )
    return leaf


def _leaf_of(version: KeyVersion, reference: KeyReference, found: Iterable[Certificate]) -> Certificate:
    """The certificate of the version's key; of several the one that is valid longest, so that a renewal wins."""
    matching = [certificate for certificate in found if certificate.public_key_info == version.public_key_info]
    if matching:
        return max(matching, key=lambda certificate: (certificate.not_after, certificate.not_before))
    expected = digests.digest("sha256", version.public_key_info).hex()
    listed = "; ".join(f"{c.subject} (public key {c.public_key_fingerprint})" for c in found)
    raise BindingError(
        f"no certificate for {reference} in these files: expected public key SHA-256 {expected}, found {listed}",
        hint="import it for the version whose request was sent; 'signkit version list' shows the public keys",
    )


def _warnings(
    leaf: Certificate, chain: Sequence[Certificate], previous: BoundCertificate | None, now: datetime
) -> Iterable[str]:
    """What a person should know before the first signature with a certificate."""
    if now > leaf.not_after:
        yield f"it expired at {leaf.not_after:%Y-%m-%dT%H:%M:%SZ}: nothing can be signed with it"
    if now < leaf.not_before:
        yield f"it is valid only from {leaf.not_before:%Y-%m-%dT%H:%M:%SZ}: nothing can be signed with it before"
    for fault in validation.leaf_faults(leaf):
        yield f"nothing can be signed with it: {fault}"
    if not chain and not leaf.self_issued:
        yield f"its issuer's certificate did not come with it: verifiers need that of {leaf.issuer}"
    if previous is not None and previous.certificate != leaf.der:
        replaced = x509_certificate.load_accepted(previous.certificate)
        if replaced.not_after > leaf.not_after:
            yield f"it takes the place of one that is valid longer, to {replaced.not_after:%Y-%m-%dT%H:%M:%SZ}"


def _order(leaf: Certificate, found: Sequence[Certificate]) -> list[Certificate]:
    """The issuers of a leaf, in order, as far as they are among the certificates."""
    chain: list[Certificate] = []
    current = leaf
    while not current.self_issued and len(chain) < MAXIMUM_CHAIN:
        issuer = next((c for c in found if _issued(current, c) and c not in chain and c is not leaf), None)
        if issuer is None:
            break
        chain.append(issuer)
        current = issuer
    return chain


def _issued(child: Certificate, issuer: Certificate) -> bool:
    return child.issuer == issuer.subject and not signature_problem(child, issuer)
