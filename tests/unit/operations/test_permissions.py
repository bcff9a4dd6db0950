"""Permission documents: attach, detach, list, try out, and not to lock everybody out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signkit.errors import AccessDeniedError, ConfigurationError, NotFoundError, RefusedError, UsageError
from signkit.keys import permissions
from signkit.keys.reference import parse_key
from tests.support.fakes import EVERYTHING
from tests.support.house import RELEASE, House


def test_a_role_for_a_key_names_its_id_so_that_it_outlives_the_alias() -> None:
    house = House()
    other, _version = house.keys.create_key("EC_P256", provider="memory")
    service = house.keys.permissions
    service.attach_role("os:bob", "signer", [RELEASE])
    house.keys.aliases.update("alias/release", parse_key(other.id))
    assert service.simulate("os:bob", "AsymmetricSign", parse_key(house.key.id)).decision
    assert not service.simulate("os:bob", "AsymmetricSign", RELEASE).decision


def test_attaching_twice_is_attaching_once() -> None:
    house = House()
    first = house.keys.permissions.attach_role("os:bob", "signer")
    assert house.keys.permissions.attach_role("os:bob", "signer").id == first.id


def test_what_is_attached_is_listed_and_on_record() -> None:
    house = House()
    made = house.keys.permissions.attach_role("os:bob", "verifier")
    house.keys.permissions.attach("os:bob", EVERYTHING)
    [entry, _second] = house.store.entries[1:]
    assert (entry.action, entry.detail, entry.digest_hex[:8]) == ("AttachPermission", "os:bob", made.id)
    assert [one.permission.principal for one in house.keys.permissions.attached()] == ["os:alice", "os:bob", "os:bob"]
    assert [one.id for one in house.keys.permissions.attached("os:bob")][0] == made.id


@pytest.mark.parametrize(
    "principal", ["", "bob", "os:", "os:bob smith", "OS:bob", "os:bob\n", "system", "os:" + "x" * 201]
)
def test_no_principals(principal: str) -> None:
    house = House()
    with pytest.raises(UsageError, match="expected KIND:NAME"):
        house.keys.permissions.attach(principal, EVERYTHING)
    assert house.actions()[1:] == [("AttachPermission", "InvalidParameter")]


@pytest.mark.parametrize("text", ["", "no json", "{}", '{"Version": "1", "Statement": []}'])
def test_no_documents(text: str) -> None:
    house = House()
    with pytest.raises(ConfigurationError):
        house.keys.permissions.attach("os:bob", text)
    assert house.keys.permissions.attached("os:bob") == []


def test_doubts_are_told() -> None:
    statement = {"Effect": "Allow", "Action": "kms:AsymetricSign", "Resource": "*"}
    made = House().keys.permissions.attach("os:bob", json.dumps({"Version": "1", "Statement": [statement]}))
    assert made.doubts == ("statement 1: 'kms:asymetricsign' matches no action of signkit",)


# --- lock-out ---


def test_the_last_who_can_attach_documents_stays() -> None:
    house = House()
    [own] = house.keys.permissions.attached("os:alice")
    denial = EVERYTHING.replace("Allow", "Deny")
    for act in (
        lambda: house.keys.permissions.detach("os:alice", own.id),
        lambda: house.keys.permissions.detach("os:alice", own.id, dry_run=True),
        lambda: house.keys.permissions.attach("os:alice", denial),
    ):
        with pytest.raises(RefusedError, match="nobody could attach") as caught:
            act()
        assert caught.value.code == "Rejected.LockOut"
    house.keys.permissions.attach_role("os:carol", "administrator")
    house.keys.permissions.detach("os:alice", own.id)
    with pytest.raises(AccessDeniedError):
        house.keys.permissions.attached()
    assert house.service("os:carol").permissions.attached() != []


def test_an_administrator_of_one_key_is_no_way_back() -> None:
    house = House()
    house.keys.permissions.attach_role("os:carol", "administrator", [RELEASE])
    [own] = house.keys.permissions.attached("os:alice")
    with pytest.raises(RefusedError):
        house.keys.permissions.detach("os:alice", own.id)


def test_force_locks_out() -> None:
    house = House()
    [own] = house.keys.permissions.attached("os:alice")
    house.keys.permissions.detach("os:alice", own.id, force=True)
    assert house.store.permissions() == []


# --- detaching ---


def test_detaching_by_id_and_by_name() -> None:
    house = House()
    service = house.keys.permissions
    made = service.attach_role("os:bob", "signer")
    service.attach_role("os:bob", "decryptor")
    service.detach("os:bob", made.id)
    service.detach("os:bob", "decryptor")
    assert service.attached("os:bob") == []
    assert [action for action, _result in house.actions()[-2:]] == ["DetachPermission"] * 2


def test_what_is_not_attached_and_what_is_ambiguous() -> None:
    house = House()
    service = house.keys.permissions
    with pytest.raises(NotFoundError, match="expected one of none"):
        service.detach("os:bob", "signer")
    ids = [service.attach_role("os:bob", "signer").id, service.attach_role("os:bob", "signer", [RELEASE]).id]
    with pytest.raises(UsageError, match=f"2 documents of os:bob.*{'.*'.join(ids)}"):
        service.detach("os:bob", "signer")


def test_a_damaged_document_is_listed_and_can_be_detached_by_another() -> None:
    house = House()
    house.attach("os:bob", "{")
    [found] = house.keys.permissions.attached("os:bob")
    assert (found.document, "expected JSON" in found.problem) == (None, True)
    house.keys.permissions.detach("os:bob", found.id)
    assert house.keys.permissions.attached("os:bob") == []


# --- trying out ---


@pytest.mark.parametrize(
    ("action", "reference", "allowed"),
    [
        ("AsymmetricSign", "alias/release", True),
        ("kms:asymmetricsign", "alias/release", True),
        ("DescribeKey", "alias/release", True),
        ("DisableKey", "alias/release", False),
        ("CreateKey", None, False),
        ("ListPermissions", None, False),
        ("DeleteAlias", "alias/release", False),
        ("ImportCertificate", "alias/release", False),
    ],
)
def test_simulating_says_what_the_operation_would(action: str, reference: str | None, allowed: bool) -> None:
    house = House()
    house.keys.permissions.attach_role("os:bob", "signer")
    found = house.keys.permissions.simulate("os:bob", action, parse_key(reference) if reference else None)
    assert found.decision.allowed is allowed
    assert found.decision.explanation


def test_simulating_with_algorithm_time_and_address() -> None:
    house = House()
    conditions: dict[str, Any] = {
        "StringEquals": {"kms:Algorithm": "ECDSA_SHA_256"},
        "DateLessThan": {"acs:CurrentTime": "2030-01-01T00:00:00Z"},
        "IpAddress": {"acs:SourceIp": "10.0.0.0/8"},
    }
    statement = {"Effect": "Allow", "Action": "kms:AsymmetricSign", "Resource": "*", "Condition": conditions}
    house.keys.permissions.attach("os:bob", json.dumps({"Version": "1", "Statement": [statement]}))
    good: dict[str, Any] = {"algorithm": "ECDSA_SHA_256", "at": house.clock.now, "source": "10.0.0.1"}
    simulate = house.keys.permissions.simulate
    assert simulate("os:bob", "AsymmetricSign", RELEASE, **good).decision
    for change in ({"algorithm": ""}, {"at": house.clock.now.replace(year=2031)}, {"source": "192.0.2.1"}):
        assert not simulate("os:bob", "AsymmetricSign", RELEASE, **(good | change)).decision


@pytest.mark.parametrize(
    ("action", "reference", "error"),
    [
        ("Sign", "alias/release", UsageError),
        ("AsymmetricSign", None, UsageError),
        ("CreateAlias", "some-id", UsageError),
        ("AsymmetricSign", "alias/none", NotFoundError),
    ],
)
def test_what_can_not_be_simulated(action: str, reference: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        House().keys.permissions.simulate("os:bob", action, parse_key(reference) if reference else None)


@pytest.mark.parametrize("role", permissions.ROLES)
def test_roles_are_found_by_their_name(role: str) -> None:
    house = House()
    house.keys.permissions.attach_role("os:bob", role)
    house.keys.permissions.detach("os:bob", role)
