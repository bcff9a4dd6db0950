"""Get timestamps for signature values (RFC 3161), each verified in full before it is used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.der import cms, oids
from signkit.der.cms import Attribute
from signkit.errors import MalformedError, SignkitError, UnavailableError, UsageError
from signkit.evidence import Check, Verdict
from signkit.formats import cms_detached
from signkit.operations.sign.pipeline import Stamped
from signkit.ports import Clock, TimestampAuthority
from signkit.tsp import request, response
from signkit.tsp import token as tokens
from signkit.tsp.response import TimeStampResponse
from signkit.tsp.token import TimeStampToken
from signkit.verification import paths
from signkit.verification.inputs import Trust
from signkit.verification.paths import Carried
from signkit.x509 import certificate as x509_certificate
from signkit.x509 import validation
from signkit.x509.certificate import Certificate

NONCE_OCTETS = 8
CLOCK_SKEW = timedelta(minutes=5)
"""How far the clock of an authority may be from the own one: its token was made just now, as the nonce proves."""

_HINT = "name a further authority; or sign without, and add a timestamp later with 'signkit timestamp add'"


class StampOptions(NamedTuple):
    """What is asked for, and what an answer must be.

    Attributes:
        digest: digest algorithm of the message imprint.
        policy: the TSA policy that is wanted (dotted), empty = the authority's choice.
        trust_anchors: DER certificates that the authority's path must end at. Empty = its path is not judged: only
            that its certificate is one of a time-stamping authority and valid now.
        intermediates: DER certificates that may help to build the path.
    """

    digest: str = "sha256"
    policy: str = ""
    trust_anchors: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()


DEFAULTS = StampOptions()


class Stamp(NamedTuple):
    """A timestamp that was found good.

    Attributes:
        token: DER of the token.
        time: what it states.
        authority: the certificate of who stamped.
        url: who was asked.
    """

    token: bytes
    time: datetime
    authority: Certificate
    url: str


class Stamping:
    """Asks authorities, in their order, until one gives a good timestamp."""

    def __init__(
        self,
        authorities: Sequence[TimestampAuthority],
        options: StampOptions = DEFAULTS,
        *,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        """Take whom to ask; nobody is asked here.

        Args:
            authorities: tried in this order.
            options: what is asked for.
            clock: the present.
            random: source of nonces.

        Raises:
            UsageError: no authority, or a digest or policy that can't be asked for.
        """
        if not authorities:
            raise UsageError(
                "found no time-stamping authority, expected at least one",
                hint="name its URL, here or as timestamp in [sign] of signkit.toml",
            )
        if options.digest not in digests.SIGNING:
            expected = " ".join(digests.SIGNING)
            raise UsageError(f"'{options.digest}' is no digest for timestamps: expected one of {expected}")
        _require_policy(options.policy)
        self._authorities = tuple(authorities)
        self._options = options
        self._clock = clock
        self._random = random

    def stamp(self, value: bytes) -> Stamp:
        """A timestamp over a signature value.

        Raises:
            UnavailableError: no authority gave a good one; the message has the reason of each.
        """
        reasons = []
        for authority in self._authorities:
            try:
                return self._by(authority, value)
            except SignkitError as error:
                named = error.message.startswith((authority.url[:200], repr(authority.url[:200])))
                reasons.append(error.message if named else f"'{authority.url[:200]}': {error.message}")
        raise UnavailableError(f"no timestamp: {'; '.join(reasons)}", hint=_HINT, code="TimestampUnavailable")

    def _by(self, authority: TimestampAuthority, value: bytes) -> Stamp:
        options = self._options
        nonce = int.from_bytes(self._random(NONCE_OCTETS), "big")
        asked = request.over(value, options.digest, nonce=nonce, policy=options.policy or None)
        began = self._clock()
        answer = _response(authority.ask(asked.encode()))
        if not answer.granted or answer.token is None:
            raise UnavailableError(f"the authority gave no timestamp: {answer.explain()}", code="TimestampRefused")
        token = tokens.load(answer.token)
        _require_digest(token, options.digest)
        own = _readable((*token.certificates, *options.intermediates, *options.trust_anchors))
        examined = tokens.examine(token, value, own)
        checks = [*examined.checks, *tokens.answers(token, nonce=nonce, policy=options.policy or None)]
        _require_good(checks)
        if examined.certificate is None:
            raise MalformedError("the certificate of the authority is missing")
        _require_present(token, began, self._clock())
        self._require_trusted(token, examined.certificate)
        return Stamp(answer.token, token.time, examined.certificate, authority.url)

    def _require_trusted(self, token: TimeStampToken, certificate: Certificate) -> None:
        """The authority's path where anchors are known, else what its certificate says of itself."""
        at, options = token.time.replace(microsecond=0), self._options
        if options.trust_anchors:
            carried = Carried(token.certificates, *cms_detached.revocation_values(token.signed_data))
            trust = Trust(options.trust_anchors, options.intermediates, max(at, self._clock()))
            _require_good(paths.authority(certificate, carried, trust, at).checks)
            return
        faults = validation.leaf_faults(certificate, oids.TIME_STAMPING)
        if not certificate.not_before <= at <= certificate.not_after:
            begin, end = _text(certificate.not_before), _text(certificate.not_after)
            faults.append(f"it is valid from {begin} to {end}, expected at {_text(at)}")
        if faults:
            raise MalformedError(f"the certificate of the authority ({certificate.subject}): {'; '.join(faults)}")


