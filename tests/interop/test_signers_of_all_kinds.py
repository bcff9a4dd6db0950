"""Signatures by every kind of key, judged by stock verifiers: openssl, certtool, Bouncy Castle, and bare openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from asn1crypto import cms

from signkit.cms import signed_data
from signkit.der import writer
from tests.support.commands import Workshop
from tests.support.components import MISSING, components_required, need_component

TYPES = ("RSA_2048", "EC_P256", "EC_P384", "EC_P521", "EC_P256K", "EC_SM2", "ED25519", "ML_DSA_65")
ARTIFACT = b"an artifact\r\nwith line ends\0\xff" * 20
JARS = tuple(Path(f"/usr/share/java/{name}.jar") for name in ("bcpkix", "bcprov", "bcutil"))
VERIFIER = Path(__file__).with_name("java") / "VerifySignatures.java"
SM2_ID = "1234567812345678"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), *TYPES)


def signed(
    shop: Workshop, folder: Path, types: Sequence[str], *options: str, suffix: str = ".p7s"
) -> tuple[Path, Path]:
    artifact = folder / "app.bin"
    artifact.write_bytes(ARTIFACT)
    keys = [word for one in types for word in ("--key", shop.keys[one])]
    shop.do("sign", artifact, *keys, "--force", *options)
    return artifact, folder / f"app.bin{suffix}"


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)


def openssl_accepts(shop: Workshop, artifact: Path, signature: Path) -> bool:
    options = ("-verify", "-binary", "-inform", "DER", "-purpose", "any", "-cades", "-CAfile", shop.root)
    files = ("-in", signature, "-content", artifact, "-out", artifact.parent / "out")
    return openssl("cms", *options, *files).returncode == 0


@pytest.mark.component("openssl")
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_accepts_pss_with_a_salt_as_long_as_the_digest(shop: Workshop, tmp_path: Path, digest: str) -> None:
    need_component("openssl")
    artifact, signature = signed(shop, tmp_path, ["RSA_2048"], "--padding", "pss", "--digest", digest)
    assert openssl_accepts(shop, artifact, signature)
    content = cms.ContentInfo.load(signature.read_bytes())["content"]
    parameters = content["signer_infos"][0]["signature_algorithm"]["parameters"].native
    assert parameters["hash_algorithm"]["algorithm"] == digest
    assert parameters["mask_gen_algorithm"]["parameters"]["algorithm"] == digest
    assert parameters["salt_length"] == int(digest[3:]) // 8
    artifact.write_bytes(ARTIFACT + b"!")
    assert not openssl_accepts(shop, artifact, signature)


@pytest.mark.component("openssl")
@pytest.mark.parametrize("types", [("EC_P256K",), ("EC_P256", "RSA_2048"), ("EC_P384", "EC_P521", "EC_P256K")])
def test_openssl_accepts_several_signers(shop: Workshop, tmp_path: Path, types: tuple[str, ...]) -> None:
    need_component("openssl")
    artifact, signature = signed(shop, tmp_path, types)
    assert openssl_accepts(shop, artifact, signature)
    artifact.write_bytes(ARTIFACT + b"!")
    assert not openssl_accepts(shop, artifact, signature)


@pytest.mark.component("openssl")
def test_openssl_accepts_a_signer_added_to_its_own(shop: Workshop, tmp_path: Path) -> None:
    """The first signature is openssl's, without the attributes that ours have."""
    need_component("openssl")
    artifact, signature = tmp_path / "app.bin", tmp_path / "app.bin.p7s"
    artifact.write_bytes(ARTIFACT)
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Other")
    openssl("req", *made, "-keyout", key, "-out", certificate)
    files = ("-in", artifact, "-out", signature, "-signer", certificate, "-inkey", key)
    for more in ((), ("-noattr",)):
        signature.unlink(missing_ok=True)
        openssl("cms", "-sign", "-binary", "-outform", "DER", *files, *more)
        shop.do("sign", artifact, "--key", shop.keys["EC_P384"], "--add")
        both = tmp_path / "both.pem"
        both.write_bytes(shop.root.read_bytes() + certificate.read_bytes())
        options = ("-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile", both)
        done = openssl("cms", *options, "-in", signature, "-content", artifact, "-out", tmp_path / "out")
        assert done.returncode == 0, done.stderr


@pytest.mark.component("certtool")
@pytest.mark.parametrize(
    ("types", "options"), [(["RSA_2048"], ["--padding", "pss"]), (["ED25519"], []), (["EC_P256"], [])]
)
def test_certtool_accepts(shop: Workshop, tmp_path: Path, types: list[str], options: list[str]) -> None:
    need_component("certtool")
    artifact, signature = signed(shop, tmp_path, types, *options)
    command = ["certtool", "--p7-verify", "--load-ca-certificate", shop.root, "--load-data", artifact]
    command += ["--inder", "--infile", signature]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    artifact.write_bytes(ARTIFACT + b"!")
    assert subprocess.run(command, capture_output=True).returncode != 0


