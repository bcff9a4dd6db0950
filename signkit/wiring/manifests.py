"""Manifests of folders, with their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from signkit.files import FileSink, FileSource
from signkit.operations.manifest import ManifestService
from signkit.tree import FileTree

if TYPE_CHECKING:
    from signkit.operations.sign import SigningService, Stamper
    from signkit.ports import ArtifactSource
    from signkit.wiring import Wiring


def service(
    wiring: Wiring, *, jobs: int, progress: Callable[[int], None] | None, stamper: Stamper | None = None
) -> ManifestService:
    """Making and verifying of manifests; the store is opened when the first one is signed.

    Args:
        wiring: the parts.
        jobs: processes that digest; 0 = one for each core.
        progress: called with the number of bytes that were just digested.
        stamper: gives the signature its timestamp; None = it gets none.
    """

    def signing(source: ArtifactSource) -> SigningService:
        from signkit.operations.sign import SigningService

        return SigningService(
            wiring.keys,
            wiring.certificates,
            source,
            FileSink(),
            clock=wiring.clock,
            verifying=wiring.verifying,
            stamper=stamper,
        )

    return ManifestService(FileTree(jobs=jobs, progress=progress), FileSource(), FileSink(), signing)
