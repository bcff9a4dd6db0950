"""The program: its commands by name, loaded only when they run, and the one place where errors become exit statuses."""

from __future__ import annotations

import difflib
import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from signkit.cli.base import COMPLETION_VARIABLE, App, Session, common_options, flush, report_error
from signkit.errors import SignkitError, UsageError
from signkit.report.printable import printable

COMMANDS = {
    "demo": "Run the whole pipeline on files of this machine, offline",
    "init": "Make the store",
    "key": "Keys: create, import, list, show, change, enable, disable, delete",
    "version": "Key versions: create, import, list, show, destroy",
    "alias": "Aliases of keys: create, update, delete, list",
    "csr": "Certification requests: create, renew, rekey, show, check",
    "cert": "Certificates: import, list, show, export, check, validate, expiry",
    "sign": "Sign artifacts with a certified key version",
    "timestamp": "Timestamps in signatures: add, extract",
    "verify": "Verify artifacts: certificate chain and signature together",
    "manifest": "One signature for a folder: create, verify",
    "policy": "Verification policies: check, test",
    "inspect": "Show what is in a signature, timestamp, certificate or request",
    "raw": "Bare signatures and encryption by a key version",
    "permission": "Who may do what: attach, detach, list, simulate",
    "store": "The store: check, rekey, backup, restore, recovery",
    "audit": "The audit log: list, verify, checkpoint, export, receipts",
    "lab": "A throwaway authority for trying things out: create, issue, serve",
    "doctor": "Tell what works here",
    "help": "Explain: exit-codes, policy, references, config",
    "completion": "Completion script for bash, zsh or fish",
}
"""Command to its line of help; the module of this package that implements it is named after it with ``_cmd``."""

INTERRUPTED = 130

_ArgumentsError: type[Exception] = typer.BadParameter.__mro__[2]
"""Base of all that typer finds wrong with arguments (ClickException); it has no public name before typer 0.28."""


class Root(TyperGroup):
    """The program's commands. ``--help`` imports none of them, and a run only its own."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes["no_args_is_help"] = True
        super().__init__(*args, **attributes)
        self.params += common_options()

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of a user's way through the product."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(f"signkit.cli.{cmd_name}_cmd").app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; for an unknown one, name the nearest."""
        if args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            meant = f", did you mean '{near[0]}'?" if near else f", expected one of {', '.join(COMMANDS)}"
            raise UsageError(f"no such command '{args[0]}'{meant}", hint="'signkit --help' lists them")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


root = App(name="signkit", cls=Root)


@root.callback()
def program(
    context: typer.Context,
    home: Annotated[
        str | None,
        typer.Option(metavar="DIR", envvar="SIGNKIT_HOME", show_default=False, help="Folder that holds the store."),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", envvar="SIGNKIT_CONFIG", show_default=False, help="Settings [default: ./signkit.toml]."
        ),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Code signing with versioned keys: request, certify, sign, verify."""
    context.obj.home, context.obj.config = home, config
    context.call_on_close(context.obj.close)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status. No traceback reaches a user unless SIGNKIT_DEBUG is set."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    as_json = "--json" in options
    session = Session(arguments)
    try:
        _require_lone_help(options)
        if _asks_for_version(options):
            return _print_version(as_json)
        try:
            program = typer.main.get_command(root)
            if COMPLETION_VARIABLE in os.environ:
                from signkit.cli import completing

                completing.prepare()
            status = program.main(arguments, prog_name="signkit", standalone_mode=False, obj=session)
        finally:
            flush()
        if status == INTERRUPTED:  # typer has caught it
            raise KeyboardInterrupt
        return status if isinstance(status, int) else 0
    except SignkitError as error:
        return _fail(error, as_json, document_printed=session.document_printed)
    except _ArgumentsError as error:
        return _fail(_usage_error(error), as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(interrupted(), as_json, document_printed=session.document_printed)
    except (BrokenPipeError, SystemExit):  # typer leaves so when a pipe breaks
        # The reader of our output has gone: say nothing more, and keep the interpreter from trying at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    except Exception as error:
        defect = SignkitError(
            f"defect in signkit: {type(error).__name__}: {error}",
            hint="please report it; SIGNKIT_DEBUG=1 shows where it happened",
        )
        return _fail(defect, as_json, document_printed=session.document_printed, cause=error)


def interrupted() -> SignkitError:
    """Ctrl-C, as an error of our own."""
    hint = "files that were written are whole; run the command again for the rest"
    error = SignkitError("interrupted", hint=hint, code="Interrupted")
    error.exit_status = INTERRUPTED
    return error


def _asks_for_version(options: list[str]) -> bool:
    """Whether ``--version`` stands before the command; answered here, so that nothing is loaded for it."""
    words = iter(options)
    for word in words:
        if word == "--version" or not word.startswith("-"):
            return word == "--version"
        if word in ("--home", "--config"):
            next(words, None)
    return False


def _require_lone_help(options: list[str]) -> None:
    """``verify *`` with a file that is named ``-h`` must not end with status 0.

    Raises:
        UsageError: ``verify`` is asked for its help and something else at once.
    """
    words = [option for option in options if option not in ("--json", "--quiet", "--no-color")]
    if words[:1] == ["verify"] and len(words) > 2 and {"-h", "--help"} & set(words):
        raise UsageError(
            "'--help' stands among other arguments of verify, expected it alone",
            hint="is it a file's name? put '--' before the files: signkit verify --trust ROOT -- FILE...",
        )


def _print_version(as_json: bool) -> int:
    from signkit.version import VERSION

    session = Session()
    session.flags = {"json"} if as_json else set()
    session.emit({"name": "signkit", "version": VERSION}, [f"signkit {VERSION}"])
    flush()
    return 0


def _usage_error(error: Any) -> UsageError:
    """What typer found wrong with the arguments, as one of our own. Called without a verb, a noun shows its help."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "signkit"
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        print(context.get_help(), file=sys.stderr)
        return UsageError(f"'{path}' needs a command", hint=f"'{path} --help' lists them")
    message = error.format_message().rstrip(".")
    if any(option in message for option in ("--home", "--config")):
        return UsageError(message[:1].lower() + message[1:], hint="--home and --config stand before the command")
    return UsageError(message[:1].lower() + message[1:], hint=f"'{path} --help' shows how it is used")


def _fail(
    error: SignkitError, as_json: bool, *, document_printed: bool = False, cause: BaseException | None = None
) -> int:
    if os.environ.get("SIGNKIT_DEBUG"):
        import traceback

        for line in "".join(traceback.format_exception(cause or error)).splitlines():
            print(printable(line), file=sys.stderr)
    report_error(error, as_json=as_json, document_printed=document_printed)
    return error.exit_status
