"""Extensions of certificates for tests: names, name constraints, policies, as DER in any form, also wrong ones."""

from __future__ import annotations

from collections.abc import Sequence

from signkit.der import oids, writer
from tests.support import pki

ANY_POLICY = "2.5.29.32.0"


def email(text: str) -> bytes:
    return writer.tlv(0x81, text.encode())


def dns(text: str) -> bytes:
    return writer.tlv(0x82, text.encode())


def directory(text: str) -> bytes:
    return writer.tlv(0xA4, pki.name(text))


def uri(text: str) -> bytes:
    return writer.tlv(0x86, text.encode())


def ip(octets: bytes) -> bytes:
    return writer.tlv(0x87, octets)


def registered(dotted: str) -> bytes:
    return writer.tlv(0x88, writer.oid(dotted)[2:])


def other() -> bytes:
    return writer.tlv(0xA0, writer.oid("1.2.3"), writer.tlv(0xA0, writer.NULL))


def alternative_names(*names: bytes, critical: bool = False) -> bytes:
    return pki.extension(oids.SUBJECT_ALT_NAME, writer.sequence(*names), critical)


def constraints(permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = (), critical: bool = True) -> bytes:
    lists = [
        writer.tlv(tag, *map(writer.sequence, names)) for tag, names in ((0xA0, permitted), (0xA1, excluded)) if names
    ]
    return pki.extension(oids.NAME_CONSTRAINTS, writer.sequence(*lists), critical)


def policies(*dotted: str, critical: bool = False) -> bytes:
    value = writer.sequence(*(writer.sequence(writer.oid(one)) for one in dotted))
    return pki.extension(oids.CERTIFICATE_POLICIES, value, critical)


def mappings(*pairs: tuple[str, str]) -> bytes:
    value = writer.sequence(*(writer.sequence(writer.oid(one), writer.oid(two)) for one, two in pairs))
    return pki.extension(oids.POLICY_MAPPINGS, value, True)


def policy_constraints(explicit: int | None = None, mapping: int | None = None) -> bytes:
    fields = [
        writer.tlv(tag, writer.integer(value)[2:])
        for tag, value in ((0x80, explicit), (0x81, mapping))
        if value is not None
    ]
    return pki.extension(oids.POLICY_CONSTRAINTS, writer.sequence(*fields), True)


def inhibit_any(value: int) -> bytes:
    return pki.extension(oids.INHIBIT_ANY_POLICY, writer.integer(value), True)
