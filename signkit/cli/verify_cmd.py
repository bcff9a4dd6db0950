"""``signkit verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from signkit.cli.base import App, Session, session
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
) -> None:
    """Judge certificate chain and signature of each file together; 0 only when every file is accepted."""
    from signkit.operations.verify import raise_unless_accepted

    run = session(context)
    with Progress("verifying", files, quiet=run.quiet or run.json) as progress:
        result = judge(run, files, options, signature=signature, progress=progress.advance)
    _print(run, result, every_check)
    raise_unless_accepted(result)


def _print(run: Session, result: VerificationResult, every_check: bool) -> None:
    for notice in result.notices:
        run.notice(f"warning: {notice}")
    if run.json:
        from signkit.report import verification
        from signkit.version import VERSION

        run.emit(verification.document(result, tool_version=VERSION), ())
    else:
        from signkit.report import text

        run.emit({}, text.lines(result, every_check=every_check))
