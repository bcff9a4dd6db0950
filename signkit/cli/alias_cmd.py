"""``signkit alias``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, session
from signkit.cli.tables import table

app = App(help="Aliases: movable names of keys.")

Name = Annotated[str, typer.Argument(metavar="alias/NAME")]
Key = Annotated[str, typer.Argument(metavar="KEY")]


@app.verb("create")
def create(context: typer.Context, name: Name, key: Key, dry_run: DryRun = False) -> None:
    """Give a key a further name."""
    from signkit.keys.reference import parse_key
    from signkit.report import json as report

    run = session(context)
    made = run.wiring().keys.aliases.create(name, parse_key(key), dry_run=dry_run)
    run.emit(report.alias(made), [f"{'would name' if dry_run else 'named'} key {made.key_id} {made.name}"])


@app.verb("update")
def update(context: typer.Context, name: Name, key: Key, dry_run: DryRun = False) -> None:
    """Move a name to another key."""
    from signkit.keys.reference import parse_key
    from signkit.report import json as report

    run = session(context)
    moved = run.wiring().keys.aliases.update(name, parse_key(key), dry_run=dry_run)
    run.emit(report.alias(moved), [f"{moved.name} {'would name' if dry_run else 'names'} key {moved.key_id}"])


@app.verb("delete")
def delete(context: typer.Context, name: Name, dry_run: DryRun = False) -> None:
    """Take a name away; its key stays."""
    from signkit.report import json as report

    run = session(context)
    gone = run.wiring().keys.aliases.delete(name, dry_run=dry_run)
    run.emit(report.alias(gone), [f"{'would delete' if dry_run else 'deleted'} {gone.name}; key {gone.key_id} stays"])


@app.verb("list")
def list_aliases(context: typer.Context) -> None:
    """List all aliases."""
    from signkit.report import json as report

    run = session(context)
    documents = [report.alias(alias) for alias in run.wiring().keys.directory.aliases()]
    rows = [(d["name"], d["key_id"], d["created_at"]) for d in documents]
    run.emit({"aliases": documents}, table(("ALIAS", "KEY", "CREATED"), rows))
