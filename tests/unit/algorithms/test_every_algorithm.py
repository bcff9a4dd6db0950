"""What holds for every key type and each of its algorithms."""

from __future__ import annotations

import threading

import pytest

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.der import reader, writer
from signkit.errors import MalformedError, SignkitError, UsageError
from tests.support.signing import key_pair

MESSAGE = b"an artifact, \x00 and more"
KEY_TYPES = sorted(algorithms.key_types())
EVERY = [
    pytest.param(name, algorithm, id=f"{name}-{algorithm.name}")
    for name in KEY_TYPES
    for algorithm in algorithms.key_type(name).algorithms
]
DIGESTED = [row for row in EVERY if row.values[1].digest is not None]  # type: ignore[union-attr]
PUBLISHED = {
    "RSA_2048": 6,
    "RSA_3072": 6,
    "RSA_4096": 6,
    "EC_P256": 3,
    "EC_P384": 3,
    "EC_P521": 3,
    "EC_P256K": 3,
    "EC_SM2": 1,
    "ED25519": 1,
    "ML_DSA_44": 1,
    "ML_DSA_65": 1,
    "ML_DSA_87": 1,
}
"""Key types and how many signature algorithms each has."""


def test_the_key_types_are_those_of_the_design() -> None:
    assert {name: len(key_type.algorithms) for name, key_type in algorithms.key_types().items()} == PUBLISHED


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_round_trip_and_refusals(name: str, algorithm: SignatureAlgorithm) -> None:
    pair, other = key_pair(name), key_pair(name, 1)
    signature = pair.sign(algorithm, MESSAGE)
    assert pair.verify(algorithm, MESSAGE, signature) == ""
    assert other.verify(algorithm, MESSAGE, signature), "another key of the same type"
    assert pair.verify(algorithm, MESSAGE + b"\x00", signature)
    assert pair.verify(algorithm, b"", signature)
    for wrong in (b"", signature[:-1], signature[1:], signature + b"\x00", b"\x00" + signature, bytes(len(signature))):
        assert pair.verify(algorithm, MESSAGE, wrong)
    for position in {0, 1, 5, len(signature) // 2, len(signature) - 1}:
        flipped = bytearray(signature)
        flipped[position] ^= 1
        assert pair.verify(algorithm, MESSAGE, bytes(flipped)), f"byte {position}"


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_an_empty_and_a_large_message(name: str, algorithm: SignatureAlgorithm) -> None:
    pair = key_pair(name)
    for message in (b"", bytes(1_000_000)):
        assert pair.verify(algorithm, message, pair.sign(algorithm, message)) == ""


@pytest.mark.parametrize(("name", "algorithm"), DIGESTED)
def test_a_digest_of_another_length_is_refused(name: str, algorithm: SignatureAlgorithm) -> None:
    pair, size = key_pair(name), digests.SIZES[algorithm.digest or ""]
    signature = pair.sign(algorithm, MESSAGE)
    for length in {0, 20, size - 1, size + 1, 2 * size, 28, 32, 48, 64} - {size}:
        reason = algorithms.verify_digest(algorithm, pair.public_key_info, bytes(length), signature)
        assert reason == f"digest of {length} bytes, expected {size} for {algorithm.name}"
        with pytest.raises((SignkitError, ValueError)):
            pair.family.sign(pair.private_key, algorithm, bytes(length))


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_a_key_of_another_type_is_refused(name: str, algorithm: SignatureAlgorithm) -> None:
    signature = key_pair(name).sign(algorithm, MESSAGE)
    others = [other for other in KEY_TYPES if other != name]
    for other in others:
        assert key_pair(other).verify(algorithm, MESSAGE, signature), other


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_a_malformed_public_key_is_a_reason_and_not_an_exception(name: str, algorithm: SignatureAlgorithm) -> None:
    pair = key_pair(name)
    signature = pair.sign(algorithm, MESSAGE)
    identifier, public_key = reader.parse(pair.public_key_info).children()
    for wrong in (
        b"",
        b"\x30\x00",
        writer.sequence(identifier.raw),
        writer.sequence(identifier.raw, public_key.raw, writer.NULL),
        writer.sequence(public_key.raw, identifier.raw),
        writer.sequence(identifier.raw, writer.bit_string(b"")),
        writer.sequence(identifier.raw, writer.octet_string(public_key.content)),
        pair.public_key_info + b"\x00",
        pair.public_key_info[:-1],
        MESSAGE,
    ):
        data = algorithms.prehash(algorithm, pair.public_key_info, MESSAGE)
        assert algorithms.verify_digest(algorithm, wrong, data, signature)
        assert algorithms.verify_message(algorithm, wrong, MESSAGE, signature)


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_identifiers_are_understood(name: str, algorithm: SignatureAlgorithm) -> None:
    assert algorithms.identify(algorithm.identifier) == algorithm
    assert algorithms.identify(algorithm.cms_identifier, algorithm.digest or algorithm.cms_digest) == algorithm
    assert algorithms.describe(algorithm.identifier) == algorithm.name
    for wrong in (b"", algorithm.identifier + b"\x00", writer.sequence(), algorithm.identifier[:-1], writer.NULL):
        with pytest.raises(MalformedError):
            algorithms.identify(wrong)


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_identifiers_with_other_parameters_are_refused(name: str, algorithm: SignatureAlgorithm) -> None:
    oid = reader.parse(algorithm.identifier).children()[0].raw
    for parameters in (
        writer.integer(1),
        writer.octet_string(b""),
        b"\x05\x01\x00",
        writer.sequence(writer.integer(1)),
    ):
        with pytest.raises(MalformedError):
            algorithms.identify(writer.sequence(oid, parameters))
    with pytest.raises(MalformedError):
        algorithms.identify(writer.sequence(oid, writer.NULL, writer.NULL))


@pytest.mark.parametrize("name", KEY_TYPES)
def test_public_keys_name_their_type(name: str) -> None:
    assert algorithms.key_type_of(key_pair(name).public_key_info) == name
    assert algorithms.weakness(name) == ""


@pytest.mark.parametrize("name", KEY_TYPES)
def test_a_private_key_comes_in_as_it_went_out(name: str) -> None:
    pair = key_pair(name)
    kind, private_key_info, public_key_info = algorithms.import_private_key(pair.private_key_info)
    assert (kind, public_key_info) == (name, pair.public_key_info)
    imported = pair.family.load_private_key(private_key_info)
    algorithm = pair.key_type.algorithms[0]
    data = algorithms.prehash(algorithm, public_key_info, MESSAGE)
    assert pair.verify(algorithm, MESSAGE, pair.family.sign(imported, algorithm, data)) == ""


@pytest.mark.parametrize("name", KEY_TYPES)
def test_a_malformed_private_key_does_not_come_in(name: str) -> None:
    private_key_info = key_pair(name).private_key_info
    for wrong in (private_key_info + b"\x00", private_key_info[:-1], private_key_info[:40], b"", b"\x30\x00"):
        with pytest.raises(MalformedError):
            algorithms.import_private_key(wrong)


@pytest.mark.parametrize("name", KEY_TYPES)
def test_threads_share_a_key(name: str) -> None:
    pair, rounds = key_pair(name), 5 if name.startswith("RSA") else 20
    algorithm = pair.key_type.algorithms[0]
    reasons: list[str] = []
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        for turn in range(rounds):
            message = bytes((number, turn))
            signature = pair.sign(algorithm, message)
            reasons.append(pair.verify(algorithm, message, signature))
            reasons.append("" if pair.verify(algorithm, MESSAGE, signature) else "accepted for another message")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert reasons == [""] * (6 * rounds * 2)


def test_an_unknown_key_type_or_algorithm_is_refused() -> None:
    for name in ("RSA_1024", "ec_p256", "", "SM2"):
        with pytest.raises(UsageError, match="is not a key type: expected one of EC_P256"):
            algorithms.key_type(name)
    with pytest.raises(UsageError, match="EC_P256 can't sign with 'sm3'"):
        algorithms.signature_algorithm("EC_P256", digest="sm3")
    with pytest.raises(UsageError, match="EC_SM2 can't sign with 'sha256'"):
        algorithms.signature_algorithm("EC_SM2", digest="sha256")
    with pytest.raises(UsageError, match="ED25519 can't sign with 'pss'"):
        algorithms.signature_algorithm("ED25519", padding="pss")
