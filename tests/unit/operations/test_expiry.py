"""What runs out: in order, with what depends on it, and due only where something still needs it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from signkit import algorithms, formats
from signkit.algorithms import digests
from signkit.der import oids, writer
from signkit.errors import UsageError
from signkit.formats.base import SignedPart
from signkit.keys.model import KeyState
from signkit.keys.reference import parse_key_version
from signkit.operations import expiry
from signkit.operations.expiry import Kind
from signkit.x509 import certificate
from tests.support import pki
from tests.support.cms_builder import signature, signer
from tests.support.onboarding import House

DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    return House()


def watch(house: House, *signatures: str, within: timedelta = 30 * DAY) -> expiry.Watched:
    listed = house.certificates.certificates()
    return expiry.watch(listed, house.files, signatures, now=house.now, within=within)  # type: ignore[arg-type]


def ending(house: House, reference: str, days: int, **changes: Any) -> bytes:
    return house.certify(reference, not_after=house.now + days * DAY, not_before=house.now - 400 * DAY, **changes)


def p7s(leaf: bytes, key: pki.Key, *chain: bytes) -> bytes:
    chosen = formats.format_named("cms")
    ready = chosen.prepare(certificate.load(leaf), chain, algorithms.signature_algorithm("EC_P256"), "sha256")
    tbs = chosen.to_be_signed(ready, digests.digest("sha256", b"artifact"), pki.NOW)
    return chosen.assemble([SignedPart(ready, tbs, key.sign(tbs))])


@pytest.mark.parametrize(
    ("text", "length"),
    [("30d", 30 * DAY), ("12h", DAY / 2), ("4w", 28 * DAY), ("0d", 0 * DAY), ("99999d", 99999 * DAY)],
)
def test_windows(text: str, length: timedelta) -> None:
    assert expiry.parse_window(text) == length


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 d", "30days", "1000000d", "٣d"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(UsageError, match="expected a number with d, h or w"):
        expiry.parse_window(text)


def test_the_soonest_comes_first_with_all_that_depends_on_it(house: House) -> None:
    first, other = house.key("release"), house.key("other")
    ending(house, first, 40)
    ending(house, other, 20)
    found = watch(house)
    assert [item.days for item in found.items] == [20, 40, found.items[2].days]
    assert [item.kind for item in found.items] == [Kind.CERTIFICATE, Kind.CERTIFICATE, Kind.ISSUER]
    assert [item.due for item in found.items] == [True, False, False]
    assert len(found.items[2].used_by) == 2  # the issuing CA stands there once
    assert found.exit_status == 15


@pytest.mark.parametrize(
    ("left", "due"), [(30 * DAY, True), (30 * DAY + timedelta(seconds=1), False), (timedelta(), True), (-DAY, True)]
)
def test_the_edge_of_the_window(house: House, left: timedelta, due: bool) -> None:
    key = house.key()
    house.certify(key, not_before=house.now - 9 * DAY, not_after=house.now + left)
    found = watch(house)
    assert found.items[0].due is due
    assert found.exit_status == (15 if due else 0)


@pytest.mark.parametrize("why", ["replaced", "version disabled", "key disabled"])
def test_what_nobody_uses_is_listed_and_not_due(house: House, why: str) -> None:
    key = house.key()
    old = ending(house, key, 3)
    if why == "replaced":
        house.certify(key, not_before=house.now - DAY, not_after=house.now + 300 * DAY)
    elif why == "version disabled":
        house.disable(key)
    else:
        found_key = house.keys.directory.version(parse_key_version(key))[0]
        house.store.update_key(found_key, found_key._replace(state=KeyState.DISABLED), [])
    found = watch(house)
    assert found.items[0].certificate.der == old
    assert not found.items[0].in_use
    assert found.exit_status == 0


def test_an_issuing_certificate_that_ends_before_the_leaf_is_due(house: House) -> None:
    key = house.key()
    issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), not_after=house.now + 9 * DAY)
    house.import_(key, house.leaf(key), issuing)
    found = watch(house)
    assert (found.items[0].kind, found.items[0].due) == (Kind.ISSUER, True)


def test_signatures_end_with_their_certificate_unless_they_have_a_timestamp(house: House) -> None:
    key = pki.key(3)
    leaf = pki.leaf(pki.SIGNER, key, pki.ISSUING, pki.key(2), not_after=house.now + 9 * DAY)
    stamped = signature(signer(unsigned=((oids.SIGNATURE_TIME_STAMP, (writer.sequence(),)),)))
    house.files.contents |= {"a.p7s": p7s(leaf, key), "b.p7s": p7s(leaf, key), "c.p7s": stamped, "d.p7s": b"\x30\x00"}
    found = watch(house, "a.p7s", "b.p7s", "c.p7s", "d.p7s", "e.p7s")
    (item,) = found.items
    assert (item.kind, item.used_by, item.days, item.due) == (Kind.SIGNATURE, ("a.p7s", "b.p7s"), 9, True)
    assert found.timestamped == ("c.p7s",)
    assert [line.partition(":")[0] for line in found.unreadable] == ["d.p7s", "e.p7s"]
    assert found.exit_status == 15
    assert watch(house, "d.p7s").exit_status == 3
    assert watch(house, "c.p7s").exit_status == 0


def test_a_file_that_is_no_signature_is_not_passed_over(house: House) -> None:
    house.files.contents |= {"a.p7s": pki.chain().leaf}
    assert "no signature" in watch(house, "a.p7s").unreadable[0]


def test_signing_warns_in_time() -> None:
    leaf = certificate.load(pki.chain().leaf)
    assert not expiry.signing_warning(leaf, now=leaf.not_after - 15 * DAY, days=14)
    for left in (14, 1):
        assert f"in {left} days" in expiry.signing_warning(leaf, now=leaf.not_after - left * DAY, days=14)
    assert not expiry.signing_warning(leaf, now=leaf.not_after - timedelta(hours=1), days=0)
