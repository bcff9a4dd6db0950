"""Permission documents after Alibaba Cloud RAM (version "1"): who may do what to which key.

A document is read strictly, since a mistyped denial that is passed over is a hole. The decision is: a statement that
denies outweighs everything; else each resource of the request needs a statement that allows it; else it is refused.
What can't be evaluated (a malformed time, number or address in the request) never allows, and denies where a denial
hangs on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from signkit.errors import ConfigurationError, UsageError
from signkit.keys import conditions, states, wildcard
from signkit.keys.conditions import Condition

MAXIMUM_BYTES = 32_768
MAXIMUM_SID = 128

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("CreateKey", "ListKeys"), "key"),
    "ListAliases": "alias",
    "ListCertificates": "certificate",
    **dict.fromkeys(("AttachPermission", "DetachPermission", "ListPermissions", "SimulatePermission"), "permission"),
    **dict.fromkeys(("CheckStore", "BackupStore", "RestoreStore", "RekeyStore"), "store"),
    **dict.fromkeys(("ExportRecovery", "ImportRecovery"), "store"),
    **dict.fromkeys(("ListAuditEntries", "VerifyAudit", "CreateCheckpoint"), "audit"),
}
"""Actions that are about no single key, and the kind of resource that each is about."""

ACTIONS = frozenset(states.KEY_STATES) | frozenset(KINDS) | {"ImportCertificate", "GetCertificate"}
"""Names of the actions that can be permitted, without their ``kms:``. Those of certificates are about the key that a
certificate is of; those of permissions, store and audit log are ours, the rest is Alibaba Cloud KMS's."""

_READS = ("kms:GetPublicKey", "kms:GetCertificate", "kms:DescribeKey", "kms:DescribeKeyVersion", "kms:ListKeyVersions")
_ROLES: Mapping[str, Mapping[str, Any]] = {
    "administrator": {"NotAction": ["kms:*Sign", "kms:*Decrypt"]},
    "signer": {"Action": ["kms:AsymmetricSign", "kms:CreateCheckpoint", *_READS]},
    "verifier": {"Action": ["kms:AsymmetricVerify", *_READS]},
    "decryptor": {"Action": ["kms:AsymmetricDecrypt", *_READS]},
    "auditor": {
        "Action": [
            *("kms:Describe*", "kms:List*", "kms:GetPublicKey", "kms:GetCertificate", "kms:GetKeyPolicy"),
            *("kms:VerifyAudit", "kms:SimulatePermission"),
        ]
    },
}
ROLES = tuple(_ROLES)
"""Names of the ready-made documents."""


class Statement(NamedTuple):
    """One statement of a document.

    Attributes:
        sid: its name, possibly empty.
        denies: whether it denies; else it allows.
        actions: patterns, in lower case.
        all_but_actions: it is about every action that no pattern matches (``NotAction``).
        resources: patterns.
        all_but_resources: it is about every resource that no pattern matches (``NotResource``).
        conditions: all of them must hold.
        principals: whom it is about, in a document that is attached to a key; empty in one attached to a principal.
    """

    sid: str
    denies: bool
    actions: tuple[str, ...]
    all_but_actions: bool
    resources: tuple[str, ...]
    all_but_resources: bool
    conditions: tuple[Condition, ...]
    principals: tuple[str, ...]


class Document(NamedTuple):
    """A permission document.

    Attributes:
        name: what it is called in decisions and messages.
        statements: its statements.
    """

    name: str
    statements: tuple[Statement, ...]


