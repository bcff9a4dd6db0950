"""``signkit cert``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session, write_or_print
from signkit.cli.tables import table, tree
from signkit.cli.validate import validate

app = App(help="Certificates: of key versions, and certification paths.")
app.verb("validate")(validate)


@app.verb("import")
def import_certificate(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="KEY@V")],
    files: Annotated[list[str], typer.Argument(metavar="FILE...")],
    dry_run: DryRun = False,
) -> None:
    """Bind the certificate (with its chain) that an authority issued to the key version it is for."""
    from signkit.cli import documents
    from signkit.keys.reference import parse_key_version
    from signkit.report import json as report

    run = session(context)
    found = run.wiring().certificates.import_certificate(parse_key_version(reference), files, dry_run=dry_run)
    verb = "would bind" if dry_run else "bound"
    end = found.chain[-1] if found.chain else found.certificate
    lines = [
        f"{verb} {found.certificate.subject} to {reference}",
        f"valid from {report.time(found.certificate.not_before)} to {report.time(found.certificate.not_after)}",
        f"chain: {len(found.chain)} issuing certificate(s), up to {end.issuer}",
    ]
    run.emit(documents.imported(found), lines)
    for warning in found.warnings:
        run.notice(f"warning: {warning}")
    for subject in found.unused:
        run.notice(f"not part of the chain, left out: {subject}")


@app.verb("list")
def list_certificates(context: typer.Context) -> None:
    """List the certificates of all key versions."""
    from signkit.cli import documents

    run = session(context)
    listed = [documents.listed(one) for one in run.wiring().certificates.certificates()]
    rows = [
        (f"{d['key_id']}@{d['version']}", d["not_after"][:10], "yes" if d["current"] else "no", d["subject"])
        for d in listed
    ]
    run.emit({"certificates": listed}, table(("KEY@VERSION", "NOT AFTER", "CURRENT", "SUBJECT"), rows))


@app.verb("show")
def show(context: typer.Context, what: Annotated[str, typer.Argument(metavar="KEY@V|FILE")]) -> None:
    """Show the certificate of a key version, or those in a file."""
    from signkit.report import json as report

    run = session(context)
    document = {"certificates": [report.certificate(one) for one in run.wiring().certificates_of(what)]}
    run.emit(document, tree(document))


@app.verb("export")
def export(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="KEY@V")],
    chain: Annotated[bool, typer.Option("--chain", help="With the issuing certificates.")] = False,
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")] = None,
    force: Force = False,
) -> None:
    """Print or write the current certificate of a version as PEM."""
    from signkit.keys.reference import parse_key_version

    run = session(context)
    text = run.wiring().certificates.export(parse_key_version(reference), chain=chain)
    write_or_print(run, text.encode(), out, force=force, what="certificate")
