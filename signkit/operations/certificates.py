"""Take in what an authority issued: find the certificate of the key version, order its chain, bind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.audit.entry import AuditEntry
from signkit.errors import BindingError, CertificateUnusableError, MalformedError, NotFoundError
from signkit.keys.model import BoundCertificate, Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.keys import KeyService, recordable
from signkit.ports import ArtifactSource, Clock, Store
from signkit.x509 import bundle, intake
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

    def __init__(
        self,
        keys: KeyService,
        store: Store,
        source: ArtifactSource,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        principal: str,
    ) -> None:
        """Take the parts; nothing is opened here."""
        self._keys = keys
        self._store = store
        self._source = source
        self._clock = clock
        self._new_id = new_id
        self._principal = principal

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
            FileError: a file can't be read.
            MalformedError: a file holds no certificate, or a broken one.
            BindingError: no certificate in the files is for this key version.
        """
        key, version = self._keys.resolve_version(reference)
        now = self._clock()
        notices: list[str] = []
        found = list(
            dict.fromkeys(c for path in paths for c in read_certificates(self._source, path, passphrase, notices))
        )
        leaves = intake.leaves(found, version.public_key_info, now)
        if not leaves:
            raise self._of_another_key(reference, found)
        previous = self.of_version(version)
        bound = [self._bound(version, leaf, found, previous, paths, now) for leaf in leaves]
        if not dry_run:
            for one, leaf in zip(reversed(bound), reversed(leaves), strict=True):  # the last one becomes current
                self._store.bind_certificate(one, [self._entry(key, version, leaf)])
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
            (*notices, *intake.warnings(leaves[0], chain, replaced, now)),
        )

    def _bound(
        self,
        version: KeyVersion,
        leaf: Certificate,
        found: Sequence[Certificate],
        previous: BoundCertificate | None,
        paths: Sequence[str],
        now: datetime,
    ) -> BoundCertificate:
        chain = tuple(one.der for one in intake.order(leaf, found))
        if not chain and previous is not None and previous.certificate == leaf.der:
            chain = previous.chain
        source = recordable(", ".join(paths))
        return BoundCertificate(leaf.fingerprint, version.id, leaf.der, chain, now, self._principal, source)

    def _of_another_key(self, reference: KeyReference, found: Sequence[Certificate]) -> BindingError:
        """The error that says whose certificates these are."""
        key, version = self._keys.resolve_version(reference)
        owners = {
            one.public_key_info: f"{other.id}@{one.number}"
            for other in self._keys.keys()
            for one in self._keys.versions_of(other)
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

    def current(self, reference: KeyReference) -> BoundCertificate:
        """The current certificate of a version.

        Raises:
            NotFoundError: no such key or version, or it has no certificate.
        """
        _key, version = self._keys.resolve_version(reference)
        bound = self._store.certificates(version.id)
        if not bound:
            raise NotFoundError(
                f"{reference} has no certificate, expected one that an authority issued for it",
                hint=f"'signkit csr create {reference} --subject ...', then 'signkit cert import {reference} FILE'",
                code="Certificate.NotFound",
            )
        return bound[0]

    def of_version(self, version: KeyVersion) -> BoundCertificate | None:
        """The current certificate of a version, or None."""
        return next(iter(self._store.certificates(version.id)), None)

    def of_versions(self, reference: KeyReference) -> list[tuple[KeyVersion, BoundCertificate | None]]:
        """The versions of a key, each with its current certificate or None.

        Raises:
            NotFoundError: no such key.
        """
        return self.of_key(self._keys.resolve(reference))

    def of_key(self, key: Key) -> list[tuple[KeyVersion, BoundCertificate | None]]:
        """The versions of a key, each with its current certificate or None."""
        return [(version, self.of_version(version)) for version in self._keys.versions_of(key)]

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
        bound = self.current(reference)
        return intake.encode((bound.certificate, *bound.chain) if chain else (bound.certificate,), form)

    def certificates(self, reference: KeyReference | None = None) -> list[Listed]:
        """Every certificate that was bound, of one key or version if one is named; the current one of a version first.

        Raises:
            NotFoundError: no such key or version.
        """
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
        if reference is not None and reference.version is not None:
            key, version = self._keys.resolve_version(reference)
            return {version.id: (key, version)}
        chosen = self._keys.keys() if reference is None else [self._keys.resolve(reference)]
        return {version.id: (key, version) for key in chosen for version in self._keys.versions_of(key)}

    def _entry(self, key: Key, version: KeyVersion, leaf: Certificate) -> AuditEntry:
        return AuditEntry(
            at=self._clock(),
            principal=self._principal,
            action="ImportCertificate",
            result="ok",
            request_id=self._new_id(),
            key_id=key.id,
            version=version.number,
            digest_hex=leaf.fingerprint,
            detail=str(leaf.subject),
        )


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
