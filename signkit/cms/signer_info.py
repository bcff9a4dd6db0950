"""One signer of a SignedData: what it signs, and every check of what it signed (RFC 5652 sections 5.3 to 5.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.cms import attributes
from signkit.der import oids, writer
from signkit.der.cms import Attribute, SignerInfo
from signkit.errors import MalformedError
from signkit.evidence import Check, failed, indeterminate, passed, skipped
from signkit.x509.certificate import Certificate

FILE_CONTENT = (oids.DATA, oids.SM2_DATA)
"""Content types of a signature over a file; only they may go without signed attributes (RFC 5652 section 5.3)."""


def digest_name(info: SignerInfo) -> str:
    """Name of the digest algorithm of a signer, or its dotted identifier when it is not a known one.

    Raises:
        MalformedError: not an AlgorithmIdentifier.
    """
    oid, _parameters = algorithms.split_identifier(info.digest_algorithm)
    return oids.DIGESTS.get(oid, oid)


def require_announced(info: SignerInfo, digest_algorithms: Sequence[bytes]) -> None:
    """Refuse a signer whose digest algorithm is not among those of its SignedData (RFC 5652 section 5.1).

    Raises:
        MalformedError: it is not.
    """
    announced = {algorithms.split_identifier(one)[0] for one in digest_algorithms}
    if algorithms.split_identifier(info.digest_algorithm)[0] not in announced:
        raise MalformedError("the digest algorithm of a signer is not among the SignedData's")


def digest_name_or_empty(info: SignerInfo) -> str:
    """As ``digest_name``, and empty when there is no AlgorithmIdentifier."""
    try:
        return digest_name(info)
    except MalformedError:
        return ""


def signature_algorithm(info: SignerInfo) -> SignatureAlgorithm | None:
    """The signature algorithm of a signer, or None when it is not one that signkit accepts.

    Raises:
        MalformedError: not an AlgorithmIdentifier, or parameters that can't be.
    """
    try:
        return algorithms.identify(info.signature_algorithm, digest_name(info))
    except (ValueError, IndexError) as error:
        raise MalformedError(f"the signature algorithm is malformed: {error}") from error


def claimed_signing_time(info: SignerInfo) -> datetime | None:
    """The signing-time attribute: the signer's own word, shown and never trusted. None when absent or malformed."""
    try:
        value = attributes.single(info.signed_attributes or (), oids.SIGNING_TIME)
        return None if value is None else attributes.read_signing_time(value)
    except MalformedError:
        return None


def names(info: SignerInfo, certificate: Certificate) -> bool:
    """Whether the signer identifier names that certificate (RFC 5652 section 5.3, ``sid``)."""
    if info.subject_key_identifier is not None:
        return info.subject_key_identifier == certificate.subject_key_identifier
    return info.serial_number == certificate.serial_number and info.issuer == certificate.issuer.raw


def bare_digest(info: SignerInfo, certificate: Certificate, signer_id: bytes) -> str:
    """Name of the digest that a signature without signed attributes is over, empty when there is none.

    It is for whoever digests the artifact: for SM2 it begins with Z of the signer (``digests.with_prefix``).
    """
    try:
        algorithm = signature_algorithm(info)
        if info.signed_attributes is not None or algorithm is None or algorithm.digest is None:
            return ""
        prefix = algorithms.signer_prefix(algorithm, certificate.public_key_info, signer_id)
    except MalformedError:
        return ""
    return digests.with_prefix(algorithm.digest, prefix)


def check(
    info: SignerInfo,
    content_type: str,
    certificate: Certificate,
    digested: Mapping[str, bytes],
    *,
    signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
) -> list[Check]:
    """Every check of one signer against its certificate and the digests of what it signed.

    Args:
        info: the signer.
        content_type: type of the encapsulated content, which the content-type attribute must repeat.
        certificate: the certificate that the signer identifier names.
        digested: digest name to the content's digest; must hold the signer's own, and ``bare_digest``.
        signer_id: identifier of an SM2 signer; no other algorithm knows one.

    Returns:
        Checks ``artifact.digest``, ``signature.algorithm``, ``signature.value`` and ``signed-attributes.*``.
    """
    try:
        digest, algorithm = digest_name(info), signature_algorithm(info)
    except MalformedError as error:
        return [failed("signature.format", error.message, source="RFC 5652 5.3")]
    algorithm_check = _check_algorithm(info, digest, algorithm, content_type)
    if algorithm is None or not algorithm_check.passed:
        return [algorithm_check, skipped("signature.value", "not checked: the algorithm is not accepted")]
    if info.signed_attributes is None:
        value = digested.get(bare_digest(info, certificate, signer_id))
        return [algorithm_check, *_check_bare(info, content_type, algorithm, certificate, value)]
    reason = algorithms.verify_message(
        algorithm, certificate.public_key_info, info.signed_attributes_der, info.signature, signer_id=signer_id
    )
    return [
        _check_digest(info.signed_attributes, digest, digested),
        algorithm_check,
        _value_check(reason, algorithm),
        *_check_attributes(info, info.signed_attributes, content_type, certificate),
    ]


