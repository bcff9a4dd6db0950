"""CRLs and OCSP responses for tests, raw DER, so that any odd one can be made and signed correctly.

``pki`` makes the certificates; the same rules hold: keyword arguments replace single fields by anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from signkit.algorithms import digests
from signkit.der import oids, writer
from signkit.x509 import certificate as certificates
from signkit.x509.certificate import Certificate
from signkit.x509.ocsp import public_key_bits
from signkit.x509.path import Bag
from signkit.x509.revocation import RevocationEvidence, checker
from tests.support import pki
from tests.support.pki import Key

DAY = timedelta(days=1)
THIS_UPDATE, NEXT_UPDATE = pki.NOW - DAY, pki.NOW + DAY

GOOD = writer.tlv(0x80)
UNKNOWN = writer.tlv(0x82)


def generalized(moment: datetime) -> bytes:
    return writer.tlv(0x18, f"{moment:%Y%m%d%H%M%SZ}".encode())


def reason(code: int) -> bytes:
    return pki.extension(oids.REASON_CODE, writer.tlv(0x0A, bytes([code])))


def invalidity(moment: datetime) -> bytes:
    return pki.extension(oids.INVALIDITY_DATE, generalized(moment))


def certificate_issuer(name: str, critical: bool = True) -> bytes:
    return pki.extension(oids.CERTIFICATE_ISSUER, writer.sequence(writer.tlv(0xA4, pki.name(name))), critical)


def entry(certificate: bytes | int, when: datetime, *extensions: bytes) -> bytes:
    """One entry, for a DER certificate or a serial number."""
    serial = certificate if isinstance(certificate, int) else certificates.load(certificate).serial_number
    return writer.sequence(
        writer.integer(serial), pki.time(when), *([writer.sequence(*extensions)] if extensions else [])
    )


def number(value: int) -> bytes:
    return pki.extension(oids.CRL_NUMBER, writer.integer(value))


def delta(base: int) -> bytes:
    return pki.extension(oids.DELTA_CRL_INDICATOR, writer.integer(base), critical=True)


def uri(text: str) -> bytes:
    return writer.tlv(0x86, text.encode())


def directory(text: str) -> bytes:
    return writer.tlv(0xA4, pki.name(text))


def full_name(*general_names: bytes) -> bytes:
    """DistributionPointName with fullName, in the tag of its field."""
    return writer.tlv(0xA0, writer.tlv(0xA0, *general_names))


def relative_name(text: str) -> bytes:
    """DistributionPointName with nameRelativeToCRLIssuer of one attribute."""
    name = pki.name(text)
    return writer.tlv(0xA0, writer.tlv(0xA1, name[4:]))


def issuing_point(*fields: bytes, critical: bool = True) -> bytes:
    return pki.extension(oids.ISSUING_DISTRIBUTION_POINT, writer.sequence(*fields), critical)


ONLY_USERS, ONLY_CAS, INDIRECT, ONLY_ATTRIBUTES = (writer.tlv(tag, b"\xff") for tag in (0x81, 0x82, 0x84, 0x85))


def reason_flags(tag: int, *bits: int) -> bytes:
    value = sum(1 << (15 - bit) for bit in bits).to_bytes(2, "big").rstrip(b"\0")
    unused = (value[-1] & -value[-1]).bit_length() - 1
    return writer.tlv(tag, bytes([unused]), value)


def points(*fields: Sequence[bytes]) -> bytes:
    """The cRLDistributionPoints extension: each argument is the fields of one point."""
    return pki.extension(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(*(writer.sequence(*one) for one in fields)))


def ocsp_url(text: str) -> bytes:
    description = writer.sequence(writer.oid(oids.AD_OCSP), uri(text))
    return pki.extension(oids.AUTHORITY_INFO_ACCESS, writer.sequence(description))


def crl(
    issuer: str | bytes = pki.ISSUING,
    key: Key | None = None,
    entries: Sequence[bytes] = (),
    *,
    this_update: datetime = THIS_UPDATE,
    next_update: datetime | None = NEXT_UPDATE,
    extensions: Sequence[bytes] | None = None,
    version: int | None = 2,
    inner: bytes | None = None,
    signature: Callable[[bytes], bytes] = lambda value: value,
) -> bytes:
    """DER of a CRL, signed over whatever it says; with key identifier and number 1 unless ``extensions`` says else."""
    key = key or pki.key(2)
    if extensions is None:
        extensions = [pki.authority_key_identifier(key.identifier), number(1)]
    algorithm = pki.ALGORITHMS[key.algorithm]
    tbs = writer.sequence(
        b"" if version is None else writer.integer(version - 1),
        inner or algorithm,
        pki.name(issuer) if isinstance(issuer, str) else issuer,
        pki.time(this_update),
        pki.time(next_update) if next_update else b"",
        writer.sequence(*entries) if entries else b"",
        writer.tlv(0xA0, writer.sequence(*extensions)) if extensions else b"",
    )
    return writer.sequence(tbs, algorithm, writer.bit_string(signature(key.sign(tbs))))


def certificate_id(certificate: bytes, issuer: bytes, digest: str = "sha1") -> bytes:
    subject, authority = certificates.load(certificate), certificates.load(issuer)
    return writer.sequence(
        digests.identifier(digest),
        writer.octet_string(digests.digest(digest, subject.issuer.raw)),
        writer.octet_string(digests.digest(digest, public_key_bits(authority.public_key_info))),
        writer.integer(subject.serial_number),
    )


def revoked(when: datetime, code: int | None = None) -> bytes:
    return writer.tlv(
        0xA1, generalized(when), b"" if code is None else writer.tlv(0xA0, writer.tlv(0x0A, bytes([code])))
    )


def single(
    certificate: bytes,
    issuer: bytes,
    status: bytes = GOOD,
    *,
    this_update: datetime = THIS_UPDATE,
    next_update: datetime | None = NEXT_UPDATE,
    digest: str = "sha1",
    extensions: Sequence[bytes] = (),
) -> bytes:
    """One SingleResponse."""
    return writer.sequence(
        certificate_id(certificate, issuer, digest),
        status,
        generalized(this_update),
        writer.tlv(0xA0, generalized(next_update)) if next_update else b"",
        writer.tlv(0xA1, writer.sequence(*extensions)) if extensions else b"",
    )


def by_name(name: str) -> bytes:
    return writer.tlv(0xA1, pki.name(name))


def by_key(key: Key) -> bytes:
    return writer.tlv(0xA2, writer.octet_string(digests.digest("sha1", public_key_bits(key.public_key_info))))


def ocsp(
    *singles: bytes,
    key: Key | None = None,
    responder: bytes | None = None,
    produced_at: datetime = THIS_UPDATE,
    extensions: Sequence[bytes] = (),
    certificates: Sequence[bytes] = (),
    status: int = 0,
    bare: bool = False,
    signature: Callable[[bytes], bytes] = lambda value: value,
) -> bytes:
    """DER of an OCSPResponse; ``bare`` = only the BasicOCSPResponse in it."""
    key = key or pki.key(2)
    tbs = writer.sequence(
        responder or by_name(pki.ISSUING),
        generalized(produced_at),
        writer.sequence(*singles),
        writer.tlv(0xA1, writer.sequence(*extensions)) if extensions else b"",
    )
    basic = writer.sequence(
        tbs,
        pki.ALGORITHMS[key.algorithm],
        writer.bit_string(signature(key.sign(tbs))),
        writer.tlv(0xA0, writer.sequence(*certificates)) if certificates else b"",
    )
    if bare:
        return basic
    inside = writer.sequence(writer.oid(oids.OCSP_BASIC), writer.octet_string(basic))
    return writer.sequence(writer.tlv(0x0A, bytes([status])), writer.tlv(0xA0, inside))


def responder(
    key: Key, *, name: str = "CN=Test Responder,O=signkit tests", nocheck: bool = True, **fields: object
) -> bytes:
    """A delegated responder's certificate under the usual issuing CA."""
    extra = [pki.extension(oids.OCSP_NO_CHECK, writer.NULL)] if nocheck else []
    arguments: dict[str, object] = {"purposes": (oids.OCSP_SIGNING,), "extra": extra, **fields}
    return pki.leaf(name, key, pki.ISSUING, pki.key(2), **arguments)  # type: ignore[arg-type]


