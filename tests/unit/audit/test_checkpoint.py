"""Checkpoints as signed notes, and receipts: what is accepted is exactly what the log's key signed."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signkit import algorithms
from signkit.algorithms import ed25519
from signkit.audit import checkpoint, merkle, receipt
from signkit.audit.checkpoint import Checkpoint, LogKey
from signkit.audit.receipt import Receipt
from signkit.errors import MalformedError, SignatureValueError, SignkitError, UsageError

NAME = "example.com/audit"
ENTRIES = [f'{{"number":{number}}}'.encode() for number in range(11)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
HEAD = Checkpoint(NAME, len(ENTRIES), merkle.root_of(ENTRIES))


def new_key(name: str = NAME) -> tuple[LogKey, Callable[[bytes], bytes]]:
    private_key_info, public_key_info = ed25519.generate(algorithms.key_type("ED25519"))
    private_key = ed25519.load_private_key(private_key_info)
    return checkpoint.log_key(name, public_key_info[-32:]), lambda data: ed25519.sign(
        private_key, ed25519.ED25519, data
    )


KEY, SIGNER = new_key()
NOTE = checkpoint.sign(HEAD, KEY, SIGNER)


def signed(text: str, key: LogKey = KEY, signer: Callable[[bytes], bytes] = SIGNER) -> bytes:
    """A note over any text."""
    return f"{text}\n\u2014 {key.name} {checkpoint.to_base64(key.id + signer(text.encode()))}\n".encode()


def refused(note: bytes, match: str = ".", error: type[SignkitError] = MalformedError, key: LogKey = KEY) -> None:
    with pytest.raises(error, match=match):
        checkpoint.verify(note, key)


# Keys


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    ],
)
def test_keys_of_known_logs(vkey: str) -> None:
    """Published with Go's implementation of signed notes."""
    assert str(checkpoint.parse_log_key(vkey)) == vkey


