"""The store as a whole: check it, put it under another root key, copy it, recover it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from signkit.audit.checkpoint import LogKey
from signkit.audit.entry import AuditEntry
from signkit.audit.merkle import Frontier
from signkit.errors import MalformedError, RefusedError, RootKeyError, SignkitError, StoreError
from signkit.keys import log_key, recovery
from signkit.keys.model import Key, KeyVersion, VersionState
from signkit.keys.sealing import Kek, Random, RootSecret, binds_usage, is_record
from signkit.operations.access import Access
from signkit.operations.audit_evidence import AuditReport, examine
from signkit.ports import OpenRecord, RootKey, Store

Opener = Callable[[Kek], OpenRecord]
"""Makes of a key-encryption key what opens the private keys under it."""


class Checked(NamedTuple):
    """What was found in a store.

    Attributes:
        findings: everything that is wrong; empty when the store is sound.
        notes: what is not wrong, and yet somebody should know.
        opened: whether the private keys were opened.
        log: what was found in the audit log; None when it could not be looked at.
    """

    findings: tuple[str, ...]
    notes: tuple[str, ...]
    opened: bool
    log: AuditReport | None


class Rekeyed(NamedTuple):
    """A store under another root key.

    Attributes:
        old: URI of the root key before; in a recovery the one that was lost.
        new: URI of the root key now.
        clean: whether nothing of the old wrapped keys is left in the store's files.
    """

    old: str
    new: str
    clean: bool


class StoreService:
    """One store as a whole."""

    def __init__(
        self,
        access: Access,
        *,
        root_key: Callable[[], RootKey],
        parse_root_key: Callable[[str], RootKey],
        opener: Opener,
        random: Random,
    ) -> None:
        """Take the parts; nothing is opened here.

        Args:
            access: who asks.
            root_key: source of the store's root key.
            parse_root_key: URI to root-key source.
            opener: opens the private keys of the software provider.
            random: source of nonces and salts.
        """
        self._access = access
        self._root_key = root_key
        self._parse_root_key = parse_root_key
        self._opener = opener
        self._random = random

    @property
    def _store(self) -> Store:
        return self._access.store

    def check(self, notes: Sequence[tuple[str, bytes]] = (), key: LogKey | None = None) -> Checked:
        """Look at everything: database, audit log, certificates, and each sealed private key if the root key is there.

        Args:
            notes: name and content of signed checkpoints that were kept elsewhere.
            key: the log's key as it is known from elsewhere; None = the one in the store.

        Raises:
            AccessDeniedError: the caller may not check the store.
            MalformedError: one of the notes is no checkpoint of this log.
            SignatureValueError: one of the notes is not signed by the log's key.
        """
        with self._access.attempt("CheckStore") as attempt:
            attempt.allow()
            findings, remarks = [], []
            opened: OpenRecord | None = None
            try:
                secret = self._root_key().load()
            except RootKeyError as error:
                remarks.append(f"the private keys were not opened: {error.message}")
            except StoreError as error:
                findings.append(error.message)
            else:
                try:
                    opened = self._opener(self._newest(self._unwrap(secret)))
                except SignkitError as error:
                    findings.append(error.message)
            log = None
            findings += self._store.check(opened)
            try:
                log = examine(self._store, notes, key)
                findings += [*log.findings, *_certificates(self._store)]
                remarks += leftovers(self._store)
            except StoreError as error:
                findings.append(error.message)
            return Checked(tuple(dict.fromkeys(findings)), tuple(remarks), opened is not None, log)

    def rekey(self, uri: str, *, dry_run: bool = False) -> Rekeyed:
        """Put the store under another root key; until that is done the old one is the right one.

        The key-encryption key stays: whoever had the old root key and a copy of the store still has every private key.

        Args:
            uri: where the new root key comes from; it is made when there is none yet.
            dry_run: check everything; the new root key is not made or asked for.

        Raises:
            AccessDeniedError: the caller may not do it.
            RootKeyError: one of the two root keys can't be had.
            RefusedError: it is the same root key.
            StateError: somebody else was first.
        """
        with self._access.attempt("RekeyStore", dry_run=dry_run, detail=uri) as attempt:
            attempt.allow()
            current, source = self._root_key(), self._parse_root_key(uri)
            old, secret = current.uri, current.load()
            seen = self._store.wrapped_keks()
            keks = self._unwrap(secret)
            if dry_run:
                return Rekeyed(old, source.uri, True)
            new = source.create()
            if new == secret:
                raise RefusedError(
                    f"{source.uri} is the root key that the store has already",
                    hint="name another place for the new root key",
                )
            clean = self._replace(seen, keks, source, new, [attempt.entry(detail=f"{old} -> {source.uri}")])
            return Rekeyed(old, source.uri, clean)

    def backup(self, path: str, *, overwrite: bool = False, dry_run: bool = False) -> Frontier:
        """Write a consistent copy to a private file while others go on using the store.

        Returns:
            head of the audit log when the copy was begun: who notes it down can tell later whether a copy is older.

        Raises:
            AccessDeniedError: the caller may not copy the store.
            OutputExistsError: the file exists.
            StoreError: the copy could not be written.
        """
        with self._access.attempt("BackupStore", dry_run=dry_run, detail=path) as attempt:
            attempt.allow()
            head = self._store.audit_head()
            self._store.backup(path, overwrite=overwrite, dry_run=dry_run)
            if not dry_run:
                self._store.record([attempt.entry()])
            return head

    def export_recovery(self, public_key: bytes, *, dry_run: bool = False) -> bytes:
        """The store's key-encryption key sealed to an offline key, for the day on which the root key is lost.

        Args:
            public_key: SubjectPublicKeyInfo of the offline key, PEM or DER.
            dry_run: check everything, record nothing; the export is not to be used.

        Raises:
            AccessDeniedError: the caller may not do it.
            UsageError: not a public key of a type that HPKE knows.
            RootKeyError: the root key can't be had.
        """
        with self._access.attempt("ExportRecovery", dry_run=dry_run) as attempt:
            attempt.allow()
            kek = self._newest(self._unwrap(self._root_key().load()))
            export = recovery.seal(kek, public_key, store_id=self._store.id, now=attempt.at)
            if not dry_run:
                self._store.record([attempt.entry(detail=f"to the key {recovery.read(export).recipient}")])
            return export

    def import_recovery(
        self, export: bytes, private_key: bytes, uri: str, *, password: bytes | None = None, dry_run: bool = False
    ) -> Rekeyed:
        """Put a store whose root key was lost under a new one, by its recovery export.

        Args:
            export: the recovery export.
            private_key: the offline private key, PKCS #8 in PEM or DER.
            uri: where the new root key comes from; it is made when there is none yet.
            password: password of the private key's file, None when it has none.
            dry_run: open the export and every private key with it, and change nothing.

        Raises:
            AccessDeniedError: the caller may not do it.
            UsageError: not a private key, or not its password.
            RootKeyError: the export is damaged, another store's, sealed to another key, or does not open the store.
        """
        with self._access.attempt("ImportRecovery", dry_run=dry_run, detail=uri) as attempt:
            attempt.allow()
            old, source, seen = self._root_key().uri, self._parse_root_key(uri), self._store.wrapped_keks()
            kek = recovery.open_export(export, private_key, store_id=self._store.id, password=password)
            if list(seen) != [kek.id]:
                raise RootKeyError(f"the recovery export holds key {kek.id}, the store has {list(seen)}")
            self._require_opens(kek)
            if dry_run:
                return Rekeyed(old, source.uri, True)
            entries = [attempt.entry(detail=f"{old} -> {source.uri}")]
            return Rekeyed(old, source.uri, self._replace(seen, {kek.id: kek}, source, source.create(), entries))

    def _require_opens(self, kek: Kek) -> None:
        """Refuse a key that is not the store's: anybody can seal one of their own to a public key.

        Raises:
            RootKeyError: it opens a private key not, or there is none to try.
        """
        sealed = _sealed(self._store)
        if not sealed:
            raise RootKeyError("the store holds no private key", hint="there is nothing to recover: make a new store")
        open_record = self._opener(kek)
        for key, version in sealed:
            try:
                open_record(key, version)
            except StoreError as error:
                raise RootKeyError(
                    f"the recovery export does not open the store: {error.message}",
                    hint="use the export of this very store; 'signkit store check' looks for damage",
                ) from error

    def _unwrap(self, secret: RootSecret) -> dict[int, Kek]:
        wrapped = self._store.wrapped_keks()
        return {
            number: Kek.unwrap(one, secret, store_id=self._store.id, kek_id=number) for number, one in wrapped.items()
        }

    def _newest(self, keks: dict[int, Kek]) -> Kek:
        if not keks:
            raise StoreError("the store has no key-encryption key", hint="restore it from a backup")
        return keks[max(keks)]

    def _replace(
        self,
        seen: dict[int, bytes],
        keks: dict[int, Kek],
        source: RootKey,
        secret: RootSecret,
        entries: Sequence[AuditEntry],
    ) -> bool:
        """Wrap the keys anew, see that they can be unwrapped, and only then put them in the place of the others."""
        wrapped = {number: kek.wrap(secret, self._store.id, self._random) for number, kek in keks.items()}
        again = source.load() if secret.kind == "key" else secret  # a passphrase was typed twice already
        for number, one in wrapped.items():
            Kek.unwrap(one, again, store_id=self._store.id, kek_id=number)
        return self._store.replace_keks(seen, wrapped, source.uri, entries)


def require_sound(found: Checked) -> None:
    """Refuse a store in which something is wrong.

    Raises:
        StoreError: there is something.
    """
    if found.findings:
        raise StoreError(
            f"the store is not sound: {len(found.findings)} finding(s), the first: {found.findings[0]}",
            hint="keep it as it is for who looks into it, and restore a backup: 'signkit store restore'",
            code="StoreDamaged",
        )


def leftovers(store: Store) -> list[str]:
    """What is not wrong in a store, and yet somebody should know: unfinished versions, records of an older form."""
    versions = [(key, version) for key in store.keys() for version in store.versions(key.id)]
    pending = [f"{key.id}@{one.number}" for key, one in versions if one.state is VersionState.PENDING]
    older = [one for _, one in versions if is_record(one.locator) and not binds_usage(one.locator)]
    found = []
    if pending:
        found.append(
            f"{len(pending)} version(s) were begun and never finished: {_some(pending)}; they can't sign, make new ones"
        )
    if older:
        found.append(
            f"{len(older)} private key(s) were sealed by an older release and are not bound to the key's usage"
        )
    return found


def _some(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")


def _sealed(store: Store) -> list[tuple[Key, KeyVersion]]:
    """Every version whose private key is sealed in the store, and the key of the log."""
    own = store.audit_key()
    versions = ((key, version) for key in store.keys() for version in store.versions(key.id))
    return [one for one in versions if one[1].locator] + ([log_key.as_version(own)] if own else [])


def _certificates(store: Store) -> Iterable[str]:
    """What is wrong with the certificates: each must be one, and of the public key of its version."""
    from signkit.x509 import certificate as x509_certificate

    public_keys = {
        version.id: (f"{key.id}@{version.number}", version.public_key_info)
        for key in store.keys()
        for version in store.versions(key.id)
    }
    for bound in store.certificates():
        name, expected = public_keys[bound.version_id]
        try:
            found = x509_certificate.load(bound.certificate)
        except MalformedError as error:
            yield f"{name}: its certificate {bound.id} can't be read: {error.message}"
            continue
        if found.public_key_info != expected or found.fingerprint != bound.id:
            yield f"{name}: its certificate {bound.id} is of another key or another certificate"
