"""Time-stamping authorities by their URLs, and what works with them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from signkit.files import FileSource

if TYPE_CHECKING:
    from signkit.config import Settings
    from signkit.lab.timestamping import TimeStampingAuthority
    from signkit.operations.long_term import LongTerm
    from signkit.operations.timestamp import Stamping
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


def stamping(
    urls: Sequence[str], tsa_trust: Sequence[str], *, policy: str, settings: Settings, clock: Clock
) -> Stamping | None:
    """Asks the authorities at these URLs; None when there is no URL.

    Args:
        urls: ``http:``, ``https:`` or ``lab:DIR``, tried in this order.
        tsa_trust: files with trust anchors for them; empty = their paths are not judged.
        policy: the TSA policy to ask for (dotted), empty = any.
        settings: limits of the network.
        clock: the present.

    Raises:
        UsageError: the policy is not an object identifier.
        FileError: a file can't be read.
        MalformedError: a file holds no certificate.
    """
    if not urls:
        return None
    from signkit.operations import evidence_files
    from signkit.operations.timestamp import Stamping, StampOptions

    anchors = evidence_files.certificates(FileSource(), tsa_trust)
    options = StampOptions(policy=policy, trust_anchors=anchors)
    authorities = [_authority(url, settings, clock) for url in dict.fromkeys(urls)]
    return Stamping(authorities, options, clock=clock, random=secrets.token_bytes)


def _authority(url: str, settings: Settings, clock: Clock) -> TimestampAuthority:
    if url.startswith(LAB):
        return _LabTimestampAuthority(url, clock)
    from signkit.net import tsa
    from signkit.net.http import HttpClient

    limit = min(tsa.MAXIMUM_BYTES, settings.maximum_bytes)
    client = HttpClient(timeout_seconds=settings.timeout_seconds, maximum_bytes=limit)
    return tsa.HttpTimestampAuthority(url, client)


def long_term(
    *,
    trust: Sequence[str],
    tsa_trust: Sequence[str],
    intermediates: Sequence[str],
    crls: Sequence[str],
    ocsp_responses: Sequence[str],
    source: RevocationSource | None,
    clock: Clock,
) -> LongTerm:
    """Completes signature files with what is in these files, and with what the source finds.

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
    return LongTerm(inputs, source, clock=clock)
