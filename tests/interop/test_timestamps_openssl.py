"""Timestamps against openssl ts, both ways, and pyHanko as a second judge."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signkit.cms import signed_data, unsigned
from signkit.der import cms, oids
from signkit.lab import timestamping
from signkit.lab.authority import Authority as Lab
from signkit.tsp import request, response, token
from signkit.x509 import certificate, pem
from tests.support.commands import Ran, Workshop, call
from tests.support.components import need_component
from tests.support.openssl import CODE_SIGNING, Authority, OpenSSL

TIME_STAMPING = CODE_SIGNING | {"extendedKeyUsage": "critical,timeStamping"}
CONFIGURATION = """\
[tsa]
serial = {name}.serial
signer_cert = {name}.pem
signer_key = {name}.key
certs = intermediate.pem
signer_digest = {signer_digest}
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.5
digests = sha1, sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = {chain}
ess_cert_id_alg = {binding}
clock_precision_digits = {precision}
"""
ARTIFACT = b"an artifact\r\n\0\xff" * 30


@dataclass(frozen=True)
class Bench:
    """An authority of openssl with time-stamping authorities below it, and a store with a certified key."""

    openssl: OpenSSL
    root: Authority
    issuing: Authority
    shop: Workshop
    key: str
    short_lived: str

    def authority(self, name: str, key_type: str = "EC_P256", extensions: Mapping[str, str] = TIME_STAMPING) -> str:
        """Stem of a time-stamping authority's certificate and key, made at the first call."""
        if not (self.openssl.folder / f"{name}.pem").exists():
            self.issuing.issue(self.openssl.request(name, f"/CN={name}", key_type), name, extensions=extensions)
        return name

    def stamp(self, data: bytes, name: str, *query: str, **settings: str) -> bytes:
        """DER of a token over bytes by ``openssl ts``."""
        folder = self.openssl.folder
        usual = {"signer_digest": "sha256", "chain": "no", "binding": "sha256", "precision": "0"}
        (folder / "ts.cnf").write_text(CONFIGURATION.format(name=name, **usual | settings))
        (folder / f"{name}.serial").write_text("0A\n")
        (folder / "stamped").write_bytes(data)
        self.openssl("ts", "-query", "-data", "stamped", *(query or ("-sha256", "-cert")), "-out", "q.tsq")
        self.openssl("ts", "-reply", "-queryfile", "q.tsq", "-config", "ts.cnf", "-section", "tsa", "-out", "r.tsr")
        answer = response.decode((folder / "r.tsr").read_bytes())
        assert answer.granted, answer.explain()
        return answer.token or b""

    def sign(self, folder: Path, key: str = "") -> tuple[Path, Path]:
        """A new artifact and its signature."""
        artifact = folder / "app.bin"
        artifact.write_bytes(ARTIFACT)
        return artifact, self.shop.sign(artifact, key or self.key, "--force")

    def verify(self, artifact: Path, *options: str | Path) -> Ran:
        return call("verify", artifact, "--trust", self.root.certificate, *options)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    need_component("openssl")
    openssl = OpenSSL(tmp_path_factory.mktemp("openssl"))
    root = Authority.root(openssl)
    issuing = root.intermediate()
    shop = Workshop.create(tmp_path_factory.mktemp("shop"))
    keys = []
    for name, days in (("long", 900), ("short", 20)):
        key = shop.new_key("EC_P256", name)
        csr = openssl.folder / f"{name}.csr"
        shop.do("csr", "create", key, "--subject", "CN=Acme Release,O=Acme,C=DE", "--out", csr)
        leaf = issuing.issue(csr, name, not_after=datetime.now(UTC) + timedelta(days=days))
        shop.do("cert", "import", key, issuing.chain_file(leaf, f"{name}-chain"))
        keys.append(key)
    return Bench(openssl, root, issuing, shop, *keys)


def signature_value(signature: Path) -> bytes:
    return signed_data.parse(signature.read_bytes()).signed_data.signer_infos[0].signature


