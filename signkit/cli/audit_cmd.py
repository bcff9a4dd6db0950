"""``signkit audit``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from signkit.cli.base import App, DryRun, Force, session, write_file, write_or_print
from signkit.cli.store_cmd import Checkpoints, LogKeyOption

app = App(help="The audit log: who did what with which key version, and proof of it.")


@app.verb("list")
def list_entries(
    context: typer.Context,
    key: Annotated[str | None, typer.Option(metavar="KEY[@V]", help="About this key or version.")] = None,
    since: Annotated[str | None, typer.Option(metavar="T", help="At this time or later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="T", help="Before this time.")] = None,
    action: Annotated[str, typer.Option(metavar="A", help="For example AsymmetricSign.")] = "",
    result: Annotated[str, typer.Option(metavar="R", help="ok, failed, or the code of an error.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="The latest N only.")] = 0,
) -> None:
    """List entries, oldest first, with the digests of what was signed."""
    from signkit.cli import documents
    from signkit.cli.arguments import moment
    from signkit.keys.reference import parse_key_version
    from signkit.operations.audit import Filter
    from signkit.wiring import stores

    run = session(context)
    wanted = Filter(
        since=moment(since) if since else None,
        until=moment(until) if until else None,
        action=action,
        result=result,
        limit=limit,
    )
    found = stores.audit(run.wiring()).entries(wanted, parse_key_version(key) if key else None)
    run.emit_each("entries", map(documents.numbered, found), _line)


def _line(document: Mapping[str, Any]) -> str:
    about = f"{document['key_id']}@{document['version']}" if document["version"] else document["key_id"]
    words = (
        f"{document['number']:>6}  {document['at']}  {document['principal']}  {document['action']}",
        document["result"],
        about,
        document["algorithm"],
        document["digest_hex"],
        document["detail"],
    )
    return "  ".join(word for word in words if word)


@app.verb("verify")
def verify(context: typer.Context, checkpoint: Checkpoints = [], log_key: LogKeyOption = None) -> None:  # noqa: B006
    """Recompute the log, and compare it with its head and with checkpoints."""
    from signkit.cli import documents
    from signkit.cli.arguments import vkey
    from signkit.operations.audit_evidence import require_sound
    from signkit.wiring import stores

    run = session(context)
    found = stores.audit(run.wiring()).verify(stores.notes(checkpoint), vkey(log_key))
    lines = [f"wrong: {one}" for one in found.findings]
    if not found.findings:
        lines = [f"the audit log is sound: {found.size} entries, root hash {found.root_hash.hex()}"]
        lines += [f"proved: {one}" for one in found.proved] + [f"not proved: {one}" for one in found.not_proved]
    run.emit(documents.audited(found), lines)
    require_sound(found)


@app.verb("checkpoint")
def checkpoint(
    context: typer.Context,
    out: Annotated[str, typer.Option(metavar="F", help="Where to write it.")],
    origin: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the log, at its first checkpoint [signkit/STORE].")
    ] = "",
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Sign the head of the log, after the log was found sound, to be kept elsewhere (C2SP tlog-checkpoint)."""
    from signkit.cli import documents
    from signkit.files import FileSink
    from signkit.wiring import stores

    run = session(context)
    FileSink().check([out], overwrite=force)
    made = stores.audit(run.wiring()).checkpoint(origin, dry_run=dry_run)
    written = write_file(run, out, made.note, force=force, dry_run=dry_run)
    lines = [f"checkpoint of {made.checkpoint.size} entries {written} {out}", f"origin: {made.checkpoint.origin}"]
    if made.key is not None:
        lines.append(f"key of the log: {made.key}")
    run.emit({**documents.signed_head(made), "out": out, "dry_run": dry_run}, lines)
    if made.new_key and not dry_run:
        run.notice("this is a new key: note it down elsewhere, since checkpoints and receipts are verified with it")


@app.verb("export")
def export(
    context: typer.Context,
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")] = None,
    force: Force = False,
) -> None:
    """Write all entries as JSON lines, in the form that the log's Merkle tree is over."""
    from signkit.errors import UsageError
    from signkit.files import FileSink, blocks
    from signkit.wiring import stores

    run = session(context)
    if out is None:
        if run.json:
            raise UsageError("the export is lines of JSON, expected --out with --json")
        for block in blocks(stores.audit(run.wiring()).export()):
            run.print_raw(block)
        return
    sink = FileSink()
    sink.check([out], overwrite=force)
    sink.write_parts(out, blocks(stores.audit(run.wiring()).export()), overwrite=force, private=True)
    run.emit({"out": out}, [f"the audit log written to {out}"])


@app.verb("receipt")
def receipt(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER")],
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")] = None,
    force: Force = False,
) -> None:
    """Prove to others that an entry is in the log (C2SP tlog-proof)."""
    from signkit.files import FileSink
    from signkit.wiring import stores

    run = session(context)
    FileSink().check([out] if out else [], overwrite=force)
    made = stores.audit(run.wiring()).receipt(number)
    write_or_print(run, made, out, force=force, what="receipt")


@app.verb("verify-receipt")
def verify_receipt(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="F")],
    key: Annotated[str, typer.Option(metavar="VKEY", help="Key of the log, as you know it from elsewhere.")],
    entry: Annotated[
        str | None, typer.Option(metavar="FILE", help="The entry that it must be for, a line of JSON.")
    ] = None,
    artifact: Annotated[
        str | None, typer.Option(metavar="FILE", help="The artifact whose digest the entry must name.")
    ] = None,
) -> None:
    """Verify a receipt; needs no store."""
    from signkit.audit.checkpoint import parse_log_key
    from signkit.cli import documents
    from signkit.wiring import stores

    run = session(context)
    expected = (run.read(entry, "audit entry") or b"").removesuffix(b"\n")
    found = stores.verify_receipt(path, parse_log_key(key), entry=expected, artifact=artifact)
    document = documents.numbered(found)
    run.emit(document, [f"the log {parse_log_key(key).name} has this entry:", _line(document)])
