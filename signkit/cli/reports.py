"""``--report``: reports of a verification, into files and for GitHub."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from signkit.errors import FileError, UsageError

if TYPE_CHECKING:
    from signkit.cli.base import Session

GITHUB = "github"
SUMMARY_FILE = "GITHUB_STEP_SUMMARY"
HELP = "A report file: html, json, junit, markdown or sarif; or 'github'; may repeat."


class Wanted(NamedTuple):
    """The reports of one run.

    Attributes:
        files: report format and path of each file.
        github: whether annotations for GitHub Actions go to standard output.
    """

    files: tuple[tuple[str, str], ...]
    github: bool

    def __bool__(self) -> bool:
        return bool(self.files) or self.github


def parse(values: Sequence[str]) -> Wanted:
    """Read ``FORMAT=FILE`` and ``github``.

    Raises:
        UsageError: another form, an unknown format, or one file for two reports.
    """
    from signkit.report import renderer

    files: list[tuple[str, str]] = []
    for value in values:
        if value == GITHUB:
            continue
        name, equals, path = value.partition("=")
        if not equals or not path:
            raise UsageError(
                f"--report is '{value}', expected FORMAT=FILE or {GITHUB}", hint="for example --report junit=junit.xml"
            )
        renderer(name)
        files.append((name, path))
    paths = [path for _name, path in files]
    if repeated := [path for path in paths if paths.count(path) > 1]:
        raise UsageError(f"two reports would be written to {repeated[0]}, expected a file for each")
    return Wanted(tuple(files), GITHUB in values)


def prepare(run: Session, values: Sequence[str], *, force: bool) -> Wanted:
    """Read the options and fail before the work when a report could not be written.

    Raises:
        UsageError: see ``parse``; or annotations are wanted where the JSON document goes.
        OutputExistsError: a file exists and ``force`` is false.
        FileError: a folder is missing or can't be written to.
    """
    wanted = parse(values)
    if wanted.github and run.json:
        raise UsageError(
            "--json and --report github both want standard output, expected one of them",
            hint="--report json=F writes the document to a file",
        )
    if wanted.files:
        from signkit.files import FileSink

        FileSink().check([path for _name, path in wanted.files], overwrite=force)
    return wanted


def deliver(
    run: Session,
    wanted: Wanted,
    document: Mapping[str, Any],
    *,
    trust: Sequence[str],
    intermediates: Sequence[str],
    force: bool,
) -> None:
    """Write and print the reports, whatever the verdict is.

    Args:
        run: this run of the program.
        wanted: what ``prepare`` gave.
        document: the report as ``report.verification`` makes it.
        trust: files with the trust anchors, for the commands that repeat the verification.
        intermediates: files with further certificates, likewise.
        force: overwrite what exists.

    Raises:
        FileError: a file could not be written.
    """
    if not wanted:
        return
    from signkit.files import FileSink
    from signkit.report import renderer, reproduce

    stock = reproduce.stock_commands(document, trust, intermediates)
    repeat = [reproduce.own_command(run.arguments, document["now"]), *stock]
    for name, path in wanted.files:
        data = renderer(name)(document, repeat).encode("utf-8", "backslashreplace")
        FileSink().write(path, data, overwrite=force)
    if wanted.github:
        from signkit.report import github, markdown

        run.print_raw(github.render(document).encode("utf-8", "backslashreplace"))
        _summarise(os.environ.get(SUMMARY_FILE, ""), markdown.render(document, repeat))


def _summarise(path: str, text: str) -> None:
    """Append to the job summary where GitHub Actions asks for one."""
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise FileError(f"{path}: the job summary could not be written: {error.strerror}", path=path) from error
