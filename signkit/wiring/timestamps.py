"""Time-stamping authorities by their URLs, and what works with them."""

from __future__ import annotations

import os.path
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from signkit.errors import UsageError
from signkit.files import FileSink, FileSource

if TYPE_CHECKING:
    from signkit.config import Settings
    from signkit.lab.timestamping import TimeStampingAuthority
    from signkit.operations.long_term import LongTerm
    from signkit.operations.timestamp import SignatureStamper, Stamping
    from signkit.operations.timestamp_files import TimestampService
    from signkit.ports import Clock, RevocationSource, TimestampAuthority

LAB = "lab:"
"""Beginning of a URL that names the throwaway authority in a folder: it stamps in this process, without a network."""


class _LabTimestampAuthority:
    """The throwaway authority; see ``ports.network.TimestampAuthority``."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._made: TimeStampingAuthority | None = None

    def ask(self, request: bytes) -> bytes:
        from signkit.lab import folder, timestamping

        if self._made is None:
            authority = folder.load(self.url.removeprefix(LAB), FileSource())
            self._made = timestamping.create(authority, clock=self._clock, random=secrets.token_bytes)
        return self._made.answer(request)


class Timestamps:
    """Who gives timestamps, and what works with them."""

    def __init__(
        self, settings: Settings, base: str, *, clock: Clock, revocation_source: Callable[[], RevocationSource]
    ) -> None:
        """Take the configuration.

        Args:
            settings: authorities, their anchors, limits of the network.
            base: folder that paths in the settings are relative to.
            clock: the present.
            revocation_source: makes what asks the servers that certificates name.
        """
        self._settings = settings
        self._base = base
        self._clock = clock
        self._revocation_source = revocation_source

    @property
    def service(self) -> TimestampService:
        """Timestamps in signature files that exist; needs no store."""
        from signkit.operations.timestamp_files import TimestampService

        return TimestampService(FileSource(), FileSink())

    def stamping(self, urls: Sequence[str], tsa_trust: Sequence[str], *, policy: str = "") -> Stamping | None:
        """Asks the named authorities, else the configured ones; None when there are none.

        Args:
            urls: ``http:``, ``https:`` or ``lab:DIR``, tried in this order.
            tsa_trust: files with trust anchors for them; empty = those of the configuration, else none are judged by.
            policy: the TSA policy to ask for (dotted), empty = any.

        Raises:
            UsageError: the policy is not an object identifier.
            FileError: a file can't be read.
            MalformedError: a file holds no certificate.
        """
        named = dict.fromkeys(urls or self._settings.timestamp)
        if not named:
            return None
        from signkit.operations import evidence_files
        from signkit.operations.timestamp import Stamping, StampOptions

        files = tsa_trust or [os.path.join(self._base, path) for path in self._settings.tsa_trust]
        options = StampOptions(policy=policy, trust_anchors=evidence_files.certificates(FileSource(), files))
        authorities = [_authority(url, self._settings, self._clock) for url in named]
        return Stamping(authorities, options, clock=self._clock, random=secrets.token_bytes)

    def stamper(
        self, urls: Sequence[str], tsa_trust: Sequence[str], *, policy: str, optional: bool, format: str
    ) -> SignatureStamper | None:
        """Stamps each signature as it is made; None when nobody is to be asked.

        Raises:
            UsageError: an authority is named for bare signature values, which have no place for a timestamp.
        """
        if format == "raw":
            if urls:
                raise UsageError("--timestamp and --format raw, expected one: a bare signature has no place for it")
            return None
        found = self.stamping(urls, tsa_trust, policy=policy)
        if found is None:
            return None
        from signkit.operations.timestamp import SignatureStamper

        return SignatureStamper(found, optional=optional)

    def long_term(
        self,
        *,
        trust: Sequence[str],
        tsa_trust: Sequence[str],
        intermediates: Sequence[str],
        crls: Sequence[str],
        ocsp_responses: Sequence[str],
        online: bool,
    ) -> LongTerm:
        """Completes signature files with what is in these files, and with what servers say when they may be asked.

        Raises:
            UsageError: no trust anchor.
            FileError: a file can't be read.
            MalformedError: a file holds something else.
        """
        from signkit.operations import evidence_files
        from signkit.operations.long_term import LongTerm, LongTermInputs

        files = FileSource()
        inputs = LongTermInputs(
            trust_anchors=evidence_files.certificates(files, trust),
            tsa_trust_anchors=evidence_files.certificates(files, tsa_trust),
            intermediates=evidence_files.certificates(files, intermediates),
            crls=evidence_files.crls(files, crls),
            ocsp_responses=evidence_files.ocsp_responses(files, ocsp_responses),
        )
        return LongTerm(inputs, self._revocation_source() if online else None, clock=self._clock)


def _authority(url: str, settings: Settings, clock: Clock) -> TimestampAuthority:
    if url.startswith(LAB):
        return _LabTimestampAuthority(url, clock)
    from signkit.net import tsa
    from signkit.net.http import HttpClient

    limit = min(tsa.MAXIMUM_BYTES, settings.maximum_bytes)
    client = HttpClient(timeout_seconds=settings.timeout_seconds, maximum_bytes=limit)
    return tsa.HttpTimestampAuthority(url, client)
