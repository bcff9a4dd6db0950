"""What ``signkit doctor`` looks at; apart from ``wiring`` because few runs need it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from signkit.errors import SignkitError

if TYPE_CHECKING:
    from signkit.operations.doctor import Finding
    from signkit.wiring import Wiring

_RELEASED = datetime(2026, 11, 1, tzinfo=UTC)


def examine(wiring: Wiring) -> list[Finding]:
    """What works here, finding by finding."""
    from signkit import wiring_stores
    from signkit.operations.doctor import Finding, store_findings
    from signkit.store.schema import FORMAT, is_free

    findings = [_libraries(), _key_types(), _sm2(), _clock(wiring.clock())]
    try:
        findings.append(Finding("store", "ok", f"{wiring.store_path}, format {FORMAT}, id {wiring.store.id}"))
    except SignkitError as error:
        state = "note" if is_free(wiring.store_path) else "failed"
        return [*findings, Finding("store", state, _explain(error))]
    try:
        wiring.kek()
        findings.append(Finding("root key", "ok", wiring.store.identity.root_key))
    except SignkitError as error:
        findings.append(Finding("root key", "failed", _explain(error)))
    return [
        *findings,
        *store_findings(wiring.store, wiring.clock()),
        *wiring_stores.files_beside(wiring.store_path),
    ]


def _libraries() -> Finding:
    import platform
    import sqlite3
    from importlib.metadata import version

    from signkit.operations.doctor import Finding

    found = [f"{name} {version(name)}" for name in ("signkit", "cryptography", "asn1crypto", "typer")]
    python = f"Python {platform.python_version()}"
    return Finding("libraries", "ok", ", ".join([python, *found, f"SQLite {sqlite3.sqlite_version}"]))


def _key_types() -> Finding:
    from signkit import algorithms
    from signkit.operations.doctor import Finding

    return Finding("key types", "ok", " ".join(sorted(algorithms.key_types())))


def _sm2() -> Finding:
    from signkit.algorithms import sm2
    from signkit.operations.doctor import Finding

    backend = sm2.backend()
    return Finding("SM2", "note" if backend.library is None else "ok", backend.description)


def _clock(now: datetime) -> Finding:
    """A clock from before this release can't be right, and every date would be judged wrongly by it."""
    from signkit.operations.doctor import Finding

    detail = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if now < _RELEASED:
        return Finding("clock", "failed", f"{detail}, expected a time after {_RELEASED:%Y-%m-%d}; set the clock")
    return Finding("clock", "ok", detail)


def _explain(error: SignkitError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
