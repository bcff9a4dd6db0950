"""The calendar of expiry dates, read back by an independent iCalendar library."""

from __future__ import annotations

from datetime import timedelta

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.report import calendar
from signkit.report.calendar import Event
from signkit.x509 import certificate
from tests.support import pki


def read(data: bytes) -> list[icalendar.Event]:
    loaded = icalendar.Calendar.from_ical(data)
    assert not loaded.errors
    return list(loaded.walk("VEVENT"))


def check_form(data: bytes) -> None:
    """RFC 5545 section 3.1: CRLF everywhere, no line of more than 75 octets, UTF-8 that is never cut."""
    assert data.endswith(b"\r\n")
    for line in data[:-2].split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line and b"\r" not in line
        line.decode()


def test_an_end_is_an_event_with_an_alarm() -> None:
    leaf = certificate.load(pki.chain().leaf)
    event = calendar.expiry("certificate", leaf, ["alias/release@1", "b"])
    data = calendar.calendar([event], now=pki.NOW, before=timedelta(days=30))
    check_form(data)
    (found,) = read(data)
    assert found.decoded("dtstart") == leaf.not_after
    assert found.decoded("dtstamp") == pki.NOW
    assert str(found["uid"]) == f"certificate-{leaf.fingerprint}@signkit"
    assert str(found["summary"]) == "certificate runs out: CN=Test Signer"
    assert f"Subject: {leaf.subject}\n" in str(found["description"])
    assert str(found["description"]).endswith("Used by: alias/release@1, b")
    (alarm,) = found.walk("VALARM")
    assert alarm.decoded("trigger") == timedelta(days=-30)
    assert calendar.calendar([event], now=pki.NOW, before=timedelta(days=30)) == data


def test_nothing_to_come_is_a_calendar_too() -> None:
    data = calendar.calendar([], now=pki.NOW, before=timedelta(days=30))
    check_form(data)
    assert read(data) == []


@pytest.mark.parametrize(
    "text",
    [
        "a,b;c\\d\\ne",
        "a\nb",
        "Zoë " * 40,
        "签名" * 60,
        "x" * 500,
        "BEGIN:VEVENT",
        "a\r\nEND:VCALENDAR",
        "a\x00\x07b\u202e",
    ],
)
def test_texts_are_escaped_and_folded(text: str) -> None:
    event = Event("uid@signkit", pki.NOW, text.replace("\n", " "), text)
    data = calendar.calendar([event], now=pki.NOW, before=timedelta(hours=1))
    check_form(data)
    (found,) = read(data)
    assert str(found["description"]) == "".join(c for c in text if c.isprintable() or c == "\n")


@given(st.text(max_size=300))
def test_any_text_stays_one_event(text: str) -> None:
    event = Event("uid@signkit", pki.NOW, text, text)
    data = calendar.calendar([event, event._replace(uid="other@signkit")], now=pki.NOW, before=timedelta(hours=1))
    check_form(data)
    assert [str(found["uid"]) for found in read(data)] == ["uid@signkit", "other@signkit"]
