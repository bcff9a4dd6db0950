"""Every key type against the stock tools, both ways: openssl, certtool (GnuTLS), cmsutil (NSS) and pyHanko."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

import signkit
from signkit.cms import signed_data
from signkit.x509 import pem
from tests.support.commands import Ran, Workshop, call
from tests.support.components import need_component
from tests.support.openssl import KEY_TYPES, Authority, OpenSSL

MAIN_TYPES = ("RSA_2048", "RSA_3072", "EC_P256")
ALL_TYPES = (*MAIN_TYPES, "RSA_4096", "EC_P384", "EC_P521", "EC_P256K")
ARTIFACT = b"an artifact\r\nwith line ends\nthat a text mode would change\0\xff" * 20
SUBJECT = "CN=Acme Release,O=Acme,C=DE"


@dataclass(frozen=True)
class Bench:
    """A three-tier authority of openssl, and a store with keys that it certified."""

    openssl: OpenSSL
    root: Authority
    issuing: Authority
    shop: Workshop

    def key(self, key_type: str) -> str:
        """A certified key version, made at the first call: its request issued by ``openssl ca``."""
        if key_type not in self.shop.keys:
            key = self.shop.new_key(key_type)
            self.certify(key, self.issuing.issue)
            self.shop.keys[key_type] = key
        return self.shop.keys[key_type]

    def certify(self, key: str, issue: Callable[[Path, str], Path]) -> Path:
        """Have a request issued, import the chain, and return the certificate."""
        name = key.removeprefix("alias/").removesuffix("@1")
        leaf = issue(self.request(key), f"{name}-leaf")
        self.shop.do("cert", "import", key, self.issuing.chain_file(leaf, f"{name}-chain"))
        return leaf

    def request(self, key: str) -> Path:
        """A certification request for a key version."""
        path = self.openssl.folder / f"{key.removeprefix('alias/').removesuffix('@1')}.csr"
        self.shop.do("csr", "create", key, "--subject", SUBJECT, "--out", path, "--force")
        return path

    def sign(self, folder: Path, key_type: str, *options: str) -> tuple[Path, Path]:
        """A new artifact with our signature."""
        artifact = folder / "app.bin"
        artifact.write_bytes(ARTIFACT)
        return artifact, self.shop.sign(artifact, self.key(key_type), "--force", *options)

    def own(self, key_type: str, number: int = 0) -> str:
        """Stem of a key pair of openssl's own, with its certificate as ``STEM.pem``."""
        stem = f"own-{key_type}-{number}"
        if not (self.openssl.folder / f"{stem}.pem").exists():
            request = self.openssl.request(stem, f"/CN=Openssl Signer {number}/O=Acme", key_type)
            self.issuing.issue(request, stem)
        return stem

    def verify(self, artifact: Path, *options: str | Path) -> Ran:
        """``signkit verify`` under the root."""
        return call("verify", artifact, "--trust", self.root.certificate, *options)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    need_component("openssl")
    openssl = OpenSSL(tmp_path_factory.mktemp("openssl"))
    root = Authority.root(openssl)
    return Bench(openssl, root, root.intermediate(), Workshop.create(tmp_path_factory.mktemp("shop")))


# --- requests and certificates ---


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", ALL_TYPES)
def test_openssl_accepts_the_request(bench: Bench, key_type: str) -> None:
    key = bench.key(key_type)
    request = bench.request(key)
    shown = bench.openssl("req", "-verify", "-in", request, "-noout", "-subject", "-nameopt", "RFC2253")
    assert "verify OK" in shown
    assert f"subject={SUBJECT}" in shown
    assert bench.openssl("req", "-in", request, "-noout", "-pubkey") == bench.shop.do("key", "public", key).out
    altered = bytearray(pem.decode(request.read_bytes())[0].data)
    altered[-1] ^= 1
    (bench.openssl.folder / "altered.der").write_bytes(altered)
    refused = bench.openssl("req", "-verify", "-inform", "DER", "-in", "altered.der", "-noout", status=None)
    assert "verify OK" not in refused
    call("csr", "check", bench.openssl.folder / "altered.der").error(13)


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", MAIN_TYPES)
@pytest.mark.parametrize("program", ["ca", "x509"])
def test_certificate_by_openssl_is_imported_and_signs(
    bench: Bench, program: str, key_type: str, tmp_path: Path
) -> None:
    key = bench.shop.new_key(key_type, f"{key_type}-{program}")
    issue = bench.issuing.issue if program == "ca" else bench.issuing.issue_by_x509
    leaf = bench.certify(key, issue)
    assert bench.openssl("x509", "-in", leaf, "-noout", "-pubkey") == bench.shop.do("key", "public", key).out
    (tmp_path / "app.bin").write_bytes(ARTIFACT)
    bench.shop.sign(tmp_path / "app.bin", key)
    assert bench.verify(tmp_path / "app.bin").status == 0
    assert "Verification successful" in openssl_verifies(bench, tmp_path / "app.bin")


