"""SM2 on libcrypto: identifiers, unusual keys, keys that would hang or leak, and a second implementation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from signkit import algorithms
from signkit.algorithms import containers, digests, sm2
from signkit.der import oids, writer
from signkit.errors import MalformedError
from tests.support import sm2_reference
from tests.support.signing import encoded, key_pair, numbers, point_of

ROOT = Path(__file__).resolve().parents[3]
N = sm2_reference.N
MESSAGE = b"an artifact"
EC_SM2 = writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SM2))
SM2_SM2 = writer.sequence(writer.oid(oids.SM2), writer.oid(oids.SM2))

# Private keys whose public keys have leading zeros, or digits 0 and 4 in front, which careless code strips.
UNUSUAL = (1, 2, 6, 11, 65, 107, 327, N - 2)


def private_key_info(d: int, point: bytes = b"", algorithm: bytes = EC_SM2) -> bytes:
    """PKCS #8 of any number, whether it can be a private key or not."""
    public = writer.tlv(0xA1, writer.bit_string(point)) if point else b""
    inner = writer.sequence(writer.integer(1), writer.octet_string(d.to_bytes(32, "big")), public)
    return writer.sequence(writer.integer(0), algorithm, writer.octet_string(inner))


def public_key_info(point: bytes, algorithm: bytes = EC_SM2) -> bytes:
    return writer.sequence(algorithm, writer.bit_string(point))


@pytest.mark.parametrize("d", UNUSUAL)
def test_unusual_keys(d: int) -> None:
    point = sm2_reference.public_point(d)
    name, kept, public = algorithms.import_private_key(private_key_info(d))
    assert (name, public) == ("EC_SM2", public_key_info(point))
    assert algorithms.import_private_key(private_key_info(d, point)) == (name, kept, public)
    assert kept == private_key_info(d, point)
    e = algorithms.prehash(sm2.SM2DSA, public, MESSAGE)
    signature = sm2.sign(sm2.load_private_key(kept), sm2.SM2DSA, e)
    assert algorithms.verify_message(sm2.SM2DSA, public, MESSAGE, signature) == ""
    assert sm2_reference.verify(point, e, *numbers(signature))
    theirs = sm2_reference.sign(d, e, 0x1234567890ABCDEF << 128 | d)
    assert algorithms.verify_message(sm2.SM2DSA, public, MESSAGE, encoded(*theirs)) == ""


def test_a_second_implementation_agrees() -> None:
    for number in range(4):
        pair = key_pair("EC_SM2", number)
        signature = pair.sign(sm2.SM2DSA, MESSAGE)
        e = algorithms.prehash(sm2.SM2DSA, pair.public_key_info, MESSAGE)
        assert sm2_reference.verify(point_of(pair.public_key_info), e, *numbers(signature))
        assert not sm2_reference.verify(point_of(pair.public_key_info), e[::-1], *numbers(signature))


# Keys that are refused. With d = n - 1 OpenSSL searches for ever, so this runs in a process with a time limit.

REFUSED = {
    "d = 0": private_key_info(0),
    "d = n - 1": private_key_info(N - 1),
    "d = n - 1 with its public key": private_key_info(N - 1, sm2_reference.public_point(N - 1)),
    "d = n": private_key_info(N),
    "d = n + 1": private_key_info(N + 1, sm2_reference.public_point(1)),
    "d = 2^256 - 1": private_key_info((1 << 256) - 1),
    "public key of another": private_key_info(11, sm2_reference.public_point(12)),
    "public key off the curve": private_key_info(11, sm2_reference.public_point(11)[:-1] + b"\x00"),
    "public key at infinity": private_key_info(11, b"\x00"),
    "bytes after the key": private_key_info(11) + b"\x00",
}
PROGRAM = """
import sys
from signkit import algorithms
from signkit.algorithms import sm2
from signkit.errors import MalformedError
for line in sys.stdin:
    der = bytes.fromhex(line)
    try:
        algorithms.import_private_key(der)
        print("came in")
    except MalformedError as error:
        print("refused:", error)
    try:
        key = sm2.load_private_key(der)
        print("loaded", flush=True)
        sm2.sign(key, sm2.SM2DSA, bytes(32))
    except MalformedError as error:
        print("refused:", error)
"""


@pytest.mark.parametrize("what", REFUSED)
def test_a_private_key_that_can_not_be_is_refused_and_quickly(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, input=REFUSED[what].hex(), capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    imported, loaded = done.stdout.splitlines()
    assert imported.startswith("refused:")
    assert loaded.startswith("refused:") or what == "bytes after the key" and loaded == "loaded"


def test_a_private_key_of_another_curve_is_not_an_sm2_key() -> None:
    other = writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SECP256R1))
    assert sm2.import_private_key(containers.parse(private_key_info(11, algorithm=other))) is None
    assert algorithms.import_private_key(private_key_info(11, algorithm=other))[0] == "EC_P256"


# Identifiers


