"""``signkit key import``, ``version import`` and ``key public``: private keys come in, and never out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from signkit.x509 import pem
from tests.support.commands import Workshop
from tests.support.openssl import OpenSSL
from tests.support.private_keys import encrypted
from tests.support.signing import key_pair

CURVES = {"EC_P256": "P-256", "EC_P384": "P-384", "EC_P521": "P-521", "EC_P256K": "secp256k1", "EC_SM2": "SM2"}
ALGORITHMS = {
    **{name: "ECDSA_SHA_256" for name in CURVES},
    "EC_SM2": "SM2DSA",
    "ED25519": "ED25519",
    "RSA_2048": "RSA_PSS_SHA_256",
}


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop.create(tmp_path)


def put(shop: Workshop, name: str, data: bytes, mode: int = 0o600) -> Path:
    path = shop.folder / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


def plain(shop: Workshop, name: str = "EC_P256", number: int = 1) -> Path:
    text = pem.encode("PRIVATE KEY", key_pair(name, number).private_key_info)
    return put(shop, f"{name}-{number}.pem", text.encode())


@pytest.mark.component("openssl")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_key_made_by_openssl_signs_here(shop: Workshop, name: str) -> None:
    """Its public key there is the one here, and it is certified and signs like any other."""
    openssl = OpenSSL(shop.folder)
    if name.startswith("RSA"):
        options: tuple[str, ...] = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    elif name in CURVES:
        options = ("-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{CURVES[name]}")
    else:
        options = ("-algorithm", name)
    secret = put(shop, "passphrase", b"correct horse\n")
    openssl("genpkey", *options, "-out", "plain.pem")
    openssl(
        "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", "plain.pem", "-passout", "file:passphrase", "-out", "own.pem"
    )
    options = ("--type", name, "--in", shop.folder / "own.pem", "--passphrase-file", secret, "--alias", "alias/own")
    done = shop.do("key", "import", *options)
    assert "destroy what need not be" in done.err
    theirs = openssl("pkey", "-in", "plain.pem", "-pubout")
    assert shop.do("key", "public", "alias/own@1").out == theirs
    message, signature = put(shop, "message", b"message"), shop.folder / "signature"
    algorithm = ("--algorithm", ALGORITHMS[name], "--in", message)
    shop.do("raw", "sign", "alias/own@1", *algorithm, "--out", signature)
    shop.do("raw", "verify", "alias/own@1", *algorithm, "--signature", signature)
    request = shop.request("alias/own@1")
    shop.do("lab", "issue", shop.folder / "lab", request, "--out", request.with_suffix(".chain"))
    shop.do("cert", "import", "alias/own@1", request.with_suffix(".chain"))
    assert shop.verify(message.with_name("message"), "--signature", shop.sign(message, "alias/own@1")).status == 0


def test_the_document_of_an_import(shop: Workshop) -> None:
    done = shop.do("key", "import", "--type", "EC_P256", "--in", plain(shop), "--tag", "team=release", "--json")
    document = json.loads(done.out)
    assert (document["key_type"], document["state"], document["origin"]) == ("EC_P256", "Enabled", "EXTERNAL")
    assert len(document["versions"]) == 1 and document["versions"][0]["public_key_sha256"]


def test_versions_of_an_imported_key(shop: Workshop) -> None:
    shop.do("key", "create", "--type", "EC_P256", "--external", "--alias", "alias/own")
    assert shop("key", "public", "alias/own@1").status == 3
    assert "PendingImport" in shop.do("key", "show", "alias/own").out
    assert "version 1" in shop.do("version", "import", "alias/own", "--in", plain(shop, number=1)).out
    assert "version 2" in shop.do("version", "import", "alias/own", "--in", plain(shop, number=2)).out
    again = shop("version", "import", "alias/own", "--in", plain(shop, number=2))
    assert (again.status, "version 2 of key" in again.err) == (4, True)
    assert "Unsupported.Origin" in shop("version", "create", "alias/own", "--json").out


def test_a_dry_run_imports_nothing(shop: Workshop) -> None:
    assert "would import" in shop.do("key", "import", "--type", "EC_P256", "--in", plain(shop), "--dry-run").out
    assert json.loads(shop.do("key", "list", "--json").out) == {"keys": []}


def test_the_type_has_to_be_the_one_that_was_asked_for(shop: Workshop) -> None:
    done = shop("key", "import", "--type", "RSA_3072", "--in", plain(shop))
    assert (done.status, "of type EC_P256, expected RSA_3072" in done.err) == (4, True)


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_passphrase_file_that_others_can_read_is_refused(shop: Workshop, mode: int) -> None:
    data = put(shop, "own.der", encrypted(key_pair("EC_P256").private_key_info, b"correct horse"))
    secret = put(shop, "passphrase", b"correct horse\n", mode)
    done = shop("key", "import", "--type", "EC_P256", "--in", data, "--passphrase-file", secret)
    assert (done.status, "expected 0600" in done.err) == (3, True)


def test_passphrases_from_the_environment(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    data = put(shop, "own.der", encrypted(key_pair("EC_P256").private_key_info, b"correct horse"))
    for content, status in ((b"wrong", 4), (b"", 2), (b"\n", 2), (b"correct horse\r\n", 0)):
        monkeypatch.setenv("SIGNKIT_IMPORT_PASSPHRASE_FILE", str(put(shop, "passphrase", content)))
        assert shop("key", "import", "--type", "EC_P256", "--in", data).status == status


def test_without_a_terminal_the_hint_names_the_file(shop: Workshop) -> None:
    data = put(shop, "own.der", encrypted(key_pair("EC_P256").private_key_info, b"correct horse"))
    command = [sys.executable, "-m", "signkit", "--home", shop.home, "key", "import", "--type", "EC_P256", "--in", data]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNKIT_")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, start_new_session=True, stdin=subprocess.DEVNULL, env=kept
    )
    assert done.returncode == 3
    assert "--passphrase-file" in done.stderr


def test_no_passphrase_is_an_argument(shop: Workshop) -> None:
    for noun in ("key", "version"):
        assert "--passphrase-file" in (text := shop.do(noun, "import", "--help").out)
        assert "--passphrase " not in text


def test_nothing_of_the_file_is_in_the_store(shop: Workshop) -> None:
    """Neither the container, nor the scalar, in the database or its journal."""
    path = plain(shop)
    shop.do("key", "import", "--type", "EC_P256", "--in", path)
    pair = key_pair("EC_P256", 1)
    scalar = pair.private_key.private_numbers().private_value.to_bytes(32, "big")
    for file in (one for one in shop.home.rglob("*") if one.is_file()):
        data = file.read_bytes()
        for secret in (scalar, scalar.hex().encode(), pair.private_key_info, path.read_bytes()):
            assert secret not in data, file


@pytest.mark.parametrize("form", ["jwk", "ssh"])
def test_public_keys_for_others(shop: Workshop, form: str) -> None:
    shop.do("key", "import", "--type", "EC_P256", "--in", plain(shop), "--alias", "alias/own")
    out = shop.do("key", "public", "alias/own@1", "--format", form).out
    assert out.startswith('{"crv":"P-256"' if form == "jwk" else "ecdsa-sha2-nistp256 ")
    shop.do("key", "import", "--type", "EC_SM2", "--in", plain(shop, "EC_SM2"), "--alias", "alias/sm2")
    refused = shop("key", "public", "alias/sm2@1", "--format", form)
    assert (refused.status, "EC_SM2" in refused.err) == (2, True)


def test_no_command_gives_a_private_key(shop: Workshop) -> None:
    """What every command with a key answers, in each of its forms, holds nothing of the private key."""
    shop.do("key", "import", "--type", "EC_P256", "--in", plain(shop), "--alias", "alias/own")
    pair = key_pair("EC_P256", 1)
    scalar = pair.private_key.private_numbers().private_value.to_bytes(32, "big")
    commands = [("key", "show", "alias/own"), ("version", "show", "alias/own@1"), ("version", "list", "alias/own")]
    commands += [("key", "public", "alias/own@1", "--format", form) for form in ("pem", "jwk", "ssh")]
    for command in [("key", "list"), ("doctor",), *commands]:
        for options in ((), ("--json",)):
            done = shop(*command, *options)
            assert "PRIVATE KEY" not in done.out + done.err
            assert scalar.hex() not in (done.out + done.err).lower()


def test_no_interface_gives_a_private_key() -> None:
    """Nothing is named so, of what is public, of the services, and of what a provider must offer."""
    import signkit
    from signkit.operations.imports import ImportService
    from signkit.operations.keys import KeyService
    from signkit.ports import Provider, Store

    for owner in (signkit, ImportService, KeyService, Provider, Store):
        for name in dir(owner):
            assert name.startswith("_") or not ("export" in name or "private" in name), f"{owner}: {name}"
