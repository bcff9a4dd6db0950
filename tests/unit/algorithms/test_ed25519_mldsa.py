"""Ed25519 and ML-DSA: what is special to algorithms that sign messages."""

from __future__ import annotations

import hashlib

import pytest

from signkit import algorithms
from signkit.der import reader, writer
from signkit.errors import MalformedError
from tests.support.signing import key_pair, point_of, with_point

MESSAGE = b"an artifact"
L = (1 << 252) + 27742317777372353535851937790883648493
"""Order of Ed25519's group."""

ML_DSA = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87")


def test_ed25519_takes_s_in_its_range_only() -> None:
    """RFC 8032 section 5.1.7: s + L would verify too, so signatures could be altered."""
    pair = key_pair("ED25519")
    algorithm = pair.key_type.algorithms[0]
    signature = pair.sign(algorithm, MESSAGE)
    s = int.from_bytes(signature[32:], "little")
    for wrong in (s + L, s + 2 * L, 0, L, L - s, (1 << 256) - 1):
        assert pair.verify(algorithm, MESSAGE, signature[:32] + wrong.to_bytes(32, "little"))
    for r in (bytes(32), b"\xff" * 32, (1).to_bytes(32, "little")):
        assert pair.verify(algorithm, MESSAGE, r + signature[32:])


def test_ed25519_is_deterministic() -> None:
    pair = key_pair("ED25519")
    algorithm = pair.key_type.algorithms[0]
    assert pair.sign(algorithm, MESSAGE) == pair.sign(algorithm, MESSAGE)


@pytest.mark.parametrize("name", ["ED25519", *ML_DSA])
def test_public_keys_of_another_length_are_refused(name: str) -> None:
    pair = key_pair(name)
    algorithm = pair.key_type.algorithms[0]
    signature = pair.sign(algorithm, MESSAGE)
    point = reader.bit_string(reader.parse(pair.public_key_info).children()[1])
    for wrong in (point[:-1], point + b"\x00", b"", point * 2):
        public_key_info = with_point(pair.public_key_info, wrong)
        assert algorithms.verify_message(algorithm, public_key_info, MESSAGE, signature)


@pytest.mark.parametrize("name", ["ED25519", *ML_DSA])
def test_key_parameters_are_absent(name: str) -> None:
    identifier = key_pair(name).key_type.algorithms[0].identifier
    with pytest.raises(MalformedError, match="expected none"):
        algorithms.identify(writer.sequence(reader.parse(identifier).content, writer.NULL))


@pytest.mark.parametrize("name", ML_DSA)
def test_a_signature_for_another_context_is_refused(name: str) -> None:
    """FIPS 204 algorithm 2: signkit's context is empty, another purpose has another one."""
    pair = key_pair(name)
    algorithm = pair.key_type.algorithms[0]
    assert pair.verify(algorithm, MESSAGE, pair.private_key.sign(MESSAGE)) == ""
    assert pair.verify(algorithm, MESSAGE, pair.private_key.sign(MESSAGE, b"another purpose"))


@pytest.mark.parametrize("name", ML_DSA)
def test_parameter_sets_are_not_taken_for_each_other(name: str) -> None:
    pair = key_pair(name)
    signature = pair.sign(pair.key_type.algorithms[0], MESSAGE)
    for other in set(ML_DSA) - {name}:
        algorithm = algorithms.key_type(other).algorithms[0]
        reason = algorithms.verify_digest(algorithm, pair.public_key_info, MESSAGE, signature)
        assert reason == f"{other} with a key that is not an {other} key"


@pytest.mark.parametrize("name", ML_DSA)
def test_hints_that_are_not_in_order_are_refused(name: str) -> None:
    """FIPS 204 algorithm 21: the hint at the end of a signature has one encoding."""
    pair = key_pair(name)
    algorithm = pair.key_type.algorithms[0]
    signature = bytearray(pair.sign(algorithm, MESSAGE))
    signature[-1] = 0xFF  # more hints than there can be
    assert pair.verify(algorithm, MESSAGE, bytes(signature))


def mu_of(public_key_info: bytes, message: bytes) -> bytes:
    """FIPS 204 algorithm 2 (pure, empty context) and algorithm 7, line 6, straight from the text."""
    public_key = point_of(public_key_info)
    tr = hashlib.shake_256(public_key).digest(64)
    return hashlib.shake_256(tr + b"\x00\x00" + message).digest(64)


@pytest.mark.parametrize("name", ML_DSA)
def test_a_signature_over_mu_is_one_over_its_message(name: str) -> None:
    pair = key_pair(name)
    algorithm = pair.key_type.algorithms[0]
    external = algorithm.over_digest()
    assert external is not None and external.identifier == algorithm.identifier
    mu = mu_of(pair.public_key_info, MESSAGE)
    signature = pair.family.sign(pair.private_key, external, mu)
    assert algorithms.verify_message(algorithm, pair.public_key_info, MESSAGE, signature) == ""
    assert algorithms.verify_digest(external, pair.public_key_info, mu, pair.sign(algorithm, MESSAGE)) == ""
    assert algorithms.verify_digest(external, pair.public_key_info, bytes(64), signature)
    assert algorithms.verify_digest(algorithm, pair.public_key_info, mu, signature), "mu is not the message"
    other = mu_of(key_pair(name, 1).public_key_info, MESSAGE)
    assert algorithms.verify_digest(external, pair.public_key_info, other, signature)
    for length in (0, 32, 63, 65):
        assert "expected 64" in algorithms.verify_digest(external, pair.public_key_info, bytes(length), signature)


def test_ed25519_has_nothing_that_stands_for_its_message() -> None:
    assert key_pair("ED25519").key_type.algorithms[0].over_digest() is None
