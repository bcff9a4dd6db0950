"""Profiles: where standards and practice differ about a certification path, one switch each, in one table.

RFC 5280 leaves much to whoever relies on a certificate, and the CA/Browser Forum's code-signing baseline requirements
(CSBR) and Microsoft's Authenticode draw the line at different places. Everything that is not a switch here is the same
in every profile.
"""

from __future__ import annotations

from typing import NamedTuple

from signkit.errors import UsageError


class Profile(NamedTuple):
    """What may pass. The default of each switch is the value of the profile ``code-signing``.

    Attributes:
        name: as it is named on the command line.
        key_usage_absent: the leaf may have no keyUsage; every usage is allowed then (RFC 5280 section 4.2.1.3).
        key_usage_not_critical: the leaf's keyUsage may be non-critical; RFC 5280 says SHOULD, CSBR 7.1.2.3 MUST.
        crl_sign_on_leaf: the leaf's keyUsage may have cRLSign (forbidden by CSBR 7.1.2.3).
        further_purposes: beside codeSigning the leaf may be for serverAuth or any purpose (forbidden by CSBR 7.1.2.3).
        time_stamping_not_critical: the extKeyUsage of a timestamping leaf may be non-critical, as in Microsoft's older
            ones (against RFC 3161 section 2.3).
        explicit_ca_false: basicConstraints may spell out cA FALSE, which is not DER but was issued for years.
        odd_serial_numbers: serial numbers may be zero, negative or longer than 20 octets; the check then passes and
            says so (RFC 5280 section 4.1.2.2 forbids them and tells those who rely on them to be prepared).
        anchor_binds: validity, constraints, key usages and purposes of a trust anchor's certificate bind, too. RFC 5280
            section 6.1.1 takes name and key of an anchor alone and leaves the rest to its user.
        email_in_subject: e-mail constraints apply to emailAddress attributes of the subject also when there is a
            subjectAltName; RFC 5280 section 4.2.1.10 demands it only when there is none.
        weak_digests: digests accepted in signatures although collisions are feasible: ``md5``, ``sha1``.
        minimum_rsa_bits: shortest RSA modulus, of any certificate in the path.
        key_types: key types that may occur in the path, ``RSA`` standing for all lengths; empty = all that are known.
    """

    name: str
    key_usage_absent: bool = False
    key_usage_not_critical: bool = True
    crl_sign_on_leaf: bool = True
    further_purposes: bool = True
    time_stamping_not_critical: bool = False
    explicit_ca_false: bool = True
    odd_serial_numbers: bool = True
    anchor_binds: bool = True
    email_in_subject: bool = True
    weak_digests: frozenset[str] = frozenset()
    minimum_rsa_bits: int = 2048
    key_types: frozenset[str] = frozenset()


CODE_SIGNING = Profile("code-signing")
PROFILES = {
    profile.name: profile
    for profile in (
        CODE_SIGNING,
        Profile(
            "cabf",
            key_usage_not_critical=False,
            crl_sign_on_leaf=False,
            further_purposes=False,
            explicit_ca_false=False,
            odd_serial_numbers=False,
            minimum_rsa_bits=3072,
            key_types=frozenset({"RSA", "EC_P256", "EC_P384", "EC_P521"}),
        ),
        Profile("authenticode", key_usage_absent=True, time_stamping_not_critical=True),
        Profile("private", key_usage_absent=True),
    )
}
"""Profiles by name. ``private`` is for authorities of one's own, many of which write no keyUsage."""


def named(profile: str | Profile) -> Profile:
    """The profile of that name; a profile made by the caller is returned as it is.

    Raises:
        UsageError: there is none.
    """
    found = profile if isinstance(profile, Profile) else PROFILES.get(profile)
    if found is None:
        raise UsageError(f"'{profile}' is not a profile: expected one of {', '.join(PROFILES)}")
    return found
