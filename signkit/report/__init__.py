"""Renderers: one result, many readers. One file each; none of them judges anything."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from signkit.errors import UsageError

Renderer = Callable[[Mapping[str, Any], Sequence[str]], str]
"""Takes a verification report and the commands that repeat the verification; answers the text of a file."""

FILE_FORMATS: Mapping[str, str] = MappingProxyType(
    {name: f"signkit.report.{name}" for name in ("html", "junit", "markdown", "sarif")}
    | {"json": "signkit.report.json_file"}
)
"""Report format to the module that writes it."""


def renderer(name: str) -> Renderer:
    """The renderer of a report format.

    Raises:
        UsageError: there is no such format.
    """
    if name not in FILE_FORMATS:
        raise UsageError(
            f"'{name}' is not a report format: expected one of {' '.join(sorted(FILE_FORMATS))}",
            hint="for example --report sarif=verification.sarif",
        )
    found: Renderer = importlib.import_module(FILE_FORMATS[name]).render
    return found
