"""One signer: what is checked of it alone, without any trust."""

from __future__ import annotations

from typing import Any

import pytest

from signkit import algorithms
from signkit.algorithms import digests
from signkit.cms import signed_data, signer_info
from signkit.der import oids, writer
from signkit.errors import MalformedError
from signkit.evidence import Check, Verdict
from signkit.x509 import certificate
from tests.support import pki
from tests.support.cms_builder import (
    ARTIFACT,
    attribute,
    content_type,
    message_digest,
    signature,
    signer,
    signing_time,
)

LEAF = certificate.load(pki.chain().leaf)
DIGESTED = {name: digests.digest(name, ARTIFACT) for name in digests.SIGNING}


def info_of(**changes: Any) -> Any:
    version = 3 if changes.get("by_key_identifier") else 1
    return signed_data.parse(signature(signer(**changes), version=version)).signed_data.signer_infos[0]


def check(kind: str = oids.DATA, artifact: bytes = ARTIFACT, **changes: Any) -> dict[str, Check]:
    digested = {name: digests.digest(name, artifact) for name in digests.SIGNING}
    return {one.name: one for one in signer_info.check(info_of(**changes), kind, LEAF, digested)}


def test_a_good_signer() -> None:
    found = check()
    assert found["artifact.digest"].passed
    assert found["signature.algorithm"].passed
    assert found["signature.value"].passed
    assert found["signed-attributes.content-type"].passed
    assert found["signed-attributes.message-digest"].passed
    assert found["signed-attributes.signing-certificate"].verdict is Verdict.SKIPPED
    assert found["signed-attributes.algorithm-protection"].verdict is Verdict.SKIPPED


def test_another_artifact_says_expected_and_found() -> None:
    one = check(artifact=b"other")["artifact.digest"]
    assert one.verdict is Verdict.FAIL
    assert one.facts["expected"] == DIGESTED["sha256"].hex()
    assert one.facts["found"] == digests.digest("sha256", b"other").hex()


def test_without_signed_attributes_the_artifact_itself_is_signed() -> None:
    found = check(attributes=None)
    assert found["artifact.digest"].passed
    assert found["signature.value"].passed
    changed = check(attributes=None, artifact=b"other")
    assert changed["signature.value"].verdict is Verdict.FAIL
    assert not changed["artifact.digest"].passed


def test_other_content_than_data_is_no_artifact() -> None:
    found = check(oids.TST_INFO, attributes=None)
    assert found["signed-attributes.content-type"].verdict is Verdict.FAIL
    assert not any(found[name].passed for name in ("artifact.digest", "signature.value") if name in found)


def test_an_unknown_algorithm_is_left_open_and_nothing_passes() -> None:
    found = check(signature_algorithm=writer.sequence(writer.oid("1.3.101.113")))
    assert found["signature.algorithm"].verdict is Verdict.INDETERMINATE
    assert found["signature.value"].verdict is Verdict.SKIPPED
    assert not any(one.passed for one in found.values())


def test_the_signer_identifier_names_one_certificate() -> None:
    other = certificate.load(pki.chain().issuing)
    for changes in ({}, {"by_key_identifier": True}):
        info = info_of(**changes)
        assert signer_info.names(info, LEAF)
        assert not signer_info.names(info, other)


def test_a_certificate_without_key_identifier_is_not_named_by_one() -> None:
    bare = certificate.load(
        pki.certificate(pki.SIGNER, pki.key(3), pki.ISSUING, pki.key(2), [pki.key_usage("digitalSignature")])
    )
    info = info_of(by_key_identifier=True, sid=writer.tlv(0x80, b""))
    assert not signer_info.names(info, bare)


