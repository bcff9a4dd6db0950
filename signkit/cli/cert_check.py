"""``signkit cert check``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import session


def check(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="KEY@V|FILE")],
    rules: Annotated[str, typer.Option("--rules", metavar="private|cabf", help="Whose rules to check by.")] = "private",
) -> int:
    """Check the certificate of a key version, or those in a file, by rules; 4 when one is broken."""
    from signkit.report import json as report
    from signkit.report import x509
    from signkit.x509 import lint

    run = session(context)
    wiring = run.wiring()
    lint.rules(rules)
    found = [(one, lint.lint(one, rules, now=wiring.clock())) for one in wiring.certificates_of(what)]
    refused = any(lint.has_errors(findings) for _one, findings in found)
    document = {
        "rules": rules,
        "accepted": not refused,
        "certificates": [{**report.certificate(one), "findings": x509.findings(findings)} for one, findings in found],
    }
    lines = [
        line
        for one, findings in found
        for line in (f"{one.subject}:", *(f"  {line}" for line in x509.finding_lines(findings)))
    ]
    run.emit(document, lines)
    return lint.REFUSED if refused else 0
