"""What all commands share: common flags, the session, printing of results and errors."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from signkit.report.printable import printable

if TYPE_CHECKING:
    from signkit.errors import SignkitError
    from signkit.wiring import Wiring

PROGRAM = "signkit"
MAXIMUM_INPUT = 64 << 20
"""Most bytes of an input that is taken in as a whole."""
_COMMON = (
    ("json", "Print one JSON document instead of text."),
    ("quiet", "Print errors only."),
    ("no-color", "Print without colours."),
)
_LONGEST_LINE = 4000
_HINTS = {
    0: "the message says what was expected",
    2: "'--help' behind the command shows how it is used",
    3: "mend what the message names; 'signkit doctor' tells what works here",
    4: "mend what the message names and run the command again",
    11: "'signkit inspect' shows what is in a file",
}
"""Hints by exit status, for errors that bring none; 0 stands for every other."""


Function = TypeVar("Function", bound=Callable[..., Any])

Force = Annotated[bool, typer.Option("--force", help="Overwrite what exists.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]


@contextlib.contextmanager
def _printing() -> Iterator[None]:
    """A full disk behind standard output must not look like success, and is no defect."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        from signkit.errors import FileError

        message = f"the result could not be printed: {error.strerror}"
        raise FileError(message, hint="make room; what was written to other files is whole") from error


def flush() -> None:
    """Get the result out.

    Raises:
        FileError: it could not be printed.
    """
    with _printing():
        sys.stdout.flush()


class Session:
    """One run of the program: its common flags, and the way to its parts and its output."""

    def __init__(self) -> None:
        self.flags: set[str] = set()
        self.document_printed = False
        self.home: str | None = None
        self.config: str | None = None
        self._wiring: Wiring | None = None

    @property
    def json(self) -> bool:
        """Whether one JSON document is wanted on stdout."""
        return "json" in self.flags

    @property
    def quiet(self) -> bool:
        """Whether only errors are wanted."""
        return "quiet" in self.flags

    def wiring(self) -> Wiring:
        """The parts of the product, as this run configures them; closed when the run ends."""
        if self._wiring is None:
            from signkit.wiring import Wiring

            self._wiring = Wiring(os.environ, home=self.home, config=self.config)
        return self._wiring

    def close(self) -> None:
        """Close what was opened."""
        if self._wiring is not None:
            self._wiring.close()

    def read(self, path: str | None, what: str, *, limit: int = MAXIMUM_INPUT) -> bytes | None:
        """A whole small input file (``-`` = standard input), or None when none was named."""
        from signkit.files import FileSource

        return None if path is None else FileSource().read(path, limit=limit, what=what)

    def public_key(self, reference: str | None, path: str | None, action: str) -> bytes:
        """DER SubjectPublicKeyInfo of a key version for an action, or from a PEM or DER file, which needs no store."""
        from signkit.errors import UsageError
        from signkit.keys.reference import parse_key_version
        from signkit.x509 import pem

        if (reference is None) == (path is None):
            raise UsageError("expected KEY@V or --public-key F, found both or neither")
        if reference is not None:
            return self.wiring().keys.directory.public_key(parse_key_version(reference), action=action)
        return pem.public_key(self.read(path, "public key") or b"")

    def emit(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Print a command's result: the document with ``--json``, else the lines."""
        if self.json:
            self.document_printed = True
            self._print(json_text(document))
        elif not self.quiet:
            for line in lines:
                self._print(self._paint(printable(line)))

    def print_raw(self, data: bytes) -> None:
        """Print the bytes of a result that is a file of its own (PEM, DER)."""
        with _printing():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def _print(self, line: str) -> None:
        with _printing():
            print(line)

    def notice(self, text: str) -> None:
        """Tell the person at the terminal something that is not the result."""
        if not self.quiet:
            flush()  # what was printed before stays before
            with contextlib.suppress(OSError):  # it is no reason to stop that nobody can be told
                print(f"{PROGRAM}: {printable(text)}", file=sys.stderr)

    def _paint(self, line: str) -> str:
        """Verdict words in colour, on a terminal that wants it."""
        if "no-color" in self.flags or os.environ.get("NO_COLOR") or not sys.stdout.isatty():
            return line
        for word, colour in (("ACCEPTED", "32"), ("REFUSED", "31"), ("NOT DECIDED", "33")):
            line = line.replace(word, f"\x1b[1;{colour}m{word}\x1b[0m")
        return line


def session(context: typer.Context) -> Session:
    """The session of a running command."""
    found = context.find_root().obj
    assert isinstance(found, Session)  # noqa: S101 - the root callback has put it there
    return found


class Command(TyperCommand):
    """A command that takes the common flags behind its name as well."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += [_common_option(name, help_text) for name, help_text in _COMMON]


class Group(TyperGroup):
    """A noun: its verbs are ``Command``s, and called without one it shows its help."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes["no_args_is_help"] = True
        super().__init__(*args, **attributes)


class App(typer.Typer):
    """A typer application with signkit's settings."""

    def __init__(self, *, cls: type[TyperGroup] = Group, **attributes: Any) -> None:
        super().__init__(
            cls=cls,
            add_completion=False,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["--help", "-h"]},
            **attributes,
        )

    def verb(self, name: str) -> Callable[[Function], Function]:
        """Decorator: the function becomes a command of that name, with the common flags."""
        return self.command(name, cls=Command)