def attach(signature: Path, made: bytes) -> None:
    """Put a token into a signature."""
    found = signed_data.parse(signature.read_bytes()).signed_data
    signature.write_bytes(cms.encode(unsigned.with_timestamp(found, 0, made)))


def later(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


# --- theirs, judged by us ---

WAYS = {
    "usual": ((), {}),
    "SHA-384": (("-sha384", "-cert"), {}),
    "SHA-512": (("-sha512", "-cert"), {"signer_digest": "sha512"}),
    "bound by SHA-1": ((), {"binding": "sha1"}),
    "bound with its chain": ((), {"chain": "yes"}),
    "with microseconds": ((), {"precision": "6"}),
    "without nonce": (("-sha256", "-cert", "-no_nonce"), {}),
    "of another policy": (("-sha256", "-cert", "-tspolicy", "1.2.3.4.5"), {}),
}


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", ["EC_P256", "RSA_2048"])
@pytest.mark.parametrize("way", WAYS)
def test_token_by_openssl(bench: Bench, way: str, key_type: str, tmp_path: Path) -> None:
    query, settings = WAYS[way]
    artifact, signature = bench.sign(tmp_path, bench.short_lived)
    attach(
        signature,
        bench.stamp(signature_value(signature), bench.authority(f"tsa-{key_type}", key_type), *query, **settings),
    )
    now = bench.verify(artifact, "--json")
    assert now.status == 0, now.out
    stamped = now.json()["artifacts"][0]["signers"][0]["timestamp"]
    assert stamped["valid"] is True
    assert stamped["subject"] == f"CN=tsa-{key_type}"
    assert stamped["accuracy_seconds"] == 1.5001
    assert stamped["policy"] == ("1.2.3.4.5" if "-tspolicy" in query else "1.2.3.4.1")
    assert stamped["serial_number"] == "b"
    assert len(stamped["path"]) == 3
    assert bench.verify(artifact, "--at", later(60)).status == 0  # the signer's certificate has ended by then
    bench.verify(artifact, "--at", later(-1)).error(18)
    assert bench.verify(artifact).out.count("stamped by CN=tsa-") == 1
    bench.openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", artifact),
        *("-CAfile", bench.root.certificate, "-purpose", "any", "-out", tmp_path / "out"),
    )


@pytest.mark.component("openssl")
def test_without_a_token_an_expired_signer_is_refused(bench: Bench, tmp_path: Path) -> None:
    artifact, _signature = bench.sign(tmp_path, bench.short_lived)
    assert bench.verify(artifact).status == 0
    bench.verify(artifact, "--at", later(60)).error(15)


@pytest.mark.component("openssl")
def test_token_over_something_else(bench: Bench, tmp_path: Path) -> None:
    artifact, signature = bench.sign(tmp_path)
    attach(signature, bench.stamp(signature_value(signature) + b"\0", bench.authority("tsa-EC_P256")))
    ran = bench.verify(artifact, "--json")
    assert ran.status == 18
    assert ran.json()["artifacts"][0]["reasons"] == ["timestamp.message-imprint", "time.established"]


@pytest.mark.component("openssl")
def test_token_without_certificates(bench: Bench, tmp_path: Path) -> None:
    """As RFC 3161 allows it: then the authority's certificate must come from elsewhere."""
    artifact, signature = bench.sign(tmp_path)
    attach(signature, bench.stamp(signature_value(signature), bench.authority("tsa-EC_P256"), "-sha256"))
    bench.verify(artifact).error(18)
    assert bench.verify(artifact, "--intermediate", bench.openssl.folder / "tsa-EC_P256.pem").status == 0


