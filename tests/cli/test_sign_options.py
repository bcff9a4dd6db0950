"""What ``sign`` can be told: padding, SM2 forms, bare values, several signers, a signer added, a policy held first."""

from __future__ import annotations

from pathlib import Path

import pytest

from signkit.cms import joining, signed_data
from signkit.der import cms, oids
from signkit.store.sqlite import SqliteStore
from tests.support.commands import Ran, Workshop

TYPES = ("RSA_2048", "EC_P256", "EC_P256K", "EC_SM2", "ED25519", "ML_DSA_65")
ARTIFACT = b"an artifact\r\n\0\xff" * 99


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), *TYPES)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "app.bin"
    path.write_bytes(ARTIFACT)
    return path


def keys(shop: Workshop, *types: str) -> list[str]:
    return [word for one in types for word in ("--key", shop.keys[one])]


def beside(artifact: Path, suffix: str = ".p7s") -> Path:
    return artifact.with_name(artifact.name + suffix)


def verify(shop: Workshop, artifact: Path, *options: str | Path) -> Ran:
    return shop("--json", "verify", artifact, "--trust", shop.root, *options)


def algorithms_of(found: Ran) -> set[str]:
    (one,) = found.json()["artifacts"]
    return {signer["algorithm"] for signer in one["signers"]}


# --- one signer ---


@pytest.mark.parametrize("key_type", TYPES)
def test_every_key_type(shop: Workshop, artifact: Path, key_type: str) -> None:
    shop.do("sign", artifact, *keys(shop, key_type))
    assert verify(shop, artifact).status == 0
    artifact.write_bytes(ARTIFACT + b"!")
    assert verify(shop, artifact).status == 12


@pytest.mark.parametrize("key_type", ["ED25519", "ML_DSA_65"])
def test_message_algorithms_digest_with_sha512(shop: Workshop, artifact: Path, key_type: str) -> None:
    """RFC 8419 section 3.1, RFC 9882 section 3.3: SHA-512, and no parameters of the signature algorithm."""
    shop.do("sign", artifact, *keys(shop, key_type))
    (info,) = signed_data.parse(beside(artifact).read_bytes()).signed_data.signer_infos
    assert info.digest_algorithm.hex() == "300b0609608648016503040203"
    assert len(info.signature_algorithm) == 2 + info.signature_algorithm[1]
    assert info.signature_algorithm[1] == 2 + info.signature_algorithm[3]


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_pss(shop: Workshop, artifact: Path, digest: str) -> None:
    shop.do("sign", artifact, *keys(shop, "RSA_2048"), "--padding", "pss", "--digest", digest)
    found = verify(shop, artifact)
    assert found.status == 0
    assert algorithms_of(found) == {f"RSA_PSS_SHA_{digest[3:]}"}


@pytest.mark.parametrize(
    ("types", "options", "status", "message"),
    [
        (["EC_P256"], ["--padding", "pss"], 2, "can't sign with 'pss'"),
        (["RSA_2048"], ["--padding", "oaep"], 2, "--padding is 'oaep'"),
        (["RSA_2048"], ["--format", "pem"], 2, "not a signature format"),
        (["RSA_2048"], ["--format", "gmt0010"], 2, "not a signature format"),
        (["EC_SM2"], ["--sm2-profile", "gm"], 2, "--sm2-profile is 'gm'"),
        (["EC_P256"], ["--sm2-profile", "gmt0010"], 2, "SM2 signers only"),
        (["EC_SM2", "EC_P256"], ["--sm2-profile", "gmt0010"], 2, "SM2 signers only"),
        (["EC_SM2"], ["--sm2-id", "xyz"], 2, "hexadecimal"),
        (["EC_SM2"], ["--digest", "sha256"], 2, "can't sign with 'sha256'"),
        (["EC_SM2", "ED25519"], ["--digest", "sha256"], 2, "none of the keys"),
        (["EC_P256", "EC_P256"], [], 2, "named twice"),
        (["EC_P256", "RSA_2048"], ["--format", "raw"], 2, "one bare signature value"),
        (["EC_P256"], ["--format", "raw", "--add"], 2, "one bare signature value"),
        (["EC_P256"], ["--add"], 3, "no such file"),
    ],
)
def test_what_does_not_go(
    shop: Workshop, artifact: Path, types: list[str], options: list[str], status: int, message: str
) -> None:
    assert message in shop("sign", artifact, *keys(shop, *types), *options).error(status)
    assert sorted(artifact.parent.iterdir()) == [artifact]


