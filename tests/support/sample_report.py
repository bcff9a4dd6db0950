"""A verification report with everything in it that a renderer can get wrong: several artifacts, hostile names."""

from __future__ import annotations

import copy
from typing import Any

SHA256 = "56cc5eec55dc58c7043ac724f962e41892ef591552dd023a9b81f95958bfff63"
HOSTILE = (
    "<script>top.ran=1</script>\"'`|](javascript:alert(1))\n::error::x\x1b[2J\u202egpj.exe\udcff &amp; @everyone]]>"
)
"""Text that runs, links, breaks out of a cell, moves the cursor, reorders and is no Unicode, if not escaped."""


def check(name: str, verdict: str = "pass", detail: str = "", **facts: Any) -> dict[str, Any]:
    """One check of a report."""
    return {
        "name": name,
        "verdict": verdict,
        "detail": detail,
        "facts": facts,
        "source": "RFC 5652 5.6",
        "children": [],
    }


def certificate(subject: str, not_before: str, not_after: str) -> dict[str, Any]:
    """One certificate of a path."""
    return {
        "subject": subject,
        "issuer": "CN=Root",
        "serial_number": "1f",
        "certificate_sha256": SHA256,
        "not_before": not_before,
        "not_after": not_after,
    }


def signer(subject: str = "CN=Acme Release,O=Acme") -> dict[str, Any]:
    """One signer with a path of three certificates."""
    return {
        "subject": subject,
        "issuer": "CN=Issuing CA",
        "serial_number": "2a",
        "certificate_sha256": SHA256,
        "public_key_sha256": SHA256,
        "key_type": "EC_P256",
        "algorithm": "ECDSA_SHA_256",
        "signing_time": "2026-02-01T00:00:00Z",
        "timestamp": {"time": "2026-02-01T00:00:05Z"},
        "accepted": True,
        "path": [
            certificate(subject, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            certificate("CN=Issuing CA", "2025-01-01T00:00:00Z", "2031-01-01T00:00:00Z"),
            certificate("CN=Root", "2024-01-01T00:00:00Z", "2036-01-01T00:00:00Z"),
        ],
        "paths_tried": [],
    }


def artifact(name: str, *checks: dict[str, Any], status: int = 0, subject: str = "CN=Acme") -> dict[str, Any]:
    """One artifact; refused with the checks that did not pass as reasons unless the status is 0."""
    bad = [one["name"] for one in checks if one["verdict"] in ("fail", "indeterminate")]
    return {
        "artifact": name,
        "digest": {"sha256": SHA256},
        "signature": f"{name}.p7s",
        "accepted": status == 0,
        "exit_status": status,
        "reasons": bad if status else [],
        "signers": [signer(subject)],
        "checks": [check("signature.format", encoding="DER"), *checks],
    }


def document(*artifacts: dict[str, Any]) -> dict[str, Any]:
    """A whole report of these artifacts."""
    statuses = [one["exit_status"] for one in artifacts if not one["accepted"]]
    return copy.deepcopy(
        {
            "schema": "signkit.verification/v1",
            "accepted": not statuses,
            "exit_status": min((s for s in statuses if s >= 10), default=3) if statuses else 0,
            "now": "2026-06-01T00:00:00Z",
            "network": [],
            "tool": {"name": "signkit", "version": "1.2.3"},
            "artifacts": list(artifacts),
        }
    )


def refused(name: str = "app.bin", subject: str = "CN=Acme") -> dict[str, Any]:
    """An artifact that was changed after it was signed, whose revocation is not known either but tolerated."""
    digest = check("artifact.digest", "fail", f"the digest of {name} differs", expected=SHA256, found="0" * 64)
    found = artifact(name, digest, status=12, subject=subject)
    found["checks"] += [
        check("revocation.0", "indeterminate", "no CRL"),
        check("identity", "skipped", "not checked, any signer under the given anchors is accepted"),
    ]
    return found
