"""The names of all checks, and what a policy may do about each: enforce it, or only warn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from signkit.verification.patterns import literals, matches_name

ENFORCE, WARN = "enforce", "warn"
ACTIONS = (ENFORCE, WARN)
MAXIMUM_POSITION = 20
"""Highest N of a check's name: the longest path has as many certificates above the signer's."""

_OF_ARTIFACT = ("artifact.readable", "artifact.digest", "artifact.embedded-content")
_OF_SIGNATURE = ("signature.present", "signature.format", "signature.algorithm", "signature.value")
_SIGNED_ATTRIBUTES = (
    "signed-attributes.content-type",
    "signed-attributes.message-digest",
    "signed-attributes.signing-certificate",
    "signed-attributes.algorithm-protection",
    "signed-attributes.signing-time",
    "signed-attributes.unique",
    "signed-attributes.ambiguity",
)
_PATH = (
    "path.built",
    "path.trust-anchor",
    "path.leaf.extended-key-usage",
    "path.N.signature",
    "path.N.validity",
    "path.N.basic-constraints",
    "path.N.key-usage",
    "path.N.extended-key-usage",
    "path.N.name-constraints",
    "path.N.policies",
    "path.N.key-strength",
    "path.N.serial-number",
    "path.N.unknown-critical-extensions",
)
_TIMESTAMP = (
    "timestamp.present",
    "timestamp.format",
    "timestamp.message-imprint",
    "timestamp.signature",
    "timestamp.signing-certificate",
    "timestamp.extended-key-usage",
    "timestamp.time",
    "timestamp.key-period",
    "timestamp.nonce",
    "timestamp.policy",
    "timestamp.other-token",
    *(f"timestamp.{name}" for name in _PATH),
    "timestamp.revocation.N",
)
NAMES = (
    *_OF_ARTIFACT,
    *_OF_SIGNATURE,
    *_SIGNED_ATTRIBUTES,
    *_PATH,
    "revocation.N",
    "time.established",
    *_TIMESTAMP,
    "identity",
    "threshold",
    "policy.artifact",
)
"""Every check that verification can make; N stands for a certificate's position, the signer's being 0."""

NEVER_LOWERED = (
    *_OF_ARTIFACT,
    "signature.present",
    "signature.format",
    "signature.value",
    "signed-attributes.content-type",
    "signed-attributes.message-digest",
    "signed-attributes.unique",
    "signed-attributes.ambiguity",
    "path.built",
    "path.trust-anchor",
    "path.N.signature",
    "path.N.basic-constraints",  # else everybody with a certificate could issue certificates
    "policy.artifact",
)
"""Without these nobody trusted has signed this artifact: no policy can turn them into warnings."""


@lru_cache(maxsize=1)
def instances() -> tuple[str, ...]:
    """Every name that can appear in a report, with numbers for N."""
    return tuple(name for template in NAMES for name in _numbered(template))


def can_be_lowered(name: str) -> bool:
    """Whether a policy may turn a failure of this check into a warning."""
    return re.sub(r"\.\d+(?=\.|$)", ".N", name) not in NEVER_LOWERED


def matching(pattern: str) -> list[str]:
    """The names that a pattern of ``[policy.actions]`` speaks about."""
    return [name for name in instances() if matches_name(pattern, name)]


def lowered(name: str, actions: Iterable[tuple[str, str]]) -> bool:
    """Whether a check that did not pass only warns: the most specific pattern that fits its name decides.

    Args:
        name: of the check.
        actions: pairs of pattern and action.
    """
    fitting = [(literals(pattern), action != WARN) for pattern, action in actions if matches_name(pattern, name)]
    return bool(fitting) and not max(fitting)[1] and can_be_lowered(name)


def _numbered(template: str) -> list[str]:
    head, separator, tail = template.partition(".N")
    return [f"{head}.{number}{tail}" for number in range(MAXIMUM_POSITION + 1)] if separator else [template]
