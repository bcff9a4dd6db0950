"""The 85 code-signing cases of ``fixtures/conformance`` through ``signkit.validate_path``.

Each case has what a caller would give: certificates, CRLs, OCSP responses, two clocks and the SM2 identifier. A case
with CRLs or OCSP responses requires the status of every certificate.

``ACCEPTED_DIFFERENCES`` lists, with the reason, every case whose result is not the expected one on purpose. The list is
strict: a case that begins to come out right fails here until it is taken from the list.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import signkit
from signkit.x509 import bundle, pem

CASES: dict[str, dict[str, Any]] = {
    case["id"].removeprefix("codesign::"): case
    for case in json.loads(
        (Path(__file__).resolve().parents[2] / "fixtures" / "conformance" / "code-signing-paths.json").read_text()
    )["testcases"]
}
PURPOSES = {"codeSigning": "code-signing", "timeStamping": "timestamping"}

ACCEPTED_DIFFERENCES = {
    "enc::21-octet-serial": "the profile code-signing warns of odd serial numbers, as RFC 5280 section 4.1.2.2 tells "
    "those who rely on certificates to be prepared for them; the profile cabf refuses them",
}


def certificates(texts: list[str]) -> list[bytes]:
    return [der for text in texts for der in bundle.certificates(text.encode())]


def run(case: dict[str, Any], profile: str = "code-signing") -> signkit.PathResult:
    """The result; intermediates go in as they come: what can't be parsed among them must not decide."""
    [purpose] = case["extended_key_usage"]
    [leaf] = certificates([case["peer_certificate"]])
    extra = case["x"]
    return signkit.validate_path(
        leaf,
        trust_anchors=certificates(case["trusted_certs"]),
        intermediates=certificates(case["untrusted_intermediates"]),
        crls=[block.data for text in case["crls"] for block in pem.decode(text.encode())],
        ocsp_responses=[base64.b64decode(text) for text in extra["ocsps"]],
        at=datetime.fromisoformat(case["validation_time"]),
        now=datetime.fromisoformat(extra["rev_now"]) if extra["rev_now"] else None,
        purpose=PURPOSES[purpose],
        profile=profile,
        revocation="require" if case["crls"] or extra["ocsps"] else "ignore",
        sm2_id=b"1234567812345678" if extra["distid"] is None else bytes.fromhex(extra["distid"]),
    )


def test_all_cases_are_there_and_few_come_out_differently() -> None:
    assert len(CASES) == 85
    assert ACCEPTED_DIFFERENCES.keys() <= CASES.keys()
    assert len(ACCEPTED_DIFFERENCES) <= 3


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    if (case["crls"] or case["x"]["ocsps"]) and find_spec("signkit.x509.revocation") is None:
        pytest.skip("revocation is not built yet")
    result = run(case)
    right = bool(result) is (case["expected_result"] == "SUCCESS")
    if name in ACCEPTED_DIFFERENCES:
        assert not right, f"{name} comes out right now: take it from the list ({ACCEPTED_DIFFERENCES[name]})"
    else:
        assert right, f"expected {case['expected_result']}: {case['description']}: {result.faults}"


def test_the_strict_profile_has_no_difference() -> None:
    for name in ACCEPTED_DIFFERENCES:
        assert not run(CASES[name], "cabf")
