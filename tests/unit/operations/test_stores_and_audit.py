"""The store and its audit log through their operations: who may, what is refused, and what others can verify."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from signkit.audit.checkpoint import log_key
from signkit.audit.entry import AuditEntry
from signkit.errors import AccessDeniedError, RefusedError, RootKeyError, SignatureValueError, StateError, StoreError
from signkit.keys import permissions, recovery
from signkit.keys.model import Permission
from signkit.keys.reference import parse_key_version
from signkit.keys.sealing import Kek
from signkit.operations import raw
from signkit.operations.access import Recorded
from signkit.operations.audit import Filter
from signkit.operations.audit_evidence import verify_receipt
from signkit.operations.sign import SignOptions
from signkit.wiring import Wiring
from signkit.wiring import stores as wiring_stores
from tests.support.commands import Workshop


class OtherWiring(Wiring):
    """Wiring of somebody else."""

    principal = "os:other"


@pytest.fixture
def wiring(tmp_path: Path) -> Wiring:
    wiring = Wiring({"SIGNKIT_HOME": str(tmp_path / "home")})
    wiring.init(f"file:{tmp_path / 'root.key'}")
    wiring.keys.create_key("EC_P256", alias="alias/a")
    return wiring


def offline_key() -> tuple[bytes, bytes]:
    """Public and private half of a recovery key, PEM."""
    key = X25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public, private


# Who may


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("CheckStore", lambda one: wiring_stores.stores(one).check()),
        ("RekeyStore", lambda one: wiring_stores.stores(one).rekey("file:/nowhere/new.key")),
        ("BackupStore", lambda one: wiring_stores.stores(one).backup("/nowhere/copy.db")),
        ("ExportRecovery", lambda one: wiring_stores.stores(one).export_recovery(b"")),
        ("ImportRecovery", lambda one: wiring_stores.stores(one).import_recovery(b"", b"", "file:/nowhere/new.key")),
        ("RestoreStore", lambda one: wiring_stores.restore(one, "/nowhere/copy.db", overwrite=True)),
        ("ListAuditEntries", lambda one: wiring_stores.audit(one).entries()),
        ("ListAuditEntries", lambda one: wiring_stores.audit(one).export()),
        ("VerifyAudit", lambda one: wiring_stores.audit(one).verify()),
        ("CreateCheckpoint", lambda one: wiring_stores.audit(one).checkpoint()),
        ("CreateCheckpoint", lambda one: wiring_stores.audit(one).receipt(0)),
    ],
)
def test_who_has_no_permission_is_refused_and_on_record(wiring: Wiring, action: str, call: object) -> None:
    other = OtherWiring(wiring._environment)
    with pytest.raises(AccessDeniedError, match=f"{action} on acs:kms:local:{wiring.store.id}:"):
        call(other)  # type: ignore[operator]
    [*_, last] = wiring.store.audit_entries()
    assert (last.principal, last.action, last.result) == ("os:other", action, "Forbidden.NoPermission")


def test_an_auditor_reads_and_verifies_and_does_nothing_else(wiring: Wiring) -> None:
    document = permissions.ready_made("auditor")
    wiring.store.attach_permission(Permission("os:other", document, wiring.clock()), [])
    other = OtherWiring(wiring._environment)
    assert [one.number for one in wiring_stores.audit(other).entries()] == [0, 1]
    assert wiring_stores.audit(other).verify().findings == ()
    with pytest.raises(AccessDeniedError):
        wiring_stores.stores(other).backup("/nowhere/copy.db")


# Checkpoints and receipts


def test_a_checkpoint_is_verified_by_the_specification_alone(wiring: Wiring) -> None:
    """C2SP signed-note and tlog-checkpoint, by hand and with another implementation of Ed25519."""
    made = wiring_stores.audit(wiring).checkpoint("example.com/log")
    text, _, signatures = made.note.decode().partition("\n\n")
    name, key_id, encoded = str(made.key).split("+", 2)
    key = base64.b64decode(encoded)
    assert hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
    assert key[0] == 1
    dash, signer, value = signatures.removesuffix("\n").split(" ")
    assert (dash, signer) == ("\u2014", name)
    raw_signature = base64.b64decode(value)
    assert raw_signature[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw_signature[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in list(wiring.store.audit_encoded())[: int(size)]]
    assert (origin, root) == ("example.com/log", base64.b64encode(tree(leaves)).decode())
    assert wiring.store.audit_head().size == int(size) + 2  # the making of key and checkpoint


def tree(leaves: list[bytes]) -> bytes:
    """Merkle Tree Hash, as RFC 6962 section 2.1 writes it."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:])).digest()


