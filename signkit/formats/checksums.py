"""``SHA256SUMS``: the digests of the files of a folder, as GNU ``sha256sum`` writes and checks them.

Lines that begin with ``#`` are comments to ``sha256sum``. Ours say which rules chose the files, and so are signed with
the digests: whoever verifies can tell a file that was left out on purpose from one that was slipped in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from signkit.errors import MalformedError, UsageError

NAME = "SHA256SUMS"
DIGEST = "sha256"
MAXIMUM_BYTES = 256 << 20
MAXIMUM_RULE = 1000
_TITLE = b"# signkit manifest 1"
_LINE = re.compile(rb"(\\?)([0-9a-f]{64}) [ *](.+)")
_ESCAPES = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
_Pieces = tuple[str, ...]


class Rules(NamedTuple):
    """Which files of a folder are meant. Patterns are ``PurePath``-like: ``*`` within a name, ``**`` across folders.

    Attributes:
        include: a file must match one of these; empty = every file does.
        exclude: a file that matches one of these is left out.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def matcher(self) -> _Matcher:
        """A test of names, prepared once for many.

        Raises:
            UsageError: a pattern is empty, too long, absolute, or not one line.
        """
        return _Matcher(_compiled(self.include), _compiled(self.exclude))


class _Matcher(NamedTuple):
    include: tuple[_Pieces, ...]
    exclude: tuple[_Pieces, ...]

    def chooses(self, name: str) -> bool:
        """Whether a file of that name, relative and with ``/``, is meant."""
        if any(_fits(one, name) for one in self.exclude):
            return False
        return not self.include or any(_fits(one, name) for one in self.include)


class Manifest(NamedTuple):
    """The digests of files, and the rules that chose them.

    Attributes:
        digests: name, relative and with ``/``, to SHA-256 digest.
        rules: the rules, empty for a file that another program wrote.
    """

    digests: Mapping[str, bytes]
    rules: Rules


def encode(manifest: Manifest) -> bytes:
    """The file, in the order of the names' bytes.

    Raises:
        UsageError: a rule can't stand in it.
    """
    manifest.rules.matcher()
    lines = [_TITLE]
    lines += [b"# include: " + _octets(pattern) for pattern in manifest.rules.include]
    lines += [b"# exclude: " + _octets(pattern) for pattern in manifest.rules.exclude]
    named = sorted((_octets(name), digest) for name, digest in manifest.digests.items())
    return b"\n".join([*lines, *(_line(name, digest) for name, digest in named), b""])


def decode(data: bytes) -> Manifest:
    """Read a manifest, also one that ``sha256sum`` wrote.

    Raises:
        MalformedError: a line is not one of a manifest, a name leads out of the folder or stands there twice.
    """
    digests: dict[str, bytes] = {}
    rules: dict[bytes, list[str]] = {b"# include: ": [], b"# exclude: ": []}
    if data and not data.endswith(b"\n"):
        raise MalformedError(f"{NAME} ends within a line, expected a line break", hint="was it cut off?")
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        if line.startswith(b"#"):
            if line[:11] in rules:
                rules[line[:11]].append(_name(line[11:]))
            continue
        name, digest = _parsed(line, number)
        if name in digests:
            raise MalformedError(f"{NAME}, line {number}: '{name}' stands there twice, expected once")
        digests[name] = digest
    found = Rules(tuple(rules[b"# include: "]), tuple(rules[b"# exclude: "]))
    try:
        found.matcher()
    except UsageError as error:
        raise MalformedError(f"{NAME}: {error.message}") from error
    return Manifest(digests, found)


def _parsed(line: bytes, number: int) -> tuple[str, bytes]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise MalformedError(
            f"{NAME}, line {number} is '{line[:80]!r}', expected 64 lower-case hex digits, two spaces and a name"
        )
    escaped, digest, octets = found.groups()
    if escaped:
        octets = re.sub(rb"\\(.|$)", lambda one: _unescaped(one.group(0), number), octets)
    name = _name(octets).removeprefix("./")
    parts = name.split("/")
    if name.startswith("/") or "\0" in name or not all(parts) or {".", ".."} & set(parts):
        raise MalformedError(f"{NAME}, line {number}: '{name}' leads out of the folder or is no name in it")
    return name, bytes.fromhex(digest.decode())


def _unescaped(pair: bytes, number: int) -> bytes:
    if pair not in _ESCAPES:
        raise MalformedError(f"{NAME}, line {number} has the unknown escape {pair!r}, expected \\\\, \\n or \\r")
    return _ESCAPES[pair]


def _line(name: bytes, digest: bytes) -> bytes:
    """GNU's form: a name with a backslash or line break is escaped, and its line begins with a backslash."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if escaped != name else b""
    return mark + digest.hex().encode() + b"  " + escaped


def _octets(text: str) -> bytes:
    """File names need not be UTF-8; what is not was escaped by Python (PEP 383)."""
    return text.encode("utf-8", "surrogateescape")


def _name(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _compiled(patterns: Sequence[str]) -> tuple[_Pieces, ...]:
    for pattern in patterns:
        if not pattern or len(pattern) > MAXIMUM_RULE or pattern.startswith("/") or not pattern.isprintable():
            raise UsageError(
                f"'{pattern[:80]}' is no pattern: expected 1 to {MAXIMUM_RULE} printable characters, relative",
                hint="for example '**/*.log', 'build/**' or 'notes.txt'",
            )
    return tuple(_pieces(pattern) for pattern in patterns)


def _pieces(pattern: str) -> _Pieces:
    """A pattern's wildcards and literals. One that ends with ``/`` means all that is below."""
    whole = pattern + ("**" if pattern.endswith("/") else "")
    return tuple(re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", whole))


def _fits(pieces: _Pieces, name: str) -> bool:
    """Whether a name fits: after each piece all the places where it can end, so that no pattern takes long."""
    ends = {0}
    for piece in pieces:
        ends = _ends(piece, name, ends)
        if not ends:
            return False
    return len(name) in ends


def _ends(piece: str, name: str, starts: set[int]) -> set[int]:
    """Where a piece can end that starts at one of these places."""
    if piece == "**":
        return set(range(min(starts), len(name) + 1))
    if piece == "**/":
        found = set(starts)
        for start in starts:
            end = name.find("/", start) + 1
            while end > start + 1 and end not in found:
                found.add(end)
                start, end = end, name.find("/", end) + 1
        return found
    if piece == "*":
        found = set()
        for end in starts:
            while end not in found:
                found.add(end)
                if end < len(name) and name[end] != "/":
                    end += 1
        return found
    if piece == "?":
        return {i + 1 for i in starts if i < len(name) and name[i] != "/"}
    return {i + len(piece) for i in starts if name.startswith(piece, i)}
