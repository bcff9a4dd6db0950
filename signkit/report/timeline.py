"""When certificates are valid and when things happened, as places on one line: what reports draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from signkit.report.findings import Document

WIDTH = 1000.0


class Event(NamedTuple):
    """A moment on the line. ``kind`` = ``now``, ``timestamp`` or ``revoked``."""

    kind: str
    label: str
    at: datetime


class Span(NamedTuple):
    """The part of time that is drawn, both ends included."""

    start: datetime
    end: datetime

    def place(self, at: datetime) -> float:
        """Where a moment stands, 0 to ``WIDTH``; moments outside stand at the edge."""
        inside = min(max(at, self.start), self.end)
        return WIDTH * ((inside - self.start) / (self.end - self.start))

    def width(self, start: datetime, end: datetime) -> float:
        """How wide a stretch of time is; at least so wide that it can be seen."""
        return max(2.0, self.place(end) - self.place(start))


def moment(text: str) -> datetime:
    """The moment of an RFC 3339 time in UTC as reports write it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def events(signer: Document, checks: Iterable[Document], now: str) -> list[Event]:
    """What happened: when it was judged, when a token says it was signed, when a certificate was revoked."""
    found = [Event("now", "judged at", moment(now))]
    timestamp = signer.get("timestamp") or {}
    if timestamp.get("time"):
        found.append(Event("timestamp", "timestamp", moment(timestamp["time"])))
    for check in checks:
        date = check["facts"].get("revocation_date")
        if check["name"].startswith("revocation.") and check["verdict"] == "fail" and date:
            found.append(
                Event("revoked", f"certificate {check['name'].removeprefix('revocation.')} revoked", moment(date))
            )
    return found


def span(path: Sequence[Document], happened: Iterable[Event]) -> Span | None:
    """The time that the certificates of a path and the events take up; None when there is none to draw."""
    moments = [moment(one[name]) for one in path for name in ("not_before", "not_after")]
    moments += [event.at for event in happened]
    start, end = min(moments), max(moments)
    return Span(start, end) if end > start else None
