"""Additions to a finished SignedData: whatever no signature covers, so that every signed octet stays what it is."""

from __future__ import annotations

from collections.abc import Iterable

from signkit.cms import signed_data
from signkit.der import cms, oids, reader, writer
from signkit.der.cms import Attribute, SignedData
from signkit.x509 import pem

OTHER_REVOCATION_INFO = 0xA1
"""Tag of a RevocationInfoChoice that is no CRL (RFC 5652 section 10.2.1)."""

_OTHER_FORMAT_VERSION = 5


def with_timestamp(found: SignedData, number: int, token: bytes) -> SignedData:
    """The same with one more signature timestamp (RFC 3161 appendix A), an attribute of its own.

    Args:
        found: the SignedData.
        number: which of its signers, from 0.
        token: DER of the token.
    """
    infos = list(found.signer_infos)
    one = Attribute(oids.SIGNATURE_TIME_STAMP, (token,))
    infos[number] = infos[number]._replace(unsigned_attributes=(*infos[number].unsigned_attributes, one))
    return found._replace(signer_infos=tuple(infos))


def with_material(
    found: SignedData,
    *,
    certificates: Iterable[bytes] = (),
    crls: Iterable[bytes] = (),
    ocsp_responses: Iterable[bytes] = (),
) -> SignedData:
    """The same with more to verify it by; what is there already is not added again.

    Args:
        found: the SignedData.
        certificates: DER.
        crls: DER.
        ocsp_responses: DER OCSPResponses; they go among the CRLs (RFC 5940).
    """
    others = [_other(der) for der in ocsp_responses]
    version = max(found.version, _OTHER_FORMAT_VERSION) if others else found.version  # RFC 5652 section 5.1
    return found._replace(
        version=version,
        certificates=tuple(dict.fromkeys((*found.certificates, *certificates))),
        crls=tuple(dict.fromkeys((*found.crls, *crls, *others))),
    )


def encode_as(found: SignedData, encoding: str) -> bytes:
    """The file: PEM where it was PEM, else DER.

    Args:
        found: the SignedData.
        encoding: ``signed_data.Parsed.encoding``.
    """
    der = cms.encode(found)
    return pem.encode(pem.PKCS7_LABELS[1], der).encode() if encoding == "PEM" else der


def require_unchanged(before: SignedData, data: bytes) -> None:
    """What was signed must be in the new file as it was: checked on the octets that will be written.

    Raises:
        ValueError: it is not. A defect of this module, never of what was read.
    """
    after = signed_data.parse(data).signed_data
    old, new = ([_signed_parts(info) for info in one.signer_infos] for one in (before, after))
    if sorted(old) != sorted(new) or before.content != after.content or before.content_type != after.content_type:
        raise ValueError("an addition changed what was signed")


def _signed_parts(info: cms.SignerInfo) -> bytes:
    return cms.encode_signer_info(info._replace(unsigned_attributes=()))


def _other(response: bytes) -> bytes:
    body = reader.parse(response, reader.SEQUENCE, "OCSP response").raw
    return writer.tlv(OTHER_REVOCATION_INFO, writer.oid(oids.OCSP_RESPONSE), body)
