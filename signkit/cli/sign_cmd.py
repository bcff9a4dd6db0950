"""``signkit sign``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session
from signkit.cli.progress import Progress

app = App()


Keys = Annotated[list[str] | None, typer.Option("--key", metavar="KEY@V", help="Key version [default: signkit.toml].")]
Files = Annotated[list[str], typer.Argument(metavar="FILE...")]
Digest = Annotated[str, typer.Option(metavar="sha256|sha384|sha512", help="Digest to sign.")]
Padding = Annotated[str, typer.Option(metavar="pkcs1|pss", help="Padding of RSA signatures [default: pkcs1].")]
Sm2Profile = Annotated[str, typer.Option("--sm2-profile", metavar="cms|gmt0010", help="Form of SM2 signatures.")]
Sm2Id = Annotated[str | None, typer.Option("--sm2-id", metavar="HEX", help="SM2 identifier of the signer.")]
Format = Annotated[str, typer.Option("--format", metavar="cms|raw", help="CMS, or the bare signature value FILE.sig.")]
OutDir = Annotated[str, typer.Option(metavar="D", help="Folder for the signatures [default: beside each].")]
Add = Annotated[bool, typer.Option("--add", help="Put the signers into the existing signatures.")]
PolicyFile = Annotated[str | None, typer.Option(metavar="F", help="Policy that each signature must satisfy.")]
Timestamp = Annotated[list[str], typer.Option(metavar="URL", help="Time-stamping authority; may repeat, in order.")]
TimestampOptional = Annotated[
    bool, typer.Option("--timestamp-optional", help="Sign without a timestamp when there is none to be had.")
]
TsaTrust = Annotated[list[str], typer.Option(metavar="F", help="Trust anchors of the authorities; may repeat.")]
TsaPolicy = Annotated[str, typer.Option(metavar="OID", help="Policy to ask the authority for.")]
Receipt = Annotated[bool, typer.Option("--receipt", help="Write FILE.receipt too: proof of the log entry.")]
Follow = Annotated[bool, typer.Option("--follow", help="Sign what symbolic links point to.")]


@app.verb("sign")
def sign(
    context: typer.Context,
    files: Files,
    key: Keys = None,
    digest: Digest = "",
    padding: Padding = "",
    sm2_profile: Sm2Profile = "cms",
    sm2_id: Sm2Id = None,
    format: Format = "cms",
    timestamp: Timestamp = [],  # noqa: B006
    timestamp_optional: TimestampOptional = False,
    tsa_trust: TsaTrust = [],  # noqa: B006
    tsa_policy: TsaPolicy = "",
    out_dir: OutDir = "",
    add: Add = False,
    policy: PolicyFile = None,
    follow: Follow = False,
    receipt: Receipt = False,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write a detached signature, FILE.p7s, for each file. Several --key sign together in one file."""
    from signkit.cli import documents
    from signkit.cli.arguments import signer_id
    from signkit.operations.sign import SignOptions

    run = session(context)
    wiring = run.wiring()
    references = wiring.sign_references(key or ())
    options = SignOptions(
        digest=digest or wiring.settings.digest,
        padding=padding,
        sm2_profile=sm2_profile,
        sm2_id=signer_id(sm2_id),
        format=format,
        out_dir=out_dir,
        add=add,
        policy=wiring.sign_policy if policy is None else policy,
        minimum_remaining_days=wiring.settings.minimum_remaining_days,
        overwrite=force,
        dry_run=dry_run,
        receipt=receipt,
    )
    stamper = wiring.timestamps.stamper(
        timestamp, tsa_trust, policy=tsa_policy, optional=timestamp_optional, format=format
    )
    with Progress("hashing", files, quiet=run.quiet or run.json) as progress:
        service = wiring.signing(follow_links=follow, progress=progress.advance, stamper=stamper)
        signed = service.sign(files, references, options)
    for path in signed.skipped:
        run.notice(f"{path}: left out, it is a signature")
    for notice in (*signed.notices, *(stamper.notices if stamper else ())):
        run.notice(notice)
    verb = "would sign" if dry_run else "signed"
    lines = [f"{verb} {one.artifact} -> {one.signature}" for one in signed.artifacts]
    lines += [f"receipt of {one.artifact}: {one.receipt}" for one in signed.artifacts if one.receipt]
    for reference, one in zip(references, signed.signers, strict=True):
        signer = f"{reference} ({one.algorithm.name}), {one.certificate.subject}"
        lines.append(f"{verb} {len(signed.artifacts)} file(s) with {signer}")
    run.emit(documents.signed(signed), lines)
