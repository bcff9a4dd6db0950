"""Which action the state of a key and of its version allows, and what an action makes of it.

``KEY_STATES`` and ``VERSION_STATES`` are all there is to know; library, command line and endpoint go by them. They are
one step of a fixed order of checks, so that every way in refuses the same request with the same code:

1. who asks (authentication); the action is known; required arguments (MissingParameter); their form (InvalidParameter)
2. the alias exists, then the key (Forbidden.AliasNotFound, Forbidden.KeyNotFound)
3. permission (Forbidden.NoPermission): ``permissions.decide``
4. usage and origin of the key (Rejected.UnsupportedOperation, Unsupported.Origin)
5. state of the key: ``require_key``
6. the version exists (Forbidden.KeyVersionNotFound), then its state: ``require_version``
7. the algorithm fits the key type; sizes and encodings (InvalidParameter)
8. dry run ends here; then the operation itself

So who has no permission learns nothing of usage, state or versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from signkit.errors import NotFoundError, RefusedError, StateError, UsageError
from signkit.keys.model import Key, KeyState, KeyVersion, VersionState

MINIMUM_WINDOW_DAYS, MAXIMUM_WINDOW_DAYS = 7, 366

ALLOWED = ""
_DISABLED, _IMPORT, _DELETION = "Rejected.Disabled", "Rejected.PendingImport", "Rejected.PendingDeletion"
_FAILED, _UNAVAILABLE = "Rejected.StateModifiedFailed", "Rejected.Unavailable"
_NO_VERSION = "Forbidden.KeyVersionNotFound"

_USES = ("AsymmetricSign", "AsymmetricVerify", "AsymmetricEncrypt", "AsymmetricDecrypt")
_READS = ("DescribeKey", "DescribeKeyVersion", "ListKeyVersions", "ListAliasesByKeyId", "ListResourceTags")
_EDITS = ("UpdateAlias", "UpdateKeyDescription", "TagResource", "UntagResource", "SetDeletionProtection")
_OF_VERSIONS = ("EnableKeyVersion", "DisableKeyVersion", "DestroyKeyVersion")

_KEY_COLUMNS = (KeyState.ENABLED, KeyState.DISABLED, KeyState.PENDING_IMPORT, KeyState.PENDING_DELETION)
_KEY_ROWS: tuple[tuple[tuple[str, ...], tuple[str, str, str, str]], ...] = (
    ((*_USES, "CreateKeyVersion"), (ALLOWED, _DISABLED, _IMPORT, _DELETION)),
    (("GetPublicKey",), (ALLOWED, _DISABLED, _NO_VERSION, _DELETION)),
    ((*_READS, "DeleteAlias", "GetKeyPolicy"), (ALLOWED, ALLOWED, ALLOWED, ALLOWED)),
    (("EnableKey", "DisableKey"), (ALLOWED, ALLOWED, _FAILED, _FAILED)),
    (("ScheduleKeyDeletion",), (ALLOWED, ALLOWED, ALLOWED, _FAILED)),
    (("CancelKeyDeletion",), (_FAILED, _FAILED, _FAILED, ALLOWED)),
    (("CreateAlias",), (ALLOWED, ALLOWED, ALLOWED, _FAILED)),
    ((*_EDITS, "SetKeyPolicy"), (ALLOWED, ALLOWED, ALLOWED, _DELETION)),
    (("GetParametersForImport", "ImportKeyMaterial"), (ALLOWED, ALLOWED, ALLOWED, _FAILED)),
    (("DeleteKeyMaterial",), (ALLOWED, ALLOWED, ALLOWED, ALLOWED)),
    (_OF_VERSIONS, (ALLOWED, ALLOWED, _FAILED, _FAILED)),
)

_VERSION_COLUMNS = (VersionState.PENDING, VersionState.ENABLED, VersionState.DISABLED, VersionState.DESTROYED)
_VERSION_ROWS: tuple[tuple[tuple[str, ...], tuple[str, str, str, str]], ...] = (
    ((*_USES, "GetPublicKey"), (_UNAVAILABLE, ALLOWED, _DISABLED, _UNAVAILABLE)),
    (("DescribeKeyVersion",), (ALLOWED, ALLOWED, ALLOWED, ALLOWED)),
    (("EnableKeyVersion", "DisableKeyVersion"), (_UNAVAILABLE, ALLOWED, ALLOWED, _UNAVAILABLE)),
    (("DestroyKeyVersion",), (_UNAVAILABLE, _FAILED, ALLOWED, _UNAVAILABLE)),
)

KEY_STATES: Mapping[str, Mapping[KeyState, str]] = MappingProxyType(
    {
        action: MappingProxyType(dict(zip(_KEY_COLUMNS, codes, strict=True)))
        for actions, codes in _KEY_ROWS
        for action in actions
    }
)
"""Action on a key, then its state: ``ALLOWED`` or the code of the refusal. Those of versions and policies, and
GetPublicKey in other states than Enabled, are ours; the rest is Alibaba Cloud KMS's."""

