"""What will run out: certificates on record, those that issued them, and signatures that die with their certificate.

A signature without a timestamp is good only as long as its signer's certificate. One that has a timestamp lives longer;
how long, the timestamp authority's certificate says, which is not read here yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from signkit.errors import MalformedError, SignkitError, UnavailableError, UsageError
from signkit.keys.model import KeyState, VersionState
from signkit.operations.certificates import Listed
from signkit.ports import ArtifactSource
from signkit.x509.certificate import Certificate, load_accepted

EXIT_STATUS = 15
"""Exit status when something in use runs out within the window: the one of ``path.N.validity``."""
_WINDOW = re.compile(r"([0-9]{1,5})([dhw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Kind(StrEnum):
    """What runs out."""

    CERTIFICATE = "certificate"
    ISSUER = "issuing certificate"
    SIGNATURE = "signature"


class Expiring(NamedTuple):
    """One thing with an end.

    Attributes:
        kind: what it is.
        not_after: when it runs out.
        certificate: the certificate that runs out.
        used_by: key versions (``KEY@V``) or signature files that depend on it.
        in_use: whether something needs it: a certificate is current and its version enabled.
        due: whether it is in use and runs out within the window.
        days: whole days that are left, negative when it has run out.
    """

    kind: Kind
    not_after: datetime
    certificate: Certificate
    used_by: tuple[str, ...]
    in_use: bool
    due: bool
    days: int


class Watched(NamedTuple):
    """What a look at everything came to.

    Attributes:
        items: what runs out first comes first.
        timestamped: signature files that were left out because they have a timestamp.
        unreadable: files that could not be read as signatures, each with the reason.
    """

    items: tuple[Expiring, ...]
    timestamped: tuple[str, ...]
    unreadable: tuple[str, ...]

    @property
    def due(self) -> bool:
        """Whether something in use runs out within the window."""
        return any(item.due for item in self.items)

    @property
    def exit_status(self) -> int:
        """0, 15 when something in use is due, else 3 when a file could not be read."""
        return EXIT_STATUS if self.due else UnavailableError.exit_status if self.unreadable else 0


class Use(NamedTuple):
    """That something depends on a certificate."""

    kind: Kind
    certificate: Certificate
    used_by: str
    in_use: bool


def parse_window(text: str) -> timedelta:
    """A length of time: ``30d``, ``12h``, ``4w``.

    Raises:
        UsageError: another form.
    """
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise UsageError(f"'{text}' is not a length of time: expected a number with d, h or w", hint="for example 30d")
    return int(match[1]) * _UNITS[match[2]]


def watch(
    listed: Iterable[Listed], source: ArtifactSource, signatures: Sequence[str], *, now: datetime, within: timedelta
) -> Watched:
    """Look at certificates on record and at signature files.

    Args:
        listed: certificates of key versions.
        source: reads the signature files.
        signatures: paths of signature files.
        now: the present, aware UTC.
        within: what runs out in this time is due.
    """
    uses = [use for one in listed for use in _uses(one)]
    timestamped: list[str] = []
    unreadable: list[str] = []
    for path in signatures:
        try:
            found = list(_signers(source, path))
        except SignkitError as error:
            unreadable.append(f"{path}: {error.message.removeprefix(f'{path}: ')}")
            continue
        uses += found
        if not found:
            timestamped.append(path)
    return Watched(tuple(judge(uses, now=now, within=within)), tuple(timestamped), tuple(unreadable))


def judge(uses: Iterable[Use], *, now: datetime, within: timedelta) -> list[Expiring]:
    """Each certificate once, with all that depends on it; the first to run out comes first."""
    grouped: dict[tuple[Kind, bytes], list[Use]] = {}
    for use in uses:
        grouped.setdefault((use.kind, use.certificate.der), []).append(use)
    items = []
    for (kind, _der), found in grouped.items():
        certificate = found[0].certificate
        in_use = any(use.in_use for use in found)
        used_by = tuple(dict.fromkeys(use.used_by for use in found))
        left = certificate.not_after - now
        items.append(
            Expiring(kind, certificate.not_after, certificate, used_by, in_use, in_use and left <= within, left.days)
        )
    return sorted(items, key=lambda item: (item.not_after, item.kind, item.certificate.der))


def signing_warning(certificate: Certificate, *, now: datetime, days: int) -> str:
    """What to tell who signs with a certificate that runs out within so many days; empty when it does not."""
    left = certificate.not_after - now
    if left > timedelta(days=days):
        return ""
    return (
        f"the certificate {certificate.subject} runs out at {certificate.not_after:%Y-%m-%dT%H:%M:%SZ}, in "
        f"{left.days} days: renew it ('signkit csr renew'); signatures without a timestamp end with it"
    )


def _uses(one: Listed) -> Iterator[Use]:
    """A certificate on record, and the ones that issued it."""
    used_by = f"{one.key.id}@{one.version.number}"
    in_use = one.current and one.version.state is VersionState.ENABLED and one.key.state is KeyState.ENABLED
    yield Use(Kind.CERTIFICATE, load_accepted(one.bound.certificate), used_by, in_use)
    for der in one.bound.chain:
        yield Use(Kind.ISSUER, load_accepted(der), used_by, in_use)


def _signers(source: ArtifactSource, path: str) -> Iterator[Use]:
    """The signers of a signature file that have no timestamp.

    Raises:
        FileError: the file can't be read.
        MalformedError: it is no signature, or does not carry the certificate of a signer.
    """
    from signkit.operations.inspect import InspectedSignature, inspect  # what signing does without

    found = inspect(source, path)
    if not isinstance(found, InspectedSignature):
        raise MalformedError("no signature, expected CMS SignedData with a signer")
    for signer in found.signers:
        if signer.certificate is None:
            raise MalformedError(f"it does not carry its signer's certificate, expected that of {signer.named}")
        if not signer.timestamps:
            yield Use(Kind.SIGNATURE, signer.certificate, path, True)
