"""A time-stamping authority of the lab (RFC 3161): answers requests with tokens, in the process, without a network.

As everything of the lab it is for tests: its clock is whatever it is given, and its tokens say so in their policy.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.cms import signed_data
from signkit.der import cms, oids, tsp, writer
from signkit.errors import MalformedError
from signkit.lab.authority import PURPOSES, Authority, Random, SigningKey
from signkit.ports import Clock
from signkit.tsp import request, response
from signkit.tsp.request import TimeStampRequest
from signkit.x509 import names
from signkit.x509.certificate import Certificate

SUBJECT = "CN=Lab TSA (for tests only),O=signkit lab"
POLICY = "2.25.119778060399178852642602141125412019063.1"
"""Policy of its tokens, below an arc of its own (X.667): it promises nothing."""

ACCURACY = timedelta(seconds=1)
DAYS = 365
_DIGEST = "sha256"
_SERIAL_NUMBER_OCTETS = 8


class TimeStampingAuthority(NamedTuple):
    """A time-stamping authority below a lab's issuing CA.

    Attributes:
        certificate: its certificate, for timestamping alone.
        chain: DER of the certificates from its issuer's to the last intermediate.
        key: signs its tokens.
        clock: what time it is.
        random: source of the serial numbers of its tokens.
    """

    certificate: Certificate
    chain: tuple[bytes, ...]
    key: SigningKey
    clock: Clock
    random: Random

    def answer(self, data: bytes) -> bytes:
        """DER TimeStampResp to a DER TimeStampReq: a token, or the reason why there is none."""
        try:
            wanted = request.decode(data)
        except MalformedError as error:
            return response.rejected(response.BAD_DATA_FORMAT, error.message[:200]).encode()
        if wanted.digest not in digests.SIGNING:
            text = f"digest {wanted.digest}, expected one of {' '.join(digests.SIGNING)}"
            return response.rejected(response.BAD_ALGORITHM, text).encode()
        if wanted.policy not in (None, POLICY):
            text = f"policy {wanted.policy}, expected {POLICY}"
            return response.rejected(response.UNACCEPTED_POLICY, text).encode()
        if wanted.extensions:
            text = f"extensions {' '.join(wanted.extensions)}, expected none"
            return response.rejected(response.UNACCEPTED_EXTENSION, text[:200]).encode()
        return response.granted(self.token(wanted)).encode()

    def token(self, wanted: TimeStampRequest) -> bytes:
        """DER of a token for a request that was found to be acceptable."""
        now = self.clock()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        stamped = tsp.MessageImprint(digests.identifier(wanted.digest), wanted.value)
        info = tsp.encode_info(
            tsp.TstInfo(
                policy=wanted.policy or POLICY,
                imprint=stamped,
                serial_number=int.from_bytes(self.random(_SERIAL_NUMBER_OCTETS), "big") + 1,
                time=now,
                accuracy=ACCURACY,
                nonce=wanted.nonce,
                tsa=writer.tlv(0xA4, self.certificate.subject.raw),
            )
        )
        prepared = signed_data.template(self.certificate, self.chain, self.key.algorithm, _DIGEST, oids.TST_INFO)
        if not wanted.certificates:
            prepared = prepared._replace(certificates=())
        attributes = signed_data.signed_attributes(prepared, digests.digest(_DIGEST, info), now)
        signer = signed_data.signer(prepared, attributes, self.key.sign(attributes))
        return cms.encode(signed_data.assemble([prepared], [signer], content=info))


def create(authority: Authority, *, clock: Clock, random: Callable[[int], bytes]) -> TimeStampingAuthority:
    """A new time-stamping authority with a new key, below an authority's issuing CA.

    Args:
        authority: certifies it.
        clock: what time it is, for the certificate and for every token.
        random: source of serial numbers.

    Raises:
        CertificateUnusableError: the issuing CA's certificate is not valid now.
    """
    key = SigningKey.generate()
    issuing = authority.issuing
    certificate = issuing.issue(
        names.parse(SUBJECT), key.public_key_info, PURPOSES["timestamping"], now=clock(), days=DAYS, random=random
    )
    return TimeStampingAuthority(certificate, (issuing.certificate.der,), key, clock, random)
