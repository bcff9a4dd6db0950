"""The same input gives the same verdict and the same bytes of the report, in any order and in any process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from signkit.report import verification
from signkit.verification.result import VerificationResult
from tests.support import pki
from tests.support.cms_builder import signature, signer, signing_certificate_v2
from tests.support.judging import judge

ROOT = Path(__file__).resolve().parents[3]


def report() -> bytes:
    """The JSON report of a good artifact, a changed one and one signed by two, one of them a stranger."""
    stranger = pki.leaf("CN=Stranger", pki.key(61), "CN=Elsewhere", pki.key(62))
    two = signature(signer(), signer(key=pki.key(61), certificate=stranger))
    named = signature(signer(attributes=(*(signer().attributes or ()), signing_certificate_v2(pki.chain().leaf))))
    results = (judge(named), judge(named, b"changed"), judge(two), judge(two, anchors=[]), judge(b"junk"))
    document = verification.document(VerificationResult(results, pki.NOW), tool_version="0")
    return json.dumps(document, sort_keys=False).encode()


def test_same_input_same_bytes() -> None:
    assert report() == report()


def test_same_bytes_in_another_process() -> None:
    """Hash randomisation must not show: no set or dictionary order reaches the report."""
    program = "import sys; from tests.unit.verification.test_stability import report; sys.stdout.buffer.write(report())"
    found = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True
        )
        found.add(done.stdout)
    assert found == {report()}
