"""``signkit help``: pages of the documentation that a person needs at the terminal."""

from __future__ import annotations

import difflib
import os
from typing import Annotated

import typer

from signkit.cli.base import App, session
from signkit.errors import FileError, UsageError

app = App()

TOPICS = {
    "exit-codes": "what each exit status means",
    "policy": "verification policies",
    "references": "how keys, versions, names and times are written",
    "config": "signkit.toml",
}
_PAGES = {"config": "configuration"}


@app.verb("help")
def help_(
    context: typer.Context, topic: Annotated[str | None, typer.Argument(metavar="TOPIC", help="See above.")] = None
) -> None:
    """Print a page of the documentation; without a topic, list them."""
    run = session(context)
    if topic is None:
        lines = [f"signkit help {name:<12} {about}" for name, about in TOPICS.items()]
        run.emit({"topics": [{"topic": name, "about": about} for name, about in TOPICS.items()]}, lines)
        return
    if topic not in TOPICS:
        near = difflib.get_close_matches(topic, TOPICS, n=1)
        meant = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(TOPICS)}"
        raise UsageError(f"no help on '{topic}', {meant}", hint="'signkit COMMAND --help' explains a command")
    text = page(topic)
    run.emit({"topic": topic, "text": text}, text.rstrip("\n").split("\n"))


def page(topic: str) -> str:
    """The page on a topic, Markdown.

    Raises:
        FileError: it was not installed.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    name = f"{_PAGES.get(topic, topic)}.md"
    # Installed, the pages lie in the package; in a checkout, beside it.
    for folder in (os.path.join(package, "docs"), os.path.join(os.path.dirname(package), "docs")):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
    raise FileError(f"{name}: this page was not installed", path=name, hint="install signkit again")
