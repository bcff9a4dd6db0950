"""A verification as one HTML page that needs nothing else: verdict first, to read, to print, to keep.

Everything from outside is escaped, nothing is loaded, no script is in it, and the content security policy allows only
the page's own style sheet. So a hostile file name or certificate can neither run nor call home.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from signkit.report import findings, rules, timeline
from signkit.report.findings import Document
from signkit.report.html_style import STYLE
from signkit.report.printable import printable

_MARKS = {"pass": "✓", "fail": "✗", "indeterminate": "?", "skipped": "–"}
_WORDS = {"pass": "passed", "fail": "failed", "indeterminate": "not decided", "skipped": "not asked for"}


def render(document: Document, repeat: Sequence[str] = ()) -> str:
    """A verification report as a page.

    Args:
        document: a report of ``report.verification``.
        repeat: commands that repeat the verification, a line each.
    """
    word = "ACCEPTED" if document["accepted"] else "REFUSED" if document["exit_status"] >= 10 else "NOT DECIDED"
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    body = "\n".join(
        [
            '<a class="skip" href="#artifacts">To the artifacts</a>',
            *_verdict(document, word),
            '<main id="artifacts">',
            *(
                line
                for number, one in enumerate(document["artifacts"])
                for line in _artifact(one, number, document["now"])
            ),
            "</main>",
            *_repeat(repeat),
            *_footer(document),
        ]
    )
    head = f"<title>signkit verification: {word}</title>\n<style>{STYLE}</style>"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _verdict(document: Document, word: str) -> Iterator[str]:
    accepted, total = findings.count(document)
    kind = "good" if document["accepted"] else "bad" if document["exit_status"] >= 10 else "open"
    yield f'<header class="{kind}">'
    yield f"<h1>{word}</h1>"
    status = "" if document["accepted"] else f" Exit status {document['exit_status']}."
    yield f"<p>{accepted} of {total} artifacts accepted, judged at {_text(document['now'])}.{status}</p>"
    if total > 1:
        yield "<ul>"
        for number, artifact in enumerate(document["artifacts"]):
            mark = "✓" if artifact["accepted"] else "✗"
            yield f'<li>{mark} <a href="#artifact-{number}">{_text(artifact["artifact"])}</a></li>'
        yield "</ul>"
    yield "</header>"


def _artifact(artifact: Document, number: int, now: str) -> Iterator[str]:
    kind = "good" if artifact["accepted"] else "bad" if artifact["exit_status"] >= 10 else "open"
    yield f'<section id="artifact-{number}" aria-labelledby="name-{number}">'
    word = f'<span class="{kind}">{findings.verdict(artifact)}</span>'
    yield f'<h2 id="name-{number}">{_text(artifact["artifact"])} {word}</h2>'
    if artifact["reasons"]:
        yield "<ul class=reasons>"
        for finding in findings.of_verification({"artifacts": [artifact]}):
            if finding.level == findings.ERROR:
                hint = f"<br>What to do: {_text(finding.hint)}." if finding.hint else ""
                yield f"<li><strong>{_text(finding.rule)}</strong>: {_text(finding.message)}{hint}</li>"
        yield "</ul>"
    rows: list[tuple[str, object]] = [(name, value) for name, value in artifact["digest"].items()]
    yield from _facts([*rows, ("signature", artifact["signature"])])
    for index, signer in enumerate(artifact["signers"]):
        yield from _signer(signer, index, artifact, now)
    yield from _checks(artifact)
    yield "</section>"


def _signer(signer: Document, index: int, artifact: Document, now: str) -> Iterator[str]:
    several = len(artifact["signers"]) > 1
    heading = f"Signer {index + 1} of {len(artifact['signers'])}" if several else "Signer"
    yield f"<h3>{heading}: {_text(signer['subject'] or 'certificate missing')}</h3>"
    timestamp = signer.get("timestamp") or {}
    rows = [
        ("verdict", "accepted" if signer["accepted"] else "not accepted"),
        ("algorithm", signer["algorithm"]),
        ("key type", signer["key_type"]),
        ("issuer", signer["issuer"]),
        ("serial number", signer["serial_number"]),
        ("certificate SHA-256", signer["certificate_sha256"]),
        ("claimed signing time", signer["signing_time"] and f"{signer['signing_time']} (the signer's own word)"),
        ("timestamp", timestamp.get("time")),
    ]
    yield from _facts(rows)
    events = timeline.events(signer, artifact["checks"], now)
    span = timeline.span(signer["path"], events)
    if signer["path"] and span:
        yield "<h4>Certification path</h4>"
        yield "<ol class=path>"
        for position, certificate in enumerate(signer["path"]):
            yield from _certificate(certificate, position, len(signer["path"]), span, events)
        yield "</ol>"
        yield (
            f"<p class=legend>From {span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}. "
            + " ".join(
                f'<span class="key {event.kind}">{_text(event.label)}: {event.at:%Y-%m-%d %H:%M:%S}Z</span>'
                for event in events
            )
            + "</p>"
        )


def _certificate(
    certificate: Document, position: int, length: int, span: timeline.Span, events: Iterable[timeline.Event]
) -> Iterator[str]:
    role = "signer" if position == 0 else "trust anchor" if position == length - 1 else "intermediate"
    start, end = timeline.moment(certificate["not_before"]), timeline.moment(certificate["not_after"])
    words = f"valid from {certificate['not_before']} to {certificate['not_after']}"
    bar = f'<rect class="bar" x="{span.place(start):.1f}" y="2" width="{span.width(start, end):.1f}" height="8"/>'
    lines = "".join(
        f'<rect class="{event.kind}" x="{span.place(event.at) - 1:.1f}" y="0" width="3" height="12"/>'
        for event in events
    )
    yield f"<li><strong>{_text(certificate['subject'])}</strong> ({role})"
    yield f"<br><small>{_text(words)}; SHA-256 <code>{_text(certificate['certificate_sha256'])}</code></small>"
    yield (
        f'<svg viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" aria-label="{_text(words)}">'
        f"{bar}{lines}</svg></li>"
    )


def _checks(artifact: Document) -> Iterator[str]:
    checks = artifact["checks"]
    passed = sum(check["verdict"] == "pass" for check in checks)
    shown = "" if artifact["accepted"] else " open"
    yield f"<details{shown}><summary>{len(checks)} checks, {passed} passed</summary>"
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("check", "verdict", "detail"))
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for check in checks:
        yield from _check(check, 0)
    yield "</tbody></table></details>"


def _check(check: Document, depth: int) -> Iterator[str]:
    verdict = check["verdict"]
    facts: dict[str, Any] = {name: value for name, value in check["facts"].items() if value not in (None, "", [], {})}
    pairs = "".join(
        f"<br><small>{_text(name)}: <code>{_text(findings.text(v))}</code></small>" for name, v in facts.items()
    )
    source = f"<br><small>source: {_text(check['source'])}</small>" if check["source"] else ""
    title = rules.rule(check["name"]).title
    yield (
        f'<tr class="{verdict}"><th scope="row"><code>{"› " * depth}{_text(check["name"])}</code>'
        f"<br><small>{_text(title)}</small></th>"
        f"<td><span aria-hidden=true>{_MARKS[verdict]}</span> {_WORDS[verdict]}</td>"
        f"<td>{_text(check['detail'])}{pairs}{source}</td></tr>"
    )
    for child in check["children"]:
        yield from _check(child, depth + 1)


def _facts(rows: Iterable[tuple[str, object]]) -> Iterator[str]:
    yield "<dl>"
    for name, value in rows:
        if value:
            yield f"<dt>{_text(name)}</dt><dd>{_text(str(value))}</dd>"
    yield "</dl>"


def _repeat(repeat: Sequence[str]) -> Iterator[str]:
    if repeat:
        yield '<section aria-labelledby="repeat"><h2 id="repeat">Repeat this verification</h2>'
        yield f'<pre tabindex="0">{chr(10).join(map(_text, repeat))}</pre></section>'


def _footer(document: Document) -> Iterator[str]:
    network = document["network"]
    yield "<footer><p>"
    yield f"Made by {_text(document['tool']['name'])} {_text(document['tool']['version'])}."
    yield f"Network connections: {_text(', '.join(network))}." if network else "No network connection was made."
    yield "</p></footer>"


def _text(text: str) -> str:
    return escape(printable(text))