def _check_algorithm(info: SignerInfo, digest: str, algorithm: SignatureAlgorithm | None, content_type: str) -> Check:
    source = "RFC 5652 5.3"
    if algorithm is None or digest not in digests.SIGNING:
        found = f"{algorithms.describe(info.signature_algorithm)} with {digest}"
        return indeterminate("signature.algorithm", f"{found} is not an accepted algorithm", source=source, found=found)
    if digest not in (algorithm.content_digest, *algorithm.cms_alternatives):
        detail = f"{algorithm.name} goes with {algorithm.content_digest}, and the signer says {digest}"
        return failed("signature.algorithm", detail, source=source, expected=algorithm.content_digest, found=digest)
    if content_type == oids.SM2_DATA and not algorithm.binds_signer:
        detail = f"{algorithm.name} in a signature of GM/T 0010, which knows SM2 with SM3 only"
        return failed("signature.algorithm", detail, source="GM/T 0010 8", expected="SM2DSA", found=algorithm.name)
    return passed("signature.algorithm", algorithm.name, source=source, found=algorithm.name)


def _check_bare(
    info: SignerInfo,
    content_type: str,
    algorithm: SignatureAlgorithm,
    certificate: Certificate,
    digest: bytes | None,
) -> list[Check]:
    """Without signed attributes the signature is over the artifact itself (RFC 5652 section 5.4)."""
    if content_type not in FILE_CONTENT:
        detail = f"no signed attributes, and the content is {oids.name(content_type)}: only data may go without them"
        return [failed("signed-attributes.content-type", detail, source="RFC 5652 5.3")]
    if algorithm.digest is None:
        detail = f"{algorithm.name} without signed attributes signs the whole artifact, which is not supported"
        return [indeterminate("signature.value", detail)]
    if digest is None:
        return [indeterminate("signature.value", f"the artifact was not digested for this {algorithm.name} signer")]
    reason = algorithms.verify_digest(algorithm, certificate.public_key_info, digest, info.signature)
    covered = "no signed attributes: the signature value covers the artifact itself"
    artifact = skipped if reason else passed
    return [
        artifact("artifact.digest", covered, source="RFC 5652 5.4", found=digest.hex()),
        _value_check(reason, algorithm),
    ]


def _value_check(reason: str, algorithm: SignatureAlgorithm) -> Check:
    if reason:
        return failed("signature.value", reason, source="RFC 5652 5.6")
    return passed("signature.value", f"the {algorithm.name} signature verifies", source="RFC 5652 5.6")


def _check_digest(signed: tuple[Attribute, ...], digest: str, digested: Mapping[str, bytes]) -> Check:
    """``artifact.digest``: the message-digest attribute against the artifact."""
    source, found = "RFC 5652 5.6", digested[digest]
    try:
        value = attributes.single(signed, oids.MESSAGE_DIGEST)
        expected = None if value is None else attributes.read_message_digest(value)
    except MalformedError:
        expected = None
    if expected is None:
        return skipped("artifact.digest", "no usable message-digest attribute to compare with", source=source)
    facts = {"algorithm": digest, "expected": expected.hex(), "found": found.hex()}
    if expected != found:
        detail = f"the artifact's {digest} is {found.hex()}, signed was {expected.hex()}"
        return failed("artifact.digest", detail, source=source, **facts)
    return passed("artifact.digest", f"{digest} {found.hex()}", source=source, **facts)


