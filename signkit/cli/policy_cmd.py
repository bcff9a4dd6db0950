"""``signkit policy``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, session

app = App(help="Verification policies: who may sign what, and what else must be right.")
_PolicyFile = Annotated[str, typer.Argument(metavar="F", help="The policy file (TOML).")]


@app.verb("check")
def check(context: typer.Context, file: _PolicyFile) -> None:
    """Validate a policy file whole, with the trust anchors that it names; 4 when anything is wrong with it."""
    from signkit.cli import policy_documents as documents
    from signkit.cli.tables import tree
    from signkit.files import FileSource
    from signkit.operations import policies

    run = session(context)
    found = policies.check(FileSource(), file)
    for warning in found.warnings:
        run.notice(f"warning: {warning}")
    run.emit(documents.policy_file(found), tree(documents.policy_file(found, anything="any")))


@app.verb("test")
def test(context: typer.Context, file: _PolicyFile) -> None:
    """Run the policy's own test cases; 0 when every verdict is the expected one, else 4."""
    from signkit.cli import policy_documents as documents
    from signkit.cli.tables import table
    from signkit.files import FileSource
    from signkit.operations import policies

    run = session(context)
    tested = policies.test(FileSource(), run.wiring().verifying(), file)
    rows = [("ok" if one.agreed else "DIFFERS", one.test.name, str(one.test.expected), one.found) for one in tested]
    run.emit(documents.policy_tests(file, tested), table(("result", "test", "expected", "found"), rows))
    policies.require_agreement(tested)
