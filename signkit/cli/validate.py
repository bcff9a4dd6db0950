"""``signkit cert validate``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import session

_PURPOSE = "What LEAF must be for: code-signing, timestamping or any."
_PROFILE = "code-signing, cabf, authenticode or private."
_REVOCATION = "ignore, check or require [default: check if there is --crl or --ocsp, else ignore]."


def validate(
    context: typer.Context,
    leaf: Annotated[str, typer.Argument(metavar="LEAF")],
    trust: Annotated[list[str], typer.Option(metavar="F", help="Trust anchors, never implied; may repeat.")] = [],  # noqa: B006
    intermediate: Annotated[list[str], typer.Option(metavar="F", help="Further certificates; may repeat.")] = [],  # noqa: B006
    crl: Annotated[list[str], typer.Option(metavar="F", help="CRLs; may repeat.")] = [],  # noqa: B006
    ocsp: Annotated[list[str], typer.Option(metavar="F", help="OCSP responses; may repeat.")] = [],  # noqa: B006
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time of signing to judge the path at [default: --now].")
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="The present, for revocation evidence [default: the clock].")
    ] = None,
    purpose: Annotated[str, typer.Option(metavar="P", help=_PURPOSE)] = "code-signing",
    profile: Annotated[str, typer.Option(metavar="P", help=_PROFILE)] = "code-signing",
    sm2_id: Annotated[
        str | None, typer.Option(metavar="HEX", help="Identifier of SM2 signers [default: 1234567812345678 as text].")
    ] = None,
    revocation: Annotated[str | None, typer.Option(metavar="MODE", help=_REVOCATION)] = None,
    every_check: Annotated[
        bool, typer.Option("--every-check", help="List the checks that passed, and the other paths, too.")
    ] = False,
) -> None:
    """Validate the certification path of the first certificate in a file; others in it serve as intermediates."""
    from signkit.cli.arguments import moment, signer_id
    from signkit.operations.validate import raise_unless_valid
    from signkit.report import path
    from signkit.version import VERSION

    run = session(context)
    outcome = (
        run.wiring()
        .paths()
        .validate(
            leaf,
            trust=trust,
            intermediates=intermediate,
            crls=crl,
            ocsp_responses=ocsp,
            at=moment(at) if at is not None else None,
            now=moment(now) if now is not None else None,
            purpose=purpose,
            profile=profile,
            sm2_id=signer_id(sm2_id),
            revocation=revocation,
        )
    )
    if run.json:
        run.emit(path.document(outcome, tool_version=VERSION), ())
    else:
        run.emit({}, path.lines(outcome, every_check=every_check))
    raise_unless_valid(outcome)
