"""Why the key service refuses: checks of states and usages that several operations make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from signkit.algorithms.base import KeyType
from signkit.errors import NotFoundError, RefusedError, StateError, UsageError
from signkit.keys.model import Key, KeyOrigin, KeyState, KeyUsage, KeyVersion

MAXIMUM_DESCRIPTION = 8192


def require_enabled(key: Key) -> None:
    """Refuse to use a key that is not enabled.

    Raises:
        StateError: it is not.
    """
    if key.state is not KeyState.ENABLED:
        raise StateError(
            f"key {key.id} is {key.state.value}, expected {KeyState.ENABLED.value}",
            hint=f"'signkit key show {key.id}' tells more",
            code=f"Rejected.{key.state.value}",
        )


def require_own_origin(key: Key, named: str) -> None:
    """Refuse to make a key pair for a key whose private keys come from outside.

    Raises:
        RefusedError: they do.
    """
    if key.origin is not KeyOrigin.OWN:
        raise RefusedError(
            f"the private keys of {named} come from outside (origin {key.origin.value}), expected a key made here",
            hint=f"'signkit version import {named} --in FILE' takes in its next version",
            code="Unsupported.Origin",
        )


def require_versions(key: Key, versions: Sequence[KeyVersion], named: str) -> None:
    """Refuse to look for a version of a key that has none yet.

    Raises:
        NotFoundError: it has none.
    """
    if not versions:
        raise NotFoundError(
            f"key {named} is {key.state.value} and has no version yet",
            hint=f"'signkit version import {named} --in FILE' takes in its first private key",
            code="Forbidden.KeyVersionNotFound",
        )


def require_usage(usage: str, key_type: KeyType) -> None:
    """Refuse a usage that a key type does not have.

    Raises:
        UsageError: it does not.
    """
    offered = [KeyUsage.SIGN_VERIFY.value] + ([KeyUsage.ENCRYPT_DECRYPT.value] if key_type.encryption else [])
    if usage not in offered:
        raise UsageError(f"usage '{usage}' of a key of type {key_type.name}: expected {' or '.join(offered)}")


def require_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that KMS would not take.

    Raises:
        UsageError: more than 20, too long, or with a name that is reserved.
    """
    if len(tags) > 20:
        raise UsageError(f"{len(tags)} tags, expected at most 20")
    for name, value in tags.items():
        if not 1 <= len(name) <= 128 or len(value) > 128 or name.startswith(("aliyun", "acs:")):
            expected = (
                "a name of 1 to 128 characters that begins with neither aliyun nor acs:, and a value of at most 128"
            )
            raise UsageError(f"tag '{name}': expected {expected}")


def require_description(description: str) -> None:
    """Refuse a description that is too long or can't be recorded.

    Raises:
        UsageError: more than 8192 characters, or not UTF-8.
    """
    if len(description) > MAXIMUM_DESCRIPTION:
        raise UsageError(f"description has {len(description)} characters, expected at most {MAXIMUM_DESCRIPTION}")
    if description != recordable(description):
        raise UsageError(f"description is not UTF-8: found {recordable(description)}")


def recordable(text: str) -> str:
    """The text as it can be put on record: file names need not be UTF-8, so other bytes become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def require_interval(key: Key, versions: Sequence[KeyVersion], now: datetime, interval: timedelta) -> None:
    """Refuse a further version before enough time has passed since the last one.

    Raises:
        RefusedError: it is too soon.
    """
    last = max(version.created_at for version in versions)
    if now < last + interval:
        raise RefusedError(
            f"key {key.id} got its last version at {last:%Y-%m-%dT%H:%M:%SZ}, and "
            f"{interval.days} days must lie between two versions",
            hint="minimum-version-interval-days in [keys] of signkit.toml sets this",
        )


def known_names(what: str, names: list[str]) -> str:
    """What names there are, for a message that one was not found."""
    if not names:
        return f"there is no {what} yet"
    return f"expected one of {', '.join(names[:10])}" + (" ..." if len(names) > 10 else "")
