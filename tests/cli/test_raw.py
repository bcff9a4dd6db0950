"""``signkit raw``: every key type signs and verifies, and openssl agrees where it knows the type."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signkit.cli import main
from signkit.keys import permissions
from signkit.keys.model import Permission
from signkit.wiring import Wiring
from tests.support.components import need_component
from tests.support.openssl import OpenSSL

ALGORITHMS = {
    "RSA_2048": "RSA_PKCS1_SHA_256",
    "RSA_3072": "RSA_PSS_SHA_256",
    "RSA_4096": "RSA_PKCS1_SHA_512",
    "EC_P256": "ECDSA_SHA_256",
    "EC_P384": "ECDSA_SHA_384",
    "EC_P521": "ECDSA_SHA_512",
    "EC_P256K": "ECDSA_SHA_256",
    "EC_SM2": "SM2DSA",
    "ED25519": "ED25519",
    "ML_DSA_44": "ML_DSA_44",
    "ML_DSA_65": "ML_DSA_65",
    "ML_DSA_87": "ML_DSA_87",
}
OPENSSL = {
    "RSA_2048": ["dgst", "-sha256"],
    "RSA_3072": ["dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"],
    "RSA_4096": ["dgst", "-sha512"],
    "EC_P256": ["dgst", "-sha256"],
    "EC_P384": ["dgst", "-sha384"],
    "EC_P521": ["dgst", "-sha512"],
    "EC_P256K": ["dgst", "-sha256"],
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIGNKIT_HOME", str(tmp_path / "home"))
    assert main(["init", "--root-key", f"file:{tmp_path / 'root.key'}", "--quiet"]) == 0
    allow_decryption()
    (tmp_path / "message").write_bytes(b"message" * 99)
    (tmp_path / "other").write_bytes(b"another message")
    return tmp_path


def allow_decryption() -> None:
    """Who makes a store may administer and sign with its keys, and not yet decrypt."""
    wiring = Wiring(os.environ)
    document = permissions.ready_made("decryptor")
    wiring.store.attach_permission(Permission(wiring.principal, document, datetime.now(UTC)), [])
    wiring.close()


def create(key_type: str, *options: str) -> str:
    alias = "alias/" + key_type.lower().replace("_", "-")
    assert main(["key", "create", "--type", key_type, "--alias", alias, "--quiet", *options]) == 0
    return f"{alias}@1"


@pytest.mark.parametrize(("key_type", "algorithm"), ALGORITHMS.items())
def test_every_key_type_signs_and_verifies(store: Path, key_type: str, algorithm: str) -> None:
    key = create(key_type)
    assert main(["raw", "sign", key, "--algorithm", algorithm, "--in", "message", "--out", "s", "--quiet"]) == 0
    assert main(["key", "public", key, "--out", "p.pem", "--quiet"]) == 0
    check = ["raw", "verify", "--algorithm", algorithm, "--signature", "s", "--quiet"]
    assert main([*check, key, "--in", "message"]) == 0
    assert main([*check, key, "--in", "other"]) == 13
    no_store = ["--home", "/nowhere", *check]
    assert main([*no_store, "--public-key", "p.pem", "--in", "message"]) == 0
    assert main([*no_store, "--public-key", "p.pem", "--in", "other"]) == 13


@pytest.mark.parametrize("key_type", OPENSSL)
def test_openssl_verifies_what_it_knows(store: Path, key_type: str) -> None:
    need_component("openssl")
    key = create(key_type)
    assert main(["raw", "sign", key, "--algorithm", ALGORITHMS[key_type], "--in", "message", "--out", "s"]) == 0
    assert main(["key", "public", key, "--out", "p.pem"]) == 0
    OpenSSL(store)(*OPENSSL[key_type], "-verify", "p.pem", "-signature", "s", "message")


def test_openssl_verifies_sm2(store: Path) -> None:
    need_component("openssl")
    key = create("EC_SM2")
    assert main(["raw", "sign", key, "--algorithm", "SM2DSA", "--in", "message", "--out", "s"]) == 0
    assert main(["key", "public", key, "--out", "p.pem"]) == 0
    options = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678", "-in", "message", "-sigfile", "s"]
    OpenSSL(store)("pkeyutl", "-verify", "-pubin", "-inkey", "p.pem", *options)


def test_another_sm2_identifier_is_another_signature(store: Path) -> None:
    key = create("EC_SM2")
    identifier = b"ALICE123@YAHOO.COM".hex()
    sign = ["raw", "sign", key, "--algorithm", "SM2DSA", "--in", "message", "--out", "s", "--sm2-id", identifier]
    assert main(sign) == 0
    check = ["raw", "verify", key, "--algorithm", "SM2DSA", "--in", "message", "--signature", "s"]
    assert main([*check, "--sm2-id", identifier]) == 0
    assert main(check) == 13


@pytest.mark.parametrize(
    ("key_type", "algorithm", "largest"),
    [
        ("RSA_2048", "RSAES_OAEP_SHA_256", 190),
        ("RSA_2048", "RSAES_OAEP_SHA_1", 214),
        ("RSA_3072", "RSAES_OAEP_SHA_256", 318),
        ("RSA_3072", "RSAES_OAEP_SHA_1", 342),
        ("RSA_4096", "RSAES_OAEP_SHA_256", 446),
        ("RSA_4096", "RSAES_OAEP_SHA_1", 470),
        ("EC_SM2", "SM2PKE", 6047),
    ],
)
def test_encryption_up_to_the_limits_of_kms(store: Path, key_type: str, algorithm: str, largest: int) -> None:
    key = create(key_type, "--usage", "ENCRYPT/DECRYPT")
    (store / "plain").write_bytes(b"x" * largest)
    (store / "longer").write_bytes(b"x" * (largest + 1))
    assert main(["raw", "encrypt", key, "--algorithm", algorithm, "--in", "plain", "--out", "c"]) == 0
    assert main(["raw", "decrypt", key, "--algorithm", algorithm, "--in", "c", "--out", "back"]) == 0
    assert (store / "back").read_bytes() == b"x" * largest
    assert (store / "back").stat().st_mode & 0o077 == 0
    assert main(["raw", "encrypt", key, "--algorithm", algorithm, "--in", "longer", "--out", "c2"]) == 2


def test_decryption_has_one_error_for_every_reason(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = create("RSA_2048", "--usage", "ENCRYPT/DECRYPT")
    (store / "plain").write_bytes(b"secret")
    assert main(["raw", "encrypt", key, "--algorithm", "RSAES_OAEP_SHA_256", "--in", "plain", "--out", "c"]) == 0
    good = (store / "c").read_bytes()
    answers = set()
    for bad in (good[:-1], good[:-1] + bytes([good[-1] ^ 1]), bytes(256), b"\xff" * 256, good + b"x"):
        (store / "bad").write_bytes(bad)
        capsys.readouterr()
        assert main(["raw", "decrypt", key, "--algorithm", "RSAES_OAEP_SHA_256", "--in", "bad", "--json"]) == 4
        answers.add(capsys.readouterr().out)
    assert len(answers) == 1
    assert json.loads(answers.pop())["error"]["code"] == "InvalidParameter"


def test_ml_dsa_signs_mu_in_place_of_a_message(store: Path) -> None:
    """FIPS 204 algorithm 7, line 6: mu is made outside, and the signature is that of the message."""
    key = create("ML_DSA_44")
    assert main(["key", "public", key, "--format", "der", "--out", "p.der", "--quiet"]) == 0
    tr = hashlib.shake_256((store / "p.der").read_bytes()[-1312:]).digest(64)
    mu = hashlib.shake_256(tr + b"\x00\x00" + (store / "message").read_bytes()).hexdigest(64)
    sign = ["raw", "sign", key, "--algorithm", "ML_DSA_44", "--out", "s", "--quiet"]
    assert main([*sign, "--digest", mu]) == 0
    check = ["raw", "verify", key, "--algorithm", "ML_DSA_44", "--signature", "s", "--quiet"]
    assert main([*check, "--in", "message"]) == main([*check, "--digest", mu]) == 0
    assert main([*check, "--in", "other"]) == main([*check, "--digest", mu[::-1]]) == 13
    assert main([*sign, "--digest", mu[2:], "--force"]) == 2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--algorithm", "ECDSA_SHA_256"], 2),
        (["--algorithm", "ECDSA_SHA_256", "--in", "message", "--digest", "00" * 32], 2),
        (["--algorithm", "ECDSA_SHA_256", "--digest", "00" * 31], 2),
        (["--algorithm", "ECDSA_SHA_256", "--digest", "zz"], 2),
        (["--algorithm", "RSA_PKCS1_SHA_256", "--in", "message"], 2),
        (["--algorithm", "ECDSA_SHA_256", "--in", "missing"], 3),
    ],
)
def test_what_can_not_be_signed(store: Path, arguments: list[str], status: int) -> None:
    assert main(["raw", "sign", create("EC_P256"), *arguments]) == status


def test_a_digest_is_signed_as_its_message_is(store: Path) -> None:
    import hashlib

    key = create("EC_P256")
    digest = hashlib.sha256((store / "message").read_bytes()).hexdigest()
    assert main(["raw", "sign", key, "--algorithm", "ECDSA_SHA_256", "--digest", digest, "--out", "s"]) == 0
    check = ["raw", "verify", key, "--algorithm", "ECDSA_SHA_256", "--signature", "s"]
    assert main([*check, "--in", "message"]) == 0
    assert main([*check, "--digest", digest]) == 0


def test_a_key_has_one_usage(store: Path) -> None:
    assert main(["key", "create", "--type", "EC_P256", "--usage", "ENCRYPT/DECRYPT"]) == 2
    key = create("RSA_2048", "--usage", "ENCRYPT/DECRYPT")
    assert main(["raw", "sign", key, "--algorithm", "RSA_PKCS1_SHA_256", "--in", "message"]) == 4


def test_a_wrong_signature_is_one_document(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = create("EC_P256")
    arguments = ["raw", "verify", key, "--algorithm", "ECDSA_SHA_256", "--signature", "message", "--in", "message"]
    capsys.readouterr()
    assert main(["--json", *arguments]) == 13
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "SignatureInvalid"
