"""``signkit key``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from signkit.cli.base import App, DryRun, Force, Session, session, write_or_print
from signkit.cli.key_import import create_pending, import_key
from signkit.cli.tables import table

if TYPE_CHECKING:
    from signkit.operations.lifecycle import Changed

app = App(help="Keys: sets of numbered versions, none of them primary.")
app.verb("import")(import_key)

_SOFTWARE_NOTE = (
    "this key lives in software; public authorities demand a hardware key for code signing (CA/B Forum CSBR 6.2.7.4)"
)

KeyArgument = Annotated[str, typer.Argument(metavar="KEY")]
KeyOrVersion = Annotated[str, typer.Argument(metavar="KEY[@V]")]
Tag = Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="A tag; repeatable.")]


@app.verb("create")
def create(
    context: typer.Context,
    key_type: Annotated[str, typer.Option("--type", metavar="T", help="RSA_3072, EC_P256, ... ('signkit doctor')")],
    usage: Annotated[str, typer.Option(metavar="U", help="SIGN/VERIFY")] = "SIGN/VERIFY",
    alias: Annotated[str | None, typer.Option(metavar="alias/NAME", help="A name for the key.")] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What the key is for.")] = "",
    provider: Annotated[str, typer.Option(metavar="P", help="Where its private keys live.")] = "software",
    external: Annotated[
        bool, typer.Option("--external", help="Without a version: 'version import' brings it.")
    ] = False,
    tag: Tag = None,
    dry_run: DryRun = False,
) -> None:
    """Make a key with its version 1."""
    from signkit.keys.tags import parse
    from signkit.report import json as report

    run = session(context)
    tags = parse(tag or ())
    if external:
        from signkit.operations.imports import NewKey

        new = NewKey(key_type, usage, alias, description, tags, provider)
        return create_pending(run, new, dry_run=dry_run)
    key, version = run.wiring().keys.create_key(
        key_type,
        usage=usage,
        alias=alias,
        description=description,
        provider=provider,
        tags=tags,
        dry_run=dry_run,
    )
    named = alias or key.id
    document = report.key(key, [(version, None)], [alias] if alias else [])
    verb = "would make" if dry_run else "made"
    run.emit(document, [f"{verb} key {key.id} ({key.key_type}) with version 1, to be named {named}@1"])
    if provider == "software":
        run.notice(_SOFTWARE_NOTE)


@app.verb("list")
def list_keys(
    context: typer.Context,
    state: Annotated[str, typer.Option(metavar="S", help="Only those in this state, for example Disabled.")] = "",
    tag: Tag = None,
) -> None:
    """List the keys that you may describe."""
    from signkit.cli import documents
    from signkit.keys.tags import parse

    run = session(context)
    wiring = run.wiring()
    found = wiring.keys.directory.keys(state=state, tags=parse(tag or ()))
    listed = [documents.key(key, wiring) for key in found]
    rows = [
        (d["id"], d["key_type"], d["state"], str(len(d["versions"])), " ".join(d["aliases"]), d["description"])
        for d in listed
    ]
    run.emit({"keys": listed}, table(("KEY", "TYPE", "STATE", "VERSIONS", "ALIASES", "DESCRIPTION"), rows))


@app.verb("show")
def show(context: typer.Context, key: KeyArgument) -> None:
    """Show one key with its versions."""
    from signkit.cli import documents
    from signkit.cli.tables import tree
    from signkit.keys.reference import parse_key

    run = session(context)
    wiring = run.wiring()
    document = documents.key(wiring.keys.directory.key(parse_key(key)), wiring)
    run.emit(document, tree(document))


@app.verb("public")
def public(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="KEY@V")],
    format: Annotated[str, typer.Option("--format", metavar="pem|der|jwk|ssh", help="Form.")] = "pem",
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")] = None,
    force: Force = False,
) -> None:
    """Print or write the public key of a version (SubjectPublicKeyInfo, JWK, or a line for OpenSSH)."""
    from signkit.keys.reference import parse_key_version

    run = session(context)
    data = run.wiring().keys.directory.public_key(parse_key_version(reference), format)
    write_or_print(run, data, out, force=force, what="public key")


@app.verb("describe")
def describe(
    context: typer.Context,
    key: KeyArgument,
    text: Annotated[str, typer.Option(metavar="D", help="What the key is for.")],
    dry_run: DryRun = False,
) -> None:
    """Give a key another description."""
    from signkit.keys.reference import parse_key

    run = session(context)
    changed = run.wiring().keys.lifecycle.describe(parse_key(key), text, dry_run=dry_run)
    _tell(run, changed, f"{'would describe' if dry_run else 'described'} key {key}")


@app.verb("tag")
def tag(
    context: typer.Context,
    key: KeyArgument,
    tags: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...")],
    dry_run: DryRun = False,
) -> None:
    """Give a key tags."""
    from signkit.keys.reference import parse_key
    from signkit.keys.tags import parse

    run = session(context)
    changed = run.wiring().keys.lifecycle.tag(parse_key(key), parse(tags), dry_run=dry_run)
    _tell(run, changed, f"{'would tag' if dry_run else 'tagged'} key {key}: {_tags(changed)}")


@app.verb("untag")
def untag(
    context: typer.Context,
    key: KeyArgument,
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    dry_run: DryRun = False,
) -> None:
    """Take tags away."""
    from signkit.keys.reference import parse_key

    run = session(context)
    changed = run.wiring().keys.lifecycle.untag(parse_key(key), names, dry_run=dry_run)
    _tell(run, changed, f"{'would untag' if dry_run else 'untagged'} key {key}: {_tags(changed)}")


@app.verb("enable")
def enable(context: typer.Context, reference: KeyOrVersion, dry_run: DryRun = False) -> None:
    """Enable a key, or one of its versions."""
    from signkit.keys.reference import parse_key_version

    run = session(context)
    changed = run.wiring().keys.lifecycle.enable(parse_key_version(reference), dry_run=dry_run)
    _tell(run, changed, f"{'would enable' if dry_run else 'enabled'} {reference}")


@app.verb("disable")
def disable(context: typer.Context, reference: KeyOrVersion, dry_run: DryRun = False) -> None:
    """Take a key, or one of its versions, out of use."""
    from signkit.keys.reference import parse_key_version

    run = session(context)
    changed = run.wiring().keys.lifecycle.disable(parse_key_version(reference), dry_run=dry_run)
    _tell(run, changed, f"{'would disable' if dry_run else 'disabled'} {reference}")


@app.verb("schedule-deletion")
def schedule_deletion(
    context: typer.Context,
    key: KeyArgument,
    days: Annotated[int, typer.Option(metavar="N", help="Days until then, 7 to 366.")],
    dry_run: DryRun = False,
) -> None:
    """Have a key deleted for good after some days."""
    from signkit.keys.reference import parse_key
    from signkit.report import json as report

    run = session(context)
    changed = run.wiring().keys.lifecycle.schedule_deletion(parse_key(key), days, dry_run=dry_run)
    verb, due = "would be" if dry_run else "is", changed.key.deletion_at
    lines = [f"key {changed.key.id} {verb} deleted by the first operation after {report.time(due) if due else ''}"]
    _tell(run, changed, *lines, f"until then 'signkit key cancel-deletion {key}' keeps it; backups of the store do too")


@app.verb("cancel-deletion")
def cancel_deletion(context: typer.Context, key: KeyArgument, dry_run: DryRun = False) -> None:
    """Keep a key that was to be deleted."""
    from signkit.keys.reference import parse_key

    run = session(context)
    changed = run.wiring().keys.lifecycle.cancel_deletion(parse_key(key), dry_run=dry_run)
    _tell(run, changed, f"key {key} {'would stay' if dry_run else 'stays'} and is {changed.key.state.value}")


@app.verb("protect")
def protect(
    context: typer.Context,
    key: KeyArgument,
    text: Annotated[str, typer.Option(metavar="D", help="Why.")] = "",
    dry_run: DryRun = False,
) -> None:
    """Protect a key from deletion."""
    from signkit.keys.reference import parse_key

    run = session(context)
    changed = run.wiring().keys.lifecycle.protect(parse_key(key), text, dry_run=dry_run)
    _tell(run, changed, f"key {key} {'would be' if dry_run else 'is'} protected from deletion")


@app.verb("unprotect")
def unprotect(context: typer.Context, key: KeyArgument, dry_run: DryRun = False) -> None:
    """Take that protection away."""
    from signkit.keys.reference import parse_key

    run = session(context)
    changed = run.wiring().keys.lifecycle.unprotect(parse_key(key), dry_run=dry_run)
    _tell(run, changed, f"key {key} {'would be' if dry_run else 'is'} no longer protected from deletion")


def _tell(run: Session, changed: Changed, *lines: str) -> None:
    from signkit.cli import documents

    run.emit(documents.changed(changed, run.wiring()), lines)
    for note in filter(None, [changed.note]):
        run.notice(f"warning: {note}")


def _tags(changed: Changed) -> str:
    return " ".join(f"{name}={value}" for name, value in changed.key.tags.items()) or "no tags"
