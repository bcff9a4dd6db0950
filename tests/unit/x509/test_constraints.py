"""Name constraints: every kind of name, inside and outside of its subtrees, well-formed and not."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from signkit.der import oids, writer
from signkit.x509 import certificate, constraints, profiles, validation
from signkit.x509.path import Bag
from tests.support import extensions as made
from tests.support import pki

CHAIN = pki.chain()
V4 = bytes([10, 1, 0, 0, 255, 255, 0, 0])
V6 = bytes.fromhex("20010db8" + "00" * 12 + "ffffffff" + "00" * 12)


def judge(
    subtrees: bytes, *names: bytes, subject: str = pki.SIGNER, profile: object = "code-signing", at_root: bool = False
) -> list[str]:
    """Faults of a chain whose issuing CA (or root) has these constraints, and whose leaf has these names."""
    root = pki.ca(pki.ROOT, pki.key(1), extra=[subtrees] if at_root else [])
    issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), extra=[] if at_root else [subtrees])
    extra = [made.alternative_names(*names)] if names else []
    leaf = pki.leaf(subject, pki.key(3), pki.ISSUING, pki.key(2), extra=extra)
    result = validation.validate_in(certificate.load(leaf), Bag([root], [issuing]), at=pki.NOW, profile=profile)  # type: ignore[arg-type]
    return [check.name for check in result.faults]


REFUSED = ["path.1.name-constraints"]

INSIDE = [
    (made.dns("example.com"), made.dns("example.com")),
    (made.dns("example.com"), made.dns("a.b.EXAMPLE.com")),
    (made.dns("EXAMPLE.com"), made.dns("*.example.com")),
    (made.dns("com"), made.dns("example.com")),
    (made.dns(""), made.dns("example.com")),
    (made.email("a@example.com"), made.email("a@EXAMPLE.com")),
    (made.email("example.com"), made.email("anybody@example.com")),
    (made.email(".example.com"), made.email("anybody@mail.example.com")),
    (made.uri("example.com"), made.uri("https://example.com/path?a=b@c")),
    (made.uri("example.com"), made.uri("https://user@example.com:443")),
    (made.uri(".example.com"), made.uri("ftp://a.b.example.com")),
    (made.ip(V4), made.ip(bytes([10, 1, 2, 3]))),
    (made.ip(V6), made.ip(bytes.fromhex("20010db8" + "ff" * 12))),
    (made.directory("O=Acme"), made.directory("CN=x,O=Acme")),
    (made.directory("O=Acme"), made.directory("CN=x,O=ACME")),
]
OUTSIDE = [
    (made.dns("example.com"), made.dns("example.org")),
    (made.dns("example.com"), made.dns("badexample.com")),
    (made.dns("www.example.com"), made.dns("example.com")),
    (made.dns("www.example.com"), made.dns("*.example.org")),
    (made.email("a@example.com"), made.email("A@example.com")),
    (made.email("example.com"), made.email("a@mail.example.com")),
    (made.email(".example.com"), made.email("a@example.com")),
    (made.uri("example.com"), made.uri("https://www.example.com")),
    (made.uri(".example.com"), made.uri("https://example.com")),
    (made.uri("example.com"), made.uri("https://example.com@evil.org/")),
    (made.ip(V4), made.ip(bytes([10, 2, 0, 0]))),
    (made.ip(V4), made.ip(bytes(16))),
    (made.ip(V6), made.ip(bytes(16))),
    (made.directory("O=Acme"), made.directory("CN=x,O=Acme Inc")),
    (made.directory("CN=x,O=Acme"), made.directory("O=Acme")),
]
MALFORMED = [
    (made.dns(".example.com"), made.dns("a.example.com")),
    (made.dns("*.example.com"), made.dns("a.example.com")),
    (made.dns("exa mple"), made.dns("a.example.com")),
    (made.dns("example.com"), made.dns("a..example.com")),
    (made.dns("example.com"), made.dns("a.*.example.com")),
    (made.dns("example.com"), made.dns("example.com.")),
    (made.dns("example.com"), writer.tlv(0x82, b"\xff.example.com")),
    (made.email("@example.com"), made.email("a@example.com")),
    (made.email("example.com"), made.email("no mailbox")),
    (made.email("example.com"), made.email("a@b@example.com")),
    (made.uri("example.com"), made.uri("mailto:a@example.com")),
    (made.uri("example.com"), made.uri("https://10.1.2.3/")),
    (made.uri("example.com"), made.uri("https://[2001:db8::1]/")),
    (made.uri("example.com"), made.uri("https:///path")),
    (made.ip(V4[:4]), made.ip(V4[:4])),
    (made.ip(bytes([10, 1, 0, 0, 255, 0, 255, 0])), made.ip(bytes([10, 1, 0, 0]))),
    (made.ip(V4), made.ip(bytes(5))),
    (made.registered("1.2.3"), made.registered("1.2.3")),
    (made.other(), made.other()),
]


@pytest.mark.parametrize(("base", "name"), INSIDE)
def test_inside(base: bytes, name: bytes) -> None:
    assert judge(made.constraints(permitted=[base]), name, subject="") == []
    assert judge(made.constraints(excluded=[base]), name, subject="") == REFUSED


@pytest.mark.parametrize(("base", "name"), OUTSIDE)
def test_outside(base: bytes, name: bytes) -> None:
    assert judge(made.constraints(permitted=[base]), name, subject="") == REFUSED
    assert judge(made.constraints(excluded=[base]), name, subject="") == []


@pytest.mark.parametrize(("base", "name"), MALFORMED)
def test_what_is_not_understood_is_refused_when_such_a_name_occurs(base: bytes, name: bytes) -> None:
    assert judge(made.constraints(permitted=[base]), name) == REFUSED
    assert judge(made.constraints(excluded=[base]), name) == REFUSED
    assert judge(made.constraints(permitted=[base])) == []


def test_a_wildcard_that_covers_an_excluded_name_is_refused() -> None:
    assert judge(made.constraints(excluded=[made.dns("www.example.com")]), made.dns("*.example.com")) == REFUSED
    assert judge(made.constraints(excluded=[made.dns("a.www.example.com")]), made.dns("*.example.com")) == []
    assert judge(made.constraints(permitted=[made.dns("www.example.com")]), made.dns("*.example.com")) == REFUSED


def test_every_name_must_fit_and_one_permitted_subtree_is_enough() -> None:
    subtrees = made.constraints(permitted=[made.dns("a.example"), made.dns("b.example")])
    assert judge(subtrees, made.dns("x.a.example"), made.dns("b.example")) == []
    assert judge(subtrees, made.dns("x.a.example"), made.dns("c.example")) == REFUSED
    assert judge(subtrees, made.ip(bytes(4))) == []


def test_what_is_excluded_is_excluded_although_it_is_permitted() -> None:
    subtrees = made.constraints([made.dns("example.com")], [made.dns("secret.example.com")])
    assert judge(subtrees, made.dns("www.example.com")) == []
    assert judge(subtrees, made.dns("www.secret.example.com")) == REFUSED


@pytest.mark.parametrize("critical", [True, False])
def test_the_subject_is_a_directory_name(critical: bool) -> None:
    assert judge(made.constraints([made.directory("O=Acme")], critical=critical)) == []
    assert judge(made.constraints([made.directory("O=Other")], critical=critical)) == REFUSED
    assert judge(made.constraints([], [made.directory("O=Acme")], critical=critical)) == REFUSED


def test_constraints_of_the_anchor_bind_where_the_profile_says_so() -> None:
    subtrees = made.constraints([made.directory("O=Other")])
    assert judge(subtrees, at_root=True) == ["path.2.name-constraints"]
    free = profiles.CODE_SIGNING._replace(anchor_binds=False)
    assert judge(subtrees, at_root=True, profile=free) == []
    assert judge(subtrees, profile=free) == REFUSED


def test_an_address_in_the_subject() -> None:
    """RFC 5280 section 4.2.1.10 binds it when there is no subjectAltName; the profiles go further."""
    subject = "CN=x+emailAddress=x@evil.org,O=Acme"
    subtrees = made.constraints(permitted=[made.email("example.com")])
    by_the_letter = profiles.CODE_SIGNING._replace(email_in_subject=False)
    assert judge(subtrees, subject=subject) == REFUSED
    assert judge(subtrees, subject=subject, profile=by_the_letter) == REFUSED
    assert judge(subtrees, made.dns("a.example"), subject=subject) == REFUSED
    assert judge(subtrees, made.dns("a.example"), subject=subject, profile=by_the_letter) == []


def test_self_issued_authorities_are_exempt_and_a_self_issued_leaf_is_not() -> None:
    """RFC 5280 section 6.1.3 (b)."""
    subtrees = made.constraints(excluded=[made.directory("O=signkit tests")])
    issuing = pki.ca("CN=A,O=signkit tests", pki.key(2), pki.ROOT, pki.key(1), extra=[subtrees])
    rollover = pki.ca("CN=A,O=signkit tests", pki.key(4), "CN=A,O=signkit tests", pki.key(2))
    for subject, expected in (("CN=x,O=Acme", True), ("CN=A,O=signkit tests", False)):
        leaf = pki.leaf(subject, pki.key(3), "CN=A,O=signkit tests", pki.key(4))
        bag = Bag([CHAIN.root], [issuing, rollover])
        assert bool(validation.validate_in(certificate.load(leaf), bag, at=pki.NOW)) is expected


@pytest.mark.parametrize(
    "value",
    [
        writer.sequence(),
        writer.sequence(writer.tlv(0xA0)),
        writer.sequence(writer.tlv(0xA2, writer.sequence(made.dns("a")))),
        writer.sequence(*(writer.tlv(tag, writer.sequence(made.dns("a"))) for tag in (0xA1, 0xA0))),
        writer.sequence(writer.tlv(0xA0, writer.sequence(made.dns("a"), writer.tlv(0x80, b"\x00")))),
        writer.sequence(writer.tlv(0xA0, writer.sequence(made.dns("a"), writer.tlv(0x81, b"\x05")))),
        writer.sequence(writer.tlv(0xA0, writer.sequence(writer.tlv(0x89, b"")))),
        writer.sequence(writer.tlv(0xA0, writer.sequence(writer.tlv(0xA4)))),
        writer.sequence(writer.tlv(0xA0, writer.sequence(writer.tlv(0xA2, b"")))),
        writer.sequence(writer.tlv(0xA0, writer.NULL)),
    ],
    ids=["empty", "no subtree", "tag", "order", "minimum", "maximum", "kind", "no name", "form", "no sequence"],
)  # fmt: skip
def test_malformed_extensions_are_refused(value: bytes) -> None:
    assert judge(pki.extension(oids.NAME_CONSTRAINTS, value, True)) == REFUSED


def test_a_malformed_subject_alternative_name_is_refused_under_constraints() -> None:
    for value in (writer.sequence(), writer.sequence(writer.NULL)):
        leaf = pki.leaf(
            pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=[pki.extension(oids.SUBJECT_ALT_NAME, value)]
        )
        subtrees = made.constraints(excluded=[made.dns("a")])
        issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), extra=[subtrees])
        bag = Bag([CHAIN.root], [issuing])
        assert not validation.validate_in(certificate.load_accepted(leaf), bag, at=pki.NOW)


def test_a_malformed_subject_alternative_name_is_refused_when_it_is_critical() -> None:
    for critical, expected in ((True, ["path.0.unknown-critical-extensions"]), (False, [])):
        odd = pki.extension(oids.SUBJECT_ALT_NAME, writer.sequence(), critical)
        leaf = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), extra=[odd])
        bag = Bag([CHAIN.root], [CHAIN.issuing])
        found = validation.validate_in(certificate.load_accepted(leaf), bag, at=pki.NOW)
        assert [check.name for check in found.faults] == expected


def test_ten_thousand_constraints_and_ten_thousand_names() -> None:
    """Honest or not, it ends soon, takes little memory, and has the right verdict."""
    count = 10_000
    bases = [made.dns(f"d{n}.example") for n in range(count)]
    fitting = [made.dns(f"www.d{n}.example") for n in range(count)]
    subtrees = made.constraints(bases, [made.dns("evil.example")])
    tracemalloc.start()
    started = time.process_time()
    accepted = judge(subtrees, *fitting)
    refused = judge(subtrees, *fitting[:-1], made.dns("www.evil.example"))
    took, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (accepted, refused) == ([], REFUSED)
    assert took < 4  # two validations, with the certificates made and traced
    assert peak < 200 << 20


def test_the_budget_of_names_ends_the_search() -> None:
    names = [made.dns(f"n{n}.example") for n in range(7000)]
    keys = [pki.key(6000 + n) for n in range(12)]
    subtrees = made.constraints(permitted=[made.dns("example")])
    bag = [
        pki.ca(f"CN=L{n}", keys[n], f"CN=L{n + 1}" if n < 11 else pki.ROOT, keys[n + 1] if n < 11 else pki.key(1),
               extra=[subtrees])
        for n in range(12)
    ]  # fmt: skip
    leaf = pki.leaf(pki.SIGNER, pki.key(3), "CN=L0", keys[0], extra=[made.alternative_names(*names)])
    found = validation.validate_in(certificate.load(leaf), Bag([CHAIN.root], bag), at=pki.NOW)
    assert not found
    assert any("given up after looking up" in line for line in found.tried)


def test_names_for_people() -> None:
    names = [
        constraints.GeneralName(constraints.DNS, b"a\xff"),
        constraints.GeneralName(constraints.DIRECTORY, b"junk"),
        constraints.GeneralName(constraints.IP, bytes([10, 0, 0, 1])),
        constraints.GeneralName(constraints.IP, bytes(16)),
    ]
    texts = [constraints.describe(name) for name in names]
    assert texts[1:3] == ["directoryName", "iPAddress 10.0.0.1"]
