"""``signkit csr``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from signkit.cli.base import App, DryRun, Force, Session, session, write_file
from signkit.cli.tables import tree

if TYPE_CHECKING:
    from signkit.operations.renewal import Prepared
    from signkit.operations.requests import Created, Wanted

app = App(help="Certification requests (PKCS #10) for key versions.")

Out = Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")]
Reference = Annotated[str, typer.Argument(metavar="KEY@V")]
Rules = Annotated[str, typer.Option("--rules", metavar="private|cabf", help="Whose rules to check by.")]
_SAN = "Alternative name: dns:, email:, uri:, ip:, upn:, rid: or dirname:; may repeat."


@app.verb("create")
def create(
    context: typer.Context,
    reference: Reference,
    subject: Annotated[str, typer.Option(metavar="DN", help='For example "CN=Acme Release,O=Acme,C=DE".')],
    san: Annotated[list[str], typer.Option("--san", metavar="TYPE:VALUE", help=_SAN)] = [],  # noqa: B006
    template: Annotated[str, typer.Option(metavar="code-signing|tsa|none", help="Usage asked for.")] = "code-signing",
    out: Out = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Make a request, signed by the key version it is for."""
    from signkit.keys.reference import parse_key_version
    from signkit.operations import requests

    run = session(context)
    parsed = parse_key_version(reference)
    asked = requests.wanted(subject, template=template, alternative_names=san)
    if dry_run:
        _would_make(run, reference, asked, out, force=force)
        return
    _hand_over(run, requests.make(run.wiring().keys, parsed, asked), reference, out, force=force)


@app.verb("renew")
def renew(
    context: typer.Context, reference: Reference, out: Out = None, force: Force = False, dry_run: DryRun = False
) -> None:
    """Make a request for the same key version, with the names and usages of its present certificate."""
    from signkit.keys.reference import parse_key_version
    from signkit.operations import renewal

    run = session(context)
    wiring, parsed = run.wiring(), parse_key_version(reference)
    if dry_run:
        _would_make(run, reference, renewal.prepare(wiring.keys, wiring.certificates, parsed), out, force=force)
        return
    _hand_over(run, renewal.renew(wiring.keys, wiring.certificates, parsed), reference, out, force=force)


@app.verb("rekey")
def rekey(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY")],
    follow: Annotated[
        str | None, typer.Option("--from", metavar="V", help="Version whose certificate to follow.")
    ] = None,
    out: Out = None,
    cms: Annotated[
        str | None,
        typer.Option("--cms", metavar="F", help="Where to write it signed by the present key too (RFC 5272)."),
    ] = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Make the next version of a key and a request for it, with the names of the present certificate."""
    from signkit.files import FileSink
    from signkit.keys.reference import parse_key
    from signkit.operations import renewal

    run = session(context)
    wiring = run.wiring()
    FileSink().check([path for path in (out, cms) if path is not None], overwrite=force)
    if dry_run:
        _would_rekey(run, key, renewal.prepare_rekey(wiring.keys, wiring.certificates, parse_key(key), follow=follow))
        return
    made = renewal.rekey(wiring.keys, wiring.certificates, parse_key(key), follow=follow)
    written = write_file(run, cms, made.full_request, force=force)
    more = [f"signed by {made.present} too, {written} {cms}"] if cms else []
    new = f"{key}@{made.created.version.number}"
    _hand_over(run, made.created, new, out, force=force, more=more)


@app.verb("show")
def show(context: typer.Context, file: Annotated[str, typer.Argument(metavar="F")]) -> None:
    """Show what a request asks for."""
    from signkit.files import FileSource
    from signkit.operations import requests
    from signkit.report import x509

    run = session(context)
    document = x509.request(requests.read(FileSource(), file))
    run.emit(document, tree(x509.for_people(document)))


@app.verb("check")
def check(context: typer.Context, file: Annotated[str, typer.Argument(metavar="F")], rules: Rules = "private") -> int:
    """Check that a request parses, is signed by the key it carries, and keeps the rules; 4 when a rule is broken."""
    from signkit.files import FileSource
    from signkit.operations import requests
    from signkit.report import x509
    from signkit.x509 import lint

    run = session(context)
    found = requests.read(FileSource(), file)
    findings = requests.check(found, file, rules, now=run.wiring().clock())
    refused = lint.has_errors(findings)
    document = {
        **x509.request(found),
        "proof_of_possession": True,
        "rules": rules,
        "accepted": not refused,
        "findings": x509.findings(findings),
    }
    verdict = f"breaks the rules '{rules}'" if refused else "ok"
    head = f"{file}: {verdict}, signed by the key it carries ({found.key_type})"
    run.emit(document, [head, *tree(x509.for_people(x509.request(found))), *x509.finding_lines(findings)])
    return lint.REFUSED if refused else 0


def _would_make(run: Session, reference: str, asked: Wanted, out: str | None, *, force: bool) -> None:
    from signkit.keys.reference import parse_key_version
    from signkit.operations import requests
    from signkit.x509 import general_names

    write_file(run, out, b"", force=force, dry_run=True)
    name, key, version = requests.prepare(run.wiring().keys, parse_key_version(reference), asked)
    document = {
        "subject": str(name),
        "alternative_names": [general_names.describe(one) for one in asked.alternative_names],
        "key_id": key.id,
        "version": version.number,
        "out": out,
        "dry_run": True,
    }
    run.emit(document, [f"would make a request for {reference} ({key.key_type}), subject {name}"])


def _would_rekey(run: Session, key: str, ready: Prepared) -> None:
    document = {
        "subject": str(ready.wanted.subject),
        "present": str(ready.present),
        "version": ready.number,
        "dry_run": True,
    }
    line = (
        f"would make {key}@{ready.number} and a request for it, subject {ready.wanted.subject}, after {ready.present}"
    )
    run.emit(document, [line])


def _hand_over(
    run: Session, made: Created, reference: str, out: str | None, *, force: bool, more: list[str] | None = None
) -> None:
    """Write or print a request, and tell what whoever receives it must compare."""
    from signkit.cli import documents

    written = write_file(run, out, made.pem.encode(), force=force)
    lines = [
        f"request for {reference} ({made.key.key_type})" + (f", {written} {out}" if out else ""),
        f"subject: {made.request.subject}",
        *(f"alternative name: {name}" for name in made.alternative_names),
        f"public key SHA-256: {made.request.public_key_fingerprint}",
        *(more or []),
    ]
    if out or run.json:
        run.emit(documents.created_request(made, out), lines)
    else:
        run.print_raw(made.pem.encode())
        for line in lines:
            run.notice(line)
    for note in made.notes:
        run.notice(note)