def common_options() -> list[TyperOption]:
    """The common flags, for the program itself."""
    return [_common_option(name, help_text) for name, help_text in _COMMON]


def _common_option(name: str, help_text: str) -> TyperOption:
    def remember(context: typer.Context, _parameter: object, value: bool) -> None:
        root = context.find_root()
        if value:
            if root.obj is None:
                root.obj = Session()
            root.obj.flags.add(name)

    return TyperOption(
        param_decls=[f"--{name}"], is_flag=True, default=False, expose_value=False, callback=remember, help=help_text
    )


def json_text(document: Mapping[str, Any]) -> str:
    """One JSON document; what can't be shown, or would mislead whoever looks at it, is written as an escape."""
    only_ascii = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    text = json.dumps(document, indent=2, ensure_ascii=only_ascii, default=str)
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def report_error(error: SignkitError, *, as_json: bool, document_printed: bool = False) -> None:
    """Print an error: two lines on stderr, and the document on stdout when JSON was asked for."""
    hint = error.hint or _HINTS.get(error.exit_status, _HINTS[0])
    with contextlib.suppress(OSError):  # the exit status still tells
        if as_json and not document_printed:
            print(json_text({"error": {"code": error.code, "message": error.message, "hint": hint}}), flush=True)
    with contextlib.suppress(OSError):
        for label, text in (("error", error.message), ("hint", hint)):
            print(f"{PROGRAM}: {label}: {_shortened(printable(text))}", file=sys.stderr)


def _shortened(line: str) -> str:
    """A line that a terminal can show, whatever was quoted in it."""
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"


def write_file(
    run: Session, path: str | None, data: bytes, *, force: bool, dry_run: bool = False, private: bool = False
) -> str:
    """Write an output file whole or not at all; returns what was done, in words."""
    from signkit.files import FileSink

    if path is None:
        return ""
    sink = FileSink()
    sink.check([path], overwrite=force)
    if dry_run:
        return "would be written to"
    sink.write(path, data, overwrite=force, private=private)
    return "written to"


def write_or_print(
    run: Session, data: bytes, path: str | None, *, force: bool, what: str, private: bool = False
) -> None:
    """Write a result that is a file of its own, or print it when no file was named."""
    written = write_file(run, path, data, force=force, private=private)
    if path is not None or run.json:
        import base64

        document = {what.replace(" ", "_"): base64.b64encode(data).decode(), "out": path}
        run.emit(document, [f"{what} {written} {path}"])
    else:
        run.print_raw(data)