class SignatureStamper:
    """Stamps each signature as it is made; see ``operations.sign.Stamper``.

    Attributes:
        notices: why signatures went without a timestamp, a sentence each.
    """

    def __init__(self, stamping: Stamping, *, optional: bool = False) -> None:
        """Take who stamps.

        Args:
            stamping: asks the authorities.
            optional: whether signatures are made without a timestamp when there is none to be had. After the first
                outage nobody is asked again: each attempt would take as long.
        """
        self.notices: list[str] = []
        self._stamping = stamping
        self._optional = optional

    def __call__(self, value: bytes) -> Stamped:
        """The timestamp that goes along with a signature value.

        Raises:
            UnavailableError: there is none, and there must be one.
        """
        if self.notices:
            return Stamped()
        try:
            token = self._stamping.stamp(value).token
        except UnavailableError as error:
            if not self._optional:
                raise
            self.notices.append(f"signed without a timestamp: {error.message.removeprefix('no timestamp: ')}")
            return Stamped()
        return Stamped((cms.encode_attribute(Attribute(oids.SIGNATURE_TIME_STAMP, (token,))),))


def _response(data: bytes) -> TimeStampResponse:
    try:
        return response.decode(data)
    except MalformedError as error:
        found = f"found {len(data)} bytes, expected a timestamp response"
        raise MalformedError(f"{found}: {error.message}") from error


def _require_policy(policy: str) -> None:
    parts = policy.split(".")
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 40]
    if policy and not (len(numbers) == len(parts) > 1 and numbers[0] < 3 and (numbers[0] == 2 or numbers[1] < 40)):
        raise UsageError(f"the policy '{policy}' is not an object identifier", hint="for example 1.3.6.1.4.1.4146.2.2")


def _require_digest(token: TimeStampToken, expected: str) -> None:
    """Section 2.4.2: the imprint is the one of the request, and so are its algorithm and its digest."""
    if token.digest != expected:
        raise MalformedError(f"the message imprint of the token is made with {token.digest}, expected {expected}")


def _require_present(token: TimeStampToken, began: datetime, ended: datetime) -> None:
    allowed = CLOCK_SKEW + (token.info.accuracy or timedelta())
    if not began - allowed <= token.time <= ended + allowed:
        raise MalformedError(
            f"the token states {_text(token.time)}, expected the present, {_text(ended)}: "
            "the clock of the authority or of this machine is wrong"
        )


def _require_good(checks: Iterable[Check]) -> None:
    bad = [
        f"{check.name}: {check.detail}"
        for check in checks
        if check.verdict is Verdict.FAIL or (check.verdict is Verdict.INDETERMINATE and not _is_bearable(check))
    ]
    if bad:
        raise MalformedError(f"the token is not good: {'; '.join(bad)}")


def _is_bearable(check: Check) -> bool:
    """Whether the authority was revoked need not be known here: whoever verifies decides on that."""
    return check.name.startswith("timestamp.revocation.")


def _readable(certificates: Iterable[bytes]) -> list[Certificate]:
    found = []
    for der in dict.fromkeys(certificates):
        with contextlib.suppress(MalformedError):
            found.append(x509_certificate.load(der))
    return found


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
