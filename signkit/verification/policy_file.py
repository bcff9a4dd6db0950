"""Policy files: TOML to policies, validated whole. Text in, values out; reading files is the operation's.

Every fault of a file is reported at once. A file with a fault is a configuration error and never leads to a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from signkit.verification import checks, patterns
from signkit.verification import policy_fields as fields
from signkit.verification.policy import Identity, Policy

if TYPE_CHECKING:
    from signkit.verification.policy_tests import PolicyTest

VERSION = 1
_TOP_LEVEL = ("version", "policy", "test")


class FilePolicy(NamedTuple):
    """One ``[[policy]]``: the judgement, what it is for, and what is trusted by it.

    Attributes:
        policy: the judgement.
        artifacts: patterns of the artifacts it is for (``patterns.matches_path``).
        trust_anchors: paths as the file has them, relative to its folder, or ``policy_fields.SYSTEM``.
        tsa_trust_anchors: paths of the trust anchors of timestamp authorities, likewise.
    """

    policy: Policy
    artifacts: tuple[str, ...]
    trust_anchors: tuple[str, ...]
    tsa_trust_anchors: tuple[str, ...] = ()


class PolicyFile(NamedTuple):
    """A valid policy file.

    Attributes:
        name: the file, as it was named.
        policies: in their order; for an artifact the first that fits counts.
        warnings: what is allowed and may not be meant.
        tests: its own test cases.
    """

    name: str
    policies: tuple[FilePolicy, ...]
    warnings: tuple[str, ...] = ()
    tests: tuple[PolicyTest, ...] = ()

    def policy_for(self, artifact: str) -> FilePolicy | None:
        """The first policy that is for an artifact, named by its path; None when there is none."""
        path = patterns.simple(artifact)
        for one in self.policies:
            if any(patterns.matches_path(pattern, path) for pattern in one.artifacts):
                return one
        return None

    def narrowed(self, identity: Identity, require_identity: bool = False) -> PolicyFile:
        """The same policies, with an identity that the signer must have beside what they say."""

        def narrow(one: FilePolicy) -> FilePolicy:
            return one._replace(policy=one.policy._replace(identity=identity, require_identity=require_identity))

        return self._replace(policies=tuple(map(narrow, self.policies)))

    def uncovered(self, artifact: str) -> str:
        """Why no policy is for an artifact, in words."""
        known = "; ".join(f"'{one.policy.name}' is for {', '.join(one.artifacts)}" for one in self.policies)
        return f"no policy of {self.name} is for {patterns.simple(artifact)}: {known}"


def parse(text: str, name: str) -> PolicyFile:
    """Read the text of a policy file.

    Args:
        text: TOML.
        name: the file's name, for messages.

    Raises:
        ConfigurationError: not TOML, or there are faults: all of them are in the message.
    """
    document = fields.load(text, name)
    faults = fields.Faults(name)
    _top_level(document, faults)
    tables = document.get("policy")
    policies = []
    if not isinstance(tables, list) or not tables:
        faults.add("", "policy", f"found {fields.shown(tables)}, expected at least one table [[policy]]")
    else:
        policies = [_policy(table, number, faults) for number, table in enumerate(tables, start=1)]
    known = [one for one in policies if one is not None]
    _duplicates(known, faults)
    _overlaps(known, faults)
    from signkit.verification.policy_tests import read_tests  # which only a file with test cases pays

    tests = read_tests(document.get("test", []), faults)
    faults.raise_if_any("'signkit policy check' names every fault; docs/policy.md explains the keys")
    return PolicyFile(name, tuple(known), tuple(_warnings(known)), tests)


def _top_level(document: dict[str, Any], faults: fields.Faults) -> None:
    version = document.get("version")
    if version is None or isinstance(version, bool) or version != VERSION:
        found = "missing" if version is None else f"{fields.shown(version)}"
        faults.add("", "version", f"found {found}, expected {VERSION}")
    for key in document:
        if key not in _TOP_LEVEL:
            faults.add("", key, f"unknown key, expected one of {', '.join(_TOP_LEVEL)}")


def _policy(table: Any, number: int, faults: fields.Faults) -> FilePolicy | None:
    """One table; None when it has a fault of its own."""
    before = len(faults.found)
    if not isinstance(table, dict):
        faults.add(str(number), "", f"found {fields.shown(table)}, expected a table [[policy]]")
        return None
    where = table["name"] if isinstance(table.get("name"), str) and table["name"] else str(number)
    values = fields.read(table, fields.POLICY, where, faults)
    for key in ("name", "artifacts", "trust-anchors"):
        if key not in table:
            faults.add(where, key, "missing, expected a value")
    if len(faults.found) > before:
        return None
    one = FilePolicy(
        Policy(
            name=values["name"],
            threshold=values.get("threshold", 1),
            signers=values.get("signers", ()),
            algorithms=values.get("algorithms", ()),
            profile=values.get("profile", Policy().profile),
            timestamp=values.get("timestamp", Policy().timestamp),
            revocation=values.get("revocation", Policy().revocation),
            actions=values.get("actions", ()),
        ),
        values["artifacts"],
        values["trust-anchors"],
        values.get("tsa-trust-anchors", ()),
    )
    _contradictions(one, faults)
    return one


def _contradictions(one: FilePolicy, faults: fields.Faults) -> None:
    """Fields that are right each and can't be meant together."""
    policy, where = one.policy, one.policy.name
    pinned = [signer.public_key_sha256 or signer.certificate_sha256 for signer in policy.signers]
    if pinned and all(pinned) and policy.threshold > len(set(pinned)):
        expected = f"at most {len(set(pinned))}, the number of distinct keys among its signers"
        faults.add(where, "threshold", f"found {policy.threshold}, expected {expected}")
    if policy.timestamp == "ignored" and one.tsa_trust_anchors:
        faults.add(where, "tsa-trust-anchors", "found some, expected none, since timestamp is 'ignored'")
    for pattern, action in policy.actions:
        spoken_of = checks.matching(pattern)
        if policy.timestamp == "required" and action == checks.WARN:
            _contradicts(
                spoken_of, ("timestamp.present", "time.established"), pattern, "timestamp is 'required'", where, faults
            )
        if policy.revocation == "require" and action == checks.WARN:
            _contradicts(spoken_of, ("revocation.0",), pattern, "revocation is 'require'", where, faults)
        if policy.revocation == "ignore" and all(name.startswith("revocation.") for name in spoken_of):
            faults.add(where, f"actions.'{pattern}'", "no such check is made, since revocation is 'ignore'")
        if policy.timestamp == "ignored" and all(name.startswith("timestamp.") for name in spoken_of):
            faults.add(where, f"actions.'{pattern}'", "no such check counts, since timestamp is 'ignored'")


