"""Rule set ``private``: what RFC 5280 demands, and what any careful authority and verifier will ask for."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

from signkit import algorithms
from signkit.algorithms import digests
from signkit.der import oids, reader
from signkit.x509 import extensions, general_names, names
from signkit.x509.lint import CA, CERTIFICATES, EVERYTHING, LEAVES, REQUEST, SIGNER, TSA, Examined, Rule, Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

_BROKEN_DIGESTS = {
    oids.RSA_MD5: "md5WithRSAEncryption",
    oids.RSA_SHA1: "sha1WithRSAEncryption",
    oids.ECDSA_SHA1: "ecdsa-with-SHA1",
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.10040.4.3": "dsa-with-sha1",
}
_PROCESSED = frozenset(
    {
        oids.KEY_USAGE,
        oids.EXTENDED_KEY_USAGE,
        oids.BASIC_CONSTRAINTS,
        oids.SUBJECT_ALT_NAME,
        oids.NAME_CONSTRAINTS,
        oids.CERTIFICATE_POLICIES,
        oids.POLICY_CONSTRAINTS,
        oids.POLICY_MAPPINGS,
        oids.INHIBIT_ANY_POLICY,
        oids.CRL_DISTRIBUTION_POINTS,
    }
)
_SIGNING_USAGES = frozenset({"digitalSignature", "nonRepudiation"})
_MAXIMUM_SERIAL_BITS = 159
_ODD_STRINGS = {reader.T61_STRING: "TeletexString", reader.UNIVERSAL_STRING: "UniversalString"}
_OPEN_END = 9999
_LONG_DAYS = 3 * 366


def _proof(one: Examined) -> str:
    return one.request.proof_of_possession() if one.request else ""


def _weak_key(one: Examined) -> str:
    return algorithms.weakness(one.key_type).partition(",")[0]


def _broken_digest(one: Examined) -> str:
    return _BROKEN_DIGESTS.get(one.signature_oid, "")


def _unknown_signature(one: Examined) -> str:
    if one.signature_oid in _BROKEN_DIGESTS or algorithms.identify(one.signature_algorithm) is not None:
        return ""
    return algorithms.describe(one.signature_algorithm)


def _empty_subject(one: Examined) -> str:
    return "" if one.subject or oids.SUBJECT_ALT_NAME in one.extensions else "an empty subject, and no other name"


def _uncritical_name(one: Examined) -> str:
    lone = not one.subject and oids.SUBJECT_ALT_NAME in one.extensions
    return (
        "an empty subject, and subjectAltName not critical" if lone and not one.critical(oids.SUBJECT_ALT_NAME) else ""
    )


def _no_common_name(one: Examined) -> str:
    return "" if any(keyword == "CN" for keyword, _, _ in names.values(one.subject)) else "no commonName"


def _long_values(one: Examined) -> str:
    limits = {keyword: names.MAXIMUM_LENGTH.get(oid) for keyword, oid in names.ATTRIBUTE_TYPES.items()}
    for keyword, _tag, text in names.values(one.subject):
        limit = limits.get(keyword)
        if limit and len(text) > limit:
            return f"{keyword} of {len(text)} characters"
    return ""


def _country(one: Examined) -> str:
    for keyword, _tag, text in names.values(one.subject):
        if keyword in ("C", "jurisdictionC") and not (len(text) == 2 and text.isascii() and text.isupper()):
            return f"{keyword}={text}"
    return ""


def _control_characters(one: Examined) -> str:
    return _characters(one, ("Cc", "Cs", "Zl", "Zp"))


def _hidden_characters(one: Examined) -> str:
    return _characters(one, ("Cf", "Co", "Cn"))


def _characters(one: Examined, categories: tuple[str, ...]) -> str:
    for keyword, _tag, text in names.values(one.subject):
        found = [f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in categories]
        if found:
            return f"{keyword} with {' '.join(found[:8])}"
    return ""


def _odd_strings(one: Examined) -> str:
    for keyword, tag, _text in names.values(one.subject):
        if tag in _ODD_STRINGS:
            return f"{keyword} as {_ODD_STRINGS[tag]}"
    return ""


def _surrounding_spaces(one: Examined) -> str:
    return next((k for k, _, text in names.values(one.subject) if text != text.strip() or not text), "")


def _unreadable(one: Examined) -> str:
    bad = [d.name for d in extensions.describe(one.extensions) if d.words and d.words[0].startswith("malformed (")]
    return ", ".join(bad)


def _unknown_critical(one: Examined) -> str:
    unknown = [oids.name(o) for o, found in one.extensions.items() if found.critical and o not in _PROCESSED]
    return ", ".join(unknown[:8])


def _strange_names(one: Examined) -> str:
    found = one.read(oids.SUBJECT_ALT_NAME, general_names.read) or ()
    shown = [general_names.describe(name) for name in found[: general_names.MAXIMUM_NAMES]]
    strange = [
        name for name in shown if name.startswith(("malformed:", "tag ", "x400:", "edi:")) or not name.isprintable()
    ]
    return ascii(strange[0])[1:-1] if strange else ""


def _version(one: Examined) -> str:
    return f"version {one.certificate.version}" if one.certificate and one.certificate.version != 3 else ""


def _serial(one: Examined) -> str:
    number = one.certificate.serial_number if one.certificate else 1
    if number <= 0:
        return "zero" if number == 0 else "a negative number"
    return f"{number.bit_length()} bits" if number.bit_length() > _MAXIMUM_SERIAL_BITS else ""


def _short_serial(one: Examined) -> str:
    number = one.certificate.serial_number if one.certificate else 0
    return f"{number.bit_length()} bits" if 0 < number.bit_length() < 64 else ""


def _validity_order(one: Examined) -> str:
    found = one.certificate
    if found and found.not_after < found.not_before:
        return f"notAfter {found.not_after:%Y-%m-%d} before notBefore {found.not_before:%Y-%m-%d}"
    return ""


def _expired(one: Examined) -> str:
    ended = one.certificate is not None and one.certificate.not_after < one.now
    return f"ended at {one.certificate.not_after:%Y-%m-%dT%H:%M:%SZ}" if ended and one.certificate else ""


def _not_yet(one: Examined) -> str:
    early = one.certificate is not None and one.certificate.not_before > one.now
    return f"begins at {one.certificate.not_before:%Y-%m-%dT%H:%M:%SZ}" if early and one.certificate else ""


def _endless(one: Examined) -> str:
    found = one.certificate
    if found is None:
        return ""
    if found.not_after.year == _OPEN_END:
        return "no end (the year 9999)"
    length = found.not_after - found.not_before
    return f"{length.days} days" if length > timedelta(days=_LONG_DAYS) else ""


def _no_subject_key_identifier(one: Examined) -> str:
    return "" if oids.SUBJECT_KEY_IDENTIFIER in one.extensions else "no subjectKeyIdentifier"


def _no_authority_key_identifier(one: Examined) -> str:
    if one.certificate is None or one.certificate.self_issued or oids.AUTHORITY_KEY_IDENTIFIER in one.extensions:
        return ""
    return "no authorityKeyIdentifier"


def _key_identifier_of_another(one: Examined) -> str:
    """The identifier may be any value; in a request one that is not of the key is a copy of somebody's certificate."""
    value = one.read(oids.SUBJECT_KEY_IDENTIFIER, lambda v: reader.parse(v, reader.OCTET_STRING).content)
    if value is None:
        return ""
    bits = reader.bit_string(reader.parse(one.public_key_info).children()[1])
    usual = {digests.digest(name, data)[:20] for name in ("sha1", "sha256") for data in (bits, one.public_key_info)}
    return "" if value[:20] in usual or value in usual else value.hex()[:64]


