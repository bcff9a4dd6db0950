"""``signkit doctor``: what works on this machine and in this store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from signkit.errors import SignkitError
from signkit.operations.doctor import Finding, store_findings
from signkit.store.schema import FORMAT, is_free
from signkit.wiring import stores

if TYPE_CHECKING:
    from signkit.wiring import Wiring

_RELEASED = datetime(2026, 11, 1, tzinfo=UTC)


def findings(wiring: Wiring) -> list[Finding]:
    """Everything that was looked at, the machine first."""
    now = wiring.clock()
    found = [_libraries(), _key_types(), _sm2(), _clock(now)]
    try:
        found.append(Finding("store", "ok", f"{wiring.store_path}, format {FORMAT}, id {wiring.store.id}"))
    except SignkitError as error:
        state = "note" if is_free(wiring.store_path) else "failed"
        return [*found, Finding("store", state, _explain(error))]
    try:
        wiring.kek()
        found.append(Finding("root key", "ok", wiring.store.identity.root_key))
    except SignkitError as error:
        found.append(Finding("root key", "failed", _explain(error)))
    beside = stores.files_beside(wiring.store_path)
    return [*found, *store_findings(wiring.store, now), *beside]


def _libraries() -> Finding:
    import platform
    import sqlite3
    from importlib.metadata import version

    found = [f"{name} {version(name)}" for name in ("signkit", "cryptography", "asn1crypto", "typer")]
    python = f"Python {platform.python_version()}"
    return Finding("libraries", "ok", ", ".join([python, *found, f"SQLite {sqlite3.sqlite_version}"]))


def _key_types() -> Finding:
    from signkit import algorithms

    return Finding("key types", "ok", " ".join(sorted(algorithms.key_types())))


def _sm2() -> Finding:
    from signkit.algorithms import sm2

    backend = sm2.backend()
    return Finding("SM2", "note" if backend.library is None else "ok", backend.description)


def _clock(now: datetime) -> Finding:
    """A clock from before this release can't be right, and every date would be judged wrongly by it."""
    detail = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if now < _RELEASED:
        return Finding("clock", "failed", f"{detail}, expected a time after {_RELEASED:%Y-%m-%d}; set the clock")
    return Finding("clock", "ok", detail)


def _explain(error: SignkitError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
