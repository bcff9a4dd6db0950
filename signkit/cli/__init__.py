"""The command line: parses arguments, calls an operation, prints its result. One file per noun."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        arguments: the arguments without the program's name; None = those of the process.

    Returns:
        The exit status (see ``docs/exit-codes.md``).
    """
    from signkit.cli.root import run

    return run(list(sys.argv[1:] if arguments is None else arguments))


def script() -> None:
    """Entry point of the ``signkit`` program.

    Two things keep the start and the end of a short run short (ADR 0005): the cyclic garbage collector looks less often
    while modules are loaded, and the process leaves without taking its modules apart. Everything that must happen has
    happened when ``main`` returns: outputs are renamed into place, commits are synced, streams are flushed.
    """
    gc.set_threshold(100_000, 50, 50)
    try:
        _replace_closed_streams()
        status = main()
    except KeyboardInterrupt:  # before ``main`` was ready for it, or while it was telling
        print("signkit: error: interrupted\nsignkit: hint: run the command again", file=sys.stderr)
        status = 130
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(status)


def _replace_closed_streams() -> None:
    """Put something that can't be used where a standard stream is closed, so that no file takes its number.

    A result that goes there is an error, as with the tools of the system; other characters than the stream can carry
    are escaped.
    """
    for name, mode, access in (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_RDONLY)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, access), mode))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
