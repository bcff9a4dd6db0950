"""sign --timestamp, timestamp add, timestamp extract and --long-term, as users call them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signkit.cms import signed_data
from signkit.der import cms
from signkit.wiring import lab as lab_wiring
from tests.support.commands import Workshop, call, run
from tests.support.components import MISSING, need_component
from tests.support.openssl import OpenSSL

DEAD = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "app.bin"
    path.write_bytes(b"an artifact" * 100)
    return path


def authority(shop: Workshop) -> str:
    return f"lab:{shop.folder / 'lab'}"


def later(years: float) -> str:
    return f"{datetime.now(UTC) + timedelta(days=365.25 * years):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("afterwards", [True, False])
def test_a_timestamp_outlives_the_certificate(shop: Workshop, artifact: Path, afterwards: bool) -> None:
    signature = shop.sign(artifact, "", *(() if afterwards else ("--timestamp", authority(shop))))
    if afterwards:
        assert shop.verify(artifact, "--at", later(1)).status == 15
        call("timestamp", "add", signature, "--url", authority(shop), "--tsa-trust", shop.root)
    ran = shop.verify(artifact, "--at", later(1))
    assert ran.status == 0, ran.out


def test_an_outage_writes_nothing_unless_that_is_wanted(shop: Workshop, artifact: Path) -> None:
    options = ("sign", artifact, "--key", shop.key, "--timestamp", "http://127.0.0.1:99999/", "--timestamp", "ftp://x/")
    message = shop(*options).error(3)
    assert "127.0.0.1:99999" in message and "scheme 'ftp'" in message
    assert not artifact.with_name("app.bin.p7s").exists()
    ran = shop(*options, "--timestamp-optional")
    assert ran.status == 0 and "signed without a timestamp" in ran.err
    assert shop.verify(artifact).status == 0


def test_configured_authorities(shop: Workshop, artifact: Path, tmp_path: Path) -> None:
    settings = tmp_path / "signkit.toml"
    settings.write_text(f'[sign]\ntimestamp = ["{authority(shop)}"]\ntsa-trust = ["{shop.root}"]\n')
    shop.do("--config", settings, "sign", artifact, "--key", shop.key)
    assert shop.verify(artifact, "--at", later(1)).status == 0


def test_signed_parts_stay_as_they_are(shop: Workshop, artifact: Path, tmp_path: Path) -> None:
    signature = shop.sign(artifact)
    before, out = signature.read_bytes(), tmp_path / "out.p7s"
    add = ("timestamp", "add", signature, "--url", authority(shop), "--out", out)
    assert call(*add).status == 0
    assert signature.read_bytes() == before
    call(*add).error(4)
    assert call(*add, "--force").status == 0
    old, new = (signed_data.parse(data).signed_data for data in (before, out.read_bytes()))
    assert cms.encode_signer_info(new.signer_infos[0]._replace(unsigned_attributes=())) in before
    assert new._replace(signer_infos=()) == old._replace(signer_infos=())


def test_what_can_not_be_added_or_taken_out(shop: Workshop, artifact: Path) -> None:
    signature = shop.sign(artifact)
    assert "has no timestamp" in call("timestamp", "extract", signature).error(3)
    assert "authority" in call("timestamp", "add", signature).error(2)
    assert "found number 1" in call("timestamp", "add", signature, "--url", authority(shop), "--signer", "1").error(2)
    call("timestamp", "extract", artifact).error(11)
    for _ in range(8):
        assert call("timestamp", "add", signature, "--url", authority(shop)).status == 0
    assert "8 timestamps already" in call("timestamp", "add", signature, "--url", authority(shop)).error(4)


@pytest.mark.component("openssl")
def test_openssl_verifies_what_is_taken_out(shop: Workshop, artifact: Path, tmp_path: Path) -> None:
    need_component("openssl")
    openssl = OpenSSL(tmp_path)
    signature = shop.sign(artifact, "", "--timestamp", authority(shop))
    made = call("timestamp", "extract", signature, "--json").json()["tokens"]
    assert made == [{"signer": 0, "token": str(tmp_path / "app.bin.tst"), "stamped": str(tmp_path / "app.bin.stamped")}]
    verify = ("ts", "-verify", "-token_in", "-in", "app.bin.tst", "-CAfile", shop.root)
    untrusted = ("-untrusted", shop.folder / "lab" / "issuing.pem")
    assert "Verification: OK" in openssl(*verify, *untrusted, "-data", "app.bin.stamped")
    openssl(*verify, *untrusted, "-data", artifact, status=1)


# --- long-term ---


@pytest.fixture
def complete(shop: Workshop, artifact: Path) -> Path:
    """A signature with everything in it; returns its path."""
    shop.do("lab", "revoke", shop.folder / "lab")
    signature = shop.sign(artifact, "", "--timestamp", authority(shop))
    ran = call(
        *("timestamp", "add", signature, "--url", authority(shop)),
        *("--long-term", "--trust", shop.root, "--crl", shop.folder / "lab" / "crl.pem"),
    )
    assert ran.status == 0, ran.err
    return signature


def alone() -> list[str]:
    """What runs a program in a network namespace without interfaces."""
    need_component("unshare")
    for way in (["unshare", "--map-root-user", "--net"], ["sudo", "-n", "--preserve-env", "unshare", "--net"]):
        if subprocess.run([*way, "true"], capture_output=True).returncode == 0:
            return way
    pytest.skip(f"{MISSING} network namespaces")


@pytest.mark.component("unshare")
@pytest.mark.usefixtures("complete")
def test_verifies_fifteen_years_later_without_network(shop: Workshop, artifact: Path) -> None:
    options = ("verify", artifact, "--trust", shop.root, "--revocation", "require", "--at", later(15))
    ran = run(*options, before=alone())
    assert ran.status == 0, ran.out + ran.err


def test_one_crl_less_is_unknown(shop: Workshop, artifact: Path, complete: Path) -> None:
    found = signed_data.parse(complete.read_bytes()).signed_data
    assert len(found.crls) == 2
    for number in range(2):
        complete.write_bytes(cms.encode(found._replace(crls=(found.crls[number],))))
        assert shop.verify(artifact, "--revocation", "check", "--at", later(15)).status == 0
        ran = shop.verify(artifact, "--revocation", "require", "--at", later(0.15))  # the certificate is valid then
        assert ran.status == 17 and "is unknown" in ran.out
        # The authority's own status is unknown, too: its token proves nothing, and the signer is judged by the present.
        ran = shop.verify(artifact, "--revocation", "require", "--at", later(15))
        assert ran.status == 15 and "timestamp.revocation" in ran.out


def test_material_that_is_not_to_be_had(shop: Workshop, artifact: Path) -> None:
    signature = shop.sign(artifact)
    before = signature.read_bytes()
    long_term = ("timestamp", "add", signature, "--long-term", "--trust", shop.root)
    assert "no timestamp" in call(*long_term).error(3)
    assert "revocation" in call(*long_term, "--url", authority(shop)).error(3)
    assert "no trust anchor" in call(*long_term[:-2]).error(2)
    assert signature.read_bytes() == before


def test_material_from_the_servers_that_certificates_name(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OCSP for the signer, whose certificate names the responder; the CRLs are for the rest."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "shop").mkdir()
    shop = Workshop.create(tmp_path / "shop")
    lab = shop.folder / "lab"
    with lab_wiring.server(str(lab), "127.0.0.1:0", clock=lambda: datetime.now(UTC)) as server:
        base = server.urls["/tsa"].removesuffix("/tsa")
        key = shop.new_key()
        csr = shop.request(key)
        shop.do("lab", "issue", lab, csr, "--base-url", base, "--out", csr.with_suffix(".chain"))
        shop.do("cert", "import", key, csr.with_suffix(".chain"))
        signature = shop.sign(artifact, key, "--timestamp", f"{base}/tsa")
        shop.do("lab", "revoke", lab)
        long_term = ("timestamp", "add", signature, "--long-term", "--trust", shop.root, "--crl", lab / "root.crl")
        call(*long_term).error(3)
        assert call(*long_term, "--crl", lab / "issuing.crl", "--online").status == 0
    found = signed_data.parse(signature.read_bytes()).signed_data
    assert found.version == 5 and sorted(der[0] for der in found.crls) == [0x30, 0x30, 0xA1]
    assert shop.verify(artifact, "--revocation", "require", "--at", later(15)).status == 0
    without_ocsp = tuple(der for der in found.crls if der[0] == 0x30)
    signature.write_bytes(cms.encode(found._replace(crls=without_ocsp[:1])))
    assert shop.verify(artifact, "--revocation", "require", "--at", later(15)).status != 0
