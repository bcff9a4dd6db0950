"""Requests, certificates and bundles, broken in every way: only our errors, in bounded time, and nothing wrongly taken.

What goes in is mutated, grown or made up; what comes out of reading, describing and checking is a result or a
``SignkitError``, and a request whose signed part was changed never proves possession.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signkit.cli.tables import tree
from signkit.der import oids, pkcs12, writer
from signkit.errors import BindingError, MalformedError, SignkitError
from signkit.report import x509 as report
from signkit.report.printable import printable
from signkit.x509 import bundle, certificate, general_names, lint, names, pem, request
from tests.support import pki
from tests.support.cms_builder import SignedData
from tests.support.onboarding import House
from tests.support.signing import key_pair

PAIR = key_pair("EC_P256")
CHAIN = pki.chain()
SECONDS = 5.0
"""Most that one input may cost; what is usual is a hundredth of a second."""


def good_request() -> bytes:
    asked = ("email:a@b.example", "dns:a.example", "uri:https://a.example", "ip:::1", "upn:ä@b", "dirname:CN=A")
    info = request.to_be_signed(
        names.parse("CN=Zoë+UID=7,O=Acme\\, Inc.,C=DE"),
        PAIR.public_key_info,
        key_usage=("digitalSignature",),
        purposes=(oids.CODE_SIGNING,),
        alternative_names=general_names.parse_all(asked),
    )
    algorithm = PAIR.key_type.algorithms[0]
    return request.assemble(info, algorithm, PAIR.sign(algorithm, info))


REQUEST = good_request()
SEEDS = {
    "request": REQUEST,
    "leaf": CHAIN.leaf,
    "CA": CHAIN.issuing,
    "PKCS #7": SignedData((), (CHAIN.leaf, CHAIN.issuing), digest_algorithms=(), ordered=False).encode(),
    "PEM": pki.as_pem(CHAIN.leaf, CHAIN.issuing),
}


def look(data: bytes) -> None:
    """Everything that is done with what came from outside; raises only what the commands show as an error."""
    for read in (request.from_file, lambda d: [certificate.load(der) for der in bundle.certificates(d)]):
        try:
            found = read(data)
        except SignkitError as error:
            assert error.message
            continue
        for one in found if isinstance(found, list) else [found]:
            describe = report.request if isinstance(one, request.CertificationRequest) else report.certificate
            try:
                document = describe(one)
                findings = lint.lint(one, "cabf", now=pki.NOW)
            except SignkitError as error:
                assert error.message
                continue
            lines = [*tree(report.for_people(document)), *report.finding_lines(findings)]
            assert all(printable(line).isprintable() for line in lines)


def timed(work: Callable[[], object]) -> None:
    began = time.monotonic()
    work()
    assert time.monotonic() - began < SECONDS


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Up to four changes: a byte, a piece cut out, doubled, or overwritten."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out)) if out else 0
        size = chance.choice((1, 1, 2, 8, 64))
        kind = chance.randrange(4)
        if kind == 0 and out:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del out[at : at + size]
        elif kind == 2:
            out[at:at] = out[at : at + size]
        else:
            out[at : at + size] = chance.randbytes(size)
    return bytes(out)


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(sorted(SEEDS)), seed=st.integers(0, 2**32))
def test_mutants_are_results_or_errors_of_ours(name: str, seed: int) -> None:
    data = mutated(SEEDS[name], random.Random(seed))
    timed(lambda: look(data))


VALUES = {
    oids.KEY_USAGE: b"\x03\x02\x07\x80",
    oids.EXTENDED_KEY_USAGE: writer.sequence(writer.oid(oids.CODE_SIGNING), writer.oid("1.2.3")),
    oids.BASIC_CONSTRAINTS: writer.sequence(b"\x01\x01\xff", b"\x02\x01\x03"),
    oids.SUBJECT_ALT_NAME: writer.sequence(
        *map(general_names.parse, ("dns:a", "email:a@b", "uri:a:b", "ip:::1", "upn:a@b", "rid:1.2.3", "dirname:CN=A"))
    ),
    oids.SUBJECT_KEY_IDENTIFIER: writer.octet_string(bytes(20)),
    oids.AUTHORITY_KEY_IDENTIFIER: writer.sequence(writer.tlv(0x80, bytes(20)), writer.tlv(0xA1, b""), b"\x82\x01\x05"),
    oids.CRL_DISTRIBUTION_POINTS: writer.sequence(
        writer.sequence(writer.tlv(0xA0, writer.tlv(0xA0, general_names.parse("uri:http://a/b"))))
    ),
    oids.AUTHORITY_INFO_ACCESS: writer.sequence(
        writer.sequence(writer.oid(oids.CA_ISSUERS), general_names.parse("uri:http://a/b"))
    ),
    oids.CERTIFICATE_POLICIES: writer.sequence(writer.sequence(writer.oid("1.2.3"))),
    oids.NAME_CONSTRAINTS: writer.sequence(
        writer.tlv(0xA0, writer.sequence(general_names.parse("dns:a")), writer.sequence(b"\x87\x08" + bytes(8))),
        writer.tlv(0xA1, writer.sequence(general_names.parse("dirname:CN=A"))),
    ),
    oids.POLICY_CONSTRAINTS: writer.sequence(b"\x80\x01\x00", b"\x81\x01\x02"),
    oids.INHIBIT_ANY_POLICY: writer.integer(3),
    oids.NETSCAPE_COMMENT: writer.tlv(0x16, b"text"),
}
"""A good value of every extension that is put in words."""


@settings(max_examples=600, deadline=None)
@given(oid=st.sampled_from(sorted(VALUES)), seed=st.integers(0, 2**32), critical=st.booleans())
def test_mutants_of_extensions_in_sound_structures(oid: str, seed: int, critical: bool) -> None:
    odd = pki.extension(oid, mutated(VALUES[oid], random.Random(seed)), critical)
    timed(lambda: look(with_extensions(odd)))
    timed(lambda: look(asking(odd)))


@settings(max_examples=300, deadline=None)
@given(tag=st.sampled_from([0x0C, 0x13, 0x14, 0x16, 0x1C, 0x1E, 0x05, 0x30]), value=st.binary(max_size=24))
def test_odd_values_of_names_in_sound_structures(tag: int, value: bytes) -> None:
    timed(lambda: look(asking(subject=subject(value, tag))))


def test_good_extensions_are_put_in_words() -> None:
    """What the mutants are made of is good: each is shown, and not as malformed."""
    for oid, value in VALUES.items():
        found = request.load(asking(pki.extension(oid, value)))
        (shown,) = report.request(found)["extensions"]
        assert shown["values"] and not shown["values"][0].startswith("malformed"), shown


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_junk_is_refused(data: bytes) -> None:
    timed(lambda: look(data))
    timed(lambda: look(b"\x30\x82" + len(data).to_bytes(2, "big") + data))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_changed_request_proves_nothing(seed: int) -> None:
    data = mutated(REQUEST, random.Random(seed))
    try:
        found = request.load(data)
    except MalformedError:
        return
    if data != REQUEST and found.info != request.load(REQUEST).info:
        assert found.proof_of_possession()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(["leaf", "PKCS #7", "PEM"]))
def test_import_binds_only_what_is_of_the_key(seed: int, name: str) -> None:
    house = HOUSE
    before = len(house.on_record(KEY))
    data = mutated(SEEDS[name], random.Random(seed))
    with pytest.raises((MalformedError, BindingError)):
        house.import_(KEY, data)
    assert len(house.on_record(KEY)) == before


HOUSE = House()
KEY = HOUSE.key()


def with_extensions(*extensions: bytes, **fields: object) -> bytes:
    return pki.certificate("CN=A", pki.key(3), "CN=B", pki.key(2), extensions, **fields)  # type: ignore[arg-type]


def asking(*extensions: bytes, subject: bytes = b"") -> bytes:
    asked = writer.sequence(writer.oid(oids.EXTENSION_REQUEST), writer.set_of(writer.sequence(*extensions)))
    body = writer.sequence(
        writer.integer(0), subject or pki.name("CN=A"), pki.key(3).public_key_info, writer.tlv(0xA0, asked)
    )
    return writer.sequence(body, pki.ALGORITHMS["ecdsa-sha256"], writer.bit_string(pki.key(3).sign(body)))


MEGABYTE = bytes(1 << 20)
BIG = writer.tlv(0x04, MEGABYTE * 10)
UNKNOWN = pki.extension(pki.UNKNOWN_EXTENSION, BIG)
MANY = [pki.extension(f"1.3.6.1.4.1.99999.{number}", b"\x05\x00") for number in range(20_000)]
LONG_NAMES = pki.extension(oids.SUBJECT_ALT_NAME, writer.sequence(*[writer.tlv(0x82, b"a.example")] * 200_000))
DEEP = b"\x05\x00"
for _ in range(5000):
    DEEP = writer.sequence(DEEP)


def subject(value: bytes, tag: int = 0x0C, oid: str = "2.5.4.3") -> bytes:
    return writer.sequence(writer.set_of(writer.sequence(writer.oid(oid), writer.tlv(tag, value))))


HEAVY: dict[str, Callable[[], bytes]] = {
    "10 MB in one extension of a certificate": lambda: with_extensions(UNKNOWN),
    "10 MB in one extension of a request": lambda: asking(UNKNOWN),
    "20,000 extensions of a certificate": lambda: with_extensions(*MANY),
    "20,000 extensions of a request": lambda: asking(*MANY),
    "200,000 names of a certificate": lambda: with_extensions(LONG_NAMES),
    "200,000 names of a request": lambda: asking(LONG_NAMES),
    "5,000 levels": lambda: with_extensions(pki.extension(oids.CERTIFICATE_POLICIES, DEEP)),
    "the same extension twice": lambda: asking(pki.basic_constraints(), pki.basic_constraints()),
    "the same extension twice in a certificate": lambda: with_extensions(*[pki.basic_constraints()] * 2),
    "a name with NUL": lambda: asking(subject=subject(b"a\x00b")),
    "overlong UTF-8": lambda: asking(subject=subject(b"\xc0\xaf")),
    "bidirectional text": lambda: asking(subject=subject("a\u202eb\u2066".encode())),
    "half a character of a BMPString": lambda: asking(subject=subject(b"\x00", 0x1E)),
    "a lone surrogate": lambda: asking(subject=subject(b"\xd8\x00", 0x1E)),
    "a negative serial number": lambda: with_extensions(serial=writer.tlv(0x02, b"\x80")),
    "a serial number of 100 kB": lambda: with_extensions(serial=writer.tlv(0x02, b"\x7f" * 100_000)),
    "an empty serial number": lambda: with_extensions(serial=b"\x02\x00"),
    "version 4": lambda: with_extensions(pki.basic_constraints(), version=4),
    "SHA-1": lambda: with_extensions(algorithm="ecdsa-sha1"),
    "dates the wrong way round": lambda: with_extensions(not_before=pki.NOT_AFTER, not_after=pki.NOT_BEFORE),
    "the year 9999": lambda: with_extensions(not_after=pki.NOT_AFTER.replace(year=9999)),
    "the year 0000": lambda: with_extensions(not_before=writer.tlv(0x18, b"00000101000000Z")),
    "expired": lambda: with_extensions(not_after=pki.NOW - timedelta(days=1)),
    "trailing bytes": lambda: REQUEST + b"\x00",
    "BER": lambda: b"\x30\x80" + REQUEST[4:] + b"\x00\x00",
    "10 MB of base64": lambda: b"MII" + b"A" * (10 << 20),
    "100,000 PEM blocks": lambda: pem.encode("CERTIFICATE", b"\x30\x00").encode() * 100_000,
    "100,000 begins": lambda: b"-----BEGIN CERTIFICATE-----\n" * 100_000,
    "UTF-16 that is none": lambda: b"\xff\xfe" + b"\xd8" * 1001,
}


@pytest.mark.parametrize("name", HEAVY)
def test_what_is_heavy_or_odd_costs_little(name: str) -> None:
    data = HEAVY[name]()
    timed(lambda: look(data))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutants_of_pkcs12(seed: int) -> None:
    from cryptography.hazmat.primitives.serialization import NoEncryption
    from cryptography.hazmat.primitives.serialization import pkcs12 as theirs
    from cryptography.x509 import load_der_x509_certificate

    loaded = load_der_x509_certificate(CHAIN.leaf)
    data = mutated(
        theirs.serialize_key_and_certificates(b"x", None, None, [loaded], NoEncryption()), random.Random(seed)
    )
    try:
        pkcs12.read(data, "")
    except SignkitError as error:
        assert error.message
