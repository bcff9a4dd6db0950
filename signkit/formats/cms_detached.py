"""Detached CMS SignedData (RFC 5652), ``ARTIFACT.p7s``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.cms import joining, signed_data, signer_info
from signkit.cms.signed_data import Parsed, SignerTemplate
from signkit.der import cms, oids, reader
from signkit.der.cms import SignedData, SignerInfo
from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict, failed, passed, skipped
from signkit.formats.base import Format, SignedPart, Signer
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import names
from signkit.x509.certificate import Certificate

MAXIMUM_SIGNERS = 32
MAXIMUM_CERTIFICATES = 1000
MAXIMUM_CANDIDATES = 8
MAXIMUM_TIMESTAMPS = 8
MAXIMUM_DIGESTS = 8
"""Most signers and certificates in one signature, most certificates that one signer is tried with, most timestamp
tokens of one signer, and most digests of the artifact that are made for single signers: together they bound the work
that a file from outside can cause."""

_OTHER_REVOCATION_INFO = 0xA1
_FAULTS = (Verdict.FAIL, Verdict.INDETERMINATE)


class ParsedCms:
    """A parsed SignedData; see ``base.ParsedSignature``."""

    def __init__(self, parsed: Parsed) -> None:
        """Take a parsed SignedData.

        Raises:
            MalformedError: it has no signer, more parts than any real one, or a signer whose digest algorithm is not
                among those of the SignedData (RFC 5652 section 5.1).
        """
        signers, certificates = len(parsed.signed_data.signer_infos), len(parsed.signed_data.certificates)
        if not signers:
            raise MalformedError("the SignedData has no signer, expected at least one")
        if signers > MAXIMUM_SIGNERS or certificates > MAXIMUM_CERTIFICATES:
            raise MalformedError(
                f"the SignedData has {signers} signers and {certificates} certificates, "
                f"expected at most {MAXIMUM_SIGNERS} and {MAXIMUM_CERTIFICATES}"
            )
        for info in parsed.signed_data.signer_infos:
            signer_info.require_announced(info, parsed.signed_data.digest_algorithms)
        self.signed_data = parsed.signed_data
        self.encoding = parsed.encoding

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """See ``base.ParsedSignature.certificates``; other choices than plain certificates are left out."""
        return tuple(der for der in self.signed_data.certificates if der[:1] == b"\x30")

    @property
    def crls(self) -> tuple[bytes, ...]:
        """See ``base.ParsedSignature.crls``."""
        return revocation_values(self.signed_data)[0]

    @property
    def ocsp_responses(self) -> tuple[bytes, ...]:
        """See ``base.ParsedSignature.ocsp_responses``."""
        return revocation_values(self.signed_data)[1]

    def required_digests(
        self, certificates: Sequence[bytes] = (), signer_id: bytes = algorithms.DEFAULT_SIGNER_ID
    ) -> frozenset[str]:
        """See ``base.ParsedSignature.required_digests``; digests that can't be computed are left out."""
        infos = self.signed_data.signer_infos
        plain = {name for info in infos if (name := _digest(info)) in digests.SIGNING}
        bare = [info for info in infos if info.signed_attributes is None]
        if bare:
            known = tuple(_readable((*self.certificates, *certificates)))
            named = ((info, one) for info in bare for one in _candidates(info, known))
            found = dict.fromkeys(signer_info.bare_digest(info, one, signer_id) for info, one in named)
            plain |= set([name for name in found if name][:MAXIMUM_DIGESTS])
        return frozenset(plain)

    def signers(
        self,
        digested: Mapping[str, bytes],
        certificates: Sequence[bytes],
        *,
        signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
    ) -> list[Signer]:
        """See ``base.ParsedSignature.signers``."""
        content_type, known = self.signed_data.content_type, tuple(_readable((*self.certificates, *certificates)))
        if content_type not in signer_info.FILE_CONTENT:
            detail = f"the signature is over content of type {oids.name(content_type)}, expected data: not over a file"
            check = failed("signature.format", detail, source="RFC 5652 4", expected=oids.DATA, found=content_type)
            infos = self.signed_data.signer_infos
            return [describe_signer(info, next(iter(_candidates(info, known)), None), (check,)) for info in infos]
        return [self._signer(info, digested, known, signer_id) for info in self.signed_data.signer_infos]

    def _signer(
        self, info: SignerInfo, digested: Mapping[str, bytes], known: tuple[Certificate, ...], signer_id: bytes
    ) -> Signer:
        # Two certificates may share issuer and serial number (a decoy): the one with which most is right is meant.
        chosen: list[Certificate] = []
        checks, fewest = list(_without_certificate()), 0
        for candidate in _candidates(info, known):
            found = signer_info.check(info, self.signed_data.content_type, candidate, digested, signer_id=signer_id)
            faults = sum(check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE) for check in found)
            if not chosen or faults < fewest:
                chosen, checks, fewest = [candidate], found, faults
            elif faults == fewest:
                chosen.append(candidate)
        checks += self._embedded_content(info, digested)
        signer = describe_signer(info, chosen[0] if chosen else None, tuple(checks))
        return signer._replace(twins=() if fewest else tuple(chosen[1:]))

    def _embedded_content(self, info: SignerInfo, digested: Mapping[str, bytes]) -> list[Check]:
        """A signature that carries content must carry the artifact: else two readers would see two things signed."""
        content, digest = self.signed_data.content, _digest(info)
        if content is None or digest not in digested:
            return []
        found, expected = digests.digest(digest, content), digested[digest]
        name, source = "artifact.embedded-content", "RFC 5652 5.2"
        if found != expected:
            detail = f"the content inside the signature has {digest} {found.hex()}, the artifact {expected.hex()}"
            return [failed(name, detail, source=source, expected=expected.hex(), found=found.hex())]
        return [passed(name, f"the signature carries the artifact itself ({len(content)} bytes)", source=source)]


