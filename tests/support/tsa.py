"""A time-stamping authority of the tests: tokens field by field, signed correctly over whatever they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from signkit.algorithms import digests
from signkit.der import oids, tsp
from tests.support import cms_builder, pki
from tests.support.cms_builder import Attribute, SignedData, Signer, attribute

POLICY = "1.3.6.1.4.1.99999.3"
TSA = "CN=Test TSA,O=signkit tests"
STAMPED = pki.NOW - timedelta(days=100)
"""When tokens are of unless something else is said."""


@cache
def certificate(
    subject: str = TSA,
    number: int = 20,
    *,
    purposes: tuple[str, ...] = (oids.TIME_STAMPING,),
    critical: bool = True,
    issuer: str = pki.ISSUING,
    issuer_number: int = 2,
    **fields: Any,
) -> bytes:
    """A certificate of an authority, by default a good one below the usual issuing CA."""
    extra = [pki.extended_key_usage(*purposes, critical=critical)] if purposes else []
    return pki.leaf(subject, pki.key(number), issuer, pki.key(issuer_number), purposes=None, extra=extra, **fields)


@dataclass(frozen=True)
class Token:
    """One token; every field can be replaced by what it should not be.

    Attributes:
        stamped: the bytes that are stamped.
        time: genTime.
        digest: digest algorithm of the message imprint.
        imprint: replaces the digest.
        info: replaces the whole TSTInfo.
        fields: further fields of the TSTInfo.
        key: number of the key that signs.
        certificate: of the authority.
        binding: the signing-certificate attribute, None = the right one.
        attributes: replaces all signed attributes.
        content_type: of what is signed.
        signers: how many signers there are.
        bag: certificates that go along beside the authority's.
        changes: fields of ``cms_builder.Signer``.
    """

    stamped: bytes
    time: datetime = STAMPED
    digest: str = "sha256"
    imprint: bytes | None = None
    info: bytes | None = None
    fields: tuple[tuple[str, Any], ...] = (("accuracy", timedelta(seconds=1)),)
    key: int = 20
    certificate: bytes = b""
    binding: tuple[Attribute, ...] | None = None
    attributes: tuple[Attribute, ...] | None = None
    content_type: str = oids.TST_INFO
    signers: int = 1
    bag: Sequence[bytes] | None = None
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def tst_info(self) -> bytes:
        """DER TSTInfo."""
        if self.info is not None:
            return self.info
        value = digests.digest(self.digest, self.stamped) if self.imprint is None else self.imprint
        stamped = tsp.MessageImprint(digests.identifier(self.digest), value)
        return tsp.encode_info(tsp.TstInfo(POLICY, stamped, 0x1234, self.time, **dict(self.fields)))

    def encode(self) -> bytes:
        """DER ContentInfo."""
        leaf = self.certificate or certificate()
        binding = (cms_builder.signing_certificate_v2(leaf),) if self.binding is None else self.binding
        attributes = self.attributes
        if attributes is None:
            attributes = (
                cms_builder.content_type(self.content_type),
                cms_builder.message_digest(self.tst_info),
                *binding,
            )
        one = Signer(pki.key(self.key), leaf, **({"attributes": attributes} | dict(self.changes)))
        bag = (pki.chain().issuing,) if self.bag is None else self.bag
        return SignedData(
            signers=(one,) * self.signers,
            certificates=(leaf, *bag),
            artifact=self.tst_info,
            version=3,
            digest_algorithms=(one.digest_algorithm,),
            content_type=self.content_type,
            content=self.tst_info,
        ).encode()


def stamped(
    *tokens: Token | bytes | None,
    kind: str = oids.SIGNATURE_TIME_STAMP,
    signer: Signer | None = None,
    certificates: tuple[bytes, ...] | None = None,
    **changes: Any,
) -> bytes:
    """A signature of ``cms_builder.ARTIFACT`` with tokens over its signature value.

    Args:
        tokens: each over whatever it says; None = a good one, with ``changes``; bytes go in as they are.
        kind: type of the unsigned attribute.
        signer: replaces the usual signer.
        certificates: of the signature, instead of the signer's and its issuer's.
        changes: fields of the tokens.
    """
    one = signer or cms_builder.signer()
    value = one.key.sign(cms_builder.encode_attributes(one.attributes or ()))
    fixed = replace(one, signature=value)
    encoded = []
    for given in tokens or (None,):
        if isinstance(given, bytes):
            encoded.append(given)
        else:
            encoded.append(replace(given or Token(value), stamped=value, **changes).encode())
    unsigned = attribute(kind, *encoded)
    given_certificates = {} if certificates is None else {"certificates": certificates}
    return cms_builder.signature(replace(fixed, unsigned=(*fixed.unsigned, unsigned)), **given_certificates)
