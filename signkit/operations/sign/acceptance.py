"""What the policy says of a signature before it is written: the very judgement that a verifier will make."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from signkit import formats
from signkit.errors import RefusedError, UsageError
from signkit.operations.sign.options import SignOptions
from signkit.operations.sign.pipeline import Work
from signkit.operations.sign.signers import Opened

if TYPE_CHECKING:
    from signkit.operations.verify import VerifyingService
    from signkit.verification.inputs import ArtifactInput
    from signkit.verification.policy_file import PolicyFile
    from signkit.verification.result import ArtifactResult


class Acceptance:
    """A policy file that every signature of a call must satisfy."""

    def __init__(self, rules: PolicyFile, judge: Callable[[ArtifactInput], ArtifactResult], format: str) -> None:
        """Take the policies, what judges by them, and the name of the signature format."""
        self._rules = rules
        self._judge = judge
        self._format = format

    def require_covered(self, artifacts: Iterable[str]) -> None:
        """Refuse artifacts that no policy is for, before a key is used.

        Raises:
            RefusedError: there is one.
        """
        for artifact in artifacts:
            if self._rules.policy_for(artifact) is None:
                raise RefusedError(
                    f"{artifact}: {self._rules.uncovered(artifact)}",
                    hint="name the file as the policy does, or sign by another --policy",
                    code="PolicyRefused",
                )

    def require(self, work: Work, signature: bytes) -> None:
        """Refuse a signature that the policy would refuse.

        Raises:
            RefusedError: it would.
        """
        from signkit.verification.inputs import ArtifactInput, is_one_element
        from signkit.verification.result import hint_for

        parsed = formats.format_named(self._format).parse(signature)
        is_der = is_one_element(work.head, work.size)
        result = self._judge(ArtifactInput(work.artifact, work.output, parsed, work.digested, True, None, is_der))
        if not result.accepted:
            first = result.problems[0]
            raise RefusedError(
                f"{work.artifact}: policy '{result.policy}' of {self._rules.name} would refuse the signature: "
                f"{first.name}: {first.detail}",
                hint=hint_for(first) or "nothing was written; sign as the policy wants it, or change the policy",
                code="PolicyRefused",
            )


def load_acceptance(
    verifying: Callable[[], VerifyingService] | None, options: SignOptions, signers: Opened
) -> Acceptance | None:
    """The policy file that the options name, ready to judge; None when they name none.

    Raises:
        FileError: it can't be read.
        ConfigurationError: it is invalid.
        UsageError: the format says too little for a policy to judge.
    """
    if not options.policy or verifying is None:
        return None
    if options.format == "raw":
        raise UsageError(
            f"a bare signature value carries no certificate, so {options.policy} can't accept it",
            hint="sign with --format cms, the default",
        )
    service = verifying()
    rules = service.load_policy(options.policy)
    return Acceptance(rules, service.judging(rules, sm2_id=options.sm2_id), signers.recipe.format)
