"""``signkit verify``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli import reports
from signkit.cli.base import App, Force, session
from signkit.cli.progress import Progress
from signkit.errors import UsageError

app = App()
_HELP_SIGNER = "The signer's subject must have all of these; may repeat (any of them)."


@app.verb("verify")
def verify(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...")],
    signature: Annotated[str | None, typer.Option(metavar="F", help="Its signature [default: FILE.p7s].")] = None,
    trust: Annotated[list[str], typer.Option(metavar="F", help="Trust anchors, never implied; may repeat.")] = [],  # noqa: B006
    intermediate: Annotated[list[str], typer.Option(metavar="F", help="Further certificates; may repeat.")] = [],  # noqa: B006
    signer: Annotated[list[str], typer.Option(metavar="DN", help=_HELP_SIGNER)] = [],  # noqa: B006
    issuer: Annotated[
        str | None, typer.Option(metavar="DN", help="Issuer of the signer's certificate; it must have all these.")
    ] = None,
    spki_sha256: Annotated[
        list[str], typer.Option(metavar="HEX", help="SHA-256 of the signer's public key; may repeat.")
    ] = [],  # noqa: B006
    require_identity: Annotated[
        bool, typer.Option("--require-identity", help="Refuse when no signer was named.")
    ] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Judge as if now were TIME, e.g. 2027-01-31T12:00:00Z.")
    ] = None,
    every_check: Annotated[bool, typer.Option("--every-check", help="List the checks that passed, too.")] = False,
    report: Annotated[list[str], typer.Option(metavar="FORMAT=F", help=reports.HELP)] = [],  # noqa: B006
    force: Force = False,
) -> None:
    """Judge certificate chain and signature of each file together; 0 only when every file is accepted."""
    from signkit.cli.arguments import moment
    from signkit.operations.verify import raise_unless_accepted
    from signkit.verification.policy import Identity, Policy

    run = session(context)
    wanted = reports.prepare(run, report, force=force)
    if issuer == "":
        raise UsageError("--issuer is empty, expected a distinguished name", hint="leave it out to accept any issuer")
    named = bool(signer or issuer is not None or spki_sha256)
    identity = Identity.of(subjects=signer, issuer=issuer or "", public_key_sha256=spki_sha256) if named else Identity()
    with Progress("verifying", files, quiet=run.quiet or run.json) as progress:
        result = (
            run.wiring()
            .verifying(progress=progress.advance)
            .verify(
                files,
                trust=trust,
                intermediates=intermediate,
                signature=signature,
                policy=Policy(identity, require_identity),
                at=moment(at) if at is not None else None,
            )
        )
    from signkit.report import text, verification
    from signkit.version import VERSION

    document = verification.document(result, tool_version=VERSION) if run.json or wanted else {}
    run.emit(document, () if run.json else text.lines(result, every_check=every_check))
    reports.deliver(run, wanted, document, trust=trust, intermediates=intermediate, force=force)
    raise_unless_accepted(result)
