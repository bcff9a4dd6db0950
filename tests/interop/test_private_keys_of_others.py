"""Private keys that GnuTLS and OpenSSH write come in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from signkit import algorithms
from signkit.algorithms import containers
from signkit.errors import DecryptionError, MalformedError
from signkit.x509 import pem

PASSPHRASE = b"correct horse"


def run(*command: str | Path, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def read(path: Path, passphrase: bytes = PASSPHRASE) -> tuple[str, bytes]:
    plain = containers.read(pem.private_key(path.read_bytes()), lambda: passphrase)
    return algorithms.import_private_key(plain)[::2]


GNUTLS = {
    "EC_P256": ("--key-type=ecdsa", "--curve=secp256r1"),
    "EC_P384": ("--key-type=ecdsa", "--curve=secp384r1"),
    "EC_P521": ("--key-type=ecdsa", "--curve=secp521r1"),
    "ED25519": ("--key-type=ed25519",),
    "RSA_2048": ("--key-type=rsa", "--bits=2048"),
}


@pytest.mark.component("certtool")
@pytest.mark.parametrize("name", GNUTLS)
@pytest.mark.parametrize("cipher", ["aes-128", "aes-192", "aes-256", "3des"])
def test_certtool(name: str, cipher: str, tmp_path: Path) -> None:
    run("certtool", "--generate-privkey", *GNUTLS[name], "--outfile=plain.pem", "--no-text", folder=tmp_path)
    run("certtool", "--load-privkey=plain.pem", "--pubkey-info", "--outfile=public.pem", "--no-text", folder=tmp_path)
    options = (f"--pkcs-cipher={cipher}", f"--password={PASSPHRASE.decode()}", "--no-text")
    run("certtool", "--to-p8", "--load-privkey=plain.pem", "--outfile=own.pem", *options, folder=tmp_path)
    public_key = pem.public_key((tmp_path / "public.pem").read_bytes())
    assert read(tmp_path / "plain.pem") == read(tmp_path / "own.pem") == (name, public_key)
    with pytest.raises(DecryptionError):
        read(tmp_path / "own.pem", b"wrong")


@pytest.mark.component("ssh-keygen")
@pytest.mark.parametrize(("kind", "name"), [("rsa", "RSA_3072"), ("ecdsa", "EC_P256"), ("ed25519", "ED25519")])
def test_ssh_keygen(kind: str, name: str, tmp_path: Path) -> None:
    """Its own form is refused with the conversion in the hint, which works."""
    run("ssh-keygen", "-q", "-t", kind, "-N", PASSPHRASE.decode(), "-f", "own", folder=tmp_path)
    with pytest.raises(MalformedError, match="OPENSSH PRIVATE KEY") as caught:
        read(tmp_path / "own")
    assert "ssh-keygen -p -m PKCS8" in caught.value.hint
    if kind == "ed25519":
        return  # OpenSSH writes PKCS #8 of other kinds alone
    options = ("-P", PASSPHRASE.decode(), "-N", PASSPHRASE.decode())
    run("ssh-keygen", "-q", "-p", "-m", "PKCS8", *options, "-f", "own", folder=tmp_path)
    found, public_key_info = read(tmp_path / "own")
    assert found == name
    from signkit.x509 import public_key

    theirs = (tmp_path / "own.pub").read_bytes().split()[:2]
    assert public_key.encode(public_key_info, "ssh").split() == theirs
