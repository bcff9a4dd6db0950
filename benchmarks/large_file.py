"""One large file: signing and verifying against nothing but digesting it, and the peak memory for three sizes."""

from __future__ import annotations

from pathlib import Path

from harness import MB, Row, Workspace, compare, interleaved, minus, verdict

MEMORY_LIMIT = 80


def rows(work: Workspace, *, size: int, rounds: int) -> list[Row]:
    """Measure with a file of ``size`` bytes. Each program's start, measured with a file of one byte, is taken off."""
    folder = work.folder / "large"
    folder.mkdir()
    tiny, large = (work.make_file(folder / name, count) for name, count in (("tiny", 1), ("large", size)))
    measures = {
        f"{verb} {name}": lambda command=command: work.run(command)
        for name, path in (("tiny", tiny), ("large", large))
        for verb, command in (
            ("digest", ("openssl", "dgst", "-sha256", path)),
            ("sign", work.sign([path], "--force")),
            ("verify", work.verify([path])),
        )
    }
    interleaved(1, measures)  # the file comes into the page cache, the signatures come into being
    runs = interleaved(rounds, measures)
    net = {verb: minus(runs[f"{verb} large"], runs[f"{verb} tiny"]) for verb in ("digest", "sign", "verify")}
    Path(large).unlink()

    label = size_label(size)
    peer = ("openssl dgst -sha256", net["digest"])
    out = [
        compare(f"{verb} a file of {label}, without start-up", net[verb], peer, limit=1.10, within=True)
        for verb in ("sign", "verify")
    ]
    memory = {label: max(run.memory for verb in ("sign", "verify") for run in runs[f"{verb} large"])}
    return [*out, _memory(work, folder, memory)]


def _memory(work: Workspace, folder: Path, known: dict[str, int]) -> Row:
    """Peak memory of signing and verifying, the larger of the two, for files of different sizes."""
    peaks = {}
    for size in (MB, 100 * MB):
        path = work.make_file(folder / str(size), size)
        peaks[size_label(size)] = max(work.run(command).memory for command in (work.sign([path]), work.verify([path])))
        Path(path).unlink()
    peaks |= known
    return Row(
        f"peak memory for a file of {', '.join(peaks)}",
        ", ".join(f"{peak / MB:.0f} MB" for peak in peaks.values()),
        target=f"below {MEMORY_LIMIT} MB",
        verdict=verdict(max(peaks.values()) < MEMORY_LIMIT * MB),
    )


def size_label(size: int) -> str:
    """Size for people: MB, or GB from 1000 MB on."""
    return f"{size / MB:g} MB" if size < 1000 * MB else f"{size / MB / 1000:g} GB"
