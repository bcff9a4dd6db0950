"""Policy files: what they mean, and every fault with file, policy, key, found and expected value."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from signkit.errors import ConfigurationError
from signkit.verification import policy_file
from signkit.verification.policy import Identity, Policy
from signkit.verification.policy_file import FilePolicy
from signkit.verification.policy_tests import Expected, parse_tests
from signkit.x509 import names

GOOD = """
version = 1
[[policy]]
name = "release"
artifacts = ["dist/**"]
trust-anchors = ["roots/acme.pem"]
profile = "cabf"
signers = [
    {{ subject = "CN=Acme Release,O=Acme", issuer = "CN=Acme CA" }},
    {{ spki-sha256 = "{}", san = "email:Release@ACME.example" }},
    {{ certificate-sha256 = "{}" }},
]
threshold = 2
algorithms = ["RSA_PKCS1_SHA_256", "ECDSA_SHA_256", "SM2DSA"]
timestamp = "required"
tsa-trust-anchors = ["roots/tsa.pem"]
revocation = "require"
[policy.actions]
"path.*.policies" = "warn"
"path.0.policies" = "enforce"

[[policy]]
name = "rest"
artifacts = ["**"]
trust-anchors = "system"
""".format("AB:" * 31 + "AB", "cd" * 32)


def minimal(extra: str = "", *, artifacts: str = '["dist/**"]', before: str = "version = 1") -> str:
    return f'{before}\n[[policy]]\nname = "p"\nartifacts = {artifacts}\ntrust-anchors = ["root.pem"]\n{extra}\n'


def message(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        policy_file.parse(text, "F.toml")
    assert caught.value.exit_status == 4
    assert caught.value.hint
    assert caught.value.message.startswith("F.toml: ")
    return caught.value.message


def test_everything() -> None:
    found = policy_file.parse(GOOD, "F.toml")
    release, rest = found.policies
    assert release == FilePolicy(
        Policy(
            name="release",
            threshold=2,
            signers=(
                Identity((names.parse("CN=Acme Release,O=Acme"),), names.parse("CN=Acme CA")),
                Identity(public_key_sha256=("ab" * 32,), alternative_names=("email:Release@acme.example",)),
                Identity(certificate_sha256=("cd" * 32,)),
            ),
            algorithms=("RSA_PKCS1_SHA_256", "ECDSA_SHA_256", "SM2DSA"),
            profile="cabf",
            timestamp="required",
            revocation="require",
            actions=(("path.*.policies", "warn"), ("path.0.policies", "enforce")),
        ),
        ("dist/**",),
        ("roots/acme.pem",),
        ("roots/tsa.pem",),
    )
    assert rest == FilePolicy(Policy(name="rest"), ("**",), ("system",))
    assert found.warnings == (
        "policy 'rest' names no signers: any signer under its trust anchors is accepted",
        "policy 'rest' trusts the system's anchors, which are meant for TLS servers",
    )


def test_the_first_policy_that_fits_counts() -> None:
    found = policy_file.parse(GOOD, "F.toml")
    for path, name in (("dist/a", "release"), ("./dist/b/c", "release"), ("other", "rest"), ("dist/../x", "rest")):
        one = found.policy_for(path)
        assert one is not None
        assert one.policy.name == name
    alone = policy_file.parse(minimal(), "F.toml")
    assert alone.policy_for("elsewhere/a") is None
    assert "elsewhere/a" in alone.uncovered("elsewhere/a")
    assert "'p' is for dist/**" in alone.uncovered("elsewhere/a")


def test_an_identity_of_the_caller_narrows() -> None:
    identity = Identity(subjects=(names.parse("CN=Alice"),))
    narrowed = policy_file.parse(GOOD, "F.toml").narrowed(identity, True)
    assert all(one.policy.identity == identity and one.policy.require_identity for one in narrowed.policies)
    assert narrowed.policies[0].policy.signers


def second(artifacts: str, name: str = "q") -> str:
    return f'[[policy]]\nname = "{name}"\nartifacts = {artifacts}\ntrust-anchors = ["root.pem"]\n'


A, B = "a" * 64, "b" * 64
FAULTS = {
    "no TOML": ("version = = 1", "not valid TOML"),
    "deeply nested": (f"version = {'[' * 5000}", "not valid TOML"),
    "empty": ("", "version: found missing, expected 1; policy: found nothing, expected at least one table"),
    "no version": (minimal(before=""), "version: found missing, expected 1"),
    "newer version": (minimal(before="version = 2"), "version: found 2, expected 1"),
    "true is no version": (minimal(before="version = true"), "version: found True, expected 1"),
    "text is no version": (minimal(before='version = "1"'), "version: found '1', expected 1"),
    "unknown table": (minimal() + "[other]\n", "other: unknown key, expected one of version, policy, test"),
    "no policy": ("version = 1\n", "policy: found nothing, expected at least one table [[policy]]"),
    "empty list": ("version = 1\npolicy = []\n", "policy: found [], expected at least one table"),
    "one table": ('version = 1\n[policy]\nname = "p"\n', "expected at least one table [[policy]]"),
    "no table": ("version = 1\npolicy = [1]\n", "policy '1': found 1, expected a table"),
    "nothing in it": ("version = 1\n[[policy]]\n", "policy '1': name: missing"),
    "artifacts missing": ('version=1\n[[policy]]\nname="p"\ntrust-anchors=["a"]', "policy 'p': artifacts: missing"),
    "anchors missing": ('version=1\n[[policy]]\nname="p"\nartifacts=["a"]', "policy 'p': trust-anchors: missing"),
    "unknown key": (minimal("signer = []"), "policy 'p': signer: unknown key, expected one of name, artifacts"),
    "empty name": (
        'version=1\n[[policy]]\nname=""\nartifacts=["a"]\ntrust-anchors=["a"]',
        "policy '1': name: found ''",
    ),
    "name of lines": (minimal().replace('"p"', '"a\\nb"'), "characters that can be shown"),
    "no artifacts": (
        minimal(artifacts="[]"),
        "policy 'p': artifacts: found [], expected a list of at least one string",
    ),
    "artifacts no list": (minimal(artifacts='"dist/**"'), "artifacts: found 'dist/**', expected a list"),
    "empty pattern": (minimal(artifacts='[""]'), "artifacts: found [''], expected a list"),
    "pattern of nothing": (minimal(artifacts='["dist/"]'), "'dist/' can match nothing: it names a folder"),
    "pattern with dot": (minimal(artifacts='["./dist/**"]'), "'./dist/**' can match nothing"),
    "pattern twice": (minimal(artifacts='["a", "a"]'), "artifacts: found 'a' twice, expected it once"),
    "no anchors": (minimal().replace('["root.pem"]', "[]"), "trust-anchors: found [], expected a list of at least one"),
    "anchors twice": (minimal().replace('["root.pem"]', '["r", "r"]'), "trust-anchors: found 'r' twice"),
    "anchor no list": (
        minimal().replace('["root.pem"]', '"root.pem"'),
        "trust-anchors: found 'root.pem', expected a list",
    ),
    "unknown profile": (minimal('profile = "strict"'), "profile: found 'strict', expected one of code-signing, cabf"),
    "profile no text": (minimal("profile = []"), "profile: found [], expected one of"),
    "threshold zero": (minimal("threshold = 0"), "threshold: found 0, expected a whole number from 1 to 100"),
    "threshold true": (minimal("threshold = true"), "threshold: found True, expected a whole number"),
    "threshold half": (minimal("threshold = 1.5"), "threshold: found 1.5, expected a whole number"),
    "threshold too high": (
        minimal(f"threshold = 3\nsigners = [{{ spki-sha256 = '{A}' }}, {{ certificate-sha256 = '{B}' }}]"),
        "threshold: found 3, expected at most 2, the number of distinct keys among its signers",
    ),
    "threshold of one key in two entries": (
        minimal(
            f"threshold = 2\nsigners = [{{ spki-sha256 = '{A}' }}, {{ spki-sha256 = '{A.upper()}', subject = 'CN=A' }}]"
        ),
        "threshold: found 2, expected at most 1",
    ),
    "unknown algorithm": (minimal('algorithms = ["RSA_MD5"]'), "algorithms: found 'RSA_MD5', expected names out of"),
    "no algorithms": (minimal("algorithms = []"), "algorithms: found [], expected a list of at least one string"),
    "timestamp": (minimal('timestamp = "always"'), "timestamp: found 'always', expected one of required, if-expired"),
    "revocation": (
        minimal('revocation = "strict"'),
        "revocation: found 'strict', expected one of require, check, ignore",
    ),
    "tsa anchors ignored": (
        minimal('timestamp = "ignored"\ntsa-trust-anchors = ["tsa.pem"]'),
        "tsa-trust-anchors: found some, expected none, since timestamp is 'ignored'",
    ),
    "signers no list": (minimal('signers = "CN=A"'), "signers: found 'CN=A', expected a list of tables"),
    "signer no table": (minimal('signers = ["CN=A"]'), "signers: entry 1: found 'CN=A', expected a table"),
    "signer empty": (minimal("signers = [{}]"), "signers: entry 1: found {}, expected a table"),
    "signer unknown key": (
        minimal('signers = [{ cn = "A" }]'),
        "signers: entry 1: unknown key cn, expected one of subject",
    ),
    "signer no text": (minimal("signers = [{ subject = 1 }]"), "signers: entry 1: subject: found 1, expected a string"),
    "signer empty text": (minimal('signers = [{ subject = "" }]'), "entry 1: subject: found '', expected a string"),
    "signer bad name": (minimal('signers = [{ subject = "Acme" }]'), "entry 1: 'Acme' is not a distinguished name"),
    "signer bad key": (minimal('signers = [{ spki-sha256 = "ab" }]'), "entry 1: 'ab' is not a SHA-256 fingerprint"),
    "signer bad san": (
        minimal('signers = [{ san = "acme.example" }]'),
        "entry 1: 'acme.example' is not an alternative name",
    ),
    "signer bad san kind": (minimal('signers = [{ san = "ip:1" }]'), "expected email: or dns: or uri:"),
    "signer twice": (
        minimal('signers = [{ subject = "CN=A" }, { subject = "cn=A" }]'),
        "signers: entry 2 says the same as an earlier one",
    ),
    "actions no table": (minimal('actions = "warn"'), "actions: found 'warn', expected a table"),
    "unknown action": (
        minimal('actions = { identity = "skip" }'),
        "actions: 'identity': found 'skip', expected one of enforce",
    ),
    "unknown check": (minimal('actions = { "path.polices" = "warn" }'), "'path.polices' is no check"),
    "unknown pattern": (minimal('actions = { "paths.*" = "warn" }'), "'paths.*' is no check"),
    "long pattern": (minimal('actions = { "%s" = "warn" }' % ("*" * 2000)), "is no check"),
    "lowered digest": (
        minimal('actions = { "artifact.digest" = "warn" }'),
        "'warn' for artifact.digest, which can never be",
    ),
    "lowered value": (
        minimal('actions = { "signature.value" = "warn" }'),
        "'warn' for signature.value, which can never be",
    ),
    "lowered path": (
        minimal('actions = { "path.built" = "warn" }'),
        "'warn' for path.built, which can never be lowered",
    ),
    "lowered by star": (minimal('actions = { "path.*" = "warn" }'), "'path.*': found 'warn' for path.built"),
    "lowered all": (minimal('actions = { "*" = "warn" }'), "'*': found 'warn' for artifact.readable"),
    "contradicting actions": (
        minimal('actions = { "path.*.validity" = "warn", "path.0.*alidity" = "enforce" }'),
        "'path.*.validity' and 'path.0.*alidity' contradict each other",
    ),
    "required and lowered": (
        minimal('timestamp = "required"\nactions = { "timestamp.*" = "warn" }'),
        "actions.'timestamp.*': found 'warn' for timestamp.present, expected 'enforce', since timestamp is 'required'",
    ),
    "required revocation lowered": (
        minimal('revocation = "require"\nactions = { "revocation.*" = "warn" }'),
        "actions.'revocation.*': found 'warn' for revocation.0, expected 'enforce', since revocation is 'require'",
    ),
    "action on what is not made": (
        minimal('revocation = "ignore"\nactions = { "revocation.*" = "warn" }'),
        "actions.'revocation.*': no such check is made, since revocation is 'ignore'",
    ),
    "action on what does not count": (
        minimal('timestamp = "ignored"\nactions = { "timestamp.signature" = "warn" }'),
        "actions.'timestamp.signature': no such check counts",
    ),
    "name twice": (minimal() + second('["x"]', "p"), "policy 'p': name: found it twice"),
    "shadowed": (
        minimal() + second('["dist/app/**"]'),
        "policy 'q': artifacts: 'dist/app/**' is never reached: 'dist/**' of policy 'p' stands before it",
    ),
    "the same pattern": (minimal() + second('["x", "dist/**"]'), "policy 'q': artifacts: 'dist/**' is never reached"),
    "behind everything": (minimal(artifacts='["**"]') + second('["x"]'), "'x' is never reached: '**' of policy 'p'"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_fault(case: str) -> None:
    text, expected = FAULTS[case]
    assert expected in message(text)


def test_every_fault_is_named_at_once() -> None:
    found = message(minimal('timestamp = "x"\nrevocation = "y"\nthreshold = 0') + second("[]") + "[other]\n")
    for part in ("timestamp:", "revocation:", "threshold:", "policy 'q': artifacts:", "other: unknown key"):
        assert part in found


def test_overlaps_that_are_meant() -> None:
    assert policy_file.parse(minimal(artifacts='["dist/app/**"]') + second('["dist/**"]'), "F")
    assert policy_file.parse(minimal("signers = []\nthreshold = 2"), "F").warnings


def test_an_identity_that_only_warns_is_warned_about() -> None:
    text = minimal('signers = [{ subject = "CN=A" }]\nactions = { identity = "warn" }')
    assert policy_file.parse(text, "F").warnings == ("policy 'p' only warns about other signers than those it names",)


# --- test cases ---

CASE = """
[[test]]
name = "in time"
artifact = "dist/a"
as = "dist/b"
signature = "a.p7s"
at = 2027-01-31T13:00:00+01:00
intermediates = ["i.pem"]
crls = ["a.crl"]
ocsp = ["a.ocsp"]
accepted = false
exit-status = 16
reasons = ["revocation.0"]
"""


def test_a_test_case() -> None:
    [one] = policy_file.parse(minimal() + CASE, "F").tests
    assert (one.name, one.artifact, one.named, one.signature) == ("in time", "dist/a", "dist/b", "a.p7s")
    assert one.at == datetime(2027, 1, 31, 12, tzinfo=UTC)
    assert (one.intermediates, one.crls, one.ocsp_responses) == (("i.pem",), ("a.crl",), ("a.ocsp",))
    assert one.expected == Expected(False, 16, ("revocation.0",))
    assert str(one.expected) == "refused status 16 revocation.0"
    assert parse_tests(CASE, "F.tests.toml") == (one,)
    [plain] = parse_tests('[[test]]\nartifact = "a"\nat = 2027-01-31\naccepted = true\n', "T")
    assert (plain.name, plain.at) == ("1", datetime(2027, 1, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[test]]\naccepted = true\n", "test '1': artifact: missing"),
        ('[[test]]\nartifact = "a"\n', "test '1': expects nothing, expected one of accepted, exit-status, reasons"),
        ('[[test]]\nartifact = "a"\naccepted = true\nexit-status = 12\n', "expects what can't be: accepted status 12"),
        ('[[test]]\nartifact = "a"\naccepted = false\nreasons = []\n', "expects what can't be"),
        ('[[test]]\nartifact = "a"\naccepted = "yes"\n', "accepted: found 'yes', expected true or false"),
        ('[[test]]\nartifact = "a"\nexit-status = 4\n', "exit-status: found 4, expected 0, 3 or 10 to 19"),
        ('[[test]]\nartifact = "a"\nreasons = ["path.*"]\n', "reasons: 'path.*' is no check"),
        ('[[test]]\nartifact = "a"\nreasons = ["nothing"]\n', "reasons: 'nothing' is no check"),
        ('[[test]]\nartifact = "a"\naccepted = true\nat = 2027-01-31T12:00:00\n', "expected a time with its zone"),
        ('[[test]]\nartifact = "a"\naccepted = true\nat = "2027"\n', "expected a time with its zone"),
        ('[[test]]\nartifact = "a"\naccepted = true\nwhen = 1\n', "when: unknown key, expected one of name, artifact"),
        ("test = 1\n", "test: found 1, expected tables [[test]]"),
        ("test = [1]\n", "test '1': found 1, expected a table [[test]]"),
        ("other = 1\n", "other: unknown key, expected one of version, test"),
        ("version = 2\n", "version: found 2, expected 1"),
    ],
)
def test_fault_of_a_test_case(text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(expected)):
        parse_tests(text, "T")
