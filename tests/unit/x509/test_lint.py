"""The rule sets: every rule has something that breaks it, and what is good breaks none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from signkit.der import oids, reader, writer
from signkit.errors import UsageError
from signkit.x509 import certificate, general_names, lint, names, request
from signkit.x509.lint import Severity
from tests.support import pki

KEY, CA_KEY = pki.key(3), pki.key(2)
SUBJECT = "CN=Acme Release,O=Acme,C=DE"
ISSUED = datetime(2026, 4, 1, tzinfo=UTC)
RSA_1024, RSA_2048 = pki.rsa_key("rsa-1024"), pki.rsa_key("rsa-2048")


def uri(text: str) -> bytes:
    return general_names.parse(f"uri:{text}")


def crl(text: str) -> bytes:
    point = writer.sequence(writer.tlv(0xA0, writer.tlv(0xA0, uri(text))))
    return pki.extension(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(point))


def access(method: str, text: str) -> bytes:
    return pki.extension(oids.AUTHORITY_INFO_ACCESS, writer.sequence(writer.sequence(writer.oid(method), uri(text))))


def policies(*found: str) -> bytes:
    wrapped = (writer.sequence(writer.oid(oid)) for oid in found)
    return pki.extension(oids.CERTIFICATE_POLICIES, writer.sequence(*wrapped))


PUBLISHED = (crl("http://crl.example/a.crl"), access(oids.CA_ISSUERS, "http://crl.example/a.crt"))
PUBLIC = (*PUBLISHED, policies(oids.CABF_CODE_SIGNING))


def leaf(subject: str | bytes = SUBJECT, key: pki.Key | bytes = KEY, **fields: object) -> bytes:
    arguments = {"extra": PUBLIC, "not_before": ISSUED, "not_after": ISSUED + timedelta(days=300)} | fields
    return pki.leaf(subject, key, pki.ISSUING, CA_KEY, **arguments)  # type: ignore[arg-type]


def bare(*extensions: bytes, subject: str | bytes = SUBJECT, **fields: object) -> bytes:
    """A certificate with these extensions only."""
    arguments = {"not_before": ISSUED, "not_after": ISSUED + timedelta(days=300)} | fields
    return pki.certificate(subject, KEY, pki.ISSUING, CA_KEY, extensions, **arguments)  # type: ignore[arg-type]


def tsa(critical: bool = True, **fields: object) -> bytes:
    purpose = pki.extended_key_usage(oids.TIME_STAMPING, critical=critical)
    extra = (*PUBLISHED, policies(oids.CABF_TIME_STAMPING), purpose)
    return leaf(purposes=None, **({"extra": extra} | fields))


def csr(
    *extensions: bytes,
    subject: str | bytes = SUBJECT,
    key: pki.Key = KEY,
    attributes: bytes = b"",
    signer: pki.Key | None = None,
) -> bytes:
    """A request that asks for these extensions, with further attributes."""
    asked = writer.sequence(writer.oid(oids.EXTENSION_REQUEST), writer.set_of(writer.sequence(*extensions)))
    raw = subject if isinstance(subject, bytes) else pki.name(subject)
    field = writer.tlv(0xA0, *sorted([*([asked] if extensions else []), *([attributes] if attributes else [])]))
    body = writer.sequence(writer.integer(0), raw, key.public_key_info, field)
    by = signer or key
    return writer.sequence(body, pki.ALGORITHMS[key.algorithm], writer.bit_string(by.sign(body, key.algorithm)))


USAGE = pki.key_usage("digitalSignature")
PURPOSE = pki.extended_key_usage(oids.CODE_SIGNING)
GOOD_REQUEST = csr(USAGE, PURPOSE)


def name(oid: str, value: bytes, tag: int = reader.UTF8_STRING) -> bytes:
    """A subject with one odd value behind a common name."""
    good = writer.set_of(writer.sequence(writer.oid("2.5.4.3"), writer.tlv(reader.UTF8_STRING, b"Acme")))
    return writer.sequence(good, writer.set_of(writer.sequence(writer.oid(oid), writer.tlv(tag, value))))


def find(der: bytes, rules: str = "cabf", now: datetime = ISSUED + timedelta(days=1)) -> dict[str, lint.Finding]:
    parsed = certificate.load(der) if len(reader.parse(der).children()[0].children()) > 4 else request.load(der)
    return {finding.rule: finding for finding in lint.lint(parsed, rules, now=now)}


OU, O, C = "2.5.4.11", "2.5.4.10", "2.5.4.6"  # noqa: E741
CHALLENGE = writer.sequence(writer.oid(oids.CHALLENGE_PASSWORD), writer.set_of(writer.tlv(0x0C, b"x")))
ALTERNATIVE = pki.extension(oids.SUBJECT_ALT_NAME, writer.sequence(general_names.parse("dns:a.example")))
P256K = pki.key(7, ec.SECP256K1)

OFFENDERS: dict[str, Callable[[], bytes]] = {
    "private.proof-of-possession": lambda: csr(USAGE, PURPOSE, signer=pki.key(99)),
    "private.key-strength": lambda: leaf(key=RSA_1024),
    "private.broken-digest": lambda: leaf(algorithm="ecdsa-sha1"),
    "private.signature-algorithm": lambda: leaf(
        inner=writer.sequence(writer.oid("1.2.3.4")), outer=writer.sequence(writer.oid("1.2.3.4"))
    ),
    "private.empty-subject": lambda: leaf(subject=""),
    "private.critical-names": lambda: leaf(subject="", extra=(ALTERNATIVE,)),
    "private.common-name": lambda: leaf(subject="O=Acme"),
    "private.name-bounds": lambda: leaf(subject=name(OU, b"a" * 65)),
    "private.country": lambda: leaf(subject=name(C, b"DEU", reader.PRINTABLE_STRING)),
    "private.control-characters": lambda: leaf(subject=name(O, b"a\x00b")),
    "private.hidden-characters": lambda: leaf(subject=name(O, "a\u202eb".encode())),
    "private.string-types": lambda: leaf(subject=name(O, b"Acme", reader.T61_STRING)),
    "private.name-spaces": lambda: leaf(subject=name(O, b" Acme")),
    "private.readable-extensions": lambda: leaf(extra=(pki.extension(oids.CERTIFICATE_POLICIES, b"\x30\x05"),)),
    "private.unknown-critical": lambda: leaf(extra=(pki.extension(pki.UNKNOWN_EXTENSION, b"\x05\x00", True),)),
    "private.requested-critical": lambda: csr(pki.extension(pki.UNKNOWN_EXTENSION, b"\x05\x00", True)),
    "private.alternative-names": lambda: leaf(
        extra=(pki.extension(oids.SUBJECT_ALT_NAME, writer.sequence(writer.tlv(0x82, b"a\x00b"))),)
    ),
    "private.version": lambda: bare(version=None),
    "private.serial-number": lambda: leaf(serial=writer.tlv(0x02, b"\x7f" + bytes(20))),
    "private.serial-entropy": lambda: leaf(serial=5),
    "private.validity-order": lambda: leaf(not_after=ISSUED - timedelta(days=1)),
    "private.expired": lambda: leaf(not_after=ISSUED + timedelta(hours=1)),
    "private.not-yet-valid": lambda: leaf(not_before=ISSUED + timedelta(days=9)),
    "private.long-validity": lambda: leaf(not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    "private.subject-key-identifier": lambda: bare(pki.basic_constraints()),
    "private.leaf-key-identifier": lambda: bare(),
    "private.authority-key-identifier": lambda: leaf(identified=False),
    "private.requested-key-identifier": lambda: csr(pki.subject_key_identifier(bytes(20))),
    "private.key-usage": lambda: leaf(usages=None),
    "private.requested-key-usage": lambda: csr(),
    "private.key-usage-critical": lambda: csr(pki.key_usage("digitalSignature", critical=False)),
    "private.signing-usage": lambda: leaf(usages=("keyEncipherment",)),
    "private.ca-usage": lambda: pki.ca("CN=CA", CA_KEY, usages=("cRLSign",)),
    "private.leaf-certifies": lambda: leaf(usages=("digitalSignature", "keyCertSign")),
    "private.wants-to-be-ca": lambda: csr(pki.basic_constraints()),
    "private.ca-constraints": lambda: bare(pki.basic_constraints(critical=False)),
    "private.purpose": lambda: leaf(purposes=None),
    "private.requested-purpose": lambda: csr(USAGE),
    "private.other-purpose": lambda: leaf(purposes=(oids.EMAIL_PROTECTION,)),
    "private.any-purpose": lambda: leaf(purposes=(oids.CODE_SIGNING, oids.ANY_EXTENDED_KEY_USAGE)),
    "private.timestamp-purpose": lambda: tsa(critical=False),
    "private.challenge-password": lambda: csr(USAGE, PURPOSE, attributes=CHALLENGE),
    "cabf.key": lambda: leaf(key=RSA_2048),
    "cabf.ca-key": lambda: pki.ca("CN=CA", RSA_2048),
    "cabf.sha1": lambda: leaf(algorithm="ecdsa-sha1"),
    "cabf.validity": lambda: leaf(not_after=ISSUED + timedelta(days=460)),
    "cabf.tsa-validity": lambda: tsa(not_after=ISSUED + timedelta(days=12 * 365)),
    "cabf.tsa-key-age": lambda: tsa(not_before=ISSUED - timedelta(days=600)),
    "cabf.purpose": lambda: leaf(purposes=None),
    "cabf.requested-purpose": lambda: csr(USAGE, pki.extended_key_usage(oids.CLIENT_AUTH)),
    "cabf.forbidden-purpose": lambda: leaf(purposes=(oids.CODE_SIGNING, oids.SERVER_AUTH)),
    "cabf.tsa-purpose": lambda: tsa(critical=False),
    "cabf.key-usage": lambda: leaf(usages=("nonRepudiation",)),
    "cabf.forbidden-usage": lambda: csr(pki.key_usage("digitalSignature", "cRLSign")),
    "cabf.crl": lambda: leaf(extra=(*PUBLIC[1:], crl("ldap://crl.example/"))),
    "cabf.issuer-access": lambda: leaf(extra=(PUBLIC[0], access("1.3.6.1.5.5.7.48.1", "http://ocsp.example/"))),
    "cabf.policy": lambda: leaf(extra=(*PUBLISHED, policies("1.2.3"))),
    "cabf.tsa-policy": lambda: tsa(extra=(*PUBLISHED, pki.extended_key_usage(oids.TIME_STAMPING, critical=True))),
    "cabf.subject": lambda: csr(USAGE, PURPOSE, subject="CN=Acme"),
    "cabf.ev-subject": lambda: leaf(extra=(*PUBLISHED, policies(oids.CABF_EV_CODE_SIGNING))),
    "cabf.organizational-unit": lambda: csr(USAGE, PURPOSE, subject="CN=Acme,OU=Release,O=Acme,C=DE"),
    "cabf.hardware": lambda: GOOD_REQUEST,
    "cabf.lifetime-signing": lambda: leaf(purposes=(oids.CODE_SIGNING, oids.LIFETIME_SIGNING)),
    "microsoft.key": lambda: leaf(),
    "microsoft.key-size": lambda: leaf(key=_large_rsa()),
    "microsoft.ev-policy": lambda: leaf(extra=(*PUBLISHED, policies(oids.CABF_EV_CODE_SIGNING))),
}


def _large_rsa() -> bytes:
    """SubjectPublicKeyInfo of an RSA key of 8192 bits; nobody has its private key."""
    key = writer.sequence(writer.integer((1 << 8191) + 1), writer.integer(65537))
    algorithm = writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL)
    return writer.sequence(algorithm, writer.bit_string(key))


@pytest.mark.parametrize("rule", [rule.id for rule in lint.rules("cabf")])
def test_every_rule_finds_what_breaks_it(rule: str) -> None:
    finding = find(OFFENDERS[rule]())[rule]
    assert finding.found
    assert finding.expected
    assert finding.source


def test_rules_have_names_of_their_own_and_belong_to_their_set() -> None:
    ids = [rule.id for rule in lint.rules("cabf")]
    assert len(set(ids)) == len(ids)
    assert set(OFFENDERS) == set(ids)
    assert all(rule.id.startswith("private.") for rule in lint.rules("private"))
    assert {rule.severity for rule in lint.rules("cabf") if rule.id.startswith("microsoft.")} == {Severity.WARNING}


def test_what_is_good_breaks_no_rule() -> None:
    for der in (leaf(), tsa(), pki.chain().root, pki.chain().issuing, GOOD_REQUEST):
        assert not find(der, "private")
    for der in (leaf(), tsa(), pki.chain().root):
        assert not {rule for rule in find(der) if not rule.startswith("microsoft.")}
    assert set(find(GOOD_REQUEST)) == {"cabf.hardware", "microsoft.key"}


@pytest.mark.parametrize(
    ("not_before", "not_after", "kept"),
    [
        # Both ends count: 460 days are 460 times 86,400 seconds (RFC 5280 section 4.1.2.5).
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 6, 3, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 6, 4, tzinfo=UTC), False),
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2029, 5, 28, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2029, 5, 29, tzinfo=UTC), False),
        (datetime(2024, 11, 30, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC), True),
        (datetime(2024, 11, 30, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC), False),
    ],
)
def test_the_longest_validity(not_before: datetime, not_after: datetime, kept: bool) -> None:
    der = leaf(not_before=not_before, not_after=not_after)
    assert ("cabf.validity" not in find(der)) is kept


@pytest.mark.parametrize(
    ("key", "kept"), [(KEY, True), (pki.key(5, ec.SECP384R1), True), (P256K, False), (RSA_2048, False)]
)
def test_keys_of_public_authorities(key: pki.Key, kept: bool) -> None:
    assert ("cabf.key" not in find(leaf(key=key))) is kept


def test_serial_numbers_at_the_bound() -> None:
    def ids(serial: bytes) -> set[str]:
        return set(find(leaf(serial=writer.tlv(0x02, serial)), "private"))

    assert "private.serial-number" not in ids(b"\x7f" + bytes(19))
    assert "private.serial-number" in ids(b"\x00" + b"\x80" + bytes(19))


def test_the_gravest_comes_first() -> None:
    found = lint.lint(request.load(csr(subject="O=Acme", signer=pki.key(9))), "cabf", now=ISSUED)
    ranks = [list(Severity).index(one.severity) for one in found]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0
    assert ranks[-1] == 2
    assert lint.has_errors(found)


def test_an_unknown_rule_set() -> None:
    with pytest.raises(UsageError, match="private cabf"):
        lint.lint(request.load(GOOD_REQUEST), "zlint", now=ISSUED)


def test_a_timestamp_request_of_our_own_is_good() -> None:
    info = request.to_be_signed(
        names.parse(SUBJECT), KEY.public_key_info, key_usage=("digitalSignature",), purposes=(oids.TIME_STAMPING,)
    )
    der = writer.sequence(info, pki.ALGORITHMS[KEY.algorithm], writer.bit_string(KEY.sign(info)))
    assert not find(der, "private")
