"""The benchmarks: signkit against its targets, measured on this machine. See README.md beside this file."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import batches
import cold_start
import key_service
import large_file
import machine
import many_files
import verify_batch
from harness import MB, ROOT, Row, Workspace

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
COLUMNS = ("what", "signkit", "peer", "ratio", "of minima", "of CPU", "target", "verdict")


def main() -> None:
    """Measure, print the table, and with ``--write`` put it into the project's README.md."""
    options = _options()
    size = (options.size or (250 if options.quick else 2000)) * MB
    if shutil.which("openssl") is None:
        raise SystemExit("the benchmarks need openssl, which is not on PATH")
    if shutil.disk_usage(options.dir).free < size + 500 * MB:
        raise SystemExit(f"{options.dir} has no room for {size // MB + 500} MB: name another --dir or a smaller --size")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="signkit-bench-", dir=options.dir) as folder:
        lines = [machine.describe(Path(folder)), ""]
        work = Workspace(Path(folder))
        rows = [
            *cold_start.rows(work, rounds=9 if options.quick else 25),
            *large_file.rows(work, size=size, rounds=3 if options.quick else 5),
            *many_files.rows(work, rounds=2 if options.quick else 5),
            *verify_batch.rows(work),
            *key_service.rows(work, rounds=2 if options.quick else 5),
            *batches.rows(work, rounds=2 if options.quick else 5),
        ]
    import paths  # last: it fills this process, whose memory is the least that a child's is reported with

    rows += paths.rows(rounds=5 if options.quick else 15, count=100)
    lines += table(rows)
    print("\n".join(lines))
    print(f"\n{time.monotonic() - begun:.0f} s")
    if options.write:
        write(ROOT / "README.md", lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and a smaller file")
    parser.add_argument("--size", type=int, metavar="MB", help="size of the large file [2000; with --quick 250]")
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="where the files are made, and removed again")
    parser.add_argument("--write", action="store_true", help="put the table into README.md, between its markers")
    return parser.parse_args()


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as a Markdown table with aligned columns."""
    cells = [COLUMNS, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return [f"| {line} |" for line in lines]


def write(path: Path, lines: Sequence[str]) -> None:
    """Replace what stands between the markers in a file."""
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path.name} has no {BEGIN} ... {END} to write between")
    path.write_text("\n".join([before + BEGIN, *lines, END]) + after)


if __name__ == "__main__":
    main()
