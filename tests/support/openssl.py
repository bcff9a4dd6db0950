"""The openssl command line as a tool of the tests, and a small certificate authority made of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

CA_EXTENSIONS: Mapping[str, str] = {
    "basicConstraints": "critical,CA:TRUE",
    "keyUsage": "critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier": "hash",
    "authorityKeyIdentifier": "keyid",
}
CODE_SIGNING: Mapping[str, str] = {
    "basicConstraints": "critical,CA:FALSE",
    "keyUsage": "critical,digitalSignature",
    "extendedKeyUsage": "codeSigning",
    "subjectKeyIdentifier": "hash",
    "authorityKeyIdentifier": "keyid",
}
KEY_TYPES: Mapping[str, tuple[str, ...]] = {
    "EC_P256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "EC_P384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "RSA_2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "RSA_3072": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
    "ED25519": ("-algorithm", "ED25519"),
}
CA_CONFIGURATION = """\
[ca]
default_ca = authority
[authority]
database = {name}.index
rand_serial = yes
new_certs_dir = .
unique_subject = no
default_md = {digest}
policy = anything
[anything]
commonName = optional
countryName = optional
stateOrProvinceName = optional
localityName = optional
organizationName = optional
organizationalUnitName = optional
emailAddress = optional
"""


class OpenSSL:
    """Runs openssl in one folder; file names are relative to it.

    Attributes:
        folder: where it runs.
        version: of the program, for example ``(3, 0, 19)``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = re.match(r"OpenSSL (\d+)\.(\d+)\.(\d+)", self("version"))
        assert found, "this is not OpenSSL (LibreSSL?)"
        self.version = (int(found[1]), int(found[2]), int(found[3]))

    def __call__(self, *arguments: str | Path, status: int | None = 0, stdin: bytes = b"") -> str:
        """Run one command and return what it printed to stdout and stderr, as text.

        Args:
            arguments: the command line after ``openssl``.
            status: the exit status that is asserted; None asserts nothing.
            stdin: what it reads from standard input.
        """
        command = ["openssl", *(str(argument) for argument in arguments)]
        done = subprocess.run(
            command, cwd=self.folder, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
        )
        text = done.stdout.decode(errors="replace")
        assert status is None or done.returncode == status, f"{' '.join(command)}: exit {done.returncode}\n{text}"
        return text

    def key(self, name: str, key_type: str = "EC_P256") -> Path:
        """Make ``NAME.key``, an unencrypted private key (PKCS#8, PEM)."""
        self("genpkey", *KEY_TYPES[key_type], "-out", f"{name}.key")
        return self.folder / f"{name}.key"

    def request(self, name: str, subject: str, key_type: str = "EC_P256") -> Path:
        """Make ``NAME.key`` and ``NAME.csr``, a certification request for it; ``subject`` as in ``/CN=A/O=B``."""
        self.key(name, key_type)
        self("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
        return self.folder / f"{name}.csr"


class Authority:
    """A certificate authority: a key, a certificate, and ``openssl ca`` or ``openssl x509 -req`` to issue with.

    Attributes:
        openssl: the command line it works with, in whose folder its files are.
        name: stem of its files.
        certificate: its certificate, PEM.
        chain: certificates from its own up to the one below the root, PEM, as ``cert import`` takes them; empty for a
            root.
    """

    def __init__(self, openssl: OpenSSL, name: str, chain: tuple[Path, ...] = ()) -> None:
        self.openssl = openssl
        self.name = name
        self.certificate = openssl.folder / f"{name}.pem"
        self.chain = chain

    @classmethod
    def root(
        cls,
        openssl: OpenSSL,
        name: str = "root",
        *,
        key_type: str = "EC_P256",
        subject: str = "/CN=Test Root CA/O=signkit tests",
        extensions: Mapping[str, str] = CA_EXTENSIONS,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Authority:
        """A new root: by default valid from yesterday for ten years."""
        authority = cls(openssl, name)
        request = openssl.request(name, subject, key_type)
        authority._ca(request, authority.certificate, extensions, not_before, not_after, 3650, "-selfsign")
        return authority

    def intermediate(
        self,
        name: str = "intermediate",
        *,
        key_type: str = "EC_P256",
        subject: str = "/CN=Test Issuing CA/O=signkit tests",
        extensions: Mapping[str, str] = CA_EXTENSIONS | {"basicConstraints": "critical,CA:TRUE,pathlen:0"},
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Authority:
        """An authority below this one: by default valid from yesterday for five years, and with no other below it."""
        request = self.openssl.request(name, subject, key_type)
        below = Authority(self.openssl, name, (self.openssl.folder / f"{name}.pem", *self.chain))
        self._ca(request, below.certificate, extensions, not_before, not_after, 1825)
        return below

    def issue(
        self,
        request: Path,
        name: str,
        *,
        extensions: Mapping[str, str] = CODE_SIGNING,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Path:
        """Issue ``NAME.pem`` for a request with ``openssl ca``: by default valid from yesterday for 90 days.

        Args:
            request: the CSR, PEM; subject and public key are taken from it, extensions are not.
            name: stem of the new file.
            extensions: as in openssl's configuration files; an empty mapping gives a certificate without any.
            not_before: aware time.
            not_after: aware time.
        """
        certificate = self.openssl.folder / f"{name}.pem"
        self._ca(request, certificate, extensions, not_before, not_after, 90)
        return certificate

    def issue_by_x509(
        self, request: Path, name: str, *, extensions: Mapping[str, str] = CODE_SIGNING, days: int = 90
    ) -> Path:
        """Issue ``NAME.pem`` for a request with ``openssl x509 -req``: valid from now."""
        certificate = self.openssl.folder / f"{name}.pem"
        self.openssl(
            *("x509", "-req", "-in", request, "-out", certificate, "-days", str(days)),
            *("-CA", self.certificate, "-CAkey", f"{self.name}.key", "-CAcreateserial"),
            *("-extfile", self._extension_file(name, extensions)),
        )
        return certificate

    def chain_file(self, certificate: Path, name: str) -> Path:
        """``NAME.pem`` with a certificate that this authority issued, and the authority's own chain below it."""
        file = self.openssl.folder / f"{name}.pem"
        file.write_text("".join(part.read_text() for part in (certificate, *self.chain)))
        return file

    def _ca(
        self,
        request: Path,
        certificate: Path,
        extensions: Mapping[str, str],
        not_before: datetime | None,
        not_after: datetime | None,
        days: int,
        *more: str,
    ) -> None:
        not_before = not_before or datetime.now(UTC) - timedelta(days=1)
        not_after = not_after or not_before + timedelta(days=days)
        issuer = () if "-selfsign" in more else ("-cert", self.certificate)
        self.openssl(
            *("ca", "-batch", "-notext", "-preserveDN", "-config", self._configuration()),
            *("-in", request, "-out", certificate, "-keyfile", f"{self.name}.key", *issuer, *more),
            *("-startdate", not_before.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")),
            *("-enddate", not_after.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")),
            *("-extfile", self._extension_file(certificate.stem, extensions)),
        )

    def _configuration(self) -> Path:
        """Configuration and database of ``openssl ca``, made at the first call."""
        file = self.openssl.folder / f"{self.name}.cnf"
        if not file.exists():
            key = self.openssl("pkey", "-in", f"{self.name}.key", "-noout", "-text")
            digest = "default" if key.upper().startswith("ED25519") else "sha256"
            file.write_text(CA_CONFIGURATION.format(name=self.name, digest=digest))
            (self.openssl.folder / f"{self.name}.index").touch()
        return file

    def _extension_file(self, name: str, extensions: Mapping[str, str]) -> Path:
        file = self.openssl.folder / f"{name}.ext"
        file.write_text("".join(f"{key} = {value}\n" for key, value in extensions.items()))
        return file
