"""Every exception that signkit raises, one class per decision a caller can take.

::

    SignkitError                     1   defect in signkit
     +- UsageError                   2   the call itself is wrong
     |   +- VersionRequiredError         a key was named without its version
     +- UnavailableError             3   could not be done or decided
     |   +- FileError                    a file is missing, unreadable, a directory, or the disk is full
     |   +- NotFoundError                no such key, version, alias or certificate
     |   +- StoreError                   the store is missing, locked or damaged
     |   +- RootKeyError                 the root key is missing, not private, or another store's
     |   +- ProviderError                a provider could not create a key or sign
     +- RefusedError                 4   possible, but not allowed
     |   +- StateError                   the state of the key or version forbids it
     |   +- AccessDeniedError            no permission document allows it
     |   +- ConflictError                the name is taken
     |   +- OutputExistsError            a file would be overwritten
     |   +- BindingError                 a certificate belongs to another key
     |   +- CertificateUnusableError     the certificate can't serve this signature (expired, wrong purpose)
     |   +- DecryptionError              a ciphertext can't be decrypted
     |   +- ConfigurationError           configuration or policy is invalid
     +- MalformedError              11   a signature, certificate or request can't be parsed
     +- SignatureValueError         13   a bare signature value is not right
     +- ProofOfPossessionError      13   a certification request is not signed by the key it carries
     +- VerificationError        10-19   an artifact was refused; carries the whole result

The number is the exit status of the command line (see ``docs/exit-codes.md``). A message states what was found and
what was expected; ``hint`` says what to do, and only the command line prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from signkit.verification.result import VerificationResult


class SignkitError(Exception):
    """Base of all exceptions of signkit.

    Attributes:
        code: stable word for programs (key-service failures use Alibaba Cloud KMS's codes).
        hint: what the user can do about it, or an empty string.
        exit_status: exit status of the command line for this error.
    """

    exit_status: int = 1
    default_code: ClassVar[str] = "InternalFailure"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code


class UsageError(SignkitError):
    """The call is wrong: a missing argument, an unknown option value, a malformed reference."""

    exit_status = 2
    default_code = "InvalidParameter"


class VersionRequiredError(UsageError):
    """A key was named without a version, and no version is primary."""

    default_code = "MissingParameter"


class UnavailableError(SignkitError):
    """The operation could not be done or decided here and now."""

    exit_status = 3
    default_code = "ServiceUnavailable"


class FileError(UnavailableError):
    """A file could not be read or written.

    Attributes:
        path: the file in question.
    """

    default_code = "FileUnavailable"

    def __init__(self, message: str, *, path: str = "", hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint, code=code)
        self.path = path


class NotFoundError(UnavailableError):
    """No such key, key version, alias or certificate in the store."""

    default_code = "Forbidden.KeyNotFound"


class StoreError(UnavailableError):
    """The store is missing, locked, damaged, or of a format this release does not know."""

    default_code = "StoreUnavailable"


class RootKeyError(UnavailableError):
    """The root key could not be had, is not private, or is not this store's."""

    default_code = "RootKeyUnavailable"


class ProviderError(UnavailableError):
    """A provider could not create a key or make a signature."""

    default_code = "ProviderUnavailable"


class RefusedError(SignkitError):
    """The operation is possible but not allowed."""

    exit_status = 4
    default_code = "Rejected.UnsupportedOperation"


class StateError(RefusedError):
    """The state of a key or key version forbids the operation."""

    default_code = "Rejected.Disabled"


class AccessDeniedError(RefusedError):
    """No permission document of the principal allows the operation, or one denies it."""

    default_code = "Forbidden.NoPermission"


class ConflictError(RefusedError):
    """The name is already taken."""

    default_code = "AliasAlreadyExists"


class OutputExistsError(RefusedError):
    """A file would be overwritten.

    Attributes:
        path: the file that exists.
    """

    default_code = "OutputExists"

    def __init__(self, message: str, *, path: str = "", hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint, code=code)
        self.path = path


class BindingError(RefusedError):
    """A certificate does not belong to the key version it was offered for."""

    default_code = "CertificateOfAnotherKey"


class CertificateUnusableError(RefusedError):
    """The certificate of a key version can't serve the signature that was asked for."""

    default_code = "CertificateUnusable"


class DecryptionError(RefusedError):
    """A ciphertext can't be decrypted. One error for every reason, so that refusals tell nothing."""

    default_code = "InvalidParameter"


class ConfigurationError(RefusedError):
    """The configuration or a verification policy is invalid."""

    default_code = "InvalidConfiguration"


class MalformedError(SignkitError):
    """A signature, certificate, certification request or other structure can't be parsed."""

    exit_status = 11
    default_code = "Malformed"


class SignatureValueError(SignkitError):
    """A bare signature value is not right for this message, key and algorithm."""

    exit_status = 13
    default_code = "SignatureInvalid"


class ProofOfPossessionError(SignkitError):
    """A certification request is not signed by the key it carries (RFC 2986 section 3)."""

    exit_status = 13
    default_code = "ProofOfPossessionFailed"


class VerificationError(SignkitError):
    """At least one artifact was refused.

    Attributes:
        result: the whole result, with every check that was made.
    """

    default_code = "VerificationFailed"

    def __init__(self, message: str, *, result: VerificationResult, hint: str = "", exit_status: int = 0) -> None:
        """Take the result.

        Args:
            message: what was found and what was expected.
            result: the whole result.
            hint: what the user can do about it.
            exit_status: of the refusal, where it is not for what the result says; 0 = the result's.
        """
        super().__init__(message, hint=hint)
        self.result = result
        self.exit_status = exit_status or result.exit_status
