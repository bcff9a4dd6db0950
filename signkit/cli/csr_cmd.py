"""``signkit csr``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session, write_file
from signkit.cli.tables import tree

app = App(help="Certification requests (PKCS #10) for key versions.")


@app.verb("create")
def create(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="KEY@V")],
    subject: Annotated[str, typer.Option(metavar="DN", help='For example "CN=Acme Release,O=Acme,C=DE".')],
    template: Annotated[str, typer.Option(metavar="code-signing|tsa|none", help="Usage asked for.")] = "code-signing",
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")] = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Make a request, signed by the key version it is for."""
    from signkit.cli import documents
    from signkit.keys.reference import parse_key_version
    from signkit.operations import requests

    run = session(context)
    parsed = parse_key_version(reference)
    if dry_run:
        write_file(run, out, b"", force=force, dry_run=True)
        name, key, version = requests.prepare(run.wiring().keys, parsed, subject, template=template)
        document = {"subject": str(name), "key_id": key.id, "version": version.number, "out": out, "dry_run": True}
        run.emit(document, [f"would make a request for {reference} ({key.key_type}), subject {name}"])
        return
    made = requests.create(run.wiring().keys, parsed, subject, template=template)
    written = write_file(run, out, made.pem.encode(), force=force)
    hand_over = [
        f"request for {reference} ({made.key.key_type})" + (f", {written} {out}" if out else ""),
        f"subject: {made.request.subject}",
        f"public key SHA-256: {made.request.public_key_fingerprint}",
    ]
    if out or run.json:
        run.emit(documents.created_request(made, out), hand_over)
        return
    run.print_raw(made.pem.encode())
    for line in hand_over:
        run.notice(line)


@app.verb("show")
def show(context: typer.Context, file: Annotated[str, typer.Argument(metavar="F")]) -> None:
    """Show what a request asks for."""
    from signkit.files import FileSource
    from signkit.operations import requests
    from signkit.report import json as report

    run = session(context)
    document = report.request(requests.read(FileSource(), file))
    run.emit(document, tree(document))


@app.verb("check")
def check(context: typer.Context, file: Annotated[str, typer.Argument(metavar="F")]) -> None:
    """Check that a request parses and is signed by the key it carries."""
    from signkit.files import FileSource
    from signkit.operations import requests
    from signkit.report import json as report

    run = session(context)
    found = requests.read(FileSource(), file)
    requests.require_possession(found, file)
    document = {**report.request(found), "proof_of_possession": True}
    run.emit(document, [f"{file}: ok, signed by the key it carries ({found.key_type})", *tree(report.request(found))])
