"""Who may sign a CRL or an OCSP response, and whether they did. Signatures of evidence have a budget of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from signkit import algorithms
from signkit.der import oids
from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict
from signkit.x509 import certificate as certificates
from signkit.x509 import distribution_point
from signkit.x509.certificate import Certificate
from signkit.x509.crl import CertificateList
from signkit.x509.ocsp import BasicResponse
from signkit.x509.path import Bag

MAXIMUM_SIGNATURES = 64
"""Most signatures that are checked for evidence from outside, and as many again for embedded evidence."""

MAXIMUM_DEPTH = 3
"""How far the question whether a signer is revoked may lead to further signers."""

_OF_END_ENTITIES = ("path.0.basic-constraints", "path.0.key-usage")
"""Checks that demand an end-entity certificate with digitalSignature, which a CRL issuer or responder need not be."""

Judge = Callable[[tuple[Certificate, ...]], list[Check]]
"""``revocation.N`` for each certificate of a path but the anchor."""


class Subject(NamedTuple):
    """The certificate in question within its path.

    Attributes:
        certificate: the one in question.
        issuer: the certificate that issued it.
        anchor: the trust anchor of the path.
    """

    certificate: Certificate
    issuer: Certificate
    anchor: Certificate


class Signer(NamedTuple):
    """Who signed a piece of evidence: the key, or why nobody who may did."""

    public_key_info: bytes
    problem: str = ""


class Signers:
    """Checks signatures and authority of evidence; remembers what it found."""

    def __init__(self, bag: Bag, *, sm2_id: bytes, options: dict[str, Any], judge: Judge) -> None:
        """Take what paths of signers are built from.

        Args:
            bag: certificates and trust anchors.
            sm2_id: identifier of SM2 signers.
            options: further arguments for ``validation.validate_in``.
            judge: says whether certificates of a signer's path are revoked.
        """
        self._bag = bag
        self._sm2_id = sm2_id
        self._options = options
        self._judge = judge
        self._left = {True: MAXIMUM_SIGNATURES, False: MAXIMUM_SIGNATURES}
        self._signatures: dict[tuple[bytes, bytes], str] = {}
        self._paths: dict[tuple[bytes, datetime], tuple[tuple[Certificate, ...], str]] = {}
        self._judged: dict[tuple[object, ...], str] = {}
        self._asking: tuple[Certificate, ...] = ()

    def exhausted(self, embedded: bool) -> str:
        """Why no more signatures of evidence are checked, or an empty string."""
        kind = "embedded evidence" if embedded else "evidence"
        return "" if self._left[embedded] > 0 else f"more than {MAXIMUM_SIGNATURES} signatures of {kind} to check"

    def of_crl(self, crl: CertificateList, subject: Subject, at: datetime, e: bool) -> Signer:
        """Who signed a CRL (RFC 5280 section 6.3.3 (f) and (g)).

        The key of the certificate's own issuer needs no other path; another key of that name, or another issuer, needs
        one to the same trust anchor. Nobody's key vouches for its own certificate.

        Args:
            crl: the CRL.
            subject: the certificate in question.
            at: when other signers must be valid.
            e: whether the CRL is embedded.
        """
        issuer, itself = subject.issuer, subject.certificate.public_key_info
        own = [issuer] if issuer.subject == crl.issuer else []
        others = [one for one in self._bag.named(crl.issuer) if one not in own and one.public_key_info != itself]
        others.sort(key=lambda one: _mismatch(crl.authority_key_identifier, one.subject_key_identifier))
        reasons = [] if own or others else [f"no certificate of its issuer {crl.issuer}"]
        for signer in own + others:
            if signer.key_usage is not None and "cRLSign" not in signer.key_usage:
                reasons.append("its issuer's certificate has no key usage cRLSign")
                continue
            problem = self.signature(crl.der, crl.signature_algorithm, crl.tbs, crl.signature, signer, e)
            if not problem and signer is not issuer:
                problem = self._path_problem(signer, at, subject.anchor)
            if not problem:
                return Signer(signer.public_key_info)
            reasons.append(problem)
        return Signer(b"", _joined(reasons))

    def of_response(self, response: BasicResponse, subject: Subject, at: datetime, e: bool) -> Signer:
        """Who signed an OCSP response (RFC 6960 section 4.2.2.2): the issuer, or whom the same key certified for it.

        Args:
            response: the response.
            subject: the certificate in question.
            at: when a delegated responder must be valid.
            e: whether the response is embedded.
        """
        issuer, reasons = subject.issuer, []
        signed = (response.der, response.signature_algorithm, response.tbs, response.signature)
        if response.by(issuer):
            if not (problem := self.signature(*signed, issuer, e)):
                return Signer(issuer.public_key_info)
            reasons.append(problem)
        for delegate in self._delegates(response):
            problem = _delegate_problem(delegate, subject)
            if not problem:
                problem = self.signature(*signed, delegate, e)
            if not problem:
                made = (delegate.der, delegate.signature_algorithm, delegate.tbs, delegate.signature)
                problem = self.signature(*made, issuer, e) and "its responder was not certified by the issuer's key"
            if not problem:
                problem = self._path_problem(delegate, at)
            if not problem:
                return Signer(delegate.public_key_info)
            reasons.append(problem)
        return Signer(b"", _joined(reasons) or f"no certificate of its responder {response.responder}")

    def _delegates(self, response: BasicResponse) -> list[Certificate]:
        found = []
        for der in response.certificates:
            try:
                found.append(certificates.load(der))
            except MalformedError:
                continue
        if response.responder_name is not None:
            found += self._bag.named(response.responder_name)
        return [one for one in dict.fromkeys(found) if response.by(one)]

    def signature(
        self, der: bytes, algorithm: bytes, tbs: bytes, signature: bytes, signer: Certificate, embedded: bool
    ) -> str:
        """Why a thing is not signed by that certificate's key, or an empty string; checked once, within a budget."""
        key = (der, signer.public_key_info)
        if key not in self._signatures:
            if problem := self.exhausted(embedded):
                return problem
            self._left[embedded] -= 1
            self._signatures[key] = self._check(algorithm, tbs, signature, signer)
        return self._signatures[key]

    def _check(self, identifier: bytes, tbs: bytes, signature: bytes, signer: Certificate) -> str:
        try:
            algorithm = algorithms.identify(identifier)
        except (MalformedError, ValueError, IndexError) as error:
            return f"its signature algorithm is malformed: {error}"
        if algorithm is None:
            return f"its signature algorithm {algorithms.describe(identifier)} is not accepted"
        return algorithms.verify_message(algorithm, signer.public_key_info, tbs, signature, signer_id=self._sm2_id)

    def _path_problem(self, signer: Certificate, at: datetime, anchor: Certificate | None = None) -> str:
        """Why a signer other than the issuer must not be believed, or an empty string."""
        if signer in self._asking or len(self._asking) >= MAXIMUM_DEPTH:
            return f"whether its signer {signer.subject} is revoked depends on evidence of that signer"
        key = (signer, at, anchor, frozenset(self._asking))
        if key not in self._judged:
            self._judged[key] = self._judge_signer(signer, at, anchor)
        return self._judged[key]

    def _judge_signer(self, signer: Certificate, at: datetime, anchor: Certificate | None) -> str:
        path, problem = self._path(signer, at)
        if problem:
            return problem
        if anchor is not None and path[-1] != anchor:
            return f"its signer {signer.subject} is under another trust anchor: {path[-1].subject}"
        before, self._asking = self._asking, (*self._asking, signer)
        try:
            return self._revocation_problem(path)
        finally:
            self._asking = before

    def _path(self, signer: Certificate, at: datetime) -> tuple[tuple[Certificate, ...], str]:
        from signkit.x509 import validation  # it calls what is built from this module

        key = (signer.der, at)
        if key not in self._paths:
            result = validation.validate_in(signer, self._bag, at=at, purpose=None, **self._options)
            faults = [one for one in result.checks if not one.passed and one.name not in _OF_END_ENTITIES]
            problem = f"its signer {signer.subject} is not valid: {faults[0].detail}" if faults else ""
            self._paths[key] = (result.path, problem)
        return self._paths[key]

    def _revocation_problem(self, path: tuple[Certificate, ...]) -> str:
        """RFC 6960 section 4.2.2.2.1: id-pkix-ocsp-nocheck frees a responder from it.

        One whose certificate says where else to ask must be known to be good; of another it is enough that no evidence
        says that it is revoked.
        """
        signer = path[0]
        if oids.OCSP_NO_CHECK in signer.extensions:
            return ""
        for certificate, check in zip(path, self._judge(path), strict=False):
            if check.verdict is Verdict.FAIL:
                return f"its signer can't be believed: {check.detail}"
            if check.verdict is Verdict.INDETERMINATE and certificate is signer and _says_where_to_ask(signer):
                return f"whether its signer is revoked is unknown: {check.detail}"
        return ""


