"""Test cases of a policy file: an artifact, what is known about it at what time, and the verdict that is expected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from signkit.errors import UsageError
from signkit.verification import checks
from signkit.verification import policy_fields as fields
from signkit.verification.result import ArtifactResult

STATUSES = (3, *range(10, 20))
_TOP_LEVEL = ("version", "test")


class Expected(NamedTuple):
    """A verdict; None stands for what was not said.

    Attributes:
        accepted: whether the artifact is accepted.
        exit_status: 0, 3 or 10 to 19.
        reasons: names of exactly the checks that refuse, in any order.
    """

    accepted: bool | None = None
    exit_status: int | None = None
    reasons: tuple[str, ...] | None = None

    def agrees(self, result: ArtifactResult) -> bool:
        """Whether a result is what was expected."""
        return (
            self.accepted in (None, result.accepted)
            and self.exit_status in (None, result.exit_status)
            and (self.reasons is None or set(self.reasons) == set(result.reasons))
        )

    def __str__(self) -> str:
        return _verdict(self.accepted, self.exit_status, self.reasons)


class PolicyTest(NamedTuple):
    """One ``[[test]]``. Paths are relative to the file that it stands in.

    Attributes:
        name: what it shows.
        artifact: path of the artifact.
        named: path that the patterns of the policies see; None = ``artifact``.
        signature: path of its signature; None = beside it.
        at: the moment to judge at, aware UTC; None = now.
        intermediates: paths of further certificates.
        crls: paths of CRLs.
        ocsp_responses: paths of OCSP responses.
        expected: the verdict.
    """

    name: str
    artifact: str
    named: str | None
    signature: str | None
    at: datetime | None
    intermediates: tuple[str, ...]
    crls: tuple[str, ...]
    ocsp_responses: tuple[str, ...]
    expected: Expected


def found(result: ArtifactResult) -> str:
    """A result in the words of ``Expected``."""
    return _verdict(result.accepted, result.exit_status, result.reasons)


def parse_tests(text: str, name: str) -> tuple[PolicyTest, ...]:
    """Read a file of test cases.

    Args:
        text: TOML with ``[[test]]`` tables, and ``version = 1`` if it likes.
        name: the file's name, for messages.

    Raises:
        ConfigurationError: not TOML, or there are faults: all of them are in the message.
    """
    document = fields.load(text, name)
    faults = fields.Faults(name)
    for key in document:
        if key not in _TOP_LEVEL:
            faults.add("", key, f"unknown key, expected one of {', '.join(_TOP_LEVEL)}")
    if document.get("version", 1) != 1:
        faults.add("", "version", f"found {fields.shown(document['version'])}, expected 1")
    tests = read_tests(document.get("test", []), faults)
    faults.raise_if_any("docs/policy.md explains the keys")
    return tests


def read_tests(tables: Any, faults: fields.Faults) -> tuple[PolicyTest, ...]:
    """The ``[[test]]`` tables of a document; what is wrong with them is added to the faults."""
    if not isinstance(tables, list):
        faults.add("", "test", f"found {fields.shown(tables)}, expected tables [[test]]")
        return ()
    tests = [_test(table, number, faults) for number, table in enumerate(tables, start=1)]
    return tuple(test for test in tests if test is not None)


def _test(table: Any, number: int, faults: fields.Faults) -> PolicyTest | None:
    before = len(faults.found)
    if not isinstance(table, dict):
        faults.add(str(number), "", f"found {fields.shown(table)}, expected a table [[test]]", "test")
        return None
    where = table["name"] if isinstance(table.get("name"), str) and table["name"] else str(number)
    values = fields.read(table, _TEST, where, faults, "test")
    if "artifact" not in table:
        faults.add(where, "artifact", "missing, expected a path", "test")
    expected = Expected(values.get("accepted"), values.get("exit-status"), values.get("reasons"))
    if not {"accepted", "exit-status", "reasons"} & table.keys():
        faults.add(where, "", "expects nothing, expected one of accepted, exit-status, reasons", "test")
    elif _contradicts_itself(expected):
        faults.add(where, "", f"expects what can't be: {expected}", "test")
    if len(faults.found) > before:
        return None
    return PolicyTest(
        where,
        values["artifact"],
        values.get("as"),
        values.get("signature"),
        values.get("at"),
        values.get("intermediates", ()),
        values.get("crls", ()),
        values.get("ocsp", ()),
        expected,
    )


def _contradicts_itself(expected: Expected) -> bool:
    """Whether it is accepted by one field and refused by another."""
    said = [
        None if expected.accepted is None else expected.accepted,
        None if expected.exit_status is None else expected.exit_status == 0,
        None if expected.reasons is None else not expected.reasons,
    ]
    return {True, False} <= set(said)


def _verdict(accepted: bool | None, exit_status: int | None, reasons: tuple[str, ...] | None) -> str:
    parts = []
    if accepted is not None:
        parts.append("accepted" if accepted else "refused")
    if exit_status is not None:
        parts.append(f"status {exit_status}")
    if reasons:
        parts.append(", ".join(reasons))
    elif reasons is not None and accepted is None:
        parts.append("no reason to refuse")
    return " ".join(parts)


def _moment(value: Any) -> datetime:
    """A TOML date-time with its zone, or a date: its first second in UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        try:
            return value.astimezone(UTC)
        except OverflowError:
            pass
    elif isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise UsageError(f"found {fields.shown(str(value))}, expected a time with its zone such as 2027-01-31T12:00:00Z")


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"found {fields.shown(value)}, expected true or false")
    return value


def _status(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in (0, *STATUSES):
        raise UsageError(f"found {fields.shown(value)}, expected 0, 3 or 10 to 19")
    return value


def _reasons(value: Any) -> tuple[str, ...]:
    reasons = () if value == [] else fields.strings(value)
    for name in reasons:
        if "*" in name or not checks.matching(name):
            raise UsageError(f"'{name}' is no check, expected names such as path.0.validity (docs/exit-codes.md)")
    return reasons


_TEST: Mapping[str, fields.Convert] = {
    "name": fields.string,
    "artifact": fields.string,
    "as": fields.string,
    "signature": fields.string,
    "at": _moment,
    "intermediates": fields.strings,
    "crls": fields.strings,
    "ocsp": fields.strings,
    "accepted": _boolean,
    "exit-status": _status,
    "reasons": _reasons,
}
"""Keys of a ``[[test]]``."""
