"""Permission documents: what is refused at load, what is decided, and why."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit.errors import ConfigurationError, UsageError
from signkit.keys import conditions, permissions, wildcard
from signkit.keys.permissions import Decision, Outcome

STORE = "00000000-0000-4000-8000-000000000000"
KEY = permissions.resource(STORE, "key", "k1")
OTHER = permissions.resource(STORE, "key", "k2")
ALIAS = permissions.resource(STORE, "alias", "alias/release")
NOW = {"acs:CurrentTime": "2026-11-23T00:00:00Z"}


def text(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


def allow(action: object = "*", resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object = "*", resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def when(operator: str, key: str, values: object) -> dict[str, object]:
    return {"Condition": {operator: {key: values}}}


def decide(
    *statements: Mapping[str, object],
    action: str = "kms:AsymmetricSign",
    resources: Sequence[str] = (KEY,),
    context: Mapping[str, str] = NOW,
) -> Decision:
    return permissions.decide([permissions.parse(text(*statements), name="doc")], action, resources, context)


# Refused at load

REFUSED: list[tuple[object, str]] = [
    ("{", "can't be read"),
    ("[" * 20_000, "can't be read"),
    ('{"Version": "1", "Version": "1", "Statement": []}', "'Version' is given twice"),
    ('{"Version": NaN, "Statement": []}', "NaN is no JSON"),
    ('{"Version": "1", "Statement": [], "Statement ": 1}', "unknown element 'Statement '"),
    ('"x"', 'found "x", expected a JSON object'),
    ("\ud800", "can't be read"),
    ('{"Version": "1", "Statement": [{"Sid": "\\ud800"}]}', "can't be read"),
    ({"Statement": [allow()]}, 'Version: found nothing, expected the string "1"'),
    ({"Version": 1, "Statement": [allow()]}, 'Version: found 1, expected the string "1"'),
    ({"Version": "2012-10-17", "Statement": [allow()]}, "Version: found"),
    ({"Version": "1"}, "Statement: found nothing"),
    ({"Version": "1", "Statement": []}, "a list of one or more"),
    ({"Version": "1", "Statement": allow()}, "a list of one or more"),
    (["x"], 'statement 1: found "x", expected a JSON object'),
    ([allow(), allow(Efect="Deny")], "statement 2: unknown element 'Efect'"),
    ([{"Action": "*", "Resource": "*"}], 'statement 1: Effect: found nothing, expected "Allow" or "Deny"'),
    ([allow() | {"Effect": "deny"}], 'Effect: found "deny"'),
    ([{"Effect": "Allow", "Resource": "*"}], "found neither, expected Action or NotAction"),
    ([allow(NotAction="kms:ListKeys")], "found Action and NotAction, expected Action or NotAction"),
    ([{"Effect": "Allow", "Action": "*"}], "found neither, expected Resource or NotResource"),
    ([allow(NotResource="*")], "found Resource and NotResource"),
    ([allow([])], "Action: found [], expected a string or a list"),
    ([allow(None)], "Action: found nothing, expected a string"),
    ([allow(7)], "Action: found 7"),
    ([allow(["kms:ListKeys", 7])], "Action: found"),
    ([allow("")], 'Action: found ""'),
    ([allow("AsymmetricSign")], 'Action: found "AsymmetricSign", expected "*" or kms: and the name'),
    ([allow("kms:")], 'Action: found "kms:"'),
    ([allow("kms: AsymmetricSign")], "Action: found"),
    ([allow("\u212ams:AsymmetricSign")], "Action: found"),
    ([allow("kms:Asymmetric\u017fign")], "Action: found"),
    ([allow(resource="key/k1")], 'Resource: found "key/k1", expected "*" or a name such as acs:kms:*:*:key/ID'),
    ([allow(resource=[])], "Resource: found []"),
    ([allow(Sid=1)], "Sid: found 1"),
    ([allow(Sid="x" * 129)], "Sid: found"),
    ([allow(Principal={"RAM": ["os:alice"]})], "Principal: found"),
    ([allow(Condition=None)], "Condition: found nothing"),
    ([allow(Condition={})], "Condition: found {}"),
    ([allow(Condition=[])], "Condition: found []"),
    ([allow(Condition={"StringEquals": {}})], "Condition StringEquals: found {}"),
    ([allow(**when("StringEqual", "kms:tag/a", "b"))], "unknown operator 'StringEqual', expected one of StringEquals"),
    ([allow(**when("stringequals", "kms:tag/a", "b"))], "unknown operator"),
    ([allow(**when("StringEqualsIfExists", "kms:tag/a", "b"))], "unknown operator"),
    ([allow(**when("IpAddress", "acs:SourceIP", "10.0.0.0/8"))], "unknown key 'acs:SourceIP', expected one of"),
    ([allow(**when("StringEquals", "kms:tag/", "b"))], "unknown key 'kms:tag/'"),
    ([allow(**when("StringEquals", "kms:tag/a", []))], "found [], expected one or more values"),
    ([allow(**when("StringEquals", "kms:tag/a", {}))], "found {}, expected a string"),
    ([allow(**when("StringEquals", "kms:tag/a", 1))], "found 1, expected a string"),
    ([allow(**when("StringEquals", "kms:tag/a", True))], "found true, expected a string"),
    ([allow(**when("StringEquals", "kms:tag/a", [None]))], "found nothing, expected a string"),
    ([allow(**when("NumericLessThan", "kms:tag/a", "ten"))], 'found "ten", expected a number'),
    ([allow(**when("NumericLessThan", "kms:tag/a", "nan"))], "expected a number"),
    ([allow(**when("NumericLessThan", "kms:tag/a", "1_000"))], "expected a number"),
    ([allow(**when("NumericLessThan", "kms:tag/a", "\u0661"))], "expected a number"),
    ([allow(**when("NumericLessThan", "kms:tag/a", True))], "found true, expected a number"),
    ([allow(**when("NumericLessThan", "kms:tag/a", "9" * 41))], "expected a number"),
    ([allow(**when("DateLessThan", "acs:CurrentTime", "2030-01-01"))], "expected a time with its zone"),
    ([allow(**when("DateLessThan", "acs:CurrentTime", "2030-01-01T00:00:00"))], "expected a time with its zone"),
    ([allow(**when("DateLessThan", "acs:CurrentTime", "2030-13-01T00:00:00Z"))], "expected a time"),
    ([allow(**when("DateLessThan", "acs:CurrentTime", "2030-01-01T00:00:00Z\n"))], "expected a time"),
    ([allow(**when("DateLessThan", "acs:CurrentTime", 1893456000))], "found 1893456000, expected a time"),
    ([allow(**when("Bool", "acs:SecureTransport", "yes"))], 'found "yes", expected true or false'),
    ([allow(**when("Bool", "acs:SecureTransport", 1))], "found 1, expected true or false"),
    ([allow(**when("IpAddress", "acs:SourceIp", "10.0.0.0/33"))], "expected an address or network"),
    ([allow(**when("IpAddress", "acs:SourceIp", "10.0.0"))], "expected an address or network"),
    ([allow(**when("NotIpAddress", "acs:SourceIp", 167772160))], "found 167772160, expected an address"),
]


@pytest.mark.parametrize(("document", "message"), REFUSED, ids=[message[:60] for _, message in REFUSED])
def test_what_is_not_a_document_is_refused(document: object, message: str) -> None:
    if isinstance(document, list):
        document = {"Version": "1", "Statement": document}
    written = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        permissions.parse(written, name="release")
    assert caught.value.message.startswith("permission document 'release'")
    assert len(caught.value.message) < 1000


def test_a_document_has_at_most_32768_bytes() -> None:
    document = text(allow(Sid="é"))
    size = len(document.encode())
    assert permissions.parse(document + " " * (permissions.MAXIMUM_BYTES - size))
    with pytest.raises(ConfigurationError, match="has 32769 bytes, expected at most 32768"):
        permissions.parse(document + " " * (permissions.MAXIMUM_BYTES - size + 1))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), st.lists) | st.text())
def test_nothing_else_is_raised_for_any_json(value: object) -> None:
    for written in (json.dumps(value), text(allow(value, value, Condition=value)), str(value)):
        try:
            permissions.parse(written)
        except ConfigurationError as error:
            assert error.message


# Decisions


def test_nothing_is_allowed_by_nothing() -> None:
    assert permissions.decide([], "AsymmetricSign", [KEY], NOW).how is Outcome.IMPLICIT_DENY
    assert decide(allow(), resources=[]).how is Outcome.IMPLICIT_DENY


def test_the_example_of_the_reference() -> None:
    statements = (
        allow(
            ["kms:Asymmetric*", "kms:GetPublicKey"],
            "acs:kms:*:*:key/k1",
            **when("IpAddress", "acs:SourceIp", ["10.0.0.0/8"]),
        ),
        deny("kms:AsymmetricSign", **when("DateGreaterThan", "acs:CurrentTime", "2030-01-01T00:00:00Z")),
    )
    here = NOW | {"acs:SourceIp": "10.1.2.3"}
    late = here | {"acs:CurrentTime": "2031-01-01T00:00:00Z"}
    assert decide(*statements, context=here).allowed
    assert decide(*statements, context=here, action="kms:asymmetricsign").allowed
    assert decide(*statements, context=here, action="AsymmetricSign").allowed
    assert not decide(*statements, context=here, resources=[OTHER])
    assert not decide(*statements, context=here | {"acs:SourceIp": "11.0.0.1"})
    assert decide(*statements, context=late).how is Outcome.EXPLICIT_DENY
    assert decide(*statements, context=late, action="kms:AsymmetricVerify").allowed
    assert not decide(*statements, context=here, action="kms:CreateKey", resources=[STORE])


def test_a_denial_wins_wherever_it_stands() -> None:
    for statements in ((allow(), deny("kms:AsymmetricSign")), (deny("kms:AsymmetricSign"), allow())):
        assert decide(*statements).how is Outcome.EXPLICIT_DENY
    documents = [permissions.parse(text(one), name=name) for name, one in (("a", allow()), ("b", deny()))]
    decision = permissions.decide(documents, "AsymmetricSign", [KEY], NOW)
    assert (decision.how, decision.document, decision.statement) == (Outcome.EXPLICIT_DENY, "b", 1)


def test_every_resource_must_be_allowed_and_one_that_is_denied_suffices() -> None:
    both = (ALIAS, KEY)
    assert not decide(allow(resource=ALIAS), action="CreateAlias", resources=both)
    assert decide(allow(resource=[ALIAS, KEY]), action="CreateAlias", resources=both)
    assert decide(allow(resource=ALIAS), allow(resource=KEY), action="CreateAlias", resources=both)
    assert decide(allow(), deny(resource=KEY), resources=both).how is Outcome.EXPLICIT_DENY


def test_everything_but() -> None:
    but = {"Effect": "Allow", "NotAction": "kms:*Sign", "NotResource": OTHER}
    assert decide(but, action="kms:GetPublicKey")
    assert not decide(but, action="kms:AsymmetricSign")
    assert not decide(but, action="kms:GetPublicKey", resources=[OTHER])
    assert decide(allow(), {"Effect": "Deny", "NotAction": "kms:List*", "Resource": "*"}).how is Outcome.EXPLICIT_DENY
    assert decide(allow(), {"Effect": "Deny", "Action": "*", "NotResource": KEY}, resources=[KEY])


def test_resources_keep_their_case_and_actions_do_not() -> None:
    assert decide(allow("KMS:ASYMMETRICSIGN"))
    assert not decide(allow(resource=KEY.upper().replace("ACS:KMS", "acs:kms")))


def test_a_star_in_the_request_is_no_pattern() -> None:
    assert not decide(allow(resource=KEY), resources=["*"])
    assert not decide(allow("kms:AsymmetricSign"), action="kms:*")


CONDITIONS: list[tuple[str, str, object, str | None, bool | None]] = [
    ("StringEquals", "kms:tag/t", "Dev", "Dev", True),
    ("StringEquals", "kms:tag/t", "Dev", "dev", False),
    ("StringEquals", "kms:tag/t", ["a", "b"], "b", True),
    ("StringEquals", "kms:tag/t", "D*", "Dev", False),
    ("StringEquals", "kms:tag/t", "", "", True),
    ("StringEquals", "kms:tag/t", "Dev", None, False),
    ("StringNotEquals", "kms:tag/t", ["a", "b"], "b", False),
    ("StringNotEquals", "kms:tag/t", ["a", "b"], "c", True),
    ("StringNotEquals", "kms:tag/t", "a", None, True),
    ("StringEqualsIgnoreCase", "kms:tag/t", "Dev", "dEV", True),
    ("StringNotEqualsIgnoreCase", "kms:tag/t", "Dev", "dEV", False),
    ("StringLike", "kms:tag/t", "D?v*", "Development", True),
    ("StringLike", "kms:tag/t", "D?v*", "development", False),
    ("StringNotLike", "kms:tag/t", "D?v*", "Development", False),
    ("NumericEquals", "kms:tag/t", "10", "10.0", True),
    ("NumericEquals", "kms:tag/t", 10, "10.0", True),
    ("NumericEquals", "kms:tag/t", "9007199254740993", "9007199254740992", False),
    ("NumericEquals", "kms:tag/t", "10", "ten", None),
    ("NumericEquals", "kms:tag/t", "10", "nan", None),
    ("NumericNotEquals", "kms:tag/t", "10", "ten", None),
    ("NumericNotEquals", "kms:tag/t", "10", "11", True),
    ("NumericLessThan", "kms:tag/t", "10", "9", True),
    ("NumericLessThan", "kms:tag/t", "10", "10", False),
    ("NumericLessThanEquals", "kms:tag/t", 2.5, "2.5", True),
    ("NumericGreaterThan", "kms:tag/t", "-1", "0", True),
    ("NumericGreaterThanEquals", "kms:tag/t", "3", "3", True),
    ("NumericGreaterThanEquals", "kms:tag/t", "3", None, False),
    ("DateEquals", "acs:CurrentTime", "2026-11-23T08:00:00+08:00", "2026-11-23T00:00:00Z", True),
    ("DateNotEquals", "acs:CurrentTime", "2026-11-23T00:00Z", "2026-11-23T00:00:00.000001Z", True),
    ("DateLessThan", "acs:CurrentTime", "2026-11-23T00:00:01Z", "2026-11-23T00:00:00.999Z", True),
    ("DateLessThan", "acs:CurrentTime", "2030-01-01T00:00:00Z", "2026-11-23", None),
    ("DateLessThan", "acs:CurrentTime", "2030-01-01T00:00:00Z", "yesterday", None),
    ("DateLessThan", "acs:CurrentTime", "2030-01-01T00:00:00Z", "2026-11-23T00:00:00", None),
    ("DateLessThanEquals", "acs:CurrentTime", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", True),
    ("DateGreaterThan", "acs:CurrentTime", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", False),
    ("DateGreaterThanEquals", "acs:CurrentTime", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", True),
    ("DateGreaterThan", "acs:CurrentTime", "2026-11-23T00:00:00Z", None, False),
    ("Bool", "acs:SecureTransport", True, "True", True),
    ("Bool", "acs:SecureTransport", "true", "false", False),
    ("Bool", "acs:SecureTransport", "true", "1", None),
    ("Bool", "acs:SecureTransport", "false", None, False),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "10.255.0.1", True),
    ("IpAddress", "acs:SourceIp", "10.1.2.3/8", "10.255.0.1", True),
    ("IpAddress", "acs:SourceIp", ["192.0.2.1", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "::ffff:10.1.2.3", True),
    ("IpAddress", "acs:SourceIp", "::ffff:10.0.0.0/104", "10.1.2.3", True),
    ("IpAddress", "acs:SourceIp", "::/0", "10.1.2.3", False),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "localhost", None),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "010.1.2.3", None),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", None, False),
    ("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", "10.1.2.3", False),
    ("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", "11.1.2.3", True),
    ("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", "", None),
    ("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", None, True),
]


@pytest.mark.parametrize(("operator", "key", "values", "found", "expected"), CONDITIONS)
def test_a_condition(operator: str, key: str, values: object, found: str | None, expected: bool | None) -> None:
    context = {} if found is None else {key: found}
    condition = when(operator, key, values)
    (parsed,) = conditions.parse(condition["Condition"], "here")
    assert conditions.holds(parsed, context) is expected
    assert decide(allow(**condition), context=context).allowed is (expected is True)
    denied = decide(allow(), deny(**condition), context=context).how is Outcome.EXPLICIT_DENY
    assert denied is (expected is not False)


def test_every_operator_of_the_reference_is_known_and_tested() -> None:
    numbered = [f"{kind}{test}" for kind in ("Numeric", "Date") for test in ("Equals", "NotEquals")]
    numbered += [
        f"{kind}{test}{equals}"
        for kind in ("Numeric", "Date")
        for test in ("LessThan", "GreaterThan")
        for equals in ("", "Equals")
    ]
    strings = [f"String{negated}Equals{case}" for negated in ("", "Not") for case in ("", "IgnoreCase")]
    strings += ["StringLike", "StringNotLike"]
    assert set(conditions.OPERATORS) == {*strings, *numbered, "Bool", "IpAddress", "NotIpAddress"}
    assert {row[0] for row in CONDITIONS} == set(conditions.OPERATORS)


def test_what_is_not_text_can_not_be_evaluated() -> None:
    for value in (7, None, b"Dev", ["Dev"]):
        context: Any = {"kms:tag/t": value}
        condition = when("StringEquals", "kms:tag/t", "Dev")
        assert not decide(allow(**condition), context=context)
        denied = decide(allow(), deny(**condition), context=context).how is Outcome.EXPLICIT_DENY
        assert denied is (value is not None)


def test_a_condition_that_does_not_hold_decides_before_one_that_can_not_be_evaluated() -> None:
    both = {"Condition": {"NumericEquals": {"kms:tag/n": 1}, "StringEquals": {"kms:tag/t": "Dev"}}}
    turned = {"Condition": dict(reversed(both["Condition"].items()))}
    for condition in (both, turned):
        malformed = {"kms:tag/n": "one", "kms:tag/t": "Ops"}
        assert decide(allow(), deny(**condition), context=malformed)
        malformed["kms:tag/t"] = "Dev"
        assert decide(allow(), deny(**condition), context=malformed).how is Outcome.EXPLICIT_DENY


def test_the_context_of_a_request() -> None:
    at = datetime(2026, 11, 23, 1, 2, 3, 4, tzinfo=UTC)
    found = conditions.context(at, source="10.1.2.3", tags={"team": "release"}, algorithm="ECDSA_SHA_256")
    assert found == {
        "acs:CurrentTime": "2026-11-23T01:02:03.000004Z",
        "acs:SourceIp": "10.1.2.3",
        "kms:tag/team": "release",
        "kms:Algorithm": "ECDSA_SHA_256",
    }
    assert set(conditions.context(at)) == {"acs:CurrentTime"}
    limited = allow(**when("StringEquals", "kms:Algorithm", ["RSA_PSS_SHA_256", "ECDSA_SHA_256"]))
    assert decide(limited, context=found)
    assert not decide(limited, context=found | {"kms:Algorithm": "RSA_PKCS1_SHA_256"})
    for tag in ("acs:CurrentTime", "kms:Algorithm"):  # a tag can't pass for what the service says
        assert conditions.context(at, tags={tag: "x"})["acs:CurrentTime"] == "2026-11-23T01:02:03.000004Z"


# Explanations


def test_decisions_are_explained() -> None:
    tagged = allow("kms:AsymmetricSign", **when("StringEquals", "kms:tag/team", ["release", "ops"]), Sid="team")
    assert decide(tagged, context={"kms:tag/team": "ops"}) == Decision(
        Outcome.ALLOW,
        f"kms:AsymmetricSign on {KEY} is allowed by statement 1 (team) of document 'doc'",
        "doc",
        1,
        KEY,
    )
    assert decide(tagged, context={"kms:tag/team": "dev"}).explanation == (
        f"no statement allows kms:AsymmetricSign on {KEY}; statement 1 (team) of document 'doc' would if its condition "
        "held: StringEquals kms:tag/team release or ops, found 'dev'"
    )
    assert decide(tagged, context={}).explanation.endswith("found none")
    assert decide(tagged, action="kms:GetPublicKey").explanation == f"no statement allows kms:GetPublicKey on {KEY}"
    assert decide(allow(), deny()).explanation == (
        f"kms:AsymmetricSign on {KEY} is denied by statement 2 of document 'doc'"
    )
    malformed = deny(**when("NumericLessThan", "kms:tag/level", 3))
    assert decide(allow(), malformed, context={"kms:tag/level": "three"}).explanation.endswith(
        "whose condition can't be evaluated: NumericLessThan kms:tag/level 3, found 'three'"
    )
    two = decide(allow(resource=ALIAS), allow(resource=KEY), resources=[ALIAS, KEY])
    assert two.explanation.count(" is allowed by ") == 2


def test_what_is_perhaps_mistyped_is_said() -> None:
    condition = when("Bool", "acs:MFAPresent", "false")
    document = permissions.parse(text(allow("kms:Asymmetric*"), deny("kms:AsymetricSign", **condition)))
    assert permissions.doubts(document) == (
        "statement 2: 'kms:asymetricsign' matches no action of signkit",
        "statement 2: no request to signkit carries acs:MFAPresent",
    )
    for role in permissions.ROLES:
        assert permissions.doubts(permissions.parse(permissions.ready_made(role))) == ()


# Documents of keys


def test_a_document_of_a_key_names_principals_and_is_about_this_key() -> None:
    document = permissions.parse(text(allow(Principal={"RAM": ["os:alice", "os:bob"]})), name="k1", key=KEY)

    def allowed(principal: str, name: str = KEY) -> bool:
        return permissions.decide([document], "AsymmetricSign", [name], NOW, principal=principal).allowed

    assert allowed("os:alice") and allowed("os:bob")
    assert not allowed("os:carol") and not allowed("") and not allowed("*")
    assert not allowed("os:alice", OTHER)


def test_a_caller_without_a_name_escapes_no_denial() -> None:
    document = permissions.parse(
        text(allow(Principal={"RAM": "*"}), deny("kms:AsymmetricSign", Principal={"RAM": "os:carol"})), key=KEY
    )

    def how(principal: str, action: str = "AsymmetricSign") -> Outcome:
        return permissions.decide([document], action, [KEY], NOW, principal=principal).how

    assert how("os:alice") is Outcome.ALLOW
    assert how("os:carol") is Outcome.EXPLICIT_DENY
    assert how("") is Outcome.EXPLICIT_DENY
    assert how("", "GetPublicKey") is Outcome.ALLOW


@pytest.mark.parametrize(
    "statement",
    [
        allow(),
        allow(Principal="os:alice"),
        allow(Principal=None),
        allow(Principal={"AWS": "*"}),
        allow(Principal={"RAM": []}),
        allow(Principal={"RAM": "*", "Service": "*"}),
        allow(Principal={"RAM": "*"}, resource=OTHER),
        {"Effect": "Allow", "Action": "*", "NotResource": "*", "Principal": {"RAM": "*"}},
    ],
)
def test_another_document_of_a_key_is_refused(statement: Mapping[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"statement 1: (Principal|Resource|NotResource)"):
        permissions.parse(text(statement), key=KEY)


# Ready-made documents


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (
            "administrator",
            ("CreateKey", "ScheduleKeyDeletion", "SetKeyPolicy", "AsymmetricVerify"),
            ("AsymmetricSign", "AsymmetricDecrypt", "CertificatePrivateKeySign", "CertificatePrivateKeyDecrypt"),
        ),
        (
            "signer",
            ("AsymmetricSign", "GetPublicKey", "DescribeKey", "ListKeyVersions"),
            ("AsymmetricDecrypt", "CreateKey", "DisableKey", "CreateKeyVersion", "ListKeys"),
        ),
        ("verifier", ("AsymmetricVerify", "GetPublicKey", "GetCertificate"), ("AsymmetricSign", "DisableKey")),
        ("decryptor", ("AsymmetricDecrypt", "GetPublicKey"), ("AsymmetricSign", "AsymmetricEncrypt")),
        ("auditor", ("DescribeKey", "ListKeys", "ListAliases", "GetPublicKey"), ("AsymmetricVerify", "TagResource")),
    ],
)
def test_ready_made_documents(role: str, may: Sequence[str], may_not: Sequence[str]) -> None:
    document = permissions.parse(permissions.ready_made(role), name=role)
    assert [action for action in may if not permissions.decide([document], action, [KEY], NOW)] == []
    assert [action for action in may_not if permissions.decide([document], action, [KEY], NOW)] == []


def test_a_ready_made_document_for_named_keys() -> None:
    document = permissions.parse(permissions.ready_made("signer", [KEY]))
    assert permissions.decide([document], "AsymmetricSign", [KEY], NOW)
    assert not permissions.decide([document], "AsymmetricSign", [OTHER], NOW)
    with pytest.raises(UsageError, match="'root' is not a ready-made document: expected one of administrator signer"):
        permissions.ready_made("root")


# Names of resources


def test_names_of_resources() -> None:
    assert KEY == f"acs:kms:local:{STORE}:key/k1"
    assert ALIAS == f"acs:kms:local:{STORE}:alias/release"
    assert permissions.resource(STORE, "alias", "alias/alias/x").endswith(":alias/alias/x")
    assert permissions.resource(STORE, "certificate") == f"acs:kms:local:{STORE}:certificate"
    for kind, name in (("secret", "x"), ("", "x"), ("alias", "release")):
        with pytest.raises(ValueError, match="no kind of resource|not an alias"):
            permissions.resource(STORE, kind, name)


def test_what_actions_are_about() -> None:
    assert permissions.resources("CreateKey", STORE) == (f"acs:kms:local:{STORE}:key",)
    assert permissions.resources("ListAliases", STORE) == (f"acs:kms:local:{STORE}:alias",)
    assert permissions.resources("AsymmetricSign", STORE, key_id="k1") == (KEY,)
    assert permissions.resources("UpdateAlias", STORE, key_id="k1", alias="alias/release") == (ALIAS, KEY)
    for action, key_id, alias in (
        ("AsymmetricSign", "", ""),
        ("AsymmetricSign", "k1", "alias/release"),
        ("CreateAlias", "k1", ""),
        ("CreateAlias", "", "alias/release"),
    ):
        with pytest.raises(ValueError, match=action):
            permissions.resources(action, STORE, key_id=key_id, alias=alias)


# Patterns


def expression(pattern: str, text: str) -> bool:
    """The same by a regular expression."""
    parts = ("(?s:.*)" if c == "*" else "(?s:.)" if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text) is not None


@given(st.text("ab*?\n", max_size=9), st.text("ab*?\n", max_size=12))
def test_patterns_match_as_regular_expressions_do(pattern: str, text: str) -> None:
    assert wildcard.matches(pattern, text) == expression(pattern, text)


@pytest.mark.parametrize(
    "pattern",
    ["*" * 200 + "b", "*a" * 200 + "*b", "*?" * 200 + "b", "?" * 16_000 + "*", "*" + "a" * 200 + "b", "a*" * 16_000],
    ids=lambda pattern: pattern[:8],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    before = time.perf_counter()
    assert not wildcard.matches(pattern, "a" * 1000)
    assert time.perf_counter() - before < 1


# Against a second evaluator, which works the other way round: from all combinations to one set of answers.

NAMES = ("kms:AsymmetricSign", "kms:AsymmetricVerify", "kms:GetPublicKey")
RESOURCES = (KEY, OTHER, ALIAS)
ACTION_PATTERNS = st.sampled_from(["*", "kms:*", "kms:Asymmetric*", "KMS:*SIGN", "kms:GetPublicKe?", *NAMES])
RESOURCE_PATTERNS = st.sampled_from(["*", "acs:*", f"acs:kms:*:{STORE}:key/?1", "acs:kms:*:alias/*", *RESOURCES])
OPERANDS = {
    "String": (["a", "A", "b", "a*", ""], "kms:tag/t"),
    "Numeric": (["1", "2.0", "-3", "2"], "kms:tag/n"),
    "Date": (["2026-01-01T00:00:00Z", "2026-01-01T08:00:00+08:00", "2027-01-01T00:00:00Z"], "acs:CurrentTime"),
    "Bool": (["true", "False"], "acs:SecureTransport"),
    "IpAddress": (["10.0.0.0/8", "10.1.2.3", "2001:db8::/32"], "acs:SourceIp"),
}
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "kms:tag/t": st.sampled_from(["a", "A", "ab", "", "c"]),
        "kms:tag/n": st.sampled_from(["1", "2", "2.50", "-4", "x", ""]),
        "acs:CurrentTime": st.sampled_from(["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "now"]),
        "acs:SecureTransport": st.sampled_from(["True", "false", "maybe"]),
        "acs:SourceIp": st.sampled_from(["10.1.2.3", "10.2.2.2", "2001:db8::7", "192.0.2.1", "nowhere"]),
    },
)


def operands(operator: str) -> tuple[list[str], str]:
    return next(found for kind, found in OPERANDS.items() if kind in operator)


@st.composite
def conditions_of_statements(draw: st.DrawFn) -> dict[str, dict[str, list[str]]]:
    operators = draw(st.lists(st.sampled_from(sorted(conditions.OPERATORS)), max_size=3, unique=True))
    return {
        operator: {
            operands(operator)[1]: draw(st.lists(st.sampled_from(operands(operator)[0]), min_size=1, max_size=2))
        }
        for operator in operators
    }


@st.composite
def statements(draw: st.DrawFn) -> dict[str, object]:
    statement: dict[str, object] = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(
            st.lists(ACTION_PATTERNS, min_size=1, max_size=2)
        ),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(
            st.lists(RESOURCE_PATTERNS, min_size=1, max_size=2)
        ),
    }
    found = draw(conditions_of_statements())
    return statement | ({"Condition": found} if found else {})


def naive_values(operator: str, found: str, value: str) -> tuple[Any, Any]:
    """Found value and value of the document as Python compares them; raises ValueError."""
    if operator.startswith("Numeric"):
        return float(found), float(value)
    if operator.startswith("Date"):
        return datetime.fromisoformat(found), datetime.fromisoformat(value)
    if "Ip" in operator:
        return int(ipaddress.ip_address(found)), [
            int(one) for one in (ipaddress.ip_network(value)[0], ipaddress.ip_network(value)[-1])
        ]
    if operator == "Bool":
        return {"true": True, "false": False}[found.lower()], {"true": True, "false": False}[value.lower()]
    return found, value


def naive_condition(operator: str, found: str | None, values: Sequence[str]) -> set[bool]:
    """The answers that are possible: one, or both when the condition can't be evaluated."""
    if found is None:
        return {"Not" in operator}
    positive = operator.replace("Not", "")
    try:
        pairs = [naive_values(operator, found, value) for value in values]
    except (ValueError, KeyError):
        return {True, False}
    hits = {
        "StringEquals": lambda a, b: a == b,
        "StringEqualsIgnoreCase": lambda a, b: a.upper() == b.upper(),
        "StringLike": lambda a, b: expression(b, a),
        "IpAddress": lambda a, b: b[0] <= a <= b[1],
        "Bool": lambda a, b: a == b,
    }
    compare = (
        hits.get(positive)
        or {
            "Equals": lambda a, b: a == b,
            "LessThan": lambda a, b: a < b,
            "LessThanEquals": lambda a, b: a <= b,
            "GreaterThan": lambda a, b: a > b,
            "GreaterThanEquals": lambda a, b: a >= b,
        }[positive.removeprefix("Numeric").removeprefix("Date")]
    )
    return {any(compare(a, b) for a, b in pairs) != ("Not" in operator)}


