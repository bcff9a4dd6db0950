"""``signkit cert``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session, write_or_print
from signkit.cli.cert_check import check
from signkit.cli.cert_expiry import expiry
from signkit.cli.cert_revocation import revocation_request
from signkit.cli.tables import table, tree
from signkit.cli.validate import validate

app = App(help="Certificates: of key versions, and certification paths.")
app.verb("validate")(validate)


@app.verb("import")
def import_certificate(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="KEY@V")],
    files: Annotated[list[str], typer.Argument(metavar="FILE...")],
    passphrase_file: Annotated[
        str | None, typer.Option(metavar="F", help="Passphrase of PKCS #12 files, in a file.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Bind the certificate (with its chain) that an authority issued to the key version it is for."""
    from signkit.cli import documents
    from signkit.cli.arguments import passphrase
    from signkit.keys.reference import parse_key_version
    from signkit.report import json as report

    run = session(context)
    secret = passphrase(run.read(passphrase_file, "passphrase"))
    found = run.wiring().certificates.import_certificate(
        parse_key_version(reference), files, passphrase=secret, dry_run=dry_run
    )
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
    for one in found.earlier:
        run.notice(f"of the same key, kept and not current: serial number {one.serial_number:x}")
    for subject in found.unused:
        run.notice(f"not part of the chain, left out: {subject}")


@app.verb("list")
def list_certificates(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="[KEY[@V]]", help="Only those of this key or version.")] = None,
) -> None:
    """List the certificates of all key versions, or of one key or version."""
    from signkit.cli import documents
    from signkit.keys.reference import parse_key_version

    run = session(context)
    reference = None if key is None else parse_key_version(key)
    listed = [documents.listed(one) for one in run.wiring().certificates.certificates(reference)]
    rows = [
        (f"{d['key_id']}@{d['version']}", d["not_after"][:10], "yes" if d["current"] else "no", d["subject"])
        for d in listed
    ]
    run.emit({"certificates": listed}, table(("KEY@VERSION", "NOT AFTER", "CURRENT", "SUBJECT"), rows))


@app.verb("show")
def show(context: typer.Context, what: Annotated[str, typer.Argument(metavar="KEY@V|FILE")]) -> None:
    """Show the certificate of a key version, or those in a file."""
    from signkit.report import x509

    run = session(context)
    found = [x509.certificate(one) for one in run.wiring().certificates_of(what)]
    run.emit({"certificates": found}, tree({"certificates": [x509.for_people(one) for one in found]}))


@app.verb("export")
def export(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="KEY@V")],
    chain: Annotated[bool, typer.Option("--chain", help="With the issuing certificates.")] = False,
    form: Annotated[str, typer.Option("--format", metavar="pem|der|p7b", help="How to write it.")] = "pem",
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")] = None,
    force: Force = False,
) -> None:
    """Print or write the current certificate of a version."""
    from signkit.keys.reference import parse_key_version

    run = session(context)
    data = run.wiring().certificates.export(parse_key_version(reference), chain=chain, form=form)
    write_or_print(run, data, out, force=force, what="certificate")


app.verb("check")(check)
app.verb("expiry")(expiry)
app.verb("revocation-request")(revocation_request)