class Outcome(StrEnum):
    """How a decision came about."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


class Decision(NamedTuple):
    """Whether a request is allowed; true when it is.

    Attributes:
        how: how it came about.
        explanation: one sentence for a person.
        document: name of the document that decided; empty when none did.
        statement: number of the statement in it, from 1; 0 when none decided.
        resource: the resource that decided; of several that were allowed, the first.
    """

    how: Outcome
    explanation: str
    document: str = ""
    statement: int = 0
    resource: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.how is Outcome.ALLOW

    def __bool__(self) -> bool:
        return self.allowed


# Names of things


def resource(store_id: str, kind: str, name: str = "") -> str:
    """Name of a resource, as patterns see it: ``acs:kms:local:STORE:key/ID``, ``acs:kms:local:STORE:alias/NAME``.

    Args:
        store_id: UUID of the store; stands where RAM has the account.
        kind: ``key``, ``alias``, ``certificate``, ``permission``, ``store`` or ``audit``.
        name: key or certificate id, a principal, or a whole alias (``alias/release``); empty = the kind itself, for
            making and listing.

    Raises:
        ValueError: another kind, or an alias without ``alias/``: a defect of the caller.
    """
    if kind not in KINDS.values():
        raise ValueError(f"no kind of resource: '{kind}'")
    if kind == "alias" and name and not name.startswith("alias/"):
        raise ValueError(f"not an alias: '{name}'")
    last = name if kind == "alias" and name else f"{kind}/{name}" if name else kind
    return f"acs:kms:local:{store_id}:{last}"


def resources(action: str, store_id: str, *, key_id: str = "", alias: str = "", about: str = "") -> tuple[str, ...]:
    """What an action is about, all of which must be allowed.

    Args:
        action: for example ``AsymmetricSign``.
        store_id: UUID of the store.
        key_id: the key, for every action but those that make or list keys and list aliases.
        alias: the alias that is made, moved or taken away; not the one by which a key was named.
        about: the principal whose permissions it is about; empty = everybody's.
    """
    if action in KINDS:
        return (resource(store_id, KINDS[action], about),)
    if not key_id or (action in ("CreateAlias", "UpdateAlias", "DeleteAlias")) != bool(alias):
        raise ValueError(f"{action} needs a key, and an alias where it is about one")
    key = resource(store_id, "key", key_id)
    return (resource(store_id, "alias", alias), key) if alias else (key,)


def ready_made(role: str, resources: Sequence[str] = ("*",)) -> str:
    """Text of a ready-made document.

    Args:
        role: one of ``ROLES``. Administrator is everything but signing and decrypting.
        resources: patterns of what it is about.

    Raises:
        UsageError: no such role.
    """
    if role not in _ROLES:
        raise UsageError(f"'{role}' is not a ready-made document: expected one of {' '.join(ROLES)}")
    statement = {"Sid": role, "Effect": "Allow", **_ROLES[role], "Resource": list(resources)}
    return json.dumps({"Version": "1", "Statement": [statement]}, indent=2)


# Reading


def parse(text: str, *, name: str = "", key: str = "") -> Document:
    """Read a permission document.

    Args:
        text: JSON.
        name: what to call it.
        key: the resource of the key that it is attached to. Then every statement names its principals,
            ``{"RAM": ["os:alice"]}``, and its resource is ``*``, which means this key. Empty = it is attached to a
            principal, and names none.

    Raises:
        ConfigurationError: it is not one; says which statement and value are wrong and what was expected.
    """
    where = f"permission document '{name}'" if name else "permission document"
    document = _members(_json(text, where), where, {"Version", "Statement"})
    if document.get("Version") != "1":
        raise _wrong(f"{where}: Version", document.get("Version"), 'the string "1"')
    statements = document.get("Statement")
    if not isinstance(statements, list) or not statements:
        raise _wrong(f"{where}: Statement", statements, "a list of one or more statements")
    numbered = enumerate(statements, 1)
    return Document(name, tuple(_statement(value, f"{where}, statement {n}", key) for n, value in numbered))


def doubts(document: Document) -> tuple[str, ...]:
    """What is allowed in a document and yet without effect here, perhaps mistyped; a sentence for each."""
    names = tuple(f"kms:{action}".lower() for action in ACTIONS)
    found = []
    for number, statement in enumerate(document.statements, 1):
        for pattern in statement.actions:
            if not any(wildcard.matches(pattern, name) for name in names):
                found.append(f"statement {number}: '{pattern}' matches no action of signkit")
        for condition in statement.conditions:
            if condition.key not in conditions.CONTEXT_KEYS and not condition.key.startswith(conditions.TAG):
                found.append(f"statement {number}: no request to signkit carries {condition.key}")
    return tuple(found)


# Deciding


def decide(
    documents: Sequence[Document],
    action: str,
    resources: Sequence[str],
    context: Mapping[str, str],
    *,
    principal: str = "",
) -> Decision:
    """Whether a request is allowed. Never raises for what a request carries.

    Args:
        documents: those of the principal and of the keys in question.
        action: for example ``AsymmetricSign``, or with ``kms:`` before it.
        resources: all that it is about (see ``resources``); each must be allowed, and one that is denied suffices.
        context: what the request carries (see ``conditions.context``).
        principal: who asks; only documents of keys look at it.
    """
    action = action if ":" in action else f"kms:{action}"
    request = _Request(action, context, principal)
    rows = [(document, number, one) for document in documents for number, one in enumerate(document.statements, 1)]
    for document, number, statement in rows:
        for name in resources if statement.denies else ():
            applies = request.covered(statement, name)
            if applies is not False:
                why = "" if applies else f", whose condition can't be evaluated: {request.obstacle(statement)}"
                text = f"{action} on {name} is denied by {_place(document, number, statement)}{why}"
                return Decision(Outcome.EXPLICIT_DENY, text, document.name, number, name)
    allowing = [row for row in rows if not row[2].denies]
    decisive = []
    for name in resources:
        row = next((row for row in allowing if request.covered(row[2], name)), None)
        if row is None:
            close = [row for row in allowing if request.named(row[2], name)]
            but = "".join(f"; {_place(*row)} would if its condition held: {request.obstacle(row[2])}" for row in close)
            return Decision(Outcome.IMPLICIT_DENY, f"no statement allows {action} on {name}{but}", resource=name)
        decisive.append((row, name))
    if not decisive:
        return Decision(Outcome.IMPLICIT_DENY, f"{action} names no resource, and nothing is allowed on nothing")
    text = "; ".join(f"{action} on {name} is allowed by {_place(*row)}" for row, name in decisive)
    (document, number, _statement), name = decisive[0]
    return Decision(Outcome.ALLOW, text, document.name, number, name)


class _Request(NamedTuple):
    """Who asks for what, apart from the resource."""

    action: str
    context: Mapping[str, str]
    principal: str

    def named(self, statement: Statement, resource: str) -> bool:
        """Whether a statement is about this principal, action and resource, its conditions aside."""
        action, principals = self.action.lower(), statement.principals
        if principals and "*" not in principals and self.principal not in principals:
            if self.principal or not statement.denies:  # a caller without a name escapes no denial
                return False
        return (
            any(wildcard.matches(one, action) for one in statement.actions) is not statement.all_but_actions
            and any(wildcard.matches(one, resource) for one in statement.resources) is not statement.all_but_resources
        )

    def covered(self, statement: Statement, resource: str) -> bool | None:
        """Whether a statement covers the request; None when its conditions can't be evaluated."""
        if not self.named(statement, resource):
            return False
        return conditions.all_of(conditions.holds(one, self.context) for one in statement.conditions)

    def obstacle(self, statement: Statement) -> str:
        """Its first condition that does not hold, with what the request carries."""
        one = next(one for one in statement.conditions if not conditions.holds(one, self.context))
        carried = self.context.get(one.key)
        return f"{one}, found {'none' if carried is None else repr(carried)}"