def test_receipts_of_a_batch_prove_their_entries_and_no_other(tmp_path: Path) -> None:
    shop = Workshop.create(tmp_path / "shop", "EC_P256")
    names = [str(tmp_path / f"{number}.bin") for number in range(3)]
    for name in names:
        Path(name).write_bytes(name.encode())
    wiring = Wiring({"SIGNKIT_HOME": str(shop.home)})
    signed = wiring.signing().sign(names, parse_key_version(shop.key), SignOptions(receipt=True))
    key = wiring_stores.audit(wiring).verify().key
    assert key is not None
    receipts = [Path(one.receipt).read_bytes() for one in signed.artifacts]
    for one, receipt in zip(signed.artifacts, receipts, strict=True):
        found = verify_receipt(receipt, key)
        assert (found.entry.detail, found.entry.digest_hex) == (one.artifact, one.digest_hex)
    with pytest.raises(SignatureValueError):
        verify_receipt(receipts[0].replace(b"index ", b"index 1"), key)
    other = log_key("x", bytes(32))
    with pytest.raises(SignatureValueError, match="not signed by x"):
        verify_receipt(receipts[0], other)
    assert wiring_stores.audit(wiring).verify([("receipt", receipts[2].partition(b"\n\n")[2])]).findings == ()


def test_a_log_that_was_written_again_is_not_signed_and_gives_no_receipt(wiring: Wiring) -> None:
    audit = wiring_stores.audit(wiring)
    audit.checkpoint()
    database = sqlite3.connect(wiring.store_path)
    with database:
        entries = [bytes(one) for (one,) in database.execute("SELECT entry FROM audit ORDER BY seq")]
        entries[0] = entries[0].replace(b"InitializeStore", b"NothingAtAll")
        leaves = [hashlib.sha256(b"\0" + one).digest() for one in entries]
        for number, (leaf, entry) in enumerate(zip(leaves, entries, strict=True)):
            database.execute("UPDATE audit SET leaf = ?, entry = ? WHERE seq = ?", (leaf, entry, number))
        database.execute("UPDATE audit_head SET frontier = ?", (tree(leaves[:4]) if len(leaves) == 4 else b"",))
    database.close()
    assert len(entries) == 4
    with pytest.raises(StoreError, match="its head was not signed: the first 2 entries"):
        audit.checkpoint()
    with pytest.raises(StoreError, match="its head was not signed: the first 2 entries"):
        audit.receipt(1)


def test_an_entry_changed_with_its_leaf_gives_no_receipt(wiring: Wiring) -> None:
    """No checkpoint covers it yet: only the head that is kept beside the log tells."""
    audit = wiring_stores.audit(wiring)
    database = sqlite3.connect(wiring.store_path)
    with database:
        [(entry,)] = database.execute("SELECT entry FROM audit WHERE seq = 0")
        entry = bytes(entry).replace(b"InitializeStore", b"NothingAtAll")
        leaf = hashlib.sha256(b"\0" + entry).digest()
        database.execute("UPDATE audit SET leaf = ?, entry = ? WHERE seq = 0", (leaf, entry))
    database.close()
    with pytest.raises(StoreError, match="its head was not signed"):
        audit.receipt(0)
    recorded = Recorded(0, [AuditEntry.decode(entry)])
    with pytest.raises(StoreError, match="leaves don't make its head"):
        audit.receipts(recorded)
    assert audit.verify().findings


def test_an_exchanged_log_key_is_found_by_the_one_that_was_noted_down(wiring: Wiring, tmp_path: Path) -> None:
    audit = wiring_stores.audit(wiring)
    noted = audit.checkpoint("log").key
    second = Wiring({"SIGNKIT_HOME": str(tmp_path / "second")})
    second.init(f"file:{tmp_path / 'root.key'}")
    wiring_stores.audit(second).checkpoint("log")
    database = sqlite3.connect(wiring.store_path)
    with database:
        database.execute("DELETE FROM checkpoint")
        database.execute("UPDATE audit_key SET public_key = ?", (second.store.audit_key().public_key,))  # type: ignore[union-attr]
    database.close()
    assert audit.verify().findings == ()
    assert "the key of the audit log is" in audit.verify(key=noted).findings[0]
    assert [one for one in wiring_stores.stores(wiring).check().findings if one.startswith("audit-log@1: ")]
    with pytest.raises(StoreError, match="audit-log@1 does not belong there"):
        wiring_stores.audit(Wiring(wiring._environment)).checkpoint()


def test_entries_are_filtered(wiring: Wiring) -> None:
    audit = wiring_stores.audit(wiring)
    reference = parse_key_version("alias/a@1")
    raw.sign(wiring.keys, reference, "ECDSA_SHA_256", message=b"x")
    at = list(wiring.store.audit_entries())[2].at

    def numbers(wanted: Filter, key: str = "") -> list[int]:
        return [one.number for one in audit.entries(wanted, parse_key_version(key) if key else None)]

    assert numbers(Filter(), "alias/a") == [1, 2]
    assert numbers(Filter(action="AsymmetricSign")) == [2]
    assert numbers(Filter(since=at)) == [2]
    assert numbers(Filter(until=at)) == [0, 1]
    assert numbers(Filter(limit=2)) == [1, 2]
    assert numbers(Filter(result="failed")) == []
    [version] = wiring.store.versions(wiring.store.keys()[0].id)
    assert numbers(Filter(), f"{version.key_id}@{version.id}") == [1, 2]
    assert numbers(Filter(), "7b5ba7a3-3f6a-4a52-8f5e-1f5b0f9bd4a0@7") == []


# Root key and recovery


