"""``signkit inspect``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, session
from signkit.cli.tables import tree

app = App()


@app.verb("inspect")
def inspect(context: typer.Context, file: Annotated[str, typer.Argument(metavar="F")]) -> None:
    """Show what is in a signature, timestamp, certificate, request, CRL or OCSP response. Nothing is judged."""
    from signkit.cli import revocation_documents
    from signkit.files import FileSource
    from signkit.operations import inspect as operation

    run = session(context)
    document = revocation_documents.inspected(operation.inspect(FileSource(), file))
    run.emit(document, tree(document))
