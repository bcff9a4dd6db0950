"""Requests as others read them: openssl for every key type, GnuTLS for those it knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signkit import algorithms
from signkit.errors import UsageError
from signkit.x509 import bundle, certificate, extensions, names, pem, request
from tests.support.onboarding import House
from tests.support.openssl import OpenSSL
from tests.support.signing import key_pair

POST_QUANTUM = (3, 5, 0)
STANDARD_IDENTIFIER = (4, 0, 0)
DISTID = "distid:1234567812345678"
NAMES = [
    "email:release@acme.example",
    "dns:acme.example",
    "uri:https://acme.example/",
    "ip:2001:db8::1",
    "upn:zoë@acme",
]


def written(house: House, folder: Path, key_type: str, **options: object) -> Path:
    path = folder / f"{key_type}.csr"
    path.write_text(house.request(house.key(key_type.lower(), key_type), **options).pem)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("key_type", sorted(algorithms.key_types()))
def test_openssl_accepts_a_request_of_every_key_type(openssl: OpenSSL, key_type: str) -> None:
    if key_type.startswith("ML_DSA") and openssl.version < POST_QUANTUM:
        pytest.skip("OpenSSL knows ML-DSA from 3.5 on")
    house = House()
    path = written(house, openssl.folder, key_type, subject="CN=Zoë+UID=7,O=Acme\\, Inc.,C=DE", alternative_names=NAMES)
    options = ("-vfyopt", DISTID) if key_type == "EC_SM2" else ()
    text = openssl("req", "-in", path, "-verify", "-noout", "-text", "-nameopt", "RFC2253,-esc_msb,utf8", *options)
    assert "verify OK" in text
    assert "Subject: UID=7+CN=Zoë,O=Acme\\, Inc.,C=DE" in text
    assert "email:release@acme.example, DNS:acme.example, URI:https://acme.example/" in text
    assert "IP Address:2001:DB8:0:0:0:0:0:1" in text
    assert "UPN::zoë@acme" in text
    assert "Version: 1 (0x0)" in text
    assert "challengePassword" not in text
    public = openssl("req", "-in", path, "-noout", "-pubkey")
    assert public == pem.encode("PUBLIC KEY", house.public_key(f"alias/{key_type.lower()}@1"))


def test_an_sm2_request_is_signed_with_the_standard_identifier(openssl: OpenSSL) -> None:
    """OpenSSL assumes an empty identifier up to 3.6, and from 4.0 on the standard one."""
    path = written(House(), openssl.folder, "EC_SM2")
    assert "verify OK" in openssl("req", "-in", path, "-verify", "-noout", "-vfyopt", DISTID)
    wrong = openssl("req", "-in", path, "-verify", "-noout", "-vfyopt", "distid:another", status=None)
    assert "verify OK" not in wrong
    plain = openssl("req", "-in", path, "-verify", "-noout", status=None)
    assert ("verify OK" in plain) is (openssl.version >= STANDARD_IDENTIFIER)


@pytest.mark.component("certtool")
@pytest.mark.parametrize("key_type", ["RSA_3072", "EC_P256", "EC_P384", "EC_P521", "ED25519"])
def test_gnutls_accepts_a_request(tmp_path: Path, key_type: str) -> None:
    path = written(House(), tmp_path, key_type, alternative_names=NAMES, template="tsa")
    shown = subprocess.run(["certtool", "--crq-info", "--infile", path], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0
    assert "Self signature: verified" in shown.stdout
    assert "Time stamping." in shown.stdout
    assert "Key Purpose (critical)" in shown.stdout
    assert "RFC822Name: release@acme.example" in shown.stdout


EXTENSIONS = {
    "basicConstraints": ("critical,CA:TRUE,pathlen:3", ["a CA", "at most 3 CA certificates below it"]),
    "keyUsage": ("critical,digitalSignature,cRLSign", ["digitalSignature", "cRLSign"]),
    "extendedKeyUsage": ("codeSigning,1.2.3.4", ["codeSigning", "1.2.3.4"]),
    "subjectAltName": (
        "email:a@b.example,DNS:a.example,URI:https://a.example/,IP:192.0.2.1,RID:1.2.3,dirName:dn",
        [
            "email:a@b.example",
            "dns:a.example",
            "uri:https://a.example/",
            "ip:192.0.2.1",
            "rid:1.2.3",
            "dirname:CN=Zoe,C=DE",
        ],
    ),
    "issuerAltName": ("email:ca@b.example", ["email:ca@b.example"]),
    "crlDistributionPoints": ("URI:http://a.example/a.crl", ["uri:http://a.example/a.crl"]),
    "authorityInfoAccess": (
        "caIssuers;URI:http://a.example/a.crt,OCSP;URI:http://ocsp.example/",
        ["caIssuers at uri:http://a.example/a.crt", "ocsp at uri:http://ocsp.example/"],
    ),
    "certificatePolicies": ("2.23.140.1.4.1,1.2.3", ["CA/B Forum code signing", "1.2.3"]),
    "nameConstraints": (
        "permitted;DNS:a.example,excluded;IP:192.0.2.0/255.255.255.0",
        ["only dns:a.example", "not ip:c0000200ffffff00"],
    ),
    "policyConstraints": (
        "requireExplicitPolicy:2,inhibitPolicyMapping:1",
        ["explicit policy after 2 certificates", "no policy mapping after 1 certificates"],
    ),
    "inhibitAnyPolicy": ("4", ["4"]),
    "nsComment": ("for tests", ["for tests"]),
}
"""How openssl is told an extension, and what we say of what it wrote."""


@pytest.mark.parametrize("name", EXTENSIONS)
def test_extensions_that_openssl_writes_are_put_in_words(openssl: OpenSSL, name: str) -> None:
    told, expected = EXTENSIONS[name]
    openssl.key("own")
    (openssl.folder / "x.cnf").write_text(
        "[req]\nprompt = no\nutf8 = yes\ndistinguished_name = subject\nx509_extensions = wanted\n"
        f"[subject]\nCN = A\n[wanted]\n{name} = {told}\n[dn]\nC = DE\nCN = Zoe\n"
    )
    openssl("req", "-x509", "-new", "-key", "own.key", "-utf8", "-config", "x.cnf", "-out", "own.pem")
    (der,) = bundle.certificates((openssl.folder / "own.pem").read_bytes())
    found = extensions.describe(certificate.load(der).extensions)
    assert expected in [list(one.words) for one in found], found


_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
_TYPES = st.sampled_from(["CN", "O", "OU", "L", "title", "C", "emailAddress", "serialNumber", "2.5.4.12"])


def escaped(value: str) -> str:
    return "".join(f"\\{octet:02x}" for octet in value.encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(_TYPES, _WORDS), min_size=1, max_size=3), min_size=1, max_size=4))
def test_openssl_reads_every_subject_that_is_accepted(openssl: OpenSSL, rdns: list[list[tuple[str, str]]]) -> None:
    text = ",".join("+".join(f"{kind}={escaped(value)}" for kind, value in rdn) for rdn in rdns)
    try:
        subject = names.parse_subject(text)
    except UsageError:
        return
    pair = key_pair("EC_P256")
    info = request.to_be_signed(subject, pair.public_key_info, key_usage=(), purposes=())
    algorithm = pair.key_type.algorithms[0]
    der = request.assemble(info, algorithm, pair.sign(algorithm, info))
    assert request.load(der).subject == subject
    assert "verify OK" in openssl("req", "-inform", "DER", "-verify", "-noout", "-subject", stdin=der)
