"""Expiry dates as an iCalendar file (RFC 5545), so that a calendar reminds whoever must renew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from signkit.x509.certificate import Certificate

_PRODUCT = "-//signkit//expiry//EN"
_LINE = 75
"""Most octets of a line, without its end (section 3.1)."""


class Event(NamedTuple):
    """Something that happens at a moment.

    Attributes:
        uid: stable name; the same event in a later file has the same.
        at: when, aware UTC.
        summary: one line.
        description: several lines.
    """

    uid: str
    at: datetime
    summary: str
    description: str


def expiry(kind: str, certificate: Certificate, used_by: Sequence[str]) -> Event:
    """The end of a certificate.

    Args:
        kind: what runs out with it, for example ``signature``.
        certificate: the certificate.
        used_by: what depends on it.
    """
    description = [
        f"Subject: {certificate.subject}",
        f"Issuer: {certificate.issuer}",
        f"Serial number: {certificate.serial_number:x}",
        f"Certificate SHA-256: {certificate.fingerprint}",
        f"Used by: {', '.join(used_by)}",
    ]
    uid = f"{kind.replace(' ', '-')}-{certificate.fingerprint}@signkit"
    summary = f"{kind} runs out: {certificate.subject.short}"
    return Event(uid, certificate.not_after, summary, "\n".join(description))


def calendar(events: Iterable[Event], *, now: datetime, before: timedelta) -> bytes:
    """An iCalendar object with an alarm for each event.

    Args:
        events: the events.
        now: when the file was made, aware UTC.
        before: how long before an event to remind.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for event in events:
        lines += _event(event, now, before)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(event: Event, now: datetime, before: timedelta) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{_time(now)}",
        f"DTSTART:{_time(event.at)}",
        f"SUMMARY:{_text(event.summary)}",
        f"DESCRIPTION:{_text(event.description)}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(event.summary)}",
        f"TRIGGER:-PT{int(before.total_seconds() // 60)}M",
        "END:VALARM",
        "END:VEVENT",
    ]


def _time(moment: datetime) -> str:
    return f"{moment.year:04}{moment:%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A TEXT value (section 3.3.11); other control characters can't be written at all."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return "".join(c for c in escaped if c.isprintable())


def _folded(line: str) -> bytes:
    """A content line in pieces of at most 75 octets, never cut inside a character."""
    pieces, current = [], b""
    for character in line:
        encoded = character.encode()
        if len(current) + len(encoded) > _LINE:
            pieces.append(current)
            current = b" "
        current += encoded
    return b"\r\n".join([*pieces, current]) + b"\r\n"
