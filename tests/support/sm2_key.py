"""An SM2 key that signs CMS and certificates of the tests by the integers of ``sm2_reference``. For tests only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from signkit.algorithms import digests
from signkit.der import oids, writer
from tests.support import sm2_reference

DEFAULT_ID = b"1234567812345678"
SM3 = digests.identifier("sm3")
SM2_SIGN = writer.sequence(writer.oid(oids.SM2_SIGN), writer.NULL)


@dataclass(frozen=True)
class Sm2Key:
    """Stands where ``pki.Key`` does.

    Attributes:
        secret: the private key.
        signer_id: identifier that goes into Z; None = no Z at all, as OpenSSL 3 signs without attributes.
        algorithm: name in ``pki.ALGORITHMS``.
    """

    secret: int
    signer_id: bytes | None = DEFAULT_ID
    algorithm: str = "sm2"

    @cached_property
    def point(self) -> bytes:
        return sm2_reference.public_point(self.secret)

    @cached_property
    def public_key_info(self) -> bytes:
        algorithm = writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SM2))
        return writer.sequence(algorithm, writer.bit_string(self.point))

    @cached_property
    def identifier(self) -> bytes:
        return digests.digest("sha1", self.public_key_info)

    @cached_property
    def z(self) -> bytes:
        """GB/T 32918.2 section 5.5."""
        if self.signer_id is None:
            return b""
        bits = (8 * len(self.signer_id)).to_bytes(2, "big")
        numbers = (sm2_reference.P - 3, sm2_reference.B, *sm2_reference.G)
        curve = b"".join(number.to_bytes(32, "big") for number in numbers)
        return digests.digest("sm3", bits + self.signer_id + curve + self.point[1:])

    def sign(self, data: bytes, algorithm: str = "") -> bytes:
        """DER SEQUENCE of r and s over SM3(Z || data), the random number made of what is signed."""
        e = digests.digest("sm3", self.z + data)
        k = int.from_bytes(digests.digest("sha512", e + self.secret.to_bytes(32, "big")), "big") % sm2_reference.N
        r, s = sm2_reference.sign(self.secret, e, k)
        return writer.sequence(writer.integer(r), writer.integer(s))
