"""Chains with known oddities, made by chance from a seed, for comparing validators with each other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from signkit.der import oids, writer
from tests.support import extensions as made
from tests.support import pki

ODDITIES = (
    "leaf expired",
    "leaf not yet valid",
    "issuing expired",
    "root expired",
    "issuing no CA",
    "issuing no keyCertSign",
    "path length exceeded",
    "path length kept",
    "leaf unknown critical",
    "issuing unknown critical",
    "issuing unknown",
    "leaf signature wrong",
    "issuing signature wrong",
    "issuer of another name",
    "issuer in other letters",
    "AKI of another key",
    "decoys",
    "duplicates",
    "rollover",
    "DNS inside",
    "DNS outside",
    "DNS excluded",
    "DN inside",
    "DN outside",
    "e-mail inside",
    "e-mail outside",
    "e-mail in subject outside",
    "IP inside",
    "IP outside",
    "issuing other purpose",
    "issuing any purpose",
    "leaf other purpose",
    "leaf without purpose",
    "leaf is CA",
    "leaf keyCertSign",
    "explicit policy missing",
    "explicit policy there",
    "leaf SHA-1",
    "leaf explicit FALSE",
    "serial number long",
)
_NAMES = {
    "DNS": (made.dns("example.com"), made.dns("www.example.com"), made.dns("www.example.org")),
    "e-mail": (made.email("example.com"), made.email("a@example.com"), made.email("a@example.org")),
    "IP": (made.ip(bytes([10, 0, 0, 0, 255, 0, 0, 0])), made.ip(bytes([10, 1, 2, 3])), made.ip(bytes([11, 1, 2, 3]))),
}


class OddChain(NamedTuple):
    """A chain and what is odd about it; ``bag`` is in no order."""

    odd: frozenset[str]
    leaf: bytes
    bag: tuple[bytes, ...]
    root: bytes


def odd_chains(seed: int, count: int, *, among: tuple[str, ...] = ODDITIES) -> Iterator[OddChain]:
    """That many chains with none, one or two oddities; every one occurs alone before any are combined."""
    chance = random.Random(seed)
    for number in range(count):
        if number <= len(among):
            odd = frozenset(among[number : number + 1])
        else:
            odd = frozenset(chance.sample(among, chance.choice((1, 2, 2))))
        yield make(odd, chance)


def make(odd: frozenset[str], chance: random.Random) -> OddChain:
    """Leaf, issuing CA, a CA above it, and root."""
    root_fields: dict[str, Any] = {"path_length": 0} if "path length exceeded" in odd else {}
    root_fields |= {"path_length": 2} if "path length kept" in odd else {}
    if "root expired" in odd:
        root_fields["not_after"] = pki.NOT_BEFORE
    root = pki.ca(pki.ROOT, pki.key(1), **root_fields)
    name = "CN=TEST issuing  ca,O=signkit TESTS" if "issuer in other letters" in odd else pki.ISSUING
    name = "CN=Another" if "issuer of another name" in odd else name
    issuing = _issuing(odd, name)
    sub = pki.ca("CN=Sub CA,O=signkit tests", pki.key(12), pki.ISSUING, pki.key(2), extra=_policies(odd))
    bag, key = [issuing, sub], pki.key(12)
    if "rollover" in odd:
        key = pki.key(13)
        bag.append(
            pki.ca("CN=Sub CA,O=signkit tests", key, "CN=Sub CA,O=signkit tests", pki.key(12), extra=_policies(odd))
        )
    if "decoys" in odd:
        bag += [pki.ca("CN=Sub CA,O=signkit tests", pki.key(60 + n), pki.ISSUING, pki.key(2)) for n in range(3)]
        bag += [pki.ca(pki.ISSUING, pki.key(70), pki.ROOT, pki.key(71)), pki.ca(pki.ROOT, pki.key(72))]
    if "duplicates" in odd:
        bag += bag
    chance.shuffle(bag)
    return OddChain(odd, _leaf(odd, key), tuple(bag), root)


def _policies(odd: frozenset[str]) -> list[bytes]:
    return [made.policies("1.2.3")] if "explicit policy there" in odd else []


def _flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def _issuing(odd: frozenset[str], name: str) -> bytes:
    extra = []
    fields: dict[str, Any] = {"not_after": pki.NOT_BEFORE} if "issuing expired" in odd else {}
    if "issuing signature wrong" in odd:
        fields["signature"] = _flipped
    for kind, (base, _inside, _outside) in _NAMES.items():
        if {f"{kind} inside", f"{kind} outside", f"{kind} in subject outside"} & odd:
            extra.append(base)
    if {"DN inside", "DN outside"} & odd:
        extra.append(made.directory("O=Acme" if "DN inside" in odd else "O=Other"))
        extra.append(made.directory("O=signkit tests"))
    excluded = [made.dns("www.example.com")] if "DNS excluded" in odd else []
    extensions = [made.constraints(extra, excluded)] if extra or excluded else []
    unknown = [one for one in ("issuing unknown", "issuing unknown critical") if one in odd]
    if unknown:
        extensions.append(pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL, "issuing unknown critical" in odd))
    if "issuing other purpose" in odd:
        extensions.append(pki.extended_key_usage(oids.EMAIL_PROTECTION))
    elif "issuing any purpose" in odd:
        extensions.append(pki.extended_key_usage(oids.ANY_EXTENDED_KEY_USAGE))
    if {"explicit policy missing", "explicit policy there"} & odd:
        extensions.append(made.policy_constraints(0))
    extensions += _policies(odd)
    if "issuing no CA" in odd:
        usage = pki.key_usage("digitalSignature" if "issuing no keyCertSign" in odd else "keyCertSign")
        return pki.certificate(name, pki.key(2), pki.ROOT, pki.key(1), [usage, *extensions], **fields)
    usages = ("cRLSign",) if "issuing no keyCertSign" in odd else ("keyCertSign", "cRLSign")
    return pki.ca(name, pki.key(2), pki.ROOT, pki.key(1), usages=usages, extra=extensions, **fields)


def _leaf_fields(odd: frozenset[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"not_after": pki.NOT_BEFORE} if "leaf expired" in odd else {}
    if "leaf not yet valid" in odd:
        fields["not_before"] = pki.NOT_AFTER
    if "leaf signature wrong" in odd:
        fields["signature"] = _flipped
    if "leaf SHA-1" in odd:
        fields["algorithm"] = "ecdsa-sha1"
    if "serial number long" in odd:
        fields["serial"] = 1 << 160
    return fields


def _leaf(odd: frozenset[str], issuer_key: pki.Key) -> bytes:
    fields = _leaf_fields(odd)
    names = [made.dns("www.example.com")] if "DNS excluded" in odd else []
    for kind, (_base, inside, outside) in _NAMES.items():
        names += [inside] if f"{kind} inside" in odd else []
        names += [outside] if f"{kind} outside" in odd else []
    extra = [made.alternative_names(*names)] if names else []
    if "leaf unknown critical" in odd:
        extra.append(pki.extension(pki.UNKNOWN_EXTENSION, writer.NULL, True))
    if "leaf is CA" in odd:
        extra.append(pki.basic_constraints())
    elif "leaf explicit FALSE" in odd:
        extra.append(pki.extension(oids.BASIC_CONSTRAINTS, writer.sequence(pki.boolean(False)), True))
    purposes = None if "leaf without purpose" in odd else (oids.CODE_SIGNING,)
    purposes = (oids.SERVER_AUTH,) if "leaf other purpose" in odd else purposes
    usages = ("digitalSignature", "keyCertSign") if "leaf keyCertSign" in odd else ("digitalSignature",)
    subject = "CN=Signer+emailAddress=a@example.org,O=Acme" if "e-mail in subject outside" in odd else pki.SIGNER
    extra += _policies(odd)
    if "AKI of another key" in odd:
        extra.append(pki.authority_key_identifier(bytes(20)))
        fields["identified"] = False
    return pki.leaf(
        subject, pki.key(3), "CN=Sub CA,O=signkit tests", issuer_key, usages=usages, purposes=purposes, extra=extra,
        **fields,
    )  # fmt: skip
