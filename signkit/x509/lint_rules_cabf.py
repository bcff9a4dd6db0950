"""Rule set ``cabf``: CA/Browser Forum Code Signing Baseline Requirements (CSBR) 3.10, which public authorities keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from signkit.der import oids
from signkit.x509 import extensions
from signkit.x509.lint import CA, CERTIFICATES, EVERYTHING, LEAVES, REQUEST, SIGNER, TSA, Examined, Rule, Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

SHORT_SINCE = datetime(2026, 3, 1, tzinfo=UTC)
SHORT_DAYS = 460
_LONG_MONTHS, _TSA_MONTHS = 39, 135
_KEYS = frozenset({"EC_P256", "EC_P384", "EC_P521"})
_LEAF_BITS, _CA_BITS = 3072, 4096
_SHA1 = {oids.RSA_SHA1, oids.ECDSA_SHA1, oids.RSA_MD5}
_POLICIES = frozenset({oids.CABF_CODE_SIGNING, oids.CABF_EV_CODE_SIGNING})
_EV_ATTRIBUTES = ("serialNumber", "businessCategory", "jurisdictionC")
_LAST_YEAR = 9999
_SECOND = timedelta(seconds=1)


def _key(one: Examined) -> str:
    return _weaker_than(one.key_type, _LEAF_BITS)


def _ca_key(one: Examined) -> str:
    return _weaker_than(one.key_type, _CA_BITS)


def _weaker_than(key_type: str, bits: int) -> str:
    kind, _, size = key_type.partition("_")
    if kind == "RSA" and size.isdecimal():
        return "" if int(size) >= bits else f"RSA of {size} bits"
    return "" if key_type in _KEYS else key_type


def _sha1(one: Examined) -> str:
    return oids.name(one.signature_oid) if one.signature_oid in _SHA1 else ""


def _validity(one: Examined) -> str:
    found = one.certificate
    if found is None:
        return ""
    # Both ends belong to the validity (RFC 5280 section 4.1.2.5), hence the second.
    length = found.not_after - found.not_before + _SECOND
    if found.not_before >= SHORT_SINCE:
        return f"{length.days} days and {length.seconds} seconds" if length > timedelta(days=SHORT_DAYS) else ""
    return "" if found.not_after <= _months_after(found.not_before, _LONG_MONTHS) else f"{length.days} days"


def _tsa_validity(one: Examined) -> str:
    found = one.certificate
    if found is None or found.not_after <= _months_after(found.not_before, _TSA_MONTHS):
        return ""
    return f"{(found.not_after - found.not_before).days} days"


def _months_after(moment: datetime, months: int) -> datetime:
    """The same day so many months later; the last of the month where there is no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if year >= _LAST_YEAR:
        return datetime(_LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=UTC)
    first = moment.replace(year=year, month=month + 1, day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(moment.day, (following - timedelta(days=1)).day))


def _code_signing(one: Examined) -> str:
    if oids.CODE_SIGNING in (one.purposes or ()):
        return ""
    return ", ".join(map(oids.name, one.purposes[:8])) if one.purposes else "no extKeyUsage"


def _requested_purpose(one: Examined) -> str:
    """A request may leave the purpose to the authority; one that asks for another than its own is refused."""
    wanted = {oids.CODE_SIGNING, oids.TIME_STAMPING}
    return "" if one.purposes is None or wanted & set(one.purposes) else ", ".join(map(oids.name, one.purposes[:8]))


def _forbidden_purpose(one: Examined) -> str:
    forbidden = {oids.ANY_EXTENDED_KEY_USAGE, oids.SERVER_AUTH} & set(one.purposes or ())
    return ", ".join(sorted(map(oids.name, forbidden)))


def _tsa_purpose(one: Examined) -> str:
    return "" if one.critical(oids.EXTENDED_KEY_USAGE) else "extKeyUsage not critical"


def _key_usage(one: Examined) -> str:
    if one.key_usage is None:
        return "no keyUsage"
    if "digitalSignature" not in one.key_usage:
        return ", ".join(sorted(one.key_usage)) or "no usage"
    return "" if one.critical(oids.KEY_USAGE) else "keyUsage not critical"


def _forbidden_usage(one: Examined) -> str:
    return ", ".join(sorted({"keyCertSign", "cRLSign"} & (one.key_usage or frozenset())))


def _crl(one: Examined) -> str:
    locations = one.read(oids.CRL_DISTRIBUTION_POINTS, extensions.crl_locations)
    if locations is None:
        return "no cRLDistributionPoints"
    return (
        "" if any(where.startswith("uri:http://") for where in locations) else ", ".join(locations[:4]) or "no location"
    )


def _issuer_access(one: Examined) -> str:
    found = one.read(oids.AUTHORITY_INFO_ACCESS, extensions.accesses)
    if found is None:
        return "no authorityInfoAccess"
    issuers = [access for access in found if access.method == oids.CA_ISSUERS]
    return "" if any(access.location.startswith("uri:http://") for access in issuers) else "no caIssuers by HTTP"


def _policy(one: Examined) -> str:
    return _missing_policy(one, _POLICIES)


def _tsa_policy(one: Examined) -> str:
    return _missing_policy(one, frozenset({oids.CABF_TIME_STAMPING}))


def _missing_policy(one: Examined, wanted: frozenset[str]) -> str:
    found = one.read(oids.CERTIFICATE_POLICIES, extensions.policies)
    if found is None:
        return "no certificatePolicies"
    return "" if wanted & set(found) else ", ".join(map(oids.name, found[:8]))


