"""A throwaway authority: a root, an issuing CA below it, and leaf certificates for certification requests.

Everything here is for tests and says so: in the names of the CAs, and in a comment inside every certificate. It is the
one place besides the providers that holds private keys, and it keeps them unsealed.

The clock and the randomness of serial numbers are arguments. Key pairs are made from OpenSSL's own random source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cryptography.exceptions import UnsupportedAlgorithm

from signkit import algorithms
from signkit.algorithms import digests
from signkit.algorithms.base import SignatureAlgorithm
from signkit.der import oids, reader, templates, writer
from signkit.errors import BindingError, CertificateUnusableError, MalformedError, RefusedError, UsageError
from signkit.x509 import certificate, names, request
from signkit.x509.certificate import Certificate
from signkit.x509.names import Name
from signkit.x509.request import CertificationRequest

Random = Callable[[int], bytes]
"""So many random bytes, for example ``secrets.token_bytes``."""

KEY_TYPE = "EC_P256"
"""Key type of the CAs."""

ROOT_SUBJECT = "CN=Lab Root (for tests only),O=signkit lab"
ISSUING_SUBJECT = "CN=Lab Issuing CA (for tests only),O=signkit lab"
COMMENT = "signkit lab: for tests only, never trust it for anything else"
"""What every certificate of the lab carries in its comment extension."""

ROOT_DAYS, ISSUING_DAYS, LEAF_DAYS = 3652, 1826, 90
"""Validity in days: of the root (ten years), of the issuing CA (five years), of a leaf when nothing is said."""

BACKDATED = timedelta(minutes=5)
"""How long before its issue a certificate begins to be valid, so that verifiers with a slow clock accept it."""

SERIAL_NUMBER_OCTETS = 16
"""Random octets in a serial number (RFC 5280 section 4.1.2.2 admits 20 octets in all)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the extensions of one kind of certificate say (RFC 5280 section 4.2.1).

    Attributes:
        key_usage: names of ``certificate.KEY_USAGES``; the extension is critical.
        extended_key_usage: OBJECT IDENTIFIERs of key purposes; empty = no such extension.
        extended_key_usage_critical: whether that extension is critical (RFC 3161 section 2.3 wants it for a TSA).
        ca: whether it is a CA certificate.
        path_length: most CA certificates below it, None = no limit.
    """

    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...] = ()
    extended_key_usage_critical: bool = False
    ca: bool = False
    path_length: int | None = None


ROOT = Profile(("keyCertSign", "cRLSign"), ca=True, path_length=1)
ISSUING = Profile(("keyCertSign", "cRLSign"), ca=True, path_length=0)
PURPOSES: Mapping[str, Profile] = MappingProxyType(
    {
        "code-signing": Profile(("digitalSignature",), (oids.CODE_SIGNING,)),
        "timestamping": Profile(("digitalSignature",), (oids.TIME_STAMPING,), extended_key_usage_critical=True),
    },
)
"""What leaf certificates can be issued for: one row for each purpose."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of a CA: a public key and the power to sign.

    Attributes:
        private_key_info: DER PKCS #8 PrivateKeyInfo, unsealed; not shown by ``repr``.
        public_key_info: DER SubjectPublicKeyInfo.
    """

    private_key_info: bytes = field(repr=False)
    public_key_info: bytes

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key of ``KEY_TYPE``."""
        key_type = algorithms.key_type(KEY_TYPE)
        return cls(*algorithms.family(key_type.family).generate(key_type))

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What it signs with: the default of its key type."""
        return algorithms.signature_algorithm(algorithms.key_type_of(self.public_key_info))

    def sign(self, message: bytes) -> bytes:
        """Signature over a whole message.

        Raises:
            MalformedError: the private key can't be parsed, or is of another kind than the public key.
        """
        family = algorithms.family(algorithms.key_type(algorithms.key_type_of(self.public_key_info)).family)
        try:
            private_key = family.load_private_key(self.private_key_info)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MalformedError(f"private key can't be parsed: {error}") from error
        digest = self.algorithm.digest
        data = message if digest is None else digests.digest(digest, message)
        return family.sign(private_key, self.algorithm, data)


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """One CA: its certificate and the key that belongs to it."""

    certificate: Certificate
    key: SigningKey

    @classmethod
    def load(cls, certificate_der: bytes, private_key_info: bytes) -> CertificateAuthority:
        """A CA that was kept.

        Args:
            certificate_der: DER of its certificate.
            private_key_info: DER PKCS #8 PrivateKeyInfo of its key.

        Raises:
            MalformedError: one of them can't be parsed.
            BindingError: the private key is not the certificate's.
        """
        loaded = certificate.load(certificate_der)
        key = SigningKey(private_key_info, loaded.public_key_info)
        probe = b"signkit lab: does this private key belong to this certificate?"
        reason = algorithms.verify_message(key.algorithm, key.public_key_info, probe, key.sign(probe))
        if reason:
            raise BindingError(
                f"private key does not belong to the certificate of {loaded.subject}: expected the key with "
                f"SHA-256 {loaded.public_key_fingerprint}, found another ({reason})"
            )
        return cls(loaded, key)

    def issue(
        self,
        subject: Name,
        public_key_info: bytes,
        profile: Profile,
        *,
        now: datetime,
        days: int,
        random: Random,
        further_extensions: Sequence[bytes] = (),
    ) -> Certificate:
        """A certificate below this CA, valid from a little before ``now``, never outside this CA's own validity.

        Args:
            subject: the name that is certified.
            public_key_info: DER SubjectPublicKeyInfo that is certified.
            profile: what its extensions say.
            now: time of issue, aware.
            days: how long it is valid from ``now`` on.
            random: source of its serial number.
            further_extensions: DER Extensions beside those of the profile.

        Raises:
            CertificateUnusableError: this CA's own certificate is not valid at ``now``.
        """
        issuer = self.certificate
        if not issuer.not_before <= now <= issuer.not_after:
            raise CertificateUnusableError(
                f"certificate of {issuer.subject} is not valid at {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}: "
                f"expected a time from {issuer.not_before:%Y-%m-%dT%H:%M:%SZ} to {issuer.not_after:%Y-%m-%dT%H:%M:%SZ}",
                hint="make a new lab, or check the clock",
            )
        return _certify(
            issuer.subject,
            self.key,
            subject,
            public_key_info,
            profile,
            not_before=max(now - BACKDATED, issuer.not_before),
            not_after=now + min(timedelta(days=days), issuer.not_after - now),
            random=random,
            further_extensions=further_extensions,
        )


@dataclass(frozen=True, slots=True)
class Authority:
    """The throwaway authority.

    Attributes:
        root: the CA whose certificate is the trust anchor; it only ever certified ``issuing``.
        issuing: the CA below it, which certifies leaves.
    """

    root: CertificateAuthority
    issuing: CertificateAuthority

    def __post_init__(self) -> None:
        """Refuse CAs that don't belong together.

        Raises:
            BindingError: the issuing CA was not certified by this root.
        """
        root, issuing = self.root.certificate, self.issuing.certificate
        algorithm = self.root.key.algorithm
        reason = algorithms.verify_message(algorithm, root.public_key_info, issuing.tbs, issuing.signature)
        if reason:
            raise BindingError(
                f"issuing CA certificate is not of this root: found one issued by {issuing.issuer}, expected one "
                f"signed by {root.subject} with the key of SHA-256 {root.public_key_fingerprint} ({reason})"
            )

    @classmethod
    def create(cls, now: datetime, random: Random) -> Authority:
        """A new authority with new keys.

        Args:
            now: time of issue of its certificates, aware.
            random: source of their serial numbers.
        """
        subject, key = names.parse(ROOT_SUBJECT), SigningKey.generate()
        self_signed = _certify(
            subject,
            key,
            subject,
            key.public_key_info,
            ROOT,
            not_before=now - BACKDATED,
            not_after=now + timedelta(days=ROOT_DAYS),
            random=random,
        )
        root = CertificateAuthority(self_signed, key)
        issuing_key = SigningKey.generate()
        below = root.issue(
            names.parse(ISSUING_SUBJECT),
            issuing_key.public_key_info,
            ISSUING,
            now=now,
            days=ISSUING_DAYS,
            random=random,
        )
        return cls(root, CertificateAuthority(below, issuing_key))

    def issue(
        self,
        request_der: bytes,
        *,
        now: datetime,
        random: Random,
        days: int = LEAF_DAYS,
        purpose: str = "code-signing",
        further_extensions: Sequence[bytes] = (),
    ) -> list[bytes]:
        """Issue a leaf certificate for a certification request.

        Subject and public key are the request's; extensions that it asks for are not looked at, the purpose alone
        decides. The certificate ends with the issuing CA's own when ``days`` would reach beyond it.

        Args:
            request_der: DER CertificationRequest.
            now: time of issue, aware.
            random: source of the serial number.
            days: how long it is valid, 1 to ``ISSUING_DAYS``.
            purpose: one of ``PURPOSES``.
            further_extensions: DER Extensions beside those of the purpose, for example ``revoking.publication``.

        Returns:
            DER certificates from the leaf to the last intermediate: the new one, the issuing CA's.

        Raises:
            UsageError: no such purpose or number of days.
            MalformedError: the request can't be parsed.
            RefusedError: the request is not signed by the key it carries, has no subject, or its key is too weak.
            CertificateUnusableError: the issuing CA's certificate is not valid at ``now``.
        """
        profile = PURPOSES.get(purpose)
        if profile is None:
            raise UsageError(f"'{purpose}' is not a purpose of a lab certificate: expected one of {' '.join(PURPOSES)}")
        if not 1 <= days <= ISSUING_DAYS:
            raise UsageError(f"validity is {days} days, expected 1 to {ISSUING_DAYS}")
        wanted = request.load(request_der)
        _refuse_unfit(wanted)
        leaf = self.issuing.issue(
            wanted.subject,
            wanted.public_key_info,
            profile,
            now=now,
            days=days,
            random=random,
            further_extensions=further_extensions,
        )
        return [leaf.der, self.issuing.certificate.der]


def key_identifier(public_key_info: bytes) -> bytes:
    """The 20 octets that name a public key: SHA-256 of its BIT STRING, cut to 160 bits (RFC 7093 section 2, method 1).

    Args:
        public_key_info: DER SubjectPublicKeyInfo.

    Raises:
        MalformedError: it is not one.
    """
    _algorithm, public_key = reader.parse(public_key_info, reader.SEQUENCE, "SubjectPublicKeyInfo").children()
    return digests.digest("sha256", reader.bit_string(public_key, "subjectPublicKey"))[:20]


def _refuse_unfit(wanted: CertificationRequest) -> None:
    """Refuse a request that no authority should serve.

    Raises:
        RefusedError: no proof of possession, no subject, or a weak key.
    """
    reason = wanted.proof_of_possession()
    if reason:
        raise RefusedError(
            f"certification request for '{wanted.subject}' fails its proof of possession: found that {reason}, "
            f"expected a signature by the key it carries (RFC 2986 section 3)",
            hint="make the request again with the private key of its public key",
            code="ProofOfPossessionFailed",
        )
    if not wanted.subject:
        raise RefusedError(
            "certification request has an empty subject: expected at least one attribute (RFC 5280 section 4.1.2.6)",
            hint='give the request a subject, for example "CN=Acme Release,O=Acme,C=DE"',
            code="EmptySubject",
        )
    weakness = algorithms.weakness(wanted.key_type)
    if weakness:
        raise RefusedError(f"certification request has a weak key: {weakness}", code="WeakKey")


def _certify(
    issuer: Name,
    issuer_key: SigningKey,
    subject: Name,
    public_key_info: bytes,
    profile: Profile,
    *,
    not_before: datetime,
    not_after: datetime,
    random: Random,
    further_extensions: Sequence[bytes] = (),
) -> Certificate:
    """Make and sign one certificate; times lose their fraction of a second."""
    tbs = templates.tbs_certificate(
        serial_number=_serial_number(random),
        signature_algorithm=issuer_key.algorithm.identifier,
        issuer=issuer.raw,
        not_before=not_before,
        not_after=not_after,
        subject=subject.raw,
        public_key_info=public_key_info,
        subject_key_identifier=key_identifier(public_key_info),
        authority_key_identifier=key_identifier(issuer_key.public_key_info),
        ca=profile.ca,
        path_length=profile.path_length,
        key_usage=profile.key_usage,
        extended_key_usage=profile.extended_key_usage,
        extended_key_usage_critical=profile.extended_key_usage_critical,
        comment=COMMENT,
        further_extensions=further_extensions,
    )
    signature = writer.bit_string(issuer_key.sign(tbs))
    return certificate.load(writer.sequence(tbs, issuer_key.algorithm.identifier, signature))


def _serial_number(random: Random) -> int:
    """Random and positive; its first bit is set, so that it is never 0 and all of them have the same length."""
    return int.from_bytes(random(SERIAL_NUMBER_OCTETS), "big") | 1 << (8 * SERIAL_NUMBER_OCTETS - 1)
