"""Runs pure code under an audit hook that forbids everything a pure module must not do.

The hook stays in a process for good, so callers run this in a process of their own. It forbids opening files, listing
and changing the file system, sockets, other processes, databases and loading libraries. What the import system itself
does is allowed, because pure code may import lazily; what a module does while it is imported is not.

Not seen by any audit event, and held elsewhere: the clock, the environment and random numbers (ruff's TID251).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType, FrameType

FORBIDDEN = (
    "open",
    "os.",
    "socket.",
    "subprocess.",
    "shutil.",
    "tempfile.",
    "pathlib.",
    "glob.",
    "fcntl.",
    "mmap.",
    "pty.",
    "sqlite3.",
    "ctypes.dlopen",
    "urllib.",
    "http.",
    "ftplib.",
    "smtplib.",
    "webbrowser.",
)


class Impure(BaseException):  # not an Exception, so that no `except Exception` hides it
    """Pure code did something that it must not do."""


def run_without_effects(exercises: Mapping[str, Callable[[], object]]) -> tuple[dict[str, list[str]], list[str]]:
    """Call each exercise with effects forbidden.

    Returns:
        what each exercise tried to do that is forbidden, and the names of signkit's modules whose functions ran.
    """
    effects: dict[str, list[str]] = {}
    current: list[str] = []
    active = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if active and event.startswith(FORBIDDEN) and not _is_import_system(sys._getframe(1)):
            current.append(f"{event}{arguments!r}")
            raise Impure(current[-1])

    package = str(Path(__file__).parents[2] / "signkit")
    entered: set[CodeType] = set()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entered.add(frame.f_code)

    sys.addaudithook(hook)
    for name, exercise in exercises.items():
        current = effects[name] = []
        active = True
        sys.setprofile(profile)
        try:
            exercise()
        except Impure:
            pass  # recorded by the hook
        finally:
            sys.setprofile(None)
            active = False
    functions = [code for code in entered if code.co_filename.startswith(package) and code.co_name != "<module>"]
    files = {Path(code.co_filename).relative_to(Path(package).parent) for code in functions}
    return effects, sorted(".".join(file.with_suffix("").parts) for file in files)


def _is_import_system(frame: FrameType) -> bool:
    """Whether the innermost Python code is the import system's own (the loader reading a module, not the module)."""
    return frame.f_code.co_filename.startswith("<frozen importlib")
