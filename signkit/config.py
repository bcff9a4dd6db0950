"""``signkit.toml``: text to frozen settings. An unknown key is an error, never ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from signkit.errors import ConfigurationError


class Settings(NamedTuple):
    """Everything that can be configured, with its default.

    Attributes:
        store_url: ``sqlite:PATH`` of the store, empty = in the home folder of signkit.
        root_key: URI of the root key for a new store, empty = a generated file.
        sign_key: ``KEY@V`` of every signer when none is named: the reviewed line that a rotation changes.
        digest: digest algorithm to sign with, empty = the key type's own.
        sign_policy: path of the policy file that every signature must satisfy before it is written, relative to the
            configuration file; empty = none.
        minimum_remaining_days: a certificate that is valid for fewer days is pointed out before it signs.
        jobs: processes or threads that sign together, 0 = one per core.
        timestamp: URLs of time-stamping authorities, tried in this order; empty = signatures get no timestamp.
        tsa_trust: files with the trust anchors of those, relative to the configuration file; empty = not judged.
        verify_policy: path of the policy file to verify by, relative to the configuration file; empty = none.
        maximum_versions: most versions of one key.
        minimum_version_interval_days: days that must lie between two versions of a key.
        timeout_seconds: most seconds that one call to a server may take.
        maximum_bytes: largest answer of a server that is accepted.
    """

    store_url: str = ""
    root_key: str = ""
    sign_key: tuple[str, ...] = ()
    digest: str = ""
    sign_policy: str = ""
    minimum_remaining_days: int = 14
    jobs: int = 0
    timestamp: tuple[str, ...] = ()
    tsa_trust: tuple[str, ...] = ()
    verify_policy: str = ""
    maximum_versions: int = 50
    minimum_version_interval_days: int = 0
    timeout_seconds: int = 20
    maximum_bytes: int = 10 << 20


def parse(text: str, name: str = "signkit.toml") -> Settings:
    """Read the text of a configuration file.

    Args:
        text: TOML.
        name: the file's name, for messages.

    Raises:
        ConfigurationError: not TOML, an unknown table or key, or a value of another type.
    """
    import tomllib  # 12 ms that only a configured run pays

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers and nestings beyond all measure
        raise ConfigurationError(f"{name}: not valid TOML: {str(error)[:200]}") from error
    values: dict[str, Any] = {}
    for table, content in document.items():
        if table not in _KEYS:
            raise _unknown(name, f"[{table}]", [f"[{known}]" for known in _KEYS])
        if not isinstance(content, dict):
            raise ConfigurationError(f"{name}: '{table}' is a value, expected a table [{table}]")
        for key, value in content.items():
            if key not in _KEYS[table]:
                raise _unknown(name, f"{key} in [{table}]", list(_KEYS[table]))
            field, convert = _KEYS[table][key]
            values[field] = convert(value, f"{name}: {key} in [{table}]")
    return Settings(**values)


def _unknown(name: str, found: str, known: list[str]) -> ConfigurationError:
    import difflib

    near = difflib.get_close_matches(found.partition(" ")[0], known, n=1)
    hint = f"did you mean {near[0]}?" if near else "'signkit help config' explains the file"
    return ConfigurationError(f"{name}: unknown {found}: expected one of {', '.join(known)}", hint=hint)


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{where} is {value!r}, expected a string")
    return value


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError(f"{where} is {value!r}, expected a list of strings")
    return tuple(value)


def _number(minimum: int, maximum: int) -> Callable[[Any, str], int]:
    def convert(value: Any, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise ConfigurationError(f"{where} is {value!r}, expected a whole number from {minimum} to {maximum}")
        return value

    return convert


_KEYS: Mapping[str, Mapping[str, tuple[str, Callable[[Any, str], Any]]]] = {
    "store": {"url": ("store_url", _string), "root-key": ("root_key", _string)},
    "sign": {
        "key": ("sign_key", _strings),
        "digest": ("digest", _string),
        "policy": ("sign_policy", _string),
        "minimum-remaining-days": ("minimum_remaining_days", _number(0, 3650)),
        "jobs": ("jobs", _number(0, 1024)),
        "timestamp": ("timestamp", _strings),
        "tsa-trust": ("tsa_trust", _strings),
    },
    "verify": {"policy": ("verify_policy", _string)},
    "keys": {
        "maximum-versions": ("maximum_versions", _number(1, 1000)),
        "minimum-version-interval-days": ("minimum_version_interval_days", _number(0, 3650)),
    },
    "network": {
        "timeout-seconds": ("timeout_seconds", _number(1, 600)),
        "maximum-bytes": ("maximum_bytes", _number(1 << 10, 1 << 30)),
    },
}
