"""Signatures of two numbers, ECDSA and SM2: their encoding, their ranges, and the points of their keys."""

from __future__ import annotations

import pytest

from signkit import algorithms
from signkit.der import writer
from signkit.errors import MalformedError
from tests.support.signing import ORDERS, KeyPair, encoded, key_pair, numbers, point_of, with_point

MESSAGE = b"an artifact"
KEY_TYPES = sorted(ORDERS)


def signed(name: str) -> tuple[KeyPair, bytes, int, int, int]:
    """A key pair, a signature, its r and s, and the order of the group."""
    pair = key_pair(name)
    signature = pair.sign(pair.key_type.algorithms[0], MESSAGE)
    return pair, signature, *numbers(signature), ORDERS[name]


def refused(pair: KeyPair, signature: bytes) -> bool:
    return pair.verify(pair.key_type.algorithms[0], MESSAGE, signature) != ""


@pytest.mark.parametrize("name", KEY_TYPES)
def test_numbers_out_of_range_are_refused(name: str) -> None:
    pair, signature, r, s, n = signed(name)
    assert encoded(r, s) == signature
    assert not refused(pair, signature)
    bad = [
        (0, s),
        (r, 0),
        (0, 0),
        (n, s),
        (r, n),
        (n, n),
        (r + n, s),
        (r, s + n),
        (-r, s),
        (r, -s),
        (r - n, s),
        (r, s - n),
    ]
    bad += [(1, 1), (n - 1, n - 1), (s, r), (1 << 600, s), (r, 1 << 600), (1 << 8000, 1 << 8000), (r, n - r)]
    for numbers_ in bad:
        assert refused(pair, encoded(*numbers_)), numbers_


@pytest.mark.parametrize("name", KEY_TYPES)
def test_only_strict_der_is_accepted(name: str) -> None:
    pair, signature, r, s, _ = signed(name)
    first, second = writer.integer(r), writer.integer(s)
    content = first + second
    size = (ORDERS[name].bit_length() + 7) // 8

    def padded(value: bytes) -> bytes:
        """The INTEGER with a needless zero in front, of which DER has none."""
        return writer.tlv(2, b"\x00" + value[2:])

    long_form = bytes((0x30, 0x82, 0, len(content)))
    bad = {
        "r padded": writer.sequence(padded(first), second),
        "s padded": writer.sequence(first, padded(second)),
        "length in its long form": long_form + content,
        "indefinite length": b"\x30\x80" + content + b"\x00\x00",
        "bytes after the structure": signature + b"\x00",
        "bytes inside the structure": writer.sequence(content, b"\x05\x00"),
        "a third number": writer.sequence(content, writer.integer(1)),
        "one number": writer.sequence(first),
        "no number": writer.sequence(),
        "an empty INTEGER": writer.sequence(first, b"\x02\x00"),
        "an OCTET STRING": writer.sequence(first, writer.octet_string(second[2:])),
        "a SET": b"\x31" + signature[1:],
        "truncated": signature[:-1],
        "a length too large": bytes((0x30, signature[1] + 1)) + signature[2:] if signature[1] < 0x7F else b"",
        "raw r and s": r.to_bytes(size, "big") + s.to_bytes(size, "big"),
        "NULL": writer.NULL,
        "nothing": b"",
    }
    for what, wrong in bad.items():
        assert refused(pair, wrong), what


@pytest.mark.parametrize("name", KEY_TYPES)
def test_a_compressed_point_is_the_same_key(name: str) -> None:
    pair, signature, *_ = signed(name)
    point = point_of(pair.public_key_info)
    size = len(point) // 2
    compressed = with_point(pair.public_key_info, bytes((2 + (point[-1] & 1),)) + point[1 : 1 + size])
    other = with_point(pair.public_key_info, bytes((3 - (point[-1] & 1),)) + point[1 : 1 + size])
    algorithm = pair.key_type.algorithms[0]
    assert algorithms.key_type_of(compressed) == name
    assert algorithms.verify_message(algorithm, compressed, MESSAGE, signature) == ""
    assert algorithms.verify_message(algorithm, other, MESSAGE, signature), "the point's mirror image"


@pytest.mark.parametrize("name", KEY_TYPES)
def test_hybrid_points_are_malformed(name: str) -> None:
    """RFC 5480 section 2.2; OpenSSL reads them all the same."""
    pair = key_pair(name)
    point = point_of(pair.public_key_info)
    with pytest.raises(MalformedError, match="expected 04, 02 or 03"):
        algorithms.key_type_of(with_point(pair.public_key_info, bytes((6 + (point[-1] & 1),)) + point[1:]))


@pytest.mark.parametrize("name", KEY_TYPES)
def test_what_is_no_point_of_the_curve_is_no_key(name: str) -> None:
    pair, signature, *_ = signed(name)
    point = point_of(pair.public_key_info)
    size = len(point) // 2
    algorithm = pair.key_type.algorithms[0]
    bad = {
        "y changed": point[:-1] + bytes((point[-1] ^ 1,)),
        "y zero": point[: 1 + size] + bytes(size),
        "zero": b"\x04" + bytes(2 * size),
        "x beyond the field": b"\x04" + b"\xff" * size + point[1 + size :],
        "infinity": b"\x00",
        "infinity at length": bytes(1 + 2 * size),
        "short": point[:-1],
        "long": point + b"\x00",
        "without its first octet": point[1:],
        "hybrid": bytes((6 + (point[-1] & 1),)) + point[1:],
        "hybrid with the wrong parity": bytes((7 - (point[-1] & 1),)) + point[1:],
        "another form": b"\x05" + point[1:],
        "empty": b"",
    }
    digest = algorithms.prehash(algorithm, pair.public_key_info, MESSAGE)
    for what, wrong in bad.items():
        public_key_info = with_point(pair.public_key_info, wrong)
        assert algorithms.verify_message(algorithm, public_key_info, MESSAGE, signature), what
        assert algorithms.verify_digest(algorithm, public_key_info, digest, signature), what


@pytest.mark.parametrize("name", sorted(set(KEY_TYPES) - {"EC_SM2"}))
@pytest.mark.parametrize("offset", [None, 0, 1])
def test_a_private_key_out_of_range_does_not_come_in(name: str, offset: int | None) -> None:
    """d = 0, n and n + 1; those of SM2 are in test_sm2.py."""
    private_key_info = key_pair(name).private_key_info
    size = (ORDERS[name].bit_length() + 7) // 8
    start = private_key_info.index(b"\x02\x01\x01\x04" + bytes((size,))) + 5
    scalar = (0 if offset is None else ORDERS[name] + offset).to_bytes(size, "big")
    with pytest.raises(MalformedError):
        algorithms.import_private_key(private_key_info[:start] + scalar + private_key_info[start + size :])


@pytest.mark.parametrize("name", KEY_TYPES)
def test_a_private_key_with_the_public_key_of_another_does_not_come_in(name: str) -> None:
    one, other = key_pair(name), key_pair(name, 1)
    point = point_of(one.public_key_info)
    mixed = one.private_key_info.replace(point, point_of(other.public_key_info))
    assert mixed != one.private_key_info
    with pytest.raises(MalformedError):
        algorithms.import_private_key(mixed)
