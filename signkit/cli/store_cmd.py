"""``signkit store``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, Force, Session, session, write_file

app = App(help="The store as a whole: check it, copy it, put it under another root key, recover it.")

Checkpoints = Annotated[
    list[str], typer.Option("--checkpoint", metavar="F", help="Signed checkpoint that was kept elsewhere.")
]
LogKeyOption = Annotated[
    str | None, typer.Option("--log-key", metavar="VKEY", help="The log's key as you know it from elsewhere.")
]
NewRootKey = Annotated[
    str, typer.Option("--root-key", metavar="URI", help="New root key: file:PATH, keyring:, credential:NAME, prompt:.")
]
_REMAINS = (
    "somebody was reading just now: the old wrapped key is still in the write-ahead log, until the last one who uses"
    " the store has closed it"
)
_SAME_KEYS = (
    "whoever had the old root key and a copy of the store still has every private key in it: if the old one is known"
    " to others, make new keys"
)


@app.verb("check")
def check(context: typer.Context, checkpoint: Checkpoints = [], log_key: LogKeyOption = None) -> None:  # noqa: B006
    """Check everything: database, audit log, versions, certificates, and each private key if the root key is there."""
    from signkit.cli import documents
    from signkit.cli.arguments import vkey
    from signkit.operations.stores import require_sound
    from signkit.wiring import stores

    run = session(context)
    found = stores.stores(run.wiring()).check(stores.notes(checkpoint), vkey(log_key))
    lines = [f"wrong: {one}" for one in found.findings] + [f"note: {one}" for one in found.notes]
    if not found.findings:
        opened = "every private key opens" if found.opened else "the private keys were not opened"
        lines.append(f"the store is sound: {opened}; its audit log has {found.log.size if found.log else 0} entries")
    run.emit(documents.checked(found), lines)
    require_sound(found)


@app.verb("rekey")
def rekey(context: typer.Context, root_key: NewRootKey, dry_run: DryRun = False) -> None:
    """Put the store under another root key."""
    from signkit.wiring import stores

    run = session(context)
    done = stores.stores(run.wiring()).rekey(root_key, dry_run=dry_run)
    verb = "would put" if dry_run else "put"
    document = {"root_key": done.new, "old_root_key": done.old, "clean": done.clean, "dry_run": dry_run}
    run.emit(document, [f"{verb} the store under the root key {done.new} in place of {done.old}"])
    if not dry_run:
        run.notice(f"keep a copy of the new root key apart from the store, then delete the old one, {done.old}")
        run.notice("backups from before still need the old one")
        _tell(run, done.clean)


@app.verb("backup")
def backup(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="F")],
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write a consistent copy to a private file while others go on using the store."""
    from signkit.audit import merkle
    from signkit.wiring import stores

    run = session(context)
    wiring = run.wiring()
    head = stores.stores(wiring).backup(path, overwrite=force, dry_run=dry_run)
    document = {
        "out": path,
        "entries": head.size,
        "root_hash": merkle.root(head).hex(),
        "root_key": wiring.store.identity.root_key,
        "dry_run": dry_run,
    }
    verb = "would write" if dry_run else "wrote"
    run.emit(document, [f"{verb} the backup {path}; its audit log has {head.size} entries or more"])
    run.notice(f"the root key is not in it: keep a copy of {wiring.store.identity.root_key} apart from the backup")


@app.verb("restore")
def restore(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="F")],
    checkpoint: Checkpoints = [],  # noqa: B006
    log_key: LogKeyOption = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Make the store from a backup, which is checked first; a store that it replaces is kept beside it."""
    from signkit.cli.arguments import vkey
    from signkit.wiring import stores

    run = session(context)
    done = stores.restore(
        run.wiring(), path, checkpoints=checkpoint, key=vkey(log_key), overwrite=force, dry_run=dry_run
    )
    verb = "would make" if dry_run else "made"
    lines = [f"{verb} the store {done.path} from {path}", f"its root key is that of the backup: {done.root_key}"]
    if done.kept:
        lines.append(f"the replaced store {'would be' if dry_run else 'is'} kept as {done.kept}")
    document = {
        "store": done.path,
        "id": done.id,
        "root_key": done.root_key,
        "kept": done.kept or None,
        "remarks": list(done.remarks),
        "dry_run": dry_run,
    }
    run.emit(document, lines)
    for remark in done.remarks:
        run.notice(remark)
    run.notice("what was changed since the backup is undone: permissions, states, and keys that were destroyed")


@app.verb("recovery-export")
def recovery_export(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="F")],
    to: Annotated[str, typer.Option(metavar="PUBKEY", help="Public key of the offline key, PEM or DER.")],
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Seal the store's key to an offline key, for the day on which the root key is lost."""
    from signkit.keys import recovery
    from signkit.wiring import stores

    run = session(context)
    public_key = run.read(to, "public key") or b""
    export = stores.stores(run.wiring()).export_recovery(public_key, dry_run=dry_run)
    written = write_file(run, path, export, force=force, dry_run=dry_run, private=True)
    recipient = recovery.read(export).recipient
    document = {"out": path, "recipient_sha256": recipient, "dry_run": dry_run}
    run.emit(document, [f"recovery export {written} {path}, sealed to the key {recipient}"])
    run.notice("keep it apart from the private key that opens it: both and a copy of the store give every private key")


@app.verb("recovery-import")
def recovery_import(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="F")],
    key: Annotated[str, typer.Option(metavar="F", help="The offline private key, PKCS #8; a private file.")],
    root_key: NewRootKey,
    password_file: Annotated[
        str | None, typer.Option(metavar="F", help="Private file with the password of the private key.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Put a store whose root key was lost under a new one, by its recovery export."""
    from signkit.wiring import stores

    run = session(context)
    private_key, password = stores.recovery_key(key, password_file)
    export = run.read(path, "recovery export") or b""
    done = stores.stores(run.wiring()).import_recovery(
        export, private_key, root_key, password=password, dry_run=dry_run
    )
    document = {"root_key": done.new, "old_root_key": done.old, "clean": done.clean, "dry_run": dry_run}
    verb = "would put" if dry_run else "put"
    run.emit(document, [f"{verb} the store under the root key {done.new}; every private key opens"])
    if not dry_run:
        run.notice("keep a copy of the new root key apart from the store, and take the private key offline again")
        _tell(run, done.clean)


def _tell(run: Session, clean: bool) -> None:
    run.notice(_SAME_KEYS)
    if not clean:
        run.notice(_REMAINS)
