"""Alternative names: what people may write, what is refused, and that both directions agree."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from signkit.der import oids, reader, writer
from signkit.errors import MalformedError, UsageError
from signkit.x509 import general_names
from tests.support import pki


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("dns:release.example.com", b"\x82\x13release.example.com"),
        ("DNS:a", b"\x82\x01a"),
        ("dns:*.example.com", b"\x82\x0d*.example.com"),
        ("email:release@example.com", b"\x81\x13release@example.com"),
        ("uri:https://example.com/a?b=c", b"\x86\x19https://example.com/a?b=c"),
        ("uri:urn:uuid:1", b"\x86\x0aurn:uuid:1"),
        ("ip:192.0.2.1", b"\x87\x04\xc0\x00\x02\x01"),
        ("ip:2001:db8::1", b"\x87\x10\x20\x01\x0d\xb8" + bytes(11) + b"\x01"),
        ("rid:1.2.3", b"\x88\x02\x2a\x03"),
    ],
)
def test_encodings(text: str, encoded: bytes) -> None:
    assert general_names.parse(text) == encoded
    kind, _, value = text.partition(":")
    assert general_names.describe(encoded) == f"{kind.lower()}:{value}"


def test_a_user_principal_name_is_an_other_name() -> None:
    der = general_names.parse("upn:zoë@corp")
    assert der[0] == 0xA0
    assert oids.USER_PRINCIPAL_NAME == "1.3.6.1.4.1.311.20.2.3"
    assert writer.oid(oids.USER_PRINCIPAL_NAME) in der
    assert general_names.describe(der) == "upn:zoë@corp"


def test_a_directory_name() -> None:
    der = general_names.parse("dirname:CN=Zoë\\, Release,C=DE")
    assert general_names.describe(der) == "dirname:CN=Zoë\\, Release,C=DE"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "release.example.com",
        "tel:1",
        "dns:",
        "dns:a..b",
        "dns:-a",
        "dns:a-",
        "dns:a b",
        "dns:a\x00b",
        "dns:münchen.example",
        "dns:" + "a" * 64,
        "dns:" + ".".join(["a" * 63] * 5),
        "dns:a.*.b",
        "email:release",
        "email:@example.com",
        "email:a@b@c d",
        "email:zoë@example.com",
        "email:a@*.example.com",
        "email:a\r\nBcc: b@example.com",
        "uri:example.com/a",
        "uri:https://example.com/a b",
        "uri:https://münchen.example/",
        "uri:" + "a:" * 2000,
        "ip:300.1.1.1",
        "ip:192.0.2.0/24",
        "ip:fe80::1%eth0",
        "ip:1",
        "upn:zoë",
        "upn:a@b@c",
        "upn:a\ud800@b",
        "rid:1.2.x",
        "rid:3.1",
        "dirname:",
        "dirname:CN=" + "a" * 65,
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        general_names.parse(text)


def test_each_name_stands_there_once_and_there_are_not_too_many() -> None:
    assert general_names.parse_all(["dns:a", "dns:b", "dns:a"]) == (b"\x82\x01a", b"\x82\x01b")
    with pytest.raises(UsageError, match="at most 100"):
        general_names.parse_all([f"dns:a{number}" for number in range(101)])


def test_another_reader_sees_the_same_names() -> None:
    texts = ["dns:a.example", "email:a@b.example", "uri:https://a.example/", "ip:::1", "rid:1.2.3", "dirname:CN=A"]
    value = writer.sequence(*general_names.parse_all(texts))
    extension = pki.extension(oids.SUBJECT_ALT_NAME, value)
    key = pki.key(1)
    loaded = x509.load_der_x509_certificate(pki.certificate("CN=A", key, "CN=A", key, [extension]))
    found = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["a.example"]
    assert found.get_values_for_type(x509.RFC822Name) == ["a@b.example"]
    assert found.get_values_for_type(x509.UniformResourceIdentifier) == ["https://a.example/"]
    assert [str(ip) for ip in found.get_values_for_type(x509.IPAddress)] == ["::1"]
    assert [oid.dotted_string for oid in found.get_values_for_type(x509.RegisteredID)] == ["1.2.3"]
    assert [name.rfc4514_string() for name in found.get_values_for_type(x509.DirectoryName)] == ["CN=A"]


@pytest.mark.parametrize(
    "der",
    [
        b"\x82\x01\xff",
        b"\x87\x03abc",
        b"\x88\x00",
        b"\xa4\x00",
        b"\xa4\x03\x0c\x01a",
        b"\xa0\x00",
        b"\xa0\x06\x06\x01*\xa0\x01x",
        b"\xa3\x00",
        b"\xa5\x00",
        b"\x89\x01a",
    ],
)
def test_odd_names_are_shown_and_break_nothing(der: bytes) -> None:
    assert ":" in general_names.describe(der)


@pytest.mark.parametrize("value", [b"", b"\x30\x00", b"\x31\x00", b"\x30\x01", b"\x30\x02\x82\x05"])
def test_values_that_hold_no_names(value: bytes) -> None:
    with pytest.raises(MalformedError):
        general_names.read(value)


@given(st.from_regex(r"(dns|email|uri|ip|upn|rid):[ -~ä]{1,30}", fullmatch=True))
def test_what_is_accepted_reads_back(text: str) -> None:
    try:
        der = general_names.parse(text)
    except UsageError:
        return
    assert reader.parse(der).raw == der
    shown = general_names.describe(der)
    assert general_names.parse(shown) == der
