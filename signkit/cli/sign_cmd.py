"""``signkit sign``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from signkit.cli.base import App, DryRun, Force, Session, session
from signkit.cli.progress import Progress

if TYPE_CHECKING:
    from signkit.operations.sign import Signed

app = App()


@app.verb("sign")
def sign(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False)] = [],  # noqa: B006
    key: Annotated[str | None, typer.Option(metavar="KEY@V", help="Key version [default: from signkit.toml].")] = None,
    digest: Annotated[str, typer.Option(metavar="sha256|sha384|sha512", help="Digest to sign.")] = "",
    out_dir: Annotated[str, typer.Option(metavar="D", help="Folder for the signatures [default: beside each].")] = "",
    files_from: Annotated[
        str | None, typer.Option(metavar="F", help="Further files from a list, one a line; - = standard input.")
    ] = None,
    null: Annotated[bool, typer.Option("--null", "-0", help="The list is separated by NUL characters.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Sign what symbolic links point to.")] = False,
    jobs: Annotated[int, typer.Option(metavar="N", min=0, help="Processes and threads; 0 = one for each core.")] = 0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Sign what can be signed, and list the rest at the end.")
    ] = False,
    skip_signed: Annotated[
        bool, typer.Option("--skip-signed", help="Leave alone what this certificate has signed as it is now.")
    ] = False,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write a detached CMS signature, FILE.p7s, for each file."""
    from signkit.cli import documents
    from signkit.cli.arguments import listed_files
    from signkit.operations.sign import SignOptions, raise_for_failures

    run = session(context)
    wiring = run.wiring()
    reference = wiring.sign_reference(key)
    options = SignOptions(
        digest=digest or wiring.settings.digest,
        out_dir=out_dir,
        overwrite=force,
        dry_run=dry_run,
        keep_going=keep_going,
        skip_signed=skip_signed,
    )
    paths = [*files, *listed_files(run.read(files_from, "list of files") or b"", null=null)]
    with Progress("hashing", paths, quiet=run.quiet or run.json) as progress:
        service = wiring.signing(follow_links=follow, progress=progress.advance, jobs=jobs)
        signed = service.sign(paths, reference, options)
    for path in signed.skipped:
        run.notice(f"{path}: left out, it is a signature")
    run.emit(documents.signed(signed), _lines(signed, f"{reference} ({signed.algorithm.name})", dry_run))
    _tell_failures(run, signed)
    raise_for_failures(signed)


def _lines(signed: Signed, signer: str, dry_run: bool) -> Iterator[str]:
    verb = "would sign" if dry_run else "signed"
    for one in signed.artifacts:
        yield f"{verb} {one.artifact} -> {one.signature}"
    if signed.unchanged:
        yield f"left {len(signed.unchanged)} file(s) alone, they are signed already"
    yield f"{verb} {len(signed.artifacts)} file(s) with {signer}, {signed.certificate.subject}"


def _tell_failures(run: Session, signed: Signed) -> None:
    for failure in signed.failures:
        named = failure.error.message.startswith(failure.artifact)
        message = failure.error.message if named else f"{failure.artifact}: {failure.error.message}"
        run.notice(f"not signed: {message}")
    if signed.failures:
        total = len(signed.artifacts) + len(signed.unchanged) + len(signed.failures)
        run.notice(f"{len(signed.failures)} of {total} file(s) were not signed")
