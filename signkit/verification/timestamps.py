"""The time of signing: what the timestamp tokens of a signer prove (RFC 3161 appendix A), each with its own path."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict, failed, passed, skipped
from signkit.formats import cms_detached
from signkit.formats.base import Signer
from signkit.verification import paths
from signkit.verification.inputs import Trust
from signkit.verification.paths import Carried
from signkit.verification.result import TimestampResult
from signkit.x509 import certificate as x509_certificate
from signkit.x509.certificate import Certificate

if TYPE_CHECKING:
    from signkit.tsp.token import TimeStampToken

MAXIMUM_TOKENS = 8
"""Most tokens of one signer that are looked at."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far behind that of a time-stamping authority the own clock may be."""

IGNORED = "ignored"
_NON_CRITICAL_PROFILES = ("authenticode",)


class Established(NamedTuple):
    """What the tokens of one signer came to.

    Attributes:
        at: the moment to judge the signer's path at.
        proven: whether a valid token says so.
        timestamp: the token that counts: the earliest valid one, else the first one; None when there is none.
        carried: what the tokens bring along for paths.
        checks: ``timestamp.*`` and ``time.established``.
    """

    at: datetime
    proven: bool
    timestamp: TimestampResult | None
    carried: Carried
    checks: tuple[Check, ...]


class _Judged(NamedTuple):
    """One token, judged; ``faults`` are those of its checks that keep it from proving anything."""

    result: TimestampResult | None
    carried: Carried
    checks: tuple[Check, ...]
    faults: tuple[Check, ...]

    @property
    def valid(self) -> bool:
        return self.result is not None and not self.faults


def establish(signer: Signer, carried: Carried, trust: Trust) -> Established:
    """The time of signing of one signer.

    It is what the earliest valid token proves, else now: the time that the signer claims is never believed.

    Args:
        signer: the signer.
        carried: what the signature brings along for paths.
        trust: what is trusted and known.
    """
    if not signer.timestamps or trust.timestamp == IGNORED:
        return _without(signer, carried, trust)
    judged = [_judge(data, signer, carried, trust) for data in signer.timestamps[:MAXIMUM_TOKENS]]
    valid = sorted((one for one in judged if one.valid and one.result), key=lambda one: one.result.time)  # type: ignore[union-attr]
    chosen = valid[0] if valid else judged[0]
    others = [_other(number, one) for number, one in enumerate(judged) if one is not chosen]
    present = passed("timestamp.present", f"{len(signer.timestamps)} timestamp token(s)", found=len(signer.timestamps))
    all_carried = carried
    for one in valid:
        all_carried = all_carried.with_more(one.carried)
    return Established(
        at=_whole(chosen.result.time) if valid and chosen.result else trust.now,
        proven=bool(valid),
        timestamp=chosen.result,
        carried=all_carried,
        checks=(present, *chosen.checks, *others, _established(chosen, trust)),
    )


def _without(signer: Signer, carried: Carried, trust: Trust) -> Established:
    detail = "no timestamp token"
    if signer.timestamps:
        detail = f"{len(signer.timestamps)} timestamp token(s), ignored as the policy says"
    now = _text(trust.now)
    time = passed("time.established", f"no trusted timestamp: judged at {now}", now=now)
    present = skipped("timestamp.present", detail, found=len(signer.timestamps))
    return Established(trust.now, False, None, carried, (present, time))


def _established(chosen: _Judged, trust: Trust) -> Check:
    name, source, now = "time.established", "RFC 3161 appendix A", _text(trust.now)
    if chosen.valid and chosen.result:
        at = _text(chosen.result.time)
        return passed(name, f"signed before {at}, as a timestamp proves", source=source, at=at, now=now)
    detail = f"the timestamp does not prove any time, and so the signer was judged at {now}"
    if all(check.verdict is not Verdict.FAIL for check in chosen.faults):
        return Check(name, Verdict.INDETERMINATE, detail, {"now": now}, source)
    return failed(name, detail, source=source, now=now)


def _other(number: int, judged: _Judged) -> Check:
    """A further token: shown with what it came to, and never a reason to refuse."""
    faults = [f"{check.name}: {check.detail}" for check in judged.faults]
    time = _text(judged.result.time) if judged.result else "an unknown time"
    came_to = f"not valid ({'; '.join(faults)})" if faults else "valid"
    detail = f"token {number} of {time} is {came_to}; another one counts"
    return skipped("timestamp.other-token", detail, token=number, found=[check.name for check in judged.faults])


def _judge(data: bytes, signer: Signer, carried: Carried, trust: Trust) -> _Judged:
    from signkit.tsp import token as tokens  # most signatures that are judged in a hurry have none

    try:
        token = tokens.load(data)
    except MalformedError as error:
        check = failed("timestamp.format", error.message, source="RFC 3161 2.4.2")
        return _Judged(None, Carried(), (check,), (check,))
    crls, ocsp_responses = cms_detached.revocation_values(token.signed_data)
    own = Carried(token.certificates, crls, ocsp_responses)
    anchors = trust.tsa_trust_anchors or trust.trust_anchors
    examined = tokens.examine(
        token,
        signer.signature,
        _readable((*own.certificates, *carried.certificates, *trust.intermediates, *anchors)),
        non_critical=trust.profile in _NON_CRITICAL_PROFILES,
        signer_id=trust.sm2_id,
    )
    checks = [passed("timestamp.format", "TSTInfo version 1", source="RFC 3161 2.4.2"), *examined.checks]
    checks.append(_time(token, trust))
    path: tuple[Certificate, ...] = ()
    if examined.certificate is not None:
        found = paths.authority(examined.certificate, own.with_more(carried), trust, _whole(token.time))
        checks += found.checks
        path = found.path
    faults = tuple(check for check in checks if _is_fault(check, trust))
    return _Judged(_result(token, examined.certificate, path), own, tuple(checks), faults)


def _is_fault(check: Check, trust: Trust) -> bool:
    """Whether a check keeps a token from proving its time; an unknown revocation status does only where it must."""
    tolerated = check.name.startswith("timestamp.revocation.") and trust.revocation != "require"
    return check.verdict is Verdict.FAIL or (check.verdict is Verdict.INDETERMINATE and not tolerated)


def _time(token: TimeStampToken, trust: Trust) -> Check:
    """A token from the future proves nothing; and judged at an earlier moment it was not there yet."""
    name, source = "timestamp.time", "RFC 3161 2.4.2"
    facts = {"found": _text(token.time), "now": _text(trust.now)}
    try:
        too_late = token.time > trust.now + CLOCK_SKEW
    except OverflowError:
        too_late = False
    if too_late:
        detail = f"the timestamp is of {facts['found']}, which is later than the moment of judgement, {facts['now']}"
        return failed(name, detail, source=source, **facts)
    return passed(name, facts["found"], source=source, **facts)


def _result(token: TimeStampToken, certificate: Certificate | None, path: tuple[Certificate, ...]) -> TimestampResult:
    return TimestampResult(
        time=token.time,
        certificate=certificate,
        authority=token.authority,
        policy=token.info.policy,
        serial_number=token.info.serial_number,
        accuracy=token.info.accuracy,
        digest=token.digest,
        path=path,
    )


def _whole(moment: datetime) -> datetime:
    """The second that a moment is in, as certificates count: so that a path is judged once for all tokens of it."""
    return moment.replace(microsecond=0)


def _readable(certificates: Iterable[bytes]) -> Iterable[Certificate]:
    for der in dict.fromkeys(certificates):
        try:
            yield x509_certificate.load(der)
        except MalformedError:
            continue


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