def _contradicts(
    spoken_of: Sequence[str], required: Sequence[str], pattern: str, because: str, where: str, faults: fields.Faults
) -> None:
    for name in required:
        if name in spoken_of:
            faults.add(where, f"actions.'{pattern}'", f"found 'warn' for {name}, expected 'enforce', since {because}")


def _duplicates(policies: Sequence[FilePolicy], faults: fields.Faults) -> None:
    seen: set[str] = set()
    for one in policies:
        if one.policy.name in seen:
            faults.add(one.policy.name, "name", "found it twice, expected a name of its own for each policy")
        seen.add(one.policy.name)


def _overlaps(policies: Sequence[FilePolicy], faults: fields.Faults) -> None:
    """Patterns that are never looked at, because an earlier policy takes all that fits them."""
    for number, later in enumerate(policies):
        for pattern in later.artifacts:
            for earlier in policies[:number]:
                wider = next((one for one in earlier.artifacts if patterns.covers(one, pattern)), None)
                if wider is not None:
                    found = (
                        f"'{pattern}' is never reached: '{wider}' of policy '{earlier.policy.name}' stands before it"
                    )
                    faults.add(later.policy.name, "artifacts", f"{found}, expected the narrower one first")
                    break


def _warnings(policies: Sequence[FilePolicy]) -> list[str]:
    out = []
    for one in policies:
        if not one.policy.signers:
            out.append(f"policy '{one.policy.name}' names no signers: any signer under its trust anchors is accepted")
        if fields.SYSTEM in one.trust_anchors:
            out.append(f"policy '{one.policy.name}' trusts the system's anchors, which are meant for TLS servers")
        if "identity" in (pattern for pattern, action in one.policy.actions if action == checks.WARN):
            out.append(f"policy '{one.policy.name}' only warns about other signers than those it names")
    return out
