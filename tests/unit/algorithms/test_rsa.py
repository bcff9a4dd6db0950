"""RSA: salts, paddings and parameters."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signkit import algorithms
from signkit.algorithms import digests, rsa
from signkit.algorithms.base import SignatureAlgorithm
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from tests.support.signing import key_pair

DIGEST = sha256(b"an artifact").digest()
PAIR = key_pair("RSA_2048")
PKCS1, PSS = rsa.PKCS1["sha256"], rsa.PSS_ALGORITHMS["sha256"]
SHA256 = digests.identifier("sha256")
SHA256_NULL = writer.sequence(writer.oid("2.16.840.1.101.3.4.2.1"), writer.NULL)


def verify(algorithm: SignatureAlgorithm, signature: bytes, public_key_info: bytes = b"") -> str:
    return algorithms.verify_digest(algorithm, public_key_info or PAIR.public_key_info, DIGEST, signature)


# PSS


def field(number: int, *values: bytes) -> bytes:
    return writer.tlv(0xA0 + number, *values)


def mgf1(*values: bytes) -> bytes:
    return writer.sequence(writer.oid("1.2.840.113549.1.1.8"), *values)


def pss(*fields: bytes) -> bytes:
    return writer.sequence(writer.oid(oids.RSASSA_PSS), writer.sequence(*fields))


@pytest.mark.parametrize("salt_length", [0, 1, 20, 31, 33, 64, 222])
def test_a_salt_of_another_length_is_another_algorithm(salt_length: int) -> None:
    """The salt has the length that the parameters say, by default that of the digest; a verifier guesses nothing."""
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length)
    signature = PAIR.private_key.sign(DIGEST, scheme, Prehashed(hashes.SHA256()))
    assert verify(PSS, signature)
    named = algorithms.identify(pss(field(0, SHA256), field(1, mgf1(SHA256)), field(2, writer.integer(salt_length))))
    assert named is not None and named != PSS
    assert verify(named, signature) == ""
    assert verify(named, PAIR.sign(PSS, b"an artifact"))


def test_a_salt_has_the_length_of_the_digest() -> None:
    for digest, algorithm in rsa.PSS_ALGORITHMS.items():
        signature = PAIR.sign(algorithm, b"an artifact")
        chosen = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[digest]
        scheme = padding.PSS(padding.MGF1(chosen), chosen.digest_size)
        key = PAIR.private_key.public_key()
        key.verify(signature, digests.digest(digest, b"an artifact"), scheme, Prehashed(chosen))


def test_mgf1_with_another_digest_is_refused() -> None:
    scheme = padding.PSS(padding.MGF1(hashes.SHA512()), 32)
    assert verify(PSS, PAIR.private_key.sign(DIGEST, scheme, Prehashed(hashes.SHA256())))
    assert algorithms.identify(pss(field(0, SHA256), field(1, mgf1(digests.identifier("sha512"))))) is None


@pytest.mark.parametrize(
    "parameters",
    [
        (),
        (field(0, SHA256),),
        (field(1, mgf1(SHA256)),),
        (field(0, digests.identifier("sha1")), field(1, mgf1(digests.identifier("sha1")))),
        (field(0, digests.identifier("sm3")), field(1, mgf1(digests.identifier("sm3")))),
        (field(0, SHA256), field(1, writer.sequence(writer.oid(oids.DATA), SHA256))),
        (field(0, SHA256), field(1, mgf1())),
        (field(0, SHA256), field(1, mgf1(SHA256)), field(4, writer.integer(1))),
    ],
)
def test_parameters_that_are_not_accepted(parameters: tuple[bytes, ...]) -> None:
    assert algorithms.identify(pss(*parameters)) is None


@pytest.mark.parametrize(
    "parameters",
    [
        (field(0), field(1, mgf1(SHA256))),
        (field(0, SHA256), field(1)),
        (field(0, SHA256), field(1, mgf1(SHA256)), field(2)),
        (field(0, SHA256), field(1, mgf1(SHA256)), field(2, writer.integer(32)), field(3)),
        (field(0, SHA256, SHA256), field(1, mgf1(SHA256))),
        (field(0, SHA256), field(0, SHA256), field(1, mgf1(SHA256))),
        (field(1, mgf1(SHA256)), field(0, SHA256)),
        (field(0, writer.NULL), field(1, mgf1(SHA256))),
        (field(0, writer.sequence()), field(1, mgf1(SHA256))),
        (field(0, writer.sequence(writer.oid(oids.DATA), writer.integer(1))), field(1, mgf1(SHA256))),
        (field(0, SHA256), field(1, writer.integer(1))),
        (field(0, SHA256), field(1, mgf1(SHA256)), field(2, writer.integer(-1))),
        (field(0, SHA256), field(1, mgf1(SHA256)), field(2, writer.integer(513))),
        (field(0, SHA256), field(1, mgf1(SHA256)), field(2, writer.octet_string(b" "))),
        (field(0, SHA256), field(1, mgf1(SHA256)), field(2, writer.integer(32)), field(3, writer.integer(2))),
        (writer.integer(1),),
    ],
)
def test_malformed_parameters(parameters: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedError):
        algorithms.identify(pss(*parameters))


def test_missing_or_null_parameters_are_malformed() -> None:
    for identifier in (
        writer.sequence(writer.oid(oids.RSASSA_PSS)),
        writer.sequence(writer.oid(oids.RSASSA_PSS), b"\x05\x00"),
    ):
        with pytest.raises(MalformedError):
            algorithms.identify(identifier)


def test_null_and_the_default_trailer_change_nothing() -> None:
    fields = (field(0, SHA256_NULL), field(1, mgf1(SHA256_NULL)), field(2, writer.integer(32)))
    assert algorithms.identify(pss(*fields)) == PSS
    assert algorithms.identify(pss(*fields, field(3, writer.integer(1)))) == PSS


# PKCS #1 v1.5


def test_parameters_of_pkcs1() -> None:
    for dotted, digest in ((oids.RSA_SHA256, None), (oids.RSA_ENCRYPTION, "sha256")):
        for parameters in (b"", writer.NULL):
            assert algorithms.identify(writer.sequence(writer.oid(dotted), parameters), digest) == PKCS1
        with pytest.raises(MalformedError, match="expected NULL or none"):
            algorithms.identify(writer.sequence(writer.oid(dotted), writer.integer(1)), digest)
    assert algorithms.identify(writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL)) is None
    for digest in ("sha1", "md5", "sm3"):
        assert algorithms.identify(writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL), digest) is None
    assert algorithms.identify(writer.sequence(writer.oid(oids.RSA_SHA1), writer.NULL)) is None


def raw_signature(encoded_message: bytes) -> bytes:
    """RSA's bare operation on 256 bytes."""
    private = PAIR.private_key.private_numbers()
    value = pow(int.from_bytes(encoded_message, "big"), private.d, private.public_numbers.n)
    return value.to_bytes(256, "big")


