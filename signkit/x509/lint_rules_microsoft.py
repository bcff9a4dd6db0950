"""What Microsoft's Trusted Root Program says of code signing. Chains against it are issued and work: warnings."""

from __future__ import annotations

from signkit.der import oids
from signkit.x509 import extensions
from signkit.x509.lint import EVERYTHING, LEAVES, REQUEST, SIGNER, Examined, Rule, Severity

WARNING = Severity.WARNING
_LARGEST = 4096
_ACCEPTED = ("RSA",)


def _elliptic(one: Examined) -> str:
    return "" if one.key_type.startswith(_ACCEPTED) else one.key_type


def _too_large(one: Examined) -> str:
    size = one.key_type.partition("_")[2]
    large = one.key_type.startswith("RSA") and size.isdecimal() and int(size) > _LARGEST
    return f"RSA of {size} bits" if large else ""


def _retired_policy(one: Examined) -> str:
    found = one.read(oids.CERTIFICATE_POLICIES, extensions.policies) or ()
    return "the EV policy" if oids.CABF_EV_CODE_SIGNING in found else ""


_REQUEST_AND_LEAF = LEAVES | {REQUEST}
_SOURCE = "Microsoft Trusted Root Program"

# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("microsoft.key", WARNING, _REQUEST_AND_LEAF, _elliptic,
         "RSA; the program calls ECDSA not supported", f"{_SOURCE} 3.B"),
    Rule("microsoft.key-size", WARNING, EVERYTHING, _too_large, "RSA of at most 4096 bits", f"{_SOURCE} 3.C"),
    Rule("microsoft.ev-policy", WARNING, frozenset({SIGNER}), _retired_policy,
         "nothing from it: Windows treats EV code signing as any other since 2024", f"{_SOURCE} 3.D"),
)
# fmt: on
