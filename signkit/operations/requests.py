"""Certification requests for key versions."""

from __future__ import annotations

from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.der import oids
from signkit.errors import MalformedError, ProofOfPossessionError, UsageError
from signkit.keys.model import Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.keys import KeyService
from signkit.operations.use import SignInput
from signkit.ports import ArtifactSource
from signkit.x509 import names, pem, request
from signkit.x509.names import Name
from signkit.x509.request import CertificationRequest

MAXIMUM_FILE = 10 << 20

TEMPLATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "code-signing": (("digitalSignature",), (oids.CODE_SIGNING,)),
    "tsa": (("digitalSignature",), (oids.TIME_STAMPING,)),
    "none": ((), ()),
}
"""Template name to the key usage and key purposes that a request asks for."""


class Created(NamedTuple):
    """A request and what the person who hands it over must compare.

    Attributes:
        der: the request.
        request: the same, parsed.
        key: the key.
        version: the key version.
    """

    der: bytes
    request: CertificationRequest
    key: Key
    version: KeyVersion

    @property
    def pem(self) -> str:
        """The request as PEM."""
        return pem.encode(request.LABEL, self.der)


def prepare(
    keys: KeyService, reference: KeyReference, subject: str, *, template: str = "code-signing"
) -> tuple[Name, Key, KeyVersion]:
    """Everything about a request that can be checked without using the key; arguments and errors as for ``create``."""
    name = _subject(subject, template)
    with keys.use.signing(reference, detail=f"CSR {name}", dry_run=True) as signer:
        return name, signer.key, signer.version


def create(keys: KeyService, reference: KeyReference, subject: str, *, template: str = "code-signing") -> Created:
    """Make a PKCS #10 request for a key version, signed by it.

    Args:
        keys: the key service.
        reference: key and version.
        subject: distinguished name in RFC 4514's form, ``CN=Acme Release,O=Acme,C=DE``.
        template: one of ``TEMPLATES``.

    Raises:
        UsageError: malformed subject or unknown template.
        NotFoundError: no such key or version.
        AccessDeniedError: the caller may not sign with it.
        StateError: key or version is not enabled.
        ProviderError: the provider could not sign.
    """
    name = _subject(subject, template)
    key_usage, purposes = TEMPLATES[template]
    with keys.use.signing(reference, detail=f"CSR {name}") as signer:
        algorithm, public_key_info = signer.algorithm, signer.version.public_key_info
        info = request.to_be_signed(name, public_key_info, key_usage=key_usage, purposes=purposes)
        data = algorithms.prehash(algorithm, public_key_info, info)
        signature = signer.sign([SignInput(data, digests.digest("sha256", info), f"CSR {name}")])[0]
    der = request.assemble(info, algorithm, signature)
    made = request.load(der)
    if reason := made.proof_of_possession():
        raise MalformedError(f"the request that was just made does not verify: {reason}", hint="please report this")
    return Created(der, made, signer.key, signer.version)


def _subject(text: str, template: str) -> Name:
    if template not in TEMPLATES:
        raise UsageError(f"'{template}' is not a template: expected one of {' '.join(TEMPLATES)}")
    return names.parse(text)


def require_possession(found: CertificationRequest, path: str) -> None:
    """Refuse a request that is not signed by the key it carries.

    Raises:
        ProofOfPossessionError: it is not.
    """
    if reason := found.proof_of_possession():
        raise ProofOfPossessionError(
            f"{path}: the request is not signed by the key it carries ({found.key_type}): {reason}",
            hint="it was altered on its way or made wrongly: have it made and sent again",
        )


def read(source: ArtifactSource, path: str) -> CertificationRequest:
    """Read a request from a PEM (either label) or DER file.

    Raises:
        FileError: the file can't be read.
        MalformedError: it is not a request.
    """
    data = source.read(path, limit=MAXIMUM_FILE, what="certification request")
    try:
        return request.from_file(data)
    except MalformedError as error:
        hint = error.hint or "expected a PKCS #10 certification request in PEM or DER"
        raise MalformedError(f"{path}: {error.message}", hint=hint) from error
