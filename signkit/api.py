"""The pipeline for Python programs: what the command line does, as a class and two functions.

>>> import signkit
>>> kit = signkit.Signkit.init("home")                              # doctest: +SKIP
>>> kit.create_key("EC_P256", alias="alias/release")                # doctest: +SKIP
>>> request = kit.create_request("alias/release@1", "CN=Acme")      # doctest: +SKIP
>>> kit.import_certificate("alias/release@1", "release-chain.pem")  # doctest: +SKIP
>>> kit.sign("app.bin", key="alias/release@1")                      # doctest: +SKIP
>>> signkit.verify("app.bin", trust=["root.pem"])                   # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.keys.reference import parse_key, parse_key_version
from signkit.operations.sign import SignOptions
from signkit.operations.validate import validate_path as validate_path
from signkit.verification.policy import ANYONE, Policy
from signkit.version import VERSION
from signkit.wiring import Wiring

if TYPE_CHECKING:
    from signkit.keys.model import Key, KeyVersion
    from signkit.operations.certificates import Imported
    from signkit.operations.requests import Created
    from signkit.operations.sign import Signed
    from signkit.verification.result import VerificationResult

Path = str | os.PathLike[str]


class Signkit:
    """A store and everything that can be done with it."""

    def __init__(self, home: Path | None = None, *, config: Path | None = None) -> None:
        """Name a store; it is opened when first used.

        Args:
            home: folder that holds the store; None = ``SIGNKIT_HOME``, else the platform's user data folder.
            config: ``signkit.toml``; None = ``SIGNKIT_CONFIG``, else the one in the current folder, if any.
        """
        self._wiring = Wiring(os.environ, home=_text(home), config=_text(config))

    def close(self) -> None:
        """Close the store; a ``with`` block does it too."""
        self._wiring.close()

    def __enter__(self) -> Signkit:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @classmethod
    def init(cls, home: Path | None = None, *, root_key: str | None = None, config: Path | None = None) -> Signkit:
        """Make a store.

        Args:
            home: folder that will hold it.
            root_key: ``file:PATH`` or ``prompt:``; None = a generated file in the configuration folder.
            config: as for the class.

        Raises:
            OutputExistsError: there is a store already.
            RootKeyError: the root key could not be made or is not acceptable.
            StoreError: the store could not be made.
        """
        kit = cls(home, config=config)
        kit._wiring.init(root_key)
        return kit

    def create_key(
        self, key_type: str, *, alias: str | None = None, description: str = "", provider: str = "software"
    ) -> tuple[Key, KeyVersion]:
        """Make a key with its version 1; see ``KeyService.create_key``.

        Args:
            key_type: for example ``EC_P256``.
            alias: ``alias/NAME``, or None.
            description: free text.
            provider: where its private keys shall live.

        Raises:
            UsageError: unknown key type or malformed alias.
            ConflictError: the alias exists.
        """
        return self._wiring.keys.create_key(key_type, alias=alias, description=description, provider=provider)

    def create_version(self, key: str) -> tuple[Key, KeyVersion]:
        """Make the next version of a key (id or alias).

        Raises:
            NotFoundError: no such key.
            RefusedError: the key has as many versions as are allowed.
        """
        return self._wiring.keys.create_version(parse_key(key))

    def keys(self) -> list[Key]:
        """All keys, oldest first."""
        return self._wiring.keys.directory.keys()

    def versions(self, key: str) -> list[KeyVersion]:
        """Versions of a key (id or alias) by number.

        Raises:
            NotFoundError: no such key.
        """
        return self._wiring.keys.directory.versions(parse_key(key))[1]

    def public_key(self, reference: str) -> bytes:
        """DER SubjectPublicKeyInfo of a version, ``KEY@V``.

        Raises:
            NotFoundError: no such key or version.
        """
        return self._wiring.keys.directory.public_key(parse_key_version(reference))

    def create_request(
        self, reference: str, subject: str, *, template: str = "code-signing", alternative_names: Sequence[str] = ()
    ) -> Created:
        """Make a certification request for ``KEY@V``; ``.pem`` of the answer is what an authority wants.

        Args:
            reference: ``KEY@V``.
            subject: distinguished name, ``CN=Acme Release,O=Acme,C=DE``.
            template: ``code-signing``, ``tsa`` or ``none``.
            alternative_names: ``TYPE:VALUE`` each, for example ``email:release@example.com``.

        Raises:
            UsageError: malformed subject or alternative name, or unknown template.
            NotFoundError: no such key or version.
            StateError: key or version is not enabled.
        """
        from signkit.operations import requests

        asked = requests.wanted(subject, template=template, alternative_names=alternative_names)
        return requests.make(self._wiring.keys, parse_key_version(reference), asked)

    def import_certificate(self, reference: str, *paths: Path, passphrase: str = "") -> Imported:
        """Bind the certificate that an authority issued for ``KEY@V``, found anywhere in the files.

        Raises:
            FileError: a file can't be read.
            MalformedError: a file holds no certificate.
            BindingError: no certificate in the files is for this key version.
        """
        return self._wiring.certificates.import_certificate(
            parse_key_version(reference), _texts(paths), passphrase=passphrase
        )

    def sign(
        self,
        *paths: Path,
        key: str | Sequence[str] | None = None,
        digest: str = "",
        out_dir: Path = "",
        overwrite: bool = False,
        padding: str = "",
        format: str = "cms",
        sm2_profile: str = "cms",
        sm2_id: bytes = DEFAULT_SIGNER_ID,
        add: bool = False,
        policy: Path | None = None,
    ) -> Signed:
        """Write a detached CMS signature, ``PATH.p7s``, for each file.

        Args:
            paths: the artifacts.
            key: ``KEY@V``, or several that sign together; None = those in the configuration.
            digest: ``sha256``, ``sha384`` or ``sha512``; empty = the key type's own.
            out_dir: folder for the signatures; empty = beside each artifact.
            overwrite: replace existing signatures.
            padding: ``pkcs1`` or ``pss`` for RSA keys; empty = ``pkcs1``.
            format: ``cms``, or ``raw`` for the bare signature value, ``PATH.sig``.
            sm2_profile: ``cms`` or ``gmt0010``.
            sm2_id: identifier of SM2 signers.
            add: put the signers into the signatures that exist already.
            policy: the policy file that every signature must satisfy before it is written; None = the configured one.

        Raises:
            UsageError: no artifact, no key, or an option that does not go with the keys.
            NotFoundError: no such key or version, or it has no certificate.
            CertificateUnusableError: the certificate has expired or is not for code signing.
            FileError: an artifact can't be read or a signature can't be written.
            OutputExistsError: a signature exists already.
            RefusedError: the policy would refuse the signature, or an existing one can't be added to.
        """
        wiring = self._wiring
        options = SignOptions(
            digest=digest,
            out_dir=os.fspath(out_dir),
            overwrite=overwrite,
            padding=padding,
            format=format,
            sm2_profile=sm2_profile,
            sm2_id=sm2_id,
            add=add,
            minimum_remaining_days=wiring.settings.minimum_remaining_days,
            policy=wiring.sign_policy if policy is None else os.fspath(policy),
        )
        named = [key] if isinstance(key, str) else list(key or ())
        return wiring.signing().sign(_texts(paths), wiring.sign_references(named), options)


def verify(
    *paths: Path,
    trust: Path | Sequence[Path] = (),
    intermediates: Path | Sequence[Path] = (),
    signature: Path | None = None,
    policy: Policy | Path = ANYONE,
    tsa_trust: Path | Sequence[Path] = (),
    crls: Path | Sequence[Path] = (),
    ocsp_responses: Path | Sequence[Path] = (),
    sm2_id: bytes = DEFAULT_SIGNER_ID,
    at: datetime | None = None,
) -> VerificationResult:
    """Judge chain and signature of each file together, and raise unless all are accepted.

    Args:
        paths: the artifacts; the signature of each is ``PATH.p7s``.
        trust: files with trust anchors, or ``system``. Trust is never implied.
        intermediates: files with further certificates.
        signature: the signature of the only artifact, when it is elsewhere.
        policy: whom to accept, or the path of a policy file, which brings its trust anchors along; the default accepts
            any signer under the trust anchors.
        tsa_trust: files with trust anchors of timestamp authorities.
        crls: files with CRLs.
        ocsp_responses: files with OCSP responses.
        sm2_id: identifier of SM2 signers.
        at: judge as if now were this moment (aware UTC).

    Returns:
        The result, with every check.

    Raises:
        VerificationError: at least one artifact was refused; its ``result`` tells why.
        UsageError: a policy file and trust anchors beside it.
        FileError: a file can't be read that says what to trust, or helps to judge.
        MalformedError: such a file holds something else.
        ConfigurationError: the policy file is invalid.
    """
    from signkit.operations.verify import raise_unless_accepted

    result = assess(
        *paths,
        trust=trust,
        intermediates=intermediates,
        signature=signature,
        policy=policy,
        tsa_trust=tsa_trust,
        crls=crls,
        ocsp_responses=ocsp_responses,
        sm2_id=sm2_id,
        at=at,
    )
    raise_unless_accepted(result)
    return result


def assess(
    *paths: Path,
    trust: Path | Sequence[Path] = (),
    intermediates: Path | Sequence[Path] = (),
    signature: Path | None = None,
    policy: Policy | Path = ANYONE,
    tsa_trust: Path | Sequence[Path] = (),
    crls: Path | Sequence[Path] = (),
    ocsp_responses: Path | Sequence[Path] = (),
    sm2_id: bytes = DEFAULT_SIGNER_ID,
    at: datetime | None = None,
) -> VerificationResult:
    """As ``verify``, but a refusal is a result too: its truth value is the verdict, so it must be looked at.

    Raises:
        UsageError: a policy file and trust anchors beside it.
        FileError: a file can't be read that says what to trust, or helps to judge.
        MalformedError: such a file holds something else.
        ConfigurationError: the policy file is invalid.
    """
    service = Wiring(os.environ).verifying()
    return service.verify(
        _texts(paths),
        trust=_texts(trust),
        intermediates=_texts(intermediates),
        signature=_text(signature),
        policy=policy if isinstance(policy, Policy) else service.load_policy(os.fspath(policy)),
        tsa_trust=_texts(tsa_trust),
        crls=_texts(crls),
        ocsp_responses=_texts(ocsp_responses),
        sm2_id=sm2_id,
        at=at,
    )


def report(result: VerificationResult) -> dict[str, Any]:
    """A verification as the document ``signkit.verification/v1`` (``docs/verification-report.schema.json``)."""
    from signkit.report import verification

    return verification.document(result, tool_version=VERSION)


def _text(path: Path | None) -> str | None:
    return None if path is None else os.fspath(path)


def _texts(paths: Path | Sequence[Path]) -> list[str]:
    """Paths as text; a single one is a list of one, not of its letters."""
    return [os.fspath(paths)] if isinstance(paths, str | os.PathLike) else [os.fspath(path) for path in paths]
