"""Why the key service refuses: checks that several operations make, besides permissions and states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from signkit.algorithms.base import KeyType
from signkit.errors import ProviderError, RefusedError, UsageError
from signkit.keys.model import Key, KeyOrigin, KeyUsage
from signkit.keys.reference import KeyReference
from signkit.operations.access import recordable
from signkit.ports import Provider

MAXIMUM_DESCRIPTION = 8192
_USAGES = {
    "AsymmetricSign": KeyUsage.SIGN_VERIFY,
    "AsymmetricVerify": KeyUsage.SIGN_VERIFY,
    "AsymmetricEncrypt": KeyUsage.ENCRYPT_DECRYPT,
    "AsymmetricDecrypt": KeyUsage.ENCRYPT_DECRYPT,
}
"""Action to the usage that a key must have been made for; the others do with any."""


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


def require_usage(usage: str, key_type: KeyType) -> None:
    """Refuse a usage that a key type does not have.

    Raises:
        UsageError: it does not.
    """
    offered = [KeyUsage.SIGN_VERIFY.value] + ([KeyUsage.ENCRYPT_DECRYPT.value] if key_type.encryption else [])
    if usage not in offered:
        raise UsageError(f"usage '{usage}' of a key of type {key_type.name}: expected {' or '.join(offered)}")


def require_usage_for(action: str, key: Key, reference: KeyReference) -> None:
    """Refuse to use a key for what it was not made for.

    Raises:
        RefusedError: it was made for another usage.
    """
    needed = _USAGES.get(action, key.usage)
    if key.usage is not needed:
        raise RefusedError(
            f"key {reference.key} is for {key.usage.value}, expected {needed.value}",
            hint="the usage of a key is fixed when it is made: use another key",
        )


def require_provider(providers: Mapping[str, Provider], name: str) -> Provider:
    """The provider of that name.

    Raises:
        ProviderError: there is none here.
    """
    provider = providers.get(name)
    if provider is None:
        raise ProviderError(f"no provider '{name}' here, expected one of {', '.join(providers)}")
    return provider


def nearest(name: str, names: Sequence[str]) -> str:
    """The name that was probably meant, or an empty string."""
    import difflib

    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.75)), "")


def known_names(what: str, names: list[str]) -> str:
    """What names there are, for a message that one was not found."""
    if not names:
        return f"there is no {what} yet"
    return f"expected one of {', '.join(names[:10])}" + (" ..." if len(names) > 10 else "")


def require_description(text: str) -> None:
    """Refuse a description that is too long or can't be written down.

    Raises:
        UsageError: it is.
    """
    if len(text) > MAXIMUM_DESCRIPTION:
        raise UsageError(f"description has {len(text)} characters, expected at most {MAXIMUM_DESCRIPTION}")
    if text != recordable(text):
        raise UsageError(f"description is not UTF-8: found {recordable(text)}")