VERSION_STATES: Mapping[str, Mapping[VersionState, str]] = MappingProxyType(
    {
        action: MappingProxyType(dict(zip(_VERSION_COLUMNS, codes, strict=True)))
        for actions, codes in _VERSION_ROWS
        for action in actions
    }
)
"""Action on one version, then its state, likewise; ours, since versions in KMS have no states. A version is destroyed
only after it was disabled, so that a mistyped number destroys nothing in use."""

_KEY_HINTS = {
    KeyState.ENABLED: "",
    KeyState.DISABLED: "'signkit key enable {}' enables it",
    KeyState.PENDING_IMPORT: "import its private key first",
    KeyState.PENDING_DELETION: "'signkit key cancel-deletion {}' keeps the key",
}
_VERSION_HINTS = {
    VersionState.PENDING: "'signkit doctor' finds versions whose making was interrupted",
    VersionState.ENABLED: "'signkit key disable {}' disables it",
    VersionState.DISABLED: "'signkit key enable {}' enables it",
    VersionState.DESTROYED: "a destroyed version never comes back; name another one",
}


class Transition(NamedTuple):
    """What an action makes of a key.

    Attributes:
        state: the new state.
        note: what the user should be told about it, or an empty string.
    """

    state: KeyState
    note: str = ""


def require_key(action: str, key: Key, *, named: str = "") -> None:
    """Refuse an action that the state of the key forbids.

    Args:
        action: one of ``KEY_STATES``.
        key: the key.
        named: how the user named it; empty = its id.

    Raises:
        StateError: the state forbids it.
        NotFoundError: it is about a version, and while its import is pending the key has none.
    """
    codes = KEY_STATES[action]
    code = codes[key.state]
    if code == ALLOWED:
        return
    name = named or key.id
    expected = " or ".join(state.value for state, other in codes.items() if other == ALLOWED)
    hint = _KEY_HINTS[key.state].format(name)
    if code == _NO_VERSION:
        message = f"key {name} is {key.state.value} and has no version yet, expected {expected}"
        raise NotFoundError(message, hint=hint, code=code)
    raise StateError(f"key {name} is {key.state.value}, expected {expected} for {action}", hint=hint, code=code)


def require_version(action: str, version: KeyVersion, *, named: str = "") -> None:
    """Refuse an action that the state of the version forbids.

    Args:
        action: one of ``VERSION_STATES``.
        version: the version.
        named: how the user named its key; empty = its id.

    Raises:
        StateError: the state forbids it.
    """
    codes = VERSION_STATES[action]
    code = codes[version.state]
    if code == ALLOWED:
        return
    name = named or version.key_id
    expected = " or ".join(state.value for state, other in codes.items() if other == ALLOWED)
    raise StateError(
        f"version {version.number} of key {name} is {version.state.value}, expected {expected} for {action}",
        hint=_VERSION_HINTS[version.state].format(f"{name}@{version.number}"),
        code=code,
    )


