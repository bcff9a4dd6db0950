"""Path validation (RFC 5280 section 6.1): every check of every certificate of a path, by name, with facts.

Certificate policies, name constraints and revocation are not processed yet. A path that has a critical policy extension
fails ``path.N.unknown-critical-extensions``; one that has name constraints, critical or not, is left undecided by
``path.N.name-constraints`` and so refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from signkit import algorithms
from signkit.der import oids
from signkit.evidence import Check, Verdict, failed, indeterminate, passed
from signkit.x509.certificate import Certificate
from signkit.x509.path import MAXIMUM_DEPTH, MAXIMUM_NOTE, MAXIMUM_NOTES, Bag, Builder

PROCESSED_EXTENSIONS = frozenset(
    {
        oids.KEY_USAGE,
        oids.SUBJECT_ALT_NAME,
        oids.BASIC_CONSTRAINTS,
        oids.EXTENDED_KEY_USAGE,
        oids.NAME_CONSTRAINTS,
        oids.CRL_DISTRIBUTION_POINTS,
    }
)
"""Extensions that may be critical because their meaning is known and honoured here."""

MAXIMUM_PATHS = 64


class PathResult(NamedTuple):
    """What validating a certification path came to.

    Attributes:
        path: the path that was judged, leaf first, anchor last; only the leaf when none was built.
        checks: ``path.*`` checks of that path.
        tried: one line for each other path or branch, with the reason it was not taken.
    """

    path: tuple[Certificate, ...]
    checks: tuple[Check, ...]
    tried: tuple[str, ...]

    def __bool__(self) -> bool:
        return all(check.verdict is Verdict.PASS for check in self.checks)


def validate(
    leaf: Certificate,
    *,
    trust_anchors: Sequence[bytes],
    intermediates: Iterable[bytes] = (),
    at: datetime,
    purpose: str | None = oids.CODE_SIGNING,
    max_depth: int = MAXIMUM_DEPTH,
) -> PathResult:
    """Build and validate a certification path.

    Args:
        leaf: the certificate in question.
        trust_anchors: DER certificates that are trusted; trust is never implied.
        intermediates: DER certificates that may help, in any order, with anything among them.
        at: the moment to judge validity at, aware UTC.
        purpose: OBJECT IDENTIFIER the leaf must be certified for, None = any.
        max_depth: most certificates above the leaf.

    Returns:
        The first path without a fault; else, of the paths that were built, the one with the least serious fault.

    Raises:
        MalformedError: a trust anchor can't be parsed.
    """
    return validate_in(leaf, Bag(trust_anchors, intermediates), at=at, purpose=purpose, max_depth=max_depth)


def validate_in(
    leaf: Certificate,
    bag: Bag,
    *,
    at: datetime,
    purpose: str | None = oids.CODE_SIGNING,
    max_depth: int = MAXIMUM_DEPTH,
) -> PathResult:
    """As ``validate``, with a bag that several leaves share, and with it one budget of signature checks."""
    builder = Builder(bag, at, max_depth=max_depth)
    best: PathResult | None = None
    tried: list[str] = []
    for count, path in enumerate(builder.paths(leaf)):
        checks = (_built(path), _anchored(path), *_validate(path, at, purpose))
        result = PathResult(path, checks, ())
        if result:
            return result._replace(tried=(*tried, *builder.notes))
        if len(tried) < MAXIMUM_NOTES:
            tried.append(_summary(result)[:MAXIMUM_NOTE])
        if best is None or _seriousness(result) < _seriousness(best):
            best = result
        if count + 1 >= MAXIMUM_PATHS:
            tried.append(f"more than {MAXIMUM_PATHS} paths")
            break
    if best is not None:
        return best._replace(tried=(*tried, *builder.notes))
    own = [check for check in _validate((leaf,), at, purpose) if check.name != "path.0.basic-constraints"]
    return PathResult((leaf,), (_not_built(bag, builder), *own), tuple(builder.notes))


def leaf_faults(leaf: Certificate, purpose: str = oids.CODE_SIGNING) -> list[str]:
    """What keeps a certificate from being a signer's, apart from its dates and its path; empty when nothing does."""
    checks = [_key_strength(0, leaf), _critical_extensions(0, leaf), *_leaf(leaf, purpose)]
    return [check.detail for check in checks if not check.passed]


