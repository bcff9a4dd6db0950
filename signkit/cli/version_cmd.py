"""``signkit version``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, session
from signkit.cli.key_import import import_version
from signkit.cli.tables import table, tree

app = App(help="Key versions: the key pairs that certificates bind to.")
app.verb("import")(import_version)


@app.verb("create")
def create(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY")],
    dry_run: DryRun = False,
) -> None:
    """Make the next version of a key. Nothing uses it until it is named."""
    from signkit.keys.reference import parse_key
    from signkit.report import json as report

    run = session(context)
    _key, version = run.wiring().keys.create_version(parse_key(key), dry_run=dry_run)
    verb = "would make" if dry_run else "made"
    lines = [f"{verb} version {version.number}, to be named {key}@{version.number}"]
    run.emit(report.version_object(version), lines)


@app.verb("list")
def list_versions(context: typer.Context, key: Annotated[str, typer.Argument(metavar="KEY")]) -> None:
    """List the versions of a key."""
    from signkit.keys.reference import parse_key
    from signkit.report import json as report

    run = session(context)
    wiring = run.wiring()
    documents = [
        report.version_object(version, certificate)
        for version, certificate in wiring.certificates.of_versions(parse_key(key))
    ]
    rows = [
        (str(d["number"]), d["state"], d["created_at"], d["public_key_sha256"][:16], _short(d["certificate_sha256"]))
        for d in documents
    ]
    run.emit({"versions": documents}, table(("VERSION", "STATE", "CREATED", "PUBLIC KEY", "CERTIFICATE"), rows))


@app.verb("show")
def show(context: typer.Context, reference: Annotated[str, typer.Argument(metavar="KEY@V")]) -> None:
    """Show one version."""
    from signkit.keys.reference import parse_key_version
    from signkit.report import json as report

    run = session(context)
    wiring = run.wiring()
    _key, version = wiring.keys.directory.version(parse_key_version(reference))
    document = report.version_object(version, wiring.certificates.find_current(version))
    run.emit(document, tree(document))


def _short(fingerprint: str | None) -> str:
    return fingerprint[:16] if fingerprint else "none"
