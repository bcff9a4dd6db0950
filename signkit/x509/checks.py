"""Checks of one certificate at its place in a path (RFC 5280 sections 6.1.3 to 6.1.5), each by name, with facts.

What depends on nothing but the certificate, its place and the rules is made once and kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from signkit import algorithms
from signkit.der import oids
from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict, failed, passed
from signkit.x509 import constraints
from signkit.x509.certificate import Certificate
from signkit.x509.profiles import CODE_SIGNING as DEFAULT
from signkit.x509.profiles import Profile

PROCESSED_EXTENSIONS = frozenset(
    {
        oids.KEY_USAGE,
        oids.SUBJECT_ALT_NAME,
        oids.BASIC_CONSTRAINTS,
        oids.EXTENDED_KEY_USAGE,
        oids.NAME_CONSTRAINTS,
        oids.CRL_DISTRIBUTION_POINTS,
        oids.CERTIFICATE_POLICIES,
        oids.POLICY_MAPPINGS,
        oids.POLICY_CONSTRAINTS,
        oids.INHIBIT_ANY_POLICY,
    }
)
"""Extensions that may be critical because their meaning is known and honoured here."""

PURPOSES = {"code-signing": oids.CODE_SIGNING, "timestamping": oids.TIME_STAMPING, "any": None}
"""Purposes a user can name, with the OBJECT IDENTIFIER of extKeyUsage; ``any`` demands none."""

_SIGNING_USAGES = {oids.CODE_SIGNING: ("digitalSignature",), oids.TIME_STAMPING: ("digitalSignature", "nonRepudiation")}
"""Usages of which a leaf of that purpose needs one (RFC 5280 section 4.2.1.12)."""

_MAXIMUM_SERIAL_OCTETS = 20


class Rules(NamedTuple):
    """What a path is held against.

    Attributes:
        profile: the switches.
        purpose: OBJECT IDENTIFIER the leaf must be certified for; None = any, and the leaf may be a CA.
    """

    profile: Profile
    purpose: str | None


@lru_cache(maxsize=256)
def text(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def who(position: int, certificate: Certificate) -> str:
    """How a certificate of a path is called in what people read."""
    return f"certificate {position} ({certificate.subject})"


@lru_cache(maxsize=1024)
def _dates(certificate: Certificate) -> tuple[str, str, str]:
    first, last = text(certificate.not_before), text(certificate.not_after)
    return first, last, f"valid from {first} to {last}"


def validity(position: int, certificate: Certificate, at: datetime, at_text: str) -> Check:
    """``path.N.validity`` (RFC 5280 section 6.1.3 (a)(2)); ``at_text`` is ``at`` as ``text`` writes it."""
    not_before, not_after, detail = _dates(certificate)
    verdict = Verdict.PASS if certificate.not_before <= at <= certificate.not_after else Verdict.FAIL
    if verdict is Verdict.FAIL:
        problem = "is not yet valid" if at < certificate.not_before else "has expired"
        detail = f"{who(position, certificate)} {problem} at {at_text}: {detail}"
    facts = {"not_before": not_before, "not_after": not_after, "at": at_text}
    return Check(f"path.{position}.validity", verdict, detail, facts, "RFC 5280 6.1.3 (a)(2)")


@lru_cache(maxsize=1024)
def of_leaf(certificate: Certificate, rules: Rules) -> tuple[Check, ...]:
    """All checks of the leaf but its dates."""
    checks = _of_any(0, certificate, rules.profile)
    if rules.purpose in _SIGNING_USAGES:
        checks.append(_end_entity(certificate))
    checks.append(_leaf_usage(certificate, rules))
    if rules.purpose is not None:
        checks.append(_leaf_purpose(certificate, rules.purpose, rules.profile))
    return tuple(checks)


@lru_cache(maxsize=4096)
def of_issuer(position: int, certificate: Certificate, below: int, trusted: bool, rules: Rules) -> tuple[Check, ...]:
    """All checks of a certificate that issued another, but its dates and name constraints.

    Args:
        position: its place, counted from the leaf.
        certificate: the certificate.
        below: certificates between it and the leaf that are not self-issued (RFC 5280 section 6.1.4 (l)).
        trusted: it is the trust anchor.
        rules: what to hold it against.
    """
    if trusted and not rules.profile.anchor_binds:
        return (_key_strength(position, certificate, rules.profile),)
    checks = [
        *_of_any(position, certificate, rules.profile),
        _issuing(position, certificate, below, trusted),
        _issuer_usage(position, certificate),
    ]
    if rules.purpose is not None and certificate.extended_key_usage is not None:
        checks.append(_issuer_purpose(position, certificate, rules.purpose))
    return tuple(checks)


def _of_any(position: int, certificate: Certificate, profile: Profile) -> list[Check]:
    checks = [
        _key_strength(position, certificate, profile),
        _critical_extensions(position, certificate),
        *_serial_number(position, certificate, profile),
    ]
    basic = certificate.basic_constraints
    if basic is not None and basic.explicit_false and not profile.explicit_ca_false:
        detail = f"{who(position, certificate)} spells out cA FALSE, which DER leaves out"
        checks.append(failed(f"path.{position}.basic-constraints", detail, source="X.690 11.5"))
    return checks


def _key_strength(position: int, certificate: Certificate, profile: Profile) -> Check:
    name, source, key_type = f"path.{position}.key-strength", "CA/B CSBR 6.1.5", certificate.key_type
    bits = int(key_type[4:]) if key_type.startswith("RSA_") else 0
    if key_type.startswith("unknown"):
        problem = f"has a key of {key_type} type, whose strength is not known"
    elif profile.key_types and (("RSA" if bits else key_type) not in profile.key_types):
        problem = f"has a key of type {key_type}, expected one of {', '.join(sorted(profile.key_types))}"
    elif bits and bits < profile.minimum_rsa_bits:
        problem = f"has an RSA modulus of {bits} bits, expected at least {profile.minimum_rsa_bits}"
    else:  # a profile may allow short keys; all else that the families know against a key stands
        weakness = "" if 0 < bits < DEFAULT.minimum_rsa_bits else algorithms.weakness(key_type)
        problem = weakness and f"has an unfit key: {weakness}"
    if problem:
        return failed(name, f"{who(position, certificate)} {problem}", source=source, found=key_type)
    return passed(name, key_type, source=source, found=key_type)


def _critical_extensions(position: int, certificate: Certificate) -> Check:
    name, source = f"path.{position}.unknown-critical-extensions", "RFC 5280 6.1.4 (o)"
    critical = [oid for oid, extension in certificate.extensions.items() if extension.critical]
    unknown = [oids.name(oid) for oid in critical if oid not in PROCESSED_EXTENSIONS]
    if oids.SUBJECT_ALT_NAME in critical:
        try:
            constraints.names_of(certificate, email_in_subject=False)
        except MalformedError as error:
            unknown.append(f"subjectAltName ({error.message})")
    if unknown:
        detail = f"{who(position, certificate)} has critical extensions that are not processed: {', '.join(unknown)}"
        return failed(name, detail, source=source, found=unknown)
    return passed(name, source=source)


def _serial_number(position: int, certificate: Certificate, profile: Profile) -> list[Check]:
    """Only odd serial numbers are worth a check."""
    number = certificate.serial_number
    octets = (number.bit_length() + 8) // 8
    if number > 0 and octets <= _MAXIMUM_SERIAL_OCTETS:
        return []
    found = f"a serial number of {octets} octets" if number > 0 else f"the serial number {number}"
    detail = f"{who(position, certificate)} has {found}, expected a positive one of at most {_MAXIMUM_SERIAL_OCTETS}"
    make = passed if profile.odd_serial_numbers else failed
    return [make(f"path.{position}.serial-number", detail, source="RFC 5280 4.1.2.2", warning=True)]


def _end_entity(certificate: Certificate) -> Check:
    name = "path.0.basic-constraints"
    if certificate.is_ca:
        detail = f"{who(0, certificate)} is a CA certificate, expected an end-entity certificate"
        return failed(name, detail, source="CA/B CSBR 7.1.2.3")
    return passed(name, "end-entity certificate", source="RFC 5280 4.2.1.9")


def _leaf_usage(certificate: Certificate, rules: Rules) -> Check:
    name, usages, profile = "path.0.key-usage", certificate.key_usage, rules.profile
    wanted = _SIGNING_USAGES.get(rules.purpose or "", ())
    expected = " or ".join(wanted) or "any"
    found = "none" if usages is None else ", ".join(sorted(usages)) or "empty"
    facts = {"expected": expected, "found": found}
    start = f"{who(0, certificate)} has key usage {found}"
    if usages is None:
        if not wanted or profile.key_usage_absent:
            return passed(name, found, source="RFC 5280 4.2.1.3", **facts)
        return failed(name, f"{start}, expected {expected}", source="CA/B CSBR 7.1.2.3", **facts)
    if wanted and usages.isdisjoint(wanted):
        return failed(name, f"{start}, expected {expected}", source="RFC 5280 4.2.1.3", **facts)
    if "keyCertSign" in usages and not certificate.is_ca or "keyCertSign" in usages and wanted:
        detail = f"{start}, and an end-entity certificate must not have keyCertSign"
        return failed(name, detail, source="RFC 5280 4.2.1.9", **facts)
    if wanted and "cRLSign" in usages and not profile.crl_sign_on_leaf:
        return failed(name, f"{start}, expected no cRLSign", source="CA/B CSBR 7.1.2.3", **facts)
    if wanted and not profile.key_usage_not_critical and not certificate.extensions[oids.KEY_USAGE].critical:
        return failed(name, f"{start}, not critical: expected a critical one", source="CA/B CSBR 7.1.2.3", **facts)
    return passed(name, found, source="RFC 5280 4.2.1.3", **facts)


def _leaf_purpose(certificate: Certificate, purpose: str, profile: Profile) -> Check:
    name, source, purposes = "path.leaf.extended-key-usage", "RFC 5280 4.2.1.12", certificate.extended_key_usage
    found = "none" if purposes is None else ", ".join(map(oids.name, purposes))
    facts = {"expected": oids.name(purpose), "found": found}
    start = f"{who(0, certificate)} has extended key usage {found}"
    if purposes is None or purpose not in purposes:
        return failed(name, f"{start}, expected {oids.name(purpose)}", source=source, **facts)
    if purpose == oids.TIME_STAMPING:
        if len(purposes) != 1:
            return failed(name, f"{start}, expected timeStamping alone", source="RFC 3161 2.3", **facts)
        critical = certificate.extensions[oids.EXTENDED_KEY_USAGE].critical
        if not critical and not profile.time_stamping_not_critical:
            return failed(name, f"{start}, not critical: expected critical", source="RFC 3161 2.3", **facts)
    forbidden = {oids.SERVER_AUTH, oids.ANY_EXTENDED_KEY_USAGE}.intersection(purposes)
    if forbidden and not profile.further_purposes:
        detail = f"{start}, expected neither serverAuth nor anyExtendedKeyUsage"
        return failed(name, detail, source="CA/B CSBR 7.1.2.3", **facts)
    return passed(name, found, source=source, **facts)


def _issuing(position: int, certificate: Certificate, below: int, trusted: bool) -> Check:
    name = f"path.{position}.basic-constraints"
    if not certificate.is_ca and not (certificate.version == 1 and trusted):
        detail = (
            f"{who(position, certificate)} issued a certificate and is not a CA: expected basicConstraints with CA TRUE"
        )
        return failed(name, detail, source="RFC 5280 6.1.4 (k)")
    limit = certificate.basic_constraints.path_length if certificate.basic_constraints else None
    if limit is not None and below > limit:
        detail = f"{who(position, certificate)} allows {limit} CA certificates below it, found {below}"
        return failed(name, detail, source="RFC 5280 6.1.4 (m)", expected=limit, found=below)
    return passed(name, source="RFC 5280 6.1.4 (k)", path_length=limit)


def _issuer_usage(position: int, certificate: Certificate) -> Check:
    name, source, usages = f"path.{position}.key-usage", "RFC 5280 6.1.4 (n)", certificate.key_usage
    if usages is not None and "keyCertSign" not in usages:
        found = ", ".join(sorted(usages)) or "empty"
        detail = f"{who(position, certificate)} has key usage {found}, expected keyCertSign"
        return failed(name, detail, source=source, expected="keyCertSign", found=found)
    return passed(name, source=source)


def _issuer_purpose(position: int, certificate: Certificate, purpose: str) -> Check:
    """Purposes nest: an authority limited to others can't certify for this one (CSBR 7.1.2.2, every deployed one)."""
    name, source = f"path.{position}.extended-key-usage", "CA/B CSBR 7.1.2.2"
    purposes = certificate.extended_key_usage or ()
    found = ", ".join(map(oids.name, purposes))
    facts = {"expected": oids.name(purpose), "found": found}
    if purpose in purposes or oids.ANY_EXTENDED_KEY_USAGE in purposes:
        return passed(name, found, source=source, **facts)
    detail = f"{who(position, certificate)} has extended key usage {found}, expected {oids.name(purpose)}"
    return failed(name, detail, source=source, **facts)
