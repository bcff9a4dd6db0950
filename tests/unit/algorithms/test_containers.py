"""Private keys from outside: every form that is read, every check that is made, and files that mean harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from signkit import algorithms
from signkit.algorithms import containers, pbes2
from signkit.der import oids, reader, writer
from signkit.errors import DecryptionError, MalformedError, RefusedError, SignkitError
from signkit.x509 import pem
from tests.support.private_keys import CIPHERS, PRFS, encrypted, encrypted_by_scrypt, pkcs8
from tests.support.signing import ORDERS, key_pair, point_of

KEY_TYPES = sorted(algorithms.key_types())
CURVES = sorted(ORDERS)
ML_DSA = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
PASSPHRASE = b"correct horse"
VECTORS = Path(cryptography_vectors.__file__).parent / "asymmetric" / "MLDSA"


def read(data: bytes, passphrase: bytes = PASSPHRASE) -> tuple[str, bytes]:
    """Type and public key of what comes in."""
    name, _private_key_info, public_key_info = algorithms.import_private_key(containers.read(data, lambda: passphrase))
    return name, public_key_info


def parsed(name: str) -> containers.PrivateKeyInfo:
    return containers.parse(key_pair(name).private_key_info)


def never() -> bytes:
    raise AssertionError("a passphrase was asked for")


# Forms


@pytest.mark.parametrize("name", KEY_TYPES)
def test_every_type_comes_in_plain_and_encrypted(name: str) -> None:
    pair = key_pair(name)
    expected = (name, pair.public_key_info)
    assert containers.read(pair.private_key_info, never) == pair.private_key_info
    assert read(pair.private_key_info) == expected
    assert read(encrypted(pair.private_key_info, PASSPHRASE)) == expected
    assert read(pem.private_key(pem.encode("PRIVATE KEY", pair.private_key_info).encode())) == expected


@pytest.mark.parametrize("prf", PRFS)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_every_function_and_cipher(prf: str, cipher: str) -> None:
    plain = key_pair("EC_SM2").private_key_info
    assert containers.read(encrypted(plain, PASSPHRASE, prf=prf, cipher=cipher), lambda: PASSPHRASE) == plain


@pytest.mark.parametrize("cipher", CIPHERS)
def test_scrypt(cipher: str) -> None:
    plain = key_pair("EC_SM2").private_key_info
    assert containers.read(encrypted_by_scrypt(plain, PASSPHRASE, cipher=cipher), lambda: PASSPHRASE) == plain


def test_what_cryptography_encrypts() -> None:
    """Written by somebody else than the tests' own writer."""
    pair = key_pair("EC_P256")
    key: Any = load_der_private_key(pair.private_key_info, None)
    data = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE))
    assert read(data) == ("EC_P256", pair.public_key_info)


@pytest.mark.parametrize("name", sorted(set(CURVES) - {"EC_SM2"}))
def test_sec1(name: str) -> None:
    pair = key_pair(name)
    key: Any = load_der_private_key(pair.private_key_info, None)
    data = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert data != pair.private_key_info
    assert read(data) == (name, pair.public_key_info)


def test_sec1_for_sm2() -> None:
    pair, key = key_pair("EC_SM2"), parsed("EC_SM2")
    version, scalar, *_ = reader.parse(key.private_key).children()
    data = writer.sequence(version.raw, scalar.raw, writer.tlv(0xA0, key.parameters))
    assert read(data) == ("EC_SM2", pair.public_key_info)
    with pytest.raises(MalformedError, match="does not name its curve"):
        read(writer.sequence(version.raw, scalar.raw))


@pytest.mark.parametrize("name", ["RSA_2048", "RSA_3072"])
def test_pkcs1(name: str) -> None:
    assert read(parsed(name).private_key) == (name, key_pair(name).public_key_info)


