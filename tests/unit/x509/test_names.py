"""Distinguished names: RFC 4514 in and out, RFC 5280 section 7.1 for equality, and whom ``contains`` lets in."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signkit.der import reader, writer
from signkit.errors import MalformedError, UsageError
from signkit.x509 import names

CN, O = "2.5.4.3", "2.5.4.10"  # noqa: E741


def attribute(oid: str, value: bytes, tag: int = reader.UTF8_STRING) -> bytes:
    return writer.sequence(writer.oid(oid), writer.tlv(tag, value))


def name(*rdns: tuple[bytes, ...]) -> names.Name:
    return names.Name(writer.sequence(*(writer.set_of(*rdn) for rdn in rdns)))


def common_name(value: str | bytes, tag: int = reader.UTF8_STRING) -> names.Name:
    return name((attribute(CN, value.encode() if isinstance(value, str) else value, tag),))


def test_the_last_written_rdn_is_the_first_encoded() -> None:
    parsed = names.parse("CN=Acme Release,O=Acme,C=DE")
    assert [rdn[0][0] for rdn in parsed.rdns] == ["2.5.4.6", O, CN]
    assert parsed.raw == writer.sequence(
        writer.set_of(attribute("2.5.4.6", b"DE", reader.PRINTABLE_STRING)),
        writer.set_of(attribute(O, b"Acme")),
        writer.set_of(attribute(CN, b"Acme Release")),
    )
    assert str(parsed) == "CN=Acme Release,O=Acme,C=DE"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("CN=a\\,b", "a,b"),
        ("CN=a\\2cb", "a,b"),
        ("CN=a\\\\", "a\\"),
        ("CN=a\\\\ ", "a\\"),
        ("CN=a\\ ", "a "),
        ("CN=a\\   ", "a "),
        ("CN=  a  ", "a"),
        ("CN=\\ a", " a"),
        ("CN=\\#a", "#a"),
        ("CN=a#b", "a#b"),
        ('CN="a,b"', "a,b"),
        ('CN="a+b=c"', "a+b=c"),
        ('CN=a\\"b', 'a"b'),
        ("CN=Lu\\C4\\8Di\\C4\\87", "Lučić"),
        ("CN=Lučić", "Lučić"),
        ("CN=a=b", "a=b"),
        ("CN=签名", "签名"),
        ("cn=a", "a"),
        ("2.5.4.3=a", "a"),
    ],
)
def test_escapes(text: str, value: str) -> None:
    assert names.parse(text).rdns == (((CN, reader.UTF8_STRING, value.encode()),),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "CN",
        "CN=",
        "CN=a,",
        ",CN=a",
        "CN=a,,O=b",
        "CN=a+",
        "=a",
        "CN=a\\",
        "CN=a,O=\\",
        "CN=a\\00b",
        "CN=\\ff",
        "CN=\\c3",
        "CN=a\udc80",
        "FOO=a",
        "1=a",
        "1.99=a",
        "3.1=a",
        "1.2.=a",
        "1..2=a",
        "1.02=a",
        "1.2." + "9" * 5000 + "=a",
        "1.2." + "9" * 60 + "=a",
        "CN=" + "a" * 65,
        "C=DEU",
        "C=D1",
        "C=д",
        "serialNumber=ä",
        "serialNumber=a*b",
        "DC=ä",
        "emailAddress=ä@example.com",
        "OU=" + "a" * 65,
        "UID=" + "a" * 257,
        'CN=a"b',
        'CN="a',
        'CN="a"b"',
        "CN=#",
        "CN=#0",
        "CN=#0g",
        "CN=#0c0161ff",
        "CN=#0c05",
        "CN=#0c01ff",
        "CN=#1 company",
        ",".join(f"OU={'a' * 64}{n}"[:67] for n in range(300)),
    ],
)
def test_what_is_no_name_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        names.parse(text)


@given(st.text(max_size=40))
@example("CN=\x00")
@example("CN=\\")
def test_any_text_is_a_name_or_a_usage_error(text: str) -> None:
    try:
        parsed = names.parse(text)
    except UsageError:
        return
    assert names.parse(str(parsed)) == parsed


@given(st.text(alphabet="CN=O,+\\\"#; '<>a0F", max_size=24))
def test_any_text_of_special_characters_is_a_name_or_a_usage_error(text: str) -> None:
    try:
        parsed = names.parse(text)
    except UsageError:
        return
    assert names.parse(str(parsed)) == parsed


values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
types = st.sampled_from([CN, O, "2.5.4.11", "2.5.4.42", "1.3.6.1.4.1.99999.7"])
rdns = st.lists(st.tuples(types, values), min_size=1, max_size=3)


@given(st.lists(rdns, min_size=1, max_size=4))
def test_format_and_parse_are_each_others_inverse(parts: list[list[tuple[str, str]]]) -> None:
    """Byte for byte, so that a name printed by ``inspect`` can be pasted into ``--signer`` or ``--subject``."""
    made = name(*(tuple(attribute(oid, value.encode()) for oid, value in rdn) for rdn in parts))
    assert names.parse(str(made)).raw == made.raw


@pytest.mark.parametrize(
    "made",
    [
        common_name("a", reader.PRINTABLE_STRING),
        common_name("a".encode("utf-16-be"), reader.BMP_STRING),
        common_name("a".encode("utf-32-be"), reader.UNIVERSAL_STRING),
        common_name("ä".encode("latin-1"), reader.T61_STRING),
        common_name(b"\x05", reader.INTEGER),
        common_name(b"\x30\x00", 0xA0),
    ],
)
def test_names_of_other_types_come_back_equal(made: names.Name) -> None:
    assert names.parse(str(made)) == made


def test_characters_that_mislead_a_reader_are_escaped() -> None:
    shown = str(common_name("Acme\u202eexe\n\x1b[2J\u200b"))
    assert shown == "CN=Acme\\E2\\80\\AEexe\\0A\\1B[2J\\E2\\80\\8B"
    assert str(common_name(" a ")) == "CN=\\ a\\ "
    assert str(common_name('#a,b+c"d\\e<f>g;h=i')) == 'CN=\\#a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\=i'


def test_multi_valued_rdn() -> None:
    parsed = names.parse("CN=a+O=b,C=DE")
    assert [len(rdn) for rdn in parsed.rdns] == [1, 2]
    assert parsed == names.parse("O=b+CN=a,C=DE")
    assert parsed != names.parse("CN=a,O=b,C=DE")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (common_name("Acme Corp"), common_name("acme  CORP ")),
        (common_name("Acme"), common_name("Acme", reader.PRINTABLE_STRING)),
        (common_name("Acme"), common_name("Acme".encode("utf-16-be"), reader.BMP_STRING)),
        (common_name("STRASSE"), common_name("straße")),
        (common_name("e\u0301"), common_name("é")),
    ],
)
def test_names_that_match(one: names.Name, other: names.Name) -> None:
    """RFC 5280 section 7.1: case, spaces and the type of string make no difference."""
    assert one == other
    assert hash(one) == hash(other)
    assert one.contains(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (common_name("Acme"), common_name("Acme1")),
        (common_name("Acme Corp"), common_name("AcmeCorp")),
        (common_name("Acme"), name((attribute(O, b"Acme"),))),
        (names.parse("CN=a,O=b"), names.parse("O=b,CN=a")),
        (names.parse("CN=a,O=b"), names.parse("CN=a")),
        (names.parse("CN=a"), name()),
        (name((attribute(CN, b"a"), attribute(CN, b"A"))), common_name("a")),
        (common_name("Acme"), common_name(b"Acme", 0x12)),
        (common_name("Асме"), common_name("Acme")),  # Cyrillic
    ],
)
def test_names_that_do_not_match(one: names.Name, other: names.Name) -> None:
    assert one != other
    assert one != "CN=Acme"


def test_contains() -> None:
    full = names.parse("CN=Acme Release,OU=Build,O=Acme,C=DE")
    for wanted in ("CN=Acme Release", "O=Acme,CN=acme  release", "C=DE,O=Acme", "CN=Acme Release+O=Acme"):
        assert full.contains(names.parse(wanted))
    for wanted in ("CN=Acme", "CN=Acme Release,O=Other", "CN=Acme Release Evil", "O=Acme Release", "L=Berlin"):
        assert not full.contains(names.parse(wanted))


def test_an_empty_name_is_contained_in_none() -> None:
    """Else an empty expectation would let everyone in."""
    empty = name()
    assert not empty
    assert not common_name("a").contains(empty)
    assert not empty.contains(empty)
    assert not empty.contains(common_name("a"))


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x31\x00",
        b"\x30\x00\x00",
        writer.sequence(writer.sequence(attribute(CN, b"a"))),
        writer.sequence(writer.set_of()),
        writer.sequence(writer.set_of(writer.sequence(writer.oid(CN)))),
        writer.sequence(writer.set_of(writer.sequence(writer.oid(CN), writer.NULL, writer.NULL))),
        writer.sequence(writer.set_of(writer.sequence(writer.NULL, writer.NULL))),
        writer.sequence(writer.set_of(attribute(CN, b"\xff"))),
        writer.sequence(writer.set_of(attribute(CN, b"\xff", reader.PRINTABLE_STRING))),
        writer.sequence(writer.set_of(attribute(CN, b"\xd8\x00", reader.BMP_STRING))),
        writer.sequence(writer.set_of(attribute(CN, b"\x00", reader.BMP_STRING))),
        writer.sequence(writer.set_of(attribute(CN, b"\x00\x11\x00\x00", reader.UNIVERSAL_STRING))),
        writer.sequence(*[writer.set_of(attribute(CN, b"a" * 64))] * 300),
    ],
    ids=range(14),
)
def test_what_is_no_name_is_malformed(der: bytes) -> None:
    with pytest.raises(MalformedError):
        names.Name(der)


@pytest.mark.parametrize(
    "value", ["\u0301\u0316" * 4000, "\ufdfa" * 5000, "\u0390" * 8000], ids=["combining", "ligatures", "folding"]
)
def test_hostile_values_end_fast(value: str) -> None:
    """Normalisation is quadratic in runs of combining characters (Unicode Standard Annex 15)."""
    started = time.perf_counter()
    for size in (len(value), 16000):
        try:
            str(common_name(value.encode()[:size]))
        except MalformedError:
            pass
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "CN=Acme Release,O=Acme,C=DE",
        "CN=Zoë+UID=7,O=Acme\\, Inc.,C=DE",
        "CN=签名,OU=#0c0461636d65,C=DE",
        "CN=#1e0400410042",
        "serialNumber=#130131",
        "emailAddress=#160361406 2".replace(" ", ""),
        "1.2.3.4=value",
    ],
)
def test_subjects_that_can_be_certified(text: str) -> None:
    assert names.parse_subject(text) == names.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "CN=a+CN=b",
        "CN=#0500",
        "CN=#0101ff",
        "CN=#020101",
        "CN=#03020001",
        "CN=#040161",
        "CN=#140161",
        "CN=#1c0400000041",
        "CN=#3000",
        "CN=#0c00",
        "CN=#0c0100",
        "CN=#0c41" + "61" * 65,
        "CN=#1301 2a".replace(" ", ""),
        "C=#0c024445",
        "C=#13024431",
        "serialNumber=#0c0131",
        "emailAddress=#0c03614062",
        "DC=#130161",
        "title=" + "a" * 65,
        "serialNumber=" + "1" * 65,
        "postalCode=" + "1" * 41,
        "DC=" + "a" * 64,
        "emailAddress=" + "a" * 256,
    ],
)
def test_subjects_that_no_authority_would_certify(text: str) -> None:
    with pytest.raises(UsageError):
        names.parse_subject(text)


def test_values_are_shown_with_keyword_and_type() -> None:
    assert list(names.values(names.parse("CN=Zoë,C=DE,2.5.4.45=#03020001"))) == [
        ("C", reader.PRINTABLE_STRING, "DE"),
        ("CN", reader.UTF8_STRING, "Zoë"),
    ]


def test_characters_that_reorder_text_are_shown_escaped() -> None:
    assert str(names.parse_subject("CN=a\u202eb")) == "CN=a\\E2\\80\\AEb"
