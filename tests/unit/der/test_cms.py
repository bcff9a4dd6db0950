"""SignedData in DER: decode and encode are each other's inverse, and nothing but strict DER is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.algorithms import digests
from signkit.der import cms, oids, reader, writer
from signkit.der.cms import Attribute, SignedData, SignerInfo
from signkit.errors import MalformedError
from tests.support import cms_builder, pki

CHAIN = pki.chain()
SIGNATURE = cms_builder.signature()


def signer_info() -> SignerInfo:
    return cms.decode(SIGNATURE).signer_infos[0]


def test_fields_are_what_was_written() -> None:
    found = cms.decode(SIGNATURE)
    assert found.version == 1
    assert found.content_type == oids.DATA
    assert found.content is None
    assert set(found.certificates) == {CHAIN.leaf, CHAIN.issuing}
    [info] = found.signer_infos
    assert info.subject_key_identifier is None
    assert info.digest_algorithm == digests.identifier("sha256")
    assert info.signature_algorithm == pki.ALGORITHMS["ecdsa-sha256"]
    assert info.signed_attributes is not None
    assert {one.type for one in info.signed_attributes} == {oids.CONTENT_TYPE, oids.MESSAGE_DIGEST}
    assert info.signed_attributes_der == cms.encode_attributes(info.signed_attributes)
    assert info.signed_attributes_der[:1] == b"\x31"


@pytest.mark.parametrize(
    "der",
    [
        SIGNATURE,
        cms_builder.signature(cms_builder.signer(attributes=None)),
        cms_builder.signature(cms_builder.signer(by_key_identifier=True), version=3),
        cms_builder.signature(content=b"embedded"),
        cms_builder.signature(content=b""),
        cms_builder.signature(crls=(writer.sequence(writer.NULL),)),
        cms_builder.signature(
            cms_builder.signer(unsigned=(cms_builder.attribute("1.2.3", writer.integer(1), writer.integer(2)),))
        ),
        cms_builder.signature(cms_builder.signer(), cms_builder.signer(by_key_identifier=True), version=3),
        cms_builder.signature(certificates=()),
    ],
    ids=range(9),
)
def test_encode_is_the_inverse_of_decode(der: bytes) -> None:
    assert cms.encode(cms.decode(der)) == der


octets = st.binary(max_size=40)
object_identifiers = st.lists(st.integers(0, 1 << 40), max_size=5).map(lambda arcs: ".".join(map(str, (1, 2, *arcs))))
attributes = st.builds(
    lambda kind, values: Attribute(kind, tuple(sorted(map(writer.octet_string, values)))),
    object_identifiers,
    st.sets(octets, max_size=3),
)


def _infos(key_identifier: bytes | None, serial: int, signed: list[Attribute] | None, value: bytes) -> SignerInfo:
    ordered = None if signed is None else tuple(sorted(signed, key=cms.encode_attribute))
    return SignerInfo(
        version=1 if key_identifier is None else 3,
        issuer=pki.name("CN=Issuer") if key_identifier is None else None,
        serial_number=serial if key_identifier is None else None,
        subject_key_identifier=key_identifier,
        digest_algorithm=digests.identifier("sha384"),
        signed_attributes=ordered,
        signed_attributes_der=b"" if ordered is None else cms.encode_attributes(ordered),
        signature_algorithm=pki.ALGORITHMS["rsa-sha384"],
        signature=value,
        unsigned_attributes=(),
    )


infos = st.builds(
    _infos, st.none() | octets, st.integers(-(1 << 170), 1 << 170), st.none() | st.lists(attributes, max_size=4), octets
)


@given(
    st.lists(infos, max_size=3),
    st.none() | octets,
    st.sets(octets.map(writer.octet_string), max_size=3),
    st.sampled_from([1, 3, 4, 5]),
)
def test_decode_is_the_inverse_of_encode(
    signer_infos: list[SignerInfo], content: bytes | None, certificates: set[bytes], version: int
) -> None:
    written = SignedData(
        version=version,
        digest_algorithms=(digests.identifier("sha384"),),
        content_type=oids.DATA,
        content=content,
        certificates=tuple(sorted(certificates)),
        crls=(),
        signer_infos=tuple(sorted(signer_infos, key=cms.encode_signer_info)),
    )
    assert cms.decode(cms.encode(written)) == written


def rewrite(der: bytes, change: Callable[[bytes], bytes], *path: int) -> bytes:
    """Replace the element at that path of child numbers by something else, with the lengths above it put right."""
    if not path:
        return change(der)
    children = [child.raw for child in reader.parse(der).children()]
    children[path[0]] = rewrite(children[path[0]], change, *path[1:])
    return writer.tlv(der[0], *children)


SIGNED_DATA = (1, 0)
SIGNER_INFO = (*SIGNED_DATA, 4, 0)


def append(extra: bytes) -> Callable[[bytes], bytes]:
    return lambda der: writer.tlv(der[0], reader.parse(der).content, extra)


def long_length(der: bytes) -> bytes:
    element = reader.parse(der)
    return bytes([der[0], 0x84]) + len(element.content).to_bytes(4, "big") + element.content


def reverse(der: bytes) -> bytes:
    return writer.tlv(der[0], *reversed([child.raw for child in reader.parse(der).children()]))


MALFORMED = {
    "empty": b"",
    "trailing byte": SIGNATURE + b"\x00",
    "extra field in ContentInfo": rewrite(SIGNATURE, append(writer.NULL)),
    "extra field in SignedData": rewrite(SIGNATURE, append(writer.NULL), *SIGNED_DATA),
    "extra field in SignerInfo": rewrite(SIGNATURE, append(writer.NULL), *SIGNER_INFO),
    "extra field in the signer identifier": rewrite(SIGNATURE, append(writer.NULL), *SIGNER_INFO, 1),
    "extra field in an attribute": rewrite(SIGNATURE, append(writer.NULL), *SIGNER_INFO, 3, 0),
    "non-minimal length": long_length(SIGNATURE),
    "non-minimal length of SignerInfo": rewrite(SIGNATURE, long_length, *SIGNER_INFO),
    "non-minimal length of the signature": rewrite(SIGNATURE, long_length, *SIGNER_INFO, 5),
    "non-minimal version": rewrite(SIGNATURE, lambda _: b"\x02\x02\x00\x01", *SIGNED_DATA, 0),
    "non-minimal serial number": rewrite(
        SIGNATURE, lambda der: writer.tlv(2, b"\x00\x00", reader.parse(der).content), *SIGNER_INFO, 1, 1
    ),
    "unsorted signed attributes": cms_builder.signature(
        cms_builder.signer(attributes=(cms_builder.message_digest(), cms_builder.content_type()), ordered=False)
    ),
    "unsorted digest algorithms": rewrite(
        cms_builder.signature(digest_algorithms=(digests.identifier("sha256"), digests.identifier("sha384"))),
        reverse,
        *SIGNED_DATA,
        1,
    ),
    "indefinite length": cms_builder.to_ber(SIGNATURE),
    "constructed signature": rewrite(SIGNATURE, lambda der: b"\x24" + writer.octet_string(der)[1:], *SIGNER_INFO, 5),
    "constructed content": rewrite(
        cms_builder.signature(content=b"abc"), lambda der: b"\x24" + writer.octet_string(der)[1:], *SIGNED_DATA, 2, 1, 0
    ),
    "signature as BIT STRING": rewrite(
        SIGNATURE, lambda der: writer.bit_string(reader.parse(der).content), *SIGNER_INFO, 5
    ),
    "no signature": rewrite(SIGNATURE, lambda _: b"", *SIGNER_INFO, 5),
    "no digest algorithms": rewrite(SIGNATURE, lambda _: b"", *SIGNED_DATA, 1),
    "content type enveloped-data": rewrite(SIGNATURE, lambda _: writer.oid("1.2.840.113549.1.7.3"), 0),
    "SignedData version 0": cms_builder.signature(version=0),
    "SignedData version 2": cms_builder.signature(version=2),
    "SignedData version 6": cms_builder.signature(version=6),
    "SignedData of a huge version": cms_builder.signature(version=1 << 40_000),
    "SignedData of a negative version": cms_builder.signature(version=-1),
    "SignerInfo version 3 with issuer and serial number": cms_builder.signature(cms_builder.signer(version=3)),
    "SignerInfo version 1 with key identifier": cms_builder.signature(
        cms_builder.signer(version=1, by_key_identifier=True), version=3
    ),
    "SignerInfo of a huge version": cms_builder.signature(cms_builder.signer(version=1 << 40_000)),
    "SignerInfo version 0": rewrite(SIGNATURE, lambda _: writer.integer(0), *SIGNER_INFO, 0),
    "certificate": CHAIN.leaf,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_strictness(name: str) -> None:
    with pytest.raises(MalformedError):
        cms.decode(MALFORMED[name])


def test_truncation_at_every_byte_is_refused() -> None:
    for length in range(len(SIGNATURE)):
        with pytest.raises(MalformedError):
            cms.decode(SIGNATURE[:length])


def test_certificates_in_the_order_of_the_path_are_read() -> None:
    """Foreign writers do not sort them, and openssl reads them so."""
    for certificates in ((CHAIN.leaf, CHAIN.issuing), (CHAIN.issuing, CHAIN.leaf)):
        der = cms_builder.signature(certificates=certificates, ordered=False)
        assert cms.decode(der).certificates == certificates


def test_the_message_names_what_was_expected() -> None:
    with pytest.raises(MalformedError, match="SignerInfo does not have version 1"):
        cms.decode(cms_builder.signature(cms_builder.signer(version=3)))
    with pytest.raises(MalformedError, match="found 1.2.840.113549.1.7.3|1.2.840.113549.1.7.3, expected signedData"):
        cms.decode(MALFORMED["content type enveloped-data"])


def test_encode_sorts_what_is_a_set() -> None:
    found = cms.decode(cms_builder.signature(certificates=(CHAIN.leaf, CHAIN.issuing), ordered=False))
    encoded = cms.encode(found._replace(certificates=tuple(sorted(found.certificates, reverse=True))))
    assert cms.decode(encoded).certificates == tuple(sorted(found.certificates))


@given(st.binary(max_size=120))
def test_anything_else_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        cms.decode(data)


def test_a_signer_may_be_replaced() -> None:
    """The builder of these tests signs what it says: another artifact gives another signature."""
    one = cms_builder.signer(attributes=None)
    assert one.encode(b"a") != one.encode(b"b")
    assert replace(one, signature=b"x").encode(b"a") == replace(one, signature=b"x").encode(b"b")