@pytest.mark.component("openssl")
def test_inspect_shows_tokens(bench: Bench, tmp_path: Path) -> None:
    _artifact, signature = bench.sign(tmp_path)
    attach(signature, bench.stamp(signature_value(signature), bench.authority("tsa-EC_P256")))
    shown = call("inspect", signature, "--json").json()["signers"][0]["timestamps"]
    assert [one["policy"] for one in shown] == ["1.2.3.4.1"]
    answer = call("inspect", bench.openssl.folder / "r.tsr", "--json").json()
    assert answer["kind"] == "timestamp" and answer["status"].startswith("granted")
    assert answer["names_authority"] == "CN=tsa-EC_P256"
    made = token.load((response.decode((bench.openssl.folder / "r.tsr").read_bytes())).token or b"")
    printed = bench.openssl("ts", "-reply", "-in", "r.tsr", "-text")
    assert f"{made.time:%b} {made.time.day:2} {made.time:%H:%M:%S}" in printed
    assert int(printed.partition("Nonce: ")[2].split()[0], 16) == made.info.nonce


@pytest.mark.component("openssl")
def test_a_refusal_by_openssl_in_words(bench: Bench) -> None:
    bench.authority("tsa-EC_P256")
    bench.stamp(b"x", "tsa-EC_P256")
    bench.openssl("ts", "-query", "-data", "stamped", "-sha256", "-tspolicy", "1.2.3.9", "-out", "q.tsq")
    bench.openssl("ts", "-reply", "-queryfile", "q.tsq", "-config", "ts.cnf", "-section", "tsa", "-out", "r.tsr")
    answer = response.decode((bench.openssl.folder / "r.tsr").read_bytes())
    assert not answer.granted
    assert "rejected" in answer.explain() and "unacceptedPolicy" in answer.explain()


@pytest.mark.component("openssl")
def test_requests_by_openssl(bench: Bench) -> None:
    (bench.openssl.folder / "stamped").write_bytes(b"x")
    bench.openssl("ts", "-query", "-data", "stamped", "-sha512", "-cert", "-tspolicy", "1.2.3", "-out", "q.tsq")
    found = request.decode((bench.openssl.folder / "q.tsq").read_bytes())
    assert (found.digest, found.policy, found.certificates) == ("sha512", "1.2.3", True)
    again = request.over(b"x", "sha512", nonce=found.nonce, policy="1.2.3")
    assert request.decode(again.encode()) == found  # openssl writes NULL behind the digest algorithm, and we nothing


# --- ours, judged by them ---


def lab_and_tsa() -> tuple[Lab, timestamping.TimeStampingAuthority]:
    lab = Lab.create(datetime.now(UTC), os.urandom)
    return lab, timestamping.create(lab, clock=lambda: datetime.now(UTC), random=os.urandom)


def write(folder: Path, lab: Lab) -> None:
    (folder / "root.pem").write_text(pem.encode("CERTIFICATE", lab.root.certificate.der))
    (folder / "issuing.pem").write_text(pem.encode("CERTIFICATE", lab.issuing.certificate.der))


@pytest.mark.component("openssl")
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_accepts_ours(digest: str, tmp_path: Path) -> None:
    openssl = OpenSSL(tmp_path)
    lab, tsa = lab_and_tsa()
    write(tmp_path, lab)
    (tmp_path / "data").write_bytes(b"stamped")
    openssl("ts", "-query", "-data", "data", f"-{digest}", "-cert", "-out", "q.tsq")
    (tmp_path / "r.tsr").write_bytes(tsa.answer((tmp_path / "q.tsq").read_bytes()))
    trust = ("-CAfile", "root.pem", "-untrusted", "issuing.pem")
    assert "Verification: OK" in openssl("ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", *trust)
    (tmp_path / "token").write_bytes(response.decode((tmp_path / "r.tsr").read_bytes()).token or b"")
    assert "Verification: OK" in openssl("ts", "-verify", "-data", "data", "-in", "token", "-token_in", *trust)
    (tmp_path / "data").write_bytes(b"Stamped")
    openssl("ts", "-verify", "-data", "data", "-in", "token", "-token_in", *trust, status=1)
    openssl("ts", "-query", "-data", "data", f"-{digest}", "-cert", "-out", "other.tsq")
    openssl("ts", "-verify", "-queryfile", "other.tsq", "-in", "r.tsr", *trust, status=1)


