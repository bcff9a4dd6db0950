"""``signkit permission``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, DryRun, session
from signkit.cli.tables import table, tree

app = App(help="Permissions: who may do what with which key.")

REFUSED = 4
"""Exit status of ``simulate`` when the request would be refused."""

Principal = Annotated[str, typer.Argument(metavar="PRINCIPAL", help="For example os:alice.")]
Force = Annotated[bool, typer.Option("--force", help="Even when nobody could attach documents any more.")]
_ROLES = "administrator|signer|verifier|decryptor|auditor"


@app.verb("attach")
def attach(
    context: typer.Context,
    principal: Principal,
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", show_default=False, help="A document.")] = None,
    role: Annotated[str | None, typer.Option(metavar=_ROLES, help="A ready-made document.")] = None,
    key: Annotated[list[str] | None, typer.Option("--key", metavar="KEY", help="With --role: only for it.")] = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Attach a permission document to a principal, from a file or ready-made."""
    from signkit.cli import documents
    from signkit.errors import UsageError
    from signkit.keys.reference import parse_key
    from signkit.operations.permissions import decode

    run = session(context)
    if (file is None) == (role is None) or (file is not None and key):
        raise UsageError("expected FILE, or --role with or without --key", hint=f"roles: {_ROLES.replace('|', ' ')}")
    service = run.wiring().keys.permissions
    if role is not None:
        keys = [parse_key(one) for one in key or ()]
        found = service.attach_role(principal, role, keys, force=force, dry_run=dry_run)
    else:
        text = decode(run.read(file, "permission document") or b"", file or "")
        found = service.attach(principal, text, force=force, dry_run=dry_run)
    verb = "would attach" if dry_run else "attached"
    run.emit(documents.attached(found), [f"{verb} document {found.id} to {principal}"])
    for doubt in found.doubts:
        run.notice(f"note: {doubt}")


@app.verb("detach")
def detach(
    context: typer.Context,
    principal: Principal,
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its id, or the name of its statement.")],
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Detach a permission document from a principal."""
    from signkit.cli import documents

    run = session(context)
    found = run.wiring().keys.permissions.detach(principal, document, force=force, dry_run=dry_run)
    verb = "would detach" if dry_run else "detached"
    run.emit(documents.attached(found), [f"{verb} document {found.id} from {principal}"])


@app.verb("list")
def list_permissions(
    context: typer.Context,
    principal: Annotated[str, typer.Argument(metavar="[PRINCIPAL]", show_default=False)] = "",
) -> None:
    """List the permission documents of one principal, or of all."""
    from signkit.cli import documents

    run = session(context)
    attached = run.wiring().keys.permissions.attached(principal)
    listed = [documents.attached(one) for one in attached]
    rows = [(d["principal"], d["id"], d["attached_at"], " ".join(n or "-" for n in d["statements"])) for d in listed]
    run.emit({"permissions": listed}, table(("PRINCIPAL", "DOCUMENT", "ATTACHED", "STATEMENTS"), rows))
    for one in attached:
        for problem in filter(None, [one.problem]):
            run.notice(f"warning: {one.permission.principal} may do nothing: {problem}")


@app.verb("simulate")
def simulate(
    context: typer.Context,
    principal: Principal,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="For example AsymmetricSign.")],
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", show_default=False)] = None,
    algorithm: Annotated[str, typer.Option(metavar="A", help="With this algorithm.")] = "",
    at: Annotated[str | None, typer.Option(metavar="TIME", help="At this time [default: now].")] = None,
    source: Annotated[str, typer.Option(metavar="IP", help="From this address [default: this machine].")] = "",
) -> None:
    """Try out whether a request would be permitted, and by what; status 4 when not. States are not looked at."""
    from signkit.cli import documents
    from signkit.cli.arguments import moment
    from signkit.keys.reference import parse_key

    run = session(context)
    found = run.wiring().keys.permissions.simulate(
        principal,
        action,
        parse_key(key) if key else None,
        algorithm=algorithm,
        at=moment(at) if at else None,
        source=source,
    )
    document = documents.simulated(found)
    run.emit(document, tree({name: value for name, value in document.items() if value is not None}))
    if not found.decision:
        raise typer.Exit(REFUSED)