class CmsDetached:
    """The format; see ``base.Format``."""

    name = "cms"
    suffix = ".p7s"

    def prepare(
        self,
        certificate: Certificate,
        chain: tuple[bytes, ...],
        algorithm: SignatureAlgorithm,
        digest: str,
        *,
        signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
    ) -> SignerTemplate:
        """See ``base.Format.prepare``."""
        return signed_data.template(certificate, chain, algorithm, digest, signer_id=signer_id)

    def artifact_digest(self, prepared: SignerTemplate) -> str:
        """See ``base.Format.artifact_digest``."""
        return prepared.digest

    def to_be_signed(self, prepared: SignerTemplate, digest: bytes, signing_time: datetime) -> bytes:
        """See ``base.Format.to_be_signed``: the signed attributes."""
        return signed_data.signed_attributes(prepared, digest, signing_time)

    def key_input(self, prepared: SignerTemplate, to_be_signed: bytes) -> bytes:
        """See ``base.Format.key_input``."""
        public_key_info = prepared.certificate.public_key_info
        return algorithms.prehash(prepared.algorithm, public_key_info, to_be_signed, signer_id=prepared.signer_id)

    def assemble(
        self,
        parts: Sequence[SignedPart],
        *,
        certificates: tuple[bytes, ...] = (),
        crls: tuple[bytes, ...] = (),
        existing: bytes = b"",
    ) -> bytes:
        """See ``base.Format.assemble``."""
        signers = [
            signed_data.signer(part.prepared, part.to_be_signed, part.signature, part.unsigned_attributes)
            for part in parts
        ]
        templates = [part.prepared for part in parts]
        made = signed_data.assemble(templates, signers, certificates=certificates, crls=crls)
        return joining.join(existing, made) if existing else cms.encode(made)

    def faults(
        self, prepared: Sequence[SignerTemplate], data: bytes, digested: Mapping[str, bytes], *, existing: bytes = b""
    ) -> list[str]:
        """See ``base.Format.faults``."""
        parsed = signed_data.parse(data)
        before = joining.signers(signed_data.parse(existing).der) if existing else []
        after = joining.signers(parsed.der) if existing else []
        faults = ["a signer that was there before is not the same any more"] if set(before) - set(after) else []
        found = ParsedCms(parsed).signers(digested, (), signer_id=prepared[0].signer_id)
        faults += [check.detail or check.name for one in found for check in one.checks if check.verdict in _FAULTS]
        missing = [one for one in prepared if one.certificate not in [signer.certificate for signer in found]]
        faults += [f"it has no signer {one.certificate.subject}" for one in missing]
        if len(found) != len(before) + len(prepared):
            faults.append(f"it has {len(found)} signers, expected {len(before) + len(prepared)}")
        return faults

    def parse(self, data: bytes) -> ParsedCms:
        """See ``base.Format.parse``."""
        return ParsedCms(signed_data.parse(data))


