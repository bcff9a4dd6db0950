"""signkit: versioned keys, certification requests, certificates, detached CMS signatures, and verification.

The names below are the public API; nothing else is. Each is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from signkit.version import VERSION

if TYPE_CHECKING:
    from signkit.api import Signkit as Signkit
    from signkit.api import assess as assess
    from signkit.api import report as report
    from signkit.api import validate_path as validate_path
    from signkit.api import verify as verify
    from signkit.errors import AccessDeniedError as AccessDeniedError
    from signkit.errors import BindingError as BindingError
    from signkit.errors import CertificateUnusableError as CertificateUnusableError
    from signkit.errors import ConfigurationError as ConfigurationError
    from signkit.errors import ConflictError as ConflictError
    from signkit.errors import FileError as FileError
    from signkit.errors import MalformedError as MalformedError
    from signkit.errors import NotFoundError as NotFoundError
    from signkit.errors import OutputExistsError as OutputExistsError
    from signkit.errors import ProofOfPossessionError as ProofOfPossessionError
    from signkit.errors import ProviderError as ProviderError
    from signkit.errors import RefusedError as RefusedError
    from signkit.errors import RootKeyError as RootKeyError
    from signkit.errors import SignkitError as SignkitError
    from signkit.errors import StateError as StateError
    from signkit.errors import StoreError as StoreError
    from signkit.errors import UnavailableError as UnavailableError
    from signkit.errors import UsageError as UsageError
    from signkit.errors import VerificationError as VerificationError
    from signkit.errors import VersionRequiredError as VersionRequiredError
    from signkit.evidence import Check as Check
    from signkit.evidence import Verdict as Verdict
    from signkit.verification.policy import Identity as Identity
    from signkit.verification.policy import Policy as Policy
    from signkit.verification.result import ArtifactResult as ArtifactResult
    from signkit.verification.result import SignerResult as SignerResult
    from signkit.verification.result import VerificationResult as VerificationResult
    from signkit.x509.policies import InitialPolicies as InitialPolicies
    from signkit.x509.profiles import Profile as Profile
    from signkit.x509.validation import PathResult as PathResult

__version__ = VERSION

_HOMES = {
    "signkit.api": ("Signkit", "assess", "report", "validate_path", "verify"),
    "signkit.errors": (
        "AccessDeniedError",
        "BindingError",
        "CertificateUnusableError",
        "ConfigurationError",
        "ConflictError",
        "FileError",
        "MalformedError",
        "NotFoundError",
        "OutputExistsError",
        "ProofOfPossessionError",
        "ProviderError",
        "RefusedError",
        "RootKeyError",
        "SignkitError",
        "StateError",
        "StoreError",
        "UnavailableError",
        "UsageError",
        "VerificationError",
        "VersionRequiredError",
    ),
    "signkit.evidence": ("Check", "Verdict"),
    "signkit.verification.policy": ("Identity", "Policy"),
    "signkit.verification.result": ("ArtifactResult", "SignerResult", "VerificationResult"),
    "signkit.x509.policies": ("InitialPolicies",),
    "signkit.x509.profiles": ("Profile",),
    "signkit.x509.validation": ("PathResult",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'signkit' has no attribute '{name}'")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
