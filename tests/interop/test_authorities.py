"""Authorities as they are: each issues from our request in its own way, and what it returns is taken in."""

from __future__ import annotations

import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signkit.keys.reference import parse_key_version
from signkit.operations.certificates import Imported
from signkit.x509 import bundle, certificate, extensions, general_names
from tests.support.onboarding import House
from tests.support.openssl import Authority, OpenSSL

SUBJECT = "CN=Acme Release,O=Acme,C=DE"
EVERY_TYPE = ["RSA_3072", "EC_P256", "EC_P384", "ED25519", "EC_P256K", "EC_SM2"]
DISTID = "distid:1234567812345678"

POLICY = """\
[ca]
default_ca = authority
[authority]
database = policy.index
rand_serial = yes
new_certs_dir = .
unique_subject = no
default_md = sha256
default_days = 90
policy = strict
copy_extensions = copy
x509_extensions = signer
[strict]
countryName = match
organizationName = match
commonName = supplied
[signer]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@pytest.fixture
def house() -> House:
    """Its clock is a little ahead, as certificates begin at the second in which they are made."""
    return House(datetime.now(UTC) + timedelta(minutes=5))


def written(house: House, folder: Path, key_type: str, subject: str = SUBJECT) -> tuple[str, Path]:
    """A key's version and its request, asking for an alternative name."""
    reference = house.key(key_type.lower(), key_type)
    path = folder / f"{key_type}.csr"
    path.write_text(house.request(reference, subject, alternative_names=["email:release@acme.example"]).pem)
    return reference, path


def run(folder: Path, *command: str | Path, text: str = "") -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, input=text, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def check(found: Imported, house: House, reference: str, *, issuers: int = 1) -> None:
    """What came back is the key's, with its chain, and can sign."""
    assert found.certificate.public_key_info == house.public_key(reference)
    assert str(found.certificate.subject) == SUBJECT
    assert len(found.chain) == issuers
    assert not found.warnings
    assert house.on_record(reference) == [found.certificate.der]


@pytest.mark.parametrize("key_type", [one for one in EVERY_TYPE if one != "EC_SM2"])
def test_openssl_ca_with_a_policy(house: House, openssl: OpenSSL, key_type: str) -> None:
    """The subject must match the authority's in country and organization, in the string types too."""
    Authority.root(openssl, "policy", subject="/C=DE/O=Acme/CN=Policy CA")
    (openssl.folder / "strict.cnf").write_text(POLICY)
    (openssl.folder / "policy.index").touch()
    reference, path = written(house, openssl.folder, key_type)
    issue = ("ca", "-batch", "-config", "strict.cnf", "-cert", "policy.pem", "-keyfile", "policy.key")
    openssl(*issue, "-in", path, "-out", "leaf.pem")  # with its text around the PEM
    data = (openssl.folder / "leaf.pem").read_bytes()
    assert b"Certificate:" in data
    found = house.import_(reference, data, (openssl.folder / "policy.pem").read_bytes())
    check(found, house, reference)
    assert found.certificate.extended_key_usage
    names = extensions.alternative_names(found.certificate.extensions)
    assert [general_names.describe(name) for name in names] == ["email:release@acme.example"]


def test_openssl_ca_refuses_what_its_policy_forbids(house: House, openssl: OpenSSL) -> None:
    Authority.root(openssl, "policy", subject="/C=DE/O=Acme/CN=Policy CA")
    (openssl.folder / "strict.cnf").write_text(POLICY)
    (openssl.folder / "policy.index").touch()
    _reference, path = written(house, openssl.folder, "EC_P256", "CN=Acme Release,O=Other,C=DE")
    issue = ("ca", "-batch", "-config", "strict.cnf", "-cert", "policy.pem", "-keyfile", "policy.key")
    assert "organizationName" in openssl(*issue, "-in", path, "-out", "leaf.pem", status=None)
    assert not (openssl.folder / "leaf.pem").exists() or not (openssl.folder / "leaf.pem").read_bytes()


FORMS = ["der", "p7b", "p7b der", "p12"]