def bouncy_castle(*pairs: Path) -> list[str]:
    """What Bouncy Castle says of each signer."""
    need_component("java")
    if not all(jar.exists() for jar in JARS):
        (pytest.fail if components_required() else pytest.skip)(f"{MISSING} libbcpkix-java")
    path = ":".join(map(str, JARS))
    done = subprocess.run(["java", "-cp", path, VERIFIER, *pairs], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.component("java")
def test_bouncy_castle_accepts_all_but_what_it_does_not_know(shop: Workshop, tmp_path: Path) -> None:
    """SM2 with the standard identifier above all, which openssl before 4.0 can't verify in CMS.

    Bouncy Castle 1.72 of Debian 12 knows neither ML-DSA under its final name nor the signature algorithm of GM/T 0010.
    """
    cases: dict[str, tuple[list[str], list[str]]] = {one: ([one], []) for one in TYPES if one != "ML_DSA_65"}
    cases["PSS"] = (["RSA_2048"], ["--padding", "pss"])
    cases["SM2 and ECDSA"] = (["EC_SM2", "EC_P256"], [])
    pairs: list[Path] = []
    for number, (types, options) in enumerate(cases.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        pairs += signed(shop, folder, types, *options)
    verdicts = bouncy_castle(*pairs)
    assert len(verdicts) == len(cases) + 1
    assert [verdict for verdict in verdicts if not verdict.endswith(" true")] == []
    pairs[0].write_bytes(ARTIFACT + b"!")
    assert not bouncy_castle(*pairs[:2])[0].endswith(" true")


# --- SM2 by openssl's bare verification, which knows the identifier ---


def sm2_accepts(shop: Workshop, folder: Path, message: bytes, value: bytes, identifier: str = SM2_ID) -> bool:
    """The signature value over a message, by ``openssl pkeyutl``: it makes Z and SM3 itself."""
    (folder / "message").write_bytes(message)
    (folder / "value").write_bytes(value)
    (folder / "public.pem").write_text(shop.do("key", "public", shop.keys["EC_SM2"]).out)
    options = ("-verify", "-pubin", "-inkey", folder / "public.pem", "-rawin", "-digest", "sm3")
    files = ("-pkeyopt", f"distid:{identifier}", "-in", folder / "message", "-sigfile", folder / "value")
    return openssl("pkeyutl", *options, *files).returncode == 0


@pytest.mark.component("openssl")
@pytest.mark.parametrize("identifier", [SM2_ID, "ALICE123@YAHOO.COM"])
def test_gmt0010_and_raw_are_sm2_over_the_artifact(shop: Workshop, tmp_path: Path, identifier: str) -> None:
    need_component("openssl")
    chosen = ("--sm2-id", identifier.encode().hex())
    _, signature = signed(shop, tmp_path, ["EC_SM2"], "--sm2-profile", "gmt0010", *chosen)
    (info,) = signed_data.parse(signature.read_bytes()).signed_data.signer_infos
    _, raw = signed(shop, tmp_path, ["EC_SM2"], "--format", "raw", *chosen, suffix=".sig")
    for value in (info.signature, raw.read_bytes()):
        assert sm2_accepts(shop, tmp_path, ARTIFACT, value, identifier)
        assert not sm2_accepts(shop, tmp_path, ARTIFACT, value, "another")
        assert not sm2_accepts(shop, tmp_path, ARTIFACT + b"!", value, identifier)
    assert info.signature_algorithm == writer.sequence(writer.oid("1.2.156.10197.1.301.1"), writer.NULL)


@pytest.mark.component("openssl")
def test_sm2_in_cms_is_over_the_attributes(shop: Workshop, tmp_path: Path) -> None:
    need_component("openssl")
    _, signature = signed(shop, tmp_path, ["EC_SM2"])
    (info,) = signed_data.parse(signature.read_bytes()).signed_data.signer_infos
    assert sm2_accepts(shop, tmp_path, info.signed_attributes_der, info.signature)


@pytest.mark.component("openssl")
@pytest.mark.parametrize(
    ("key_type", "options"),
    [("RSA_2048", []), ("RSA_2048", ["--padding", "pss"]), ("EC_P256", []), ("EC_P256K", [])],
)
def test_openssl_dgst_accepts_a_bare_value(shop: Workshop, tmp_path: Path, key_type: str, options: list[str]) -> None:
    need_component("openssl")
    artifact, value = signed(shop, tmp_path, [key_type], "--format", "raw", *options, suffix=".sig")
    public = tmp_path / "public.pem"
    public.write_text(shop.do("key", "public", shop.keys[key_type]).out)
    padding = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32") if options else ()
    command = ("dgst", "-sha256", *padding, "-verify", public, "-signature", value, artifact)
    assert openssl(*command).returncode == 0
    artifact.write_bytes(ARTIFACT + b"!")
    assert openssl(*command).returncode != 0