@pytest.mark.parametrize("signer_id", [b"", b"1234567812345678", b"ALICE123@YAHOO.COM", b"\x00", b"x" * 8190])
def test_the_identifier_is_part_of_what_is_signed(signer_id: bytes) -> None:
    pair = key_pair("EC_SM2")
    e = algorithms.prehash(sm2.SM2DSA, pair.public_key_info, MESSAGE, signer_id=signer_id)
    signature = sm2.sign(pair.private_key, sm2.SM2DSA, e)

    def verify(other: bytes) -> str:
        return algorithms.verify_message(sm2.SM2DSA, pair.public_key_info, MESSAGE, signature, signer_id=other)

    assert verify(signer_id) == ""
    assert verify(b"another")
    assert (verify(algorithms.DEFAULT_SIGNER_ID) == "") is (signer_id == algorithms.DEFAULT_SIGNER_ID)


def test_z_is_that_of_the_standard() -> None:
    key = key_pair("EC_SM2").public_key_info
    curve = (sm2_reference.P - 3, sm2_reference.B, *sm2_reference.G)
    numbers_ = b"".join(number.to_bytes(32, "big") for number in curve)
    for signer_id in (b"", b"ALICE123@YAHOO.COM"):
        z = digests.digest("sm3", (8 * len(signer_id)).to_bytes(2, "big") + signer_id + numbers_ + point_of(key)[1:])
        assert sm2.signer_prefix(key, signer_id) == z
        assert algorithms.prehash(sm2.SM2DSA, key, MESSAGE, signer_id=signer_id) == digests.digest("sm3", z + MESSAGE)


@pytest.mark.parametrize("length", [8191, 8192, 65536])
def test_an_identifier_that_is_too_long_is_refused(length: int) -> None:
    """Its length in bits must fit into 16; OpenSSL refuses 8191 as well."""
    pair = key_pair("EC_SM2")
    with pytest.raises(MalformedError, match=f"SM2 identifier has {length} bytes, expected at most 8190"):
        algorithms.prehash(sm2.SM2DSA, pair.public_key_info, MESSAGE, signer_id=b"x" * length)
    reason = algorithms.verify_message(sm2.SM2DSA, pair.public_key_info, MESSAGE, b"", signer_id=b"x" * length)
    assert "identifier has" in reason


def test_a_signature_over_the_bare_digest_is_refused() -> None:
    """SM3 of the message without Z before it, as some programs make it."""
    pair = key_pair("EC_SM2")
    signature = sm2.sign(pair.private_key, sm2.SM2DSA, digests.digest("sm3", MESSAGE))
    assert pair.verify(sm2.SM2DSA, MESSAGE, signature)


# Public keys and identifiers of algorithms


def test_the_curve_as_key_algorithm_is_the_same_key() -> None:
    """GM/T 0015 allows {sm2, sm2} where others write {ecPublicKey, sm2}."""
    pair = key_pair("EC_SM2")
    other = public_key_info(point_of(pair.public_key_info), SM2_SM2)
    assert other != pair.public_key_info
    assert algorithms.key_type_of(other) == "EC_SM2"
    assert sm2.signer_prefix(other) == sm2.signer_prefix(pair.public_key_info)
    assert algorithms.verify_message(sm2.SM2DSA, other, MESSAGE, pair.sign(sm2.SM2DSA, MESSAGE)) == ""


@pytest.mark.parametrize(
    "algorithm",
    [
        writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SECP256R1)),
        writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.oid(oids.SM2)),
        writer.sequence(writer.oid(oids.EC_PUBLIC_KEY)),
        writer.sequence(writer.oid(oids.SM2)),
        writer.sequence(writer.oid(oids.SM2), writer.NULL),
        writer.oid(oids.SM2),
    ],
)
def test_a_point_under_another_name_is_no_sm2_key(algorithm: bytes) -> None:
    pair = key_pair("EC_SM2")
    other = public_key_info(point_of(pair.public_key_info), algorithm)
    signature = pair.sign(sm2.SM2DSA, MESSAGE)
    assert algorithms.verify_message(sm2.SM2DSA, other, MESSAGE, signature) == "the public key is not an SM2 key"
    e = algorithms.prehash(sm2.SM2DSA, pair.public_key_info, MESSAGE)
    assert algorithms.verify_digest(sm2.SM2DSA, other, e, signature) == "the public key is not an SM2 key"


def test_identifiers_that_authorities_write() -> None:
    for dotted in (oids.SM2_WITH_SM3, oids.SM2_SIGN):
        for parameters in (b"", writer.NULL):
            assert algorithms.identify(writer.sequence(writer.oid(dotted), parameters)) == sm2.SM2DSA
        with pytest.raises(MalformedError, match="expected NULL or none"):
            algorithms.identify(writer.sequence(writer.oid(dotted), writer.oid(oids.SM2)))
    draft = writer.sequence(writer.oid("1.2.156.197.1.501"))
    assert algorithms.identify(draft) is None
