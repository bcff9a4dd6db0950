"""Every byte of a valid signature, certificate chain and trust anchor is changed, and junk is thrown at everything.

Three things must hold for each mutant: nothing but a ``SignkitError`` is ever raised, verification itself raises
nothing at all (what is wrong becomes evidence), and no mutant is accepted.

The one exception is what ``unsigned`` gives: a byte of a SignedData that nothing signs and nothing depends on. RFC 5652
section 5.1 gives the version number of the SignedData (1, 3, 4 or 5) by what is inside; writers get it wrong, no
verifier cares, and another number changes nothing of what was signed, by whom, or what is trusted.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from signkit import algorithms, formats
from signkit.algorithms import digests
from signkit.cms import signed_data
from signkit.der import ber, cms, oids, reader
from signkit.errors import SignkitError
from signkit.formats.base import SignedPart
from signkit.x509 import bundle, certificate, names, pem, request, validation
from tests.support import pki
from tests.support.cms_builder import ARTIFACT, SignedData, Signer, signature, signer, to_ber
from tests.support.judging import judge

SEED = 20260601
CHAIN, RSA = pki.chain(), pki.rsa_chain()


def by_signkit(chain: pki.Chain, algorithm: str, name: str) -> bytes:
    """What signkit writes, with all its attributes."""
    chosen = formats.format_named("cms")
    leaf = certificate.load(chain.leaf)
    ready = chosen.prepare(leaf, (chain.issuing,), algorithms.signature_algorithm(algorithm), "sha256")
    tbs = chosen.to_be_signed(ready, digests.digest("sha256", ARTIFACT), pki.NOW)
    return chosen.assemble([SignedPart(ready, tbs, chain.leaf_key.sign(tbs, name))])


SIGNATURES = {
    "signkit, P-256": by_signkit(CHAIN, "EC_P256", "ecdsa-sha256"),
    "signkit, RSA": by_signkit(RSA, "RSA_2048", "rsa-sha256"),
    "least attributes": signature(),
    "no signed attributes": signature(signer(attributes=None)),
    "embedded, BER": to_ber(signature(content=ARTIFACT), segment=50),
}


def version_offset(der: bytes) -> int:
    """Where the contents of SignedData's version stand in a DER signature."""
    return reader.parse(der).children()[1].children()[0].children()[0].body


def unsigned(name: str, der: bytes) -> frozenset[int]:
    """Offsets of a signature whose change may be accepted: see the text above."""
    if name == "embedded, BER":
        return frozenset({der.index(b"\x02\x01\x01") + 2})  # the first INTEGER of 1
    return frozenset({version_offset(der)})


def changed(data: bytes, offset: int, chance: random.Random) -> Iterator[bytes]:
    """Mutants of one byte: one bit, the neighbours, the extremes, anything."""
    old = data[offset]
    for new in {old ^ 1 << chance.randrange(8), (old + 1) % 256, (old - 1) % 256, 0, 255, chance.randrange(256)} - {
        old
    }:
        yield data[:offset] + bytes([new]) + data[offset + 1 :]


