"""Patterns of a policy file: artifacts by path (``dist/**``), checks by name (``path.*.policies``).

Matching takes time in proportion to pattern times text, whatever the pattern: both come from files.
"""

from __future__ import annotations

import posixpath

ANY_FOLDERS = "**"
MAXIMUM_LENGTH = 1000
MAXIMUM_FOLDERS = 40
"""Most segments of a pattern: all patterns of a file are held against each other."""

_FOLDERS, _CHARACTERS = "\0", "\1"
"""What ``**`` and ``*`` of a pattern become when it is held against another pattern: no path has them."""


def matches_name(pattern: str, name: str) -> bool:
    """Whether a check's name fits a pattern, in which ``*`` stands for one or more characters, dots too."""
    return _fits(pattern.replace("*", "?*"), name)


def literals(pattern: str) -> int:
    """How many characters of a name a pattern fixes: the larger number is the more specific pattern."""
    return len(pattern) - pattern.count("*")


def matches_path(pattern: str, path: str) -> bool:
    """Whether a path fits a pattern.

    ``*`` stands for any characters and ``?`` for one, neither of them for ``/``; ``**`` between slashes for any number
    of folders, none included, and at the end for everything below.

    Args:
        pattern: as in a policy file.
        path: as ``simple`` makes it.
    """
    return _segments(pattern.split("/"), path.split("/"))


def covers(pattern: str, other: str) -> bool:
    """Whether every path that fits ``other`` fits ``pattern`` too, as far as the two show it."""
    # The other pattern is taken as a path: its wildcards are characters that only a wildcard as wide can stand for.
    segments = [_FOLDERS if one == ANY_FOLDERS else one.replace("*", _CHARACTERS) for one in other.split("/")]
    return _segments(pattern.split("/"), segments)


def simple(path: str) -> str:
    """A path as patterns see it: ``./dist//a`` and ``dist/x/../a`` are ``dist/a``."""
    normal = posixpath.normpath(path)
    return normal[1:] if normal.startswith("//") else normal


def fault(pattern: str) -> str:
    """Why no artifact can ever fit a pattern; empty when one can."""
    segments = pattern.split("/")
    if not pattern:
        return "it is empty"
    if len(pattern) > MAXIMUM_LENGTH:
        return f"it has {len(pattern)} characters, expected at most {MAXIMUM_LENGTH}"
    if len(segments) > MAXIMUM_FOLDERS:
        return f"it has {len(segments)} segments, expected at most {MAXIMUM_FOLDERS}"
    if not pattern.isprintable():
        return "it has a character that can't be shown"
    if pattern.endswith("/"):
        return f"it names a folder; '{pattern}**' names what is below it"
    if "" in segments[1:] or "." in segments:
        return "paths are compared without './' and '//'"
    climbing = len(segments) - len(_after_climbing(segments))
    if ".." in segments[climbing:]:
        return "paths are compared without 'folder/..'"
    if any(ANY_FOLDERS in segment and segment != ANY_FOLDERS for segment in segments):
        return "'**' stands for whole folders, expected it alone between slashes"
    return ""


def _after_climbing(segments: list[str]) -> list[str]:
    """Without the leading ``..``, the only place where a simple path has them."""
    while segments and segments[0] == "..":
        segments = segments[1:]
    return segments


def _segments(pattern: list[str], path: list[str]) -> bool:
    """Whether path segments fit pattern segments; ``**`` at the end wants at least one."""
    last = len(pattern) - 1
    states = _reached({0}, pattern)
    for segment in path:
        after: set[int] = set()
        for i in states:
            if i > last:
                continue
            if pattern[i] == ANY_FOLDERS:
                after |= {i, i + 1} if i == last else {i}
            elif segment != _FOLDERS and _fits(pattern[i], segment):
                after.add(i + 1)
        states = _reached(after, pattern)
    return last + 1 in states


def _reached(states: set[int], pattern: list[str]) -> set[int]:
    """With the states behind each ``**`` that stands for no folder at all."""
    out = set(states)
    for i in range(len(pattern) - 1):
        if i in out and pattern[i] == ANY_FOLDERS:
            out.add(i + 1)
    return out


def _fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern of ``*`` (any characters) and ``?`` (one), going back at most to the last star."""
    i = j = 0
    star, resumed = -1, 0
    while j < len(text):
        if i < len(pattern) and pattern[i] == "*":
            star, resumed = i, j
            i += 1
        elif i < len(pattern) and (pattern[i] == text[j] or (pattern[i] == "?" and text[j] != _CHARACTERS)):
            i, j = i + 1, j + 1
        elif star >= 0:
            resumed += 1
            i, j = star + 1, resumed
        else:
            return False
    return pattern[i:].strip("*") == ""
