"""``signkit init``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, session

app = App()

_PROTECTION = {
    "file": "the root key file protects a stolen store or backup, not a stolen home folder",
    "keyring": "the keyring protects a stolen disk, not a stolen session of this user",
    "credential": "the service manager protects the root key; the store alone is useless",
    "prompt": "the passphrase protects a stolen disk; if it is forgotten, every key is lost",
}


@app.verb("init")
def init(
    context: typer.Context,
    root_key: Annotated[
        str | None,
        typer.Option(metavar="URI", help="file:PATH, keyring:, credential:NAME or prompt: [generated file]."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Make the store, sealed under a root key."""
    run = session(context)
    made = run.wiring().init(root_key, dry_run=dry_run)
    scheme = made.root_key.partition(":")[0]
    document = {
        "id": made.id,
        "store": made.path,
        "root_key": made.root_key,
        "principal": made.principal,
        "dry_run": dry_run,
    }
    run.emit(
        document,
        [
            f"{'would make' if dry_run else 'made'} the store {made.path}",
            f"root key: {made.root_key} ({_PROTECTION[scheme]})",
            "keep a copy of the root key apart from the store: without it no key can be used again",
        ],
    )