def _built(path: tuple[Certificate, ...]) -> Check:
    anchor = path[-1]
    subjects = [str(certificate.subject) for certificate in path]
    detail = f"{len(path)} certificates, from {subjects[0]} to the trust anchor {subjects[-1]}"
    if len(path) == 1:
        detail = f"{subjects[0]} is itself a trust anchor"
    return passed("path.built", detail, source="RFC 5280 6.1.3", path=subjects, trust_anchor_sha256=anchor.fingerprint)


def _anchored(path: tuple[Certificate, ...]) -> Check:
    anchor = path[-1]
    detail = f"{anchor.subject}, SHA-256 {anchor.fingerprint}"
    return passed("path.trust-anchor", detail, source="RFC 5280 6.1.1", found=anchor.fingerprint)


def _not_built(bag: Bag, builder: Builder) -> Check:
    source = "RFC 5280 6.1.3"
    if not bag.anchors:
        detail = "no trust anchor was given, and trust is never implied: expected at least one"
    elif builder.exhausted:
        detail = f"path building was given up: {builder.exhausted}"
    else:
        reasons = "; ".join(builder.notes[:3]) or "no certificate leads on"
        anchors = ", ".join(str(anchor.subject) for anchor in bag.anchors[:3])
        more = f" and {len(bag.anchors) - 3} more" if len(bag.anchors) > 3 else ""
        detail = f"no path to a trust anchor ({anchors}{more}): {reasons}"
    return failed("path.built", detail, source=source, trust_anchors=len(bag.anchors), unreadable=bag.unreadable)


def _validate(path: tuple[Certificate, ...], at: datetime, purpose: str | None) -> list[Check]:
    checks: list[Check] = []
    for position, certificate in enumerate(path):
        if position + 1 < len(path):
            detail = f"certificate {position} is signed by {path[position + 1].subject}"
            checks.append(passed(f"path.{position}.signature", detail, source="RFC 5280 6.1.3 (a)(1)"))
        checks.append(_validity(position, certificate, at))
        checks.append(_key_strength(position, certificate))
        checks.append(_critical_extensions(position, certificate))
        if position == 0:
            checks += _leaf(certificate, purpose)
        else:
            checks += _issuer(position, path, purpose)
    return checks


def _who(position: int, certificate: Certificate) -> str:
    return f"certificate {position} ({certificate.subject})"


def _validity(position: int, certificate: Certificate, at: datetime) -> Check:
    facts = {
        "not_before": _text(certificate.not_before),
        "not_after": _text(certificate.not_after),
        "at": _text(at),
    }
    name, source = f"path.{position}.validity", "RFC 5280 6.1.3 (a)(2)"
    span = f"valid from {facts['not_before']} to {facts['not_after']}"
    if at < certificate.not_before:
        detail = f"{_who(position, certificate)} is not yet valid at {facts['at']}: {span}"
        return failed(name, detail, source=source, **facts)
    if at > certificate.not_after:
        detail = f"{_who(position, certificate)} has expired at {facts['at']}: {span}"
        return failed(name, detail, source=source, **facts)
    return passed(name, span, source=source, **facts)


def _key_strength(position: int, certificate: Certificate) -> Check:
    name, source = f"path.{position}.key-strength", "CA/B CSBR 6.1.5"
    key_type = certificate.key_type
    if weakness := algorithms.weakness(key_type):
        return failed(name, f"{_who(position, certificate)}: {weakness}", source=source, found=key_type)
    if key_type.startswith("unknown"):
        detail = f"{_who(position, certificate)} has a key of {key_type} type, whose strength is not known"
        return failed(name, detail, source=source, found=key_type)
    return passed(name, key_type, source=source, found=key_type)


def _critical_extensions(position: int, certificate: Certificate) -> Check:
    name, source = f"path.{position}.unknown-critical-extensions", "RFC 5280 6.1.4 (o)"
    unknown = [
        oids.name(oid)
        for oid, extension in certificate.extensions.items()
        if extension.critical and oid not in PROCESSED_EXTENSIONS
    ]
    if unknown:
        detail = f"{_who(position, certificate)} has critical extensions that are not processed: {', '.join(unknown)}"
        return failed(name, detail, source=source, found=unknown)
    return passed(name, source=source)


