"""All public methods of the services and functions on them: each asks for permission, or is listed with its reason.

Whoever adds an operation adds a call here; until then these tests fail.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from signkit.errors import AccessDeniedError
from signkit.files import FileSink, FileSource
from signkit.keys.model import KeyState, VersionState
from signkit.keys.reference import parse_key
from signkit.operations import raw, renewal, requests, revocation_request
from signkit.operations.aliases import AliasService
from signkit.operations.certificates import CertificateService
from signkit.operations.directory import Directory
from signkit.operations.keys import KeyService
from signkit.operations.lifecycle import Lifecycle
from signkit.operations.permissions import PermissionService
from signkit.operations.sign import SigningService
from signkit.operations.use import KeyUse, SignInput
from tests.support import pki
from tests.support.house import DIGEST, RELEASE, RELEASE_1, House

Call = Callable[[KeyService], Any]

SERVICES = (
    KeyService,
    Directory,
    AliasService,
    KeyUse,
    Lifecycle,
    PermissionService,
    CertificateService,
    SigningService,
)
MODULES = (raw, requests, renewal, revocation_request)

EXEMPT = {
    "Directory.find": "step of operations",
    "Directory.find_alias": "step of operations",
    "Directory.find_aliases": "step of operations",
    "Directory.find_version": "step of operations",
    "Directory.find_versions": "step of operations",
    "Directory.find_usable": "step of operations; asks for permission itself",
    "CertificateService.find_current": "step of operations",
    "CertificateService.find_required": "step of operations",
    "CertificateService.find_of_key": "step of operations",
    "KeyService.lifecycle": "opens a room",
    "KeyService.permissions": "opens a room",
    "raw.verify": "needs the public key alone and no store",
    "raw.encrypt": "needs the public key alone and no store",
    "raw.signed_data": "computes",
    "requests.wanted": "computes",
    "requests.check": "computes",
    "requests.make_with": "its signer was authorised when it was opened",
    "requests.read": "reads a file and no store",
    "requests.require_possession": "computes",
}

WANTED = requests.wanted("CN=x")
INPUTS = [SignInput(DIGEST, DIGEST)]


def certificates(keys: KeyService) -> CertificateService:
    return CertificateService(keys, FileSource())


def signing(keys: KeyService) -> SigningService:
    return SigningService(keys, certificates(keys), FileSource(), FileSink(), clock=lambda: keys.access.clock())


def sign_within(keys: KeyService) -> None:
    with keys.use.signing(RELEASE_1) as signer:
        signer.sign(INPUTS)


CALLS: dict[str, tuple[str, Call]] = {
    "KeyService.create_key": ("CreateKey", lambda keys: keys.create_key("EC_P256", provider="memory")),
    "KeyService.create_version": ("CreateKeyVersion", lambda keys: keys.create_version(RELEASE)),
    "Directory.keys": ("ListKeys", lambda keys: keys.directory.keys()),
    "Directory.key": ("DescribeKey", lambda keys: keys.directory.key(RELEASE)),
    "Directory.versions": ("ListKeyVersions", lambda keys: keys.directory.versions(RELEASE)),
    "Directory.version": ("DescribeKeyVersion", lambda keys: keys.directory.version(RELEASE_1)),
    "Directory.aliases": ("ListAliases", lambda keys: keys.directory.aliases()),
    "Directory.public_key": ("GetPublicKey", lambda keys: keys.directory.public_key(RELEASE_1)),
    "AliasService.create": ("CreateAlias", lambda keys: keys.aliases.create("alias/other", RELEASE)),
    "AliasService.update": ("UpdateAlias", lambda keys: keys.aliases.update("alias/release", RELEASE)),
    "AliasService.delete": ("DeleteAlias", lambda keys: keys.aliases.delete("alias/release")),
    "KeyUse.signing": ("AsymmetricSign", sign_within),
    "KeyUse.sign": ("AsymmetricSign", lambda keys: keys.use.sign(RELEASE_1, "ECDSA_SHA_256", INPUTS)),
    "KeyUse.decrypt": ("AsymmetricDecrypt", lambda keys: keys.use.decrypt(RELEASE_1, "SM2PKE", b"x")),
    "Lifecycle.describe": ("UpdateKeyDescription", lambda keys: keys.lifecycle.describe(RELEASE, "text")),
    "Lifecycle.tag": ("TagResource", lambda keys: keys.lifecycle.tag(RELEASE, {"team": "a"})),
    "Lifecycle.untag": ("UntagResource", lambda keys: keys.lifecycle.untag(RELEASE, ["team"])),
    "Lifecycle.protect": ("SetDeletionProtection", lambda keys: keys.lifecycle.protect(RELEASE)),
    "Lifecycle.unprotect": ("SetDeletionProtection", lambda keys: keys.lifecycle.unprotect(RELEASE)),
    "Lifecycle.schedule_deletion": ("ScheduleKeyDeletion", lambda keys: keys.lifecycle.schedule_deletion(RELEASE, 7)),
    "Lifecycle.cancel_deletion": ("CancelKeyDeletion", lambda keys: keys.lifecycle.cancel_deletion(RELEASE)),
    "Lifecycle.enable": ("EnableKey", lambda keys: keys.lifecycle.enable(RELEASE)),
    "Lifecycle.disable": ("DisableKeyVersion", lambda keys: keys.lifecycle.disable(RELEASE_1)),
    "Lifecycle.destroy_version": (
        "DestroyKeyVersion",
        lambda keys: keys.lifecycle.destroy_version(RELEASE_1, force=True),
    ),
    "PermissionService.attach": ("AttachPermission", lambda keys: keys.permissions.attach("os:eve", "{}")),
    "PermissionService.attach_role": (
        "AttachPermission",
        lambda keys: keys.permissions.attach_role("os:eve", "signer", [parse_key("alias/not-there")]),
    ),
    "PermissionService.detach": ("DetachPermission", lambda keys: keys.permissions.detach("os:alice", "x")),
    "PermissionService.attached": ("ListPermissions", lambda keys: keys.permissions.attached()),
    "PermissionService.simulate": (
        "SimulatePermission",
        lambda keys: keys.permissions.simulate("os:alice", "AsymmetricSign", RELEASE),
    ),
    "CertificateService.import_certificate": (
        "ImportCertificate",
        lambda keys: certificates(keys).import_certificate(RELEASE_1, ["/not/there"]),
    ),
    "CertificateService.current": ("GetCertificate", lambda keys: certificates(keys).current(RELEASE_1)),
    "CertificateService.of_versions": ("ListKeyVersions", lambda keys: certificates(keys).of_versions(RELEASE)),
    "CertificateService.with_chain": ("GetCertificate", lambda keys: certificates(keys).with_chain(RELEASE_1)),
    "CertificateService.export": ("GetCertificate", lambda keys: certificates(keys).export(RELEASE_1)),
    "CertificateService.certificates": ("ListCertificates", lambda keys: certificates(keys).certificates()),
    "SigningService.sign": ("AsymmetricSign", lambda keys: signing(keys).sign(["/not/there"], RELEASE_1)),
    "raw.sign": ("AsymmetricSign", lambda keys: raw.sign(keys, RELEASE_1, "ECDSA_SHA_256", digest=DIGEST)),
    "requests.create": ("AsymmetricSign", lambda keys: requests.create(keys, RELEASE_1, "CN=x")),
    "requests.make": ("AsymmetricSign", lambda keys: requests.make(keys, RELEASE_1, WANTED)),
    "renewal.renew": ("AsymmetricSign", lambda keys: renewal.renew(keys, certificates(keys), RELEASE_1)),
    "renewal.rekey": ("ListKeyVersions", lambda keys: renewal.rekey(keys, certificates(keys), RELEASE)),
    "renewal.prepare_rekey": ("ListKeyVersions", lambda keys: renewal.prepare_rekey(keys, certificates(keys), RELEASE)),
    "renewal.present_version": (
        "ListKeyVersions",
        lambda keys: renewal.present_version(certificates(keys), RELEASE, None),
    ),
    "revocation_request.draft": (
        "DescribeKeyVersion",
        lambda keys: revocation_request.draft(keys, certificates(keys), RELEASE_1, compromised_at=pki.NOW, now=pki.NOW),
    ),
}
"""Operation to its action and a call of it."""

RECORDING_NOTHING: dict[str, tuple[str, Call]] = {
    "requests.prepare": ("AsymmetricSign", lambda keys: requests.prepare(keys, RELEASE_1, WANTED)),
    "renewal.prepare": ("AsymmetricSign", lambda keys: renewal.prepare(keys, certificates(keys), RELEASE_1)),
}
"""The same for dry runs, whose refusals are not on record."""


def operations() -> Iterator[str]:
    for service in SERVICES:
        yield from (f"{service.__name__}.{name}" for name in vars(service) if not name.startswith("_"))
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{module.__name__.rpartition('.')[2]}.{name}"


def test_every_operation_is_called_here_or_exempt() -> None:
    assert sorted(operations()) == sorted([*CALLS, *RECORDING_NOTHING, *EXEMPT])


@pytest.mark.parametrize("state", list(KeyState))
@pytest.mark.parametrize("operation", CALLS)
def test_without_permission_one_learns_nothing_and_is_on_record(operation: str, state: KeyState) -> None:
    """The refusal is the same whatever the state of key and version, and one entry is all that changes."""
    action, call = CALLS[operation]
    house = House()
    house.set_states(state, VersionState.DISABLED)
    before = (house.now(), house.store.aliases(), house.store.permissions())
    with pytest.raises(AccessDeniedError) as caught:
        call(house.service("os:bob"))
    assert caught.value.code == "Forbidden.NoPermission"
    assert "os:bob" in caught.value.message and f"kms:{action} on acs:kms:local:" in caught.value.message
    assert state.value not in caught.value.message
    assert (house.now(), house.store.aliases(), house.store.permissions()) == before
    [entry] = house.store.entries[1:]
    assert (entry.action, entry.principal, entry.result) == (action, "os:bob", "Forbidden.NoPermission")


@pytest.mark.parametrize("operation", RECORDING_NOTHING)
def test_a_dry_run_without_permission_is_refused_and_not_on_record(operation: str) -> None:
    house = House()
    with pytest.raises(AccessDeniedError):
        RECORDING_NOTHING[operation][1](house.service("os:bob"))
    assert house.store.entries[1:] == []


def test_every_operation_with_a_dry_run_refuses_in_it_too(tmp_path: Path) -> None:
    house = House()
    bob = house.service("os:bob")
    for act in (
        lambda: bob.create_key("EC_P256", provider="memory", dry_run=True),
        lambda: bob.create_version(RELEASE, dry_run=True),
        lambda: bob.aliases.create("alias/x", RELEASE, dry_run=True),
        lambda: bob.lifecycle.disable(RELEASE, dry_run=True),
        lambda: bob.lifecycle.destroy_version(RELEASE_1, dry_run=True),
        lambda: bob.permissions.attach_role("os:bob", "administrator", dry_run=True),
        lambda: bob.permissions.detach("os:alice", "x", dry_run=True),
        lambda: certificates(bob).import_certificate(RELEASE_1, ["/not/there"], dry_run=True),
    ):
        with pytest.raises(AccessDeniedError):
            act()
    assert house.store.entries[1:] == []
