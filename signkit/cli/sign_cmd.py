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
    follow: Annotated[bool, typer.Option("--follow", help="Sign what symbolic links point to.")] = False,
    receipt: Annotated[bool, typer.Option("--receipt", help="Write FILE.receipt too: proof of the log entry.")] = False,
    kit: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write a kit for whoever verifies these files.")
    ] = None,
    kit_trust: Annotated[
        list[str], typer.Option(metavar="F", help="The kit's trust anchors [default: the root of the chain].")
    ] = [],  # noqa: B006
    kit_tsa_trust: Annotated[
        list[str], typer.Option(metavar="F", help="Trust anchors of timestamp authorities for the kit.")
    ] = [],  # noqa: B006
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write a detached CMS signature, FILE.p7s, for each file."""
    from signkit.cli import documents
    from signkit.operations.sign import SignOptions
    from signkit.wiring import kit as kits

    run = session(context)
    wiring = run.wiring()
    reference = wiring.sign_reference(key)
    options = SignOptions(
        digest=digest or wiring.settings.digest, out_dir=out_dir, overwrite=force, dry_run=dry_run
    )._replace(receipt=receipt)
    trusts = {"trust": kit_trust, "tsa_trust": kit_tsa_trust}
    write_kit = kits.prepare(wiring, kit, [reference], **trusts, overwrite=force, dry_run=dry_run)
    with Progress("hashing", files, quiet=run.quiet or run.json) as progress:
        signed = wiring.signing(follow_links=follow, progress=progress.advance).sign(files, reference, options)
    for path in signed.skipped:
        run.notice(f"{path}: left out, it is a signature")
    verb = "would sign" if dry_run else "signed"
    lines = [f"{verb} {one.artifact} -> {one.signature}" for one in signed.artifacts]
    lines += [f"receipt of {one.artifact}: {one.receipt}" for one in signed.artifacts if one.receipt]
    signer = f"{reference} ({signed.algorithm.name}), {signed.certificate.subject}"
    lines.append(f"{verb} {len(signed.artifacts)} file(s) with {signer}")
    made = write_kit(signed.artifacts)
    lines += [f"{'would write' if dry_run else 'wrote'} {path}" for path in made]
    run.emit({**documents.signed(signed), "kit": list(made)}, lines)
