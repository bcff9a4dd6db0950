"""Detached CMS: what is accepted, and a corpus of signatures that are signed correctly and malformed all the same.

Each case of the corpus is refused, by the check that has the say, with the exit status that belongs to it. BC, openssl,
gnutls, NSS and pyHanko each accept some of them; this takes the union of what they refuse.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from signkit import formats
from signkit.algorithms import digests, signature_algorithm
from signkit.der import oids, writer
from signkit.errors import MalformedError, UsageError
from signkit.evidence import Verdict, find
from signkit.formats.base import SignedPart
from signkit.x509 import certificate, pem
from tests.support import pki
from tests.support.cms_builder import (
    ARTIFACT,
    SignedData,
    Signer,
    algorithm_protection,
    attribute,
    content_type,
    message_digest,
    signature,
    signer,
    signing_certificate,
    signing_certificate_v2,
    signing_time,
    to_ber,
)
from tests.support.judging import failures, judge

CHAIN, RSA = pki.chain(), pki.rsa_chain()
LEAF = certificate.load(CHAIN.leaf)
NAMES = (LEAF.issuer.raw, LEAF.serial_number)
SHA256, SHA384, SHA1 = (digests.identifier(name) for name in ("sha256", "sha384", "sha1"))
ECDSA, RSA_PKCS1 = pki.ALGORITHMS["ecdsa-sha256"], pki.ALGORITHMS["rsa-sha256"]
RSA_ENCRYPTION = writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.NULL)
BASE = (content_type(), message_digest())


def with_attributes(*more: Any, base: Any = BASE, **changes: Any) -> bytes:
    return signature(signer(attributes=(*base, *more), **changes))


def rsa_signer(**changes: Any) -> Signer:
    return signer(**({"key": RSA.leaf_key, "certificate": RSA.leaf} | changes))


# --- what is accepted ---

GOOD = {
    "least": signature(),
    "all attributes": with_attributes(
        signing_time(),
        signing_certificate_v2(CHAIN.leaf, issuer_serial=NAMES),
        signing_certificate(CHAIN.leaf, issuer_serial=NAMES),
        algorithm_protection(SHA256, ECDSA),
    ),
    "signing-certificate-v2 with SHA-512": with_attributes(signing_certificate_v2(CHAIN.leaf, digest="sha512")),
    "algorithm-protection with NULL": with_attributes(
        algorithm_protection(writer.sequence(writer.oid("2.16.840.1.101.3.4.2.1"), writer.NULL), ECDSA)
    ),
    "unknown attribute": with_attributes(attribute("1.2.3.4", writer.integer(1), writer.integer(2))),
    "unsigned attributes": signature(
        signer(unsigned=(attribute("1.2.3", writer.NULL), attribute("1.2.4", writer.NULL)))
    ),
    "no signed attributes": signature(signer(attributes=None)),
    "key identifier": signature(signer(by_key_identifier=True), version=3),
    "key identifier, version 1 as gnutls writes it": signature(signer(by_key_identifier=True)),
    "embedded content": signature(content=ARTIFACT),
    "certificates in the order of the path": signature(ordered=False),
    "BER": to_ber(signature(content=ARTIFACT)),
    "PEM": pem.encode("CMS", signature()).encode(),
    "PKCS7 in PEM": pem.encode("PKCS7", signature()).encode(),
    "root inside": signature(certificates=(CHAIN.leaf, CHAIN.issuing, CHAIN.root)),
    "strangers inside": signature(certificates=(CHAIN.leaf, CHAIN.issuing, RSA.leaf, pki.ca("CN=X", pki.key(9)))),
    "junk certificate inside": signature(certificates=(CHAIN.leaf, CHAIN.issuing, writer.sequence(writer.NULL))),
    "other certificate choices inside": signature(
        certificates=(CHAIN.leaf, CHAIN.issuing, writer.tlv(0xA1, writer.NULL))
    ),
    "a CRL inside": signature(crls=(writer.sequence(writer.NULL),)),
    "RSA": signature(rsa_signer()),
    "RSA named by rsaEncryption": signature(rsa_signer(signature_algorithm=RSA_ENCRYPTION)),
    "SHA-384": signature(
        signer(
            algorithm="ecdsa-sha384",
            digest_algorithm=SHA384,
            attributes=(content_type(), message_digest(digest="sha384")),
        ),
        digest_algorithms=(SHA256, SHA384),
    ),
    "two signers": signature(signer(), rsa_signer()),
}


@pytest.mark.parametrize("name", GOOD)
def test_accepted(name: str) -> None:
    result = judge(GOOD[name])
    assert failures(result) == set()
    assert result.accepted
    assert result.exit_status == 0


@pytest.mark.parametrize("name", GOOD)
def test_another_artifact_is_refused(name: str) -> None:
    result = judge(GOOD[name], ARTIFACT + b"\n")
    assert not result.accepted
    assert result.exit_status == (13 if name == "no signed attributes" else 12)


def test_certificates_may_come_from_elsewhere() -> None:
    bare = signature(certificates=())
    assert judge(bare, intermediates=[CHAIN.leaf, CHAIN.issuing]).accepted
    assert judge(bare, anchors=[CHAIN.leaf]).accepted
    result = judge(bare)
    assert result.exit_status == 14
    assert result.reasons == ("path.built",)


# --- the corpus ---

DECOY = pki.leaf(pki.SIGNER, pki.key(60), pki.ISSUING, pki.key(60), serial=LEAF.serial_number)
TWIN = pki.leaf(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(60), serial=LEAF.serial_number)
PSS_OF_NOTHING = writer.sequence(writer.oid(oids.RSASSA_PSS), writer.sequence(writer.tlv(0xA0), writer.tlv(0xA1)))
PSS_OF_HUGE_SALT = writer.sequence(
    writer.oid(oids.RSASSA_PSS),
    writer.sequence(
        writer.tlv(0xA0, SHA256),
        writer.tlv(0xA1, writer.sequence(writer.oid("1.2.840.113549.1.1.8"), SHA256)),
        writer.tlv(0xA2, writer.integer(1 << 20_000)),
    ),
)
CONTENT_TYPE, MESSAGE_DIGEST = "signed-attributes.content-type", "signed-attributes.message-digest"
SIGNING_CERTIFICATE = "signed-attributes.signing-certificate"
PROTECTION, UNIQUE = "signed-attributes.algorithm-protection", "signed-attributes.unique"
FORMAT, ALGORITHM, VALUE = "signature.format", "signature.algorithm", "signature.value"

CORPUS: dict[str, tuple[bytes, str, int]] = {
    # algorithm protection (RFC 6211)
    "protected digest differs": (with_attributes(algorithm_protection(SHA384, ECDSA)), PROTECTION, 13),
    "protected signature algorithm differs": (with_attributes(algorithm_protection(SHA256, RSA_PKCS1)), PROTECTION, 13),
    "a MAC is protected": (with_attributes(algorithm_protection(SHA256, ECDSA, tag=0xA2)), PROTECTION, 13),
    "protection is NULL": (with_attributes(attribute(oids.ALGORITHM_PROTECTION, writer.NULL)), PROTECTION, 13),
    "protection is empty": (with_attributes(attribute(oids.ALGORITHM_PROTECTION, writer.sequence())), PROTECTION, 13),
    "protection of empty algorithms": (
        with_attributes(attribute(oids.ALGORITHM_PROTECTION, writer.sequence(b"\x30\x00", b"\xa1\x00"))),
        PROTECTION,
        13,
    ),
    "protection with two values": (
        with_attributes(
            attribute(oids.ALGORITHM_PROTECTION, *sorted([writer.sequence(SHA256, b"\xa1" + ECDSA[1:])] * 2))
        ),
        PROTECTION,
        13,
    ),
    "protection twice": (with_attributes(*[algorithm_protection(SHA256, ECDSA)] * 2), UNIQUE, 13),
    # signing certificate (RFC 5035, RFC 2634)
    "signing-certificate-v2 of another certificate": (
        with_attributes(signing_certificate_v2(CHAIN.issuing)),
        SIGNING_CERTIFICATE,
        13,
    ),
    "signing-certificate of another certificate": (
        with_attributes(signing_certificate(CHAIN.issuing)),
        SIGNING_CERTIFICATE,
        13,
    ),
    "v2 is right and v1 is of another": (
        with_attributes(signing_certificate_v2(CHAIN.leaf), signing_certificate(CHAIN.issuing)),
        SIGNING_CERTIFICATE,
        13,
    ),
    "v1 is right and v2 is of another": (
        with_attributes(signing_certificate_v2(CHAIN.issuing), signing_certificate(CHAIN.leaf)),
        SIGNING_CERTIFICATE,
        13,
    ),
    "issuerSerial with another serial number": (
        with_attributes(signing_certificate_v2(CHAIN.leaf, issuer_serial=(NAMES[0], 5))),
        SIGNING_CERTIFICATE,
        13,
    ),
    "issuerSerial with another issuer": (
        with_attributes(signing_certificate_v2(CHAIN.leaf, issuer_serial=(LEAF.subject.raw, NAMES[1]))),
        SIGNING_CERTIFICATE,
        13,
    ),
    "signing-certificate-v2 names no certificate": (
        with_attributes(attribute(oids.SIGNING_CERTIFICATE_V2, writer.sequence(writer.sequence()))),
        SIGNING_CERTIFICATE,
        13,
    ),
    "signing-certificate-v2 is empty": (
        with_attributes(attribute(oids.SIGNING_CERTIFICATE_V2, writer.sequence())),
        SIGNING_CERTIFICATE,
        13,
    ),
    "signing-certificate-v2 with a digest nobody knows": (
        with_attributes(
            attribute(
                oids.SIGNING_CERTIFICATE_V2,
                writer.sequence(
                    writer.sequence(
                        writer.sequence(writer.sequence(writer.oid("1.2.3")), writer.octet_string(b"x" * 32))
                    )
                ),
            )
        ),
        SIGNING_CERTIFICATE,
        13,
    ),
    "signing-certificate-v2 with an empty digest": (
        with_attributes(
            attribute(
                oids.SIGNING_CERTIFICATE_V2, writer.sequence(writer.sequence(writer.sequence(writer.octet_string(b""))))
            )
        ),
        SIGNING_CERTIFICATE,
        13,
    ),
    "signing-certificate-v2 twice": (with_attributes(*[signing_certificate_v2(CHAIN.leaf)] * 2), UNIQUE, 13),
    # content type
    "no content-type": (with_attributes(base=(message_digest(),)), CONTENT_TYPE, 13),
    "content-type signedData": (
        with_attributes(base=(content_type(oids.SIGNED_DATA), message_digest())),
        CONTENT_TYPE,
        13,
    ),
    "content-type twice": (with_attributes(content_type()), UNIQUE, 13),
    "content-type data and signedData": (with_attributes(content_type(oids.SIGNED_DATA)), CONTENT_TYPE, 13),
    "content-type with two values": (
        with_attributes(
            base=(attribute(oids.CONTENT_TYPE, writer.oid(oids.DATA), writer.oid(oids.SIGNED_DATA)), message_digest())
        ),
        CONTENT_TYPE,
        13,
    ),
    "content-type without value": (
        with_attributes(base=(attribute(oids.CONTENT_TYPE), message_digest())),
        CONTENT_TYPE,
        13,
    ),
    "content-type is text": (
        with_attributes(base=(attribute(oids.CONTENT_TYPE, b"\x0c\x01a"), message_digest())),
        CONTENT_TYPE,
        13,
    ),
    "another type of content than data": (signature(content_type=oids.TST_INFO), "signature.format", 11),
    "other content without signed attributes": (
        signature(signer(attributes=None), content_type=oids.TST_INFO),
        "signature.format",
        11,
    ),
    # message digest
    "no message-digest": (with_attributes(base=(content_type(),)), MESSAGE_DIGEST, 13),
    "no attributes at all, but signed": (with_attributes(base=()), MESSAGE_DIGEST, 13),
    "message-digest twice": (with_attributes(message_digest(b"evil")), UNIQUE, 13),
    "message-digest twice, alike": (with_attributes(message_digest()), UNIQUE, 13),
    "message-digest with two values": (
        with_attributes(
            base=(content_type(), attribute(oids.MESSAGE_DIGEST, *message_digest()[1], *message_digest(b"evil")[1]))
        ),
        MESSAGE_DIGEST,
        13,
    ),
    "message-digest without value": (
        with_attributes(base=(content_type(), attribute(oids.MESSAGE_DIGEST))),
        MESSAGE_DIGEST,
        13,
    ),
    "message-digest is a BIT STRING": (
        with_attributes(
            base=(content_type(), attribute(oids.MESSAGE_DIGEST, writer.bit_string(digests.digest("sha256", ARTIFACT))))
        ),
        MESSAGE_DIGEST,
        13,
    ),
    "message-digest is empty": (
        with_attributes(base=(content_type(), attribute(oids.MESSAGE_DIGEST, writer.octet_string(b"")))),
        "artifact.digest",
        12,
    ),
    "message-digest is cut": (
        with_attributes(
            base=(
                content_type(),
                attribute(oids.MESSAGE_DIGEST, writer.octet_string(digests.digest("sha256", ARTIFACT)[:16])),
            )
        ),
        "artifact.digest",
        12,
    ),
    "message-digest by another algorithm": (
        with_attributes(base=(content_type(), message_digest(digest="sha384"))),
        "artifact.digest",
        12,
    ),
    "message-digest of something else": (
        with_attributes(base=(content_type(), message_digest(b"evil"))),
        "artifact.digest",
        12,
    ),
    # other attributes
    "signing-time twice": (with_attributes(signing_time(), signing_time(pki.NOT_AFTER)), UNIQUE, 13),
    "signing-time with two values": (
        with_attributes(attribute(oids.SIGNING_TIME, *signing_time()[1], *signing_time(pki.NOT_AFTER)[1])),
        "signed-attributes.signing-time",
        13,
    ),
    "signing-time that is no time": (
        with_attributes(attribute(oids.SIGNING_TIME, writer.tlv(0x17, b"now"))),
        "signed-attributes.signing-time",
        13,
    ),
    "an unknown attribute twice": (with_attributes(*[attribute("1.2.3.4", writer.NULL)] * 2), UNIQUE, 13),
    # algorithms
    "digest algorithm differs from the signature's": (
        signature(
            signer(digest_algorithm=SHA384, attributes=(content_type(), message_digest(digest="sha384"))),
            digest_algorithms=(SHA384,),
        ),
        ALGORITHM,
        19,
    ),
    "SHA-1": (
        signature(
            signer(
                algorithm="ecdsa-sha1",
                digest_algorithm=SHA1,
                attributes=(content_type(), message_digest(digest="sha1")),
            ),
            digest_algorithms=(SHA1,),
        ),
        ALGORITHM,
        19,
    ),
    "SHA-1 named by rsaEncryption": (
        signature(
            rsa_signer(
                algorithm="rsa-sha1",
                digest_algorithm=SHA1,
                signature_algorithm=RSA_ENCRYPTION,
                attributes=(content_type(), message_digest(digest="sha1")),
            ),
            digest_algorithms=(SHA1,),
        ),
        ALGORITHM,
        19,
    ),
    "SHA-1 for the artifact, SHA-256 for the attributes": (
        signature(
            signer(digest_algorithm=SHA1, attributes=(content_type(), message_digest(digest="sha1"))),
            digest_algorithms=(SHA1,),
        ),
        ALGORITHM,
        19,
    ),
    "SHA-1 without signed attributes": (
        signature(
            signer(algorithm="ecdsa-sha1", digest_algorithm=SHA1, attributes=None),
            digest_algorithms=(SHA1,),
        ),
        ALGORITHM,
        19,
    ),
    "Ed25519": (signature(signer(signature_algorithm=writer.sequence(writer.oid("1.3.101.112")))), ALGORITHM, 19),
    "ML-DSA-65": (
        signature(signer(signature_algorithm=writer.sequence(writer.oid("2.16.840.1.101.3.4.3.18")))),
        ALGORITHM,
        19,
    ),
    "SM2": (signature(signer(signature_algorithm=writer.sequence(writer.oid("1.2.156.10197.1.501")))), ALGORITHM, 19),
    "an unknown digest": (
        signature(
            signer(digest_algorithm=writer.sequence(writer.oid("1.2.3"))),
            digest_algorithms=(writer.sequence(writer.oid("1.2.3")),),
        ),
        ALGORITHM,
        19,
    ),
    "RSA's name on an ECDSA signature": (signature(signer(signature_algorithm=RSA_PKCS1)), VALUE, 13),
    "ECDSA's name on an RSA signature": (signature(rsa_signer(signature_algorithm=ECDSA)), VALUE, 13),
    "ECDSA with parameters": (
        signature(signer(signature_algorithm=writer.sequence(writer.oid(oids.ECDSA_SHA256), writer.NULL))),
        FORMAT,
        11,
    ),
    "PSS whose fields are empty": (signature(rsa_signer(signature_algorithm=PSS_OF_NOTHING)), FORMAT, 11),
    "PSS with a salt of 6,000 digits": (signature(rsa_signer(signature_algorithm=PSS_OF_HUGE_SALT)), FORMAT, 11),
    "PSS without parameters": (
        signature(rsa_signer(signature_algorithm=writer.sequence(writer.oid(oids.RSASSA_PSS)))),
        FORMAT,
        11,
    ),
    "signature algorithm is empty": (signature(signer(signature_algorithm=writer.sequence())), FORMAT, 11),
    "signature algorithm is text": (signature(signer(signature_algorithm=b"\x0c\x01a")), FORMAT, 11),
    "signature algorithm of three fields": (
        signature(signer(signature_algorithm=writer.sequence(writer.oid(oids.ECDSA_SHA256), writer.NULL, writer.NULL))),
        FORMAT,
        11,
    ),
    "digest algorithm is empty": (signature(signer(digest_algorithm=writer.sequence())), FORMAT, 11),
    "digest algorithm not announced": (signature(digest_algorithms=(SHA384,)), FORMAT, 11),
    "no digest algorithm announced": (signature(digest_algorithms=()), FORMAT, 11),
    # signature values
    "empty signature": (signature(signer(signature=b"\x00")), VALUE, 13),
    "signature of zeros": (signature(signer(signature=bytes.fromhex("3006020100020100"))), VALUE, 13),
    "signature with a trailing byte": (
        signature(signer(signature=signer().key.sign(b"") + b"\x00")),
        VALUE,
        13,
    ),
    "RSA signature of zeros": (signature(rsa_signer(signature=bytes(256))), VALUE, 13),
    "RSA signature one byte short": (signature(rsa_signer(signature=bytes(255))), VALUE, 13),
    "signature by another key": (signature(signer(key=pki.key(60))), VALUE, 13),
    "attributes out of order when signed": (
        signature(signer(attributes=(message_digest(), content_type()), ordered=False)),
        VALUE,
        13,
    ),
    # content
    "embedded content is not the artifact": (signature(content=b"evil"), "artifact.embedded-content", 12),
    "embedded content is empty": (signature(content=b""), "artifact.embedded-content", 12),
    "embedded content signed, artifact not": (
        signature(
            content=b"evil", artifact=b"evil", signers=(signer(attributes=(content_type(), message_digest(b"evil"))),)
        ),
        "artifact.digest",
        12,
    ),
    # versions, signers, certificates
    "SignedData version 0": (signature(version=0), FORMAT, 11),
    "SignedData version 2": (signature(version=2), FORMAT, 11),
    "SignerInfo version 2": (signature(signer(version=2)), FORMAT, 11),
    "SignerInfo version 3 with issuer and serial number": (signature(signer(version=3)), FORMAT, 11),
    "SignerInfo version 1 with key identifier": (
        signature(signer(version=1, by_key_identifier=True), version=3),
        FORMAT,
        11,
    ),
    "no signer": (SignedData((), (CHAIN.leaf,)).encode(), FORMAT, 11),
    "nothing but junk as certificate": (signature(certificates=(writer.sequence(),)), "path.built", 14),
    "the signer's certificate only as another choice": (
        signature(certificates=(b"\xa1" + CHAIN.leaf[1:], CHAIN.issuing)),
        "path.built",
        14,
    ),
    "another key identifier": (
        signature(signer(by_key_identifier=True, sid=writer.tlv(0x80, b"other")), version=3),
        "path.built",
        14,
    ),
    "an empty key identifier": (
        signature(signer(by_key_identifier=True, sid=writer.tlv(0x80, b"")), version=3),
        "path.built",
        14,
    ),
    "another serial number": (
        signature(signer(sid=writer.sequence(LEAF.issuer.raw, writer.integer(5)))),
        "path.built",
        14,
    ),
    "a serial number of 6,000 digits": (
        signature(signer(sid=writer.sequence(LEAF.issuer.raw, writer.integer(1 << 20_000)))),
        "path.built",
        14,
    ),
    "an issuer that is no name": (
        signature(signer(sid=writer.sequence(writer.NULL, writer.integer(5)))),
        "path.built",
        14,
    ),
    "only a decoy with its issuer and serial number": (signature(certificates=(DECOY, CHAIN.issuing)), VALUE, 13),
    "only a twin of the same key, not signed by the CA": (
        signature(certificates=(TWIN, CHAIN.issuing)),
        "path.built",
        14,
    ),
    "not CMS at all": (b"\x30\x03\x02\x01\x00", FORMAT, 11),
    "a certificate": (CHAIN.leaf, FORMAT, 11),
    "text": (b"this is no signature", FORMAT, 11),
    "nothing": (b"", FORMAT, 11),
    "two PEM blocks": (pem.encode("CMS", signature()).encode() * 2, FORMAT, 11),
    "a trailing byte": (signature() + b"\x00", FORMAT, 11),
    "BER with trailing bytes": (to_ber(signature()) + b"\x00\x00", FORMAT, 11),
}


@pytest.mark.parametrize("name", CORPUS)
def test_refused(name: str) -> None:
    data, check, status = CORPUS[name]
    result = judge(data)
    assert not result.accepted
    assert check in failures(result)
    assert (result.exit_status, status) == (status, status), result.reasons
    assert check in result.reasons


@pytest.mark.parametrize("name", CORPUS)
def test_refused_also_when_the_signer_itself_is_trusted(name: str) -> None:
    """More trust mends what the signature lacks in certificates, and nothing else."""
    if not name.startswith("only a ") and CORPUS[name][1] != "path.built":
        assert not judge(CORPUS[name][0], anchors=[CHAIN.root, CHAIN.leaf, RSA.leaf]).accepted


@pytest.mark.parametrize("order", [(DECOY, TWIN, CHAIN.leaf), (CHAIN.leaf, TWIN, DECOY), (TWIN, CHAIN.leaf, DECOY)])
def test_decoys_do_not_shadow_the_signers_certificate(order: tuple[bytes, ...]) -> None:
    """Other certificates with its issuer and serial number stand before it in the file."""
    named = (content_type(), message_digest(), signing_certificate_v2(CHAIN.leaf))
    result = judge(signature(signer(attributes=named), certificates=(*order, CHAIN.issuing), ordered=False))
    assert result.accepted
    assert result.signers[0].certificate == LEAF


# --- how much work a file can cause ---


def test_too_many_signers_are_refused() -> None:
    result = judge(signature(*[signer(unsigned=(attribute(f"1.2.{n}", writer.NULL),)) for n in range(33)]))
    assert (result.exit_status, result.reasons) == (11, ("signature.format",))


def test_too_many_certificates_are_refused() -> None:
    many = tuple(writer.sequence(writer.integer(n)) for n in range(1001))
    assert judge(signature(certificates=many)).exit_status == 11


def test_many_decoys_for_many_signers_end_fast() -> None:
    decoys = tuple(
        pki.leaf(pki.SIGNER, pki.key(7000 + n), pki.ISSUING, pki.key(60), serial=LEAF.serial_number) for n in range(300)
    )
    many = [signer(unsigned=(attribute(f"1.2.{n}", writer.NULL),)) for n in range(32)]
    data = signature(*many, certificates=(*decoys, CHAIN.issuing))
    started = time.perf_counter()
    assert not judge(data).accepted
    assert time.perf_counter() - started < 5


def test_many_attributes_end_fast() -> None:
    many = tuple(attribute(f"1.2.{n}", writer.NULL) for n in range(20_000))
    data = signature(signer(attributes=(*BASE, *many)))
    started = time.perf_counter()
    assert judge(data).accepted
    assert time.perf_counter() - started < 2


# --- the format as signing uses it ---


def prepared(digest: str = "sha256") -> Any:
    algorithm = signature_algorithm("EC_P256", digest=digest)
    return formats.format_named("cms").prepare(LEAF, (CHAIN.issuing,), algorithm, digest)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_what_is_assembled_is_accepted(digest: str) -> None:
    chosen, ready = formats.format_named("cms"), prepared(digest)
    tbs = chosen.to_be_signed(ready, digests.digest(digest, ARTIFACT), pki.NOW)
    made = chosen.assemble([SignedPart(ready, tbs, CHAIN.leaf_key.sign(tbs, f"ecdsa-{digest}"))])
    result = judge(made)
    assert result.accepted
    [found] = result.signers
    assert found.signing_time == pki.NOW
    for name in (CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE, PROTECTION):
        check = find(result.checks, name)
        assert check is not None
        assert check.verdict is Verdict.PASS
    assert CHAIN.root not in chosen.parse(made).certificates


def test_the_same_inputs_give_the_same_bytes() -> None:
    chosen = formats.format_named("cms")
    one, other = (chosen.to_be_signed(prepared(), bytes(32), pki.NOW) for _ in range(2))
    assert one == other


def test_parsing_raises_for_what_is_no_signature() -> None:
    with pytest.raises(MalformedError) as caught:
        formats.format_named("cms").parse(b"\x30\x00")
    assert caught.value.exit_status == 11


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="expected one of cms"):
        formats.format_named("openpgp")


def test_signed_attributes_are_no_artifact() -> None:
    """Whoever has a signature can say that its signed attributes are the artifact, and drop them from the SignerInfo.

    RFC 5652 section 5.4 lets both be the bytes that are signed. The attacker does not choose the bytes, so little can
    be done with it; still nobody signed such a file. draft-ietf-lamps-cms-euf-cma-signeddata tells verifiers to look.
    """
    from tests.support.cms_builder import encode_attributes

    one = signer()
    artifact = encode_attributes(one.attributes or ())
    assert not judge(signature(signer(attributes=None), artifact=artifact), artifact).accepted
