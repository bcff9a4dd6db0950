"""The strict DER reader: what it refuses, and that nothing but MalformedError ever comes out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.der import reader, writer
from signkit.errors import MalformedError
from tests.support import pki

SAMPLE = pki.chain().leaf


def walk(element: reader.Element) -> int:
    """Read everything below an element, as far as its tags say that there is something."""
    below = element.children() if element.tag & 0x20 else []
    return 1 + sum(map(walk, below))


def test_truncation_at_every_byte_is_refused() -> None:
    assert walk(reader.parse(SAMPLE)) > 50
    for length in range(len(SAMPLE)):
        with pytest.raises(MalformedError):
            reader.parse(SAMPLE[:length])


def test_inner_truncation_is_refused() -> None:
    """An element that claims more than its parent holds."""
    with pytest.raises(MalformedError, match="needs 1 bytes more"):
        reader.parse(bytes.fromhex("3003020201")).children()


@pytest.mark.parametrize(
    ("der", "why"),
    [
        ("", "truncated"),
        ("30", "truncated"),
        ("300000", "1 bytes after the end"),
        ("3080020100" + "0000", "indefinite"),
        ("308103020100", "shortest form"),
        ("30820003020100", "shortest form"),
        ("3082", "truncated"),
        ("3085000000000302010000", "too long"),
        ("30ff", "too long or truncated"),
        ("1f0100", "more than one octet"),
        ("bf8101020500", "more than one octet"),
        ("30847fffffff00", "truncated"),
        ("3084ffffffff00", "truncated"),
    ],
)
def test_headers_that_are_not_der(der: str, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        reader.parse(bytes.fromhex(der))


def test_parse_names_expected_and_found_tag() -> None:
    with pytest.raises(MalformedError, match="Certificate: expected tag 0x30, found 0x31"):
        reader.parse(b"\x31\x00", reader.SEQUENCE, "Certificate")


@pytest.mark.parametrize("der", ["0200", "02020001", "0202007f", "0202ff80", "0202ffff", "030101"])
def test_integers_that_are_not_shortest(der: str) -> None:
    with pytest.raises(MalformedError):
        reader.integer(reader.parse(bytes.fromhex(der)))


@given(st.integers(min_value=-(1 << 2100), max_value=1 << 2100))
def test_every_integer_survives(value: int) -> None:
    assert reader.integer(reader.parse(writer.integer(value))) == value


@pytest.mark.parametrize("der", ["0100", "010101", "0101fe", "01020000", "020100"])
def test_booleans_that_are_neither_00_nor_ff(der: str) -> None:
    with pytest.raises(MalformedError):
        reader.boolean(reader.parse(bytes.fromhex(der)))


def test_booleans() -> None:
    assert reader.boolean(reader.parse(b"\x01\x01\xff"))
    assert not reader.boolean(reader.parse(b"\x01\x01\x00"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty or truncated"),
        ("80", "truncated"),
        ("2a86", "truncated"),
        ("2a8001", "padded"),
        ("80807f", "padded"),
        ("2a" + "ff" * 19 + "7f", "more than 128 bits"),
    ],
)
def test_object_identifiers_that_are_not_well_formed(content: str, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        reader.oid(reader.parse(writer.tlv(reader.OID, bytes.fromhex(content))))


first_arcs = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), st.integers(0, (1 << 100)))
)


@given(first_arcs, st.lists(st.integers(0, (1 << 120) - 1), max_size=8))
def test_every_object_identifier_survives(first: tuple[int, int], rest: list[int]) -> None:
    dotted = ".".join(map(str, (*first, *rest)))
    assert reader.oid(reader.parse(writer.oid(dotted))) == dotted


@pytest.mark.parametrize("der", ["0300", "030100ff", "030101", "0302017f", "030207ff", "020100", "03020800"])
def test_bit_strings_with_unused_bits_are_no_octets(der: str) -> None:
    with pytest.raises(MalformedError):
        reader.bit_string(reader.parse(bytes.fromhex(der)))


@pytest.mark.parametrize("der", ["0300", "030101", "030208ff", "030207ff", "030201ff"])
def test_named_bits_that_cannot_be(der: str) -> None:
    with pytest.raises(MalformedError):
        reader.named_bits(reader.parse(bytes.fromhex(der)))


def test_named_bits() -> None:
    assert reader.named_bits(reader.parse(bytes.fromhex("03020780"))) == {0}
    assert reader.named_bits(reader.parse(bytes.fromhex("0303070080"))) == {8}
    assert reader.named_bits(reader.parse(bytes.fromhex("030100"))) == frozenset()


def at(tag: int, text: str | bytes) -> datetime:
    return reader.time(reader.parse(writer.tlv(tag, text if isinstance(text, bytes) else text.encode())), "notAfter")


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (reader.UTC_TIME, "2601010000Z"),  # without seconds
        (reader.UTC_TIME, "260101000000+0000"),
        (reader.UTC_TIME, "260101000000"),
        (reader.UTC_TIME, "20260101000000Z"),
        (reader.UTC_TIME, "261301000000Z"),
        (reader.UTC_TIME, "260230000000Z"),
        (reader.UTC_TIME, "260101240000Z"),
        (reader.UTC_TIME, "260101006000Z"),
        (reader.UTC_TIME, "260101000060Z"),
        (reader.UTC_TIME, "26-101000000Z"),
        (reader.UTC_TIME, "26 101000000Z"),
        (reader.UTC_TIME, "²60101000000Z".encode("latin-1")),
        (reader.UTC_TIME, b"\xff" * 13),
        (reader.UTC_TIME, ""),
        (reader.UTC_TIME, "Z"),
        (reader.GENERALIZED_TIME, "20260101000000.5Z"),
        (reader.GENERALIZED_TIME, "2026010100Z"),
        (reader.GENERALIZED_TIME, "00000101000000Z"),
        (reader.GENERALIZED_TIME, "20260101000000z"),
        (reader.GENERALIZED_TIME, "260101000000Z"),
        (reader.UTF8_STRING, "260101000000Z"),
        (reader.UTF8_STRING, "20260101000000Z"),
    ],
)
def test_times_in_other_forms(tag: int, text: str | bytes) -> None:
    with pytest.raises(MalformedError, match="notAfter"):
        at(tag, text)


def test_times() -> None:
    assert at(reader.UTC_TIME, "491231235959Z") == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert at(reader.UTC_TIME, "500101000000Z") == datetime(1950, 1, 1, tzinfo=UTC)
    assert at(reader.GENERALIZED_TIME, "99991231235959Z") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert at(reader.GENERALIZED_TIME, "00010101000000Z") == datetime(1, 1, 1, tzinfo=UTC)


def test_elements_are_slices_of_the_original() -> None:
    outer = reader.parse(SAMPLE)
    assert outer.raw == SAMPLE
    assert b"".join(child.raw for child in outer.children()) == outer.content
    assert outer.children()[0].data is SAMPLE


@given(st.binary(max_size=80))
def test_anything_else_is_malformed(data: bytes) -> None:
    try:
        element = reader.parse(data)
        walk(element)
        for read in (reader.integer, reader.boolean, reader.bit_string, reader.named_bits, reader.oid, reader.time):
            try:
                read(element)
            except MalformedError:
                pass
    except MalformedError:
        pass


@given(st.integers(0, 0xFF).filter(lambda tag: tag & 0x1F != 0x1F), st.binary(max_size=70000))
def test_what_the_writer_writes_is_read(tag: int, content: bytes) -> None:
    element = reader.parse(writer.tlv(tag, content))
    assert (element.tag, element.content) == (tag, content)
