"""Patterns with ``*`` (any run) and ``?`` (one character), without regular expressions and without their blow-ups."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches the whole text. Its time is at most the product of the two lengths."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    if len(pattern) - pattern.count("*") > len(text):
        return False
    at, position, star, resume = 0, 0, -1, 0
    while position < len(text):
        character = pattern[at] if at < len(pattern) else ""
        if character == "*":
            star, resume = at, position
            at += 1
        elif character in ("?", text[position]):
            at, position = at + 1, position + 1
        elif star >= 0:  # only the last star needs another try: what stands before it matched as early as it could
            resume += 1
            at, position = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")
