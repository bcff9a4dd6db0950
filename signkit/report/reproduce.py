"""Commands that repeat a verification, with signkit and with stock tools, for whoever does not take a report's word."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from signkit.report.findings import Document

_NEEDS = (
    ("EC_SM2", "OpenSSL 4.0 or newer"),
    ("ED25519", "OpenSSL 3.5 or newer"),
    ("ML_DSA", "OpenSSL 3.5 or newer"),
)
"""Key types of signers that older releases of ``openssl cms`` can't verify."""

_OURS = ("--report", "--json", "--quiet", "--no-color", "--force", "--every-check")
_WITH_VALUE = ("--report",)


def own_command(arguments: Sequence[str], now: str) -> str:
    """The verification as signkit's command line, at the same moment.

    Args:
        arguments: the command line as typed, without the program itself.
        now: the moment that was judged at (RFC 3339).
    """
    kept: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, _value = argument.partition("=")
        if name not in _OURS:
            kept.append(argument)
        elif name in _WITH_VALUE and not equals:
            next(waiting, None)
    if not any(argument == "--at" or argument.startswith("--at=") for argument in kept):
        kept += ["--at", now]
    return shlex.join(["signkit", *kept])


def stock_commands(document: Document, trust: Iterable[str], intermediates: Iterable[str]) -> Iterator[str]:
    """The verification of each artifact with ``openssl cms``; policies, identities and revocation are not in it.

    Args:
        document: a report of ``report.verification``.
        trust: files with the trust anchors (PEM).
        intermediates: files with further certificates (PEM).
    """
    anchors = _anchors(tuple(trust))
    further = [option for path in intermediates for option in ("-certfile", path)]
    for artifact in document["artifacts"]:
        encoding = _encoding(artifact)
        if not encoding:
            continue
        types = {signer["key_type"] or "" for signer in artifact["signers"]}
        for release in dict.fromkeys(r for prefix, r in _NEEDS for one in types if one.startswith(prefix)):
            yield f"# the next command needs {release}"
        files = ["-in", artifact["signature"], "-content", artifact["artifact"]]
        options = ["-binary", "-inform", encoding, "-purpose", "any", *further, "-out", "/dev/null"]
        yield shlex.join(["openssl", "cms", "-verify", *files, *options]) + anchors


def _anchors(files: tuple[str, ...]) -> str:
    """The options for these anchors and no others: openssl takes one file, and else the system's beside it."""
    if not files:
        return ""
    one = shlex.quote(files[0]) if len(files) == 1 else f"<(cat {shlex.join(files)})"
    return f" -CAfile {one} -no-CApath -no-CAstore"


def _encoding(artifact: Document) -> str:
    """How its signature is encoded, in OpenSSL's words; empty when it could not be parsed."""
    for check in artifact["checks"]:
        if check["name"] == "signature.format" and check["verdict"] == "pass":
            return "PEM" if check["facts"].get("encoding") == "PEM" else "DER"
    return ""
