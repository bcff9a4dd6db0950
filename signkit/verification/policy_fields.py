"""The keys of a policy file: for each one what values it takes. A table, so that adding a key touches nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from signkit import algorithms
from signkit.errors import ConfigurationError, MalformedError, UsageError
from signkit.verification import checks, patterns
from signkit.verification.policy import PROFILES, REVOCATIONS, TIMESTAMPS, Identity

MAXIMUM_THRESHOLD = 100
SYSTEM = "system"
"""Stands for the trust anchors of the platform."""
_MAXIMUM_SHOWN = 80

Convert = Callable[[Any], Any]


class Faults:
    """The faults of a file, each with its table, key, found and expected value."""

    def __init__(self, name: str, kind: str = "policy") -> None:
        self.name = name
        self.kind = kind
        self.found: list[str] = []

    def add(self, where: str, key: str, problem: str, kind: str = "") -> None:
        """Note a fault.

        Args:
            where: name or number of the table; empty = the file as a whole.
            key: the key in it; empty = the table as a whole.
            problem: what was found and what was expected.
            kind: what kind of table; empty = a policy.
        """
        parts = [f"{kind or self.kind} '{where}'"] if where else []
        self.found.append(": ".join([*parts, *([key] if key else []), problem]))

    def raise_if_any(self, hint: str) -> None:
        """End with all that was noted.

        Raises:
            ConfigurationError: something was.
        """
        if self.found:
            raise ConfigurationError(f"{self.name}: {'; '.join(self.found)}", hint=hint)


def load(text: str, name: str) -> dict[str, Any]:
    """The TOML document of a text.

    Raises:
        ConfigurationError: it is not TOML.
    """
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers and nestings beyond all measure
        raise ConfigurationError(
            f"{name}: not valid TOML: {str(error)[:200]}", hint="docs/policy.md shows a whole policy file"
        ) from error


def read(
    table: Mapping[str, Any], known: Mapping[str, Convert], where: str, faults: Faults, kind: str = ""
) -> dict[str, Any]:
    """The values of a table whose keys are known and whose values are right; the others become faults."""
    values = {}
    for key, value in table.items():
        convert = known.get(key)
        if convert is None:
            faults.add(where, key, f"unknown key, expected one of {', '.join(known)}", kind)
            continue
        try:
            values[key] = convert(value)
        except (UsageError, MalformedError) as error:
            faults.add(where, key, error.message, kind)
    return values


def shown(value: Any) -> str:
    """A value as a message quotes it."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _MAXIMUM_SHOWN else f"{text[:_MAXIMUM_SHOWN]}..."


def string(value: Any) -> str:
    """A string with something in it."""
    if not isinstance(value, str) or not value:
        raise UsageError(f"found {shown(value)}, expected a string that is not empty")
    return value


def strings(value: Any) -> tuple[str, ...]:
    """A list of different strings, one at least."""
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise UsageError(f"found {shown(value)}, expected a list of at least one string")
    twice = [one for number, one in enumerate(value) if one in value[:number]]
    if twice:
        raise UsageError(f"found {shown(twice[0])} twice, expected it once")
    return tuple(value)


def choice(*options: str) -> Convert:
    """One of several words."""

    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise UsageError(f"found {shown(value)}, expected one of {', '.join(options)}")
        return value

    return convert


