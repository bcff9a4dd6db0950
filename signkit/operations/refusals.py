"""Why the key service refuses: checks of states and usages that several operations make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from signkit.algorithms.base import KeyType
from signkit.errors import RefusedError, StateError, UsageError
from signkit.keys.model import Key, KeyState, KeyUsage, KeyVersion


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


def require_usage(usage: str, key_type: KeyType) -> None:
    """Refuse a usage that a key type does not have.

    Raises:
        UsageError: it does not.
    """
    offered = [KeyUsage.SIGN_VERIFY.value] + ([KeyUsage.ENCRYPT_DECRYPT.value] if key_type.encryption else [])
    if usage not in offered:
        raise UsageError(f"usage '{usage}' of a key of type {key_type.name}: expected {' or '.join(offered)}")


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