def naive_covers(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> set[bool]:
    answers = {True}
    for name, value in (("Action", action), ("Resource", resource)):
        for member in (name, f"Not{name}"):
            if member in statement:
                fold = str.lower if name == "Action" else str
                hit = any(expression(fold(pattern), fold(value)) for pattern in statement[member])
                answers = {answer and hit == (member == name) for answer in answers}
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            possible = naive_condition(operator, context.get(key), values)
            answers = {one and other for one in answers for other in possible}
    return answers


@given(st.lists(statements(), min_size=1, max_size=4), st.sampled_from(NAMES), st.data(), CONTEXTS)
def test_decisions_are_those_of_a_second_evaluator(
    rows: list[dict[str, Any]], action: str, data: st.DataObject, context: dict[str, str]
) -> None:
    asked = data.draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2, unique=True))
    cut = data.draw(st.integers(0, len(rows)))
    documents = [permissions.parse(text(*part)) for part in (rows[:cut], rows[cut:]) if part]
    answers = [(row["Effect"], one, naive_covers(row, action, one, context)) for row in rows for one in asked]
    if any(effect == "Deny" and True in answer for effect, _, answer in answers):
        expected = Outcome.EXPLICIT_DENY
    elif all(
        any(effect == "Allow" and one == name and answer == {True} for effect, one, answer in answers) for name in asked
    ):
        expected = Outcome.ALLOW
    else:
        expected = Outcome.IMPLICIT_DENY
    decision = permissions.decide(documents, action, asked, context)
    assert decision.how is expected
    assert decision.explanation and (decision.statement > 0) == (expected is not Outcome.IMPLICIT_DENY)
