"""A throwaway authority in a folder: two certificates and two unsealed private keys, all PEM."""

from __future__ import annotations

import os.path

from signkit.errors import MalformedError
from signkit.lab.authority import Authority, CertificateAuthority
from signkit.ports import ArtifactSource, OutputSink
from signkit.x509 import pem

ROOT, ISSUING = "root.pem", "issuing.pem"
"""Files with the certificates; the first is the trust anchor."""

ROOT_KEY, ISSUING_KEY = "root.key.pem", "issuing.key.pem"
"""Files with the private keys."""

KEY_LABEL = "PRIVATE KEY"
"""PEM label of a PKCS #8 PrivateKeyInfo (RFC 7468 section 10)."""

_NOTE = "Private key of a signkit lab, for tests only\n"
_LIMIT = 64 * 1024


def files(folder: str) -> list[str]:
    """Paths of the files that make up an authority in a folder."""
    return [os.path.join(folder, name) for name in (ROOT, ISSUING, ROOT_KEY, ISSUING_KEY)]


def save(authority: Authority, folder: str, sink: OutputSink) -> list[str]:
    """Write an authority to a folder; the private keys are readable by the owner only.

    Args:
        authority: what to keep.
        folder: an existing folder that holds none of the four files.
        sink: writes them.

    Returns:
        The paths that were written: root and issuing certificate, their private keys.

    Raises:
        OutputExistsError: the folder holds one of the files already; nothing was written.
        FileError: the folder is missing or not writable, or the disk is full.
    """
    contents = {
        ROOT: pem.encode(pem.CERTIFICATE_LABELS[0], authority.root.certificate.der),
        ISSUING: pem.encode(pem.CERTIFICATE_LABELS[0], authority.issuing.certificate.der),
        ROOT_KEY: _NOTE + pem.encode(KEY_LABEL, authority.root.key.private_key_info),
        ISSUING_KEY: _NOTE + pem.encode(KEY_LABEL, authority.issuing.key.private_key_info),
    }
    paths = {name: os.path.join(folder, name) for name in contents}
    sink.check(paths.values(), overwrite=False)
    with sink.batch():
        for name, text in contents.items():
            sink.write(paths[name], text.encode("ascii"), overwrite=False, private=name in (ROOT_KEY, ISSUING_KEY))
    return list(paths.values())


def load(folder: str, source: ArtifactSource) -> Authority:
    """Read the authority that ``save`` wrote.

    Args:
        folder: where it is.
        source: reads the files.

    Raises:
        FileError: a file is missing, unreadable or too large.
        MalformedError: a file does not hold what it should.
        BindingError: a private key or a certificate is of another authority.
    """
    return Authority(
        _load_ca(folder, ROOT, ROOT_KEY, source),
        _load_ca(folder, ISSUING, ISSUING_KEY, source),
    )


def _load_ca(folder: str, certificate: str, key: str, source: ArtifactSource) -> CertificateAuthority:
    return CertificateAuthority.load(
        _read_block(os.path.join(folder, certificate), pem.CERTIFICATE_LABELS, "lab certificate", source),
        _read_block(os.path.join(folder, key), (KEY_LABEL,), "lab private key", source),
    )


def _read_block(path: str, labels: tuple[str, ...], what: str, source: ArtifactSource) -> bytes:
    """Contents of the one PEM block of a file."""
    blocks = pem.decode(source.read(path, limit=_LIMIT, what=what))
    if len(blocks) != 1 or blocks[0].label not in labels:
        found = ", ".join(block.label for block in blocks) or "none"
        raise MalformedError(f"{what} {path}: found PEM blocks {found}, expected one {labels[0]}")
    return blocks[0].data