def padded(
    info: bytes, *, fill: int = 0xFF, first: bytes = b"\x00\x01", count: int | None = None, tail: bytes = b""
) -> bytes:
    count = 253 - len(info) - len(tail) if count is None else count
    return first + bytes((fill,)) * count + b"\x00" + info + tail


def digest_info(identifier: bytes, digest: bytes = DIGEST) -> bytes:
    return writer.sequence(identifier, writer.octet_string(digest))


INFO = digest_info(SHA256_NULL)


def test_the_padding_of_pkcs1_is_checked_to_the_last_byte() -> None:
    assert verify(PKCS1, raw_signature(padded(INFO))) == ""
    for what, message in {
        "bytes after the digest": padded(INFO, tail=b"\x00"),
        "short padding and much behind (Bleichenbacher 2006)": padded(INFO, count=8, tail=bytes(245 - len(INFO))),
        "another fill": padded(INFO, fill=0xFE),
        "block type 2": padded(INFO, first=b"\x00\x02"),
        "no NULL in the DigestInfo": padded(digest_info(SHA256)),
        "another digest named": padded(digest_info(writer.sequence(writer.oid("1.3.14.3.2.26"), writer.NULL))),
        "SHA-512 named": padded(digest_info(digests.identifier("sha512"))),
        "bare digest": padded(DIGEST),
        "long form of a length": padded(b"\x30\x81" + INFO[1:]),
        "indefinite length": padded(b"\x30\x80" + INFO[2:] + b"\x00\x00"),
        "another digest": padded(digest_info(SHA256_NULL, DIGEST[::-1])),
    }.items():
        assert verify(PKCS1, raw_signature(message)), what


