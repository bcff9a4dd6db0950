"""``verify`` with every option and with policy files, ``policy check`` and ``policy test``; and no network."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from signkit import system_trust
from signkit.errors import UnavailableError
from signkit.x509 import certificate
from tests.support import pki
from tests.support.cms_builder import ARTIFACT, signature, signer
from tests.support.commands import Ran, call, command_line, environment
from tests.support.components import MISSING, need_component
from tests.support.reports import check_report

CHAIN, RSA = pki.chain(), pki.rsa_chain()
LEAF = certificate.load(CHAIN.leaf)
AT = "2026-06-01T00:00:00Z"

POLICY = f"""
version = 1
[[policy]]
name = "release"
artifacts = ["dist/**"]
trust-anchors = ["roots/acme.pem"]
signers = [{{ subject = "{pki.SIGNER}" }}]
"""
TWO = f"""
[[policy]]
name = "two"
artifacts = ["two/*"]
trust-anchors = ["roots/acme.pem"]
threshold = 2
signers = [
    {{ spki-sha256 = "{LEAF.public_key_fingerprint}" }},
    {{ spki-sha256 = "{certificate.load(RSA.leaf).public_key_fingerprint}" }},
]
"""
TESTS = f"""
[[test]]
name = "in time"
artifact = "dist/app.bin"
at = {AT}
accepted = true
[[test]]
name = "too late"
artifact = "dist/app.bin"
at = 2040-01-01
exit-status = 15
[[test]]
name = "elsewhere"
artifact = "dist/app.bin"
as = "other/app.bin"
at = {AT}
reasons = ["policy.artifact"]
"""


@pytest.fixture
def folder(workdir: Path) -> Path:
    """A signed artifact in ``dist``, one signed by two in ``two``, the roots, and a policy file for both."""
    for name in ("dist", "two", "roots"):
        Path(name).mkdir()
    for name, data in (("dist/app.bin", signature()), ("two/app.bin", both())):
        Path(name).write_bytes(ARTIFACT)
        Path(f"{name}.p7s").write_bytes(data)
    Path("roots/acme.pem").write_bytes(pki.as_pem(CHAIN.root))
    Path("F.toml").write_text(POLICY + TWO)
    return workdir


def both() -> bytes:
    return signature(signer(), signer(key=RSA.leaf_key, certificate=RSA.leaf))


def verify(*arguments: str) -> Ran:
    return call("verify", "--at", AT, *arguments)


# --- a policy file decides ---


def test_accepted_by_the_policy_that_is_for_it(folder: Path) -> None:
    for name, policy in (("dist/app.bin", "release"), ("./two/app.bin", "two")):
        done = verify(name, "--policy", "F.toml")
        assert (done.status, done.err) == (0, "")
        assert f"  policy: {policy}\n" in done.out
    report = verify("dist/app.bin", "two/app.bin", "--policy", "F.toml", "--json").json()
    assert [artifact["policy"] for artifact in report["artifacts"]] == ["release", "two"]
    assert report["notices"] == []


def test_an_artifact_without_policy_is_refused(folder: Path) -> None:
    Path("app.bin").write_bytes(ARTIFACT)
    Path("app.bin.p7s").write_bytes(signature())
    done = verify("app.bin", "--policy", "F.toml")
    assert "policy.artifact: no policy of F.toml is for app.bin: 'release' is for dist/**" in done.error(19)
    report = verify("app.bin", "dist/app.bin", "--policy", "F.toml", "--json").json()
    refused, accepted = report["artifacts"]
    assert (refused["reasons"], refused["policy"], accepted["accepted"]) == (["policy.artifact"], None, True)
    assert refused["digest"]["sha256"]
    Path("app.bin.p7s").unlink()
    assert verify("app.bin", "--policy", "F.toml").status == 10
    report = verify("absent", "--policy", "F.toml", "--json").json()
    assert report["artifacts"][0]["reasons"] == ["policy.artifact", "artifact.readable"]


@pytest.mark.parametrize(
    ("old", "new", "status", "reason"),
    [
        (f'subject = "{pki.SIGNER}"', 'subject = "CN=Other"', 19, "identity"),
        ('name = "release"', 'name = "release"\nthreshold = 2', 19, "threshold"),
        ('name = "release"', 'name = "release"\nalgorithms = ["SM2DSA"]', 19, "signature.algorithm"),
        ('name = "release"', 'name = "release"\ntimestamp = "required"', 18, "timestamp.present"),
        ('name = "release"', 'name = "release"\nrevocation = "require"', 17, "revocation.0"),
    ],
)
def test_refused(folder: Path, old: str, new: str, status: int, reason: str) -> None:
    Path("F.toml").write_text(POLICY.replace(old, new))
    done = verify("dist/app.bin", "--policy", "F.toml", "--json")
    assert done.status == status
    assert reason in done.json()["artifacts"][0]["reasons"]


@pytest.mark.parametrize("name", ["artifact", "value", "anchor"])
def test_what_no_policy_accepts(folder: Path, name: str) -> None:
    actions = (
        '[policy.actions]\n"revocation.*" = "warn"\nidentity = "warn"\nthreshold = "warn"\n"path.*.validity" = "warn"\n'
    )
    Path("F.toml").write_text(POLICY + actions)
    assert verify("dist/app.bin", "--policy", "F.toml").status == 0
    if name == "artifact":
        Path("dist/app.bin").write_bytes(b"another")
    elif name == "value":
        Path("dist/app.bin.p7s").write_bytes(signature(signer(key=pki.key(60))))
    else:
        Path("roots/acme.pem").write_bytes(pki.as_pem(pki.ca("CN=Foreign", pki.key(62), "CN=Foreign", pki.key(62))))
    assert verify("dist/app.bin", "--policy", "F.toml").status == {"artifact": 12, "value": 13, "anchor": 14}[name]


def test_a_lowered_check_is_shown(folder: Path) -> None:
    Path("F.toml").write_text(POLICY.replace("CN=", "CN=Not ") + '[policy.actions]\nidentity = "warn"\n')
    done = verify("dist/app.bin", "--policy", "F.toml")
    assert done.status == 0
    assert f"  WARN identity: certificate 0 ({pki.SIGNER}): subject is '{pki.SIGNER}', expected 'CN=Not" in done.out
    assert "signkit: warning: policy 'release' only warns about other signers" in done.err


def test_the_caller_s_identity_narrows(folder: Path) -> None:
    assert verify("dist/app.bin", "--policy", "F.toml", "--signer", pki.SIGNER).status == 0
    done = verify("dist/app.bin", "--policy", "F.toml", "--signer", "CN=Other")
    assert f"certificate 0 ({pki.SIGNER}): subject is" in done.error(19)
    Path("F.toml").write_text(POLICY.replace(f'{{ subject = "{pki.SIGNER}" }}', ""))
    done = verify("dist/app.bin", "--policy", "F.toml")
    assert done.status == 0
    assert "identity: not checked, any signer under the given anchors is accepted" in done.out
    assert "names no signers: any signer under its trust anchors is accepted" in done.err
    assert verify("dist/app.bin", "--policy", "F.toml", "--require-identity").status == 19


@pytest.mark.parametrize(
    "option", [("--trust", "roots/acme.pem"), ("--tsa-trust", "x"), ("--profile", "cabf"), ("--revocation", "ignore")]
)
def test_options_that_the_policy_says_itself(folder: Path, option: tuple[str, str]) -> None:
    message = verify("dist/app.bin", "--policy", "F.toml", *option).error(2)
    assert message.startswith(f"{option[0]} stands beside the policy F.toml")


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("version = 1", 4, "F.toml: policy: found nothing"),
        (POLICY.replace("roots/acme.pem", "roots/absent.pem"), 3, "F.toml: policy 'release': trust-anchors: "),
        (POLICY.replace("roots/acme.pem", "F.toml"), 4, "F.toml: policy 'release': trust-anchors: "),
        (POLICY.replace('artifacts = ["dist/**"]', 'artifacts = "dist/**"'), 4, "artifacts: found 'dist/**'"),
        ("\udcff", 4, "F.toml: not UTF-8"),
    ],
)
def test_a_bad_policy_is_no_verdict(folder: Path, text: str, status: int, message: str) -> None:
    Path("F.toml").write_bytes(text.encode(errors="surrogateescape"))
    for arguments in (("dist/app.bin", "--policy", "F.toml"), ("dist/app.bin", "--policy", "F.toml", "--json")):
        done = verify(*arguments)
        assert message in done.error(status)
    assert done.json()["error"]["code"]
    assert message in call("policy", "check", "F.toml").error(status)
    assert message in call("policy", "test", "F.toml").error(status)


def test_a_missing_policy(folder: Path) -> None:
    for arguments in (
        ("verify", "a", "--policy", "absent"),
        ("policy", "check", "absent"),
        ("policy", "test", "absent"),
    ):
        assert "absent: no such file (policy)" in call(*arguments).error(3)


# --- the configured policy ---


def test_the_configured_policy(folder: Path) -> None:
    Path("signkit.toml").write_text('[verify]\npolicy = "F.toml"\n')
    assert "policy: release" in verify("dist/app.bin").out
    assert verify("dist/app.bin", "--signer", "CN=Other").status == 19
    # A flag stands over the file: trust that is named on the command line is all there is.
    done = verify("dist/app.bin", "--trust", "roots/acme.pem")
    assert done.status == 0
    assert "policy:" not in done.out
    Path("away").mkdir()
    Path("away/signkit.toml").write_text('[verify]\npolicy = "../F.toml"\n')
    done = call("--config", "away/signkit.toml", "verify", "dist/app.bin", "--at", AT)
    assert "policy: release" in done.out
    Path("signkit.toml").write_text('[verify]\npolicy = "absent.toml"\n')
    assert "absent.toml: no such file (policy)" in verify("dist/app.bin").error(3)
    Path("signkit.toml").write_text("[verify]\nother = 1\n")
    assert "unknown other in [verify]" in verify("dist/app.bin").error(4)
    assert verify("dist/app.bin", "--trust", "roots/acme.pem").status == 0


# --- options without a policy file ---


def test_other_options(folder: Path) -> None:
    trust = ("dist/app.bin", "--trust", "roots/acme.pem")
    assert verify(*trust, "--profile", "private", "--revocation", "ignore", "--sm2-id", "31323334").status == 0
    assert verify(*trust, "--revocation", "require").status == 17
    assert "--profile is 'strict', expected one of code-signing" in verify(*trust, "--profile", "strict").error(2)
    assert "--revocation is 'never', expected one of require" in verify(*trust, "--revocation", "never").error(2)
    assert "--sm2-id is 'xyz', expected hexadecimal" in verify(*trust, "--sm2-id", "xyz").error(2)
    for option in ("--crl", "--ocsp", "--tsa-trust"):
        assert "absent: no such file" in verify(*trust, option, "absent").error(3)
    assert "dist/app.bin: " in verify(*trust, "--crl", "dist/app.bin").error(11)
    assert "roots/acme.pem: no CRL in the file, found CERTIFICATE" in verify(*trust, "--crl", "roots/acme.pem").error(
        11
    )
    assert "roots/acme.pem: no OCSP response" in verify(*trust, "--ocsp", "roots/acme.pem").error(11)


def test_trust_of_the_system(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_trust, "certificates", lambda: (CHAIN.root,))
    done = verify("dist/app.bin", "--trust", "system")
    assert done.status == 0
    assert "signkit: warning: trusting the 1 trust anchors of this system" in done.err
    report = verify("dist/app.bin", "--trust", "system", "--json").json()
    assert "meant for TLS servers" in report["notices"][0]
    Path("F.toml").write_text(POLICY.replace('["roots/acme.pem"]', '"system"'))
    done = verify("dist/app.bin", "--policy", "F.toml")
    assert done.status == 0
    assert "trust anchors of this system" in done.err

    def fail() -> tuple[bytes, ...]:
        raise UnavailableError("the trust anchors of this system can't be read: none", hint="name files")

    monkeypatch.setattr(system_trust, "certificates", fail)
    assert "can't be read" in verify("dist/app.bin", "--trust", "system").error(3)
    assert verify("dist/app.bin", "--trust", "roots/acme.pem").status == 0


# --- policy check and policy test ---


def test_check(folder: Path) -> None:
    done = call("policy", "check", "F.toml")
    assert (done.status, done.err) == (0, "")
    assert "signers: subject" in done.out
    document = call("policy", "check", "F.toml", "--json").json()
    assert [policy["name"] for policy in document["policies"]] == ["release", "two"]
    assert (document["tests"], document["warnings"]) == (0, [])


@pytest.mark.parametrize("place", ["F.toml", "F.toml.tests.toml"])
def test_test(folder: Path, place: str) -> None:
    with Path(place).open("a") as file:
        file.write(TESTS)
    done = call("policy", "test", "F.toml")
    assert (done.status, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == ["result", "ok", "ok", "ok"]
    document = call("policy", "test", "F.toml", "--json").json()
    assert document["agreed"] is True
    assert [test["found"]["exit_status"] for test in document["tests"]] == [0, 15, 19]
    assert call("policy", "check", "F.toml", "--json").json()["tests"] == 3


def test_a_changed_policy_turns_a_test_red(folder: Path) -> None:
    Path("F.toml").write_text(POLICY.replace(pki.SIGNER, "CN=Other") + TESTS)
    done = call("policy", "test", "F.toml")
    assert "test 'in time': found refused status 19 identity, expected accepted" in done.error(4)
    assert "DIFFERS" in done.out
    done = call("policy", "test", "F.toml", "--json")
    assert done.status == 4
    assert [test["agreed"] for test in done.json()["tests"]] == [False, True, True]


def test_there_must_be_tests(folder: Path) -> None:
    assert "no test case in it, and no file F.toml.tests.toml" in call("policy", "test", "F.toml").error(4)


def test_paths_are_relative_to_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("F.toml").write_text(POLICY + TESTS)
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert call("policy", "test", "../F.toml").status == 0


# --- nothing but the inputs counts ---


def test_same_inputs_same_bytes(folder: Path) -> None:
    arguments = command_line("verify", "dist/app.bin", "two/app.bin", "--policy", "F.toml", "--json", "--at", AT)
    found = set()
    for seed in ("1", "2"):
        done = subprocess.run(arguments, env=environment(PYTHONHASHSEED=seed), capture_output=True, check=True)
        found.add(done.stdout)
    [report] = found
    assert check_report(report.decode().splitlines(), "verify")


def without_network() -> list[str]:
    """What runs a program in a network namespace of its own: no interface but a loopback that is down."""
    need_component("unshare")
    ways = (["unshare", "--map-root-user", "--net"], ["sudo", "-n", "--preserve-env", "unshare", "--net"])
    for way in ways:
        if shutil.which(way[0]) and not subprocess.run([*way, "true"], capture_output=True).returncode:
            return way
    pytest.skip(f"{MISSING} network namespaces")


def test_verifying_needs_no_network(folder: Path) -> None:
    """Where any packet would be an error, the report is the same."""
    isolated = without_network()
    interfaces = [*isolated, sys.executable, "-c", "import socket; print([n for _, n in socket.if_nameindex()])"]
    assert subprocess.run(interfaces, capture_output=True, text=True, check=True).stdout == "['lo']\n"
    arguments = command_line("verify", "dist/app.bin", "--policy", "F.toml", "--json", "--at", AT)
    done = subprocess.run([*isolated, *arguments], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["accepted"], report["network"]) == (True, [])
    there = subprocess.run(arguments, env=environment(), capture_output=True, text=True)
    assert there.stdout == done.stdout
