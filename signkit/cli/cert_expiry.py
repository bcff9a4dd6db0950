"""``signkit cert expiry``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from signkit.cli.base import Force, session, write_file
from signkit.cli.tables import table

if TYPE_CHECKING:
    from signkit.operations.expiry import Expiring
    from signkit.report.json import Document


def expiry(
    context: typer.Context,
    within: Annotated[
        str, typer.Option(metavar="TIME", help="What runs out in this time is due: 30d, 12h, 4w.")
    ] = "30d",
    folder: Annotated[
        str | None, typer.Option(metavar="DIR", help="Look at the signatures (.p7s) in it, too; needs no store.")
    ] = None,
    ical: Annotated[str | None, typer.Option(metavar="F", help="Write the dates as an iCalendar file.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is no longer in use.")] = False,
    force: Force = False,
) -> int:
    """List what will run out, the soonest first; 15 when something in use is due, 3 when a file is unreadable."""
    from signkit import files
    from signkit.operations import expiry
    from signkit.report import calendar
    from signkit.report import json as report

    run = session(context)
    wiring, window = run.wiring(), expiry.parse_window(within)
    now = wiring.clock()
    listed = wiring.certificates.certificates() if wiring.has_store or folder is None else []
    signatures = [] if folder is None else files.find(folder, ".p7s")
    watched = expiry.watch(listed, files.FileSource(), signatures, now=now, within=window)
    shown = [item for item in watched.items if item.in_use or everything]
    events = [calendar.expiry(item.kind, item.certificate, item.used_by) for item in shown]
    written = write_file(run, ical, calendar.calendar(events, now=now, before=window), force=force)
    document = {
        "now": report.time(now),
        "within": within,
        "due": watched.due,
        "expiring": [_document(item) for item in shown],
        "timestamped": list(watched.timestamped),
        "unreadable": list(watched.unreadable),
        "ical": ical,
    }
    run.emit(document, [*_lines(shown), *([f"calendar {written} {ical}"] if ical else [])])
    for problem in watched.unreadable:
        run.notice(problem)
    return watched.exit_status


def _document(item: Expiring) -> Document:
    from signkit.report import json as report

    return {
        "kind": item.kind.value,
        "not_after": report.time(item.not_after),
        "days": item.days,
        "due": item.due,
        "in_use": item.in_use,
        "used_by": list(item.used_by),
        "subject": str(item.certificate.subject),
        "issuer": str(item.certificate.issuer),
        "serial_number": f"{item.certificate.serial_number:x}",
        "certificate_sha256": item.certificate.fingerprint,
    }


def _lines(items: list[Expiring]) -> list[str]:
    from signkit.report import json as report

    if not items:
        return ["nothing on record that could run out"]
    rows = [
        (
            report.time(item.not_after)[:10],
            str(item.days),
            "due" if item.due else ("" if item.in_use else "not in use"),
            item.kind.value,
            item.used_by[0] + (f" and {len(item.used_by) - 1} more" if len(item.used_by) > 1 else ""),
            str(item.certificate.subject),
        )
        for item in items
    ]
    return list(table(("NOT AFTER", "DAYS", "STATE", "WHAT", "USED BY", "SUBJECT"), rows))