@pytest.mark.parametrize("algorithm", [PKCS1, PSS], ids=lambda algorithm: algorithm.name)
def test_signatures_of_another_form(algorithm: SignatureAlgorithm) -> None:
    signature = PAIR.sign(algorithm, b"an artifact")
    n = PAIR.private_key.private_numbers().public_numbers.n
    number = int.from_bytes(signature, "big")
    assert verify(algorithm, signature) == ""
    for wrong in (
        (number + n).to_bytes(257, "big"),
        (n - number).to_bytes(256, "big"),
        n.to_bytes(256, "big"),
        (n - 1).to_bytes(256, "big"),
        (1).to_bytes(256, "big"),
        b"\x00" + signature,
        signature.lstrip(b"\x00")[1:],
        signature * 2,
    ):
        assert verify(algorithm, wrong)


@pytest.mark.parametrize("algorithm", [PKCS1, PSS], ids=lambda algorithm: algorithm.name)
def test_a_leading_zero_is_part_of_a_signature(algorithm: SignatureAlgorithm) -> None:
    """RFC 8017 section 8.1.2 step 1; the number is the same without it, so the signature could be altered."""
    for number in range(20_000):
        digest = sha256(number.to_bytes(8, "big")).digest()
        signature = PAIR.family.sign(PAIR.private_key, algorithm, digest)
        if signature[0] == 0:
            break
    assert algorithms.verify_digest(algorithm, PAIR.public_key_info, digest, signature) == ""
    reason = algorithms.verify_digest(algorithm, PAIR.public_key_info, digest, signature[1:])
    assert reason == "RSA signature of 255 bytes, expected 256"


def test_padding_schemes_are_not_taken_for_each_other() -> None:
    assert verify(PSS, PAIR.sign(PKCS1, b"an artifact"))
    assert verify(PKCS1, PAIR.sign(PSS, b"an artifact"))


# Keys


def for_pss(parameters: bytes) -> bytes:
    """The public key as one for RSASSA-PSS (RFC 4055 section 1.2)."""
    public_key = reader.parse(PAIR.public_key_info).children()[1].raw
    return writer.sequence(writer.sequence(writer.oid(oids.RSASSA_PSS), parameters), public_key)


def test_a_key_for_pss_is_for_nothing_else() -> None:
    key = for_pss(b"")
    assert algorithms.key_type_of(key) == "RSA_2048"
    assert verify(PSS, PAIR.sign(PSS, b"an artifact"), key) == ""
    assert "for other signatures only" in verify(PKCS1, PAIR.sign(PKCS1, b"an artifact"), key)


def test_a_key_for_pss_with_parameters_is_for_these() -> None:
    signature = PAIR.sign(PSS, b"an artifact")

    def parameters(*fields: bytes) -> bytes:
        return reader.parse(pss(*fields)).children()[1].raw

    sha256_ = (field(0, SHA256), field(1, mgf1(SHA256)))
    sha512 = (field(0, digests.identifier("sha512")), field(1, mgf1(digests.identifier("sha512"))))
    for salt in ((), (field(2, writer.integer(21)),), (field(2, writer.integer(32)),)):
        assert verify(PSS, signature, for_pss(parameters(*sha256_, *salt))) == ""
    assert verify(PSS, signature, for_pss(parameters(*sha256_, field(2, writer.integer(33)))))
    assert verify(PSS, signature, for_pss(parameters(*sha512, field(2, writer.integer(32)))))
    assert verify(PSS, signature, for_pss(parameters()))
    assert verify(PSS, signature, for_pss(writer.NULL))
    assert verify(PSS, signature, for_pss(parameters(field(0))))


@pytest.mark.parametrize("bits", [1024, 2047])
def test_small_keys_are_weak_and_do_not_come_in(bits: int) -> None:
    assert algorithms.weakness(f"RSA_{bits}") == f"RSA modulus of {bits} bits, expected at least 2048"


def test_huge_keys_are_refused() -> None:
    assert "expected at most 8192" in algorithms.weakness("RSA_8193")


def test_a_modulus_that_can_not_be_is_malformed() -> None:
    key_algorithm = reader.parse(PAIR.public_key_info).children()[0].raw
    for modulus in (0, -(1 << 2047)):
        public_key = writer.bit_string(writer.sequence(writer.integer(modulus), writer.integer(65537)))
        with pytest.raises(MalformedError, match="not positive"):
            algorithms.key_type_of(writer.sequence(key_algorithm, public_key))
