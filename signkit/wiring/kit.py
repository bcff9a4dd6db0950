"""Consumer kits for what is signed with a store; apart from ``wiring`` because few runs need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from signkit.files import FileSink, FileSource
from signkit.operations.kit import KitService

if TYPE_CHECKING:
    from signkit.keys.reference import KeyReference
    from signkit.operations.sign import SignedArtifact
    from signkit.wiring import Wiring


def prepare(
    wiring: Wiring,
    folder: str | None,
    references: Sequence[KeyReference],
    *,
    trust: Sequence[str],
    tsa_trust: Sequence[str],
    overwrite: bool,
    dry_run: bool,
) -> Callable[[Sequence[SignedArtifact]], tuple[str, ...]]:
    """Check that the kit can be made; what is returned writes it and gives its files (none without a folder).

    Args:
        wiring: the opened parts.
        folder: where the kit goes; None = no kit is wanted.
        references: the key versions that sign.
        trust: files with the trust anchors; empty = the roots of the bound chains.
        tsa_trust: files with trust anchors of timestamp authorities.
        overwrite: replace what exists.
        dry_run: only say what would be written.

    Raises:
        UsageError: trust anchors without a kit, or a kit without a trust anchor; see ``KitService.plan``.
    """
    if folder is None:
        _refuse_without_kit([*trust, *tsa_trust])
        return lambda artifacts: ()
    service = KitService(FileSource(), FileSink(), clock=wiring.clock)
    bound = [wiring.certificates.current(reference) for reference in references]
    plan = service.plan(folder, bound, trust=trust, tsa_trust=tsa_trust, overwrite=overwrite)
    return (lambda artifacts: plan.files) if dry_run else (lambda artifacts: service.write(plan, artifacts))


def _refuse_without_kit(anchors: Sequence[str]) -> None:
    from signkit.errors import UsageError

    if anchors:
        raise UsageError(f"trust anchors for a kit ({', '.join(anchors)}), but no kit is wanted", hint="add --kit DIR")
