"""Who signs: key versions opened, and their certificates judged before a key is used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from signkit import algorithms, formats
from signkit.errors import CertificateUnusableError, UsageError
from signkit.keys.model import BoundCertificate
from signkit.keys.reference import KeyReference
from signkit.operations.certificates import CertificateService, require_signer
from signkit.operations.keys import KeyService
from signkit.operations.sign.options import SignedBy, SignOptions
from signkit.operations.sign.pipeline import Recipe, SignerRecipe
from signkit.ports import Clock
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import validation
from signkit.x509.certificate import Certificate

PADDINGS = ("pkcs1", "pss")
SM2_PROFILES = ("cms", "gmt0010")


class Opened(NamedTuple):
    """The signers of a call.

    Attributes:
        references: the key versions, as they were named.
        used: the same with their keys, algorithms and certificates.
        recipe: what the pipeline needs of them.
        notices: what a person should know about their certificates.
    """

    references: tuple[KeyReference, ...]
    used: tuple[SignedBy, ...]
    recipe: Recipe
    notices: tuple[str, ...]


def open_signers(
    keys: KeyService,
    certificates: CertificateService,
    references: Sequence[KeyReference],
    options: SignOptions,
    clock: Clock,
) -> Opened:
    """Find the key versions and see that each may sign, and that its certificate can serve.

    Raises:
        UsageError: none is named, one twice, or an option does not go with the keys.
        NotFoundError: no such key or version, or it has no certificate.
        AccessDeniedError: the caller may not sign with it.
        StateError: key or version is not enabled.
        CertificateUnusableError: the certificate has expired or is not for code signing.
    """
    name = _format_name(options, references)
    form = formats.format_named(name)
    used: list[SignedBy] = []
    recipes: list[SignerRecipe] = []
    notices: list[str] = []
    for reference, (digest, padding) in zip(references, _choices(keys, references, options), strict=True):
        with keys.use.signing(reference, digest=digest, padding=padding, dry_run=options.dry_run) as opened:
            bound = certificates.find_required(opened.version, reference)
            certificate = require_signer(bound, opened.version, reference, clock=clock)
            _require_purpose(certificate, reference)
            by = SignedBy(opened.key, opened.version, opened.algorithm, certificate)
            if by.version.id in [one.version.id for one in used]:
                raise UsageError(f"{reference} is named twice, expected each signer once", hint="name it once")
            chain = tuple(der for der in bound.chain if not x509_certificate.load_accepted(der).self_issued)
            prepared = form.prepare(
                certificate, chain, by.algorithm, by.algorithm.content_digest, signer_id=options.sm2_id
            )
        used.append(by)
        recipes.append(SignerRecipe(certificate, by.algorithm, form.artifact_digest(prepared), prepared))
        notices += _notices(reference, certificate, bound, clock, options.minimum_remaining_days)
    return Opened(tuple(references), tuple(used), Recipe(name, tuple(recipes)), tuple(notices))


def _format_name(options: SignOptions, references: Sequence[KeyReference]) -> str:
    if not references:
        raise UsageError("no key to sign with, expected at least one", hint="name it with --key KEY@V")
    choices = (("--padding", options.padding, ("", *PADDINGS)), ("--sm2-profile", options.sm2_profile, SM2_PROFILES))
    for option, value, known in choices:
        if value not in known:
            raise UsageError(f"{option} is '{value}', expected one of {', '.join(filter(None, known))}")
    offered = [name for name in formats.FORMATS if name not in SM2_PROFILES[1:]]
    if options.format not in offered:
        raise UsageError(f"'{options.format}' is not a signature format: expected one of {' '.join(offered)}")
    if options.format != "raw":
        return options.sm2_profile
    if len(references) > 1 or options.add or options.sm2_profile != SM2_PROFILES[0]:
        raise UsageError(
            "--format raw writes one bare signature value: found several keys, --add or --sm2-profile",
            hint="leave them out, or write CMS, the default",
        )
    return options.format


def _choices(keys: KeyService, references: Sequence[KeyReference], options: SignOptions) -> list[tuple[str, str]]:
    """Digest and padding for each key. Of several keys an option is for those that know it, and one of them must."""
    if len(references) == 1:
        return [(options.digest, options.padding)]
    types = [keys.directory.find(reference).key_type for reference in references]
    digests = [options.digest if _knows(key_type, digest=options.digest) else "" for key_type in types]
    paddings = [options.padding if _knows(key_type, padding=options.padding) else "" for key_type in types]
    for option, value, fitting in (("digest", options.digest, digests), ("padding", options.padding, paddings)):
        if value and not any(fitting):
            raise UsageError(f"none of the keys ({', '.join(types)}) can sign with the {option} '{value}'")
    return list(zip(digests, paddings, strict=True))


def _knows(key_type: str, *, digest: str = "", padding: str = "") -> bool:
    try:
        algorithms.signature_algorithm(key_type, digest=digest or None, padding=padding or None)
    except UsageError:
        return False
    return True


def _require_purpose(certificate: Certificate, reference: KeyReference) -> None:
    faults = validation.leaf_faults(certificate)
    if faults:
        raise CertificateUnusableError(
            f"the certificate of {reference} is not for code signing: {'; '.join(faults)}",
            hint="ask the authority for a code-signing certificate, and import it",
        )


def _notices(
    reference: KeyReference, certificate: Certificate, bound: BoundCertificate, clock: Clock, days: int
) -> Iterable[str]:
    now = clock()
    if certificate.not_after - now < timedelta(days=days):
        left = (certificate.not_after - now).days
        yield (
            f"the certificate of {reference} expires in {left} day(s), at {certificate.not_after:%Y-%m-%dT%H:%M:%SZ}, "
            f"expected at least {days} (minimum-remaining-days in [sign]): request a new one"
        )
    chain = [x509_certificate.load_accepted(der) for der in bound.chain]
    for one in chain:
        if not one.not_before <= now <= one.not_after:
            yield f"{one.subject}, which is in the chain of {reference}, is outside its validity: verifiers will refuse"
    if not chain and not certificate.self_issued:
        yield (
            f"no certificate of {certificate.issuer} is on record for {reference}: unless it is a trust anchor itself, "
            "whoever verifies needs it; 'signkit cert import' takes it in"
        )