def change_key(action: str, key: Key, *, has_material: bool = True, named: str = "") -> Transition:
    """The state that an action gives a key. What changes nothing is no error.

    Args:
        action: EnableKey, DisableKey, ScheduleKeyDeletion, CancelKeyDeletion, ImportKeyMaterial or DeleteKeyMaterial.
        key: the key.
        has_material: for CancelKeyDeletion, whether it still has its private key.
        named: how the user named it; empty = its id.

    Raises:
        StateError: the state forbids it, or the key is protected from deletion.
    """
    require_key(action, key, named=named)
    if action == "ScheduleKeyDeletion":
        require_unprotected(key, named=named)
    if action == "CancelKeyDeletion":
        if key.state_before_deletion is KeyState.PENDING_IMPORT or not has_material:
            return Transition(KeyState.PENDING_IMPORT)
        was_disabled = key.state_before_deletion is KeyState.DISABLED
        note = f"key {named or key.id} was Disabled before its deletion was scheduled, and is Enabled now"
        return Transition(KeyState.ENABLED, note if was_disabled else "")
    if action == "ImportKeyMaterial":
        return Transition(KeyState.ENABLED if key.state is KeyState.PENDING_IMPORT else key.state)
    if action == "DeleteKeyMaterial":
        return Transition(key.state if key.state is KeyState.PENDING_DELETION else KeyState.PENDING_IMPORT)
    return Transition(_CHANGES[action])


_CHANGES = {
    "EnableKey": KeyState.ENABLED,
    "DisableKey": KeyState.DISABLED,
    "ScheduleKeyDeletion": KeyState.PENDING_DELETION,
}
_VERSION_CHANGES = {
    "EnableKeyVersion": VersionState.ENABLED,
    "DisableKeyVersion": VersionState.DISABLED,
    "DestroyKeyVersion": VersionState.DESTROYED,
}


def change_version(action: str, version: KeyVersion, *, named: str = "") -> VersionState:
    """The state that EnableKeyVersion, DisableKeyVersion or DestroyKeyVersion gives a version.

    Raises:
        StateError: the state forbids it.
    """
    require_version(action, version, named=named)
    return _VERSION_CHANGES[action]


def require_unprotected(key: Key, *, named: str = "") -> None:
    """Refuse what takes away a private key of a protected key for good: its deletion, the destruction of a version.

    Raises:
        StateError: the key is protected.
    """
    if key.deletion_protection:
        why = f" ({key.deletion_protection_description})" if key.deletion_protection_description else ""
        raise StateError(
            f"key {named or key.id} is protected from deletion{why}, expected no protection",
            hint=f"'signkit key unprotect {named or key.id}' takes the protection away",
            code=_FAILED,
        )


def same_material_only(key: Key) -> bool:
    """Whether ImportKeyMaterial may bring only the private key that the key has already (it is not pending)."""
    return key.state is not KeyState.PENDING_IMPORT


def require_window(days: int) -> int:
    """The days between the wish to delete a key and its deletion.

    Raises:
        UsageError: not 7 to 366.
    """
    if not MINIMUM_WINDOW_DAYS <= days <= MAXIMUM_WINDOW_DAYS:
        raise UsageError(
            f"deletion in {days} days: expected {MINIMUM_WINDOW_DAYS} to {MAXIMUM_WINDOW_DAYS}",
            hint="'signkit key disable' takes a key out of use at once",
        )
    return days


def require_interval(version: KeyVersion, versions: Sequence[KeyVersion], interval: timedelta) -> None:
    """Refuse a further version of a key before enough time has passed since its last one.

    Args:
        version: the version that is to be added.
        versions: those that the key has.
        interval: what must lie between two.

    Raises:
        RefusedError: it is too soon.
    """
    if not interval:  # versions made at once by several processes may be a moment out of order
        return
    last = max((one.created_at for one in versions), default=None)
    if last is not None and version.created_at < last + interval:
        raise RefusedError(
            f"key {version.key_id} got its last version at {last:%Y-%m-%dT%H:%M:%SZ}, and "
            f"{interval.days} days must lie between two versions",
            hint="minimum-version-interval-days in [keys] of signkit.toml sets this",
        )