@pytest.mark.parametrize(
    ("key_type", "form"),
    [(one, "pem") for one in EVERY_TYPE] + [(one, form) for one in ("EC_P256", "EC_SM2") for form in FORMS],
)
def test_openssl_x509(house: House, openssl: OpenSSL, key_type: str, form: str) -> None:
    root = Authority.root(openssl)
    reference, path = written(house, openssl.folder, key_type)
    options = ("-vfyopt", DISTID) if key_type == "EC_SM2" else ()
    by = ("-CA", root.certificate, "-CAkey", "root.key", "-CAcreateserial", "-days", "30", "-copy_extensions", "copy")
    openssl("x509", "-req", "-in", path, *by, *options, "-out", "leaf.pem")
    files = {
        "pem": lambda: [openssl.folder / "leaf.pem", root.certificate],
        "der": lambda: [converted("x509", "-in", "leaf.pem", "-outform", "DER"), root.certificate],
        "p7b": lambda: [converted("crl2pkcs7", "-nocrl", "-certfile", "leaf.pem", "-certfile", "root.pem")],
        "p7b der": lambda: [
            converted("crl2pkcs7", "-nocrl", "-certfile", "leaf.pem", "-certfile", "root.pem", "-outform", "DER")
        ],
        "p12": lambda: [
            converted("pkcs12", "-export", "-nokeys", "-in", "leaf.pem", "-certfile", "root.pem", "-passout", "pass:")
        ],
    }

    def converted(*command: str) -> Path:
        openssl(*command, "-out", "returned")
        return openssl.folder / "returned"

    check(house.import_(reference, *(file.read_bytes() for file in files[form]())), house, reference)


def test_an_sm2_authority(house: House, openssl: OpenSSL) -> None:
    """Both signatures are over the standard identifier, as everybody but OpenSSL 3 does it."""
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", "root.key")
    sm2 = ("-sm3", "-sigopt", DISTID)
    openssl("req", "-x509", "-new", "-key", "root.key", *sm2, "-subj", "/CN=SM2 CA", "-days", "30", "-out", "root.pem")
    reference, path = written(house, openssl.folder, "EC_SM2")
    by = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "20", "-copy_extensions", "copy")
    openssl("x509", "-req", "-in", path, *by, *sm2, "-vfyopt", DISTID, "-out", "leaf.pem")
    files = [(openssl.folder / name).read_bytes() for name in ("leaf.pem", "root.pem")]
    check(house.import_(reference, *files), house, reference)


GNUTLS = """\
expiration_days = 30
honor_crq_extensions
signing_key
code_signing_key
"""


@pytest.mark.component("certtool")
@pytest.mark.parametrize("key_type", ["RSA_3072", "EC_P256", "EC_P384", "ED25519"])
def test_gnutls_certtool(house: House, tmp_path: Path, key_type: str) -> None:
    (tmp_path / "ca.cfg").write_text('cn = "GnuTLS CA"\nca\ncert_signing_key\nexpiration_days = 60\n')
    (tmp_path / "leaf.cfg").write_text(GNUTLS)
    run(
        tmp_path, "certtool", "--generate-privkey", "--key-type", "ecdsa", "--curve", "secp256r1", "--outfile", "ca.key"
    )
    own = ("--load-privkey", "ca.key", "--template", "ca.cfg", "--outfile", "ca.pem")
    run(tmp_path, "certtool", "--generate-self-signed", *own)
    reference, path = written(house, tmp_path, key_type)
    by = ("--load-ca-certificate", "ca.pem", "--load-ca-privkey", "ca.key", "--template", "leaf.cfg")
    run(tmp_path, "certtool", "--generate-certificate", "--load-request", path, *by, "--outfile", "leaf.pem")
    files = [(tmp_path / name).read_bytes() for name in ("ca.pem", "leaf.pem")]
    check(house.import_(reference, *files), house, reference)


