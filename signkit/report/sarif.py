"""Findings as SARIF 2.1.0 (OASIS), which code-scanning pages of forges and many IDEs read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from signkit.report import findings, rules
from signkit.report.findings import Document, Finding
from signkit.report.printable import printable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
"""What stands in a URI's path as it is (RFC 3986 section 2.3)."""


def render(document: Document, repeat: Sequence[str] = ()) -> str:
    """A verification report as SARIF.

    Args:
        document: a report of ``report.verification``.
        repeat: commands that repeat the verification, signkit's own first.
    """
    hashes = {artifact["artifact"]: artifact["digest"] for artifact in document["artifacts"]}
    found = list(findings.of_verification(document))
    return render_findings(
        found, document["tool"], exit_status=document["exit_status"], hashes=hashes, command="".join(repeat[:1])
    )


def render_findings(
    found: Sequence[Finding],
    tool: Document,
    *,
    exit_status: int,
    hashes: Document | None = None,
    command: str = "",
) -> str:
    """Findings of any command as SARIF.

    Args:
        found: what to report.
        tool: name and version of the program.
        exit_status: how the command ended.
        hashes: each file that was looked at, with its digests in lower-case hex by digest algorithm.
        command: the command line; empty = not said.
    """
    invocation: dict[str, Any] = {"executionSuccessful": exit_status == 0 or exit_status >= 10, "exitCode": exit_status}
    if command:
        invocation["commandLine"] = printable(command)
    files = list(dict.fromkeys([*(hashes or {}), *(finding.subject for finding in found)]))
    names = list(dict.fromkeys(finding.rule for finding in found))
    run = {
        "tool": {"driver": {"name": tool["name"], "version": tool["version"], "rules": list(map(_rule, names))}},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "artifacts": [_artifact(file, (hashes or {}).get(file, {})) for file in files],
        "results": [_result(finding, names, files) for finding in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(name: str) -> dict[str, Any]:
    rule = rules.rule(name)
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": " ".join(filter(None, (rule.explanation, rule.hint and f"What to do: {rule.hint}.")))},
    }


def _artifact(file: str, digests: Document) -> dict[str, Any]:
    location = {"location": {"uri": _uri(file)}}
    return {**location, "hashes": {_hash_name(name): value for name, value in digests.items()}} if digests else location


def _hash_name(name: str) -> str:
    """SARIF writes digest algorithms as the IANA registry does (section 3.24.11)."""
    return {"sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}.get(name, name)


def _result(finding: Finding, names: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    facts = {"expected": finding.expected, "found": finding.found, "source": finding.source, "hint": finding.hint}
    extra: dict[str, Any] = {name: printable(value) for name, value in facts.items() if value}
    if finding.signer is not None:
        extra["signer"] = finding.signer
    return {
        "ruleId": finding.rule,
        "ruleIndex": names.index(finding.rule),
        "level": finding.level,
        "message": {"text": f"{printable(finding.subject)}: {printable(finding.message)}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.subject), "index": files.index(finding.subject)},
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"check/v1": _fingerprint((finding.rule, finding.subject, str(finding.signer)))},
        "properties": extra,
    }


def _fingerprint(parts: Iterable[str]) -> str:
    """The same for the same check of the same file in every run, so that a forge does not report it anew."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _uri(path: str) -> str:
    """A relative path as a relative reference, an absolute one as a file URI (RFC 3986, RFC 8089)."""
    octets = path.removeprefix("./").encode("utf-8", "surrogateescape")
    quoted = "".join(chr(octet) if octet in _PLAIN else f"%{octet:02X}" for octet in octets)
    return f"file://{quoted}" if path.startswith("/") else quoted
