"""``signkit key``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session, write_or_print
from signkit.cli.key_import import create_pending, import_key
from signkit.cli.tables import table

app = App(help="Keys: sets of numbered versions, none of them primary.")
app.verb("import")(import_key)

_SOFTWARE_NOTE = (
    "this key lives in software; public authorities demand a hardware key for code signing (CA/B Forum CSBR 6.2.7.4)"
)


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
    dry_run: DryRun = False,
) -> None:
    """Make a key with its version 1."""
    from signkit.report import json as report

    run = session(context)
    if external:
        from signkit.operations.imports import NewKey

        return create_pending(run, NewKey(key_type, usage, alias, description, provider=provider), dry_run=dry_run)
    keys = run.wiring().keys
    key, version = keys.create_key(
        key_type, usage=usage, alias=alias, description=description, provider=provider, dry_run=dry_run
    )
    named = alias or key.id
    document = report.key(key, [(version, None)], [alias] if alias else [])
    verb = "would make" if dry_run else "made"
    run.emit(document, [f"{verb} key {key.id} ({key.key_type}) with version 1, to be named {named}@1"])
    if provider == "software":
        run.notice(_SOFTWARE_NOTE)


@app.verb("list")
def list_keys(context: typer.Context) -> None:
    """List all keys."""
    from signkit.report import json as report

    run = session(context)
    wiring = run.wiring()
    directory, certificates = wiring.keys.directory, wiring.certificates
    documents = [
        report.key(key, certificates.find_of_key(key), directory.find_aliases(key)) for key in directory.keys()
    ]
    rows = [
        (d["id"], d["key_type"], d["state"], str(len(d["versions"])), " ".join(d["aliases"]), d["description"])
        for d in documents
    ]
    run.emit({"keys": documents}, table(("KEY", "TYPE", "STATE", "VERSIONS", "ALIASES", "DESCRIPTION"), rows))


@app.verb("show")
def show(context: typer.Context, key: Annotated[str, typer.Argument(metavar="KEY")]) -> None:
    """Show one key with its versions."""
    from signkit.cli.tables import tree
    from signkit.keys.reference import parse_key
    from signkit.report import json as report

    run = session(context)
    wiring = run.wiring()
    directory = wiring.keys.directory
    found = directory.key(parse_key(key))
    document = report.key(found, wiring.certificates.find_of_key(found), directory.find_aliases(found))
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
