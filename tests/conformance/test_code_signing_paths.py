"""The 85 code-signing cases of ``fixtures/conformance`` through ``signkit.x509.validation.validate``.

``NOT_YET`` lists, with the reason, every case whose result is not the expected one, because something is not built. The
list is strict: a case that begins to come out right fails here until it is taken from the list.

ACCEPTED TODAY, ALTHOUGH FAILURE IS EXPECTED: the cases under ``ACCEPTED_TODAY``. Revocation evidence is not looked at,
a serial number may have 21 octets, and a TSA's extKeyUsage may be non-critical. Everything else on the list is refused
where it should be accepted, which is the safe side.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from signkit.der import oids
from signkit.errors import MalformedError
from signkit.x509 import bundle, certificate, validation

CASES: dict[str, dict[str, Any]] = {
    case["id"].removeprefix("codesign::"): case
    for case in json.loads(
        (Path(__file__).resolve().parents[2] / "fixtures" / "conformance" / "code-signing-paths.json").read_text()
    )["testcases"]
}
PURPOSES = {"codeSigning": oids.CODE_SIGNING, "timeStamping": oids.TIME_STAMPING}

REVOCATION = "accepted today because revocation is not processed"
ACCEPTED_TODAY = {
    "rev::revoked-now": REVOCATION,
    "rev::intermediate-revoked": REVOCATION,
    "rev::missing-intermediate-crl": REVOCATION,
    "rev::crl-entry-unknown-critical-extension": REVOCATION,
    "rev::on-hold": REVOCATION,
    "rev::k256-revoked": REVOCATION,
    "rev::sm2-crl-wrong-distid": REVOCATION,
    "rev-pit::revoked-before-signing": REVOCATION,
    "rev-pit::keycompromise-after-signing-invaliditydate-before": REVOCATION,
    "ocsp::unknown": REVOCATION,
    "ocsp::delegate-without-eku": REVOCATION,
    "ocsp::bad-signature": REVOCATION,
    "enc::21-octet-serial": "accepted today because the length of serial numbers is not checked (RFC 5280 4.1.2.2)",
}
"""Cases that must be refused and are accepted: the wrong side, each to be gone when its issue is done."""

NOT_YET = ACCEPTED_TODAY


def run(case: dict[str, Any]) -> bool:
    """Whether the path is accepted; a certificate that can't be parsed is a refusal.

    Intermediates go in as they come: what can't be parsed among them must not decide.
    """
    [purpose] = case["extended_key_usage"]
    try:
        [leaf] = bundle.certificates(case["peer_certificate"].encode())
        result = validation.validate(
            certificate.load(leaf),
            trust_anchors=[der for text in case["trusted_certs"] for der in bundle.certificates(text.encode())],
            intermediates=[
                der for text in case["untrusted_intermediates"] for der in bundle.certificates(text.encode())
            ],
            at=datetime.fromisoformat(case["validation_time"]),
            purpose=PURPOSES[purpose],
        )
    except MalformedError:
        return False
    return bool(result)


def test_all_cases_are_there_and_the_list_names_no_other() -> None:
    assert len(CASES) == 85
    assert NOT_YET.keys() <= CASES.keys()
    assert all(CASES[name]["expected_result"] == "FAILURE" for name in ACCEPTED_TODAY)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    right = run(case) is (case["expected_result"] == "SUCCESS")
    if name in NOT_YET:
        assert not right, f"{name} comes out right now: take it from the list ({NOT_YET[name]})"
    else:
        assert right, f"expected {case['expected_result']}: {case['description']}"
