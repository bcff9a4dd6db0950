"""PEM as authorities really send it, and as an attacker would."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.der import writer
from signkit.errors import MalformedError
from signkit.x509 import pem
from signkit.x509.pem import Block
from tests.support import pki

DER = pki.chain().leaf
TEXT = pem.encode("CERTIFICATE", DER).encode()


@given(
    st.binary(max_size=300), st.sampled_from(["CERTIFICATE", "CMS", "NEW CERTIFICATE REQUEST", "PKCS #7 SIGNED DATA"])
)
def test_decode_is_the_inverse_of_encode(data: bytes, label: str) -> None:
    text = pem.encode(label, data)
    assert pem.decode(text.encode()) == [Block(label, data)]
    assert all(len(line) <= 64 for line in text.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"\n", b"\r"),
        TEXT.rstrip(),
        b"\xef\xbb\xbf" + TEXT,
        b"Bag Attributes\n    friendlyName: J\xc3\xb6rg: signer\nsubject=CN = x\n\n" + TEXT + b"\nafter\n",
        TEXT.replace(b"\n", b"  \n\t"),
        TEXT.replace(b"\n", b"\n\n"),
        b"-----BEGIN CERTIFICATE-----" + base64.b64encode(DER) + b"-----END CERTIFICATE-----",
        TEXT.replace(b"CERTIFICATE-----\n", b"CERTIFICATE-----\nProc-Type: 4,CLEAR and more\nComment: a b c\n\n", 1),
    ],
    ids=[
        "CRLF",
        "CR",
        "no newline at the end",
        "byte-order mark",
        "text around",
        "blanks",
        "empty lines",
        "one line",
        "headers",
    ],
)
def test_what_authorities_send(text: bytes) -> None:
    assert pem.looks_like(text)
    assert pem.decode(text) == [Block("CERTIFICATE", DER)]


def test_several_blocks_keep_their_order() -> None:
    text = (
        pem.encode("CERTIFICATE", b"one")
        + "between\n"
        + pem.encode("CMS", b"two")
        + pem.encode("CERTIFICATE", b"three")
    )
    assert pem.decode(text.encode()) == [
        Block("CERTIFICATE", b"one"),
        Block("CMS", b"two"),
        Block("CERTIFICATE", b"three"),
    ]


BEGIN, END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "text",
    [
        BEGIN,
        BEGIN + b"AAAA",
        BEGIN + b"AAAA\n-----END CMS-----\n",
        BEGIN + b"AAAA\n-----END CERTIFICATE----\n",
        BEGIN + b"AAA\n" + END,
        BEGIN + b"AA=A\n" + END,
        BEGIN + b"AAAA*\n" + END,
        BEGIN + b"AAA\xff\n" + END,
        BEGIN + BEGIN + b"AAAA\n" + END,
        BEGIN + b"AAAA\nComment: a header behind its place\n\nAAAA\n" + b":\n" + END,
        BEGIN + b"Comment: no empty line behind it\nAAAA\n" + END,
        BEGIN + b"AAAA\n-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n" + END,
        TEXT + BEGIN,
        b"-----BEGIN certificate-----\nAAAA\n-----END certificate-----\n",
        b"-----BEGIN " + b"A" * 41 + b"-----\nAAAA\n-----END " + b"A" * 41 + b"-----\n",
        b"-----BEGIN -----\nAAAA\n-----END -----\n",
    ],
    ids=range(16),
)
def test_broken_blocks(text: bytes) -> None:
    with pytest.raises(MalformedError, match="PEM block"):
        pem.decode(text)


def test_no_block_is_no_error_here() -> None:
    assert pem.decode(b"no boundary at all") == []
    assert not pem.looks_like(b"no boundary at all")


def test_der_with_a_boundary_inside_is_der() -> None:
    """A file must not be one thing to who reads DER and another to who reads PEM."""
    assert not pem.looks_like(writer.sequence(writer.octet_string(TEXT)))
    assert not pem.looks_like(b"\x30\x80\x24\x80" + writer.octet_string(TEXT) + b"\x00\x00\x00\x00")
    assert pem.looks_like(b"0123 is how this text begins\n" + TEXT)


@pytest.mark.parametrize(
    "text",
    [
        BEGIN * 200_000,
        b"-----BEGIN " * 400_000,
        BEGIN + b"A" * (4 << 20),
        BEGIN + b"\n" * (4 << 20) + END,
        (BEGIN + END) * 40_000,
        BEGIN + b"a:\n" * (1 << 20) + END,
    ],
    ids=["openings", "half boundaries", "no end", "empty lines", "empty blocks", "headers"],
)
def test_hostile_text_ends_fast(text: bytes) -> None:
    started = time.perf_counter()
    try:
        pem.decode(text)
    except MalformedError:
        pass
    assert time.perf_counter() - started < 2


@given(st.binary(max_size=100))
def test_anything_else_is_malformed_or_nothing(data: bytes) -> None:
    for text in (data, BEGIN + data + END, data + TEXT):
        try:
            pem.decode(text)
        except MalformedError:
            pass
