"""Many small files: per file on one core, what two workers gain, and a manifest against coreutils."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness import KEY, Row, Workspace, compare, duration, interleaved, median, minus, per, ratios, verdict

FILES, SIZE = 10_000, 4096
TREE_FILES, TREE_SIZE = 100_000, 10_000
_PEER = 'find tree -type f ! -name "SHA256SUMS*" -print0 | xargs -0 -n 500 -P "$(nproc)" sha256sum > sums'


def rows(work: Workspace, *, rounds: int, files: int = FILES, tree_files: int = TREE_FILES) -> list[Row]:
    """Measure signing with one and with two jobs (start-up and the file system's sync count), and a manifest."""
    return [*_signing(work, rounds, files), *_manifest(work, rounds, tree_files)]


def _signing(work: Workspace, rounds: int, files: int) -> list[Row]:
    _make(work.folder / "batch", files, SIZE)
    listed = "\n".join(f"batch/{number // 1000}/{number}" for number in range(files))
    (work.folder / "list").write_text(listed)

    def sign(jobs: int, run: list[int] = [0]) -> object:  # noqa: B006 - every run writes into a folder of its own
        run[0] += 1
        out = work.folder / f"out-{run[0]}"
        out.mkdir()
        return work.run(work.sign((), "--files-from", "list", "--jobs", str(jobs), "--out-dir", str(out)))

    measures = {f"jobs {jobs}": lambda jobs=jobs: sign(jobs) for jobs in (1, 2)}
    runs = interleaved(rounds, measures)
    one, two = per(runs["jobs 1"], files), per(runs["jobs 2"], files)
    gain = ratios(one, two)
    what = f"sign {files:,} files of {SIZE} bytes, EC_P256"
    least = 0.30e-3
    cpu = sorted(run.cpu for run in one)[len(one) // 2]
    return [
        Row(
            f"{what}, one job, per file",
            duration(median(one)),
            f"CPU {duration(cpu)}",
            target="at most 0.3 ms",
            verdict=verdict(median(one) <= least),
        ),
        Row(
            f"{what}, two jobs, per file",
            duration(median(two)),
            f"one job: {duration(median(one))}",
            *(f"{ratio:.2f}" for ratio in gain),
            target="at least 1.8",
            verdict=verdict(gain[0] >= 1.8),
        ),
    ]


def _manifest(work: Workspace, rounds: int, files: int) -> list[Row]:
    tree = work.folder / "tree"
    _make(tree, files, TREE_SIZE)
    tiny = work.folder / "tiny-tree"
    _make(tiny, 1, 1)
    create = (*work.signkit, "manifest", "create")
    measures = {
        "start": lambda: work.run((*create, str(tiny), "--key", KEY, "--force")),
        "ours": lambda: work.run((*create, str(tree), "--key", KEY, "--force")),
        "peer": lambda: work.run(("sh", "-c", _PEER)),
    }
    interleaved(1, measures)
    runs = interleaved(rounds, measures)
    shutil.rmtree(tree)
    what = f"manifest of {files:,} files of {TREE_SIZE // 1000} kB, without start-up"
    peer = ("find and xargs sha256sum on all cores", runs["peer"])
    return [compare(what, minus(runs["ours"], runs["start"]), peer, limit=1.3, within=True)]


def _make(folder: Path, files: int, size: int) -> None:
    data = os.urandom(size)
    for number in range(files):
        path = folder / str(number // 1000) / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[number % size :] + data[: number % size])
    os.sync()
