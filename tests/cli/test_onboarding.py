"""The commands between key and certificate: what they answer, how they refuse, and what they never write."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from signkit.der import oids, writer
from signkit.x509 import bundle, pem
from tests.support import pki
from tests.support.commands import Workshop, call, listing


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("onboarding"), "EC_P256")


def request(*, subject: bytes = b"", signer: pki.Key | None = None, extensions: bytes = b"") -> bytes:
    """A request in DER."""
    field = writer.tlv(0xA0, extensions)
    body = writer.sequence(writer.integer(0), subject or pki.name("CN=Acme"), pki.key(3).public_key_info, field)
    value = (signer or pki.key(3)).sign(body)
    return writer.sequence(body, pki.ALGORITHMS["ecdsa-sha256"], writer.bit_string(value))


def test_a_request_says_what_must_be_compared(shop: Workshop, tmp_path: Path) -> None:
    out = tmp_path / "a.csr"
    san = ("--san", "dns:acme.example", "--san", "upn:zoë@acme")
    done = shop("--json", "csr", "create", shop.key, "--subject", "CN=Zoë,C=DE", *san, "--out", out)
    document = done.json()
    assert document["alternative_names"] == ["dns:acme.example", "upn:zoë@acme"]
    assert document["version"] == 1
    assert len(document["public_key_sha256"]) == 64
    assert "hardware key" in done.err
    shown = shop("--json", "csr", "show", out).json()
    assert {one["name"]: one["values"] for one in shown["extensions"]}["subjectAltName"] == [
        "dns:acme.example",
        "upn:zoë@acme",
    ]
    dry = shop("csr", "create", shop.key, "--subject", "CN=Zoë", "--san", "tel:1", "--dry-run")
    assert "not an alternative name" in dry.error(2)


@pytest.mark.parametrize(
    "subject",
    [
        "CN=a\x00b",
        "CN=#0500",
        "CN=#0c0100",
        "C=Germany",
        "CN=a+CN=b",
        "CN=" + "a" * 65,
        "",
        "CN=\udcff",
        "X=1",
        "CN=\\ff",
    ],
)
def test_subjects_that_are_refused_use_no_key(shop: Workshop, subject: str) -> None:
    before = listing(shop.home)
    shop("csr", "create", shop.key, "--subject", subject).error(2)
    assert {name: found[1] for name, found in listing(shop.home).items() if name == "store.db"} == {
        name: found[1] for name, found in before.items() if name == "store.db"
    }


def test_what_reorders_text_is_shown_escaped(shop: Workshop, tmp_path: Path) -> None:
    subject = writer.sequence(
        writer.set_of(writer.sequence(writer.oid("2.5.4.3"), writer.tlv(0x0C, "a\u202egpj.exe".encode())))
    )
    path = tmp_path / "bidi.csr"
    path.write_bytes(request(subject=subject))
    for arguments in (("csr", "show", path), ("csr", "check", path), ("--json", "csr", "check", path)):
        done = call(*arguments)
        assert done.status == 0
        assert "\u202e" not in done.out + done.err
    assert "private.hidden-characters" in call("csr", "check", path).out


def test_a_broken_rule_is_status_4_and_one_document(tmp_path: Path) -> None:
    path = tmp_path / "weak.csr"
    path.write_bytes(request(subject=writer.sequence()))
    done = call("--json", "csr", "check", path)
    assert done.status == 4
    document = done.json()
    assert document["accepted"] is False
    assert document["findings"][0] == {
        "rule": "private.empty-subject",
        "severity": "error",
        "found": "an empty subject, and no other name",
        "expected": "a subject",
        "source": "RFC 5280 4.1.2.6",
    }
    assert call("csr", "check", path).status == 4


def test_a_request_by_another_key_is_status_13_whatever_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "other.csr"
    path.write_bytes(request(signer=pki.key(9)))
    for rules in ("private", "cabf"):
        assert "not signed by the key" in call("csr", "check", path, "--rules", rules).error(13)
    assert "not a rule set" in call("csr", "check", path, "--rules", "").error(2)


def test_heavy_requests_are_status_11(tmp_path: Path) -> None:
    path = tmp_path / "large.csr"
    path.write_bytes(request(extensions=b"\x30" * (1 << 20)))
    assert "expected at most" in call("csr", "check", path).error(11)
    path.write_bytes(b"x" * (11 << 20))
    call("csr", "check", path).error(3)


def test_certificates_are_checked_without_a_store(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    path.write_bytes(pki.as_pem(pki.chain().leaf, pki.chain().issuing))
    done = call("--home", tmp_path / "none", "--json", "cert", "check", path, "--rules", "cabf")
    assert done.status == 4
    first, second = done.json()["certificates"]
    assert {finding["rule"] for finding in first["findings"]} >= {"cabf.crl", "cabf.policy", "cabf.validity"}
    assert not second["findings"]
    assert call("cert", "check", path).status == 0
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["SHA-1", "expired", "negative serial number", "not yet valid"])
def test_odd_certificates_have_a_clear_finding(tmp_path: Path, name: str) -> None:
    key, ca = pki.key(3), pki.key(2)
    der, words = {
        "SHA-1": (pki.leaf("CN=A", key, "CN=B", ca, algorithm="ecdsa-sha1"), "private.broken-digest"),
        "expired": (pki.leaf("CN=A", key, "CN=B", ca, not_after=pki.NOT_BEFORE), "private.expired"),
        "negative serial number": (
            pki.leaf("CN=A", key, "CN=B", ca, serial=writer.tlv(2, b"\x80")),
            "serial",
        ),
        "not yet valid": (
            pki.leaf(
                "CN=A",
                key,
                "CN=B",
                ca,
                not_before=pki.NOT_AFTER.replace(year=2090),
                not_after=pki.NOT_AFTER.replace(year=2091),
            ),
            "private.not-yet-valid",
        ),
    }[name]
    path = tmp_path / "leaf.der"
    path.write_bytes(der)
    done = call("cert", "check", path)
    assert done.status in (0, 4, 11)
    assert words in done.out + done.err


def test_a_pkcs12_file_and_its_passphrase(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes((shop.folder / "EC_P256.chain").read_bytes())
    made = ("openssl", "pkcs12", "-export", "-nokeys", "-in", "chain.pem", "-out", "chain.p12", "-passout", "pass:zoë")
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    secret = tmp_path / "passphrase"
    command = ("cert", "import", shop.key, tmp_path / "chain.p12", "--passphrase-file", secret)
    shop(*command).error(3)
    secret.write_text("wrong")
    assert "passphrase is wrong" in shop(*command).error(11)
    secret.write_bytes(b"\xff")
    shop(*command).error(2)
    secret.write_text("zoë\r\n")
    assert shop(*command).status == 0


def test_export_never_overwrites_and_writes_what_was_asked(shop: Workshop, tmp_path: Path) -> None:
    out = tmp_path / "chain.p7b"
    shop.do("cert", "export", shop.key, "--chain", "--format", "p7b", "--out", out)
    assert len(bundle.certificates(out.read_bytes())) == 2
    shop("cert", "export", shop.key, "--format", "p7b", "--out", out).error(4)
    shop("cert", "export", shop.key, "--format", "jks").error(2)
    shop("cert", "export", shop.key, "--chain", "--format", "der").error(2)
    assert shop.do("cert", "list", "alias/EC_P256").out == shop.do("cert", "list", shop.key).out
    shop("cert", "list", "alias/nobody").error(3)


def test_expiry_answers_by_its_status(shop: Workshop, tmp_path: Path) -> None:
    calendar = tmp_path / "expiry.ics"
    assert shop("cert", "expiry", "--within", "1d").status == 0
    done = shop("--json", "cert", "expiry", "--within", "52w", "--ical", calendar)
    assert done.status == 15
    document = done.json()
    assert document["due"] is True
    assert [item["kind"] for item in document["expiring"]] == ["certificate", "issuing certificate"]
    assert calendar.read_bytes().count(b"BEGIN:VEVENT") == 2
    shop("cert", "expiry", "--ical", calendar).error(4)
    assert shop("cert", "expiry", "--ical", calendar, "--force").status == 0
    shop("cert", "expiry", "--within", "soon").error(2)
    shop("cert", "expiry", "--folder", tmp_path / "none").error(3)


def test_expiry_of_a_folder_needs_no_store(shop: Workshop, tmp_path: Path) -> None:
    folder = tmp_path / "dist" / "deep"
    folder.mkdir(parents=True)
    (folder / "app.bin").write_bytes(b"artifact")
    shop.sign(folder / "app.bin")
    (folder / "link.p7s").symlink_to(folder / "app.bin.p7s")
    home = ("--home", tmp_path / "none")
    done = call(*home, "--json", "cert", "expiry", "--folder", tmp_path / "dist", "--within", "365d")
    assert done.status == 15
    (item,) = done.json()["expiring"]
    assert (item["kind"], item["used_by"]) == ("signature", [str(folder / "app.bin.p7s")])
    assert call(*home, "cert", "expiry", "--folder", tmp_path / "dist", "--within", "1d").status == 0
    (folder / "broken.p7s").write_bytes(b"\x30\x00")
    done = call(*home, "cert", "expiry", "--folder", tmp_path / "dist", "--within", "1d")
    assert done.status == 3
    assert "broken.p7s" in done.err
    assert not (tmp_path / "none").exists()


def test_rekey_checks_its_outputs_before_it_makes_a_version(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for option in ("--out", "--cms"):
        shop("csr", "rekey", "alias/EC_P256", option, tmp_path / "taken").error(4)
        shop("csr", "rekey", "alias/EC_P256", option, tmp_path / "none" / "a").error(3)
    shop("csr", "rekey", "alias/EC_P256", "--from", "9").error(3)
    dry = shop.do("csr", "rekey", "alias/EC_P256", "--out", tmp_path / "a.csr", "--dry-run")
    assert dry.out.startswith("would make alias/EC_P256@2 and a request for it")
    assert not (tmp_path / "a.csr").exists()
    assert len(json.loads(shop.do("--json", "version", "list", "alias/EC_P256").out)["versions"]) == 1
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_revocation_request_is_a_text_and_a_document(shop: Workshop, tmp_path: Path) -> None:
    at = subprocess.run(
        ["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True, check=True
    ).stdout.strip()
    command = ("cert", "revocation-request", shop.key, "--compromised-at", at)
    document = shop("--json", *command).json()
    assert document["reason"] == "keyCompromise"
    assert document["compromised_at"] == at
    assert document["certificates"][0]["serial_number"] in document["text"]
    out = tmp_path / "revoke.txt"
    shop.do(*command, "--out", out)
    assert out.read_text().startswith("Request for revocation: key compromise\n")
    shop(*command, "--out", out).error(4)
    shop(*command[:-1], "yesterday").error(2)
    shop(*command[:-1], "2100-01-01").error(2)
    shop("cert", "revocation-request", "alias/EC_P256", "--compromised-at", at).error(2)


def test_a_private_key_sent_along_is_said_and_not_kept(shop: Workshop, tmp_path: Path) -> None:
    private = pem.encode("EC PRIVATE KEY", pki.key(5).private_key_info)
    path = tmp_path / "mixed.pem"
    path.write_text(private + (shop.folder / "EC_P256.chain").read_text())
    done = shop.do("cert", "import", shop.key, path)
    assert "a private key stands in the file" in done.err
    assert pki.key(5).private_key_info not in (shop.home / "store.db").read_bytes()


def test_extensions_are_shown_in_words(tmp_path: Path) -> None:
    extension = pki.extension(oids.NETSCAPE_COMMENT, writer.tlv(0x16, b"for tests"))
    path = tmp_path / "leaf.pem"
    path.write_bytes(pki.as_pem(pki.leaf("CN=A", pki.key(3), "CN=B", pki.key(2), extra=[extension])))
    out = call("cert", "show", path).out
    assert "netscapeComment: for tests" in out
    assert "keyUsage (critical): digitalSignature" in out
    assert "extKeyUsage: codeSigning" in out
