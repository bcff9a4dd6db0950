"""Plain tables and trees: readable on 80 columns, by people and by ``cut``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell, two spaces apart; the last one is not padded."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def tree(document: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """A document as ``name: value`` lines, nested ones indented."""
    for name, value in document.items():
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            yield label
            yield from tree(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield label
            for number, item in enumerate(value):
                yield f"{indent}  [{number}]"
                yield from tree(item, indent + "    ")
        else:
            yield f"{label} {_text(value)}".rstrip()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
