"""``signkit key import`` and ``signkit version import``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from signkit.cli.base import DryRun, Session, session

if TYPE_CHECKING:
    from signkit.operations.imports import NewKey

File = Annotated[str, typer.Option("--in", metavar="FILE", help="PKCS#8 (also encrypted), SEC 1 or PKCS#1; - = stdin.")]
PassphraseFile = Annotated[
    str | None,
    typer.Option(
        metavar="F", help="File (0600) with the passphrase [default: SIGNKIT_IMPORT_PASSPHRASE_FILE, else asked for]."
    ),
]


def import_key(
    context: typer.Context,
    key_type: Annotated[str, typer.Option("--type", metavar="T", help="Type that the private key must have.")],
    file: File,
    passphrase_file: PassphraseFile = None,
    usage: Annotated[str, typer.Option(metavar="U", help="SIGN/VERIFY or ENCRYPT/DECRYPT")] = "SIGN/VERIFY",
    alias: Annotated[str | None, typer.Option(metavar="alias/NAME", help="A name for the key.")] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What the key is for.")] = "",
    tag: Annotated[list[str] | None, typer.Option(metavar="K=V", help="A tag; may be repeated.")] = None,
    provider: Annotated[str, typer.Option(metavar="P", help="Where its private keys live.")] = "software",
    dry_run: DryRun = False,
) -> None:
    """Make a key whose version 1 is a private key that you bring."""
    from signkit.algorithms.containers import MAXIMUM_SIZE
    from signkit.cli.arguments import tags
    from signkit.operations.imports import NewKey
    from signkit.report import json as report

    run = session(context)
    wiring = run.wiring()
    wanted = NewKey(key_type, usage, alias, description, tags(tag), provider)
    data = run.read(file, "private key", limit=2 * MAXIMUM_SIZE) or b""
    passphrase = wiring.import_passphrase(passphrase_file)
    key, version = wiring.imports.import_key(wanted, data, passphrase=passphrase, dry_run=dry_run)
    document = report.key(key, [(version, None)], [alias] if alias else [])
    verb = "would import" if dry_run else "imported"
    run.emit(document, [f"{verb} key {key.id} ({key.key_type}) with version 1, to be named {alias or key.id}@1"])
    run.notice(_advice(file))


def import_version(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY")],
    file: File,
    passphrase_file: PassphraseFile = None,
    dry_run: DryRun = False,
) -> None:
    """Take in the next version of an imported key, or the first of one that waits for it."""
    from signkit.algorithms.containers import MAXIMUM_SIZE
    from signkit.keys.reference import parse_key
    from signkit.report import json as report

    run = session(context)
    wiring = run.wiring()
    data = run.read(file, "private key", limit=2 * MAXIMUM_SIZE) or b""
    passphrase = wiring.import_passphrase(passphrase_file)
    _key, version = wiring.imports.import_version(parse_key(key), data, passphrase=passphrase, dry_run=dry_run)
    verb = "would import" if dry_run else "imported"
    lines = [f"{verb} version {version.number}, to be named {key}@{version.number}"]
    run.emit(report.version_object(version), lines)
    run.notice(_advice(file))


def create_pending(run: Session, wanted: NewKey, *, dry_run: bool) -> None:
    """``signkit key create --external``: a key that waits for its private key."""
    from signkit.report import json as report

    wiring = run.wiring()
    key = wiring.imports.create_pending(wanted, dry_run=dry_run)
    verb = "would make" if dry_run else "made"
    line = f"{verb} key {key.id} ({key.key_type}), which waits for 'signkit version import {wanted.alias or key.id}'"
    run.emit(report.key(key, [], [wanted.alias] if wanted.alias else []), [line])


def _advice(file: str) -> str:
    return f"{file} still holds the private key, as do its copies and backups: destroy what need not be"
