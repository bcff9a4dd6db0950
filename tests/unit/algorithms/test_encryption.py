"""Encryption to a public key: exact limits (kms-api 4.3), one error for every ciphertext that is not right."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from signkit import algorithms
from signkit.algorithms import sm2
from signkit.algorithms.base import EncryptionAlgorithm
from signkit.errors import DecryptionError, UsageError
from tests.support import sm2_reference
from tests.support.components import MISSING
from tests.support.signing import key_pair, point_of

EVERY = [
    pytest.param(name, algorithm, id=f"{name}-{algorithm.name}")
    for name in sorted(algorithms.key_types())
    for algorithm in algorithms.key_type(name).encryption
]
LIMITS = {
    ("RSA_2048", "RSAES_OAEP_SHA_256"): (190, 256),
    ("RSA_2048", "RSAES_OAEP_SHA_1"): (214, 256),
    ("RSA_3072", "RSAES_OAEP_SHA_256"): (318, 384),
    ("RSA_3072", "RSAES_OAEP_SHA_1"): (342, 384),
    ("RSA_4096", "RSAES_OAEP_SHA_256"): (446, 512),
    ("RSA_4096", "RSAES_OAEP_SHA_1"): (470, 512),
    ("EC_SM2", "SM2PKE"): (6047, 6144),
}
"""Largest plaintext and its ciphertext, in bytes."""


def test_every_algorithm_has_its_limit() -> None:
    assert {(param.values[0], param.values[1].name) for param in EVERY} == set(LIMITS)  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_the_largest_plaintext_and_one_byte_more(name: str, algorithm: EncryptionAlgorithm) -> None:
    pair, (largest, size) = key_pair(name), LIMITS[name, algorithm.name]
    family = algorithms.encrypting_family(name)
    for length in (1, largest):
        plaintext = bytes(index & 0xFF for index in range(length))
        ciphertext = algorithms.encrypt(name, algorithm, pair.public_key_info, plaintext)
        assert family.decrypt(pair.private_key, algorithm, ciphertext) == plaintext
    assert len(ciphertext) == size
    for length in (0, largest + 1):
        with pytest.raises(UsageError, match=f"has {length} bytes, expected 1 to {largest}"):
            algorithms.encrypt(name, algorithm, pair.public_key_info, bytes(length))


@pytest.mark.parametrize(("name", "algorithm"), EVERY)
def test_one_error_for_every_ciphertext_that_is_not_right(name: str, algorithm: EncryptionAlgorithm) -> None:
    pair, other = key_pair(name), key_pair(name, 1)
    family = algorithms.encrypting_family(name)
    good = algorithms.encrypt(name, algorithm, pair.public_key_info, b"a symmetric key!")
    bad = [
        good[:-1],
        good + b"\x00",
        good[:-1] + bytes((good[-1] ^ 1,)),
        bytes(len(good)),
        b"\xff" * len(good),
        b"",
        b"\x04",
    ]
    bad.append(algorithms.encrypt(name, algorithm, other.public_key_info, b"another's"))
    bad += [bytes((0x30,)) + good[1:], b"\x30\x00", good[: len(good) // 2]]
    said = set()
    for wrong in bad:
        with pytest.raises(DecryptionError) as caught:
            family.decrypt(pair.private_key, algorithm, wrong)
        said.add((caught.value.message, caught.value.code, caught.value.hint))
    assert len(said) == 1


def test_a_ciphertext_of_sm2_with_a_point_off_the_curve() -> None:
    """What gives gmssl's private key away; a wrong point, one of the other half, and a changed digest or text."""
    pair = key_pair("EC_SM2")
    good = algorithms.encrypt("EC_SM2", sm2.SM2PKE, pair.public_key_info, b"pay 100 to Alice")
    x, y = int.from_bytes(good[1:33], "big"), int.from_bytes(good[33:65], "big")
    points = [(x, y ^ 1), (x, sm2_reference.P - y), (x + sm2_reference.P, y), (0, 0), (x, 0)]
    bad = [b"\x04" + (px % (1 << 256)).to_bytes(32, "big") + py.to_bytes(32, "big") + good[65:] for px, py in points]
    bad += [good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :] for at in (0, 65, 96, 97, len(good) - 1)]
    for wrong in bad:
        with pytest.raises(DecryptionError):
            sm2.decrypt(pair.private_key, sm2.SM2PKE, wrong)


def test_ciphertexts_to_and_from_gmssl() -> None:
    """gmssl as a judge of the ciphertext's form; the product never decrypts with it."""
    if find_spec("gmssl") is None:
        pytest.skip(f"{MISSING} gmssl")
    from gmssl import sm2 as other

    pair = key_pair("EC_SM2")
    judge = other.CryptSM2(pair.private_key.scalar.hex(), "00", mode=1)
    judge.public_key = point_of(pair.public_key_info)[1:].hex()
    for number in range(4):
        plaintext = b"a symmetric key %d" % number
        ours = algorithms.encrypt("EC_SM2", sm2.SM2PKE, pair.public_key_info, plaintext)
        assert judge.decrypt(ours[1:]) == plaintext
        theirs = b"\x04" + judge.encrypt(plaintext)
        assert sm2.decrypt(pair.private_key, sm2.SM2PKE, theirs) == plaintext
