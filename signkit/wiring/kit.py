"""Consumer kits for what is signed with a store; apart from ``wiring`` because few runs need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from signkit.algorithms import DEFAULT_SIGNER_ID
from signkit.errors import UsageError
from signkit.files import FileSink, FileSource

if TYPE_CHECKING:
    from signkit.keys.reference import KeyReference
    from signkit.operations.sign import SignedArtifact, SignOptions
    from signkit.wiring import Wiring


def prepare(
    wiring: Wiring,
    folder: str | None,
    references: Sequence[KeyReference],
    *,
    trust: Sequence[str],
    tsa_trust: Sequence[str],
    options: SignOptions,
) -> Callable[[Sequence[SignedArtifact]], tuple[str, ...]]:
    """Check that the kit can be made; what is returned writes it and gives its files (none without a folder).

    Args:
        wiring: the opened parts.
        folder: where the kit goes; None = no kit is wanted.
        references: the key versions that sign.
        trust: files with the trust anchors; empty = the roots of the bound chains.
        tsa_trust: files with trust anchors of timestamp authorities.
        options: how the artifacts will be signed.

    Raises:
        UsageError: trust anchors without a kit, signatures that a kit is not for, or a kit without a trust anchor; see
            ``KitService.plan`` for this and the rest.
    """
    if folder is None:
        _refuse_without_kit(trust)
        return lambda artifacts: ()
    from signkit.operations.kit import KitService  # path validation, which plain signing does without

    _refuse_unusual(options)
    service = KitService(FileSource(), FileSink(), clock=wiring.clock)
    bound = [wiring.certificates.current(reference) for reference in references]
    plan = service.plan(folder, bound, trust=trust, tsa_trust=tsa_trust, overwrite=options.overwrite)
    return (lambda artifacts: plan.files) if options.dry_run else (lambda artifacts: service.write(plan, artifacts))


def _refuse_without_kit(anchors: Sequence[str]) -> None:
    if anchors:
        raise UsageError(f"trust anchors for a kit ({', '.join(anchors)}), but no kit is wanted", hint="add --kit DIR")


def _refuse_unusual(options: SignOptions) -> None:
    if options.format != "cms" or options.sm2_id != DEFAULT_SIGNER_ID:
        found = f"format {options.format}" if options.format != "cms" else "another SM2 identifier"
        raise UsageError(
            f"a kit for {found}: expected CMS signatures with the usual SM2 identifier",
            hint="sign without --kit, and tell the consumers how to verify",
        )