def test_the_claimed_time_is_read_and_never_raises() -> None:
    base = (content_type(), message_digest())
    assert signer_info.claimed_signing_time(info_of(attributes=(*base, signing_time()))) == pki.NOW
    assert signer_info.claimed_signing_time(info_of()) is None
    assert signer_info.claimed_signing_time(info_of(attributes=None)) is None
    for odd in (
        attribute(oids.SIGNING_TIME),
        attribute(oids.SIGNING_TIME, writer.NULL),
        attribute(oids.SIGNING_TIME, writer.tlv(0x18, b"20261301000000Z")),
        attribute(oids.SIGNING_TIME, *signing_time()[1], writer.NULL),
    ):
        assert signer_info.claimed_signing_time(info_of(attributes=(*base, odd))) is None


@pytest.mark.parametrize(
    "identifier",
    [
        writer.sequence(),
        writer.NULL,
        writer.sequence(writer.oid(oids.RSASSA_PSS)),
        writer.sequence(writer.oid(oids.RSASSA_PSS), writer.sequence(writer.tlv(0xA0), writer.tlv(0xA1))),
        writer.sequence(writer.oid(oids.RSASSA_PSS), writer.sequence(writer.tlv(0x80, b"a"))),
        writer.sequence(writer.oid(oids.RSASSA_PSS), writer.NULL),
        writer.sequence(writer.oid(oids.RSA_SHA256), writer.integer(1 << 20_000)),
    ],
    ids=range(7),
)
def test_malformed_algorithms_are_malformed_and_nothing_else(identifier: bytes) -> None:
    info = info_of(signature_algorithm=identifier)
    try:
        assert signer_info.signature_algorithm(info) is None
    except MalformedError:
        pass
    assert not any(one.passed for one in signer_info.check(info, oids.DATA, LEAF, DIGESTED))


def test_parse_says_how_it_was_encoded() -> None:
    from signkit.x509 import pem
    from tests.support.cms_builder import to_ber

    der = signature()
    assert signed_data.parse(der).encoding == "DER"
    assert signed_data.parse(to_ber(der)).encoding == "BER"
    assert signed_data.parse(pem.encode("CMS", der).encode()).encoding == "PEM"
    assert signed_data.parse(pem.encode("PKCS7", to_ber(der)).encode()).encoding == "PEM"


def test_der_is_not_taken_for_pem_because_of_text_inside() -> None:
    """A certificate's comment may hold a PEM block; the file is DER all the same."""
    comment = pki.extension("2.16.840.1.113730.1.13", writer.tlv(0x16, b"\n" + pki.as_pem(pki.chain().root)))
    chatty = pki.leaf("CN=Chatty", pki.key(3), pki.ISSUING, pki.key(2), extra=[comment])
    assert signed_data.parse(signature(signer(certificate=chatty))).encoding == "DER"


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("ML_DSA_44", {"sha256", "sha384", "sha512"}),
        ("ML_DSA_65", {"sha384", "sha512"}),
        ("ML_DSA_87", {"sha512"}),
        ("ED25519", {"sha512"}),
    ],
)
def test_digests_beside_algorithms_that_sign_messages(name: str, accepted: set[str]) -> None:
    """RFC 9882 section 3.3, table 1; RFC 8419 section 3.1."""
    algorithm = algorithms.signature_algorithm(name)
    for digest in digests.SIGNING:
        info = info_of(
            attributes=(content_type(), message_digest(digest=digest)),
            digest_algorithm=digests.identifier(digest),
            signature_algorithm=algorithm.cms_identifier,
        )
        digested = {one: digests.digest(one, ARTIFACT) for one in digests.SIGNING}
        found = {one.name: one for one in signer_info.check(info, oids.DATA, LEAF, digested)}
        assert found["signature.algorithm"].passed is (digest in accepted)
        assert not found["signature.value"].passed


def test_a_digest_that_is_not_announced() -> None:
    info = info_of()
    signer_info.require_announced(info, [digests.identifier("sha384"), digests.identifier("sha256")])
    with pytest.raises(MalformedError, match="not among"):
        signer_info.require_announced(info, [digests.identifier("sha384")])