# --- ours, judged by others ---


def openssl_verifies(bench: Bench, artifact: Path, *options: str, program: str = "cms", status: int = 0) -> str:
    signature = artifact.with_name(f"{artifact.name}.p7s")
    files = ("-in", signature, "-content", artifact, "-CAfile", bench.root.certificate, "-out", artifact.parent / "out")
    return bench.openssl(
        program, "-verify", "-binary", "-inform", "DER", *files, "-purpose", "any", *options, status=status
    )


@pytest.mark.component("openssl")
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("key_type", ALL_TYPES)
def test_openssl_accepts_ours(bench: Bench, key_type: str, digest: str, tmp_path: Path) -> None:
    artifact, signature = bench.sign(tmp_path, key_type, "--digest", digest)
    for options in ((), ("-cades",)):
        assert "erification successful" in openssl_verifies(bench, artifact, *options)
        assert (tmp_path / "out").read_bytes() == ARTIFACT
    assert "erification successful" in openssl_verifies(bench, artifact, program="smime")
    shown = bench.openssl("cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", signature)
    assert f"algorithm: {digest}" in shown
    artifact.write_bytes(ARTIFACT[:-1] + b"\xfe")
    openssl_verifies(bench, artifact, status=4)
    bench.verify(artifact).error(12)


@pytest.mark.component("openssl", "certtool")
@pytest.mark.parametrize("key_type", MAIN_TYPES)
def test_certtool_accepts_ours(bench: Bench, key_type: str, tmp_path: Path) -> None:
    artifact, signature = bench.sign(tmp_path, key_type)
    command = ["certtool", "--p7-verify", "--load-ca-certificate", bench.root.certificate, "--load-data", artifact]
    command += ["--inder", "--infile", signature]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    artifact.write_bytes(ARTIFACT + b"\n")
    assert subprocess.run(command, capture_output=True).returncode != 0


@pytest.mark.component("openssl", "certutil", "cmsutil")
@pytest.mark.parametrize("key_type", MAIN_TYPES)
def test_cmsutil_accepts_ours(bench: Bench, key_type: str, tmp_path: Path) -> None:
    """cmsutil ends with status 0 whatever it found. NSS takes an issuing authority for object signing only when it is
    told so (trust ``c``), or its certificate says so in Netscape's own extension.
    """
    artifact, signature = bench.sign(tmp_path, key_type)
    database = f"sql:{tmp_path}"
    for command in (
        ["certutil", "-N", "-d", database, "--empty-password"],
        ["certutil", "-A", "-d", database, "-n", "root", "-t", ",,C", "-i", bench.root.certificate],
        ["certutil", "-A", "-d", database, "-n", "issuing", "-t", ",,c", "-i", bench.issuing.certificate],
    ):
        subprocess.run(command, check=True, capture_output=True)
    command = ["cmsutil", "-D", "-d", database, "-u", "6", "-c", artifact, "-i", signature, "-h", "1"]
    accepted = subprocess.run(command, capture_output=True).stdout
    assert b"signer0.status=GoodSignature" in accepted
    artifact.write_bytes(ARTIFACT + b"\n")
    refused = subprocess.run(command, capture_output=True).stdout
    assert b"signer0.status=" in refused
    assert b"signer0.status=GoodSignature" not in refused


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", MAIN_TYPES)
@pytest.mark.filterwarnings("default")  # pyHanko's own are not ours to mend
def test_pyhanko_accepts_ours(bench: Bench, key_type: str, tmp_path: Path) -> None:
    """The strictest of the four about signed attributes; it is among the tools that CI installs."""
    pytest.importorskip("pyhanko")
    from asn1crypto import cms, x509
    from pyhanko.sign.validation import KeyUsageConstraints, async_validate_detached_cms
    from pyhanko_certvalidator import ValidationContext

    artifact, signature = bench.sign(tmp_path, key_type)
    content = cms.ContentInfo.load(signature.read_bytes())["content"]
    root = x509.Certificate.load(pem.decode(bench.root.certificate.read_bytes())[0].data)

    def judge(data: bytes) -> object:
        return asyncio.run(
            async_validate_detached_cms(
                data,
                content,
                signer_validation_context=ValidationContext(trust_roots=[root], allow_fetching=False),
                key_usage_settings=KeyUsageConstraints(key_usage={"digital_signature"}),
            )
        )

    status = judge(artifact.read_bytes())
    assert status.intact and status.valid and status.trusted  # type: ignore[attr-defined]
    assert not judge(ARTIFACT + b"\n").intact  # type: ignore[attr-defined]


