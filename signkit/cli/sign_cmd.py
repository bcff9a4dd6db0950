"""``signkit sign``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session
from signkit.cli.progress import Progress

app = App()


@app.verb("sign")
def sign(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...")],
    key: Annotated[str | None, typer.Option(metavar="KEY@V", help="Key version [default: from signkit.toml].")] = None,
    digest: Annotated[str, typer.Option(metavar="sha256|sha384|sha512", help="Digest to sign.")] = "",
    out_dir: Annotated[str, typer.Option(metavar="D", help="Folder for the signatures [default: beside each].")] = "",
    timestamp: Annotated[
        list[str], typer.Option(metavar="URL", help="Time-stamping authority; may repeat, tried in order.")
    ] = [],  # noqa: B006
    timestamp_optional: Annotated[
        bool, typer.Option("--timestamp-optional", help="Sign without a timestamp when there is none to be had.")
    ] = False,
    tsa_trust: Annotated[
        list[str], typer.Option(metavar="F", help="Trust anchors of the authorities; may repeat.")
    ] = [],  # noqa: B006
    tsa_policy: Annotated[str, typer.Option(metavar="OID", help="Policy to ask the authority for.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Sign what symbolic links point to.")] = False,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write a detached CMS signature, FILE.p7s, for each file."""
    from signkit.cli import documents
    from signkit.operations.sign import SignOptions
    from signkit.operations.timestamp import SignatureStamper

    run = session(context)
    wiring = run.wiring()
    reference = wiring.sign_reference(key)
    options = SignOptions(digest=digest or wiring.settings.digest, out_dir=out_dir, overwrite=force, dry_run=dry_run)
    stamping = wiring.stamping(timestamp, tsa_trust, policy=tsa_policy)
    stamper = SignatureStamper(stamping, optional=timestamp_optional) if stamping else None
    with Progress("hashing", files, quiet=run.quiet or run.json) as progress:
        service = wiring.signing(follow_links=follow, progress=progress.advance, stamper=stamper)
        signed = service.sign(files, reference, options)
    for notice in stamper.notices if stamper else ():
        run.notice(f"warning: {notice}")
    for path in signed.skipped:
        run.notice(f"{path}: left out, it is a signature")
    verb = "would sign" if dry_run else "signed"
    lines = [f"{verb} {one.artifact} -> {one.signature}" for one in signed.artifacts]
    signer = f"{reference} ({signed.algorithm.name}), {signed.certificate.subject}"
    lines.append(f"{verb} {len(signed.artifacts)} file(s) with {signer}")
    run.emit(documents.signed(signed), lines)