def _no_key_usage(one: Examined) -> str:
    return "" if oids.KEY_USAGE in one.extensions else "no keyUsage"


def _uncritical_key_usage(one: Examined) -> str:
    return "keyUsage not critical" if oids.KEY_USAGE in one.extensions and not one.critical(oids.KEY_USAGE) else ""


def _cannot_sign(one: Examined) -> str:
    usages = one.key_usage
    return ", ".join(sorted(usages)) or "no usage" if usages is not None and not usages & _SIGNING_USAGES else ""


def _ca_cannot_certify(one: Examined) -> str:
    usages = one.key_usage
    return ", ".join(sorted(usages)) or "no usage" if usages is not None and "keyCertSign" not in usages else ""


def _leaf_certifies(one: Examined) -> str:
    return "keyCertSign" if "keyCertSign" in (one.key_usage or ()) else ""


def _wants_ca(one: Examined) -> str:
    words = one.read(oids.BASIC_CONSTRAINTS, lambda v: reader.parse(v, reader.SEQUENCE).children())
    return "basicConstraints with cA TRUE" if words and words[0].raw == b"\x01\x01\xff" else ""


def _uncritical_constraints(one: Examined) -> str:
    return "" if one.critical(oids.BASIC_CONSTRAINTS) else "basicConstraints not critical"