@pytest.mark.component("openssl")
@pytest.mark.filterwarnings("default")  # pyHanko's own are not ours to mend
def test_pyhanko_accepts_ours_in_a_signature(bench: Bench, tmp_path: Path) -> None:
    """It judges the signature, the token in it, and both paths."""
    pytest.importorskip("pyhanko")
    from asn1crypto import cms as peer
    from asn1crypto import x509
    from pyhanko.sign.validation import KeyUsageConstraints, async_validate_detached_cms
    from pyhanko_certvalidator import ValidationContext

    lab, tsa = lab_and_tsa()
    artifact, signature = bench.sign(tmp_path)
    asked = request.over(signature_value(signature), "sha256", nonce=5)
    made = response.decode(tsa.answer(asked.encode())).token or b""
    attach(signature, made)
    (tmp_path / "lab.pem").write_text(pem.encode("CERTIFICATE", lab.root.certificate.der))
    assert bench.verify(artifact, "--trust", tmp_path / "lab.pem").status == 0

    roots = [pem.decode(bench.root.certificate.read_bytes())[0].data, lab.root.certificate.der]
    context = ValidationContext(trust_roots=[x509.Certificate.load(one) for one in roots], allow_fetching=False)
    status = asyncio.run(
        async_validate_detached_cms(
            artifact.read_bytes(),
            peer.ContentInfo.load(signature.read_bytes())["content"],
            signer_validation_context=context,
            ts_validation_context=context,
            key_usage_settings=KeyUsageConstraints(key_usage={"digital_signature"}),
        )
    )
    validity = status.timestamp_validity
    assert status.intact and status.valid and status.trusted
    assert validity is not None and validity.intact and validity.valid and validity.trusted
    assert validity.timestamp == token.load(made).time


@pytest.mark.component("openssl")
def test_lab_serve(tmp_path: Path) -> None:
    """``signkit lab serve`` answers openssl's request, and ends cleanly when it is told to."""
    import signal
    import sys
    import urllib.error
    import urllib.request

    openssl = OpenSSL(tmp_path)
    call("lab", "create", tmp_path / "lab")
    (tmp_path / "data").write_bytes(b"stamped")
    openssl("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q.tsq")
    command = [sys.executable, "-m", "signkit", "lab", "serve", str(tmp_path / "lab")]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None and server.stderr is not None
            url = server.stdout.readline().removeprefix("serving ").strip()
            assert url.startswith("http://127.0.0.1:") and url.endswith("/tsa")
            headers = {"Content-Type": "application/timestamp-query"}
            query = (tmp_path / "q.tsq").read_bytes()

            def post(where: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
                try:
                    with urllib.request.urlopen(urllib.request.Request(where, body, dict(headers)), timeout=20) as got:
                        return got.status, got.read()
                except urllib.error.HTTPError as error:
                    with error:
                        return error.code, error.read()

            status, body = post(url, query, headers)
            assert status == 200
            (tmp_path / "r.tsr").write_bytes(body)
            trust = ("-CAfile", "lab/root.pem", "-untrusted", "lab/issuing.pem")
            assert "Verification: OK" in openssl("ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", *trust)
            assert "badDataFormat" in response.decode(post(url, b"junk", headers)[1]).explain()
            assert post(url, query, {"Content-Type": "text/plain"})[0] == 415
            assert post(url + "x", query, headers)[0] == 404
            assert post(url, bytes(1 << 17), headers)[0] == 413
            server.send_signal(number)
            assert server.wait(20) == 0
            assert "Traceback" not in server.stderr.read()


def test_our_certificates_are_for_timestamping_alone() -> None:
    _lab, tsa = lab_and_tsa()
    own = certificate.load(tsa.certificate.der)
    assert own.extended_key_usage == (oids.TIME_STAMPING,)
    assert own.extensions[oids.EXTENDED_KEY_USAGE].critical
