"""What a verification must fulfil beyond being right: who may have signed, and how many of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from signkit.errors import UsageError
from signkit.x509 import names
from signkit.x509.certificate import Certificate
from signkit.x509.names import Name


class Identity(NamedTuple):
    """Whom a signer must be. Every field that is given must match.

    Attributes:
        subjects: the certificate's subject must have all the attributes of one of these; empty = any.
        issuer: its issuer must have all the attributes of this name; None = any.
        public_key_sha256: lower-case hex SHA-256 of its SubjectPublicKeyInfo must be one of these; empty = any.
    """

    subjects: tuple[Name, ...] = ()
    issuer: Name | None = None
    public_key_sha256: tuple[str, ...] = ()

    @classmethod
    def of(cls, *, subjects: Iterable[str] = (), issuer: str = "", public_key_sha256: Iterable[str] = ()) -> Identity:
        """An identity from text, as it is typed on the command line.

        Args:
            subjects: distinguished names, ``CN=Acme Release,O=Acme``.
            issuer: distinguished name; empty = any.
            public_key_sha256: 64 hex digits each.

        Raises:
            UsageError: nothing was given, or a malformed name or fingerprint.
        """
        listed = (subjects,) if isinstance(subjects, str) else subjects
        fingerprints = (public_key_sha256,) if isinstance(public_key_sha256, str) else public_key_sha256
        found = cls(
            tuple(names.parse(text) for text in listed),
            names.parse(issuer) if issuer else None,
            tuple(map(_fingerprint, fingerprints)),
        )
        if not found:
            raise UsageError("an identity needs a subject, an issuer or a public key, found none of them")
        return found

    def __bool__(self) -> bool:
        return bool(self.subjects or self.issuer is not None or self.public_key_sha256)

    def mismatches(self, certificate: Certificate) -> list[str]:
        """All that does not match, each with expected and found; empty when this is the one."""
        out = []
        if self.subjects and not any(certificate.subject.contains(wanted) for wanted in self.subjects):
            expected = " or ".join(f"'{wanted}'" for wanted in self.subjects)
            out.append(f"subject is '{certificate.subject}', expected {expected}")
        if self.issuer is not None and not certificate.issuer.contains(self.issuer):
            out.append(f"issuer is '{certificate.issuer}', expected '{self.issuer}'")
        if self.public_key_sha256 and certificate.public_key_fingerprint not in self.public_key_sha256:
            expected = " or ".join(self.public_key_sha256)
            out.append(f"public key has SHA-256 {certificate.public_key_fingerprint}, expected {expected}")
        return out


class Policy(NamedTuple):
    """The judgement to apply.

    Attributes:
        identity: whom the signer must be; an empty one accepts any signer under the trust anchors, and every
            report says so.
        require_identity: refuse when ``identity`` is empty.
        threshold: how many distinct keys must have signed acceptably.
    """

    identity: Identity = Identity()
    require_identity: bool = False
    threshold: int = 1


def _fingerprint(text: str) -> str:
    """64 lower-case hex digits; colons and capitals are allowed on the way in."""
    digits = text.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise UsageError(
            f"'{text}' is not a SHA-256 fingerprint: expected 64 hex digits, found {len(digits)} characters",
            hint="'signkit cert show' prints it as public key sha256",
        )
    return digits


ANYONE = Policy()
"""Any one signer under the given trust anchors."""