# --- SM2 ---


def test_gmt0010(shop: Workshop, artifact: Path) -> None:
    shop.do("sign", artifact, *keys(shop, "EC_SM2"), "--sm2-profile", "gmt0010")
    found = signed_data.parse(beside(artifact).read_bytes()).signed_data
    (info,) = found.signer_infos
    assert (found.kind, found.content_type, found.version) == (oids.SM2_SIGNED_DATA, oids.SM2_DATA, 1)
    assert info.signed_attributes is None
    assert verify(shop, artifact).status == 0
    artifact.write_bytes(ARTIFACT + b"!")
    assert verify(shop, artifact).status == 13


@pytest.mark.parametrize("profile", ["cms", "gmt0010"])
def test_another_sm2_id(shop: Workshop, artifact: Path, profile: str) -> None:
    identifier = b"ALICE123@YAHOO.COM".hex()
    shop.do("sign", artifact, *keys(shop, "EC_SM2"), "--sm2-profile", profile, "--sm2-id", identifier)
    assert verify(shop, artifact).status == 13
    parsed = signed_data.parse(beside(artifact).read_bytes()).signed_data
    assert len(parsed.signer_infos) == 1


# --- bare values ---


@pytest.mark.parametrize("key_type", TYPES)
def test_raw_is_the_bare_value_over_the_artifact(shop: Workshop, artifact: Path, key_type: str) -> None:
    made = shop.do("--json", "sign", artifact, *keys(shop, key_type), "--format", "raw").json()
    value = beside(artifact, ".sig")
    options = ("--algorithm", made["algorithm"], "--in", artifact, "--signature", value)
    assert shop("raw", "verify", shop.keys[key_type], *options).status == 0
    artifact.write_bytes(ARTIFACT + b"!")
    shop("raw", "verify", shop.keys[key_type], *options).error(13)


def test_raw_of_a_large_artifact(shop: Workshop, artifact: Path) -> None:
    with artifact.open("ab") as stream:
        stream.truncate((64 << 20) + 1)
    refused = shop("sign", artifact, *keys(shop, "ED25519"), "--format", "raw")
    assert "expected at most 67108864" in refused.error(2)
    assert "--format cms" in refused.err
    shop.do("sign", artifact, *keys(shop, "EC_P256"), "--format", "raw")


# --- several signers ---


@pytest.mark.parametrize("types", [("EC_SM2", "EC_P256"), ("EC_P256", "ML_DSA_65"), TYPES])
def test_several_keys_in_one_file(shop: Workshop, artifact: Path, types: tuple[str, ...]) -> None:
    made = shop.do("--json", "sign", artifact, *keys(shop, *types)).json()
    assert len(made["signers"]) == len(types)
    found = verify(shop, artifact)
    assert found.status == 0
    assert algorithms_of(found) == {one["algorithm"] for one in made["signers"]}
    data = beside(artifact).read_bytes()
    parsed = signed_data.parse(data)
    assert parsed.encoding == "DER"
    infos = joining.signers(data)
    assert infos == sorted(infos)
    announced = parsed.signed_data.digest_algorithms
    assert len(set(announced)) == len(announced)
    assert set(announced) == {info.digest_algorithm for info in parsed.signed_data.signer_infos}
    assert len(parsed.signed_data.certificates) == len(types) + 1


def test_an_option_is_for_the_keys_that_know_it(shop: Workshop, artifact: Path) -> None:
    options = ("--padding", "pss", "--digest", "sha384")
    shop.do("sign", artifact, *keys(shop, "RSA_2048", "EC_SM2"), *options)
    assert algorithms_of(verify(shop, artifact)) == {"RSA_PSS_SHA_384", "SM2DSA"}


@pytest.mark.parametrize("added", ["RSA_2048", "EC_SM2", "ED25519", "ML_DSA_65"])
def test_add_leaves_what_is_there_untouched(shop: Workshop, artifact: Path, added: str) -> None:
    shop.do("sign", artifact, *keys(shop, "EC_P256"))
    before = beside(artifact).read_bytes()
    shop.do("sign", artifact, *keys(shop, added), "--add")
    after = beside(artifact).read_bytes()
    assert set(joining.signers(before)) < set(joining.signers(after))
    old, new = signed_data.parse(before).signed_data, signed_data.parse(after).signed_data
    assert set(old.certificates) < set(new.certificates)
    assert verify(shop, artifact).status == 0
    assert len(new.signer_infos) == 2