def test_a_forged_recovery_export_is_refused(wiring: Wiring, tmp_path: Path) -> None:
    """Anybody can seal a key of their own to the public key; taken, it would seal every later private key."""
    public, private = offline_key()
    forged = recovery.seal(Kek(1, bytes(32)), public, store_id=wiring.store.id, now=wiring.clock())
    before = wiring.store.wrapped_keks()
    with pytest.raises(RootKeyError, match="does not open the store"):
        wiring_stores.stores(wiring).import_recovery(forged, private, f"file:{tmp_path / 'new.key'}")
    assert wiring.store.wrapped_keks() == before
    assert not (tmp_path / "new.key").exists()


def test_a_store_without_keys_takes_no_recovery_export(tmp_path: Path) -> None:
    wiring = Wiring({"SIGNKIT_HOME": str(tmp_path / "home")})
    wiring.init(f"file:{tmp_path / 'root.key'}")
    public, private = offline_key()
    stores = wiring_stores.stores(wiring)
    export = stores.export_recovery(public)
    with pytest.raises(RootKeyError, match="holds no private key"):
        stores.import_recovery(export, private, f"file:{tmp_path / 'new.key'}")


def test_an_export_opens_the_store_after_its_root_key_was_changed(wiring: Wiring, tmp_path: Path) -> None:
    public, private = offline_key()
    stores = wiring_stores.stores(wiring)
    export = stores.export_recovery(public)
    stores.rekey(f"file:{tmp_path / 'second.key'}")
    (tmp_path / "second.key").unlink()
    assert stores.check().opened is False
    dry = stores.import_recovery(export, private, f"file:{tmp_path / 'third.key'}", dry_run=True)
    assert dry.new == f"file:{tmp_path / 'third.key'}" and not (tmp_path / "third.key").exists()
    stores.import_recovery(export, private, f"file:{tmp_path / 'third.key'}")
    found = stores.check()
    assert (found.findings, found.opened) == ((), True)
    again = Wiring(wiring._environment)
    assert raw.sign(again.keys, parse_key_version("alias/a@1"), "ECDSA_SHA_256", message=b"x")


def test_of_two_who_change_the_root_key_one_is_refused(
    wiring: Wiring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = wiring_stores.stores(wiring)
    seen = wiring.store.wrapped_keks()
    stores.rekey(f"file:{tmp_path / 'second.key'}")
    wrapped = wiring.store.wrapped_keks()
    assert wrapped != seen
    with pytest.raises(StateError, match="was changed by somebody else meanwhile"):
        wiring.store.replace_keks(seen, wrapped, "file:/third.key", [])
    with pytest.raises(RefusedError, match="has already"):
        stores.rekey(f"file:{tmp_path / 'second.key'}")


def test_a_reader_keeps_the_old_wrapped_key_and_the_user_is_told(wiring: Wiring, tmp_path: Path) -> None:
    wiring.store._database.execute("PRAGMA busy_timeout = 50")
    reader = Wiring(wiring._environment)
    with reader.store._database.snapshot():
        reader.store.keys()
        assert wiring_stores.stores(wiring).rekey(f"file:{tmp_path / 'second.key'}").clean is False


def test_a_restore_tells_what_the_backup_lacks(wiring: Wiring, tmp_path: Path) -> None:
    copy = str(tmp_path / "copy.db")
    wiring_stores.audit(wiring).checkpoint()
    wiring_stores.stores(wiring).backup(copy)
    note = tmp_path / "late"
    note.write_bytes(wiring_stores.audit(wiring).checkpoint().note)
    wiring.close()
    again = Wiring(wiring._environment)
    done = wiring_stores.restore(again, copy, checkpoints=[str(note)], overwrite=True)
    assert len(done.remarks) == 2 and "are not in the backup" in done.remarks[0] and "late says" in done.remarks[1]
    last = json.loads(list(Wiring(wiring._environment).store.audit_encoded())[-1])
    assert (last["action"], last["detail"]) == ("RestoreStore", copy)


def test_a_backup_whose_log_contradicts_a_checkpoint_is_not_restored(wiring: Wiring, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    made = wiring_stores.audit(wiring).checkpoint()
    (tmp_path / "kept").write_bytes(made.note)
    wiring_stores.stores(wiring).backup(str(copy))
    database = sqlite3.connect(copy)
    with database:
        entries = [
            bytes(one).replace(b"Initialize", b"Uninitiate") for (one,) in database.execute("SELECT entry FROM audit")
        ]
        leaves = [hashlib.sha256(b"\0" + one).digest() for one in entries]
        for number, (leaf, entry) in enumerate(zip(leaves, entries, strict=True)):
            database.execute("UPDATE audit SET leaf = ?, entry = ? WHERE seq = ?", (leaf, entry, number))
        assert len(leaves) == 4
        database.execute("UPDATE audit_head SET frontier = ?", (tree(leaves),))
        database.execute("DELETE FROM checkpoint")
    database.close()
    wiring.close()
    with pytest.raises(StoreError, match="is not the one that was signed"):
        wiring_stores.restore(
            Wiring(wiring._environment), str(copy), checkpoints=[str(tmp_path / "kept")], overwrite=True
        )