FORMAT: Format = CmsDetached()


def describe_signer(info: SignerInfo, certificate: Certificate | None, checks: tuple[Check, ...]) -> Signer:
    """What a SignerInfo says, with the certificate it was found to name and the checks that were made."""
    return Signer(
        certificate=certificate,
        named=_named(info),
        algorithm=_algorithm(info),
        digest=_digest(info),
        signing_time=signer_info.claimed_signing_time(info),
        signature=info.signature,
        timestamps=timestamps(info),
        attributes=tuple(oids.name(attribute.type) for attribute in info.signed_attributes or ()),
        checks=checks,
    )


def timestamps(info: SignerInfo) -> tuple[bytes, ...]:
    """The timestamp tokens of a signer, from where RFC 3161 and from where Authenticode puts them, unchecked."""
    kinds = (oids.SIGNATURE_TIME_STAMP, oids.MICROSOFT_TIME_STAMP)
    found = (value for attribute in info.unsigned_attributes if attribute.type in kinds for value in attribute.values)
    return tuple(dict.fromkeys(found))


def revocation_values(found: SignedData) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """CRLs and OCSP responses that a SignedData carries (RFC 5652 section 10.2.1, RFC 5940), unchecked."""
    crls = tuple(der for der in found.crls if der[:1] == b"\x30")
    responses = []
    for der in found.crls:
        try:
            kind, value = reader.parse(der, _OTHER_REVOCATION_INFO).children()
            if reader.oid(kind) == oids.OCSP_RESPONSE:
                responses.append(value.raw)
        except (ValueError, MalformedError):
            continue
    return crls, tuple(responses)


def _candidates(info: SignerInfo, known: Iterable[Certificate]) -> list[Certificate]:
    return [certificate for certificate in known if signer_info.names(info, certificate)][:MAXIMUM_CANDIDATES]


def _without_certificate() -> Iterable[Check]:
    yield skipped("artifact.digest", "not checked: the signer's certificate is missing")
    yield skipped("signature.value", "not checked: the signer's certificate is missing")


def _readable(certificates: Iterable[bytes]) -> Iterable[Certificate]:
    for der in dict.fromkeys(certificates):
        try:
            yield x509_certificate.load(der)
        except MalformedError:
            continue


def _digest(info: SignerInfo) -> str:
    return signer_info.digest_name_or_empty(info) or "malformed"


def _algorithm(info: SignerInfo) -> str:
    try:
        algorithm = signer_info.signature_algorithm(info)
    except MalformedError:
        return "malformed"
    return algorithm.name if algorithm is not None else algorithms.describe(info.signature_algorithm)


def _named(info: SignerInfo) -> str:
    if info.subject_key_identifier is not None:
        return f"subject key identifier {info.subject_key_identifier.hex()}"
    try:
        issuer = str(names.load(info.issuer or b""))
    except MalformedError:
        issuer = "malformed name"
    return f"issuer {issuer}, serial number {info.serial_number:x}"
