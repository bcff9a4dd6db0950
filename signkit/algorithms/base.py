"""What every family of algorithms offers: key types, signature algorithms, sign and verify."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from signkit.algorithms.containers import PrivateKeyInfo

CAN_T_DECRYPT = "the ciphertext can't be decrypted with this key version and algorithm"


class SignatureAlgorithm(NamedTuple):
    """One way to sign.

    Attributes:
        name: name after KMS, for example ``ECDSA_SHA_256``.
        digest: name of the digest that is signed (``sha256``), or None when the algorithm takes the whole message.
        identifier: DER AlgorithmIdentifier in certificates and requests.
        cms_identifier: DER AlgorithmIdentifier in a SignerInfo (RFC 3370 and RFC 4056 differ from RFC 4055 for RSA).
        binds_signer: whether what is digested begins with the signer's identity and key (SM2's Z).
        cms_digest: digest of the content beside it in CMS where the algorithm takes messages; empty = ``digest``.
        cms_alternatives: further digests of the content that are strong enough for it when others chose them.
        external: what can be signed in place of the message where the algorithm takes messages: ``mu`` for ML-DSA;
            empty = nothing.
    """

    name: str
    digest: str | None
    identifier: bytes
    cms_identifier: bytes
    cms_digest: str = ""
    binds_signer: bool = False
    cms_alternatives: tuple[str, ...] = ()
    external: str = ""

    @property
    def content_digest(self) -> str:
        """Name of the digest of the content in CMS: the one that is signed, or the one that goes with the algorithm."""
        return self.digest or self.cms_digest

    def over_digest(self) -> SignatureAlgorithm | None:
        """The same algorithm over a digest, or over what stands for the message; None when it needs the message."""
        if self.digest is not None:
            return self
        return self._replace(digest=self.external) if self.external else None


class EncryptionAlgorithm(NamedTuple):
    """One way to encrypt.

    Attributes:
        name: name after KMS, for example ``RSAES_OAEP_SHA_256``.
    """

    name: str


class KeyType(NamedTuple):
    """One kind of key.

    Attributes:
        name: name after KMS, for example ``RSA_3072``.
        family: name of the module in ``signkit.algorithms`` that implements it.
        algorithms: the signature algorithms it can use, the default one first.
        parameter: what the family needs to generate it: modulus bits, curve.
        encryption: the encryption algorithms it can use, the default one first; empty = it can't encrypt.
    """

    name: str
    family: str
    algorithms: tuple[SignatureAlgorithm, ...]
    parameter: Any
    encryption: tuple[EncryptionAlgorithm, ...] = ()


class Family(Protocol):
    """A module of this package: one file that fills one row of ``signkit.algorithms.FAMILIES``."""

    @property
    def KEY_TYPES(self) -> Sequence[KeyType]:  # noqa: N802
        """The key types it implements."""

    def identify(self, oid: str, parameters: bytes, digest: str | None) -> SignatureAlgorithm | None:
        """The algorithm of an AlgorithmIdentifier, or None when it is of another family.

        Args:
            oid: its OBJECT IDENTIFIER.
            parameters: DER of its parameters, empty when absent.
            digest: name of the digest algorithm beside it (CMS), None where there is none.

        Raises:
            MalformedError: of this family, but with parameters that can't be.
        """

    def key_type_of(self, oid: str, parameters: bytes, public_key: bytes) -> str | None:
        """Name of the type of a public key (also of ones that can't be generated here), None when of another family.

        Args:
            oid: OBJECT IDENTIFIER of the SubjectPublicKeyInfo's algorithm.
            parameters: DER of its parameters, empty when absent.
            public_key: contents of the BIT STRING.

        Raises:
            MalformedError: of this family, but in a form that is not allowed.
            ValueError: it can't be read.
        """

    def weakness(self, key_type: str) -> str:
        """Why a key of that type is too weak, or an empty string (also for types of other families)."""

    def generate(self, key_type: KeyType) -> tuple[bytes, bytes]:
        """A new key pair: DER PKCS#8 PrivateKeyInfo, DER SubjectPublicKeyInfo."""

    def load_private_key(self, private_key_info: bytes) -> Any:
        """A private key that was validated when it came in, ready to sign."""

    def prehash(self, algorithm: SignatureAlgorithm, public_key_info: bytes, message: bytes, signer_id: bytes) -> bytes:
        """What is signed for a message: its digest, for SM2 that of Z and the message, or the message itself.

        Args:
            algorithm: one of the family's.
            public_key_info: DER SubjectPublicKeyInfo of the signer, which SM2 binds the signature to.
            message: the whole message.
            signer_id: identifier of the signer, for SM2.
        """

    def sign(self, private_key: Any, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
        """Signature over a digest, or over a message when ``algorithm.digest`` is None."""

    def verify(self, algorithm: SignatureAlgorithm, public_key_info: bytes, data: bytes, signature: bytes) -> str:
        """An empty string when the signature over ``data`` (digest or message) is right, else the reason."""

    def import_private_key(self, key: PrivateKeyInfo) -> tuple[bytes, bytes] | None:
        """A private key from outside, validated once: DER PKCS #8 as this family keeps it, DER SubjectPublicKeyInfo.

        Returns:
            None when the key is of another family.

        Raises:
            MalformedError: of this family, but out of range, inconsistent or of an unknown kind.
            RefusedError: it is in order, and too weak.
        """


class EncryptingFamily(Protocol):
    """What a family offers beside ``Family`` when its keys can encrypt."""

    def maximum_plaintext(self, algorithm: EncryptionAlgorithm, public_key_info: bytes) -> int:
        """Most bytes that can be encrypted."""

    def encrypt(self, algorithm: EncryptionAlgorithm, public_key_info: bytes, plaintext: bytes) -> bytes:
        """Ciphertext of a plaintext whose length was checked.

        Raises:
            MalformedError: the public key can't be used.
        """

    def decrypt(self, private_key: Any, algorithm: EncryptionAlgorithm, ciphertext: bytes) -> bytes:
        """Plaintext of a ciphertext.

        Raises:
            DecryptionError: it can't be decrypted; one error for every reason.
        """
