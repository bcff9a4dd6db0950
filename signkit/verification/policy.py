"""What a verification must fulfil beyond being right: who may have signed, how many of them, by what proof of time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from signkit.errors import UsageError
from signkit.x509 import alternative_names, names
from signkit.x509.certificate import Certificate
from signkit.x509.names import Name

PROFILES = ("code-signing", "cabf", "authenticode", "private")
"""Sets of rules for the signer's path (see ``docs/policy.md``)."""

TIMESTAMPS = ("required", "if-expired", "ignored")
REVOCATIONS = ("require", "check", "ignore")


class Identity(NamedTuple):
    """Whom a signer must be. Every field that is given must match.

    Attributes:
        subjects: the certificate's subject must have all the attributes of one of these; empty = any.
        issuer: its issuer must have all the attributes of this name; None = any.
        public_key_sha256: lower-case hex SHA-256 of its SubjectPublicKeyInfo must be one of these; empty = any.
        certificate_sha256: lower-case hex SHA-256 of the whole certificate must be one of these; empty = any.
        alternative_names: its subject alternative names must have one of these (``email:``, ``dns:`` or ``uri:`` and
            the name, as ``x509.alternative_names`` writes them); empty = any.
    """

    subjects: tuple[Name, ...] = ()
    issuer: Name | None = None
    public_key_sha256: tuple[str, ...] = ()
    certificate_sha256: tuple[str, ...] = ()
    alternative_names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        subjects: Iterable[str] = (),
        issuer: str = "",
        public_key_sha256: Iterable[str] = (),
        certificate_sha256: Iterable[str] = (),
        alternative_names: Iterable[str] = (),
    ) -> Identity:
        """An identity from text, as it is typed on the command line and in policy files.

        Args:
            subjects: distinguished names, ``CN=Acme Release,O=Acme``.
            issuer: distinguished name; empty = any.
            public_key_sha256: 64 hex digits each.
            certificate_sha256: 64 hex digits each.
            alternative_names: ``email:release@acme.example``, ``dns:acme.example``, ``uri:https://acme.example/ci``.

        Raises:
            UsageError: nothing was given, or a malformed name or fingerprint.
        """
        found = cls(
            tuple(names.parse(text) for text in _listed(subjects)),
            names.parse(issuer) if issuer else None,
            tuple(map(fingerprint, _listed(public_key_sha256))),
            tuple(map(fingerprint, _listed(certificate_sha256))),
            tuple(map(_alternative_name, _listed(alternative_names))),
        )
        if not found:
            raise UsageError(
                "an identity needs a subject, an issuer, a public key, a certificate or an alternative name, "
                "found none of them"
            )
        return found

    def __bool__(self) -> bool:
        return any(field not in ((), None) for field in self)

    def __str__(self) -> str:
        """What is asked for, field by field."""
        given = (
            ("subject", [str(name) for name in self.subjects]),
            ("issuer", [str(self.issuer)] if self.issuer is not None else []),
            ("spki-sha256", self.public_key_sha256),
            ("certificate-sha256", self.certificate_sha256),
            ("san", self.alternative_names),
        )
        return " and ".join(f"{field} {' or '.join(values)}" for field, values in given if values)

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
        if self.certificate_sha256 and certificate.fingerprint not in self.certificate_sha256:
            expected = " or ".join(self.certificate_sha256)
            out.append(f"certificate has SHA-256 {certificate.fingerprint}, expected {expected}")
        if self.alternative_names:
            found = alternative_names.of(certificate)
            if not set(found) & set(self.alternative_names):
                expected = " or ".join(f"'{name}'" for name in self.alternative_names)
                shown = ", ".join(f"'{name}'" for name in found) or "none"
                out.append(f"subject alternative names are {shown}, expected {expected}")
        return out


ANYBODY = Identity()
"""Asks for nobody."""


class Policy(NamedTuple):
    """The judgement to apply.

    Attributes:
        identity: whom the signer must be; an empty one accepts any signer under the trust anchors, and every
            report says so.
        require_identity: refuse when neither ``identity`` nor ``signers`` says who the signer must be.
        threshold: how many distinct keys must have signed acceptably.
        name: of the policy in its file, empty otherwise.
        signers: beside ``identity``, the signer must be one of these; empty = any.
        algorithms: names of the signature algorithms that are accepted, for example ``ECDSA_SHA_256``; empty = all
            that signkit accepts.
        profile: rules for the signer's path, one of ``PROFILES``.
        timestamp: one of ``TIMESTAMPS``: a trusted timestamp is required, is used where there is one (so that what
            has expired since is still accepted), or does not count.
        revocation: one of ``REVOCATIONS``: an unknown status refuses, is tolerated and shown, or is not looked for.
        actions: pairs of a check's name, ``*`` standing for any characters, and ``enforce`` or ``warn``; the most
            specific one counts.
    """

    identity: Identity = ANYBODY
    require_identity: bool = False
    threshold: int = 1
    name: str = ""
    signers: tuple[Identity, ...] = ()
    algorithms: tuple[str, ...] = ()
    profile: str = "code-signing"
    timestamp: str = "if-expired"
    revocation: str = "check"
    actions: tuple[tuple[str, str], ...] = ()

    @property
    def names_signers(self) -> bool:
        """Whether it says who the signer must be."""
        return bool(self.identity or self.signers)

    def mismatches(self, certificate: Certificate) -> list[str]:
        """Why the owner of a certificate is not who was asked for; empty when he is, or nobody was named."""
        out = self.identity.mismatches(certificate)
        found = [signer.mismatches(certificate) for signer in self.signers]
        if found and all(found):
            if len(found) == 1:
                return [*out, *found[0]]
            entries = (f"[{number}] {', '.join(one)}" for number, one in enumerate(found, start=1))
            out.append(f"none of the {len(found)} signers of the policy: {'; '.join(entries)}")
        return out


def fingerprint(text: str) -> str:
    """64 lower-case hex digits; colons and capitals are allowed on the way in.

    Raises:
        UsageError: it has another form.
    """
    digits = text.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise UsageError(
            f"'{text}' is not a SHA-256 fingerprint: expected 64 hex digits, found {len(digits)} characters",
            hint="'signkit cert show' prints the fingerprints of certificate and public key",
        )
    return digits


def _alternative_name(text: str) -> str:
    kind, separator, value = text.partition(":")
    if not separator or not value or kind not in alternative_names.KINDS:
        expected = " or ".join(f"{kind}:" for kind in alternative_names.KINDS)
        raise UsageError(f"'{text}' is not an alternative name: expected {expected} and the name")
    return alternative_names.canonical(kind, value)


def _listed(texts: str | Iterable[str]) -> Iterable[str]:
    return (texts,) if isinstance(texts, str) else texts


ANYONE = Policy()
"""Any one signer under the given trust anchors."""