@pytest.mark.parametrize("name", KEY_TYPES)
def test_version_1_with_attributes_and_the_public_key(name: str) -> None:
    pair, key = key_pair(name), parsed(name)
    right, other = point_of(pair.public_key_info), point_of(key_pair(name, 1).public_key_info)
    attributes = writer.tlv(0xA0, writer.sequence(writer.oid("2.5.29.15"), writer.set_of(writer.NULL)))
    assert read(pkcs8(key, attributes, public_key=right)) == (name, pair.public_key_info)
    assert read(pkcs8(key, attributes, version=0)) == (name, pair.public_key_info)
    with pytest.raises(MalformedError, match="does not belong to it"):
        read(pkcs8(key, public_key=other))


@pytest.mark.parametrize("name", ML_DSA)
def test_ml_dsa_seed_beside_its_expanded_key(name: str) -> None:
    """RFC 9881 section 6; the start of the expanded key is compared with what the seed gives."""
    pair, key = key_pair(name), parsed(name)
    seed = reader.parse(key.private_key).content
    expanded = expanded_key(name)
    both = writer.sequence(writer.octet_string(seed), writer.octet_string(expanded))
    assert read(pkcs8(key._replace(private_key=both))) == (name, pair.public_key_info)
    for wrong in (expanded[:-1], expanded + b"\x00", b"\x00" + expanded[1:], expanded_key(name, 1)):
        both = writer.sequence(writer.octet_string(seed), writer.octet_string(wrong))
        with pytest.raises(MalformedError, match="does not belong to the seed"):
            read(pkcs8(key._replace(private_key=both)))


def expanded_key(name: str, *number: int) -> bytes:
    """rho, K and tr after FIPS 204 algorithms 1 and 6, and zeros for the rest, which is not looked at."""
    from hashlib import shake_256

    size, *dimensions = {"ML_DSA_44": (2560, 4, 4), "ML_DSA_65": (4032, 6, 5), "ML_DSA_87": (4896, 8, 7)}[name]
    pair = key_pair(name, *number)
    seed = reader.parse(containers.parse(pair.private_key_info).private_key).content
    drawn = shake_256(seed + bytes(dimensions)).digest(128)
    start = drawn[:32] + drawn[96:] + shake_256(point_of(pair.public_key_info)).digest(64)
    return start + bytes(size - len(start))


def test_ml_dsa_without_its_seed_is_refused() -> None:
    """A published file; cryptography keeps seeds only, and no seed can be had from the expanded form."""
    with pytest.raises(MalformedError, match="expected its seed"):
        read((VECTORS / "mldsa65_noseed_priv.der").read_bytes())
    assert read((VECTORS / "mldsa44_priv.der").read_bytes())[0] == "ML_DSA_44"


# Checks


@pytest.mark.parametrize("name", CURVES)
def test_private_numbers_at_the_edges(name: str) -> None:
    size = (ORDERS[name].bit_length() + 7) // 8
    largest = ORDERS[name] - (2 if name == "EC_SM2" else 1)
    for d in (1, 2, largest):
        assert read(with_scalar(name, d.to_bytes(size, "big")))[0] == name
    for d in (0, largest + 1, largest + 2, (1 << 8 * size) - 1):
        with pytest.raises(MalformedError, match="out of range"):
            read(with_scalar(name, d.to_bytes(size, "big")))


@pytest.mark.parametrize("name", CURVES)
def test_private_numbers_in_other_lengths_are_the_same_key(name: str) -> None:
    """Old programs left leading zeros out, or wrote one too many; what is kept has the length of RFC 5915."""
    size = (ORDERS[name].bit_length() + 7) // 8
    expected = algorithms.import_private_key(with_scalar(name, (7).to_bytes(size, "big")))
    assert algorithms.import_private_key(with_scalar(name, b"\x07")) == expected
    assert algorithms.import_private_key(with_scalar(name, (7).to_bytes(size + 1, "big"))) == expected
    for octets in (b"", (7).to_bytes(size + 2, "big")):
        with pytest.raises(MalformedError, match="out of range"):
            algorithms.import_private_key(with_scalar(name, octets))


