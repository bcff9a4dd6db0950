"""What ``policy`` answers, as the documents that ``--json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signkit.report.json import Document

if TYPE_CHECKING:
    from signkit.operations.policies import Tested
    from signkit.verification.policy_file import FilePolicy, PolicyFile


def policy_file(found: PolicyFile, anything: str = "") -> Document:
    """A valid policy file.

    Args:
        found: the file.
        anything: stands in for lists of which an empty one means that everything is accepted.
    """
    return {
        "policy_file": found.name,
        "policies": [_policy(one, [anything] if anything else []) for one in found.policies],
        "tests": len(found.tests),
        "warnings": list(found.warnings),
    }


def _policy(one: FilePolicy, anything: list[str]) -> Document:
    policy = one.policy
    return {
        "name": policy.name,
        "artifacts": list(one.artifacts),
        "trust_anchors": list(one.trust_anchors),
        "profile": policy.profile,
        "signers": [str(signer) for signer in policy.signers] or anything,
        "threshold": policy.threshold,
        "algorithms": list(policy.algorithms) or anything,
        "timestamp": policy.timestamp,
        "tsa_trust_anchors": list(one.tsa_trust_anchors),
        "revocation": policy.revocation,
        "actions": [f"{pattern} = {action}" for pattern, action in policy.actions],
    }


def policy_tests(name: str, tested: Sequence[Tested]) -> Document:
    """What the test cases of a policy file came to."""
    return {
        "policy_file": name,
        "agreed": all(one.agreed for one in tested),
        "tests": [
            {
                "name": one.test.name,
                "artifact": one.test.artifact,
                "agreed": one.agreed,
                "expected": {name: value for name, value in one.test.expected._asdict().items() if value is not None},
                "found": {
                    "accepted": one.result.accepted,
                    "exit_status": one.result.exit_status,
                    "reasons": list(one.result.reasons),
                    "policy": one.result.policy or None,
                },
            }
            for one in tested
        ],
    }
