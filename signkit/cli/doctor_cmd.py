"""``signkit doctor``."""

from __future__ import annotations

import typer

from signkit.cli.base import App, session

app = App()


@app.verb("doctor")
def doctor(context: typer.Context) -> None:
    """Tell what works here: libraries, key types, store, root key, clock."""
    from signkit.operations.doctor import require_health

    run = session(context)
    findings = run.wiring().doctor()
    document = {"ok": all(f.state != "failed" for f in findings), "findings": [f._asdict() for f in findings]}
    run.emit(document, [f"{f.state:<8} {f.subject}: {f.detail}" for f in findings])
    require_health(findings)
