"""Verification without files: bytes in, an ``ArtifactResult`` out, through the same functions as the operation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from signkit import formats
from signkit.algorithms import DEFAULT_SIGNER_ID, digests
from signkit.errors import MalformedError
from signkit.evidence import Verdict
from signkit.verification.decide import decide
from signkit.verification.examine import examine
from signkit.verification.inputs import ArtifactInput, Trust, is_one_element
from signkit.verification.policy import ANYONE, Policy
from signkit.verification.result import ArtifactResult
from tests.support import pki
from tests.support.cms_builder import ARTIFACT


def judge(
    signature: bytes,
    artifact: bytes = ARTIFACT,
    *,
    anchors: Sequence[bytes] | None = None,
    intermediates: Sequence[bytes] = (),
    policy: Policy = ANYONE,
    at: datetime = pki.NOW,
    sm2_id: bytes = DEFAULT_SIGNER_ID,
    **trusted: Any,
) -> ArtifactResult:
    """Judge a signature over an artifact; the usual root is trusted unless ``anchors`` says otherwise.

    Args:
        signature: the signature file.
        artifact: its artifact.
        anchors: trust anchors.
        intermediates: further certificates.
        policy: the judgement to apply.
        at: judge as if now were this moment.
        sm2_id: identifier of SM2 signers.
        trusted: further fields of ``Trust``.
    """
    roots = (pki.chain().root,) if anchors is None else tuple(anchors)
    trust = Trust(roots, tuple(intermediates), at, sm2_id=sm2_id, **trusted)
    try:
        parsed = formats.format_named("cms").parse(signature)
    except MalformedError as error:
        subject = ArtifactInput("app.bin", "app.bin.p7s", None, {}, True, error)
    else:
        digested = {name: digests.digest(name, artifact) for name in parsed.required_digests(intermediates, sm2_id)}
        is_der = is_one_element(artifact[:8], len(artifact))
        subject = ArtifactInput("app.bin", "app.bin.p7s", parsed, digested, True, None, is_der)
    return decide(examine(subject, trust), policy)


def failures(result: ArtifactResult) -> set[str]:
    """Names of all checks that failed or were left open."""
    return {check.name for check in result.checks if check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE)}