def path(leaf: bytes | None = None, issuing: bytes | None = None, root: bytes | None = None) -> tuple[Certificate, ...]:
    """The usual path, or one of other certificates."""
    chain = pki.chain()
    ders = (leaf or chain.leaf, issuing or chain.issuing, root or chain.root)
    return tuple(certificates.load(der) for der in ders)


ROOT_CRL = crl(pki.ROOT, pki.key(1))
"""The root's CRL, which revokes nobody."""


def judge(
    *,
    crls: Sequence[bytes] = (),
    responses: Sequence[bytes] = (),
    embedded_crls: Sequence[bytes] = (),
    embedded_responses: Sequence[bytes] = (),
    certificates: Sequence[Certificate] | None = None,
    others: Sequence[bytes] = (),
    at: datetime = pki.NOW,
    now: datetime = pki.NOW,
    embedded_at: datetime | None = None,
    profile: object | None = None,
    sm2_id: bytes = b"1234567812345678",
):  # type: ignore[no-untyped-def]
    """The checks of a path, the leaf's first."""
    used = tuple(certificates or path())
    bag = Bag([used[-1].der], [*(one.der for one in used[1:-1]), *others])
    evidence = RevocationEvidence(tuple(crls), tuple(responses), tuple(embedded_crls), tuple(embedded_responses))
    judge = checker(
        evidence, bag=bag, at=at, now=now, mode="require", profile=profile, sm2_id=sm2_id, embedded_at=embedded_at
    )
    return judge(used)
