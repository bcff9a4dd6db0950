"""``signkit sign``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from signkit.cli.base import App, DryRun, Force, Session, session
from signkit.cli.progress import Progress

if TYPE_CHECKING:
    from signkit.keys.reference import KeyReference
    from signkit.operations.sign import Signed

app = App()


Keys = Annotated[list[str] | None, typer.Option("--key", metavar="KEY@V", help="Key version [default: signkit.toml].")]
Files = Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False)]
FilesFrom = Annotated[
    str | None, typer.Option(metavar="F", help="Further files from a list, one a line; - = standard input.")
]
Null = Annotated[bool, typer.Option("--null", "-0", help="The list is separated by NUL characters.")]
Jobs = Annotated[int, typer.Option(metavar="N", min=0, help="Processes and threads; 0 = one for each core.")]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Sign what can be signed, and list the rest at the end.")]
SkipSigned = Annotated[
    bool, typer.Option("--skip-signed", help="Leave alone what this certificate has signed as it is now.")
]
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
Kit = Annotated[str | None, typer.Option(metavar="DIR", help="Write a kit for whoever verifies these files.")]
KitTrust = Annotated[list[str], typer.Option(metavar="F", help="The kit's trust anchors [default: the chain's root].")]
Follow = Annotated[bool, typer.Option("--follow", help="Sign what symbolic links point to.")]


@app.verb("sign")
def sign(
    context: typer.Context,
    files: Files = [],  # noqa: B006
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
    files_from: FilesFrom = None,
    null: Null = False,
    follow: Follow = False,
    receipt: Receipt = False,
    jobs: Jobs = 0,
    keep_going: KeepGoing = False,
    skip_signed: SkipSigned = False,
    kit: Kit = None,
    kit_trust: KitTrust = [],  # noqa: B006
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write a detached signature, FILE.p7s, for each file. Several --key sign together in one file."""
    from signkit.cli.arguments import listed_files, signer_id
    from signkit.operations.sign import SignOptions, raise_for_failures
    from signkit.wiring import kit as kits

    run = session(context)
    wiring = run.wiring()
    references = wiring.sign_references(key or ())
    options = SignOptions(
        policy=wiring.sign_policy if policy is None else policy,
        minimum_remaining_days=wiring.settings.minimum_remaining_days,
    )
    digest = digest or wiring.settings.digest
    options = options._replace(digest=digest, padding=padding, sm2_profile=sm2_profile, sm2_id=signer_id(sm2_id))
    options = options._replace(format=format, out_dir=out_dir, add=add, receipt=receipt)
    options = options._replace(overwrite=force, dry_run=dry_run, keep_going=keep_going, skip_signed=skip_signed)
    stamper = wiring.timestamps.stamper(
        timestamp, tsa_trust, policy=tsa_policy, optional=timestamp_optional, format=format
    )
    write_kit = kits.prepare(wiring, kit, references, trust=kit_trust, tsa_trust=tsa_trust, options=options)
    paths = [*files, *listed_files(run.read(files_from, "list of files") or b"", null=null)]
    with Progress("hashing", paths, quiet=run.quiet or run.json) as progress:
        service = wiring.signing(
            follow_links=follow, progress=progress.advance, stamper=stamper, jobs=jobs or wiring.settings.jobs
        )
        signed = service.sign(paths, references, options)
    left_out = [f"{path}: left out, it is a signature" for path in signed.skipped]
    made = write_kit(signed.artifacts)
    _tell(run, signed, references, [*left_out, *signed.notices, *(stamper.notices if stamper else ())], dry_run, made)
    raise_for_failures(signed)


def _tell(
    run: Session,
    signed: Signed,
    references: Sequence[KeyReference],
    notices: Iterable[str],
    dry_run: bool,
    kit: Sequence[str],
) -> None:
    from signkit.cli import documents

    for notice in notices:
        run.notice(notice)
    written = (f"{'would write' if dry_run else 'wrote'} {path}" for path in kit)
    run.emit({**documents.signed(signed), "kit": list(kit)}, chain(_lines(signed, references, dry_run), written))
    _tell_failures(run, signed)


def _lines(signed: Signed, references: Sequence[KeyReference], dry_run: bool) -> Iterator[str]:
    verb = "would sign" if dry_run else "signed"
    for artifact in signed.artifacts:
        yield f"{verb} {artifact.artifact} -> {artifact.signature}"
        if artifact.receipt:
            yield f"receipt of {artifact.artifact}: {artifact.receipt}"
    if signed.unchanged:
        yield f"left {len(signed.unchanged)} file(s) alone, they are signed already"
    for reference, one in zip(references, signed.signers, strict=True):
        signer = f"{reference} ({one.algorithm.name}), {one.certificate.subject}"
        yield f"{verb} {len(signed.artifacts)} file(s) with {signer}"


def _tell_failures(run: Session, signed: Signed) -> None:
    for failure in signed.failures:
        named = failure.error.message.startswith(failure.artifact)
        message = failure.error.message if named else f"{failure.artifact}: {failure.error.message}"
        run.notice(f"not signed: {message}")
    if signed.failures:
        total = len(signed.artifacts) + len(signed.unchanged) + len(signed.failures)
        run.notice(f"{len(signed.failures)} of {total} file(s) were not signed")
