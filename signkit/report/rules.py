"""What each check is about, in one sentence a person understands: help text of the reports."""

from __future__ import annotations

import re
from typing import NamedTuple

from signkit.verification.result import hint_for_name


class Rule(NamedTuple):
    """The explanation of a check.

    Attributes:
        name: name of the check.
        title: a few words.
        explanation: what is looked at and why it matters.
        hint: what to do when it does not pass.
    """

    name: str
    title: str
    explanation: str
    hint: str


_RULES: tuple[tuple[str, str, str], ...] = (
    ("artifact.readable", "artifact can be read", "A file that can't be read can't be judged."),
    ("artifact.digest", "artifact is what was signed", "The digest in the signature must be the artifact's own."),
    ("artifact.embedded-content", "content inside is the artifact", "A signature may carry a copy of what it signs."),
    ("signature.present", "there is a signature", "An unsigned artifact says nothing of where it comes from."),
    ("signature.format", "signature can be parsed", "The signature must be a well-formed CMS SignedData."),
    ("signature.algorithm", "algorithm is accepted", "Weak, unknown or unwanted algorithms prove nothing."),
    ("signature.value", "signature value is right", "The value must verify with the public key of the certificate."),
    ("signed-attributes.*", "signed attributes are right", "What is signed beside the artifact must be consistent."),
    ("path.built", "path to a trust anchor", "The signer's certificate must lead to an authority that is trusted."),
    ("path.trust-anchor", "trust anchor", "Where the path ends: the authority that was given as trusted."),
    ("path.leaf.extended-key-usage", "issued for code signing", "The certificate must be meant for this purpose."),
    ("path.N.signature", "certificate is signed by its issuer", "Each certificate must be signed by the next one."),
    ("path.N.validity", "certificate is valid at that time", "A certificate counts between its two dates only."),
    ("path.N.basic-constraints", "only authorities issue", "Whoever issues must be a CA, as deep as it may go."),
    ("path.N.key-usage", "key may be used so", "The certificate says what its key may do."),
    ("path.N.extended-key-usage", "authority may issue for this", "An authority can be limited to purposes."),
    ("path.N.name-constraints", "names are within constraints", "An authority can be limited to names."),
    ("path.N.policies", "certificate policies", "Policies that are demanded must be asserted along the path."),
    ("path.N.key-strength", "key is strong enough", "A key that can be broken proves nothing."),
    ("path.N.unknown-critical-extensions", "extensions are understood", "What is critical and unknown must refuse."),
    ("path.*", "certification path", "RFC 5280 section 6 says what makes a certification path valid."),
    ("revocation.*", "not revoked", "The issuer may have taken the certificate back."),
    ("identity", "signer is who was asked for", "Many can sign under an authority: name the one you expect."),
    ("threshold", "enough signers", "The policy says how many distinct keys must have signed."),
    ("time.established", "time of signing", "A timestamp token proves when; without one it is judged as of now."),
    ("timestamp.*", "timestamp is right", "A token counts when it is well made, for this signature, and trusted."),
    ("policy.*", "verification policy", "The first policy whose patterns match the artifact judges it."),
)
"""Name (``N`` = a number, ``*`` = anything), title, explanation; the first match counts."""


def rule(name: str) -> Rule:
    """The rule of a check; one of a check that is not listed explains itself by its name."""
    for pattern, title, explanation in _RULES:
        if re.fullmatch(re.escape(pattern).replace("N", r"\d+").replace(r"\*", ".*"), name):
            return Rule(name, title, explanation, hint_for_name(name))
    return Rule(name, name, f"The check {name} of signkit.", hint_for_name(name))
