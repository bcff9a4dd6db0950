"""Certification requests for key versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.der import oids
from signkit.errors import MalformedError, ProofOfPossessionError, UsageError
from signkit.keys.model import Key, KeyVersion
from signkit.keys.reference import KeyReference
from signkit.operations.keys import KeyService
from signkit.operations.use import Signer, SignInput
from signkit.ports import ArtifactSource
from signkit.x509 import extensions, general_names, lint, names, pem, request
from signkit.x509.lint import Finding
from signkit.x509.names import Name
from signkit.x509.request import CertificationRequest

MAXIMUM_FILE = 10 << 20

TEMPLATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "code-signing": (("digitalSignature",), (oids.CODE_SIGNING,)),
    "tsa": (("digitalSignature",), (oids.TIME_STAMPING,)),
    "none": ((), ()),
}
"""Template name to the key usage and key purposes that a request asks for."""


_SOFTWARE_NOTE = (
    "this key lives in software; public authorities demand a hardware key for code signing (CA/B Forum CSBR 6.2.7.4)"
)


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
    def alternative_names(self) -> tuple[str, ...]:
        """The alternative names that it asks for, ``TYPE:VALUE``."""
        return tuple(map(general_names.describe, extensions.alternative_names(self.request.extensions)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever asks a public authority should know before it does."""
        return (_SOFTWARE_NOTE,) if self.key.provider == "software" else ()

    @property
    def pem(self) -> str:
        """The request as PEM."""
        return pem.encode(request.LABEL, self.der)


class Wanted(NamedTuple):
    """What a certificate shall say.

    Attributes:
        subject: the name it is for.
        alternative_names: DER GeneralNames.
        key_usage: names of key usages.
        purposes: OBJECT IDENTIFIERs of key purposes.
    """

    subject: Name
    alternative_names: tuple[bytes, ...] = ()
    key_usage: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


def wanted(subject: str, *, template: str = "code-signing", alternative_names: Sequence[str] = ()) -> Wanted:
    """What a user asks for, checked.

    Args:
        subject: distinguished name in RFC 4514's form, ``CN=Acme Release,O=Acme,C=DE``.
        template: one of ``TEMPLATES``.
        alternative_names: ``TYPE:VALUE`` each, as ``general_names.parse`` takes them.

    Raises:
        UsageError: malformed subject or alternative name, or unknown template.
    """
    if template not in TEMPLATES:
        raise UsageError(f"'{template}' is not a template: expected one of {' '.join(TEMPLATES)}")
    return Wanted(names.parse_subject(subject), general_names.parse_all(alternative_names), *TEMPLATES[template])


def prepare(keys: KeyService, reference: KeyReference, asked: Wanted) -> tuple[Name, Key, KeyVersion]:
    """Everything about a request that can be checked without using the key; arguments and errors as for ``make``."""
    with keys.use.signing(reference, detail=f"CSR {asked.subject}", dry_run=True) as signer:
        return asked.subject, signer.key, signer.version


def create(
    keys: KeyService,
    reference: KeyReference,
    subject: str,
    *,
    template: str = "code-signing",
    alternative_names: Sequence[str] = (),
) -> Created:
    """Make a PKCS #10 request for a key version, signed by it.

    Args:
        keys: the key service.
        reference: key and version.
        subject: as for ``wanted``.
        template: one of ``TEMPLATES``.
        alternative_names: as for ``wanted``.

    Raises:
        UsageError: malformed subject or alternative name, or unknown template.
        NotFoundError: no such key or version.
        AccessDeniedError: the caller may not sign with it.
        StateError: key or version is not enabled.
        ProviderError: the provider could not sign.
    """
    return make(keys, reference, wanted(subject, template=template, alternative_names=alternative_names))


def make(keys: KeyService, reference: KeyReference, asked: Wanted) -> Created:
    """Make a PKCS #10 request for a key version, signed by it. No challengePassword: it would be readable by all.

    Raises:
        NotFoundError: no such key or version.
        AccessDeniedError: the caller may not sign with it.
        StateError: key or version is not enabled.
        ProviderError: the provider could not sign.
    """
    with keys.use.signing(reference, detail=f"CSR {asked.subject}") as signer:
        return make_with(signer, asked)


def make_with(signer: Signer, asked: Wanted) -> Created:
    """As ``make``, with a key version that may sign already.

    Raises:
        ProviderError: the provider could not sign.
    """
    algorithm, public_key_info = signer.algorithm, signer.version.public_key_info
    info = request.to_be_signed(
        asked.subject,
        public_key_info,
        key_usage=asked.key_usage,
        purposes=asked.purposes,
        alternative_names=asked.alternative_names,
    )
    data = algorithms.prehash(algorithm, public_key_info, info)
    signature = signer.sign([SignInput(data, digests.digest("sha256", info), f"CSR {asked.subject}")])[0]
    der = request.assemble(info, algorithm, signature)
    made = request.load(der)
    if reason := made.proof_of_possession():
        raise MalformedError(f"the request that was just made does not verify: {reason}", hint="please report this")
    return Created(der, made, signer.key, signer.version)


def check(found: CertificationRequest, path: str, rule_set: str, *, now: datetime) -> list[Finding]:
    """What the rules of a set find in a request.

    Raises:
        UsageError: there is no such rule set.
        ProofOfPossessionError: it is not signed by the key it carries.
    """
    lint.rules(rule_set)
    require_possession(found, path)
    return lint.lint(found, rule_set, now=now)


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