def restructured(data: bytes, count: int, chance: random.Random) -> Iterator[bytes]:
    """Mutants of many bytes: cut out, doubled, moved, overwritten, cut short, lengthened."""
    for _ in range(count):
        one, other = sorted(chance.sample(range(len(data) + 1), 2))
        size = min(other - one, chance.choice([1, 2, 8, 64]))
        piece = data[one : one + size]
        yield data[:one] + data[one + size :]
        yield data[: one + size] + piece + data[one + size :]
        yield data[:other] + chance.randbytes(size) + data[other:]
        yield data[:one] + chance.randbytes(size) + data[one + size :]
        yield data[:one] + data[other:] + data[one:other]
        yield data[:one]


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_byte_of_a_signature(name: str) -> None:
    data, chance = SIGNATURES[name], random.Random(SEED)
    allowed, accepted, mutants = unsigned(name, data), set(), 0
    assert judge(data).accepted
    for offset in range(len(data)):
        for mutant in changed(data, offset, chance):
            mutants += 1
            if judge(mutant).accepted:
                accepted.add(offset)
    assert mutants >= 2000
    assert accepted <= allowed, f"accepted with these bytes changed: {sorted(accepted - allowed)}"


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_accepted_mutants_change_nothing_that_matters(name: str) -> None:
    """They differ from the signature in the version number alone, and in that only as RFC 5652 admits."""
    data = SIGNATURES[name]
    before = signed_data.parse(data).signed_data
    for offset in unsigned(name, data):
        for value in range(256):
            mutant = data[:offset] + bytes([value]) + data[offset + 1 :]
            if judge(mutant).accepted:
                after = signed_data.parse(mutant).signed_data
                assert after._replace(version=before.version) == before
                assert after.version in (1, 3, 4, 5)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_in_other_order(name: str) -> None:
    """A restructured file is refused unless it says the same as before, certificate for certificate."""
    data, chance = SIGNATURES[name], random.Random(SEED)
    before = signed_data.parse(data).signed_data
    for mutant in restructured(data, 100, chance):
        if judge(mutant).accepted:
            after = signed_data.parse(mutant).signed_data
            assert after._replace(certificates=(), version=1) == before._replace(certificates=(), version=1)


def test_every_byte_of_the_artifact() -> None:
    for data in SIGNATURES.values():
        for offset in range(len(ARTIFACT)):
            mutant = bytearray(ARTIFACT)
            mutant[offset] ^= 1
            assert not judge(data, bytes(mutant)).accepted
        for mutant_of_length in (b"", ARTIFACT[:-1], ARTIFACT + b"\0", ARTIFACT * 2):
            assert not judge(data, mutant_of_length).accepted


@pytest.mark.parametrize("which", ["leaf", "issuing"])
def test_every_byte_of_a_certificate_in_the_bag(which: str) -> None:
    """A changed certificate is not used: the path is refused, and the same with the true one beside it is accepted."""
    chance, mutants = random.Random(SEED), 0
    original = getattr(CHAIN, which)
    others = [der for der in (CHAIN.leaf, CHAIN.issuing) if der != original]
    bare = signature(certificates=())
    for offset in range(len(original)):
        for mutant in changed(original, offset, chance):
            mutants += 1
            assert not judge(bare, intermediates=[*others, mutant]).accepted, f"byte {offset}"
            if mutants % 10 == 0:
                assert judge(bare, intermediates=[mutant, original, *others]).accepted, f"byte {offset}"
    assert mutants >= 2000


def test_every_byte_of_a_trust_anchor() -> None:
    """An anchor is trusted as it stands, so a change of what only its own signature protects may go unseen.

    What decides is its name and its key: with either changed nothing is accepted. An anchor that can't be parsed raises
    MalformedError, and nothing else.
    """
    chance = random.Random(SEED)
    data = signature()
    root = certificate.load(CHAIN.root)
    for offset in range(len(CHAIN.root)):
        for mutant in changed(CHAIN.root, offset, chance):
            try:
                anchor = certificate.load(mutant)
                accepted = judge(data, anchors=[mutant]).accepted
            except SignkitError:
                continue
            same = anchor.subject == root.subject and anchor.public_key_info == root.public_key_info
            assert same or not accepted, f"byte {offset}"


def test_every_byte_of_a_leaf_that_is_the_anchor() -> None:
    """With the leaf itself as anchor nobody else vouches for its bytes: signing-certificate-v2 does."""
    data, chance = SIGNATURES["signkit, P-256"], random.Random(SEED)
    bare = cms.encode(signed_data.parse(data).signed_data._replace(certificates=()))
    assert judge(bare, anchors=[CHAIN.leaf]).accepted
    for offset in range(len(CHAIN.leaf)):
        for mutant in changed(CHAIN.leaf, offset, chance):
            try:
                assert not judge(bare, anchors=[mutant]).accepted
            except SignkitError:
                continue