def _no_purpose(one: Examined) -> str:
    return "" if oids.EXTENDED_KEY_USAGE in one.extensions else "no extKeyUsage"


def _other_purpose(one: Examined) -> str:
    purposes = one.purposes
    if purposes is None or {oids.CODE_SIGNING, oids.TIME_STAMPING, oids.ANY_EXTENDED_KEY_USAGE} & set(purposes):
        return ""
    return ", ".join(map(oids.name, purposes[:8]))


def _any_purpose(one: Examined) -> str:
    return "anyExtendedKeyUsage" if oids.ANY_EXTENDED_KEY_USAGE in (one.purposes or ()) else ""


def _timestamp_purpose(one: Examined) -> str:
    if not one.for_timestamps:
        return ""
    if one.purposes != (oids.TIME_STAMPING,):
        return "timeStamping together with " + ", ".join(
            oids.name(p) for p in one.purposes or () if p != oids.TIME_STAMPING
        )
    return "" if one.critical(oids.EXTENDED_KEY_USAGE) else "extKeyUsage not critical"


def _challenge(one: Examined) -> str:
    return "challengePassword" if one.request and oids.CHALLENGE_PASSWORD in one.request.attributes else ""


_LEAF_AND_REQUEST = LEAVES | {REQUEST}
_POSSESSION = "a signature by the key that the request carries"
_SIGNING_USAGE = "digitalSignature (or nonRepudiation)"

# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("private.proof-of-possession", ERROR, frozenset({REQUEST}), _proof, _POSSESSION, "RFC 2986 3"),
    Rule("private.key-strength", ERROR, EVERYTHING, _weak_key,
         "RSA of 2048 bits or more, or a known curve", "NIST SP 800-57"),
    Rule("private.broken-digest", ERROR, EVERYTHING, _broken_digest, "SHA-256 or stronger", "RFC 6194, RFC 6151"),
    Rule("private.signature-algorithm", WARNING, EVERYTHING, _unknown_signature,
         "an algorithm that verifiers know", "RFC 5280 4.1.1.2"),
    Rule("private.empty-subject", ERROR, EVERYTHING, _empty_subject, "a subject", "RFC 5280 4.1.2.6"),
    Rule("private.critical-names", ERROR, EVERYTHING, _uncritical_name,
         "critical where it is the only name", "RFC 5280 4.2.1.6"),
    Rule("private.common-name", WARNING, EVERYTHING, _no_common_name,
         "a commonName, which people are shown", "X.520 6.2.2"),
    Rule("private.name-bounds", ERROR, EVERYTHING, _long_values, "the upper bounds", "RFC 5280 A.1"),
    Rule("private.country", ERROR, EVERYTHING, _country, "two capital letters (ISO 3166)", "RFC 5280 A.1"),
    Rule("private.control-characters", ERROR, EVERYTHING, _control_characters,
         "characters that can be shown", "RFC 4518 2.2"),
    Rule("private.hidden-characters", WARNING, EVERYTHING, _hidden_characters,
         "no character that hides or reorders others", "RFC 4518 2.2"),
    Rule("private.string-types", WARNING, EVERYTHING, _odd_strings,
         "UTF8String or PrintableString", "RFC 5280 4.1.2.4"),
    Rule("private.name-spaces", WARNING, EVERYTHING, _surrounding_spaces,
         "values without spaces around them", "RFC 4518 2.6"),
    Rule("private.readable-extensions", ERROR, EVERYTHING, _unreadable,
         "the structure that the standard gives", "RFC 5280 4.2.1"),
    Rule("private.unknown-critical", ERROR, CERTIFICATES, _unknown_critical,
         "only critical extensions that verifiers process", "RFC 5280 4.2"),
    Rule("private.requested-critical", WARNING, frozenset({REQUEST}), _unknown_critical,
         "only critical extensions that authorities know", "RFC 5280 4.2"),
    Rule("private.alternative-names", WARNING, EVERYTHING, _strange_names,
         "names of the usual forms", "RFC 5280 4.2.1.6"),
    Rule("private.version", ERROR, CERTIFICATES, _version, "version 3", "RFC 5280 4.1.2.1"),
    Rule("private.serial-number", ERROR, CERTIFICATES, _serial,
         "a positive number of at most 20 octets", "RFC 5280 4.1.2.2"),
    Rule("private.serial-entropy", NOTE, LEAVES, _short_serial, "64 bits or more from a random source", "CSBR 7.1"),
    Rule("private.validity-order", ERROR, CERTIFICATES, _validity_order,
         "notBefore before notAfter", "RFC 5280 4.1.2.5"),
    Rule("private.expired", ERROR, CERTIFICATES, _expired, "a certificate that is valid now", "RFC 5280 6.1.3"),
    Rule("private.not-yet-valid", WARNING, CERTIFICATES, _not_yet, "a certificate that is valid now", "RFC 5280 6.1.3"),
    Rule("private.long-validity", NOTE, LEAVES, _endless,
         f"at most {_LONG_DAYS} days, so that keys are replaced", "NIST SP 800-57 5.3"),
    Rule("private.subject-key-identifier", ERROR, frozenset({CA}), _no_subject_key_identifier,
         "one in every CA certificate", "RFC 5280 4.2.1.2"),
    Rule("private.leaf-key-identifier", NOTE, LEAVES, _no_subject_key_identifier,
         "one in every certificate", "RFC 5280 4.2.1.2"),
    Rule("private.authority-key-identifier", WARNING, CERTIFICATES, _no_authority_key_identifier,
         "one in every issued certificate", "RFC 5280 4.2.1.1"),
    Rule("private.requested-key-identifier", WARNING, frozenset({REQUEST}), _key_identifier_of_another,
         "a digest of the key", "RFC 5280 4.2.1.2"),
    Rule("private.key-usage", WARNING, CERTIFICATES, _no_key_usage, "a keyUsage", "RFC 5280 4.2.1.3"),
    Rule("private.requested-key-usage", NOTE, frozenset({REQUEST}), _no_key_usage,
         "one, unless the authority decides alone", "RFC 5280 4.2.1.3"),
    Rule("private.key-usage-critical", WARNING, EVERYTHING, _uncritical_key_usage, "critical", "RFC 5280 4.2.1.3"),
    Rule("private.signing-usage", ERROR, _LEAF_AND_REQUEST, _cannot_sign, _SIGNING_USAGE, "RFC 5280 4.2.1.3"),
    Rule("private.ca-usage", ERROR, frozenset({CA}), _ca_cannot_certify, "keyCertSign", "RFC 5280 4.2.1.3"),
    Rule("private.leaf-certifies", ERROR, _LEAF_AND_REQUEST, _leaf_certifies,
         "keyCertSign in CA certificates alone", "RFC 5280 4.2.1.9"),
    Rule("private.wants-to-be-ca", ERROR, frozenset({REQUEST}), _wants_ca,
         "no CA: signkit's keys sign artifacts", "RFC 5280 4.2.1.9"),
    Rule("private.ca-constraints", ERROR, frozenset({CA}), _uncritical_constraints,
         "critical in CA certificates", "RFC 5280 4.2.1.9"),
    Rule("private.purpose", WARNING, LEAVES, _no_purpose, "codeSigning", "RFC 5280 4.2.1.12"),
    Rule("private.requested-purpose", NOTE, frozenset({REQUEST}), _no_purpose,
         "one, unless the authority decides alone", "RFC 5280 4.2.1.12"),
    Rule("private.other-purpose", ERROR, frozenset({REQUEST, SIGNER}), _other_purpose,
         "codeSigning or timeStamping", "RFC 5280 4.2.1.12"),
    Rule("private.any-purpose", WARNING, _LEAF_AND_REQUEST, _any_purpose, "named purposes only", "RFC 5280 4.2.1.12"),
    Rule("private.timestamp-purpose", ERROR, frozenset({REQUEST, TSA}), _timestamp_purpose,
         "timeStamping alone, critical", "RFC 3161 2.3"),
    Rule("private.challenge-password", WARNING, frozenset({REQUEST}), _challenge,
         "none: whoever sees the request reads it", "RFC 2985 5.4.1"),
)
# fmt: on
