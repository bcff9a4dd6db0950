"""``signkit manifest``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session
from signkit.cli.progress import Progress
from signkit.cli.sign_cmd import Timestamp, TsaTrust
from signkit.cli.verify_options import VerifyOptions, judge, with_verify_options

app = App(help="One signature for a folder, however many files are in it.")

_Folder = Annotated[str, typer.Argument(metavar="DIR")]
_Jobs = Annotated[int, typer.Option(metavar="N", min=0, help="Processes that digest; 0 = one for each core.")]


@app.verb("create")
def create(
    context: typer.Context,
    folder: _Folder,
    key: Annotated[
        list[str] | None, typer.Option(metavar="KEY@V", help="Key version [default: signkit.toml]; may repeat.")
    ] = None,
    include: Annotated[list[str], typer.Option(metavar="P", help="Files that are meant [all]; may repeat.")] = [],  # noqa: B006
    exclude: Annotated[list[str], typer.Option(metavar="P", help="Files that are not; may repeat.")] = [],  # noqa: B006
    follow: Annotated[bool, typer.Option("--follow", help="Links within the folder count as files.")] = False,
    timestamp: Timestamp = [],  # noqa: B006
    tsa_trust: TsaTrust = [],  # noqa: B006
    jobs: _Jobs = 0,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write DIR/SHA256SUMS and its signature. Patterns such as '**/*.log' or 'build/' are signed with the digests."""
    from signkit.cli import manifest_documents
    from signkit.formats.checksums import Rules
    from signkit.operations.sign import SignOptions

    run = session(context)
    wiring = run.wiring()
    references = wiring.sign_references(key or ())
    options = SignOptions(
        digest=wiring.settings.digest,
        policy=wiring.sign_policy,
        minimum_remaining_days=wiring.settings.minimum_remaining_days,
        overwrite=force,
        dry_run=dry_run,
    )
    stamper = wiring.timestamps.stamper(timestamp, tsa_trust, policy="", optional=False, format="cms")
    with Progress("hashing", (), quiet=run.quiet or run.json) as progress:
        service = wiring.manifests(jobs=jobs, progress=progress.advance, stamper=stamper)
        made = service.create(folder, references, Rules(tuple(include), tuple(exclude)), options, follow_links=follow)
    verb = "would sign" if dry_run else "signed"
    signers = [
        f"{reference} ({one.algorithm.name}), {one.certificate.subject}"
        for reference, one in zip(references, made.signed.signers, strict=True)
    ]
    for notice in made.signed.notices:
        run.notice(notice)
    lines = [f"{verb} {made.path}: {made.files} file(s), {made.size} bytes, with {'; '.join(signers)}"]
    run.emit(manifest_documents.created(made), lines)


@app.verb("verify")
@with_verify_options
def verify(
    context: typer.Context,
    folder: _Folder,
    only: Annotated[
        list[str], typer.Option(metavar="FILE", help="Verify this file without the others; may repeat.")
    ] = [],  # noqa: B006
    *,
    options: VerifyOptions,
    every_check: Annotated[bool, typer.Option("--every-check", help="List the checks that passed, too.")] = False,
    jobs: _Jobs = 0,
) -> None:
    """Judge the signature of DIR/SHA256SUMS, then each file: changed, missing, or there and not signed."""
    from signkit.cli import manifest_documents
    from signkit.operations.manifest import raise_unless_accepted

    run = session(context)
    with Progress("verifying", (), quiet=run.quiet or run.json) as progress:
        service = run.wiring().manifests(jobs=jobs, progress=progress.advance)
        result = service.verify(folder, lambda source, path: judge(run, [path], options, source=source), only=only)
    for notice in result.verification.notices:
        run.notice(f"warning: {notice}")
    run.emit(manifest_documents.verified(result), manifest_documents.lines(result, every_check=every_check))
    raise_unless_accepted(result)
