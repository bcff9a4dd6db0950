"""Certificates and requests in full, every extension in words, and what the rules found in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from signkit.report.json import Document
from signkit.report.json import certificate as short_certificate
from signkit.report.json import request as short_request

if TYPE_CHECKING:
    from signkit.x509.certificate import Certificate, Extension
    from signkit.x509.lint import Finding
    from signkit.x509.request import CertificationRequest


def certificate(one: Certificate) -> Document:
    """Everything a certificate says."""
    from signkit import algorithms
    from signkit.algorithms import digests

    return {
        **short_certificate(one),
        "certificate_version": one.version,
        "signature_algorithm": algorithms.describe(one.signature_algorithm),
        "certificate_sha1": digests.digest("sha1", one.der).hex(),
        "alternative_names": _alternative_names(one.extensions),
        "extensions": _extensions(one.extensions),
    }


def request(one: CertificationRequest) -> Document:
    """Everything a request says."""
    from signkit.algorithms import digests
    from signkit.der import oids

    return {
        **short_request(one),
        "request_sha256": digests.digest("sha256", one.der).hex(),
        "alternative_names": _alternative_names(one.extensions),
        "attributes": [oids.name(kind) for kind in one.attributes],
        "extensions": _extensions(one.extensions),
    }


def for_people(document: Mapping[str, Any]) -> Document:
    """The same document with its extensions as one line each."""
    shown = {
        f"{one['name']}{' (critical)' if one['critical'] else ''}": list(one["values"])
        for one in document["extensions"]
    }
    return {**document, "extensions": shown or None}


def findings(found: Sequence[Finding]) -> list[Document]:
    """Lint findings."""
    return [
        {
            "rule": one.rule,
            "severity": one.severity.value,
            "found": one.found,
            "expected": one.expected,
            "source": one.source,
        }
        for one in found
    ]


def finding_lines(found: Sequence[Finding]) -> Iterator[str]:
    """Lint findings, one line each, and how many there are of each severity."""
    for one in found:
        yield f"{one.severity.value:<7} {one.rule}: found {one.found}; expected {one.expected} ({one.source})"
    yield summary(found)


def summary(found: Sequence[Finding]) -> str:
    """How many findings there are of each severity, in words."""
    from signkit.x509.lint import Severity

    counts = [(sum(one.severity is severity for one in found), severity.value) for severity in Severity]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)


def _alternative_names(extensions: Mapping[str, Extension]) -> list[str]:
    from signkit.errors import MalformedError
    from signkit.x509 import extensions as readers
    from signkit.x509 import general_names

    try:
        return [general_names.describe(name) for name in readers.alternative_names(extensions)]
    except MalformedError:
        return []


def _extensions(extensions: Mapping[str, Extension]) -> list[Document]:
    from signkit.x509 import extensions as readers

    return [
        {"oid": one.oid, "name": one.name, "critical": one.critical, "values": list(one.words)}
        for one in readers.describe(extensions)
    ]
