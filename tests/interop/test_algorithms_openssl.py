"""Signatures and ciphertexts to and from the openssl command line, for every key type that it knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from signkit import algorithms
from signkit.algorithms import containers, digests
from signkit.algorithms.base import EncryptionAlgorithm, SignatureAlgorithm
from signkit.errors import DecryptionError
from signkit.x509 import pem
from tests.support.openssl import OpenSSL
from tests.support.signing import KeyPair, key_pair

MESSAGE = b"an artifact\n\x00\xff"
SINCE_3_5 = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
SM2 = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")
SIGNATURES = [
    pytest.param(name, algorithm, id=f"{name}-{algorithm.name}")
    for name in sorted(algorithms.key_types())
    for algorithm in algorithms.key_type(name).algorithms
]
PREHASHED = [row for row in SIGNATURES if row.values[0] not in ("EC_SM2", "ED25519", *SINCE_3_5)]
CIPHERTEXTS = [
    pytest.param(name, algorithm, id=f"{name}-{algorithm.name}")
    for name in sorted(algorithms.key_types())
    for algorithm in algorithms.key_type(name).encryption
]


class Bench(OpenSSL):
    """openssl, with one key pair of ours in its folder, and the commands for one algorithm."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder)
        if name in SINCE_3_5 and self.version < (3, 5):
            pytest.skip(f"{name} needs OpenSSL 3.5, found {'.'.join(map(str, self.version))}")
        self.pair: KeyPair = key_pair(name)
        self.put("private.der", self.pair.private_key_info)
        self.put("public.der", self.pair.public_key_info)
        self("pkey", "-in", "private.der", "-inform", "DER", "-check", "-noout")
        self.put("message", MESSAGE)

    def put(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def get(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def sign(self, options: tuple[str, ...], source: str) -> bytes:
        """Signature by pkeyutl."""
        self("pkeyutl", "-sign", "-inkey", "private.der", *options, "-in", source, "-out", "signature")
        return self.get("signature")

    def verify(self, options: tuple[str, ...], source: str, signature: bytes) -> bool:
        """Whether pkeyutl accepts a signature."""
        self.put("signature", signature)
        key = ("-pubin", "-inkey", "public.der")
        said = self("pkeyutl", "-verify", *key, *options, "-in", source, "-sigfile", "signature", status=None)
        return "Verified Successfully" in said


def options_for(algorithm: SignatureAlgorithm, *, message: bool) -> tuple[str, ...]:
    """pkeyutl's options for an algorithm over a message, or over a digest."""
    if algorithm.digest == "sm3":
        return SM2
    if algorithm.digest is None:
        return ("-rawin",)
    options = ("-rawin", "-digest", algorithm.digest) if message else ("-pkeyopt", f"digest:{algorithm.digest}")
    if "_PSS_" in algorithm.name:
        options += ("-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest")
    return options


@pytest.mark.component("openssl")
@pytest.mark.parametrize(("name", "algorithm"), SIGNATURES)
def test_messages_both_ways(name: str, algorithm: SignatureAlgorithm, tmp_path: Path) -> None:
    bench = Bench(tmp_path, name)
    options = options_for(algorithm, message=True)
    ours = bench.pair.sign(algorithm, MESSAGE)
    assert bench.verify(options, "message", ours)
    assert not bench.verify(options, "message", ours[:-1] + bytes((ours[-1] ^ 1,)))
    theirs = bench.sign(options, "message")
    assert bench.pair.verify(algorithm, MESSAGE, theirs) == ""
    assert bench.pair.verify(algorithm, MESSAGE + b"!", theirs)


@pytest.mark.component("openssl")
@pytest.mark.parametrize(("name", "algorithm"), PREHASHED)
def test_digests_both_ways(name: str, algorithm: SignatureAlgorithm, tmp_path: Path) -> None:
    bench = Bench(tmp_path, name)
    options = options_for(algorithm, message=False)
    digest = digests.digest(algorithm.digest or "", MESSAGE)
    bench.put("digest", digest)
    assert bench.verify(options, "digest", bench.pair.family.sign(bench.pair.private_key, algorithm, digest))
    theirs = bench.sign(options, "digest")
    assert algorithms.verify_digest(algorithm, bench.pair.public_key_info, digest, theirs) == ""


@pytest.mark.component("openssl")
@pytest.mark.parametrize(("name", "algorithm"), PREHASHED)
def test_the_commands_of_the_documentation(name: str, algorithm: SignatureAlgorithm, tmp_path: Path) -> None:
    """``openssl dgst -verify``, with which people check a raw signature."""
    bench = Bench(tmp_path, name)
    pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest") if "_PSS_" in algorithm.name else ()
    bench.put("signature", bench.pair.sign(algorithm, MESSAGE))
    command = (
        "dgst",
        f"-{algorithm.digest}",
        *pss,
        "-verify",
        "public.der",
        "-keyform",
        "DER",
        "-signature",
        "signature",
    )
    assert "Verified OK" in bench(*command, "message")
    bench.put("message", MESSAGE + b"!")
    assert "Verification failure" in bench(*command, "message", status=1)


@pytest.mark.component("openssl")
@pytest.mark.parametrize("signer_id", ["1234567812345678", "ALICE123@YAHOO.COM", "x" * 400])
def test_identifiers_of_sm2_signers(signer_id: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path, "EC_SM2")
    algorithm = algorithms.signature_algorithm("EC_SM2")
    options = (*SM2[:-1], f"distid:{signer_id}")
    key, identifier = bench.pair.public_key_info, signer_id.encode()
    e = algorithms.prehash(algorithm, key, MESSAGE, signer_id=identifier)
    assert bench.verify(options, "message", bench.pair.family.sign(bench.pair.private_key, algorithm, e))
    theirs = bench.sign(options, "message")
    assert algorithms.verify_message(algorithm, key, MESSAGE, theirs, signer_id=identifier) == ""
    assert algorithms.verify_message(algorithm, key, MESSAGE, theirs, signer_id=identifier + b"x")


@pytest.mark.component("openssl")
def test_sm3(tmp_path: Path) -> None:
    openssl = OpenSSL(tmp_path)
    for data in (b"", b"abc", bytes(1000)):
        assert digests.digest("sm3", data).hex() in openssl("dgst", "-sm3", stdin=data)


@pytest.mark.component("openssl")
@pytest.mark.parametrize("name", sorted(set(algorithms.key_types()) - set(SINCE_3_5)))
def test_private_keys_that_openssl_makes_come_in(name: str, tmp_path: Path) -> None:
    openssl = OpenSSL(tmp_path)
    curves = {"EC_P256": "P-256", "EC_P384": "P-384", "EC_P521": "P-521", "EC_P256K": "secp256k1", "EC_SM2": "SM2"}
    if name.startswith("RSA"):
        options = ("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{name.removeprefix('RSA_')}")
    elif name in curves:
        options = ("-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curves[name]}")
    else:
        options = ("-algorithm", name)
    openssl("genpkey", *options, "-outform", "DER", "-out", "private.der")
    openssl("pkey", "-in", "private.der", "-inform", "DER", "-pubout", "-outform", "DER", "-out", "public.der")
    plain = containers.read((tmp_path / "private.der").read_bytes(), bytes)
    found, private_key_info, public_key_info = algorithms.import_private_key(plain)
    assert found == name
    assert public_key_info == (tmp_path / "public.der").read_bytes()
    family, algorithm = algorithms.family(algorithms.key_type(name).family), algorithms.key_type(name).algorithms[0]
    data = algorithms.prehash(algorithm, public_key_info, MESSAGE)
    signature = family.sign(family.load_private_key(private_key_info), algorithm, data)
    assert algorithms.verify_digest(algorithm, public_key_info, data, signature) == ""


ENCRYPTIONS = [
    *(("-v2", cipher) for cipher in ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des3", "sm4-cbc")),
    *(("-v2prf", f"hmacWithSHA{size}") for size in (1, 224, 256, 384, 512)),
    ("-v2", "sm4-cbc", "-v2prf", "hmacWithSHA512", "-iter", "10000"),
    ("-scrypt",),
]
CONVERTED = [(name, ("-v2", "aes-256-cbc")) for name in sorted(set(algorithms.key_types()) - set(SINCE_3_5))]


@pytest.mark.component("openssl")
@pytest.mark.parametrize(("name", "options"), [*CONVERTED, *(("EC_SM2", options) for options in ENCRYPTIONS)])
def test_private_keys_that_openssl_encrypts_come_in(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    bench = Bench(tmp_path, name)
    bench.put("passphrase", b"correct horse\n")
    out = ("-passout", "file:passphrase", "-out", "encrypted.pem")
    bench("pkcs8", "-topk8", "-inform", "DER", "-in", "private.der", *options, *out)
    der = pem.private_key(bench.get("encrypted.pem"))
    found, _private_key_info, public_key_info = algorithms.import_private_key(
        containers.read(der, lambda: b"correct horse")
    )
    assert (found, public_key_info) == (name, bench.pair.public_key_info)
    with pytest.raises(DecryptionError, match="passphrase is wrong"):
        containers.read(der, lambda: b"correct horse\n")


@pytest.mark.component("openssl")
@pytest.mark.parametrize("name", ["EC_P256", "EC_P384", "EC_P521", "EC_P256K", "RSA_2048"])
def test_private_keys_in_the_old_forms_of_openssl_come_in(name: str, tmp_path: Path) -> None:
    """SEC 1 and PKCS #1, in PEM; openssl writes no such form of SM2 keys."""
    bench = Bench(tmp_path, name)
    bench("pkey", "-in", "private.der", "-inform", "DER", "-traditional", "-out", "old.pem")
    data = bench.get("old.pem")
    assert b"BEGIN PRIVATE KEY" not in data
    plain = containers.read(pem.private_key(data), bytes)
    assert algorithms.import_private_key(plain)[::2] == (name, bench.pair.public_key_info)


@pytest.mark.component("openssl")
@pytest.mark.parametrize(("name", "algorithm"), CIPHERTEXTS)
def test_ciphertexts_both_ways(name: str, algorithm: EncryptionAlgorithm, tmp_path: Path) -> None:
    bench, plaintext = Bench(tmp_path, name), b"a symmetric key"
    family = algorithms.encrypting_family(name)
    digest = {"RSAES_OAEP_SHA_1": "sha1", "RSAES_OAEP_SHA_256": "sha256"}.get(algorithm.name)
    oaep = (f"rsa_padding_mode:oaep,rsa_oaep_md:{digest},rsa_mgf1_md:{digest}".split(",")) if digest else []
    options = [word for option in oaep for word in ("-pkeyopt", option)]
    bench.put("plaintext", plaintext)
    public = ("-pubin", "-inkey", "public.der")
    bench("pkeyutl", "-encrypt", *public, *options, "-in", "plaintext", "-out", "ciphertext")
    assert family.decrypt(bench.pair.private_key, algorithm, bench.get("ciphertext")) == plaintext
    ours = algorithms.encrypt(name, algorithm, bench.pair.public_key_info, plaintext)
    assert family.decrypt(bench.pair.private_key, algorithm, ours) == plaintext
    if name == "EC_SM2":  # openssl takes the DER form only, we write the raw one as KMS does
        from signkit.algorithms import sm2

        assert ours[0] == 4 and len(ours) == 97 + len(plaintext)
        ours = sm2._der_ciphertext(ours)
    bench.put("ciphertext", ours)
    bench("pkeyutl", "-decrypt", "-inkey", "private.der", *options, "-in", "ciphertext", "-out", "decrypted")
    assert bench.get("decrypted") == plaintext
