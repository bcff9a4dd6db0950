"""Long-term material: everything that a verifier needs when authorities and servers are gone (CAdES-B-LT's content)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from signkit.cms import signed_data, unsigned
from signkit.der import cms
from signkit.der.cms import SignedData
from signkit.errors import UnavailableError, UsageError
from signkit.evidence import Check, Verdict
from signkit.formats.base import Signer
from signkit.formats.cms_detached import ParsedCms
from signkit.operations.revocation import gather
from signkit.ports import Clock, RevocationSource
from signkit.verification import paths, timestamps
from signkit.verification.inputs import Trust
from signkit.verification.paths import Carried
from signkit.verification.timestamps import Established
from signkit.x509.certificate import Certificate
from signkit.x509.revocation import RevocationEvidence

LATER = timedelta(days=20 * 365)
"""How long after now the finished file is judged, to see that nothing is missing: no certificate lives that long."""


class LongTermInputs(NamedTuple):
    """What is trusted and known while the material is gathered, all DER.

    Attributes:
        trust_anchors: anchors of the signers' paths; what a path ends at goes into the file, too.
        tsa_trust_anchors: anchors of the time-stamping authorities' paths; empty = those above.
        intermediates: certificates that may help to build paths.
        crls: CRLs that are at hand.
        ocsp_responses: OCSP responses that are at hand.
    """

    trust_anchors: tuple[bytes, ...]
    tsa_trust_anchors: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()


class LongTerm:
    """Completes signature files that have a timestamp."""

    def __init__(self, inputs: LongTermInputs, source: RevocationSource | None, *, clock: Clock) -> None:
        """Take what is at hand; nothing is asked here.

        Args:
            inputs: what is trusted and known.
            source: asks the servers that certificates name; None = no network, only what is at hand.
            clock: the present.

        Raises:
            UsageError: no trust anchor.
        """
        if not inputs.trust_anchors:
            raise UsageError(
                "found no trust anchor, expected one: long-term material is the complete path to it",
                hint="name the root with --trust F, and that of the timestamp authority with --tsa-trust F",
            )
        self._inputs = inputs
        self._source = source
        self._clock = clock

    def complete(self, found: SignedData) -> SignedData:
        """The same with the paths of signers and time-stamping authorities, and with what says they were not revoked.

        It is judged as a verifier without network will judge it, long after everything has expired.

        Args:
            found: a SignedData whose signers all have a valid timestamp.

        Raises:
            UnavailableError: a signer has no valid timestamp or no path, or a certificate's revocation status stays
                unknown; the message names which.
        """
        given = self._inputs
        certain = Trust(
            given.trust_anchors,
            given.intermediates,
            self._clock() + timestamps.CLOCK_SKEW,
            given.tsa_trust_anchors,
            revocation="ignore",
        )
        whole = [path for each in _paths(found, certain) for path in each]
        evidence = self._evidence(whole)
        completed = unsigned.with_material(
            found,
            certificates=[one.der for path in whole for one in path],
            crls=evidence.crls,
            ocsp_responses=evidence.ocsp_responses,
        )
        later = certain._replace(intermediates=(), now=certain.now + LATER, revocation="require")
        _paths(completed, later)
        return completed

    def _evidence(self, found: Sequence[tuple[Certificate, ...]]) -> RevocationEvidence:
        known = RevocationEvidence(self._inputs.crls, self._inputs.ocsp_responses)
        if self._source is None:
            return known
        for path in dict.fromkeys(found):
            known = gather(path, self._source, now=self._clock(), known=known).evidence
        return known


def _paths(found: SignedData, trust: Trust) -> list[tuple[tuple[Certificate, ...], ...]]:
    """The path of each signer and that of the authority of its timestamp.

    Raises:
        UnavailableError: one is not good.
    """
    parsed = ParsedCms(signed_data.parse(cms.encode(found)))
    carried = Carried(parsed.certificates, parsed.crls, parsed.ocsp_responses)
    # The artifact is not at hand: its digest is wrong for every certificate alike, which chooses none of them.
    unknown = dict.fromkeys(parsed.required_digests(trust.intermediates), b"")
    return [_of_signer(one, carried, trust) for one in parsed.signers(unknown, trust.intermediates)]


def _of_signer(signer: Signer, carried: Carried, trust: Trust) -> tuple[tuple[Certificate, ...], ...]:
    if signer.certificate is None:
        raise _incomplete(f"the certificate of the signer ({signer.named}) is missing")
    established: Established = timestamps.establish(signer, carried, trust)
    stamp = established.timestamp
    if stamp is None:
        raise _incomplete("there is no timestamp, and without one nothing outlives its certificate")
    if not established.proven:
        raise _incomplete(_faults(established.checks))
    judged = paths.signer(signer.certificate, established.carried, trust, established.at)
    if not judged:
        raise _incomplete(_faults(judged.checks))
    return (judged.path, stamp.path)


def _faults(checks: Sequence[Check]) -> str:
    bad = [f"{one.name}: {one.detail}" for one in checks if one.verdict in (Verdict.FAIL, Verdict.INDETERMINATE)]
    return "; ".join(bad)


def _incomplete(reason: str) -> UnavailableError:
    return UnavailableError(
        f"no long-term material: {reason}",
        hint="give what is missing with --trust, --tsa-trust, --intermediate, --crl or --ocsp, "
        "or let the servers be asked that the certificates name: --online",
        code="LongTermMaterialUnavailable",
    )
