"""Timestamp tokens (RFC 3161 section 2.4.2): what they say, and every check of them that needs no trust.

A token is a SignedData over a TSTInfo. It proves that what was stamped existed at the time in it, as far as its
time-stamping authority is trusted; whether it is, a certification path tells (``verification.timestamps``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.algorithms import digests
from signkit.cms import signed_data, signer_info
from signkit.der import oids, reader, tsp
from signkit.der.cms import SignedData, SignerInfo
from signkit.der.tsp import TstInfo
from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict, failed, indeterminate, passed, skipped
from signkit.tsp import imprint
from signkit.x509 import names
from signkit.x509.certificate import Certificate

MAXIMUM_CANDIDATES = 8
"""Most certificates of the same name and serial number that the authority of a token is looked for among."""

KEY_PERIOD_MONTHS = 15
"""How long a time-stamping authority should use one key (CA/B CSBR 6.3.2)."""

_SIGNING_CERTIFICATE = "signed-attributes.signing-certificate"


class TimeStampToken(NamedTuple):
    """A token that could be parsed.

    Attributes:
        info: what it says.
        content: DER of the TSTInfo, which is what the authority signed.
        signed_data: the SignedData around it.
        signer: its one signer.
    """

    info: TstInfo
    content: bytes
    signed_data: SignedData
    signer: SignerInfo

    @property
    def time(self) -> datetime:
        """When the stamped bytes existed, aware UTC."""
        return self.info.time

    @property
    def digest(self) -> str:
        """Name of the digest algorithm of the message imprint, or its dotted identifier when unknown."""
        return imprint.digest_name(self.info.imprint)

    @property
    def authority(self) -> str:
        """How the token itself names its authority, empty when it does not; nothing was checked of it."""
        if self.info.tsa is None or self.info.tsa[:1] != b"\xa4":
            return ""
        try:
            return str(names.load(reader.parse(self.info.tsa).content))
        except MalformedError:
            return ""

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """DER of the certificates it carries, in any order, unchecked."""
        return tuple(der for der in self.signed_data.certificates if der[:1] == b"\x30")


class Examined(NamedTuple):
    """A token after its own checks.

    Attributes:
        certificate: of the authority, or None when it was nowhere to be found.
        checks: ``timestamp.*`` checks, apart from its path.
    """

    certificate: Certificate | None
    checks: tuple[Check, ...]


def load(data: bytes) -> TimeStampToken:
    """Read a token from DER, BER or PEM.

    Raises:
        MalformedError: it is not a SignedData over one TSTInfo of version 1 by exactly one signer, or it has a critical
            extension, of which none are known.
    """
    found = signed_data.parse(data).signed_data
    if found.content_type != oids.TST_INFO:
        raise MalformedError(f"the timestamp token holds {oids.name(found.content_type)}, expected TSTInfo")
    if found.content is None:
        raise MalformedError("the timestamp token has no content, expected TSTInfo")
    if len(found.signer_infos) != 1:
        raise MalformedError(f"the timestamp token has {len(found.signer_infos)} signers, expected one")
    signer_info.require_announced(found.signer_infos[0], found.digest_algorithms)
    info = tsp.decode_info(found.content)
    imprint.digest_name(info.imprint)
    if info.critical_extensions:
        listed = ", ".join(info.critical_extensions)
        raise MalformedError(f"the timestamp token has critical extensions that are not processed: {listed}")
    return TimeStampToken(info, found.content, found, found.signer_infos[0])


def examine(
    token: TimeStampToken,
    stamped: bytes,
    certificates: Iterable[Certificate],
    *,
    non_critical: bool = False,
    signer_id: bytes = algorithms.DEFAULT_SIGNER_ID,
) -> Examined:
    """Every check of a token that needs no trust.

    Args:
        token: the token.
        stamped: the bytes that it should have stamped: for a signature the signature value (RFC 3161 appendix A).
        certificates: where the authority's certificate may be among.
        non_critical: whether the authority's extended key usage may be non-critical (old ones of Microsoft).
        signer_id: identifier of an SM2 signer.
    """
    named = [one for one in certificates if signer_info.names(token.signer, one)][:MAXIMUM_CANDIDATES]
    best: Examined | None = None
    for certificate in named:
        checks = _signature(token, certificate, signer_id)
        found = Examined(certificate, (*checks, _purpose(certificate, non_critical), _key_period(token, certificate)))
        if best is None or _faults(found) < _faults(best):
            best = found
    if best is None:
        detail = "the certificate of the time-stamping authority is neither in the token nor among those given"
        best = Examined(None, (failed("timestamp.signature", detail, source="RFC 3161 2.4.2"),))
    return best._replace(checks=(_imprint(token, stamped), *best.checks))


def answers(token: TimeStampToken, *, nonce: int | None, policy: str | None) -> list[Check]:
    """Whether a token is the answer to a request (RFC 3161 section 2.4.2): checks ``timestamp.nonce`` and ``.policy``.

    Args:
        token: the token.
        nonce: the number in the request, or None when there was none.
        policy: the policy that was asked for, or None for any.
    """
    checks = []
    if nonce is not None:
        found = "none" if token.info.nonce is None else f"{token.info.nonce:x}"
        name, detail = "timestamp.nonce", f"the token's nonce is {found}, the request's {nonce:x}"
        make = passed if token.info.nonce == nonce else failed
        checks.append(make(name, detail, source="RFC 3161 2.4.2", expected=f"{nonce:x}", found=found))
    if policy is not None:
        name, detail = "timestamp.policy", f"the token is of policy {token.info.policy}, asked for was {policy}"
        make = passed if token.info.policy == policy else failed
        checks.append(make(name, detail, source="RFC 3161 2.4.2", expected=policy, found=token.info.policy))
    return checks


def _imprint(token: TimeStampToken, stamped: bytes) -> Check:
    name, source, digest = "timestamp.message-imprint", "RFC 3161 2.4.2", token.digest
    if digest not in digests.SIGNING:
        detail = f"the message imprint is made with {digest}, expected one of {' '.join(digests.SIGNING)}"
        return failed(name, detail, source=source, expected=list(digests.SIGNING), found=digest)
    found, expected = token.info.imprint.digest, digests.digest(digest, stamped)
    facts = {"algorithm": digest, "expected": expected.hex(), "found": found.hex()}
    if found != expected:
        detail = f"what was stamped has {digest} {found.hex()}, the signature value {expected.hex()}"
        return failed(name, detail, source=source, **facts)
    return passed(name, f"{digest} {found.hex()}", source=source, **facts)


def _signature(token: TimeStampToken, certificate: Certificate, signer_id: bytes) -> list[Check]:
    """``timestamp.signature`` of all that the CMS of the token is, and ``timestamp.signing-certificate`` apart."""
    name, source = "timestamp.signature", "RFC 3161 2.4.2"
    digest = signer_info.digest_name_or_empty(token.signer)
    digested = {digest: digests.digest(digest, token.content)} if digest in digests.SIGNING else {}
    found = signer_info.check(token.signer, oids.TST_INFO, certificate, digested, signer_id=signer_id)
    faults = [
        check
        for check in found
        if check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE) and check.name != _SIGNING_CERTIFICATE
    ]
    made = {check.name for check in found if check.passed}
    detail = "; ".join(check.detail for check in faults)
    if any(check.verdict is Verdict.FAIL for check in faults):
        signature = failed(name, detail, source=source, found=[check.name for check in faults])
    elif faults or not {"artifact.digest", "signature.value"} <= made:
        signature = indeterminate(name, detail or "the signature could not be checked", source=source)
    else:
        algorithm = next(check.detail for check in found if check.name == "signature.algorithm")
        signature = passed(name, f"{algorithm} by {certificate.subject}", source=source, algorithm=algorithm)
    return [signature, _signing_certificate(found)]


def _signing_certificate(found: list[Check]) -> Check:
    """The attribute that binds the token to one certificate, which every token must have."""
    name, source = "timestamp.signing-certificate", "RFC 5816 2.2.1"
    check = next((check for check in found if check.name == _SIGNING_CERTIFICATE), None)
    if check is None:
        return skipped(name, "not checked: the signature could not be", source=source)
    if check.verdict is Verdict.SKIPPED:
        detail = "the token has no signing-certificate attribute, expected one that names its authority's certificate"
        return failed(name, detail, source=source)
    return check._replace(name=name, source=source)


def _purpose(certificate: Certificate, non_critical: bool) -> Check:
    """The certificate of a time-stamping authority is for nothing else, and says so critically."""
    name, source = "timestamp.extended-key-usage", "RFC 3161 2.3"
    purposes, extension = certificate.extended_key_usage, certificate.extensions.get(oids.EXTENDED_KEY_USAGE)
    found = "none" if purposes is None else ", ".join(map(oids.name, purposes))
    facts = {"expected": oids.name(oids.TIME_STAMPING), "found": found}
    if purposes != (oids.TIME_STAMPING,) or extension is None:
        detail = f"the authority's certificate ({certificate.subject}) has extended key usage {found}"
        return failed(name, f"{detail}, expected timeStamping alone", source=source, **facts)
    if not extension.critical and not non_critical:
        detail = f"the extended key usage of the authority's certificate ({certificate.subject}) is not critical"
        return failed(name, f"{detail}, expected critical", source=source, **facts, critical=False)
    return passed(name, found, source=source, **facts, critical=extension.critical)


def _key_period(token: TimeStampToken, certificate: Certificate) -> Check:
    """A remark, never a failure: authorities should change their keys, and not all do."""
    name, source = "timestamp.key-period", "CA/B CSBR 6.3.2"
    began = certificate.not_before
    months = (token.time.year - began.year) * 12 + token.time.month - began.month
    facts = {"expected": KEY_PERIOD_MONTHS, "found": months}
    if months > KEY_PERIOD_MONTHS:
        detail = f"a remark: the authority's key was in use for {months} months, expected at most {KEY_PERIOD_MONTHS}"
        return skipped(name, detail, source=source, **facts)
    return passed(name, f"in use for {months} months", source=source, **facts)


def _faults(found: Examined) -> int:
    return sum(check.verdict in (Verdict.FAIL, Verdict.INDETERMINATE) for check in found.checks)