@pytest.mark.component("certutil")
@pytest.mark.parametrize("key_type", ["RSA_3072", "EC_P256", "EC_P384"])
def test_nss_certutil(house: House, tmp_path: Path, key_type: str) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    database = ("-d", "sql:.")
    run(tmp_path, "certutil", "-N", *database, "--empty-password")
    root = (
        "-S",
        "-x",
        "-n",
        "root",
        "-s",
        "CN=NSS CA",
        "-t",
        "C,C,C",
        "-v",
        "12",
        "-z",
        "noise",
        "-k",
        "ec",
        "-q",
        "nistp256",
    )
    # Its questions: is it a CA (y), path length (none), critical (y).
    run(tmp_path, "certutil", *database, *root, "--keyUsage", "certSigning,crlSigning,critical", "-2", text="y\n\ny\n")
    reference, path = written(house, tmp_path, key_type)
    usages = ("--keyUsage", "digitalSignature,critical", "--extKeyUsage", "codeSigning")
    run(tmp_path, "certutil", "-C", *database, "-c", "root", "-a", "-i", path, "-o", "leaf.pem", "-v", "2", *usages)
    issuer = run(tmp_path, "certutil", "-L", *database, "-n", "root", "-a")
    found = house.import_(reference, (tmp_path / "leaf.pem").read_bytes(), issuer.encode())
    check(found, house, reference)


def test_cmp_over_loopback(house: House, openssl: OpenSSL) -> None:
    """RFC 4210 p10cr with OpenSSL's mock server: our request goes in, and the certificate comes back."""
    root = Authority.root(openssl)
    reference, path = written(house, openssl.folder, "EC_P256")
    issued = root.issue(path, "leaf")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = ("1234", "pass:for tests only")
    server = subprocess.Popen(
        [
            "openssl",
            "cmp",
            "-port",
            str(port),
            "-srv_ref",
            secret[0],
            "-srv_secret",
            secret[1],
            "-rsp_cert",
            issued.name,
        ]
        + ["-rsp_capubs", "root.pem", "-rsp_extracerts", "root.pem"],
        cwd=openssl.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        client = ("cmp", "-cmd", "p10cr", "-server", f"127.0.0.1:{port}", "-path", "pkix/", "-disable_confirm")
        openssl(*client, "-ref", secret[0], "-secret", secret[1], "-csr", path, "-certout", "enrolled.pem")
    finally:
        server.terminate()
        server.wait(timeout=10)
    files = [(openssl.folder / name).read_bytes() for name in ("enrolled.pem", "root.pem")]
    check(house.import_(reference, *files), house, reference)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the mock server does not listen")


@pytest.mark.component("certutil", "pk12util")
def test_pkcs12_of_nss_holds_a_private_key_that_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    database = ("-d", "sql:.")
    run(tmp_path, "certutil", "-N", *database, "--empty-password")
    made = ("-S", "-x", "-n", "own", "-s", "CN=Own", "-t", ",,", "-v", "2", "-z", "noise", "-k", "ec", "-q", "nistp256")
    run(tmp_path, "certutil", *database, *made)
    run(tmp_path, "pk12util", "-o", "own.p12", "-n", "own", *database, "-W", "geheim")
    found = bundle.read((tmp_path / "own.p12").read_bytes(), "geheim")
    assert [str(certificate.load(der).subject) for der in found.certificates] == ["CN=Own"]
    assert "private key" in found.notices[0]


@pytest.mark.component("certtool")
def test_what_we_export_is_read_by_others(house: House, openssl: OpenSSL) -> None:
    root = Authority.root(openssl)
    reference, path = written(house, openssl.folder, "EC_P256")
    house.import_(reference, root.issue(path, "leaf").read_bytes(), root.certificate.read_bytes())
    data = house.certificates.export(parse_key_version(reference), chain=True, form="p7b")
    (openssl.folder / "chain.p7b").write_bytes(data)
    shown = openssl("pkcs7", "-in", "chain.p7b", "-print_certs", "-noout")
    assert shown.count("subject=") == 2
    assert "Number of certificates: 2" in run(openssl.folder, "certtool", "--p7-info", "--infile", "chain.p7b")
