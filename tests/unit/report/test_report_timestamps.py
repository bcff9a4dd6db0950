"""Timestamps in the reports: what programs get fits the schema, what people get says what is proved and what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from signkit.der import writer
from signkit.report import text, verification
from signkit.verification.result import VerificationResult
from tests.support import cms_builder, pki, tsa
from tests.support.judging import judge
from tests.support.tsa import STAMPED, Token, stamped

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs" / "verification-report.schema.json").read_text())
TOKENS = {
    "good": stamped(),
    "with a fraction": stamped(time=STAMPED + timedelta(microseconds=120)),
    "without accuracy": stamped(fields=()),
    "with nonce and order": stamped(fields=(("nonce", 5), ("ordering", True))),
    "signed by another key": stamped(Token(b"", key=21)),
    "no token": stamped(writer.sequence()),
    "none": cms_builder.signature(),
}


def reports(data: bytes, **options: Any) -> tuple[dict[str, Any], str]:
    """The signer in the JSON report, and the text."""
    result = VerificationResult((judge(data, **options),), pki.NOW)
    document = json.loads(json.dumps(verification.document(result, tool_version="1.2.3")))
    errors = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)]
    assert not errors
    return document["artifacts"][0]["signers"][0], "\n".join(text.lines(result))


@pytest.mark.parametrize("name", TOKENS)
def test_reports_fit_the_schema(name: str) -> None:
    reports(TOKENS[name])


def test_a_timestamp_in_full() -> None:
    signer, shown = reports(TOKENS["with a fraction"])
    found = signer["timestamp"]
    assert found["valid"] is True
    assert found["time"] == "2026-02-21T00:00:00.00012Z"
    assert found["subject"] == tsa.TSA
    assert found["policy"] == tsa.POLICY
    assert found["serial_number"] == "1234"
    assert found["accuracy_seconds"] == 1.0
    assert found["digest_algorithm"] == "sha256"
    assert [one["subject"] for one in found["path"]] == [tsa.TSA, pki.ISSUING, pki.ROOT]
    assert f"signed before 2026-02-21T00:00:00Z, stamped by {tsa.TSA}" in shown


def test_one_that_proves_nothing_is_not_called_proof() -> None:
    signer, shown = reports(TOKENS["signed by another key"])
    assert signer["timestamp"]["valid"] is False
    assert "signed before" not in shown
    assert "timestamp that proves nothing" in shown
    assert "FAIL timestamp.signature" in shown


def test_none() -> None:
    signer, shown = reports(TOKENS["none"])
    assert signer["timestamp"] is None
    assert "stamp" not in shown
    signer, shown = reports(TOKENS["no token"])
    assert signer["timestamp"] is None
    assert "FAIL timestamp.format" in shown


def test_a_hostile_name_of_an_authority_is_shown_and_not_believed() -> None:
    """The name in the token is anybody's; the certificate's counts when there is one."""
    name = writer.tlv(0xA4, pki.name("CN=Great TSA"))
    one = replace(Token(b""), fields=(("tsa", name),), certificate=tsa.certificate("CN=Small TSA"))
    signer, shown = reports(stamped(one))
    assert signer["timestamp"]["subject"] == "CN=Small TSA"
    assert "Great TSA" not in shown