def _leaf(certificate: Certificate, purpose: str | None) -> list[Check]:
    who = _who(0, certificate)
    checks = []
    if certificate.is_ca:
        detail = f"{who} is a CA certificate, expected an end-entity certificate"
        checks.append(failed("path.0.basic-constraints", detail, source="CA/B CSBR 7.1.2.3"))
    else:
        checks.append(passed("path.0.basic-constraints", "end-entity certificate", source="RFC 5280 4.2.1.9"))
    usages = certificate.key_usage
    found = "none" if usages is None else ", ".join(sorted(usages)) or "empty"
    facts = {"expected": "digitalSignature", "found": found}
    if usages is None or "digitalSignature" not in usages:
        detail = f"{who} has key usage {found}, expected digitalSignature"
        checks.append(failed("path.0.key-usage", detail, source="RFC 5280 4.2.1.3", **facts))
    elif "keyCertSign" in usages:
        detail = f"{who} has key usage {found}, and an end-entity certificate must not have keyCertSign"
        checks.append(failed("path.0.key-usage", detail, source="RFC 5280 4.2.1.9", **facts))
    else:
        checks.append(passed("path.0.key-usage", found, source="RFC 5280 4.2.1.3", **facts))
    if purpose is not None:
        checks.append(_purpose("path.leaf.extended-key-usage", who, certificate, purpose, any_allowed=False))
    return checks


def _issuer(position: int, path: tuple[Certificate, ...], purpose: str | None) -> list[Check]:
    certificate = path[position]
    who = _who(position, certificate)
    checks = [_issuer_constraints(position, path)]
    if certificate.key_usage is not None and "keyCertSign" not in certificate.key_usage:
        found = ", ".join(sorted(certificate.key_usage)) or "empty"
        detail = f"{who} has key usage {found}, expected keyCertSign"
        facts = {"expected": "keyCertSign", "found": found}
        checks.append(failed(f"path.{position}.key-usage", detail, source="RFC 5280 6.1.4 (n)", **facts))
    else:
        checks.append(passed(f"path.{position}.key-usage", source="RFC 5280 6.1.4 (n)"))
    if purpose is not None and certificate.extended_key_usage is not None:
        name = f"path.{position}.extended-key-usage"
        checks.append(_purpose(name, who, certificate, purpose, any_allowed=True))
    if oids.NAME_CONSTRAINTS in certificate.extensions:
        detail = f"{who} constrains names, and name constraints are not processed yet"
        checks.append(indeterminate(f"path.{position}.name-constraints", detail, source="RFC 5280 4.2.1.10"))
    return checks


def _issuer_constraints(position: int, path: tuple[Certificate, ...]) -> Check:
    certificate = path[position]
    name, who = f"path.{position}.basic-constraints", _who(position, certificate)
    anchor_v1 = certificate.version == 1 and position == len(path) - 1
    if not certificate.is_ca and not anchor_v1:
        detail = f"{who} issued a certificate and is not a CA: expected basicConstraints with CA TRUE"
        return failed(name, detail, source="RFC 5280 6.1.4 (k)")
    below = sum(not issued.self_issued for issued in path[1:position])
    limit = certificate.basic_constraints.path_length if certificate.basic_constraints else None
    if limit is not None and below > limit:
        detail = f"{who} allows {limit} CA certificates below it, found {below}"
        return failed(name, detail, source="RFC 5280 6.1.4 (m)", expected=limit, found=below)
    return passed(name, source="RFC 5280 6.1.4 (k)", path_length=limit)


def _purpose(name: str, who: str, certificate: Certificate, purpose: str, *, any_allowed: bool) -> Check:
    source = "RFC 5280 4.2.1.12"
    purposes = certificate.extended_key_usage
    found = "none" if purposes is None else ", ".join(map(oids.name, purposes))
    facts = {"expected": oids.name(purpose), "found": found}
    if purposes is not None and (purpose in purposes or (any_allowed and oids.ANY_EXTENDED_KEY_USAGE in purposes)):
        return passed(name, found, source=source, **facts)
    detail = f"{who} has extended key usage {found}, expected {oids.name(purpose)}"
    return failed(name, detail, source=source, **facts)


def _summary(result: PathResult) -> str:
    faults = "; ".join(check.detail or check.name for check in result.checks if not check.passed)
    return f"path {' < '.join(str(certificate.subject) for certificate in result.path)}: {faults}"


def _seriousness(result: PathResult) -> tuple[bool, int]:
    """Expiry alone is the least serious fault; then fewer faults before more."""
    faults = [check.name for check in result.checks if not check.passed]
    return any(not name.endswith(".validity") for name in faults), len(faults)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