def test_a_key_comes_back_from_its_text() -> None:
    assert checkpoint.parse_log_key(str(KEY)) == KEY


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000",
        str(KEY).replace(NAME, "other"),
        str(KEY).replace(KEY.id.hex(), "00000000"),
        str(KEY).replace(KEY.id.hex(), KEY.id.hex().upper() + " "),
        str(KEY)[:-4],
        str(KEY) + "\n",
        f"{NAME}+{KEY.id.hex()}+{checkpoint.to_base64(bytes([2]) + KEY.public_key)}",
        f" +{KEY.id.hex()}+{checkpoint.to_base64(bytes([1]) + KEY.public_key)}",
    ],
    ids=map(str, range(10)),
)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedError):
        checkpoint.parse_log_key(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x01", "a\u2028b"])
def test_a_name_without_spaces_and_plus_signs(name: str) -> None:
    with pytest.raises(UsageError, match="can't name a log"):
        checkpoint.log_key(name, bytes(32))
    with pytest.raises(UsageError, match="31 bytes, expected 32"):
        checkpoint.log_key("name", bytes(31))


# Checkpoints


def test_a_checkpoint_comes_back_and_reads_as_specified() -> None:
    assert checkpoint.verify(NOTE, KEY) == HEAD
    origin, size, root, blank, signature, end = NOTE.decode().split("\n")
    assert (origin, size, blank, end) == (NAME, "11", "", "")
    assert base64.b64decode(root) == HEAD.root_hash
    assert signature.startswith(f"\u2014 {NAME} ")


def test_the_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint(NAME, 0, merkle.root(merkle.EMPTY))
    assert checkpoint.verify(checkpoint.sign(empty, KEY, SIGNER), KEY) == empty
    with pytest.raises(MalformedError, match="another root hash than the empty tree"):
        checkpoint.sign(empty._replace(root_hash=bytes(32)), KEY, SIGNER)


def test_extension_lines_are_signed_too() -> None:
    extended = HEAD._replace(extensions=("time 1", "\u2014 no signature"))
    note = checkpoint.sign(extended, KEY, SIGNER)
    assert checkpoint.verify(note, KEY) == extended
    refused(note.replace(b"time 1", b"time 2"), "signature by .* is not right", SignatureValueError)


@pytest.mark.parametrize(
    "head",
    [
        HEAD._replace(origin="other"),
        HEAD._replace(origin=f"{NAME}\n9"),
        HEAD._replace(size=-1),
        HEAD._replace(root_hash=bytes(31)),
        HEAD._replace(extensions=("",)),
        HEAD._replace(extensions=("a\nb",)),
    ],
)
def test_what_would_not_come_back_is_not_signed(head: Checkpoint) -> None:
    with pytest.raises(MalformedError):
        checkpoint.sign(head, KEY, SIGNER)


def test_a_signer_with_another_key_is_found() -> None:
    with pytest.raises(SignatureValueError, match="is not right"):
        checkpoint.sign(HEAD, KEY, new_key()[1])


def test_signatures_of_others_do_not_matter() -> None:
    witness, witness_signer = new_key("witness.example")
    namesake, namesake_signer = new_key()
    text = NOTE.decode().partition("\n\n")[0] + "\n"
    lines = [signed(text, *one).decode().rpartition("\n\n")[2] for one in ((witness, witness_signer), (KEY, SIGNER))]
    other = signed(text, namesake, namesake_signer).decode().rpartition("\n\n")[2]
    broken = f"\u2014 witness.example {checkpoint.to_base64(b'abcd' + bytes(64))}\n"
    note = f"{text}\n{lines[0]}{other}{broken}{lines[1]}".encode()
    for key in (KEY, namesake):
        assert checkpoint.verify(note, key) == HEAD
    refused(note, f"of the log '{NAME}', expected 'witness.example'", key=witness)
    refused(f"{text}\n{lines[0]}".encode(), "not signed by", SignatureValueError)


def test_two_signatures_of_the_log_must_both_be_right() -> None:
    text = NOTE.decode().partition("\n\n")[0] + "\n"
    wrong = f"\u2014 {NAME} {checkpoint.to_base64(KEY.id + bytes(64))}\n"
    refused(NOTE + wrong.encode(), "is not right", SignatureValueError)
    refused(f"{text}\n{wrong}".encode() + NOTE.rpartition(b"\n\n")[2], "is not right", SignatureValueError)


ROOT = checkpoint.to_base64(HEAD.root_hash)
TEXTS = {
    "leading zero": f"{NAME}\n011\n{ROOT}\n",
    "sign": f"{NAME}\n+11\n{ROOT}\n",
    "space": f"{NAME}\n 11\n{ROOT}\n",
    "other digits": f"{NAME}\n\u0661\u0661\n{ROOT}\n",
    "too large": f"{NAME}\n{10**19}\n{ROOT}\n",
    "no number": f"{NAME}\n\n{ROOT}\n",
    "no root": f"{NAME}\n11\n",
    "short root": f"{NAME}\n11\n{ROOT[:-4]}\n",
    "unpadded root": f"{NAME}\n11\n{ROOT.rstrip('=')}\n",
    "spare bits": f"{NAME}\n11\n{ROOT[:-2]}{chr(ord(ROOT[-2]) + 1)}=\n",
    "empty line": f"{NAME}\n11\n{ROOT}\n\nextension\n",
    "other origin": f"{NAME}2\n11\n{ROOT}\n",
    "reordered": f"11\n{NAME}\n{ROOT}\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_a_signed_note_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        checkpoint.verify(signed(text), KEY)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE + b"text\n",
        NOTE.replace(b"\n", b"\r\n"),
        NOTE.replace(b"\xe2\x80\x94", b"--"),
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"\xe2\x80\x94 ", b"\xe2\x80\x94  "),
        NOTE.replace(b"\xe2\x80\x94", b"\x94"),
        NOTE[:-2] + b"\n",
        NOTE + "\u2014 name YQ==\n".encode(),
        NOTE + "\u2014 name\n".encode(),
        NOTE + "\u2014 na+me YWJjZGVm\n".encode(),
        NOTE + "\u2014 name YWJjZGVm\n".encode() * 100,
        NOTE + "\u2014 name ".encode() + b"YWJj" * 20_000 + b"\n",
    ],
    ids=map(str, range(16)),
)
def test_what_is_no_note_is_refused(note: bytes) -> None:
    refused(note)


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_changed_bit_is_accepted(bit: int) -> None:
    changed = bytearray(NOTE)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedError, SignatureValueError)):
        checkpoint.verify(bytes(changed), KEY)


