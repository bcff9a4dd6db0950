"""Public keys in other forms, read back by ssh-keygen and cryptography, and compared with the RFCs' examples."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
    MLDSA65PublicKey,
    MLDSA87PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from signkit import algorithms
from signkit.errors import MalformedError, UsageError
from signkit.x509 import public_key
from tests.support.signing import key_pair

IN_SSH = ("EC_P256", "EC_P384", "EC_P521", "ED25519", "RSA_2048", "RSA_3072", "RSA_4096")
IN_JWK = (*IN_SSH, "EC_P256K", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}


def number(text: str) -> int:
    return int.from_bytes(octets(text), "big")


def octets(text: str) -> bytes:
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read_jwk(text: bytes) -> bytes:
    """SubjectPublicKeyInfo of a JWK, by cryptography."""
    found = json.loads(text)
    key: Any
    if found["kty"] == "RSA":
        key = rsa.RSAPublicNumbers(number(found["e"]), number(found["n"])).public_key()
    elif found["kty"] == "EC":
        curve = CURVES[found["crv"]]
        assert len(octets(found["x"])) == len(octets(found["y"])) == (curve.key_size + 7) // 8
        key = ec.EllipticCurvePublicNumbers(number(found["x"]), number(found["y"]), curve).public_key()
    elif found["kty"] == "AKP":
        parameter_set = {"ML-DSA-44": MLDSA44PublicKey, "ML-DSA-65": MLDSA65PublicKey, "ML-DSA-87": MLDSA87PublicKey}
        key = parameter_set[found["alg"]].from_public_bytes(octets(found["pub"]))
    else:
        assert (found["kty"], found["crv"]) == ("OKP", "Ed25519")
        key = Ed25519PublicKey.from_public_bytes(octets(found["x"]))
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("name", IN_JWK)
def test_jwk(name: str) -> None:
    pair = key_pair(name)
    text = public_key.encode(pair.public_key_info, "jwk")
    assert read_jwk(text) == pair.public_key_info
    members = json.loads(text)
    kid = members.pop("kid")
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    assert octets(kid) == hashlib.sha256(canonical).digest()


def test_the_thumbprint_of_rfc_8037() -> None:
    """RFC 8037 appendices A.2 and A.3."""
    raw = octets("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    info = Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    members = json.loads(public_key.encode(info, "jwk"))
    assert members["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_thumbprint_of_rfc_9964() -> None:
    """RFC 9964, the example with the seed of zeros."""
    public = MLDSA44PrivateKey.from_seed_bytes(bytes(32)).public_key()
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    members = json.loads(public_key.encode(info, "jwk"))
    assert (members["kty"], members["alg"], members["pub"][:9]) == ("AKP", "ML-DSA-44", "unH59k4Ru")
    assert members["kid"] == "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"


@pytest.mark.component("ssh-keygen")
@pytest.mark.parametrize("name", IN_SSH)
def test_ssh(name: str, tmp_path: Path) -> None:
    info = key_pair(name).public_key_info
    line = public_key.encode(info, "ssh")
    assert load_ssh_public_key(line).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == info
    (tmp_path / "key.pub").write_bytes(line)
    said = subprocess.run(["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, timeout=20)
    fingerprint = base64.b64encode(hashlib.sha256(base64.b64decode(line.split()[1])).digest()).decode().rstrip("=")
    assert said.returncode == 0, said.stderr
    assert f"SHA256:{fingerprint}" in said.stdout
    assert name.split("_")[0].replace("EC", "ECDSA") in said.stdout


@pytest.mark.parametrize("name", sorted(algorithms.key_types()))
def test_pem_and_der(name: str) -> None:
    info = key_pair(name).public_key_info
    assert public_key.encode(info, "der") == info
    text = public_key.encode(info, "pem")
    assert text.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    if name != "EC_SM2":  # cryptography knows no SM2
        assert load_pem_public_key(text).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == info


UNREGISTERED = [
    *((name, "jwk") for name in sorted(set(algorithms.key_types()) - set(IN_JWK))),
    *((name, "ssh") for name in sorted(set(algorithms.key_types()) - set(IN_SSH))),
]


@pytest.mark.parametrize(("name", "form"), UNREGISTERED)
def test_types_without_a_registered_form_are_refused(name: str, form: str) -> None:
    with pytest.raises(UsageError, match=name):
        public_key.encode(key_pair(name).public_key_info, form)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(UsageError, match="expected pem or der or jwk or ssh"):
        public_key.encode(key_pair("ED25519").public_key_info, "xml")


@pytest.mark.parametrize("form", ["jwk", "ssh"])
def test_what_is_no_public_key(form: str) -> None:
    with pytest.raises(MalformedError):
        public_key.encode(b"\x30\x00", form)