# --- openssl's, judged by us ---


class Variant(NamedTuple):
    """A way in which openssl signs.

    Attributes:
        before: options before the signer.
        after: options that belong to the signer.
        signers: how many of them.
        attributes: whether there are signed attributes.
        form: encoding of the output.
        only: start of the key types that can do it.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    signers: int = 1
    attributes: bool = True
    form: str = "DER"
    only: str = ""


VARIANTS = {
    "default": Variant(),
    "without attributes": Variant(("-noattr",), attributes=False),
    "cades": Variant(("-cades",)),
    "sha512": Variant(("-md", "sha512")),
    "without capabilities": Variant(("-nosmimecap",)),
    "without certificates": Variant(("-nocerts",)),
    "subject key identifier": Variant(("-keyid",)),
    "subject key identifier without attributes": Variant(("-keyid", "-noattr"), attributes=False),
    "stream": Variant(("-stream",)),
    "stream without attributes": Variant(("-stream", "-noattr"), attributes=False),
    "PEM": Variant(form="PEM"),
    "pss": Variant(after=("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32"), only="RSA"),
    "pss without attributes": Variant(
        ("-noattr",), ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32"), attributes=False, only="RSA"
    ),
    "two signers": Variant(signers=2),
}
CASES = [
    pytest.param(key_type, name, id=f"{key_type}-{name}")
    for key_type in MAIN_TYPES
    for name, variant in VARIANTS.items()
    if key_type.startswith(variant.only)
]


def sign_with_openssl(bench: Bench, folder: Path, key_type: str, variant: Variant) -> tuple[Path, Path, list[str]]:
    """An artifact, its signature by openssl, and the options that ``signkit verify`` needs."""
    artifact, signature = folder / "app.bin", folder / "app.bin.p7s"
    artifact.write_bytes(ARTIFACT)
    stems = [bench.own(key_type, number) for number in range(variant.signers)]
    signers = [part for s in stems for part in ("-signer", f"{s}.pem", "-inkey", f"{s}.key", *variant.after)]
    files = ["-in", str(artifact), "-out", str(signature), "-outform", variant.form]
    bench.openssl("cms", "-sign", "-binary", *files, *variant.before, *signers, "-certfile", bench.issuing.certificate)
    options = []
    if "-nocerts" in variant.before:
        leaf, der = bench.openssl.folder / f"{stems[0]}.pem", folder / "leaf.der"
        der.write_bytes(pem.decode(leaf.read_bytes())[0].data)
        options = ["--intermediate", str(der), "--intermediate", str(bench.issuing.certificate)]
    return artifact, signature, options


@pytest.mark.component("openssl")
@pytest.mark.parametrize(("key_type", "name"), CASES)
def test_signature_by_openssl(bench: Bench, key_type: str, name: str, tmp_path: Path) -> None:
    """It is accepted as it is, and refused with one byte changed anywhere that counts."""
    variant = VARIANTS[name]
    artifact, signature, options = sign_with_openssl(bench, tmp_path, key_type, variant)
    accepted = bench.verify(artifact, *options, "--json")
    assert accepted.status == 0, accepted.out
    assert len(accepted.json()["artifacts"][0]["signers"]) == variant.signers
    if "-nocerts" in variant.before:
        bench.verify(artifact).error(14)

    for changed in (*(flipped(ARTIFACT, position) for position in (0, 57, len(ARTIFACT) - 1)), ARTIFACT + b"\0", b""):
        artifact.write_bytes(changed)
        bench.verify(artifact, *options).error(12 if variant.attributes or "-stream" in variant.before else 13)
    artifact.write_bytes(ARTIFACT)

    good = read(signature)
    for changed, statuses in changes(good, variant):
        write(signature, changed, variant.form)
        ran = bench.verify(artifact, *options)
        assert ran.status in statuses, f"exit {ran.status}, expected {statuses}\n{ran.out}"
        ran.error(ran.status)
    write(signature, good, variant.form)
    assert bench.verify(artifact, *options).status == 0


def changes(good: bytes, variant: Variant) -> Iterator[tuple[bytes, Collection[int]]]:
    """The signature with one byte changed, with the statuses that may answer it."""
    parsed = signed_data.parse(good).signed_data
    for info in parsed.signer_infos:
        (start,) = every(good, info.signature)
        for offset in (0, 3, len(info.signature) // 2, len(info.signature) - 1):
            yield flipped(good, start + offset), {13}
        for attribute in info.signed_attributes or ():
            value = attribute.values[0]
            yield flipped(good, every(good, value)[-1] + len(value) - 1), {11, 12, 13}
    for digest in (hashlib.sha256(ARTIFACT).digest(), hashlib.sha512(ARTIFACT).digest()):
        for start in every(good, digest):
            yield flipped(good, start + 5), {12}
    if variant.signers > 1 or "-nocerts" in variant.before:
        return  # a certificate less is one signer less, or none at all: the others suffice
    for certificate in parsed.certificates:
        (start,) = every(good, certificate)
        for offset in range(0, len(certificate), 37):
            yield flipped(good, start + offset), range(10, 20)


@pytest.mark.component("openssl")
def test_signer_whose_certificate_was_changed_does_not_count(bench: Bench, tmp_path: Path) -> None:
    artifact, signature, _ = sign_with_openssl(bench, tmp_path, "EC_P256", VARIANTS["two signers"])
    good = signature.read_bytes()
    for certificate in signed_data.parse(good).signed_data.certificates:
        (start,) = every(good, certificate)
        for offset in range(4, len(certificate), 37):
            signature.write_bytes(flipped(good, start + offset))
            report = bench.verify(artifact, "--json").json()["artifacts"][0]
            assert not all(signer["accepted"] for signer in report["signers"])


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", MAIN_TYPES)
def test_certificate_given_beside_the_signature_is_judged_too(bench: Bench, key_type: str, tmp_path: Path) -> None:
    artifact, _, options = sign_with_openssl(bench, tmp_path, key_type, VARIANTS["without certificates"])
    good = (tmp_path / "leaf.der").read_bytes()
    for position in range(0, len(good), 11):
        (tmp_path / "leaf.der").write_bytes(flipped(good, position))
        assert bench.verify(artifact, *options).status >= 11
    (tmp_path / "leaf.der").write_bytes(good)
    assert bench.verify(artifact, *options).status == 0


@pytest.mark.component("openssl")
@pytest.mark.parametrize("ours", [True, False], ids=["ours", "openssl's"])
def test_no_byte_of_a_signature_can_be_changed(bench: Bench, ours: bool, tmp_path: Path) -> None:
    """Every byte of it: what is not signed is held by the form."""
    if ours:
        artifact, signature = bench.sign(tmp_path, "EC_P256")
    else:
        artifact, signature, _ = sign_with_openssl(bench, tmp_path, "EC_P256", VARIANTS["default"])
    good = signature.read_bytes()
    accepted = []
    for position in range(len(good)):
        signature.write_bytes(flipped(good, position))
        if signkit.assess(artifact, trust=[bench.root.certificate]):
            accepted.append(position)
    assert accepted == []


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", MAIN_TYPES)
def test_foreign_root_and_missing_intermediate_are_refused(bench: Bench, key_type: str, tmp_path: Path) -> None:
    artifact, _, _ = sign_with_openssl(bench, tmp_path, key_type, VARIANTS["default"])
    if not (bench.openssl.folder / "foreign.pem").exists():
        Authority.root(bench.openssl, "foreign", subject="/CN=Test Root CA/O=signkit tests")
    call("verify", artifact, "--trust", bench.openssl.folder / "foreign.pem").error(14)
    call("verify", artifact).error(14)
    signer = ("-signer", f"{bench.own(key_type)}.pem", "-inkey", f"{bench.own(key_type)}.key")
    files = ("-in", artifact, "-out", f"{artifact}.p7s", "-outform", "DER")
    bench.openssl("cms", "-sign", "-binary", *files, *signer)
    bench.verify(artifact).error(14)
    assert bench.verify(artifact, "--intermediate", bench.issuing.certificate).status == 0


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", [name for name in KEY_TYPES if name not in (*MAIN_TYPES, "ED25519")])
def test_further_key_types_of_openssl(bench: Bench, key_type: str, tmp_path: Path) -> None:
    artifact, _, _ = sign_with_openssl(bench, tmp_path, key_type, VARIANTS["default"])
    assert bench.verify(artifact).status == 0
    artifact.write_bytes(ARTIFACT + b"\0")
    bench.verify(artifact).error(12)


def read(signature: Path) -> bytes:
    """The DER or BER of a signature file."""
    data = signature.read_bytes()
    return pem.decode(data)[0].data if data.startswith(b"-----") else data


def write(signature: Path, data: bytes, form: str) -> None:
    signature.write_bytes(pem.encode("CMS", data).encode() if form == "PEM" else data)


def flipped(data: bytes, position: int) -> bytes:
    """The data with one bit of one byte changed."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def every(data: bytes, part: bytes) -> Sequence[int]:
    """Where the part begins, wherever it stands."""
    return [position for position in range(len(data)) if data.startswith(part, position)]
