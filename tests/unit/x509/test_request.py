"""Certification requests: proof of possession, and everything that can be wrong with one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signkit import algorithms
from signkit.der import oids, reader, writer
from signkit.errors import MalformedError
from signkit.x509 import names, pem, request
from tests.support import pki

KEY = pki.key(50)
SUBJECT = names.parse("CN=Acme Release,O=Acme,C=DE")


def info(**arguments: tuple[str, ...]) -> bytes:
    usual = {"key_usage": ("digitalSignature",), "purposes": (oids.CODE_SIGNING,)}
    return request.to_be_signed(SUBJECT, KEY.public_key_info, **(usual | arguments))


def signed(body: bytes, key: pki.Key = KEY, algorithm: bytes = b"") -> bytes:
    return writer.sequence(body, algorithm or pki.ALGORITHMS[key.algorithm], writer.bit_string(key.sign(body)))


GOOD = signed(info())


def body(*, version: int = 0, attributes: bytes = b"\xa0\x00", public_key_info: bytes = KEY.public_key_info) -> bytes:
    return writer.sequence(writer.integer(version), SUBJECT.raw, public_key_info, attributes)


def extension_request(*extensions: bytes) -> bytes:
    values = writer.set_of(writer.sequence(*extensions))
    return writer.sequence(writer.oid(oids.EXTENSION_REQUEST), values)


def test_a_good_one() -> None:
    algorithm = algorithms.signature_algorithm("EC_P256")
    made = request.assemble(info(), algorithm, KEY.sign(info()))
    assert made == GOOD
    found = request.load(made)
    assert found.subject == SUBJECT
    assert found.key_type == "EC_P256"
    assert found.public_key_info == KEY.public_key_info
    assert found.proof_of_possession() == ""


def test_proof_of_possession_fails_when_any_byte_is_changed() -> None:
    """Every byte is signed, is the signature, or names the algorithm."""
    for offset in range(len(GOOD)):
        for bit in (0x01, 0x80):
            changed = bytearray(GOOD)
            changed[offset] ^= bit
            try:
                problem = request.load(bytes(changed)).proof_of_possession()
            except MalformedError:
                continue
            assert problem, f"accepted with byte {offset} changed"


def test_signed_by_another_key() -> None:
    assert "does not verify" in request.load(signed(info(), pki.key(51))).proof_of_possession()


@pytest.mark.parametrize(
    "algorithm",
    [
        pki.ALGORITHMS["ecdsa-sha1"],
        pki.ALGORITHMS["rsa-sha256"],
        writer.sequence(writer.oid("1.3.101.112")),
        writer.sequence(writer.oid("1.2.3.4"), writer.NULL),
    ],
    ids=["SHA-1", "RSA", "Ed25519", "unknown"],
)
def test_algorithms_that_are_not_accepted(algorithm: bytes) -> None:
    assert request.load(signed(info(), algorithm=algorithm)).proof_of_possession()


def test_a_sha1_signature_is_no_proof() -> None:
    der = writer.sequence(info(), pki.ALGORITHMS["ecdsa-sha1"], writer.bit_string(KEY.sign(info(), "ecdsa-sha1")))
    assert "is not accepted" in request.load(der).proof_of_possession()


def test_a_key_of_unknown_type_is_no_proof() -> None:
    ed25519 = writer.sequence(writer.sequence(writer.oid("1.3.101.112")), writer.bit_string(bytes(32)))
    assert request.load(signed(body(public_key_info=ed25519))).proof_of_possession()


MALFORMED = {
    "empty": b"",
    "certificate": pki.chain().leaf,
    "trailing byte": GOOD + b"\x00",
    "version 2": signed(body(version=1)),
    "version -1": signed(body(version=-1)),
    "a huge version": signed(body(version=1 << 20_000)),
    "no attributes": signed(body(attributes=b"")),
    "no public key": signed(body(public_key_info=b"")),
    "unused bits in the signature": writer.sequence(
        info(), pki.ALGORITHMS["ecdsa-sha256"], writer.tlv(0x03, b"\x01", KEY.sign(info()))
    ),
    "the same extension twice": signed(
        body(attributes=writer.tlv(0xA0, extension_request(pki.basic_constraints(), pki.basic_constraints())))
    ),
    "an extension request without value": signed(
        body(attributes=writer.tlv(0xA0, writer.sequence(writer.oid(oids.EXTENSION_REQUEST), writer.set_of())))
    ),
    "an attribute of one field": signed(
        body(attributes=writer.tlv(0xA0, writer.sequence(writer.oid(oids.EXTENSION_REQUEST))))
    ),
    "an extension that is empty": signed(body(attributes=writer.tlv(0xA0, extension_request(writer.sequence())))),
    "attributes that are text": signed(body(attributes=b"\xa0\x03\x0c\x01a")),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    with pytest.raises(MalformedError):
        request.from_file(MALFORMED[name])


def test_truncation_at_every_byte_is_refused() -> None:
    for length in range(len(GOOD)):
        with pytest.raises(MalformedError):
            request.load(GOOD[:length])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda der: der,
        lambda der: pem.encode("CERTIFICATE REQUEST", der).encode(),
        lambda der: pem.encode("NEW CERTIFICATE REQUEST", der).encode(),
        lambda der: b"-----text:\r\n" + pem.encode("NEW CERTIFICATE REQUEST", der).replace("\n", "\r\n").encode(),
        lambda der: pki.as_pem(pki.chain().root) + pem.encode("CERTIFICATE REQUEST", der).encode(),
    ],
    ids=["DER", "PEM", "NEW", "CRLF and text", "beside a certificate"],
)
def test_files(wrap: Callable[[bytes], bytes]) -> None:
    assert request.from_file(wrap(GOOD)).der == GOOD


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (pem.encode("CERTIFICATE REQUEST", GOOD).encode() * 2, "found 2"),
        (pki.as_pem(pki.chain().root), "found 0"),
        (pem.encode("CERTIFICATE REQUEST", GOOD).encode()[:-10], "no matching"),
    ],
)
def test_files_without_the_one_request(data: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        request.from_file(data)


def test_other_attributes_are_passed_over() -> None:
    challenge = writer.sequence(writer.oid("1.2.840.113549.1.9.7"), writer.set_of(writer.tlv(0x0C, b"x")))
    der = signed(body(attributes=writer.tlv(0xA0, challenge, extension_request(pki.basic_constraints()))))
    found = request.load(der)
    assert found.extensions.keys() == {oids.BASIC_CONSTRAINTS}
    assert found.extensions[oids.BASIC_CONSTRAINTS].critical
    assert reader.parse(found.info).raw == found.info
