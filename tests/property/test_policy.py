"""No policy, however it is made, accepts what nobody trusted has signed; and every text is a policy or an error."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from signkit.errors import ConfigurationError
from signkit.evidence import Check, Verdict
from signkit.verification import checks, policy_file
from signkit.verification.decide import REQUIRED, decide
from signkit.verification.examine import Evidence
from signkit.verification.policy import PROFILES, REVOCATIONS, TIMESTAMPS, Identity, Policy
from signkit.verification.result import SignerResult
from signkit.x509 import certificate, names
from tests.support import pki

LEAF = certificate.load(pki.chain().leaf)
NEVER = ("artifact.digest", "signature.value", "path.built")

_NAMES = st.sampled_from(checks.instances())
_PATTERNS = st.one_of(
    _NAMES, st.sampled_from(["*", "path.*", "artifact.*", "*.digest", "signature.*", "*built", "p*t"])
)
_IDENTITIES = st.sampled_from([Identity(), Identity(subjects=(names.parse(pki.SIGNER),))])
_POLICIES = st.builds(
    Policy,
    identity=_IDENTITIES,
    require_identity=st.booleans(),
    threshold=st.integers(-1, 2),
    signers=st.lists(_IDENTITIES, max_size=2).map(tuple),
    algorithms=st.sampled_from([(), ("ECDSA_SHA_256",)]),
    profile=st.sampled_from(PROFILES),
    timestamp=st.sampled_from(TIMESTAMPS),
    revocation=st.sampled_from(REVOCATIONS),
    actions=st.lists(st.tuples(_PATTERNS, st.sampled_from(["warn", "enforce"])), max_size=6).map(tuple),
)
_BAD = st.sampled_from([Verdict.FAIL, Verdict.INDETERMINATE, Verdict.SKIPPED, None])
_OTHERS = st.lists(
    st.tuples(_NAMES.filter(lambda name: name not in NEVER), st.sampled_from(list(Verdict)), st.just("some")).map(
        lambda parts: Check(*parts)
    ),
    max_size=5,
)


@settings(max_examples=400, deadline=None)
@given(_POLICIES, st.sampled_from(NEVER), _BAD, _OTHERS, st.booleans())
def test_no_policy_accepts_without_digest_value_and_path(
    policy: Policy, broken: str, verdict: Verdict | None, others: list[Check], twice: bool
) -> None:
    made = [Check(name, Verdict.PASS) for name in REQUIRED if name != broken] + others
    if verdict is not None:
        made.append(Check(broken, verdict, "broken"))
    signer = SignerResult(LEAF, "named", LEAF.key_type, "ECDSA_SHA_256", None, (LEAF,) * 2, (), tuple(made))
    result = decide(Evidence("a", "a.p7s", {}, (), (signer,) * (1 + twice)), policy)
    assert not result.accepted
    assert result.exit_status != 0


_KEYS = ("name", "artifacts", "trust-anchors", "signers", "threshold", "actions", "timestamp", "revocation", "other")
_VALUES = st.sampled_from(
    ['"x"', "1", "true", "[]", '["a"]', '["**"]', "[1]", "{}", '[{ subject = "CN=A" }]', '{ "path.*" = "warn" }', "1.5"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(_KEYS), _VALUES), max_size=3), st.sampled_from(["", "version = 1\n"]))
def test_every_document_is_a_policy_or_a_configuration_error(tables: list[dict[str, str]], head: str) -> None:
    text = head + "".join(
        "[[policy]]\n" + "".join(f"{key} = {value}\n" for key, value in table.items()) for table in tables
    )
    with contextlib.suppress(ConfigurationError):
        found = policy_file.parse(text, "F")
        assert found.policies
        assert all(one.trust_anchors and one.artifacts and one.policy.threshold >= 1 for one in found.policies)


@given(st.text())
def test_every_text_is_a_policy_or_a_configuration_error(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        policy_file.parse(text, "F")
