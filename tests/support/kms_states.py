"""The key states of Alibaba Cloud KMS, action by action, written out from its documentation: a judge for our own."""

from __future__ import annotations

from signkit.keys.model import KeyState, VersionState

OK, DISABLED, IMPORT, DELETION = "ok", "Rejected.Disabled", "Rejected.PendingImport", "Rejected.PendingDeletion"
FAILED, NO_VERSION = "Rejected.StateModifiedFailed", "Forbidden.KeyVersionNotFound"

STATES = (KeyState.ENABLED, KeyState.DISABLED, KeyState.PENDING_IMPORT, KeyState.PENDING_DELETION)
MATRIX: dict[str, tuple[str, str, str, str]] = {
    "AsymmetricSign": (OK, DISABLED, IMPORT, DELETION),
    "AsymmetricVerify": (OK, DISABLED, IMPORT, DELETION),
    "CreateKeyVersion": (OK, DISABLED, IMPORT, DELETION),
    "GetPublicKey": (OK, DISABLED, NO_VERSION, DELETION),
    "DescribeKey": (OK, OK, OK, OK),
    "DescribeKeyVersion": (OK, OK, OK, OK),
    "ListKeyVersions": (OK, OK, OK, OK),
    "DeleteAlias": (OK, OK, OK, OK),
    "EnableKey": (OK, OK, FAILED, FAILED),
    "DisableKey": (OK, OK, FAILED, FAILED),
    "ScheduleKeyDeletion": (OK, OK, OK, FAILED),
    "CancelKeyDeletion": (FAILED, FAILED, FAILED, OK),
    "CreateAlias": (OK, OK, OK, FAILED),
    "UpdateAlias": (OK, OK, OK, DELETION),
    "UpdateKeyDescription": (OK, OK, OK, DELETION),
    "TagResource": (OK, OK, OK, DELETION),
    "UntagResource": (OK, OK, OK, DELETION),
    "SetDeletionProtection": (OK, OK, OK, DELETION),
    "EnableKeyVersion": (OK, OK, FAILED, FAILED),
    "DisableKeyVersion": (OK, OK, FAILED, FAILED),
}
VERSION_STATES = (VersionState.PENDING, VersionState.ENABLED, VersionState.DISABLED, VersionState.DESTROYED)
VERSION_MATRIX: dict[str, tuple[str, str, str, str]] = {
    "AsymmetricSign": ("Rejected.Unavailable", OK, DISABLED, "Rejected.Unavailable"),
    "GetPublicKey": ("Rejected.Unavailable", OK, DISABLED, "Rejected.Unavailable"),
    "DescribeKeyVersion": (OK, OK, OK, OK),
    "EnableKeyVersion": ("Rejected.Unavailable", OK, OK, "Rejected.Unavailable"),
    "DisableKeyVersion": ("Rejected.Unavailable", OK, OK, "Rejected.Unavailable"),
    "DestroyKeyVersion": ("Rejected.Unavailable", FAILED, OK, "Rejected.Unavailable"),
}
