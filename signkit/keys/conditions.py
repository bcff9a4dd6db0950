"""Conditions of permission documents: operators, their values, and whether they hold for a request.

A condition holds, does not hold, or can't be evaluated, because what the request carries is malformed. A key that the
request does not carry makes a positive operator false and a negated one true. Values of one key are alternatives; keys
and operators must all hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from signkit.errors import ConfigurationError
from signkit.keys import wildcard

CURRENT_TIME, SOURCE_IP, ALGORITHM, TAG = "acs:CurrentTime", "acs:SourceIp", "kms:Algorithm", "kms:tag/"
CONTEXT_KEYS = (CURRENT_TIME, SOURCE_IP, ALGORITHM)
"""What a request carries, besides ``kms:tag/KEY`` for each tag of its key."""

_RAM_KEYS = ("acs:SecureTransport", "acs:MFAPresent", "acs:SourceVpc", "acs:VpcSourceIp")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})")


class Condition(NamedTuple):
    """One operator applied to one key of the request.

    Attributes:
        operator: for example ``StringEquals``.
        key: for example ``kms:tag/team``.
        texts: the values as they are written.
        values: the values as the operator compares them.
    """

    operator: str
    key: str
    texts: tuple[str, ...]
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.operator} {self.key} {' or '.join(self.texts)}"


class _Kind(NamedTuple):
    """What a group of operators compares.

    Attributes:
        form: the form of a value, for messages.
        read: a value of a document; raises ValueError.
        read_found: what a request carries; raises ValueError.
        json: types of JSON, besides strings, that a value may have.
    """

    form: str
    read: Callable[[str], Any]
    read_found: Callable[[str], Any]
    json: tuple[type, ...] = ()


class _Operator(NamedTuple):
    """One operator: what it compares, whether what it says is negated, and the test of found value and one value."""

    kind: _Kind
    negated: bool
    test: Callable[[Any, Any], bool]


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _date(text: str) -> datetime:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    fraction = re.search(r"\.[0-9]+", text)  # datetime reads three or six digits only
    padded = text.replace(fraction[0], fraction[0].ljust(7, "0")) if fraction else text
    return datetime.fromisoformat(padded)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _network(text: str) -> Any:
    """An address or network. An IPv4 one that is written as IPv6 (``::ffff:0:0/96``) counts as IPv4."""
    import ipaddress

    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return ipaddress.ip_network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


def _address(text: str) -> Any:
    import ipaddress

    address = ipaddress.ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


_STRING = _Kind("a string", str, str)
_NUMERIC = _Kind("a number such as 10 or -2.5", _number, _number, (int, float))
_DATE_KIND = _Kind("a time with its zone such as 2030-01-31T00:00:00Z", _date, _date)
_BOOL = _Kind("true or false", _boolean, _boolean, (bool,))
_IP = _Kind("an address or network such as 10.0.0.0/8", _network, _address)


def _ordered(prefix: str, kind: _Kind) -> dict[str, _Operator]:
    return {
        f"{prefix}Equals": _Operator(kind, False, lambda found, value: found == value),
        f"{prefix}NotEquals": _Operator(kind, True, lambda found, value: found == value),
        f"{prefix}LessThan": _Operator(kind, False, lambda found, value: found < value),
        f"{prefix}LessThanEquals": _Operator(kind, False, lambda found, value: found <= value),
        f"{prefix}GreaterThan": _Operator(kind, False, lambda found, value: found > value),
        f"{prefix}GreaterThanEquals": _Operator(kind, False, lambda found, value: found >= value),
    }


def _like(found: str, value: str) -> bool:
    return wildcard.matches(value, found)


def _same(found: str, value: str) -> bool:
    return found.lower() == value.lower()


OPERATORS: Mapping[str, _Operator] = {
    "StringEquals": _Operator(_STRING, False, lambda found, value: found == value),
    "StringNotEquals": _Operator(_STRING, True, lambda found, value: found == value),
    "StringEqualsIgnoreCase": _Operator(_STRING, False, _same),
    "StringNotEqualsIgnoreCase": _Operator(_STRING, True, _same),
    "StringLike": _Operator(_STRING, False, _like),
    "StringNotLike": _Operator(_STRING, True, _like),
    **_ordered("Numeric", _NUMERIC),
    **_ordered("Date", _DATE_KIND),
    "Bool": _Operator(_BOOL, False, lambda found, value: found == value),
    "IpAddress": _Operator(_IP, False, lambda found, value: found in value),
    "NotIpAddress": _Operator(_IP, True, lambda found, value: found in value),
}


def context(
    at: datetime, *, source: str = "", tags: Mapping[str, str] = MappingProxyType({}), algorithm: str = ""
) -> dict[str, str]:
    """What a request carries, for ``permissions.decide``.

    Args:
        at: aware time of the request.
        source: address it came from; empty = from this machine, where there is none.
        tags: tags of the key.
        algorithm: signature or encryption algorithm that was asked for.
    """
    found = {CURRENT_TIME: at.isoformat().replace("+00:00", "Z")}
    found |= {SOURCE_IP: source} if source else {}
    found |= {ALGORITHM: algorithm} if algorithm else {}
    return found | {TAG + key: value for key, value in tags.items()}


def parse(value: object, where: str) -> tuple[Condition, ...]:
    """Read the ``Condition`` of a statement.

    Raises:
        ConfigurationError: it has another form, an unknown operator or key, or a value the operator can't compare.
    """
    where = f"{where}: Condition"
    if not isinstance(value, dict) or not value:
        raise wrong(where, value, "operators with their keys and values; leave it out when there are none")
    found = []
    for name, keys in value.items():
        operator = OPERATORS.get(name)
        if operator is None:
            raise ConfigurationError(f"{where}: unknown operator '{name}', expected one of {' '.join(OPERATORS)}")
        if not isinstance(keys, dict) or not keys:
            raise wrong(f"{where} {name}", keys, "keys with their values")
        found += [_condition(name, operator, key, values, where) for key, values in keys.items()]
    return tuple(found)


def holds(condition: Condition, found: Mapping[str, str]) -> bool | None:
    """Whether a condition holds for what a request carries; None when that can't be told."""
    operator, text = OPERATORS[condition.operator], found.get(condition.key)
    if text is None:
        return operator.negated
    if not isinstance(text, str):
        return None
    try:
        actual = operator.kind.read_found(text)
    except ValueError:
        return None
    return any(operator.test(actual, value) for value in condition.values) is not operator.negated


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether all are true: one that is not decides, else one that can't be told leaves it open."""
    distinct = set(answers)
    return False if False in distinct else None if None in distinct else True


