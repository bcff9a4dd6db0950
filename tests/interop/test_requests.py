"""Requests as others read them: openssl for every key type, GnuTLS for those it knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signkit import algorithms
from signkit.errors import UsageError
from signkit.x509 import names, pem, request
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
