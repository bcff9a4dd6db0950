"""BER to DER: what openssl -stream writes becomes what was signed, DER stays as it is, bombs end fast."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.der import ber, cms, writer
from signkit.errors import MalformedError
from tests.support import cms_builder, pki

END = b"\x00\x00"


def indefinite(tag: int, *contents: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(contents) + END


def test_indefinite_lengths_and_segments_become_der() -> None:
    """What ``openssl cms -sign -stream`` writes around embedded content."""
    given_ = indefinite(
        0x30,
        writer.oid("1.2.840.113549.1.7.2"),
        indefinite(0xA0, indefinite(0x24, writer.octet_string(b"first "), writer.octet_string(b"second"))),
    )
    inner = writer.tlv(0xA0, writer.octet_string(b"first second"))
    assert ber.to_der(given_) == writer.sequence(writer.oid("1.2.840.113549.1.7.2"), inner)


def test_long_form_lengths_become_short() -> None:
    assert ber.to_der(bytes.fromhex("3083000003020101")) == bytes.fromhex("3003020101")
    assert ber.to_der(bytes.fromhex("30890000000000000000" + "00")) == bytes.fromhex("3000")


def test_segments_may_be_nested_and_empty() -> None:
    nested = indefinite(0x24, indefinite(0x24, writer.octet_string(b"a"), writer.octet_string(b"")), b"\x24\x00")
    assert ber.to_der(nested) == writer.octet_string(b"a")
    long = indefinite(0x24, *[writer.octet_string(b"x" * 100)] * 3)
    assert ber.to_der(long) == writer.octet_string(b"x" * 300)


def test_a_whole_signature_in_ber_is_the_one_in_der() -> None:
    der = cms_builder.signature()
    for segment in (1, 7, 1000):
        streamed = cms_builder.to_ber(der, segment=segment)
        assert streamed != der
        assert ber.to_der(streamed) == der
        with pytest.raises(MalformedError):
            cms.decode(streamed)


@pytest.mark.parametrize(
    "der", [pki.chain().root, pki.chain().leaf, pki.rsa_chain().leaf, cms_builder.signature()], ids=len
)
def test_der_stays_byte_for_byte(der: bytes) -> None:
    assert ber.to_der(der) == der


leaves = st.one_of(
    st.binary(max_size=300).map(writer.octet_string),
    st.integers().map(writer.integer),
    st.just(writer.NULL),
    st.binary(max_size=5).map(lambda content: writer.tlv(0x0C, content)),
    st.binary(max_size=5).map(lambda content: writer.tlv(0x80, content)),
)
trees = st.recursive(
    leaves,
    lambda children: st.tuples(st.sampled_from([0x30, 0x31, 0xA0, 0xA3]), st.lists(children, max_size=5)).map(
        lambda pair: writer.tlv(pair[0], *pair[1])
    ),
    max_leaves=30,
)


@given(trees)
def test_any_der_stays_byte_for_byte(der: bytes) -> None:
    assert ber.to_der(der) == der


@given(trees)
def test_any_der_comes_back_from_ber(der: bytes) -> None:
    assert ber.to_der(cms_builder.to_ber(der, segment=3)) == der


def test_truncation_at_every_byte_is_refused() -> None:
    streamed = cms_builder.to_ber(cms_builder.signature(), segment=100)
    for length in range(len(streamed)):
        with pytest.raises(MalformedError):
            ber.to_der(streamed[:length])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "truncated"),
        (b"\x30", "truncated"),
        (END, "tag 0x00"),
        (b"\x30\x80\x00\x01\x00" + END, "tag 0x00"),
        (b"\x04\x80\x00\x00", "primitive element of indefinite length"),
        (b"\x30\x80" + writer.NULL, "no end"),
        (b"\x30\x00" + END, "2 bytes after the end"),
        (b"\x3f\x01\x00", "tag 0x3f"),
        (indefinite(0x24, writer.integer(1)), "holds tag 0x02"),
        (b"\x30\xff" + b"\xff" * 127, "truncated"),
        (b"\x30\x84\xff\xff\xff\xff", "truncated"),
        (b"\x30\x02" + END, "tag 0x00"),
        (b"\x30\x03\x30\x80\x00" + b"\x00", "truncated"),
    ],
)
def test_what_is_not_ber(data: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        ber.to_der(data)


def bombs() -> dict[str, bytes]:
    deep = b"\x30\x80" * 100_000
    nested = writer.NULL
    for _ in range(200):
        nested = writer.tlv(0x30, nested)
    wide = writer.sequence(writer.NULL * 200_000)
    layered = writer.NULL * 10
    for _ in range(20):
        layered = indefinite(0x30, layered)
    return {
        "a hundred thousand openings": deep,
        "two hundred levels": nested,
        "two hundred thousand elements": wide,
        "segments in segments": b"\x24\x80" * 50 + writer.octet_string(b"x") + END * 50,
        "many empty segments": indefinite(0x24, b"\x04\x00" * 150_000),
    }


@pytest.mark.parametrize("name", bombs())
def test_bombs_end_fast(name: str) -> None:
    bomb = bombs()[name]
    started = time.perf_counter()
    with pytest.raises(MalformedError, match="nested deeper"):
        ber.to_der(bomb)
    assert time.perf_counter() - started < 1


def test_a_large_flat_structure_is_not_copied_quadratically() -> None:
    """31 levels around 4 MB: each level copies once."""
    data = writer.octet_string(bytes(4 << 20))
    for _ in range(31):
        data = indefinite(0x30, data)
    started = time.perf_counter()
    ber.to_der(data)
    assert time.perf_counter() - started < 2


@given(st.binary(max_size=200))
def test_anything_else_is_malformed(data: bytes) -> None:
    try:
        der = ber.to_der(data)
    except MalformedError:
        return
    assert ber.to_der(der) == der