@given(st.binary(min_size=1, max_size=300) | st.text(min_size=1, max_size=100).map(str.encode))
def test_junk_is_refused(junk: bytes) -> None:
    for data in (junk, NOTE + junk + b"\n", junk + NOTE):
        with pytest.raises((MalformedError, SignatureValueError)):
            checkpoint.verify(data, KEY)
    with pytest.raises(MalformedError):
        receipt.parse(junk)


# Receipts

RECEIPTS = receipt.make(ENTRIES, LEAVES, 0, NOTE)


def not_proven(data: bytes, entry: bytes = b"") -> None:
    with pytest.raises((MalformedError, SignatureValueError)):
        receipt.verify(data, KEY, entry=entry)


@pytest.mark.parametrize("number", range(len(ENTRIES)))
def test_a_receipt_proves_its_entry_and_no_other(number: int) -> None:
    proven = receipt.verify(RECEIPTS[number], KEY)
    assert proven == (ENTRIES[number], number, HEAD)
    assert receipt.verify(RECEIPTS[number], KEY, entry=ENTRIES[number]) == proven
    bare = receipt.write(receipt.parse(RECEIPTS[number])._replace(entry=b""))
    assert receipt.verify(bare, KEY, entry=ENTRIES[number]) == proven
    not_proven(bare)
    for other in range(len(ENTRIES)):
        if other != number:
            not_proven(RECEIPTS[number], ENTRIES[other])
            not_proven(bare, ENTRIES[other])
            not_proven(receipt.write(receipt.parse(bare)._replace(number=other)), ENTRIES[number])


def test_a_receipt_reads_as_specified() -> None:
    lines = RECEIPTS[10].decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", f"extra {checkpoint.to_base64(ENTRIES[10])}", "index 10"]
    proof = merkle.inclusion_proof(LEAVES, 10)
    assert lines[3 : 3 + len(proof)] == [checkpoint.to_base64(one) for one in proof]
    assert RECEIPTS[10].endswith(b"\n\n" + NOTE)
    alone = receipt.make(ENTRIES[:1], LEAVES[:1], 0, NOTE)[0]
    assert receipt.parse(alone) == Receipt(ENTRIES[0], 0, (), NOTE)


def test_receipts_of_consecutive_entries() -> None:
    assert receipt.make(ENTRIES[3:6], LEAVES, 3, NOTE) == RECEIPTS[3:6]
    with pytest.raises(ValueError, match="of a tree of 11 leaves"):
        receipt.make(ENTRIES[9:] + [b"{}"], LEAVES, 9, NOTE)


@given(st.integers(0, len(RECEIPTS[7]) * 8 - 1))
def test_no_changed_bit_of_a_receipt_is_accepted(bit: int) -> None:
    changed = bytearray(RECEIPTS[7])
    changed[bit // 8] ^= 1 << bit % 8
    not_proven(bytes(changed))


def test_a_cut_or_reordered_receipt_is_refused() -> None:
    data = RECEIPTS[7]
    for length in range(len(data)):
        not_proven(data[:length])
    lines = data.split(b"\n")
    for seed in range(50):
        shuffled = random.Random(seed).sample(lines, len(lines))
        if shuffled != lines:
            not_proven(b"\n".join(shuffled))
    not_proven(data.replace(b"index 7", b"index 07"))
    not_proven(data.replace(b"index 7", b"index 7 "))
    not_proven(data.replace(b"index", b"INDEX"))
    not_proven(data.replace(b"@v1", b"@v2"))
    not_proven(data + bytes(receipt.MAXIMUM_SIZE))
    not_proven(receipt.write(receipt.parse(data)._replace(proof=(bytes(32),) * 65)))
    not_proven(receipt.write(receipt.parse(data)._replace(proof=(bytes(31),))))


def test_a_receipt_of_a_forged_log_is_refused() -> None:
    forged, forger = new_key()
    not_proven(receipt.make(ENTRIES, LEAVES, 0, checkpoint.sign(HEAD, forged, forger))[3])
    rewritten = [*ENTRIES[:3], b"rewritten", *ENTRIES[4:]]
    leaves = [merkle.leaf_hash(entry) for entry in rewritten]
    not_proven(receipt.make(rewritten, leaves, 0, NOTE)[3])
