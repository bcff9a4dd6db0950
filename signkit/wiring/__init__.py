"""Configuration to opened parts: the only module that knows all adapters."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from signkit.config import Settings, parse
from signkit.errors import ConfigurationError, StoreError, UsageError
from signkit.files import FileSink, FileSource

if TYPE_CHECKING:
    from signkit.keys.reference import KeyReference
    from signkit.keys.sealing import Kek
    from signkit.lab.serving import LabServer
    from signkit.operations.access import Recorded
    from signkit.operations.certificates import CertificateService
    from signkit.operations.doctor import Finding
    from signkit.operations.imports import ImportService
    from signkit.operations.keys import KeyService
    from signkit.operations.manifest import ManifestService
    from signkit.operations.sign import SigningService, Stamper
    from signkit.operations.validate import PathService
    from signkit.operations.verify import VerifyingService
    from signkit.ports import ArtifactSource, Provider, RevocationSource, RootKey
    from signkit.providers.software import SoftwareProvider
    from signkit.store.sqlite import SqliteStore
    from signkit.wiring.initial import NewStore
    from signkit.wiring.lab import Published
    from signkit.wiring.timestamps import Timestamps
    from signkit.x509.certificate import Certificate

CONFIG_FILE = "signkit.toml"
STORE_FILE = "store.db"
_MAXIMUM_CONFIG = 1 << 20


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
        if environment.get("SIGNKIT_SM2_GMSSL_SIGN") == "1":
            from signkit.algorithms import sm2

            sm2.sign_with_gmssl(secrets.randbelow)

    @cached_property
    def settings(self) -> Settings:
        """The configuration.

        Raises:
            FileError: the named file can't be read.
            ConfigurationError: it is invalid.
        """
        path = self._config_path
        if path == CONFIG_FILE and not (self._config or os.path.exists(path)):
            return Settings()
        data = FileSource().read(path, limit=_MAXIMUM_CONFIG, what="configuration")
        try:
            return parse(data.decode(), path)
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path}: not UTF-8: {error.reason}") from error

    @property
    def _config_path(self) -> str:
        return self._config or self._environment.get("SIGNKIT_CONFIG") or CONFIG_FILE

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
        """Make the store; see ``wiring.initial.make``."""
        from signkit.wiring import initial

        return initial.make(self, root_key_uri, dry_run=dry_run)

    @property
    def has_store(self) -> bool:
        """Whether there is anything where the store should be."""
        return os.path.exists(self.store_path)

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
        store = self.__dict__.pop("store", None)
        for name in ("software", "_providers", "keys", "certificates", "imports"):
            self.__dict__.pop(name, None)
        if store is not None:
            store.close()

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
        """Private keys that are sealed in the store; the root key is read when the first one is needed."""
        from signkit.providers.software import SoftwareProvider

        return SoftwareProvider(self.store.id, cache(self.kek))

    @cached_property
    def keys(self) -> KeyService:
        """The key service."""
        from signkit.operations.keys import KeyService

        return KeyService(
            self.store,
            self._providers,
            clock=self.clock,
            new_id=new_id,
            principal=self.principal,
            minimum_version_interval_days=self.settings.minimum_version_interval_days,
        )

    @cached_property
    def _providers(self) -> Mapping[str, Provider]:
        """Provider name to provider."""
        return {self.software.name: self.software}

    @cached_property
    def imports(self) -> ImportService:
        """Private keys from outside."""
        from signkit.operations.imports import ImportService

        days = self.settings.minimum_version_interval_days
        return ImportService(self.keys, self._providers, minimum_version_interval_days=days)

    def import_passphrase(self, path: str | None) -> Callable[[], bytes]:
        """Gives the passphrase of a private key that is imported: from a file, else from the terminal."""
        from signkit.custody import passphrase

        named = path or self._environment.get(passphrase.PASSPHRASE_FILE)
        return lambda: passphrase.of_private_key(named)

    @cached_property
    def certificates(self) -> CertificateService:
        """Certificates of key versions."""
        from signkit.operations.certificates import CertificateService

        return CertificateService(self.keys, FileSource())

    def signing(
        self,
        *,
        follow_links: bool = False,
        progress: Callable[[int], None] | None = None,
        stamper: Stamper | None = None,
        jobs: int = 0,
    ) -> SigningService:
        """Signing of files.

        Args:
            follow_links: whether artifacts may be symbolic links.
            progress: called with the number of bytes that were just digested.
            stamper: gives each signature its timestamp; None = they get none.
            jobs: processes and threads at work; 0 = one for each core.
        """
        from signkit.operations.sign import SigningService
        from signkit.workers import Workers

        source = FileSource(follow_links=follow_links, progress=progress)
        workers = Workers(jobs=jobs, progress=progress)
        return SigningService(
            self.keys,
            self.certificates,
            source,
            FileSink(),
            clock=self.clock,
            verifying=self.verifying,
            stamper=stamper,
            receipts=self._receipts,
            workers=workers,
        )

    def _receipts(self, recorded: Recorded) -> list[bytes]:
        from signkit.wiring import stores

        return stores.audit(self).receipts(recorded)

    @property
    def timestamps(self) -> Timestamps:
        """Everything with timestamps."""
        from signkit.wiring.timestamps import Timestamps

        base = os.path.dirname(self._config_path)
        return Timestamps(self.settings, base, clock=self.clock, revocation_source=self.revocation_source)

    def verifying(
        self, *, source: ArtifactSource | None = None, progress: Callable[[int], None] | None = None
    ) -> VerifyingService:
        """Verifying of files, or of what another source gives; needs no store."""
        from signkit.operations.verify import VerifyingService

        source = source or FileSource(progress=progress)
        return VerifyingService(source, clock=self.clock, system_trust=_system_trust)

    def manifests(
        self, *, jobs: int = 0, progress: Callable[[int], None] | None = None, stamper: Stamper | None = None
    ) -> ManifestService:
        """Manifests of folders; see ``wiring.manifests``."""
        from signkit.wiring import manifests

        return manifests.service(self, jobs=jobs, progress=progress, stamper=stamper)

    def revocation_source(self) -> RevocationSource:
        """Asks the servers that certificates name, within the configured limits."""
        from signkit.wiring import network

        return network.revocation_source(self.settings)

    @property
    def verify_policy(self) -> str | None:
        """The policy file that the configuration names, or None. Its path is relative to the configuration file."""
        return self._beside_config(self.settings.verify_policy) or None

    @property
    def sign_policy(self) -> str:
        """The policy file that signatures must satisfy by the configuration, empty when it names none."""
        return self._beside_config(self.settings.sign_policy)

    def _beside_config(self, path: str) -> str:
        return path and os.path.join(os.path.dirname(self._config_path), path)

    def paths(self) -> PathService:
        """Validating of certification paths; needs no store."""
        from signkit.operations.validate import PathService

        return PathService(FileSource(), clock=self.clock)

    def certificates_of(self, what: str) -> list[Certificate]:
        """The certificates in a file, which needs no store, or of a key version (``KEY@V``) with its chain."""
        from signkit.keys.reference import parse_key_version
        from signkit.operations.certificates import read_certificates

        if "@" in what and not os.path.exists(what):
            return self.certificates.with_chain(parse_key_version(what))
        return read_certificates(FileSource(), what)

    def sign_references(self, keys: Sequence[str]) -> list[KeyReference]:
        """The key versions to sign with: the named ones, else those in the configuration.

        Raises:
            UsageError: there is none, or one has another form.
        """
        from signkit.keys.reference import parse_key_version

        named = keys or self.settings.sign_key
        if not named:
            raise UsageError(
                "found 0 keys to sign with, expected one",
                hint="name it with --key KEY@V, or as key in [sign] of signkit.toml",
            )
        return [parse_key_version(one) for one in named]

    def create_lab(self, folder: str, *, dry_run: bool = False) -> list[str]:
        """A throwaway authority in a folder; returns the files it consists of."""
        from signkit.wiring import lab

        return lab.create(folder, now=self.clock(), dry_run=dry_run)

    def revoke_in_lab(
        self, folder: str, certificate: str | None, *, reason: str, when: datetime | None, dry_run: bool
    ) -> Published:
        """Fresh CRLs of the throwaway authority, after revoking a certificate (file or ``KEY@V``) when one is named."""
        from signkit.wiring import lab

        found = self.certificates_of(certificate)[0] if certificate else None
        return lab.revoke(folder, found, reason=reason, when=when, now=self.clock(), dry_run=dry_run)

    def issue_in_lab(self, folder: str, request: str, *, days: int, base_url: str = "") -> list[Certificate]:
        """A certificate by the throwaway authority, followed by the issuing one's; see ``wiring.lab.issue``."""
        from signkit.wiring import lab

        return lab.issue(folder, request, days=days, base_url=base_url, now=self.clock())

    def lab_server(self, folder: str, address: str) -> LabServer:
        """The services of the throwaway authority in a folder on ``HOST:PORT``, not yet running."""
        from signkit.wiring import lab

        return lab.server(folder, address, clock=self.clock)

    def doctor(self) -> list[Finding]:
        """What works here."""
        from signkit.wiring import doctor

        return doctor.findings(self)


def new_id() -> str:
    """A new UUID."""
    return str(uuid.uuid4())


def _system_trust() -> tuple[bytes, ...]:
    from signkit.system_trust import certificates

    return certificates()
