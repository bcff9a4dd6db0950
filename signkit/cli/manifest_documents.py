"""What ``manifest`` answers, as lines and as the documents that ``--json`` prints."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from typing import TYPE_CHECKING

from signkit.report import json, text, verification
from signkit.version import VERSION

if TYPE_CHECKING:
    from signkit.operations.manifest import CreatedManifest, TreeResult

SCHEMA = "signkit.manifest/v1"
_SHOWN = 100
"""Most files that are named in text for one reason; ``--json`` has all of them."""


def created(made: CreatedManifest) -> json.Document:
    """What ``manifest create`` wrote."""
    (signature,) = made.signed.artifacts
    return {
        "manifest": made.path,
        "signature": signature.signature,
        "files": made.files,
        "size": made.size,
        "digest": {signature.digest_algorithm: signature.digest_hex},
        "key_id": made.signed.key.id,
        "version": made.signed.version.number,
        "algorithm": made.signed.algorithm.name,
        "signer": str(made.signed.certificate.subject),
        "certificate_sha256": made.signed.certificate.fingerprint,
    }


def verified(result: TreeResult) -> json.Document:
    """What ``manifest verify`` found."""
    return {
        "schema": SCHEMA,
        "folder": result.folder,
        "accepted": result.accepted,
        "exit_status": result.exit_status,
        "rules": {"include": list(result.rules.include), "exclude": list(result.rules.exclude)},
        "files": {
            "verified": result.verified,
            "changed": list(result.changed),
            "missing": list(result.missing),
            "unsigned": list(result.unsigned),
        },
        "problem": result.problem.message if result.problem is not None else None,
        "verification": verification.document(result.verification, tool_version=VERSION),
    }


def lines(result: TreeResult, *, every_check: bool) -> Iterator[str]:
    """The result as a person reads it: the verdict on the folder, its files, and the verdict on the signature."""
    word = "ACCEPTED" if result.accepted else "REFUSED" if result.exit_status >= 10 else "NOT DECIDED"
    status = "" if result.accepted else f" ({result.exit_status})"
    yield f"{result.folder}: {word}{status}: {_counts(result)}"
    for label, names in (("changed", result.changed), ("missing", result.missing), ("unsigned", result.unsigned)):
        for name in names[:_SHOWN]:
            yield f"  {label.ljust(8)} {os.path.join(result.folder, name)}"
        if len(names) > _SHOWN:
            yield f"  {label.ljust(8)} and {len(names) - _SHOWN} more; --json names them all"
    for label, patterns in (("only files that match", result.rules.include), ("left out", result.rules.exclude)):
        if patterns:
            yield f"  {label} (signed rule): {', '.join(patterns)}"
    yield from text.lines(result.verification, every_check=every_check)


def _counts(result: TreeResult) -> str:
    if not result.verification.accepted:
        return "the signature of the manifest was not accepted, so no file was looked at"
    if result.problem is not None:
        return result.problem.message
    parts = [f"{result.verified} file(s) verified"]
    for label, names in (("changed", result.changed), ("missing", result.missing), ("not signed", result.unsigned)):
        if names:
            parts.append(f"{len(names)} {label}")
    return ", ".join(parts)
