"""The helpers of the tests themselves: openssl as certificate authority, and what a missing component does."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.openssl import Authority, OpenSSL

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("key_type", ["EC_P256", "RSA_2048", "ED25519"])
def test_authority_issues_a_chain_that_openssl_accepts(openssl: OpenSSL, key_type: str) -> None:
    root = Authority.root(openssl, key_type=key_type)
    issuing = root.intermediate(key_type=key_type)
    request = openssl.request("leaf", "/CN=Leaf/O=signkit tests", key_type)
    for leaf in (issuing.issue(request, "by-ca"), issuing.issue_by_x509(request, "by-x509")):
        path = ("-CAfile", root.certificate, "-untrusted", issuing.certificate)
        assert openssl("verify", *path, leaf).endswith(": OK\n")
        assert issuing.chain_file(leaf, "chain").read_text().count("BEGIN CERTIFICATE") == 2


def test_authority_issues_with_given_times_and_extensions(openssl: OpenSSL) -> None:
    root = Authority.root(openssl, not_before=datetime(2020, 1, 1, tzinfo=UTC))
    leaf = root.issue(
        openssl.request("leaf", "/CN=Leaf"),
        "leaf",
        extensions={"extendedKeyUsage": "timeStamping"},
        not_before=datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC),
        not_after=datetime(2051, 2, 3, 4, 5, 6, tzinfo=UTC),
    )
    text = openssl("x509", "-in", leaf, "-noout", "-dates", "-ext", "extendedKeyUsage,keyUsage")
    assert "notBefore=Feb  3 04:05:06 2021 GMT" in text
    assert "notAfter=Feb  3 04:05:06 2051 GMT" in text
    assert "Time Stamping" in text
    assert "Digital Signature" not in text


def test_openssl_asserts_the_exit_status(openssl: OpenSSL) -> None:
    with pytest.raises(AssertionError, match="exit 1"):
        openssl("x509", "-in", "absent.pem")
    assert "absent.pem" in openssl("x509", "-in", "absent.pem", status=1)


@pytest.mark.parametrize(
    ("environment", "outcome", "status"),
    [({}, "1 skipped", 0), ({"CI": "true"}, "1 error", 1), ({"SIGNKIT_REQUIRE_COMPONENTS": "1"}, "1 error", 1)],
)
def test_missing_component_is_skipped_here_and_fails_in_ci(
    tmp_path: Path, environment: dict[str, str], outcome: str, status: int
) -> None:
    test = tmp_path / "test_it.py"
    test.write_text('import pytest\n\n@pytest.mark.component("no-such-program")\ndef test_it(): pass\n')
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", ROOT]
    command += ["-c", ROOT / "pyproject.toml", test]
    done = subprocess.run(command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    assert outcome in done.stdout.splitlines()[-1]
    assert "missing component: no-such-program" in done.stdout
