"""``signkit lab``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, session, write_file

app = App(help="A throwaway authority for trying things out. Never trust it with anything.")


@app.verb("create")
def create(
    context: typer.Context, folder: Annotated[str, typer.Argument(metavar="DIR")], dry_run: DryRun = False
) -> None:
    """Make a root and an issuing authority in a folder."""
    run = session(context)
    made = run.wiring().create_lab(folder, dry_run=dry_run)
    verb = "would write" if dry_run else "wrote"
    run.emit({"folder": folder, "files": made}, [f"{verb} {path}" for path in made])
    run.notice("this authority is for tests only: its keys lie in plain files")


@app.verb("issue")
def issue(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="DIR")],
    request: Annotated[str, typer.Argument(metavar="CSR")],
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write the chain [CSR-chain.pem].")] = None,
    days: Annotated[int, typer.Option(metavar="N", help="Days of validity.")] = 90,
    base_url: Annotated[
        str, typer.Option(metavar="URL", help="Where CRL and OCSP are served; it goes into the certificate.")
    ] = "",
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Issue a code-signing certificate for a request: leaf and issuing certificate, as an authority sends them."""
    from signkit.report import json as report
    from signkit.x509 import pem

    run = session(context)
    target = out or f"{request.removesuffix('.csr').removesuffix('.pem')}-chain.pem"
    issued = run.wiring().issue_in_lab(folder, request, days=days, base_url=base_url)
    text = "".join(pem.encode(pem.CERTIFICATE_LABELS[0], one.der) for one in issued)
    written = write_file(run, target, text.encode(), force=force, dry_run=dry_run)
    verb = "would issue" if dry_run else "issued"
    lines = [f"{verb} {issued[0].subject}, valid to {report.time(issued[0].not_after)}, {written} {target}"]
    run.emit({"out": target, "certificates": [report.certificate(one) for one in issued]}, lines)


@app.verb("revoke")
def revoke(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="DIR")],
    certificate: Annotated[
        str | None, typer.Argument(metavar="[CERT|KEY@V]", help="What is revoked; without it the CRLs are made anew.")
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="R", help="Reason of RFC 5280, e.g. keyCompromise; removeFromCRL lifts a hold.")
    ] = "unspecified",
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Revoked from when on [now].")] = None,
    dry_run: DryRun = False,
) -> None:
    """Revoke a certificate of the authority and write its CRLs: crl.pem has both."""
    from signkit.cli import documents
    from signkit.cli.arguments import moment

    run = session(context)
    when = moment(at) if at is not None else None
    done = run.wiring().revoke_in_lab(folder, certificate, reason=reason, when=when, dry_run=dry_run)
    run.emit(documents.published(done), documents.published_lines(done, dry_run=dry_run))


@app.verb("serve")
def serve(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="DIR")],
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to listen, on this machine only; port 0 takes a free one.")
    ] = "127.0.0.1:0",
) -> None:
    """Serve timestamps, CRL and OCSP of the authority over HTTP on this machine, until Ctrl-C or SIGTERM."""
    from signkit.cli.base import flush
    from signkit.lab.serving import until_signal

    run = session(context)
    with until_signal() as wait, run.wiring().lab_server(folder, listen) as server:
        run.emit({"urls": server.urls}, [f"serving {url}" for url in server.urls.values()])
        run.notice("for tests only; Ctrl-C ends it")
        flush()
        wait()