def _joined(reasons: list[str]) -> str:
    """The first few, each once: there may be as many as certificates in a hostile bag."""
    return "; ".join(list(dict.fromkeys(reasons))[:3])


def _mismatch(wanted: bytes | None, found: bytes | None) -> int:
    """Sort key: the key identifier is a hint and excludes nobody."""
    return 1 if None in (wanted, found) else 0 if wanted == found else 2


def _delegate_problem(delegate: Certificate, subject: Subject) -> str:
    """What keeps a certificate from being a delegated responder's, apart from signatures and path."""
    issuer = subject.issuer
    if delegate.public_key_info == subject.certificate.public_key_info:
        return f"{delegate.subject} answers about itself"
    if delegate.issuer != issuer.subject:
        return f"its responder {delegate.subject} was certified by {delegate.issuer}, expected {issuer.subject}"
    if oids.OCSP_SIGNING not in (delegate.extended_key_usage or ()):
        return f"its responder {delegate.subject} has no extended key usage OCSPSigning"
    if delegate.key_usage is not None and not delegate.key_usage & {"digitalSignature", "nonRepudiation"}:
        return f"its responder {delegate.subject} has no key usage digitalSignature"
    return ""


def _says_where_to_ask(certificate: Certificate) -> bool:
    """Whether a certificate names a source of its status other than itself (a CRL issuer may name its own CRL)."""
    try:
        points = distribution_point.points(certificate)
        asked = distribution_point.urls(certificate, oids.AD_OCSP)
    except MalformedError:
        return True
    return bool(asked) or any(set(point.crl_issuers) != {certificate.subject} for point in points)