def readers() -> dict[str, Callable[[bytes], Any]]:
    """Everything that takes bytes from outside."""
    return {
        "judge": judge,
        "judge with it as bag": lambda data: judge(SIGNATURES["least attributes"], intermediates=[data]),
        "judge with it as anchor": lambda data: judge(SIGNATURES["least attributes"], anchors=[data]),
        "signature": formats.format_named("cms").parse,
        "certificates": lambda data: [certificate.load(der) for der in bundle.certificates(data)],
        "stored certificate": certificate.load_accepted,
        "path": lambda data: validation.validate(
            certificate.load_accepted(data), trust_anchors=[CHAIN.root], intermediates=[data], at=pki.NOW
        ),
        "request": lambda data: request.from_file(data).proof_of_possession(),
        "PEM": pem.decode,
        "BER": ber.to_der,
        "CMS": cms.decode,
        "name": lambda data: str(names.load(data)),
        "algorithm": lambda data: algorithms.key_type_of(data),
    }


@pytest.mark.parametrize("name", readers())
def test_junk(name: str) -> None:
    """Random bytes, and pieces of real structures glued together."""
    read, chance = readers()[name], random.Random(SEED)
    pieces = [*SIGNATURES.values(), CHAIN.leaf, CHAIN.root, RSA.leaf, pki.as_pem(CHAIN.leaf, CHAIN.root)]
    for number in range(400):
        junk = chance.randbytes(chance.choice([0, 1, 2, 10, 100, 1000]))
        if number % 2:
            piece = chance.choice(pieces)
            start = chance.randrange(len(piece))
            junk = chance.choice([b"", b"\x30\x80", b"\x30\x82\x01\x00", junk]) + piece[start : start + 500] + junk[:4]
        try:
            read(junk)
        except SignkitError:
            pass


@pytest.mark.parametrize("name", ["request", "certificates", "stored certificate", "path"])
def test_every_byte_of_other_inputs(name: str) -> None:
    """Requests and certificates of every kind of key: only SignkitError."""
    read, chance = readers()[name], random.Random(SEED)
    if name == "request":
        info = request.to_be_signed(
            names.parse("CN=A"),
            RSA.leaf_key.public_key_info,
            key_usage=("digitalSignature",),
            purposes=(oids.CODE_SIGNING,),
        )
        algorithm = algorithms.signature_algorithm("RSA_2048")
        inputs = [request.assemble(info, algorithm, RSA.leaf_key.sign(info))]
    else:
        inputs = [
            RSA.leaf,
            pki.leaf("CN=Odd+O=Two", pki.key(3), pki.ISSUING, pki.key(2), extra=[pki.name_constraints("O=A")]),
        ]
    for data in inputs:
        for offset in range(len(data)):
            for mutant in changed(data, offset, chance):
                try:
                    read(mutant)
                except SignkitError:
                    pass


def test_clocks_at_the_end_of_the_calendar() -> None:
    """Judging at any moment that can be said raises nothing."""
    data = SIGNATURES["signkit, P-256"]
    utc = pki.NOW.tzinfo
    first, last = pki.NOW.min.replace(tzinfo=utc), pki.NOW.max.replace(tzinfo=utc)
    for moment in (first, last, pki.NOT_BEFORE - timedelta(microseconds=1)):
        assert judge(data, at=moment).exit_status == 15


def test_signers_of_anything() -> None:
    """SignerInfos whose algorithms are arbitrary DER: refused, and nothing raised."""
    chance = random.Random(SEED)
    tags = [0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x17, 0x30, 0x31, 0x80, 0xA0, 0xA1, 0xA2, 0xA3]

    def element(depth: int) -> bytes:
        tag = chance.choice(tags)
        if tag & 0x20 and depth < 4:
            content = b"".join(element(depth + 1) for _ in range(chance.randrange(4)))
        else:
            content = chance.randbytes(chance.randrange(4))
        return bytes([tag, len(content)]) + content if len(content) < 128 else b"\x05\x00"

    known = ["1.2.840.113549.1.1.10", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"]
    from signkit.der import writer

    for _ in range(1500):
        identifier = writer.sequence(writer.oid(chance.choice(known)), element(0))
        one = Signer(CHAIN.leaf_key, CHAIN.leaf, signature_algorithm=identifier)
        result = judge(SignedData((one,), (CHAIN.leaf, CHAIN.issuing)).encode())
        assert not result.accepted
