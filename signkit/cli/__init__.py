"""The command line: parses arguments, calls an operation, prints its result. One file per noun."""

from __future__ import annotations

import gc
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
    status = main()
    sys.stderr.flush()
    os._exit(status)
