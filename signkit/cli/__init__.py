"""The command line: parses arguments, calls an operation, prints its result. One file per noun."""

from __future__ import annotations

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
    """Entry point of the ``signkit`` program."""
    sys.exit(main())
