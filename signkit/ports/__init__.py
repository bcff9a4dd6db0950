"""What the operations need from the outside, as protocols. Adapters live in providers, custody, store and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from signkit.ports.files import ArtifactSource, Digests, OutputSink, Tree, TreeEntry, Workers
from signkit.ports.network import FetchedEvidence, RevocationSource, TimestampAuthority
from signkit.ports.provider import CreatedKey, Provider
from signkit.ports.store import NO_INTERVAL, OpenRecord, Store

if TYPE_CHECKING:
    from signkit.keys.sealing import RootSecret

__all__ = [
    "NO_INTERVAL",
    "ArtifactSource",
    "Clock",
    "CreatedKey",
    "Digests",
    "FetchedEvidence",
    "OpenRecord",
    "OutputSink",
    "Provider",
    "RevocationSource",
    "RootKey",
    "Store",
    "TimestampAuthority",
    "Tree",
    "TreeEntry",
    "TrustStore",
    "Workers",
]

Clock = Callable[[], datetime]
"""The present as an aware UTC time."""

TrustStore = Callable[[], tuple[bytes, ...]]
"""DER of the trust anchors of a platform, or an UnavailableError when they can't be had."""


class RootKey(Protocol):
    """Where the root key of a store comes from. Making one reads nothing and asks nothing yet."""

    @property
    def uri(self) -> str:
        """``SCHEME:LOCATION`` to find it again from any current folder; no secret."""

    def create(self) -> RootSecret:
        """The root key for a new store, made when there is none yet; what exists is never overwritten.

        Raises:
            RootKeyError: it could not be made, or what exists is not acceptable.
        """

    def load(self) -> RootSecret:
        """The root key of an existing store.

        Raises:
            RootKeyError: it could not be had, or is not private.
        """
