"""What asks servers, within the configured limits."""

from __future__ import annotations

import os

from signkit.config import Settings
from signkit.files import FileSink, FileSource
from signkit.net.http import HttpClient
from signkit.ports import RevocationSource


def http(settings: Settings) -> HttpClient:
    """A client for one run."""
    return HttpClient(timeout_seconds=settings.timeout_seconds, maximum_bytes=settings.maximum_bytes)


def revocation_source(settings: Settings) -> RevocationSource:
    """Asks the servers that certificates name; answers are kept in the user's cache folder."""
    import platformdirs

    from signkit.net.revocation import EvidenceCache, NetworkRevocationSource

    folder = os.path.join(platformdirs.user_cache_dir("signkit", appauthor=False), "revocation")
    return NetworkRevocationSource(http(settings), cache=EvidenceCache(folder, FileSource(), FileSink()))
