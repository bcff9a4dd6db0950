"""Configuration to opened parts: the only module that knows all adapters."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from signkit.config import Settings, parse
from signkit.errors import ConfigurationError, OutputExistsError, StoreError, UsageError
from signkit.files import FileSink, FileSource

if TYPE_CHECKING:
    from signkit.keys.reference import KeyReference
    from signkit.keys.sealing import Kek
    from signkit.operations.access import Recorded
    from signkit.operations.certificates import CertificateService
    from signkit.operations.doctor import Finding
    from signkit.operations.keys import KeyService
    from signkit.operations.sign import SigningService
    from signkit.operations.verify import VerifyingService
    from signkit.ports import RootKey
    from signkit.providers.software import SoftwareProvider
    from signkit.store.sqlite import SqliteStore
    from signkit.x509.certificate import Certificate

CONFIG_FILE = "signkit.toml"
STORE_FILE = "store.db"
ROOT_KEY_FILE = "root.key"
_MAXIMUM_CONFIG = 1 << 20
_FIRST_ROLES = ("administrator", "signer")


class NewStore(NamedTuple):
    """A store that was just made.

    Attributes:
        id: UUID of the store.
        path: the database file.
        root_key: URI of its root key.
        principal: who made it.
    """

    id: str
    path: str
    root_key: str
    principal: str


def utc_now() -> datetime:
    """The present as aware UTC."""
    return datetime.now(UTC)


class Wiring:
    """Opens parts when they are first asked for, from flags over environment over file over default."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        home: str | None = None,
        config: str | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Take the sources of the configuration; nothing is opened here.

        Args:
            environment: environment variables.
            home: folder of the store; None = ``SIGNKIT_HOME``, else the platform's user data folder.
            config: configuration file; None = ``SIGNKIT_CONFIG``, else ``./signkit.toml`` if it is there.
            clock: the present.
        """
        self._environment = environment
        self._home = home
        self._config = config
        self.clock = clock
        if path := environment.get("SIGNKIT_LIBCRYPTO"):
            from signkit.algorithms import sm2

            sm2.use_library(path)

    @cached_property
    def settings(self) -> Settings:
        """The configuration.

        Raises:
            FileError: the named file can't be read.
            ConfigurationError: it is invalid.
        """
        named = self._config or self._environment.get("SIGNKIT_CONFIG")
        path = named or CONFIG_FILE
        if not named and not os.path.exists(path):
            return Settings()
        data = FileSource().read(path, limit=_MAXIMUM_CONFIG, what="configuration")
        try:
            return parse(data.decode(), path)
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path}: not UTF-8: {error.reason}") from error

    @property
    def store_path(self) -> str:
        """The database file of the store.

        Raises:
            ConfigurationError: the store's URL is of an unknown kind.
        """
        url = self.settings.store_url
        if url and not (self._home or self._environment.get("SIGNKIT_HOME")):
            scheme, separator, path = url.partition(":")
            if scheme != "sqlite" or not separator or not path:
                raise ConfigurationError(f"store url is '{url}', expected sqlite:PATH")
            return path
        home = self._home or self._environment.get("SIGNKIT_HOME")
        if not home:
            import platformdirs

            home = platformdirs.user_data_dir("signkit", appauthor=False)
        return os.path.join(home, STORE_FILE)

    @property
    def principal(self) -> str:
        """Who runs this process: ``os:`` and the login name of the effective user."""
        import pwd

        try:
            return f"os:{pwd.getpwuid(os.geteuid()).pw_name}"
        except KeyError:
            return f"os:{os.geteuid()}"

    def init(self, root_key_uri: str | None = None, *, dry_run: bool = False) -> NewStore:
        """Make the store.

        Args:
            root_key_uri: where its root key comes from; None = the configured one, else a generated file.
            dry_run: say what would be made, and make nothing.

        Raises:
            OutputExistsError: there is a store already.
            RootKeyError: the root key could not be made or is not acceptable.
            StoreError: the store could not be made.
        """
        from signkit.audit.entry import AuditEntry
        from signkit.custody import parse_root_key
        from signkit.keys import permissions
        from signkit.keys.sealing import KEY_SIZE, Kek
        from signkit.store.schema import is_free
        from signkit.store.sqlite import Permission, SqliteStore, StoreIdentity

        path = self.store_path
        if not is_free(path):
            raise OutputExistsError(
                f"there is a store at {path} already", path=path, hint="use it, or name another --home"
            )
        source = parse_root_key(root_key_uri or self.settings.root_key or self._default_root_key())
        now, store_id = self.clock(), new_id()
        made = NewStore(store_id, path, source.uri, self.principal)
        if dry_run:
            return made
        secret = source.create()
        kek = Kek(1, secrets.token_bytes(KEY_SIZE))
        SqliteStore.create(
            path,
            StoreIdentity(store_id, now, source.uri),
            {kek.id: kek.wrap(secret, store_id, secrets.token_bytes)},
            permissions=[Permission(made.principal, permissions.ready_made(role), now) for role in _FIRST_ROLES],
            entries=[AuditEntry(now, made.principal, "InitializeStore", "ok", new_id())],
        ).close()
        return made

    @cached_property
    def store(self) -> SqliteStore:
        """The store, opened.

        Raises:
            StoreError: it is missing, locked, damaged, or of a newer format.
        """
        from signkit.store.sqlite import SqliteStore

        return SqliteStore.open(self.store_path, maximum_versions=self.settings.maximum_versions)

    def close(self) -> None:
        """Close the store, if it was opened."""
        opened = [self.__dict__.pop(name, None) for name in ("store", "software", "keys", "certificates")]
        if opened[0] is not None:
            opened[0].close()

    def root_key(self) -> RootKey:
        """Where the root key of the store comes from.

        Raises:
            StoreError: what the store says about it is damaged.
        """
        from signkit.custody import parse_root_key

        try:
            return parse_root_key(self.store.identity.root_key)
        except UsageError as error:
            message = f"the store {self.store_path} is damaged: store {self.store.id}: {error.message}"
            raise StoreError(message, hint="restore it from a backup") from error

    def kek(self) -> Kek:
        """The store's key-encryption key; needs the root key.

        Raises:
            RootKeyError: the root key is missing, not private, or another store's.
            StoreError: the wrapped key is damaged.
        """
        from signkit.keys.sealing import Kek

        wrapped = self.store.wrapped_keks()
        if not wrapped:
            raise StoreError(f"the store {self.store_path} has no key-encryption key", hint="restore it from a backup")
        number = max(wrapped)
        return Kek.unwrap(wrapped[number], self.root_key().load(), store_id=self.store.id, kek_id=number)

    @cached_property
    def software(self) -> SoftwareProvider:
        """Private keys that are sealed in the store."""
        from signkit.providers.software import SoftwareProvider

        kek: list[Kek] = []

        def once() -> Kek:
            if not kek:
                kek.append(self.kek())
            return kek[0]

        return SoftwareProvider(self.store.id, once)

    @cached_property
    def keys(self) -> KeyService:
        """The key service."""
        from signkit.operations.keys import KeyService

        return KeyService(
            self.store,
            {self.software.name: self.software},
            clock=self.clock,
            new_id=new_id,
            principal=self.principal,
            minimum_version_interval_days=self.settings.minimum_version_interval_days,
        )

    @cached_property
    def certificates(self) -> CertificateService:
        """Certificates of key versions."""
        from signkit.operations.certificates import CertificateService

        return CertificateService(self.keys, FileSource())

    def signing(self, *, follow_links: bool = False, progress: Callable[[int], None] | None = None) -> SigningService:
        """Signing of files.

        Args:
            follow_links: whether artifacts may be symbolic links.
            progress: called with the number of bytes that were just digested.
        """
        from signkit.operations.sign import SigningService

        source = FileSource(follow_links=follow_links, progress=progress)
        return SigningService(
            self.keys, self.certificates, source, FileSink(), clock=self.clock, receipts=self._receipts
        )

    def _receipts(self, recorded: Recorded) -> list[bytes]:
        from signkit import wiring_stores

        return wiring_stores.audit(self).receipts(recorded)

    def verifying(self, *, progress: Callable[[int], None] | None = None) -> VerifyingService:
        """Verifying of files; needs no store."""
        from signkit.operations.verify import VerifyingService

        return VerifyingService(FileSource(progress=progress), clock=self.clock)

    def certificates_of(self, what: str) -> list[Certificate]:
        """The certificates in a file, which needs no store, or of a key version (``KEY@V``) with its chain."""
        from signkit.keys.reference import parse_key_version
        from signkit.operations.certificates import read_certificates

        if "@" in what and not os.path.exists(what):
            return self.certificates.with_chain(parse_key_version(what))
        return read_certificates(FileSource(), what)

    def sign_reference(self, key: str | None) -> KeyReference:
        """The key version to sign with: the named one, else the one in the configuration.

        Raises:
            UsageError: none is named, several are configured, or it has another form.
        """
        from signkit.keys.reference import parse_key_version

        named = (key,) if key else self.settings.sign_key
        if len(named) != 1:
            raise UsageError(
                f"found {len(named)} keys to sign with, expected one",
                hint="name it with --key KEY@V, or as key in [sign] of signkit.toml",
            )
        return parse_key_version(named[0])

    def create_lab(self, folder: str, *, dry_run: bool = False) -> list[str]:
        """A throwaway authority in a folder; returns the files it consists of."""
        from signkit.lab import folder as lab_folder
        from signkit.lab.authority import Authority

        sink = FileSink()
        if dry_run:
            return lab_folder.files(folder)
        sink.make_folder(folder)
        try:
            return lab_folder.save(Authority.create(self.clock(), secrets.token_bytes), folder, sink)
        except OutputExistsError as error:
            hint = "an authority is never replaced: use it, or name another folder"
            raise OutputExistsError(error.message, path=error.path, hint=hint) from error

    def issue_in_lab(self, folder: str, request: str, *, days: int) -> list[Certificate]:
        """A certificate by the throwaway authority, followed by the issuing one's.

        Args:
            folder: where the authority lies.
            request: path of the certification request.
            days: days of validity.
        """
        from signkit.lab import folder as lab_folder
        from signkit.operations import requests
        from signkit.x509.certificate import load

        source = FileSource()
        authority = lab_folder.load(folder, source)
        found = requests.read(source, request)
        issued = authority.issue(found.der, now=self.clock(), random=secrets.token_bytes, days=days)
        return [load(der) for der in issued]

    def doctor(self) -> list[Finding]:
        """What works here."""
        from signkit import wiring_doctor

        return wiring_doctor.examine(self)

    def _default_root_key(self) -> str:
        import platformdirs

        return "file:" + os.path.join(platformdirs.user_config_dir("signkit", appauthor=False), ROOT_KEY_FILE)


def new_id() -> str:
    """A new UUID."""
    return str(uuid.uuid4())
