"""What is wrong, risky or notable about a request or certificate, by the rules of those who will judge it.

A rule set is a table in a file of its own; a rule is one row of it. What can't be parsed at all is no finding: the
parsers refuse it with ``MalformedError`` before any rule is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from importlib import import_module
from typing import NamedTuple, TypeVar

from signkit import algorithms
from signkit.der import oids
from signkit.errors import MalformedError, UsageError
from signkit.x509 import extensions, names
from signkit.x509.certificate import Certificate, Extension
from signkit.x509.request import CertificationRequest

Value = TypeVar("Value")


class Severity(StrEnum):
    """How much a finding matters: it will be refused, it may be, or one should know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Kind(StrEnum):
    """What a rule applies to. A certificate is a CA's, a timestamp authority's, or any other signer's."""

    REQUEST = "request"
    SIGNER = "signer"
    TSA = "timestamp authority"
    CA = "CA"


REQUEST, SIGNER, TSA, CA = Kind.REQUEST, Kind.SIGNER, Kind.TSA, Kind.CA
CERTIFICATES = frozenset({SIGNER, TSA, CA})
LEAVES = frozenset({SIGNER, TSA})
EVERYTHING = frozenset(Kind)


class Examined:
    """A request or certificate as the rules see it.

    Attributes:
        kind: what it is.
        subject: its subject.
        key_type: type of its public key, for example ``RSA_3072``.
        signature_algorithm: DER AlgorithmIdentifier.
        extensions: the extensions that it has, or asks for.
        certificate: the certificate, None for a request.
        request: the request, None for a certificate.
        now: the present, aware UTC.
    """

    def __init__(self, found: Certificate | CertificationRequest, now: datetime) -> None:
        """Take a parsed request or certificate."""
        self.certificate = found if isinstance(found, Certificate) else None
        self.request = found if isinstance(found, CertificationRequest) else None
        self.subject: names.Name = found.subject
        self.key_type: str = found.key_type
        self.public_key_info: bytes = found.public_key_info
        self.signature_algorithm: bytes = found.signature_algorithm
        self.extensions: Mapping[str, Extension] = found.extensions
        self.now = now

    @property
    def kind(self) -> Kind:
        """What it is."""
        if self.certificate is None:
            return REQUEST
        if self.certificate.is_ca:
            return CA
        return TSA if oids.TIME_STAMPING in (self.purposes or ()) else SIGNER

    @cached_property
    def key_usage(self) -> frozenset[str] | None:
        """Names of its key usages, None when the extension is missing or unreadable."""
        return self.read(oids.KEY_USAGE, extensions.key_usage)

    @cached_property
    def purposes(self) -> tuple[str, ...] | None:
        """OBJECT IDENTIFIERs of its purposes, None when the extension is missing or unreadable."""
        return self.read(oids.EXTENDED_KEY_USAGE, extensions.key_purposes)

    @cached_property
    def signature_oid(self) -> str:
        """OBJECT IDENTIFIER of the signature algorithm."""
        return algorithms.split_identifier(self.signature_algorithm)[0]

    @property
    def for_timestamps(self) -> bool:
        """Whether it is, or asks to be, a timestamp authority's."""
        return oids.TIME_STAMPING in (self.purposes or ())

    def critical(self, oid: str) -> bool:
        """Whether it has that extension, marked critical."""
        return oid in self.extensions and self.extensions[oid].critical

    def read(self, oid: str, parse: Callable[[bytes], Value]) -> Value | None:
        """What an extension says, None when it is missing or unreadable; that it is unreadable is a rule's matter."""
        found = self.extensions.get(oid)
        if found is None:
            return None
        try:
            return parse(found.value)
        except (MalformedError, ValueError, IndexError):
            return None


class Rule(NamedTuple):
    """One row of a rule set.

    Attributes:
        id: stable name, ``SET.words-with-hyphens``.
        severity: how much it matters when it is broken.
        applies: what it is asked about.
        check: what was found that breaks the rule, in words; an empty text when it is kept.
        expected: what would keep it.
        source: the clause that demands it.
    """

    id: str
    severity: Severity
    applies: frozenset[Kind]
    check: Callable[[Examined], str]
    expected: str
    source: str


class Finding(NamedTuple):
    """A rule that was broken: its id, severity, what was found and expected, and the clause that demands it."""

    rule: str
    severity: Severity
    found: str
    expected: str
    source: str


REFUSED = 4
"""Exit status when a rule is broken whose severity is error."""

RULE_SETS: Mapping[str, tuple[str, ...]] = {
    "private": ("lint_rules_private",),
    "cabf": ("lint_rules_private", "lint_rules_cabf", "lint_rules_microsoft"),
}
"""Name of a rule set to the tables that it consists of, each a module of this package with ``RULES``."""


def rules(name: str) -> tuple[Rule, ...]:
    """The rules of a set.

    Raises:
        UsageError: there is no such set.
    """
    tables = RULE_SETS.get(name)
    if tables is None:
        raise UsageError(
            f"'{name}' is not a rule set: expected one of {' '.join(RULE_SETS)}",
            hint="private: what any authority expects; cabf: what public code-signing authorities must demand",
        )
    return tuple(rule for table in tables for rule in import_module(f"signkit.x509.{table}").RULES)


def lint(found: Certificate | CertificationRequest, rule_set: str, *, now: datetime) -> list[Finding]:
    """Everything that the rules of a set find, the gravest first.

    Args:
        found: a request or certificate.
        rule_set: one of ``RULE_SETS``.
        now: the present, aware UTC.

    Raises:
        UsageError: there is no such set.
    """
    examined = Examined(found, now)
    findings = [
        Finding(rule.id, rule.severity, problem, rule.expected, rule.source)
        for rule in rules(rule_set)
        if examined.kind in rule.applies and (problem := rule.check(examined))
    ]
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether one of the findings is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)