def test_add_keeps_unsigned_attributes_and_crls(shop: Workshop, artifact: Path) -> None:
    shop.do("sign", artifact, *keys(shop, "EC_P256"))
    found = signed_data.parse(beside(artifact).read_bytes()).signed_data
    attribute = cms.Attribute("1.3.6.1.4.1.99999.7", (b"\x04\x01a",))
    info = found.signer_infos[0]._replace(unsigned_attributes=(attribute,))
    crl = (shop.root.parent / "root.crl").read_bytes() if (shop.root.parent / "root.crl").exists() else b"\x30\x00"
    beside(artifact).write_bytes(cms.encode(found._replace(signer_infos=(info,), crls=(crl,))))
    shop.do("sign", artifact, *keys(shop, "RSA_2048"), "--add")
    after = signed_data.parse(beside(artifact).read_bytes()).signed_data
    assert after.crls == (crl,)
    assert attribute in [one for info in after.signer_infos for one in info.unsigned_attributes]


def test_add_refuses_what_does_not_verify(shop: Workshop, artifact: Path) -> None:
    shop.do("sign", artifact, *keys(shop, "EC_P256"))
    before = beside(artifact).read_bytes()
    again = shop("sign", artifact, *keys(shop, "EC_P256"), "--add").error(4)
    assert "already" in again
    shop("sign", artifact, *keys(shop, "EC_SM2"), "--add", "--sm2-profile", "gmt0010").error(4)
    artifact.write_bytes(ARTIFACT + b"!")
    assert "does not verify" in shop("sign", artifact, *keys(shop, "RSA_2048"), "--add").error(4)
    assert beside(artifact).read_bytes() == before
    beside(artifact).write_bytes(b"rubbish")
    shop("sign", artifact, *keys(shop, "RSA_2048"), "--add").error(11)


# --- before it is written ---

POLICY = """version = 1
[[policy]]
name = "release"
artifacts = ["**"]
trust-anchors = ["{root}"]
{more}
"""


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('algorithms = ["ECDSA_SHA_384"]', "signature.algorithm"),
        ('signers = [{ subject = "CN=Somebody Else" }]', "identity"),
        ("threshold = 2", "threshold"),
        ('timestamp = "required"', "timestamp.present"),
        ('revocation = "require"', "revocation.0"),
    ],
)
def test_what_the_policy_refuses_is_not_written(shop: Workshop, artifact: Path, more: str, reason: str) -> None:
    policy = artifact.with_name("release.toml")
    policy.write_text(POLICY.format(root=shop.root, more=more))
    message = shop("sign", artifact, *keys(shop, "EC_P256"), "--policy", policy).error(4)
    assert f"would refuse the signature: {reason}" in message
    assert not beside(artifact).exists()
    store = SqliteStore.open(str(shop.home / "store.db"))
    *_, last = store.audit_entries()
    store.close()
    assert (last.action, last.result, last.version) == ("AsymmetricSign", "PolicyRefused", 1)
    assert last.key_id
    assert reason in last.detail


def test_what_the_policy_accepts_is_written(shop: Workshop, artifact: Path) -> None:
    policy = artifact.with_name("release.toml")
    policy.write_text(POLICY.format(root=shop.root, more="threshold = 2"))
    config = artifact.with_name("signkit.toml")
    config.write_text('[sign]\npolicy = "release.toml"\nminimum-remaining-days = 3650\n')
    ran = shop("--config", config, "sign", artifact, *keys(shop, "EC_P256", "EC_SM2"))
    assert ran.status == 0, ran.err
    assert "minimum-remaining-days" in ran.err
    assert shop("verify", artifact, "--policy", policy).status == 0


def test_an_artifact_without_policy_and_a_foreign_root(shop: Workshop, artifact: Path) -> None:
    policy = artifact.with_name("release.toml")
    policy.write_text(POLICY.format(root=shop.root, more="").replace("**", "other/*"))
    assert "no policy of" in shop("sign", artifact, *keys(shop, "EC_P256"), "--policy", policy).error(4)
    assert "carries no certificate" in shop(
        "sign", artifact, *keys(shop, "EC_P256"), "--policy", policy, "--format", "raw"
    ).error(2)
    shop("sign", artifact, *keys(shop, "EC_P256"), "--policy", artifact.with_name("none.toml")).error(3)
    assert not beside(artifact).exists()
