"""Writes docs/signkit.1, the man page, from the commands themselves and the table of exit statuses: ``make man``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from os.path import abspath, dirname, join
from typing import Any

import typer

from signkit.cli.help_cmd import TOPICS
from signkit.cli.root import COMMANDS, root
from signkit.version import VERSION

DOCS = dirname(abspath(__file__))
_COMMON = ("--json", "--quiet", "--no-color", "--help")


def page() -> str:
    """The man page, in the macros of man(7)."""
    program = typer.main.get_command(root)
    lines = [
        '.\\" Made by docs/make_man.py from the commands; do not edit.',
        f'.TH SIGNKIT 1 "" "signkit {VERSION}" "User Commands"',
        ".SH NAME",
        "signkit \\- sign files and verify them, with versioned keys and certificates",
        ".SH SYNOPSIS",
        ".B signkit",
        "[\\fIoptions\\fR] \\fIcommand\\fR [\\fIargument\\fR ...]",
        ".SH DESCRIPTION",
        "signkit makes keys, asks an authority for their certificates, writes detached CMS signatures",
        "(\\fIFILE\\fR.p7s), and judges certificate chain and signature together.",
        "A key is a set of numbered versions, and every command names one: \\fIalias/release@2\\fR.",
        "Verifying needs no store, no configuration and no network; trust is what the command line names.",
        ".SH OPTIONS",
        *_options(program, common=True),
        ".SH COMMANDS",
    ]
    context = typer.Context(program, info_name="signkit")
    for name in COMMANDS:
        lines += _command(program.get_command(context, name), context, name)
    lines += [".SH EXIT STATUS", *_statuses(), ".SH ENVIRONMENT", *_environment(), ".SH SEE ALSO"]
    topics = ", ".join(f"\\fBsignkit help {_text(topic)}\\fR" for topic in TOPICS)
    return "\n".join([*lines, topics, ".PP", ".BR openssl\\-cms (1)"]) + "\n"


def _command(command: Any, parent: Any, name: str) -> Iterator[str]:
    """A command with its options, or each verb of a noun."""
    context = typer.Context(command, info_name=name, parent=parent)
    if hasattr(command, "commands"):
        for verb, one in command.commands.items():
            yield from _command(one, context, verb)
        return
    usage = [_text(piece) for piece in command.collect_usage_pieces(context)]
    yield f".SS {_quoted(context.command_path.removeprefix('signkit '))}"
    yield f".B {_text(context.command_path)}"
    yield " ".join(usage)
    yield ".PP"
    yield _text(" ".join((command.help or "").split()))
    yield from _options(command, common=False)


def _options(command: Any, *, common: bool) -> Iterator[str]:
    """The options of a command; those that all commands take are described once, at the program."""
    for parameter in command.params:
        if parameter.param_type_name != "option" or (not common and parameter.opts[0] in _COMMON):
            continue
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in parameter.opts)
        value = "" if parameter.is_flag else f" \\fI{_text(parameter.metavar or parameter.type.name)}\\fR"
        yield from (".TP", names + value, _text(" ".join((parameter.help or "").split())) or "\\&")


def _statuses() -> Iterator[str]:
    """The first table of docs/exit-codes.md."""
    with open(join(DOCS, "exit-codes.md"), encoding="utf-8") as file:
        table = file.read().partition("\n| status")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\d+) \| ([^|]*) \|", table, re.MULTILINE)
    for status, meaning in rows:
        yield from (".TP", f"\\fB{status}\\fR", _text(meaning.strip()))


def _environment() -> Iterator[str]:
    """The variables of docs/configuration.md, from the column that names them."""
    with open(join(DOCS, "configuration.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| ([^|]*) \|[^|]*\| `(SIGNKIT_[A-Z0-9_]+)[^|]*` \|", file.read(), re.MULTILINE)
    for meaning, variable in [*rows, ("with 1, an error shows where in signkit it happened", "SIGNKIT_DEBUG")]:
        yield from (".TP", f"\\fB{variable}\\fR", _text(meaning.strip()))


def _text(text: str) -> str:
    """Text as troff shows it: no escapes, no line that looks like a request, dashes that can be copied."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|`([^`]*)`", lambda found: found[1] or found[2] or "", text)
    escaped = (
        plain.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    )
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def _quoted(text: str) -> str:
    return f'"{_text(text)}"'


if __name__ == "__main__":
    with open(sys.argv[1] if len(sys.argv) > 1 else join(DOCS, "signkit.1"), "w", encoding="utf-8") as target:
        target.write(page())