def _check_attributes(
    info: SignerInfo, signed: tuple[Attribute, ...], content_type: str, certificate: Certificate
) -> list[Check]:
    checks = [
        _attribute_check("content-type", lambda: _content_type(signed, content_type), "RFC 5652 11.1"),
        _attribute_check("message-digest", lambda: _message_digest(signed), "RFC 5652 11.2"),
        _attribute_check("signing-certificate", lambda: _signing_certificate(signed, certificate), "RFC 5035 5"),
        _attribute_check("algorithm-protection", lambda: _algorithm_protection(signed, info), "RFC 6211 4"),
    ]
    if twice := attributes.repeated(signed):
        listed = ", ".join(map(oids.name, twice))
        detail = f"signed attributes stand there more than once: {listed}"
        checks.append(failed("signed-attributes.unique", detail, source="RFC 5652 5.3", found=listed))
    claimed = _attribute_check("signing-time", lambda: _signing_time(signed), "RFC 5652 11.3")
    return checks if claimed.passed else [*checks, claimed]


def _attribute_check(name: str, problem: Callable[[], str | None], source: str) -> Check:
    """Run one attribute's check: a problem in words, an empty string when right, None when the attribute is absent."""
    full = f"signed-attributes.{name}"
    try:
        found = problem()
    except (MalformedError, ValueError, IndexError) as error:
        return failed(full, f"the {name} attribute is malformed: {error}", source=source)
    if found is None:
        return skipped(full, f"no {name} attribute", source=source)
    return failed(full, found, source=source) if found else passed(full, source=source)


def _content_type(signed: tuple[Attribute, ...], content_type: str) -> str:
    value = attributes.single(signed, oids.CONTENT_TYPE)
    if value is None:
        return "the content-type attribute is missing, and there are signed attributes"
    found = attributes.read_content_type(value)
    if found != content_type:
        return f"the content-type attribute says {oids.name(found)}, the content is {oids.name(content_type)}"
    return ""


def _message_digest(signed: tuple[Attribute, ...]) -> str:
    value = attributes.single(signed, oids.MESSAGE_DIGEST)
    if value is None:
        return "the message-digest attribute is missing, and there are signed attributes"
    attributes.read_message_digest(value)
    return ""


def _signing_time(signed: tuple[Attribute, ...]) -> str:
    """Present or not: what the signer claims is not judged, only that it is one time."""
    value = attributes.single(signed, oids.SIGNING_TIME)
    if value is not None:
        attributes.read_signing_time(value)
    return ""


def _signing_certificate(signed: tuple[Attribute, ...], certificate: Certificate) -> str | None:
    outcome: str | None = None
    for kind in (oids.SIGNING_CERTIFICATE_V2, oids.SIGNING_CERTIFICATE):
        value = attributes.single(signed, kind)
        if value is None:
            continue
        identifier = attributes.read_signing_certificate(kind, value)
        if identifier.digest not in digests.SIZES:
            return f"the {oids.name(kind)} attribute uses the unknown digest {identifier.digest}"
        found = digests.digest(identifier.digest, certificate.der)
        if identifier.value != found:
            return (
                f"the {oids.name(kind)} attribute names the certificate with {identifier.digest} "
                f"{identifier.value.hex()}, the signer's certificate has {found.hex()}"
            )
        if identifier.serial_number is not None and (
            identifier.serial_number != certificate.serial_number or identifier.issuer != certificate.issuer.raw
        ):
            return f"issuer and serial number in the {oids.name(kind)} attribute are not the signer's certificate's"
        outcome = ""
    return outcome


def _algorithm_protection(signed: tuple[Attribute, ...], info: SignerInfo) -> str | None:
    value = attributes.single(signed, oids.ALGORITHM_PROTECTION)
    if value is None:
        return None
    protected = attributes.read_algorithm_protection(value)
    if not _same(protected.digest, info.digest_algorithm):
        return "the protected digest algorithm differs from the signer's"
    if not protected.signature or not _same(protected.signature, info.signature_algorithm):
        return "the protected signature algorithm differs from the signer's"
    return ""


def _same(one: bytes, other: bytes) -> bool:
    """Whether two AlgorithmIdentifiers are equal; NULL parameters and none mean the same (RFC 5754 section 2)."""
    (oid, parameters), (other_oid, other_parameters) = map(algorithms.split_identifier, (one, other))
    return oid == other_oid and (parameters or writer.NULL) == (other_parameters or writer.NULL)