def whole_number(minimum: int, maximum: int) -> Convert:
    """A whole number within bounds."""

    def convert(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise UsageError(f"found {shown(value)}, expected a whole number from {minimum} to {maximum}")
        return value

    return convert


def _name(value: Any) -> str:
    name = string(value)
    if not name.isprintable() or len(name) > 100:
        raise UsageError(f"found {shown(value)}, expected at most 100 characters that can be shown")
    return name


def _anchors(value: Any) -> tuple[str, ...]:
    return (value,) if value == SYSTEM else strings(value)


def _patterns(value: Any) -> tuple[str, ...]:
    found = strings(value)
    for pattern in found:
        if problem := patterns.fault(pattern):
            raise UsageError(f"'{pattern}' can match nothing: {problem}")
    return found


def _signers(value: Any) -> tuple[Identity, ...]:
    if not isinstance(value, list):
        raise UsageError(f"found {shown(value)}, expected a list of tables such as {{ subject = 'CN=Acme Release' }}")
    found = tuple(_signer(entry, number) for number, entry in enumerate(value, start=1))
    for number, one in enumerate(found):
        if one in found[:number]:
            raise UsageError(f"entry {number + 1} says the same as an earlier one, expected it once")
    return found


def _signer(entry: Any, number: int) -> Identity:
    if not isinstance(entry, dict) or not entry:
        raise UsageError(f"entry {number}: found {shown(entry)}, expected a table with one of {', '.join(_SIGNER)}")
    arguments = {}
    for key, value in entry.items():
        if key not in _SIGNER:
            raise UsageError(f"entry {number}: unknown key {key}, expected one of {', '.join(_SIGNER)}")
        try:
            arguments[_SIGNER[key]] = string(value)
        except UsageError as error:
            raise UsageError(f"entry {number}: {key}: {error.message}") from error
    try:
        return Identity.of(**arguments)
    except (UsageError, MalformedError) as error:
        raise UsageError(f"entry {number}: {error.message}") from error


def _algorithms(value: Any) -> tuple[str, ...]:
    found = strings(value)
    for name in found:
        if name not in signature_algorithms():
            raise UsageError(f"found '{name}', expected names out of {', '.join(signature_algorithms())}")
    return found


@lru_cache(maxsize=1)
def signature_algorithms() -> tuple[str, ...]:
    """Names of all signature algorithms."""
    known = (algorithm.name for key_type in algorithms.key_types().values() for algorithm in key_type.algorithms)
    return tuple(sorted(set(known)))


def _actions(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise UsageError(f"found {shown(value)}, expected a table [policy.actions]")
    found: dict[str, str] = {}
    for pattern, action in value.items():
        if action not in checks.ACTIONS:
            raise UsageError(f"'{pattern}': found {shown(action)}, expected one of {', '.join(checks.ACTIONS)}")
        fitting = checks.matching(pattern) if len(pattern) <= patterns.MAXIMUM_LENGTH else []
        if not fitting:
            raise UsageError(f"'{pattern}' is no check, expected names such as path.*.policies (docs/exit-codes.md)")
        fixed = [name for name in fitting if not checks.can_be_lowered(name)]
        if action == checks.WARN and fixed:
            raise UsageError(f"'{pattern}': found 'warn' for {fixed[0]}, which can never be lowered")
        for other, other_action in found.items():
            same = patterns.literals(other) == patterns.literals(pattern) and other_action != action
            if same and set(fitting) & set(checks.matching(other)):
                raise UsageError(f"'{other}' and '{pattern}' contradict each other, expected one to be more specific")
        found[pattern] = action
    return tuple(found.items())


_SIGNER = {
    "subject": "subjects",
    "issuer": "issuer",
    "spki-sha256": "public_key_sha256",
    "certificate-sha256": "certificate_sha256",
    "san": "alternative_names",
}
"""Keys of an entry of ``signers`` and the argument of ``Identity.of`` that each is."""

POLICY: Mapping[str, Convert] = {
    "name": _name,
    "artifacts": _patterns,
    "trust-anchors": _anchors,
    "profile": choice(*PROFILES),
    "signers": _signers,
    "threshold": whole_number(1, MAXIMUM_THRESHOLD),
    "algorithms": _algorithms,
    "timestamp": choice(*TIMESTAMPS),
    "tsa-trust-anchors": _anchors,
    "revocation": choice(*REVOCATIONS),
    "actions": _actions,
}
"""Keys of a ``[[policy]]``."""
