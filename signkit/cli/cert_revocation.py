"""``signkit cert revocation-request``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import Force, session, write_file


def revocation_request(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="KEY@V")],
    compromised_at: Annotated[
        str, typer.Option("--compromised-at", metavar="TIME", help="Since when signatures by it can't be trusted.")
    ],
    out: Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")] = None,
    force: Force = False,
) -> None:
    """Draft the request to an authority to revoke the certificates of a compromised key version."""
    from signkit.cli.arguments import moment
    from signkit.keys.reference import parse_key_version
    from signkit.operations import revocation_request as operation
    from signkit.report import json as report

    run = session(context)
    wiring = run.wiring()
    drafted = operation.draft(
        wiring.keys,
        wiring.certificates,
        parse_key_version(reference),
        compromised_at=moment(compromised_at),
        now=wiring.clock(),
    )
    written = write_file(run, out, drafted.text.encode(), force=force)
    document = {
        "key_id": drafted.key.id,
        "version": drafted.version.number,
        "reason": "keyCompromise",
        "compromised_at": report.time(drafted.compromised_at),
        "requested_at": report.time(drafted.requested_at),
        "revoke_by": report.time(drafted.requested_at + operation.DEADLINE),
        "certificates": [report.certificate(one) for one in drafted.certificates],
        "text": drafted.text,
        "out": out,
    }
    count = len(drafted.certificates)
    run.emit(
        document, [f"request to revoke {count} certificate(s) {written} {out}"] if out else drafted.text.splitlines()
    )
    run.notice(drafted.advice)
