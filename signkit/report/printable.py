"""Text from outside, made safe to print: nothing can move the cursor, hide, reorder or pass for a space."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with all escaped that is not a visible character or a plain space.

    Escaped are control, format (bidirectional), surrogate, private and unassigned characters, line separators, and
    spaces that look like another one.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
