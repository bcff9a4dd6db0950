"""Stores of every format that were made once and for all: every later release opens them and signs with them."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signkit.errors import NotFoundError, RootKeyError, SignkitError
from signkit.keys.model import KeyState, VersionState
from signkit.keys.reference import parse_key_version
from signkit.wiring import Wiring

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
AT = datetime(2026, 6, 2, tzinfo=UTC)


class AliceWiring(Wiring):
    """Wiring of the user who made the stores, and who is their only principal."""

    principal = "os:alice"


@pytest.fixture(params=["store-format-1", "store-format-2"])
def wiring(workdir: Path, request: pytest.FixtureRequest) -> Wiring:
    """Wiring over a copy of the store, which is the current folder."""
    for name in ("store.db", "root.key"):
        shutil.copyfile(FIXTURES / request.param / name, workdir / name)
        (workdir / name).chmod(0o600)
    return AliceWiring({"SIGNKIT_HOME": str(workdir)}, clock=lambda: AT)


@pytest.mark.parametrize("number", [1, 2])
def test_it_is_of_its_format(number: int) -> None:
    path = FIXTURES / f"store-format-{number}" / "store.db"
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        assert connection.execute("SELECT format FROM store").fetchall() == [(number,)]
    finally:
        connection.close()


def test_it_opens_and_says_what_is_in_it(wiring: Wiring) -> None:
    [key] = wiring.keys.directory.keys()
    assert (key.key_type, key.state, key.description) == ("EC_P256", KeyState.ENABLED, "fixture")
    versions = wiring.store.versions(key.id)
    assert [(version.number, version.state) for version in versions] == [
        (1, VersionState.ENABLED),
        (2, VersionState.ENABLED),
    ]
    assert [alias.name for alias in wiring.keys.directory.aliases()] == ["alias/release"]
    assert wiring.store.verify_audit() == []
    assert [entry.action for entry in wiring.store.audit_entries()] == [
        "InitializeStore",
        "CreateKey",
        "CreateKey",
        "ImportCertificate",
    ]
    assert len(wiring.store.permissions()) == 1
    wiring.store.close()


def test_it_signs_and_the_signature_verifies(wiring: Wiring, workdir: Path) -> None:
    (workdir / "app.bin").write_bytes(b"artifact")
    wiring.signing().sign(["app.bin"], parse_key_version("alias/release@1"))
    trust = [str(FIXTURES / "certificates" / "root.pem")]
    assert wiring.verifying().verify(["app.bin"], trust=trust)
    (workdir / "app.bin").write_bytes(b"artifacT")
    assert wiring.verifying().verify(["app.bin"], trust=trust).exit_status == 12
    assert wiring.store.verify_audit() == []
    wiring.store.close()


def test_its_second_version_has_no_certificate(wiring: Wiring, workdir: Path) -> None:
    (workdir / "app.bin").write_bytes(b"artifact")
    with pytest.raises(NotFoundError, match="has no certificate"):
        wiring.signing().sign(["app.bin"], parse_key_version("alias/release@2"))
    wiring.store.close()


def test_another_root_key_does_not_open_it(wiring: Wiring, workdir: Path) -> None:
    (workdir / "root.key").write_bytes(bytes(32))
    with pytest.raises(RootKeyError, match="not this store's") as caught:
        wiring.kek()
    assert caught.value.exit_status == 3
    wiring.store.close()


def test_a_sealed_key_does_not_open_in_another_place(wiring: Wiring, workdir: Path) -> None:
    """Records swapped between versions: the certificate of one must not be served by the key of the other."""
    connection = sqlite3.connect(workdir / "store.db")
    with connection:
        (one,), (two,) = connection.execute("SELECT locator FROM version ORDER BY number").fetchall()
        connection.execute("UPDATE version SET locator = ? WHERE number = 1", (two,))
        connection.execute("UPDATE version SET locator = ? WHERE number = 2", (one,))
    connection.close()
    (workdir / "app.bin").write_bytes(b"artifact")
    with pytest.raises(SignkitError, match="does not belong there"):
        wiring.signing().sign(["app.bin"], parse_key_version("alias/release@1"))
    assert not (workdir / "app.bin.p7s").exists()
    wiring.store.close()
