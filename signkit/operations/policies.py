"""Policy files: read, checked with the files they name, and held against their own test cases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from signkit.errors import ConfigurationError, FileError, MalformedError, RefusedError, UsageError
from signkit.operations import evidence_files
from signkit.ports import ArtifactSource
from signkit.verification import policy_file
from signkit.verification.policy_fields import SYSTEM
from signkit.verification.policy_file import FilePolicy, PolicyFile

if TYPE_CHECKING:
    from signkit.operations.verify import VerifyingService
    from signkit.verification.policy_tests import PolicyTest
    from signkit.verification.result import ArtifactResult

MAXIMUM_POLICY = 1 << 20
TESTS_SUFFIX = ".tests.toml"


class Tested(NamedTuple):
    """A test case and what it came to.

    Attributes:
        test: the case.
        result: the verdict.
        agreed: whether it is the expected one.
    """

    test: PolicyTest
    result: ArtifactResult
    agreed: bool

    @property
    def found(self) -> str:
        """The verdict in the words of the test case."""
        from signkit.verification.policy_tests import found

        return found(self.result)


def load(source: ArtifactSource, path: str) -> PolicyFile:
    """The policy file at that path; the files it names are not read yet.

    Raises:
        FileError: it can't be read.
        ConfigurationError: it is invalid.
    """
    return policy_file.parse(_text(source, path), path)


def check(source: ArtifactSource, path: str) -> PolicyFile:
    """The policy file at that path, with every trust anchor that it names read, and its test cases.

    Raises:
        FileError: it can't be read, or a file that it names.
        ConfigurationError: it is invalid, or a file that it names holds no certificate.
    """
    policies = load(source, path)
    for one in policies.policies:
        for key, named in (("trust-anchors", one.trust_anchors), ("tsa-trust-anchors", one.tsa_trust_anchors)):
            anchors(source, policies, one, key, [path for path in named if path != SYSTEM])
    return policies._replace(tests=_tests(source, policies))


def test(source: ArtifactSource, service: VerifyingService, path: str) -> list[Tested]:
    """Run the test cases that stand in the policy file and in the file beside it (``F.tests.toml``).

    Raises:
        FileError: a file can't be read.
        ConfigurationError: a file is invalid, or there is no test case.
    """
    policies = check(source, path)
    if not policies.tests:
        raise ConfigurationError(
            f"{path}: no test case in it, and no file {path}{TESTS_SUFFIX}, expected at least one [[test]]",
            hint="docs/policy.md shows one",
        )
    return [_run(service, policies, one) for one in policies.tests]


def require_agreement(tested: Sequence[Tested]) -> None:
    """What must not be ignored is an exception.

    Raises:
        RefusedError: a test case found another verdict than it expected.
    """
    wrong = [one for one in tested if not one.agreed]
    if wrong:
        first = wrong[0]
        message = f"test '{first.test.name}': found {first.found}, expected {first.test.expected}"
        more = f" (and {len(wrong) - 1} more of {len(tested)} tests)" if len(wrong) > 1 else ""
        hint = "mend the policy, or the test if it expects the wrong thing"
        raise RefusedError(message + more, hint=hint, code="PolicyTestFailed")


def anchors(
    source: ArtifactSource, policies: PolicyFile, one: FilePolicy, key: str, named: Sequence[str]
) -> tuple[bytes, ...]:
    """DER of the certificates in files that a policy names, relative to its file.

    Args:
        source: reads files.
        policies: the policy file.
        one: the policy in it.
        key: where it names them.
        named: the files.

    Raises:
        FileError: one can't be read.
        ConfigurationError: one holds no certificate or a broken one.
    """
    try:
        return evidence_files.certificates(source, [_beside(policies.name, path) for path in named])
    except MalformedError as error:
        raise ConfigurationError(_where(policies, one, key, error.message), hint=error.hint) from error
    except FileError as error:
        raise FileError(_where(policies, one, key, error.message), path=error.path, hint=error.hint) from error


def mixed(option: str, name: str) -> UsageError:
    """The error for an option that would change what a policy file says."""
    return UsageError(
        f"{option} stands beside the policy {name}, expected one of the two: the policy names what is trusted",
        hint=f"leave out {option}, or the policy",
    )


def _where(policies: PolicyFile, one: FilePolicy, key: str, problem: str) -> str:
    return f"{policies.name}: policy '{one.policy.name}': {key}: {problem}"


def _tests(source: ArtifactSource, policies: PolicyFile) -> tuple[PolicyTest, ...]:
    path = policies.name + TESTS_SUFFIX
    from signkit.verification.policy_tests import parse_tests

    beside = parse_tests(_text(source, path), path) if source.exists(path) else ()
    return (*policies.tests, *beside)


def _run(service: VerifyingService, policies: PolicyFile, one: PolicyTest) -> Tested:
    def beside(paths: Sequence[str]) -> list[str]:
        return [_beside(policies.name, path) for path in paths]

    [result] = service.verify(
        beside([one.artifact]),
        policy=policies,
        signature=_beside(policies.name, one.signature) if one.signature else None,
        intermediates=beside(one.intermediates),
        crls=beside(one.crls),
        ocsp_responses=beside(one.ocsp_responses),
        at=one.at,
        named=one.named or one.artifact,
    ).artifacts
    return Tested(one, result, one.expected.agrees(result))


def _beside(name: str, path: str) -> str:
    return os.path.join(os.path.dirname(name), path)


def _text(source: ArtifactSource, path: str) -> str:
    data = source.read(path, limit=MAXIMUM_POLICY, what="policy")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8: {error.reason}") from error
