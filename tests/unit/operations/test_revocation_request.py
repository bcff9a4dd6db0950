"""The letter about a compromised key: every certificate that must be revoked, and a date that can be."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from signkit.errors import NotFoundError, UsageError, VersionRequiredError
from signkit.keys.reference import parse_key_version
from signkit.operations import revocation_request
from signkit.x509 import certificate
from tests.support import pki
from tests.support.onboarding import House

DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    return House()


def draft(house: House, reference: str, at: datetime) -> revocation_request.RevocationRequest:
    parsed = parse_key_version(reference)
    return revocation_request.draft(house.keys, house.certificates, parsed, compromised_at=at, now=house.now)


def test_it_names_every_certificate_that_is_valid(house: House) -> None:
    key = house.key()
    expired = house.certify(key, not_before=house.now - 90 * DAY, not_after=house.now + DAY)
    first = house.certify(key, not_before=house.now - 3 * DAY, not_after=house.now + 90 * DAY)
    second = house.certify(key, not_before=house.now - 2 * DAY, not_after=house.now + 90 * DAY)
    house.disable(key)
    house.now += 2 * DAY
    at = house.now - DAY
    made = draft(house, key, at)
    assert [one.der for one in made.certificates] == [second, first]
    for der in (first, second):
        loaded = certificate.load(der)
        for part in (
            f"{loaded.serial_number:x}",
            loaded.fingerprint,
            loaded.public_key_fingerprint,
            str(loaded.issuer),
        ):
            assert part in made.text
    assert certificate.load(expired).fingerprint not in made.text
    assert f"Requested revocation date: {at:%Y-%m-%dT%H:%M:%SZ}" in made.text
    assert f"Please revoke by: {house.now + DAY:%Y-%m-%dT%H:%M:%SZ}" in made.text
    assert "keyCompromise" in made.text
    assert "is disabled, it must stay so" in made.advice


def test_names_that_mislead_are_written_escaped(house: House) -> None:
    key = house.key()
    subject = "CN=Acme\u202e\nIssuer: nobody"
    house.certify(key, subject=subject)
    text = draft(house, key, house.now).text
    assert "\u202e" not in text
    assert "\nIssuer: nobody" not in text


def test_dates_that_can_t_be(house: House) -> None:
    key = house.key()
    house.certify(key)
    with pytest.raises(UsageError, match="after now"):
        draft(house, key, house.now + timedelta(seconds=1))
    with pytest.raises(UsageError, match="made only at"):
        draft(house, key, house.now - timedelta(seconds=1))
    assert "key disable" in draft(house, key, house.now).advice


def test_what_it_needs(house: House) -> None:
    key = house.key()
    with pytest.raises(NotFoundError):
        draft(house, key, house.now)
    with pytest.raises(VersionRequiredError):
        draft(house, "alias/release", house.now)
    house.certify(key, not_before=pki.NOW - 9 * DAY, not_after=pki.NOW + DAY)
    house.now += 9 * DAY
    with pytest.raises(NotFoundError, match="all of them expired"):
        draft(house, key, house.now)