def _place(document: Document, number: int, statement: Statement) -> str:
    sid = f" ({statement.sid})" if statement.sid else ""
    return f"statement {number}{sid} of document '{document.name}'"


# The parts of a document


def _json(text: str, where: str) -> object:
    try:
        if len(text.encode()) > MAXIMUM_BYTES:
            raise ConfigurationError(f"{where} has {len(text.encode())} bytes, expected at most {MAXIMUM_BYTES}")
        value = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair can be neither printed nor recorded
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{where} can't be read: {error}, expected JSON in UTF-8") from error
    return value


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"'{name}' is given twice")
        members[name] = value
    return members


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _statement(value: object, where: str, key: str) -> Statement:
    known = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal"}
    members = _members(value, where, known)
    sid = members.get("Sid", "")
    if not isinstance(sid, str) or len(sid) > MAXIMUM_SID:
        raise _wrong(f"{where}: Sid", sid, f"a string of at most {MAXIMUM_SID} characters")
    if members.get("Effect") not in ("Allow", "Deny"):
        raise _wrong(f"{where}: Effect", members.get("Effect"), '"Allow" or "Deny"')
    action, actions = _one_of(members, "Action", where)
    about, resources = _one_of(members, "Resource", where)
    for pattern in actions:
        if pattern != "*" and not (pattern.isascii() and pattern.lower().startswith("kms:") and _is_name(pattern[4:])):
            raise _wrong(f"{where}: {action}", pattern, '"*" or kms: and the name of an action, with * and ?')
    for pattern in resources:
        if not pattern.startswith(("acs:", "*")):
            raise _wrong(f"{where}: {about}", pattern, '"*" or a name such as acs:kms:*:*:key/ID')
    if key:
        if members.get("Resource") not in ("*", ["*"]):
            raise _wrong(f"{where}: {about}", list(resources), '"*", which is the key it is attached to')
        resources = (key,)
    return Statement(
        sid,
        members["Effect"] == "Deny",
        tuple(pattern.lower() for pattern in actions),
        action == "NotAction",
        resources,
        about == "NotResource",
        conditions.parse(members["Condition"], where) if "Condition" in members else (),
        _principals(members.get("Principal"), where, bool(key)),
    )


def _one_of(members: Mapping[str, object], name: str, where: str) -> tuple[str, tuple[str, ...]]:
    """The member of that name or its opposite, ``Action`` or ``NotAction``, and its patterns."""
    given = [one for one in (name, f"Not{name}") if one in members]
    if len(given) != 1:
        found = " and ".join(given) or "neither"
        raise ConfigurationError(f"{where}: found {found}, expected {name} or Not{name}")
    return given[0], conditions.strings(members[given[0]], f"{where}: {given[0]}")


def _principals(value: object, where: str, of_key: bool) -> tuple[str, ...]:
    if not of_key:
        if value is not None:
            raise _wrong(f"{where}: Principal", value, "none, since the document is attached to a principal")
        return ()
    if not isinstance(value, dict) or set(value) != {"RAM"}:
        raise _wrong(f"{where}: Principal", value, 'principals such as {"RAM": ["os:alice"]}')
    return conditions.strings(value["RAM"], f"{where}: Principal RAM")


def _members(value: object, where: str, known: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _wrong(where, value, "a JSON object")
    unknown = sorted(set(value) - known)
    if unknown:
        raise ConfigurationError(f"{where}: unknown element '{unknown[0]}', expected {' '.join(sorted(known))}")
    return value


def _is_name(text: str) -> bool:
    return bool(text) and all(character in "*?" or character.isalnum() for character in text)


def _wrong(what: str, found: object, expected: str) -> ConfigurationError:
    return conditions.wrong(what, found, expected)
