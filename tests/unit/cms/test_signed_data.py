"""SignedData from foreign writers: other order, other encoding, and more of everything than any real one has."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from signkit.algorithms import digests
from signkit.cms import signed_data, unsigned
from signkit.der import ber, cms, oids, reader, writer
from signkit.der.cms import MAXIMUM_ELEMENTS, Attribute
from signkit.errors import MalformedError
from signkit.formats import cms_detached
from tests.support import cms_builder, pki, tsa
from tests.support.cms_builder import SignedData, content_type, message_digest, signer, signing_time
from tests.support.judging import judge

UNSIGNED = (("1.2.3.4", (writer.NULL,)), ("1.2.3.5", (writer.integer(1),)))
GOOD = cms_builder.signature(
    signer(attributes=(content_type(), message_digest(), signing_time()), unsigned=UNSIGNED),
    signer(key=pki.key(4), certificate=pki.leaf("CN=B", pki.key(4), pki.ISSUING, pki.key(2))),
    digest_algorithms=(digests.identifier("sha256"), digests.identifier("sha384")),
)


def reversed_sets(der: bytes, *, signed_attributes: bool = True) -> bytes:
    """The same with every set of SignedData and its signers backwards."""
    kind, wrapped = reader.parse(der).children()
    fields = wrapped.children()[0].children()
    out = []
    for field in fields[:-1]:
        out.append(_backwards(field) if field.tag in (0x31, 0xA0) else field.raw)
    infos = []
    for info in fields[-1].children():
        parts = info.children()
        turned = [
            _backwards(part)
            if place > 1 and (part.tag == 0xA1 or (part.tag == 0xA0 and signed_attributes))
            else part.raw
            for place, part in enumerate(parts)
        ]
        infos.append(writer.sequence(*turned))
    out.append(writer.tlv(0x31, *reversed(infos)))
    return writer.sequence(kind.raw, writer.tlv(0xA0, writer.sequence(*out)))


def _backwards(element: reader.Element) -> bytes:
    return writer.tlv(element.tag, *(child.raw for child in reversed(element.children())))


def test_sets_in_any_order_are_signed_in_der_s() -> None:
    """RFC 5652 section 5.4: what is signed is the DER encoding, however the attributes were written."""
    turned = reversed_sets(GOOD)
    assert turned != GOOD
    for data in (turned, cms_builder.to_ber(turned)):
        found, expected = signed_data.parse(data), signed_data.parse(GOOD)
        assert found.encoding == "BER"
        assert found.signed_data.signer_infos == expected.signed_data.signer_infos
        assert sorted(found.signed_data.certificates) == sorted(expected.signed_data.certificates)
        assert judge(data).accepted
        assert not judge(data, b"other").accepted


def test_what_is_in_order_stays_as_it_is() -> None:
    assert cms.in_order(GOOD) == GOOD
    for junk in (
        b"",
        b"\x30\x00",
        writer.sequence(writer.NULL),
        writer.sequence(writer.oid("1.2.3"), writer.tlv(0xA0)),
    ):
        assert cms.in_order(junk) == junk


def test_values_of_attributes_and_certificates_are_never_put_in_order() -> None:
    """They are signed as they are: a name with an unordered RDN inside must not change."""
    unordered = writer.tlv(0x31, writer.integer(2), writer.integer(1))
    data = cms_builder.signature(signer(unsigned=(("1.2.3.4", (unordered,)),)))
    (found,) = signed_data.parse(cms_builder.to_ber(data)).signed_data.signer_infos
    assert found.unsigned_attributes == (Attribute("1.2.3.4", (unordered,)),)


def test_a_timestamp_survives_ber_outside() -> None:
    assert judge(cms_builder.to_ber(tsa.stamped())).signers[0].proven_time == tsa.STAMPED


NOTHING = writer.sequence(writer.oid("1.2.3"), writer.set_of(writer.NULL))
OVERSIZED: dict[str, Callable[[], bytes]] = {
    "unsigned attributes": lambda: _with_unsigned(NOTHING * 300_000),
    "values of one attribute": lambda: _with_unsigned(
        writer.sequence(writer.oid("1.2.3"), writer.tlv(0x31, b"\x05\x00" * 1_500_000))
    ),
    "certificates": lambda: _with_field(0xA0, b"\x30\x00" * 1_500_000),
    "CRLs": lambda: _with_field(0xA1, b"\x30\x00" * 1_500_000),
    "digest algorithms": lambda: _with_field(0x31, digests.identifier("sha256") * 200_000),
    "depth": lambda: b"\x30\x80" * 7_000_000,
    "depth with lengths": lambda: _nested(3000),
    "segments": lambda: b"\x24\x80" + b"\x04\x01x" * 1_000_000 + b"\x00\x00",
    "a token of tokens": lambda: tsa.stamped(writer.sequence(*[tsa.Token(b"").encode()] * 2000)),
    "certificates of a token": lambda: tsa.stamped(_with_field(0xA0, b"\x30\x00" * 1_000_000, tsa.Token(b"").encode())),
}


def _with_unsigned(raw: bytes) -> bytes:
    return cms_builder.signature(signer(extra=writer.tlv(0xA1, raw)))


def _with_field(tag: int, raw: bytes, der: bytes = GOOD) -> bytes:
    """With the first field of that tag replaced, or a new one."""
    kind, wrapped = reader.parse(der).children()
    fields = [child.raw for child in wrapped.children()[0].children()]
    place = next((n for n, one in enumerate(fields) if one[0] == tag), None)
    new = writer.tlv(tag, raw)
    fields[len(fields) - 1 if place is None else place : len(fields) - 1 if place is None else place + 1] = [new]
    return writer.sequence(kind.raw, writer.tlv(0xA0, writer.sequence(*fields)))


def _nested(depth: int) -> bytes:
    out = b""
    for _ in range(depth):
        out = writer.sequence(out)
    return out


@pytest.mark.parametrize("name", OVERSIZED)
def test_an_oversized_signature_is_refused_at_little_cost(name: str) -> None:
    """Never as much as two seconds or 200 MB, whatever is in a file of some MB."""
    data = OVERSIZED[name]()
    tracemalloc.start()
    began = time.process_time()
    try:
        result = judge(data)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not result.accepted
    assert peak < 100 << 20
    assert time.process_time() - began < 6  # tracing makes it three times as slow


def test_ten_thousand_attributes_are_no_matter() -> None:
    many = tuple((f"1.2.3.{number}", (writer.NULL,)) for number in range(10_000))
    for one in (signer(attributes=(content_type(), message_digest(), *many)), signer(unsigned=many)):
        began = time.process_time()
        assert judge(cms_builder.signature(one)).accepted
        assert time.process_time() - began < 2


def test_the_limit_counts_elements_not_bytes() -> None:
    """One large CRL, certificate or value is one element."""
    large = writer.sequence(writer.octet_string(bytes(5_000_000)))
    data = cms_builder.signature(signer(unsigned=(("1.2.3", (large,)),)), crls=(large,))
    assert judge(data).accepted
    many = b"".join(
        writer.sequence(writer.oid("1.2.3"), writer.set_of(writer.integer(number)))
        for number in range(MAXIMUM_ELEMENTS // 4 + 1)
    )
    with pytest.raises(MalformedError):
        cms.decode(_with_unsigned(many))


def test_a_kind_of_its_own_is_kept() -> None:
    data = SignedData((signer(),), (pki.chain().leaf,), content_type=oids.SM2_DATA, kind=oids.SM2_SIGNED_DATA).encode()
    found = cms.decode(data)
    assert (found.kind, found.content_type) == (oids.SM2_SIGNED_DATA, oids.SM2_DATA)
    assert cms.encode(found) == data
    assert ber.to_der(cms_builder.to_ber(data)) == data


def test_timestamps_are_added_and_nothing_else_changes() -> None:
    before = signed_data.parse(GOOD).signed_data
    one, two = writer.sequence(writer.integer(1)), writer.sequence(writer.integer(2))
    data = cms.encode(unsigned.with_timestamp(unsigned.with_timestamp(before, 0, one), 0, two))
    after = signed_data.parse(data).signed_data
    assert [value for info in after.signer_infos for value in cms_detached.timestamps(info)] == [one, two]
    assert [info._replace(unsigned_attributes=()) for info in after.signer_infos] == [
        info._replace(unsigned_attributes=()) for info in before.signer_infos
    ]
    assert after._replace(signer_infos=()) == before._replace(signer_infos=())
