"""The door of the key service: what decides, what a refusal says, and what is on record of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from signkit.audit.entry import AuditEntry
from signkit.errors import AccessDeniedError, NotFoundError, StoreError
from signkit.keys.model import Permission
from signkit.keys.reference import KeyReference, parse_key
from tests.support.fakes import MemoryStore
from tests.support.house import DIGEST, RELEASE, RELEASE_1, House


def document(effect: str = "Allow", action: str = "kms:*", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"} | more
    return json.dumps({"Version": "1", "Statement": [statement]})


def may_sign(house: House, principal: str = "os:bob", source: str = "") -> bool:
    try:
        with house.service(principal, source=source).use.signing(RELEASE_1, "ECDSA_SHA_256"):
            return True
    except AccessDeniedError:
        return False


def test_an_unknown_key_is_reported_before_permission_is_asked_for() -> None:
    """As KMS does: 404 before 403."""
    house = House()
    with pytest.raises(NotFoundError):
        house.service("os:bob").directory.key(parse_key("alias/not-there"))
    [entry] = house.store.entries[1:]
    assert (entry.action, entry.result, entry.detail) == ("DescribeKey", "Forbidden.AliasNotFound", "alias/not-there")


def test_a_role_for_one_key_is_for_that_key() -> None:
    house = House()
    other, _version = house.keys.create_key("EC_P256", provider="memory")
    house.allow("os:bob", "signer", f"acs:kms:local:{house.store.id}:key/{house.key.id}")
    bob = house.service("os:bob")
    assert may_sign(house)
    assert bob.directory.key(RELEASE) == house.key
    for act in (
        lambda: bob.directory.key(KeyReference(other.id, None)),
        lambda: bob.directory.keys(),
        lambda: bob.lifecycle.disable(RELEASE),
    ):
        with pytest.raises(AccessDeniedError):
            act()


def test_an_administrator_does_not_sign_and_a_signer_does_not_administer() -> None:
    house = House()
    house.allow("os:carol", "administrator")
    house.allow("os:bob", "signer")
    assert (may_sign(house, "os:carol"), may_sign(house, "os:bob")) == (False, True)
    house.service("os:carol").lifecycle.disable(RELEASE)
    house.service("os:carol").lifecycle.enable(RELEASE)
    with pytest.raises(AccessDeniedError):
        house.service("os:bob").lifecycle.disable(RELEASE)


def test_a_denial_outweighs_everything_and_is_named() -> None:
    house = House()
    house.allow("os:bob", "signer")
    house.attach("os:bob", document("Deny", "kms:AsymmetricSign", Sid="not-on-fridays"))
    with pytest.raises(
        AccessDeniedError, match=r"denied by statement 1 \(not-on-fridays\) of document 'os:bob "
    ) as caught:
        house.service("os:bob").use.sign(RELEASE_1, "ECDSA_SHA_256", [])
    assert f"permission simulate os:bob AsymmetricSign {house.key.id}" in caught.value.hint
    assert "os:alice may attach" in caught.value.hint


def test_the_hint_names_the_role_where_the_caller_can_help_himself() -> None:
    house = House()
    house.allow("os:carol", "administrator")
    with pytest.raises(AccessDeniedError) as caught:
        house.service("os:carol").use.sign(RELEASE_1, "ECDSA_SHA_256", [])
    assert caught.value.hint == "'signkit permission attach os:carol --role signer' would allow it"


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"kms:tag/team": "release"}}, True),
        ({"StringEquals": {"kms:tag/team": "other"}}, False),
        ({"StringEquals": {"kms:Algorithm": "ECDSA_SHA_256"}}, True),
        ({"StringEquals": {"kms:Algorithm": "ECDSA_SHA_384"}}, False),
        ({"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}, True),
        ({"IpAddress": {"acs:SourceIp": "192.0.2.0/24"}}, False),
        ({"DateLessThan": {"acs:CurrentTime": "2000-01-01T00:00:00Z"}}, False),
        ({"DateGreaterThan": {"acs:CurrentTime": "2000-01-01T00:00:00Z"}}, True),
    ],
)
def test_conditions_see_the_request(condition: dict[str, Any], allowed: bool) -> None:
    house = House()
    house.keys.lifecycle.tag(RELEASE, {"team": "release"})
    house.attach("os:bob", document(Condition=condition))
    assert may_sign(house, source="10.1.2.3") is allowed


def test_the_default_algorithm_is_what_conditions_see() -> None:
    """``sign`` names no algorithm; the one it will use is what is permitted or not."""
    house = House()
    house.attach("os:bob", document("Deny", Condition={"StringEquals": {"kms:Algorithm": "ECDSA_SHA_256"}}))
    house.allow("os:bob", "signer")
    with pytest.raises(AccessDeniedError), house.service("os:bob").use.signing(RELEASE_1):
        pass


def test_the_keys_own_policy_allows_and_denies() -> None:
    house = House()
    statement = {"Effect": "Allow", "Action": "kms:AsymmetricSign", "Resource": "*", "Principal": {"RAM": ["os:bob"]}}
    own = json.dumps({"Version": "1", "Statement": [statement]})
    house.store._keys[house.key.id] = house.key._replace(policy=own)
    assert (may_sign(house), may_sign(house, "os:carol")) == (True, False)
    denying = json.dumps({"Version": "1", "Statement": [statement | {"Effect": "Deny"}]})
    house.store._keys[house.key.id] = house.key._replace(policy=denying)
    house.allow("os:bob", "signer")
    assert not may_sign(house)


def test_a_change_of_permissions_holds_from_the_next_operation_on() -> None:
    house = House()
    bob = house.service("os:bob")
    house.keys.permissions.attach_role("os:bob", "signer")
    bob.use.sign(RELEASE_1, "ECDSA_SHA_256", [])
    house.keys.permissions.detach("os:bob", "signer")
    with pytest.raises(AccessDeniedError):
        bob.use.sign(RELEASE_1, "ECDSA_SHA_256", [])


@pytest.mark.parametrize("text", ["", "{", "{}", '{"Version": "2"}', document(Effect="Perhaps")])
def test_a_damaged_document_refuses_everything_and_says_so(text: str) -> None:
    house = House()
    house.attach("os:alice", text)
    with pytest.raises(AccessDeniedError, match="a document in the store is damaged: permission document 'os:alice "):
        house.sign()
    assert house.actions()[1:] == [("AsymmetricSign", "Forbidden.NoPermission")]


def test_a_damaged_policy_of_a_key_refuses_what_is_about_the_key() -> None:
    house = House()
    house.store._keys[house.key.id] = house.key._replace(policy="{")
    with pytest.raises(AccessDeniedError, match=f"policy of key {house.key.id}"):
        house.sign()
    house.keys.create_key("EC_P256", provider="memory")


def test_nobody_is_told_who_helps_when_nobody_can() -> None:
    house = House(MemoryStore())
    house.store._permissions.clear()
    with pytest.raises(AccessDeniedError) as caught:
        house.sign()
    assert "nobody else may attach" in caught.value.hint


class ForgetfulStore(MemoryStore):
    """A store that records nothing more."""

    full = False

    def record(self, entries: Sequence[AuditEntry]) -> int:
        if self.full:
            raise StoreError("the store is full")
        return super().record(entries)


def test_a_refusal_that_can_not_be_recorded_is_still_the_refusal() -> None:
    house = House(store := ForgetfulStore())
    store.full = True
    with pytest.raises(AccessDeniedError) as caught:
        house.service("os:bob").directory.key(RELEASE)
    assert caught.value.__notes__ == ["this could not be recorded: the store is full"]


def test_reading_is_not_recorded_and_handing_out_a_public_key_is() -> None:
    house = House()
    house.keys.directory.keys()
    house.keys.directory.key(RELEASE)
    house.keys.directory.versions(RELEASE)
    house.keys.directory.version(RELEASE_1)
    house.keys.directory.aliases()
    assert house.actions()[1:] == []
    house.keys.directory.public_key(RELEASE_1)
    assert house.actions()[1:] == [("GetPublicKey", "ok")]


def test_two_thousand_files_are_authorised_once_per_call() -> None:
    class CountingStore(MemoryStore):
        asked = 0

        def permissions(self, principal: str | None = None) -> list[Permission]:
            self.asked += 1
            return super().permissions(principal)

    house = House(store := CountingStore())
    store.asked = 0
    house.sign(*[DIGEST] * 50)
    assert store.asked == 1


def test_a_listing_shows_only_what_may_be_described() -> None:
    house = House()
    house.keys.create_key("EC_P256", provider="memory")
    mine = f"acs:kms:local:{house.store.id}:key/{house.key.id}"
    house.attach("os:bob", document(Action="kms:ListKeys"))
    assert house.service("os:bob").directory.keys() == []
    house.attach("os:bob", document(Action="kms:DescribeKey", Resource=mine))
    assert house.service("os:bob").directory.keys() == [house.key]


def test_time_is_that_of_the_request() -> None:
    house = House()
    until = (house.clock.now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    house.attach("os:bob", document(Condition={"DateLessThan": {"acs:CurrentTime": until}}))
    assert may_sign(house)
    house.clock.now += timedelta(hours=1)
    assert not may_sign(house)
