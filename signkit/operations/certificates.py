"""Take in what an authority issued: find the certificate of the key version, order its chain, bind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.errors import BindingError, CertificateUnusableError, MalformedError, NotFoundError
from signkit.keys.model import BoundCertificate, Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.access import Attempt, recordable
from signkit.operations.keys import KeyService
from signkit.ports import ArtifactSource, Clock
from signkit.x509 import bundle
from signkit.x509 import certificate as x509_certificate
from signkit.x509.certificate import Certificate

MAXIMUM_FILE = 10 << 20
MAXIMUM_LISTED = 20
"""Most certificates that an error names."""


class Imported(NamedTuple):
    """What importing a certificate came to.

    Attributes:
        bound: the certificate with its chain, as it is now on record.
        certificate: the parsed leaf.
        chain: the issuing certificates, issuer of the leaf first.
        complete: whether the chain ends in a self-signed certificate; if not, verifiers must be able to reach an
            anchor from its end.
        earlier: further certificates of the same key in the files; they are on record too, and not the current one.
        unused: subjects of certificates in the files that are not part of the chain.
        warnings: what will stand in the way of signing or verifying with it.
    """

    bound: BoundCertificate
    certificate: Certificate
    chain: tuple[Certificate, ...]
    complete: bool
    earlier: tuple[Certificate, ...]
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

    def import_certificate(
        self, reference: KeyReference, paths: Sequence[str], *, passphrase: str = "", dry_run: bool = False
    ) -> Imported:
        """Bind the certificate for a key version, found anywhere in the files, and make it the current one.

        Of several for this key the newest that is valid now becomes current; the others are kept too. Nothing that is
        on record is ever removed.

        Args:
            reference: key and version.
            paths: PEM, DER, PKCS #7 or PKCS #12 files in any order, with strangers in between.
            passphrase: of PKCS #12 files.
            dry_run: look and judge, but bind nothing.

        Raises:
            NotFoundError: no such key or version.
            AccessDeniedError: the caller may not bind certificates to this key.
            FileError: a file can't be read.
            MalformedError: a file holds no certificate, or a broken one.
            BindingError: no certificate in the files is for this key version.
        """
        from signkit.x509 import intake  # what signing does without, here and below

        with self._access.attempt(
            "ImportCertificate", dry_run=dry_run, version=reference.number or 0, detail=str(reference)
        ) as attempt:
            key = self._directory.find(reference)
            attempt.allow(key)
            version = self._directory.find_version(key, reference)
            notices: list[str] = []
            read = (one for path in paths for one in read_certificates(self._source, path, passphrase, notices))
            found = list(dict.fromkeys(read))
            leaves = intake.leaves(found, version.public_key_info, attempt.at)
            if not leaves:
                raise self._of_another_key(key, version, reference, found)
            previous = self.find_current(version)
            bound = [self._bound(version, leaf, found, previous, paths, attempt.at) for leaf in leaves]
            if not dry_run:
                self._bind(attempt, version, list(zip(bound, leaves, strict=True)))
        chain = tuple(x509_certificate.load_accepted(der) for der in bound[0].chain)
        taken = {leaf.der for leaf in leaves} | {der for one in bound for der in one.chain}
        replaced = x509_certificate.load_accepted(previous.certificate) if previous else None
        return Imported(
            bound[0],
            leaves[0],
            chain,
            (chain[-1] if chain else leaves[0]).self_issued,
            tuple(leaves[1:]),
            tuple(str(one.subject) for one in found if one.der not in taken),
            (*notices, *intake.warnings(leaves[0], chain, replaced, attempt.at)),
        )

    def _bind(
        self, attempt: Attempt, version: KeyVersion, certificates: Sequence[tuple[BoundCertificate, Certificate]]
    ) -> None:
        """Bind certificates so that the first becomes current, which is the one that is bound last."""
        for bound, leaf in reversed(certificates):
            fields = {"version": version.number, "digest_hex": leaf.fingerprint, "detail": str(leaf.subject)}
            self._store.bind_certificate(bound, [attempt.entry(**fields)])

    def _bound(
        self,
        version: KeyVersion,
        leaf: Certificate,
        found: Sequence[Certificate],
        previous: BoundCertificate | None,
        paths: Sequence[str],
        now: datetime,
    ) -> BoundCertificate:
        from signkit.x509 import intake

        chain = tuple(one.der for one in intake.order(leaf, found))
        if not chain and previous is not None and previous.certificate == leaf.der:
            chain = previous.chain
        source = recordable(", ".join(paths))
        return BoundCertificate(leaf.fingerprint, version.id, leaf.der, chain, now, self._access.principal, source)

    def _of_another_key(
        self, key: Key, version: KeyVersion, reference: KeyReference, found: Sequence[Certificate]
    ) -> BindingError:
        """The error that says whose certificates these are, as far as the caller may know those keys."""
        known = [one for one in self._store.keys() if one == key or self._access.decide("ListKeyVersions", one)]
        owners = {
            one.public_key_info: f"{owner.id}@{one.number}"
            for owner in known
            for one in self._directory.find_versions(owner)
        }
        expected = digests.digest("sha256", version.public_key_info).hex()
        listed = []
        hint = "import it for the version whose request was sent; 'signkit version list' shows the public keys"
        for one in found[:MAXIMUM_LISTED]:
            owner = owners.get(one.public_key_info)
            listed.append(f"{one.subject} ({f'of {owner}, ' if owner else ''}public key {one.public_key_fingerprint})")
            if owner:
                hint = f"if that is the one you mean: 'signkit cert import {owner} FILE...'"
        return BindingError(
            f"no certificate for {reference} in these files: expected one of {key.id}@{version.number}, public key "
            f"SHA-256 {expected}, found {'; '.join(listed)}",
            hint=hint,
        )

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

    def export(self, reference: KeyReference, *, chain: bool = False, form: str = "pem") -> bytes:
        """The current certificate of a version, with its issuing certificates if wanted.

        Args:
            reference: key and version.
            chain: with the issuing certificates.
            form: ``pem``, ``der`` (one certificate only) or ``p7b`` (PKCS #7 without signer, PEM).

        Raises:
            UsageError: unknown form, or a chain in DER.
            NotFoundError: no such key or version, or it has no certificate.
        """
        from signkit.x509 import intake

        bound = self.current(reference)
        return intake.encode((bound.certificate, *bound.chain) if chain else (bound.certificate,), form)

    def certificates(self, reference: KeyReference | None = None) -> list[Listed]:
        """Every certificate that was bound, of one key or version if one is named (ListCertificates).

        Returns:
            The current certificate of a version before its others.

        Raises:
            AccessDeniedError: the caller may not list them.
            NotFoundError: no such key or version.
        """
        with self._access.attempt("ListCertificates", detail=str(reference or "")) as attempt:
            attempt.allow()
            versions = self._versions(reference)
            seen: set[str] = set()
            listed = []
            for bound in self._store.certificates():
                if bound.version_id in versions:
                    listed.append(Listed(*versions[bound.version_id], bound, bound.version_id not in seen))
                seen.add(bound.version_id)
            return listed

    def _versions(self, reference: KeyReference | None) -> dict[str, tuple[Key, KeyVersion]]:
        """Keys and versions by the version's id."""
        chosen = self._store.keys() if reference is None else [self._directory.find(reference)]
        if reference is not None and reference.version is not None:
            version = self._directory.find_version(chosen[0], reference)
            return {version.id: (chosen[0], version)}
        return {version.id: (key, version) for key in chosen for version in self._directory.find_versions(key)}


def read_certificates(
    source: ArtifactSource, path: str, passphrase: str = "", notices: list[str] | None = None
) -> list[Certificate]:
    """The certificates in a file.

    Args:
        source: reads the file.
        path: PEM, DER, PKCS #7 or PKCS #12.
        passphrase: of a PKCS #12 file.
        notices: gets what was passed over, in words.

    Raises:
        FileError: the file can't be read.
        MalformedError: it holds no certificate, or a broken one.
    """
    data = source.read(path, limit=MAXIMUM_FILE, what="certificate")
    try:
        found = bundle.read(data, passphrase)
        if notices is not None:
            notices += (f"{path}: {notice}" for notice in found.notices)
        return [x509_certificate.load(der) for der in found.certificates]
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