def strings(value: object, what: str) -> tuple[str, ...]:
    """One string or a list of one or more.

    Raises:
        ConfigurationError: it is something else.
    """
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) and one for one in values):
        raise wrong(what, value, "a string or a list of strings, none of them empty")
    return tuple(values)


def wrong(what: str, found: object, expected: str) -> ConfigurationError:
    """The error for a value of another form than the expected one."""
    import json

    text = "nothing" if found is None else json.dumps(found, ensure_ascii=False)
    return ConfigurationError(f"{what}: found {text if len(text) <= 80 else text[:77] + '...'}, expected {expected}")


def _condition(name: str, operator: _Operator, key: str, values: object, where: str) -> Condition:
    if key not in CONTEXT_KEYS + _RAM_KEYS and not (key.startswith(TAG) and key != TAG):
        known = " ".join((*CONTEXT_KEYS, *_RAM_KEYS, f"{TAG}KEY"))
        raise ConfigurationError(f"{where} {name}: unknown key '{key}', expected one of {known}")
    texts, read = [], []
    for value in values if isinstance(values, list) else [values]:
        try:
            texts.append(_text(value, operator.kind))
            read.append(operator.kind.read(texts[-1]))
        except ValueError:
            raise wrong(f"{where} {name} {key}", value, operator.kind.form) from None
    if not texts:
        raise wrong(f"{where} {name} {key}", values, "one or more values")
    return Condition(name, key, tuple(texts), tuple(read))


def _text(value: object, kind: _Kind) -> str:
    """A value as a string; numbers and booleans may stand without quotes where the operator compares such."""
    if not isinstance(value, (str, *kind.json)) or (isinstance(value, bool) and bool not in kind.json):
        raise ValueError(value)
    return str(value)
