"""``signkit verify``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signkit.cli import reports
from signkit.cli.base import App, Force, Session, session
from signkit.cli.progress import Progress
from signkit.cli.verify_options import VerifyOptions, judge, option, with_verify_options

if TYPE_CHECKING:
    from signkit.verification.result import VerificationResult

app = App()


@app.verb("verify")
@with_verify_options
def verify(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...")],
    signature: Annotated[str | None, option("F", "Its signature [default: FILE.p7s].")] = None,
    *,
    options: VerifyOptions,
    every_check: Annotated[bool, typer.Option("--every-check", help="List the checks that passed, too.")] = False,
    report: Annotated[list[str], option("FORMAT=F", reports.HELP)] = [],  # noqa: B006
    force: Force = False,
) -> None:
    """Judge certificate chain and signature of each file together; 0 only when every file is accepted."""
    from signkit.operations.verify import raise_unless_accepted

    run = session(context)
    wanted = reports.prepare(run, report, force=force)
    with Progress("verifying", files, quiet=run.quiet or run.json) as progress:
        result = judge(run, files, options, signature=signature, progress=progress.advance)
    document = _print(run, result, every_check, needed=bool(wanted))
    reports.deliver(run, wanted, document, trust=options.trust, intermediates=options.intermediate, force=force)
    raise_unless_accepted(result)


def _print(run: Session, result: VerificationResult, every_check: bool, *, needed: bool) -> Mapping[str, Any]:
    """Print the report; the document is made where somebody reads it."""
    for notice in result.notices:
        run.notice(f"warning: {notice}")
    document: Mapping[str, Any] = {}
    if run.json or needed:
        from signkit.report import verification
        from signkit.version import VERSION

        document = verification.document(result, tool_version=VERSION)
    if run.json:
        run.emit(document, ())
    else:
        from signkit.report import text

        run.emit({}, text.lines(result, every_check=every_check))
    return document