def with_scalar(name: str, octets: bytes, *fields: bytes) -> bytes:
    private_key = writer.sequence(writer.integer(1), writer.octet_string(octets), *fields)
    return pkcs8(parsed(name)._replace(private_key=private_key))


@pytest.mark.parametrize("name", CURVES)
def test_public_keys_inside_have_to_belong(name: str) -> None:
    pair = key_pair(name)
    octets = reader.parse(parsed(name).private_key).children()[1].content
    point = point_of(pair.public_key_info)
    parity = point[-1] & 1
    x = point[1 : 1 + len(point) // 2]

    def inside(value: bytes) -> bytes:
        return with_scalar(name, octets, writer.tlv(0xA1, writer.bit_string(value)))

    assert read(inside(point)) == read(inside(bytes((2 + parity,)) + x)) == (name, pair.public_key_info)
    hybrid = bytes((6 + parity,)) + point[1:]
    for wrong in (
        point_of(key_pair(name, 1).public_key_info),
        bytes((3 - parity,)) + x,
        hybrid,
        b"",
        b"\x00",
        point[:-1],
    ):
        with pytest.raises(MalformedError):
            read(inside(wrong))


@pytest.mark.parametrize("name", CURVES)
def test_two_names_of_the_curve_have_to_agree(name: str) -> None:
    octets = reader.parse(parsed(name).private_key).children()[1].content
    same, other = parsed(name).parameters, writer.oid(oids.SECP384R1 if name != "EC_P384" else oids.SECP256R1)
    assert read(with_scalar(name, octets, writer.tlv(0xA0, same)))[0] == name
    with pytest.raises(MalformedError, match="two different curves"):
        read(with_scalar(name, octets, writer.tlv(0xA0, other)))
    with pytest.raises(MalformedError, match="none is expected"):
        read(with_scalar(name, octets, writer.tlv(0xA2, other)))


def test_curves_that_are_not_offered() -> None:
    key = parsed("EC_P256")
    brainpool = ec.generate_private_key(ec.BrainpoolP256R1())
    with pytest.raises(MalformedError, match=r"1\.3\.36\.3\.3\.2\.8\.1\.1\.7, expected one of EC_P256"):
        read(brainpool.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(MalformedError, match="not named"):
        read(pkcs8(key._replace(parameters=writer.sequence(writer.integer(1)))))
    with pytest.raises(MalformedError, match="not named"):
        read(pkcs8(key._replace(parameters=b"")))


def rsa_der(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(("bits", "exponent"), [(1024, 65537), (2056, 65537), (2048, 3)])
def test_weak_rsa_keys_do_not_come_in(bits: int, exponent: int) -> None:
    with pytest.raises(RefusedError, match="expected") as caught:
        read(rsa_der(rsa.generate_private_key(exponent, bits)))
    assert caught.value.code == "InvalidKeyMaterial"


@pytest.mark.parametrize("exponent", [1, 0, -65537, 65536, 65538, 1 << 40 | 1, 1 << 4000 | 1])
def test_public_exponents_that_are_refused(exponent: int) -> None:
    with pytest.raises(SignkitError, match=r"exponent"):
        read(changed_rsa(2, exponent))


@pytest.mark.parametrize("field", range(1, 9))
def test_rsa_numbers_have_to_belong_together(field: int) -> None:
    number = reader.integer(reader.parse(parsed("RSA_2048").private_key).children()[field])
    for wrong in (number ^ 2, number ^ 1 << 500 if field != 2 else 65539, 0, -number):
        with pytest.raises((MalformedError, RefusedError)):
            read(changed_rsa(field, wrong))


def changed_rsa(field: int, number: int) -> bytes:
    key = parsed("RSA_2048")
    fields = [child.raw for child in reader.parse(key.private_key).children()]
    fields[field] = writer.integer(number)
    return pkcs8(key._replace(private_key=writer.sequence(*fields)))


def test_rsa_primes_that_are_too_close() -> None:
    """Two primes whose difference has 60 bits: Fermat's method finds them at once (FIPS 186-5 section A.1.3)."""
    p = rsa.generate_private_key(65537, 2048).private_numbers().p | 1
    q = p + (1 << 60)
    while not probably_prime(q) or (q - 1) % 65537 == 0:
        q += 2
    with pytest.raises(RefusedError, match="so close"):
        read(from_primes(p, q, 65537))


def test_rsa_with_a_small_private_exponent() -> None:
    """e is made of a d of 300 bits; such an e is refused first, so the check is seen at its source."""
    key = load_der_private_key(key_pair("RSA_2048").private_key_info, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    with pytest.raises(RefusedError, match="exponent"):
        order = (numbers.p - 1) * (numbers.q - 1)
        d = (1 << 300) + 1
        while True:
            try:
                e = pow(d, -1, order)
                break
            except ValueError:
                d += 2
        read(from_primes(numbers.p, numbers.q, e))


def from_primes(p: int, q: int, e: int) -> bytes:
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = (0, p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    private_key = writer.sequence(*map(writer.integer, numbers))
    return pkcs8(parsed("RSA_2048")._replace(private_key=private_key))


def probably_prime(number: int) -> bool:
    return all(number % small for small in (3, 5, 7, 11, 13)) and pow(2, number - 1, number) == 1


def test_a_key_for_pss_alone_is_refused() -> None:
    with pytest.raises(MalformedError, match="RSASSA-PSS alone"):
        read(pkcs8(parsed("RSA_2048")._replace(oid=oids.RSASSA_PSS)))


@pytest.mark.parametrize("name", ["ED25519", *ML_DSA])
def test_parameters_where_none_belong(name: str) -> None:
    with pytest.raises(MalformedError, match="expected none"):
        read(pkcs8(parsed(name)._replace(parameters=writer.NULL)))


# Passphrases


def test_a_wrong_passphrase_is_one_error() -> None:
    """Also for the one in 256 that leaves a right padding, and for damaged files."""
    data = encrypted(key_pair("EC_P256").private_key_info, PASSPHRASE)
    said = set()
    damaged = (data[:-1] + bytes((data[-1] ^ 1,)), data[:-20] + bytes((data[-20] ^ 1,)) + data[-19:])
    attempts = [(data, b"wrong %d" % number) for number in range(600)] + [(one, PASSPHRASE) for one in damaged]
    for candidate, passphrase in attempts:
        with pytest.raises(DecryptionError) as caught:
            containers.read(candidate, lambda given=passphrase: given)
        said.add((caught.value.message, caught.value.hint, caught.value.code))
    assert len(said) == 1


BOMBS: dict[str, Any] = {
    "rounds": lambda plain: encrypted(plain, PASSPHRASE, iterations=(10_000_001, 1)),
    "huge rounds": lambda plain: encrypted(plain, PASSPHRASE, iterations=(1 << 4000, 1)),
    "no rounds": lambda plain: encrypted(plain, PASSPHRASE, iterations=(0, 1)),
    "negative rounds": lambda plain: encrypted(plain, PASSPHRASE, iterations=(-1, 1)),
    "scrypt memory": lambda plain: encrypted_by_scrypt(plain, PASSPHRASE, claimed=(1 << 40, 8, 1)),
    "scrypt block": lambda plain: encrypted_by_scrypt(plain, PASSPHRASE, claimed=(2, 1 << 40, 1)),
    "scrypt work": lambda plain: encrypted_by_scrypt(plain, PASSPHRASE, claimed=(1 << 14, 8, 1 << 20)),
    "scrypt cost of no power of 2": lambda plain: encrypted_by_scrypt(plain, PASSPHRASE, claimed=(1000, 8, 1)),
    "scrypt of nothing": lambda plain: encrypted_by_scrypt(plain, PASSPHRASE, claimed=(0, 0, 0)),
    "salt": lambda plain: encrypted(plain, PASSPHRASE, salt=bytes(1025)),
}


@pytest.mark.parametrize("what", BOMBS)
def test_files_that_ask_for_too_much_work(what: str) -> None:
    data = BOMBS[what](key_pair("EC_P256").private_key_info)
    with pytest.raises(MalformedError, match="expected|positive"):
        containers.read(data, lambda: PASSPHRASE)


def test_other_encryptions_name_the_way_out() -> None:
    parameters = writer.sequence(writer.octet_string(bytes(8)), writer.integer(2048))
    pbes1 = writer.sequence(writer.oid("1.2.840.113549.1.5.3"), parameters)
    with pytest.raises(MalformedError, match=r"1\.2\.840\.113549\.1\.5\.3, expected PBES2") as caught:
        containers.read(writer.sequence(pbes1, writer.octet_string(bytes(16))), lambda: PASSPHRASE)
    assert "openssl pkcs8 -topk8" in caught.value.hint


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(MalformedError, match="at most 65536"):
        containers.read(writer.octet_string(bytes(1 << 16)), never)


def test_a_file_of_pkcs12_names_the_way_out() -> None:
    with pytest.raises(MalformedError, match="PKCS #12") as caught:
        containers.read(writer.sequence(writer.integer(3), writer.sequence()), never)
    assert "openssl pkcs12" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30\x00", writer.sequence(writer.integer(0)), writer.sequence(writer.NULL, writer.NULL), b"\x00" * 99],
)
def test_what_is_no_private_key(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


# PEM


def test_pem_with_text_and_parameters_around() -> None:
    key = key_pair("EC_P256").private_key_info
    parameters = pem.encode("EC PARAMETERS", writer.oid(oids.SECP256R1))
    text = f"Bag Attributes\n{parameters}{pem.encode('PRIVATE KEY', key)}{pem.encode('CERTIFICATE', b'0')}"
    assert pem.private_key(text.encode()) == key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (pem.encode("PRIVATE KEY", b"0") * 2, "2 private keys"),
        (pem.encode("PUBLIC KEY", b"0"), "0 private keys"),
        (pem.encode("OPENSSH PRIVATE KEY", b"0"), "OPENSSH"),
        (
            pem.encode("RSA PRIVATE KEY", b"0").replace("-\n", "-\nProc-Type: 4,ENCRYPTED\n\n", 1),
            "old way",
        ),
    ],
)
def test_pem_that_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        pem.private_key(text.encode())


# Files that are anything


def samples() -> list[bytes]:
    plain = [key_pair(name).private_key_info for name in ("EC_P256", "EC_SM2", "ED25519", "ML_DSA_44", "RSA_2048")]
    protected = [encrypted(plain[0], PASSPHRASE), encrypted_by_scrypt(plain[1], PASSPHRASE)]
    return [*plain, *protected, parsed("RSA_2048").private_key]


SAMPLES = samples()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(range(len(SAMPLES))), st.data())
def test_a_changed_file_is_the_same_key_or_our_error(number: int, data: st.DataObject) -> None:
    """Bytes changed, cut and put in: what comes in is one of the offered types, all else is an error of ours."""
    changed = bytearray(SAMPLES[number])
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, min(len(changed) - 1, 300)))
        kind = data.draw(st.sampled_from(("set", "cut", "insert")))
        octet = data.draw(st.integers(0, 255))
        changed[position : position + (kind != "insert")] = b"" if kind == "cut" else bytes((octet,))
    try:
        name, _public = read(bytes(changed))
    except SignkitError as error:
        assert isinstance(error, MalformedError | DecryptionError | RefusedError)
    else:
        assert name in KEY_TYPES


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_anything_is_our_error(data: bytes) -> None:
    with pytest.raises(SignkitError):
        read(pem.private_key(data))


def test_the_bound_of_the_work_is_what_the_documentation_says() -> None:
    assert (pbes2.MAXIMUM_ITERATIONS, pbes2.MAXIMUM_SCRYPT_MEMORY, containers.MAXIMUM_SIZE) == (10**7, 2**28, 2**16)
