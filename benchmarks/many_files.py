"""Many small files: one call of signkit against one call of openssl for each file."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from harness import MB, Row, Run, Workspace, compare_speed, interleaved, median, per

FILES = 2000
SIZE = 10_000
SAMPLE = 100
"""Files that openssl is called for; it needs the same time for each."""

_SIGN = """
for file; do
  openssl cms -sign -binary -outform DER -md sha256 -signer peer-leaf.pem -certfile peer-issuing.pem -inkey peer.key \
    -in "$file" -out "$file.peer.p7s" || exit
done
"""
_VERIFY = """
for file; do
  openssl cms -verify -binary -inform DER -in "$file.p7s" -content "$file" -CAfile lab/root.pem -purpose any \
    -out /dev/null || exit
done
"""


def rows(work: Workspace, *, rounds: int) -> list[Row]:
    """Measure signing and verifying of 2,000 files; the start of each program counts.

    Every round has files of its own and nothing is removed in between: on ext4, making files was seen to
    cost up to twice as much for some minutes after many had been removed.
    """
    batches = [_make_files(work.folder / f"many-{number}") for number in range(rounds + 1)]
    os.sync()  # signkit syncs the file system at its end, and must not pay for what was made here
    signing, verifying, peer_signing, peer_verifying = count(), count(), count(), count()
    measures = {
        "sign": lambda: work.run(work.sign(batches[next(signing)])),
        "peer sign": lambda: _each(work, _SIGN, batches[next(peer_signing)]),
        "verify": lambda: work.run(work.verify(batches[next(verifying)])),
        "peer verify": lambda: _each(work, _VERIFY, batches[next(peer_verifying)]),
    }
    interleaved(1, measures)
    runs = interleaved(rounds, measures)
    ours = {name: per(runs[name], FILES) for name in ("sign", "verify")}
    peer = {name: per(runs[f"peer {name}"], SAMPLE) for name in ("sign", "verify")}
    what = f"{FILES:,} files of {SIZE // 1000} kB, EC_P256, per file"
    out = [
        compare_speed(f"sign {what}", ours["sign"], ("openssl cms -sign", peer["sign"]), least=40),
        compare_speed(f"verify {what}", ours["verify"], ("openssl cms -verify", peer["verify"]), least=None),
    ]
    return [row._replace(found=f"{row.found} ({_rate(ours[name])})") for row, name in zip(out, ours, strict=True)] + [
        Row(f"peak memory, {FILES:,} files", f"{max(run.memory for name in ours for run in runs[name]) / MB:.0f} MB")
    ]


def _make_files(folder: Path) -> list[str]:
    folder.mkdir()
    paths = [folder / f"{number:04}.bin" for number in range(FILES)]
    for path in paths:
        path.write_bytes(os.urandom(SIZE))
    return [str(path) for path in paths]


def _each(work: Workspace, script: str, files: list[str]) -> Run:
    """Run openssl once for each file of the sample, from a shell loop, which is the cheapest way to start it."""
    return work.run(("sh", "-c", script, "sh", *files[:SAMPLE]))


def _rate(runs: list[Run]) -> str:
    return f"{1 / median(runs):,.0f} files/s"
