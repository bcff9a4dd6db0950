"""``signkit timestamp``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from signkit.cli.base import App, Force, session

app = App(help="Timestamps (RFC 3161) in signature files that exist: add, extract.")


def _files(text: str) -> Any:
    return typer.Option(metavar="F", help=text)


_Signature = Annotated[str, typer.Argument(metavar="F.p7s")]


@app.verb("add")
def add(
    context: typer.Context,
    file: _Signature,
    url: Annotated[
        list[str], typer.Option(metavar="URL", help="Time-stamping authority; may repeat, tried in order.")
    ] = [],  # noqa: B006
    signer: Annotated[int | None, typer.Option(metavar="N", help="Only this signer, counted from 0.")] = None,
    tsa_trust: Annotated[list[str], _files("Trust anchors of the authorities; may repeat.")] = [],  # noqa: B006
    tsa_policy: Annotated[str, typer.Option(metavar="OID", help="Policy to ask the authority for.")] = "",
    long_term: Annotated[
        bool, typer.Option("--long-term", help="Put in what a verifier needs when all has expired; needs --trust.")
    ] = False,
    trust: Annotated[list[str], _files("Trust anchors of the signers, for --long-term; may repeat.")] = [],  # noqa: B006
    intermediate: Annotated[list[str], _files("Further certificates; may repeat.")] = [],  # noqa: B006
    crl: Annotated[list[str], _files("CRLs, for --long-term; may repeat.")] = [],  # noqa: B006
    ocsp: Annotated[list[str], _files("OCSP responses, for --long-term; may repeat.")] = [],  # noqa: B006
    online: Annotated[
        bool, typer.Option("--online", help="For --long-term, ask the servers that certificates name.")
    ] = False,
    out: Annotated[str, typer.Option(metavar="F", help="Where to write [default: the file itself].")] = "",
    force: Force = False,
) -> None:
    """Add a timestamp to each signer; nothing that was signed changes."""
    from signkit.report import json as report

    run = session(context)
    timestamps = run.wiring().timestamps
    completing = None
    if long_term:
        completing = timestamps.long_term(
            trust=trust, tsa_trust=tsa_trust, intermediates=intermediate, crls=crl, ocsp_responses=ocsp, online=online
        )
    stamping = timestamps.stamping(url, tsa_trust, policy=tsa_policy)
    done = timestamps.service.add(file, stamping, signer=signer, long_term=completing, out=out, overwrite=force)
    lines = [
        f"signer {number} ({done.signers[number]}): signed before {report.time(one.time)}, "
        f"stamped by {one.authority.subject}"
        for number, one in done.stamps
    ]
    stamps = [
        {
            "signer": number,
            "time": report.time(one.time),
            "url": one.url,
            "certificate": report.certificate(one.authority),
        }
        for number, one in done.stamps
    ]
    document = {"signature": done.path, "timestamps": stamps, "long_term": long_term}
    run.emit(document, [*lines, *(["long-term material is in the file"] if long_term else []), f"wrote {done.path}"])


@app.verb("extract")
def extract(
    context: typer.Context,
    file: _Signature,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder [default: beside the signature].")] = "",
    force: Force = False,
) -> None:
    """Write each token and what it stamped to files, for 'openssl ts -verify -token_in -in TOKEN -data STAMPED'."""
    run = session(context)
    made = run.wiring().timestamps.service.extract(file, out_dir=out, overwrite=force)
    lines = [f"signer {one.signer}: token {one.token}, stamped bytes {one.stamped}" for one in made]
    run.emit({"tokens": [one._asdict() for one in made]}, lines)