def _ev_subject(one: Examined) -> str:
    policies = one.read(oids.CERTIFICATE_POLICIES, extensions.policies) or ()
    if oids.CABF_EV_CODE_SIGNING not in policies:
        return ""
    return _without(one, _EV_ATTRIBUTES)


def _subject(one: Examined) -> str:
    return _without(one, ("CN", "O", "C"))


def _without(one: Examined, wanted: tuple[str, ...]) -> str:
    from signkit.x509 import names

    present = {keyword for keyword, _tag, _text in names.values(one.subject)}
    missing = [keyword for keyword in wanted if keyword not in present]
    return f"no {', '.join(missing)}" if missing else ""


def _organizational_unit(one: Examined) -> str:
    from signkit.x509 import names

    return next((f"OU={text[:64]}" for keyword, _tag, text in names.values(one.subject) if keyword == "OU"), "")


def _hardware(one: Examined) -> str:
    return "where the private key lives is not in the request" if one.request else ""


def _lifetime(one: Examined) -> str:
    return "lifetimeSigning" if oids.LIFETIME_SIGNING in (one.purposes or ()) else ""


def _tsa_key_age(one: Examined) -> str:
    found = one.certificate
    if found is None or one.now <= (until := _months_after(found.not_before, 15)):
        return ""
    return f"its key was to be used until {until:%Y-%m-%d}"


_REQUEST_AND_LEAF = LEAVES | {REQUEST}
_SHORT = f"at most {SHORT_DAYS} days (from 2026-03-01 on; {_LONG_MONTHS} months before)"

# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("cabf.key", ERROR, _REQUEST_AND_LEAF, _key,
         "RSA of 3072 bits or more, or ECDSA on P-256, P-384 or P-521", "CSBR 6.1.5.2"),
    Rule("cabf.ca-key", ERROR, frozenset({CA}), _ca_key,
         "RSA of 4096 bits or more, or ECDSA on P-256, P-384 or P-521", "CSBR 6.1.5.1"),
    Rule("cabf.sha1", ERROR, EVERYTHING, _sha1, "SHA-256, SHA-384 or SHA-512", "CSBR 7.1.3.2.1"),
    Rule("cabf.validity", ERROR, frozenset({SIGNER}), _validity, _SHORT, "CSBR 6.3.2"),
    Rule("cabf.tsa-validity", ERROR, frozenset({TSA}), _tsa_validity, f"at most {_TSA_MONTHS} months", "CSBR 6.3.2"),
    Rule("cabf.tsa-key-age", WARNING, frozenset({TSA}), _tsa_key_age,
         "no use after 15 months from notBefore", "CSBR 6.3.2"),
    Rule("cabf.purpose", ERROR, frozenset({SIGNER}), _code_signing, "codeSigning", "CSBR 7.1.2.3 f"),
    Rule("cabf.requested-purpose", ERROR, frozenset({REQUEST}), _requested_purpose,
         "codeSigning or timeStamping", "CSBR 7.1.2.3 f"),
    Rule("cabf.forbidden-purpose", ERROR, _REQUEST_AND_LEAF, _forbidden_purpose,
         "neither anyExtendedKeyUsage nor serverAuth", "CSBR 7.1.2.3 f"),
    Rule("cabf.tsa-purpose", ERROR, frozenset({TSA}), _tsa_purpose, "critical", "CSBR 7.1.2.3 f"),
    Rule("cabf.key-usage", ERROR, LEAVES, _key_usage, "digitalSignature, critical", "CSBR 7.1.2.3 e"),
    Rule("cabf.forbidden-usage", ERROR, _REQUEST_AND_LEAF, _forbidden_usage,
         "neither keyCertSign nor cRLSign", "CSBR 7.1.2.3 e"),
    Rule("cabf.crl", ERROR, LEAVES, _crl, "where the CRL is, by HTTP", "CSBR 7.1.2.3 b"),
    Rule("cabf.issuer-access", ERROR, LEAVES, _issuer_access,
         "where the issuer's certificate is, by HTTP", "CSBR 7.1.2.3 c"),
    Rule("cabf.policy", ERROR, frozenset({SIGNER}), _policy, "2.23.140.1.4.1, or 2.23.140.1.3 for EV", "CSBR 7.1.6.1"),
    Rule("cabf.tsa-policy", ERROR, frozenset({TSA}), _tsa_policy, "2.23.140.1.4.2", "CSBR 7.1.6.1"),
    Rule("cabf.subject", WARNING, frozenset({REQUEST, SIGNER}), _subject,
         "commonName, organization and country, as they were vetted", "CSBR 7.1.4.2"),
    Rule("cabf.ev-subject", ERROR, frozenset({SIGNER}), _ev_subject, "what an EV subject must have", "CSBR 7.1.4.2.4"),
    Rule("cabf.organizational-unit", WARNING, frozenset({REQUEST}), _organizational_unit,
         "no OU, which authorities leave out", "CSBR 7.1.4.2"),
    Rule("cabf.hardware", NOTE, frozenset({REQUEST}), _hardware,
         "a key in hardware (FIPS 140-2 level 2, CC EAL 4+), and proof of it", "CSBR 6.2.7.4"),
    Rule("cabf.lifetime-signing", NOTE, CERTIFICATES, _lifetime,
         "signatures end with the certificate, timestamped or not", "CSBR 7.2"),
)
# fmt: on
