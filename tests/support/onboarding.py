"""A key service with certificates over parts in memory, for tests of what lies between a key and its certificate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from signkit.errors import FileError
from signkit.keys.model import VersionState
from signkit.keys.reference import KeyReference, parse_key_version
from signkit.operations import requests
from signkit.operations.certificates import CertificateService, Imported
from signkit.operations.keys import KeyService
from tests.support import pki
from tests.support.fakes import MemoryProvider, MemoryStore


class Files:
    """Files in a dictionary, as an ``ArtifactSource`` reads them."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def read(self, path: str, *, limit: int, what: str) -> bytes:
        if path not in self.contents or len(self.contents[path]) > limit:
            raise FileError(f"{path}: no such file ({what})", path=path)
        return self.contents[path]

    def exists(self, path: str) -> bool:
        return path in self.contents

    def digest(self, path: str, algorithms: Any) -> Any:
        raise NotImplementedError


class House:
    """A store, its keys and certificates, a clock that can be set, and files."""

    def __init__(self, now: datetime = pki.NOW) -> None:
        self.store, self.provider, self.files, self.now = MemoryStore(), MemoryProvider(), Files(), now
        numbers = count(1)
        parts: dict[str, Any] = {
            "clock": self.clock,
            "new_id": lambda: f"00000000-0000-4000-8000-{next(numbers):012}",
            "principal": "os:alice",
        }
        self.keys = KeyService(self.store, {"memory": self.provider}, **parts)  # type: ignore[arg-type]
        self.certificates = CertificateService(self.keys, self.files)  # type: ignore[arg-type]

    def clock(self) -> datetime:
        return self.now

    def key(self, name: str = "release", key_type: str = "EC_P256") -> str:
        """A new key; returns its version 1."""
        self.keys.create_key(key_type, alias=f"alias/{name}", provider="memory")
        return f"alias/{name}@1"

    def version(self, key: str) -> str:
        """The next version of a key."""
        _key, version = self.keys.create_version(KeyReference(key.partition("@")[0], None))
        return f"{key.partition('@')[0]}@{version.number}"

    def public_key(self, reference: str) -> bytes:
        return self.keys.directory.version(parse_key_version(reference))[1].public_key_info

    def leaf(self, reference: str, subject: str = pki.SIGNER, **changes: Any) -> bytes:
        """A certificate for a version by the issuing CA of ``pki.chain``, valid from yesterday for ninety days."""
        times = {"not_before": self.now - timedelta(days=1), "not_after": self.now + timedelta(days=90)}
        return pki.leaf(subject, self.public_key(reference), pki.ISSUING, pki.key(2), **(times | changes))

    def import_(self, reference: str, *files: bytes, passphrase: str = "", dry_run: bool = False) -> Imported:
        """Import files of these contents."""
        names = [f"file-{number}" for number in range(len(files))]
        self.files.contents |= dict(zip(names, files, strict=True))
        parsed = parse_key_version(reference)
        return self.certificates.import_certificate(parsed, names, passphrase=passphrase, dry_run=dry_run)

    def certify(self, reference: str, **changes: Any) -> bytes:
        """Issue and import a certificate with its issuer's; returns it."""
        der = self.leaf(reference, **changes)
        self.import_(reference, pki.as_pem(der, pki.chain().issuing))
        return der

    def request(self, reference: str, subject: str = "CN=Acme Release,O=Acme,C=DE", **options: Any) -> requests.Created:
        return requests.create(self.keys, parse_key_version(reference), subject, **options)

    def on_record(self, reference: str) -> list[bytes]:
        """The certificates of a version, the current one first."""
        listed = self.certificates.certificates(parse_key_version(reference))
        return [one.bound.certificate for one in listed]

    def disable(self, reference: str) -> None:
        _key, version = self.keys.directory.version(parse_key_version(reference))
        self.store.set_version_state(version, VersionState.DISABLED, [])

    def actions(self) -> Sequence[str]:
        return [entry.action for entry in self.store.entries]
