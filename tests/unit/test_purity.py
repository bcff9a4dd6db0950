"""Pure modules do no I/O: each exercise below runs them in a process where an audit hook forbids it.

To add one: write a function ``exercise_...`` that calls the pure code with arguments made in memory. What it needs from
disk (a fixture) is read at the top of this module, before the hook is set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from signkit import algorithms, config, evidence
from signkit.algorithms import containers, digests
from signkit.audit import checkpoint, merkle, receipt
from signkit.audit.entry import AuditEntry
from signkit.cms import full_pki_request
from signkit.der import ber, oids
from signkit.errors import SignkitError, UsageError
from signkit.formats import format_named
from signkit.formats.base import SignedPart
from signkit.keys import recovery, reference
from signkit.keys.sealing import Kek, RecordContext
from signkit.lab import revoking, timestamping
from signkit.lab.authority import PURPOSES, Authority, SigningKey
from signkit.lab.revoking import Revocations
from signkit.operations import expiry, inspect_revocation
from signkit.operations.keys import KeyService
from signkit.operations.revocation import gather
from signkit.operations.use import SignInput
from signkit.operations.validate import validate_path
from signkit.ports.network import FetchedEvidence
from signkit.report import calendar
from signkit.report import path as path_report
from signkit.report import text as text_report
from signkit.report import verification as verification_report
from signkit.report import x509 as report_x509
from signkit.tsp import request as tsp_request
from signkit.tsp import response, token
from signkit.verification import policy_file
from signkit.verification.decide import decide
from signkit.verification.examine import examine
from signkit.verification.inputs import ArtifactInput, Trust
from signkit.verification.path_outcome import PathOutcome
from signkit.verification.policy import Identity, Policy
from signkit.verification.result import VerificationResult
from signkit.x509 import (
    bundle,
    certificate,
    general_names,
    intake,
    lint,
    names,
    ocsp,
    pem,
    public_key,
    request,
    revocation,
)
from signkit.x509.path import Bag
from signkit.x509.revocation import RevocationEvidence
from tests.support import extensions, pki
from tests.support.fakes import MemoryProvider, MemoryStore
from tests.support.private_keys import encrypted
from tests.support.purity import run_without_effects

ROOT = Path(__file__).resolve().parents[2]

# Pure parts (see docs/adr/0001-layers.md) without functions of their own.
WITHOUT_FUNCTIONS = {"ports"}


def exercise_errors() -> None:
    assert UsageError("found 1, expected 2", hint="use 2").exit_status == 2


def exercise_evidence() -> None:
    checks = [evidence.passed("a", found=1), evidence.failed("b", "found 1, expected 2"), evidence.skipped("c", "")]
    tree = evidence.group("group", [*checks, evidence.indeterminate("d", "no CRL")])
    assert tree.verdict is evidence.Verdict.FAIL
    assert evidence.find([tree], "d") is tree.children[3]


def exercise_key_references() -> None:
    assert str(reference.parse_key_version("alias/release@02")) == "alias/release@2"
    for wrong in ("alias/", "@1", "key@0"):
        try:
            reference.parse_key_version(wrong)
        except SignkitError:
            continue
        raise AssertionError(wrong)


def exercise_audit_entry() -> None:
    at = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert b'"at":"2025-01-02T03:04:05.000000Z"' in AuditEntry(at, "os:alice", "Sign", "ok", "request").encode()


def exercise_checkpoint_and_receipt() -> None:
    key = SigningKey(*algorithms.family("ed25519").generate(algorithms.key_type("ED25519")))
    log_key, entries = checkpoint.log_key("example.com/audit", key.public_key_info[-32:]), [b"a", b"b", b"c"]
    head = checkpoint.Checkpoint(log_key.name, len(entries), merkle.root_of(entries))
    note = checkpoint.sign(head, log_key, key.sign)
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    [one] = receipt.make(entries[1:2], leaves, 1, note)
    assert receipt.verify(one, checkpoint.parse_log_key(str(log_key))) == (b"b", 1, head)
    proof = merkle.consistency_proof(leaves, 2)
    assert merkle.verify_consistency(2, merkle.root_of(entries[:2]), 3, head.root_hash, proof)


def exercise_revocation() -> None:
    now = datetime(2025, 1, 2, tzinfo=UTC)
    lab = Authority.create(now, os.urandom)
    issuing, subject, key = lab.issuing, names.parse("CN=Release"), SigningKey.generate()
    profile = PURPOSES["code-signing"]
    leaf = issuing.issue(subject, key.public_key_info, profile, now=now, days=1, random=os.urandom)
    path = (leaf, issuing.certificate, lab.root.certificate)
    known = revoking.revoke(lab, Revocations(), leaf, reason="keyCompromise", when=now)
    evidence = RevocationEvidence(
        crls=tuple(revoking.crl(ca, known.of(lab, ca), number=1, now=now) for ca in (issuing, lab.root)),
        ocsp_responses=(revoking.answer_ocsp(lab, known, ocsp.request(path[0], path[1], b"nonce"), now=now),),
    )
    judge = revocation.checker(evidence, bag=Bag([path[2].der], [path[1].der]), at=now, now=now, mode="require")
    assert [check.verdict.value for check in judge(path)] == ["fail", "pass"]
    assert inspect_revocation.look(evidence.crls[0]) is not None
    assert gather(path, NoSource(), now=now).problems == ("nobody to ask",)


class NoSource:
    """A source that finds nothing."""

    connections = ()

    def fetch(self, *_: object) -> FetchedEvidence:
        return FetchedEvidence(problems=("nobody to ask",))


def exercise_recovery() -> None:
    at, key = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), SigningKey.generate()
    export = recovery.seal(Kek(1, bytes(32)), key.public_key_info, store_id="store", now=at)
    assert recovery.open_export(export, key.private_key_info, store_id="store").id == 1


def exercise_private_and_public_keys_of_others() -> None:
    info, public_key_info = algorithms.family("ec").generate(algorithms.key_type("EC_P256"))
    data = pem.private_key(pem.encode("PRIVATE KEY", encrypted(info, b"passphrase")).encode())
    plain = containers.read(data, lambda: b"passphrase")
    assert algorithms.import_private_key(plain)[::2] == ("EC_P256", public_key_info)
    assert all(public_key.encode(public_key_info, form) for form in public_key.FORMS)


def exercise_configuration() -> None:
    assert config.parse('[sign]\nkey = ["alias/release@2"]\n').sign_key == ("alias/release@2",)


def exercise_policy_file() -> None:
    text = (
        'version = 1\n[[policy]]\nname = "p"\nartifacts = ["dist/**"]\ntrust-anchors = ["root.pem"]\n'
        'signers = [{ subject = "CN=Release" }]\nactions = { "path.*.policies" = "warn" }\n'
        '[[test]]\nartifact = "dist/a"\nat = 2027-01-01\naccepted = true\n'
    )
    found = policy_file.parse(text, "F")
    assert found.policy_for("./dist/a") and not found.policy_for("a")
    for wrong in ("", "version = 1", text.replace("**", "")):
        try:
            policy_file.parse(wrong, "F")
        except SignkitError:
            continue
        raise AssertionError(wrong)


def exercise_ber_to_der() -> None:
    assert ber.to_der(bytes.fromhex("3080 0201 05 0000")) == bytes.fromhex("3003 0201 05")


def exercise_request_to_verdict() -> None:
    """From a key to a verdict, in memory: request, certificate, signature, path, decision."""
    now = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    key = SigningKey.generate()
    subject = names.parse("CN=Release,O=Acme")
    info = request.to_be_signed(subject, key.public_key_info, key_usage=("digital_signature",), purposes=())
    csr = request.assemble(info, key.algorithm, key.sign(info))
    authority = Authority.create(now, os.urandom)
    leaf, issuing, *_ = authority.issue(csr, now=now, random=os.urandom)
    assert pem.decode(pem.encode("CERTIFICATE", leaf).encode())[0].data == leaf

    artifact = b"artifact"
    digested = {"sha256": digests.digest("sha256", artifact)}
    cms = format_named("cms")
    algorithm = algorithms.signature_algorithm(algorithms.key_type_of(key.public_key_info))
    prepared = cms.prepare(certificate.load(leaf), (issuing,), algorithm, "sha256")
    attributes = cms.to_be_signed(prepared, digested["sha256"], now)
    signature = cms.assemble([SignedPart(prepared, attributes, key.sign(attributes))])
    assert cms.faults([prepared], signature, digested) == []

    trust = Trust((authority.root.certificate.der,), (), now)
    policy = Policy(Identity(subjects=(subject,)))
    for digest, accepted in ((digested["sha256"], True), (bytes(32), False)):
        subject_of_proof = ArtifactInput("a", "a.p7s", cms.parse(signature), {"sha256": digest}, True, None)
        result = VerificationResult((decide(examine(subject_of_proof, trust), policy),), now)
        assert result.accepted is accepted
        assert verification_report.document(result, tool_version="0")["accepted"] is accepted
        assert list(text_report.lines(result))


def exercise_certification_path() -> None:
    """A path with constraints and policies, as bytes."""
    chain = pki.chain()
    extra = [extensions.constraints([extensions.directory("O=Acme")]), extensions.policies("1.2.3")]
    issuing = pki.ca(pki.ISSUING, pki.key(2), pki.ROOT, pki.key(1), extra=extra)
    arguments = {"trust_anchors": [chain.root], "at": pki.NOW}
    result = validate_path(chain.leaf, intermediates=[issuing], **arguments)
    outcome = PathOutcome("leaf.pem", result, pki.NOW, pki.NOW, "code-signing", "code-signing")
    assert path_report.document(outcome, tool_version="0")["accepted"] is True
    assert list(path_report.lines(outcome, every_check=True))


def exercise_timestamp() -> None:
    """From a request to a token that is found right, in memory."""
    now = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    authority = timestamping.create(Authority.create(now, os.urandom), clock=lambda: now, random=os.urandom)
    answer = response.decode(authority.answer(tsp_request.over(b"signature value", "sha256", nonce=5).encode()))
    made = token.load(answer.token or b"")
    assert all(check.passed for check in token.answers(made, nonce=5, policy=timestamping.POLICY))
    found = token.examine(made, b"signature value", map(certificate.load, made.certificates))
    assert all(check.passed for check in found.checks)


def exercise_onboarding() -> None:
    """What lies between a key and its certificate: request, rules, words, chain, expiry, calendar, re-key."""
    now = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    key, authority = SigningKey.generate(), Authority.create(now, os.urandom)
    info = request.to_be_signed(
        names.parse_subject("CN=Release,O=Acme"),
        key.public_key_info,
        key_usage=("digitalSignature",),
        purposes=(oids.CODE_SIGNING,),
        alternative_names=general_names.parse_all(["dns:a.example", "ip:::1"]),
    )
    made = request.load(request.assemble(info, key.algorithm, key.sign(info)))
    leaf, issuing = map(certificate.load, authority.issue(made.der, now=now, random=os.urandom))
    assert not lint.has_errors(lint.lint(made, "cabf", now=now))
    assert list(report_x509.finding_lines(lint.lint(leaf, "cabf", now=now)))
    assert report_x509.request(made)["alternative_names"] == ["dns:a.example", "ip:::1"]
    data = intake.encode((leaf.der, issuing.der), "p7b")
    found = [certificate.load(der) for der in bundle.read(data).certificates]
    assert intake.order(leaf, found) == [issuing]
    events = [calendar.expiry("certificate", one, ["alias/release@1"]) for one in found]
    assert calendar.calendar(events, now=now, before=expiry.parse_window("30d")).endswith(b"END:VCALENDAR\r\n")
    prepared = full_pki_request.prepare(made.der, leaf, (), key.algorithm, now)
    assert full_pki_request.assemble(prepared, key.sign(prepared.signed_attributes))


def exercise_sealing() -> None:
    kek, context = Kek(1, bytes(32)), RecordContext("store", "key", "version", 1, "EC_P256", "SIGN/VERIFY", b"public")
    assert kek.open(kek.seal(b"secret", context, os.urandom), context) == b"secret"


def exercise_key_operations() -> None:
    now = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    store = MemoryStore()
    identifiers = map("id-{}".format, count())
    service = KeyService(
        store, {"memory": MemoryProvider()}, clock=lambda: now, new_id=lambda: next(identifiers), principal="os:alice"
    )
    service.create_key("EC_P256", alias="alias/release", provider="memory")
    algorithm = algorithms.signature_algorithm("EC_P256")
    version = reference.parse_key_version("alias/release@1")
    signatures = service.use.sign(version, algorithm.name, [SignInput(bytes(32), bytes(32), "app.bin")])
    public_key_info = service.directory.version(version)[1].public_key_info
    assert algorithms.verify_digest(algorithm, public_key_info, bytes(32), signatures[0]) == ""
    assert [entry.action for entry in store.entries] == ["CreateKey", "AsymmetricSign"]


def opens_a_file() -> None:
    with open(__file__):  # what no exercise may do
        pass


def opens_a_file_and_hides_it() -> None:
    try:
        opens_a_file()
    except BaseException:
        return


def imports_lazily() -> None:
    import colorsys  # an import alone is no effect

    colorsys.rgb_to_hsv(0, 0, 0)


EXERCISES: dict[str, Callable[[], None]] = {
    name: value for name, value in globals().items() if name.startswith("exercise_") and callable(value)
}
PROOFS: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (opens_a_file, opens_a_file_and_hides_it, imports_lazily)
}


@pytest.fixture(scope="module")
def outcome() -> dict[str, object]:
    """Effects by exercise, and the modules that were exercised; from a process of its own."""
    command = [sys.executable, "-m", "tests.unit.test_purity"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", EXERCISES)
def test_pure_code_has_no_effects(outcome: dict[str, dict[str, list[str]]], name: str) -> None:
    assert outcome["effects"][name] == []


def test_the_hook_sees_effects_and_allows_imports(outcome: dict[str, dict[str, list[str]]]) -> None:
    effects = outcome["effects"]
    assert effects["opens_a_file"][0].startswith("open(")
    assert effects["opens_a_file_and_hides_it"][0].startswith("open(")
    assert effects["imports_lazily"] == []


def test_every_pure_part_is_exercised(outcome: dict[str, list[str]]) -> None:
    pure = {"errors", "evidence", "der", "algorithms", "x509", "tsp", "cms", "formats", "verification", "keys", "audit"}
    pure |= {"config", "ports", "operations", "report"}
    existing = {name for name in pure if any((ROOT / "signkit").glob(f"{name}.py")) or has_functions(name)}
    exercised = {module.split(".")[1] for module in outcome["modules"]}
    assert existing - exercised - WITHOUT_FUNCTIONS == set()


def has_functions(name: str) -> bool:
    """Whether a package of that name has code beyond its docstring."""
    return any(file.name != "__init__.py" for file in (ROOT / "signkit" / name).glob("*.py"))


if __name__ == "__main__":
    effects, modules = run_without_effects(EXERCISES | PROOFS)
    json.dump({"effects": effects, "modules": modules}, sys.stdout)
