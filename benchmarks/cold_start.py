"""Cold start: short runs of the program against the start of Python itself."""

from __future__ import annotations

from harness import Row, Workspace, compare, interleaved


def rows(work: Workspace, *, rounds: int) -> list[Row]:
    """Measure ``--help``, and ``verify`` and ``sign`` of one small file."""
    path = work.make_file(work.folder / "small", 1000)
    work.run(work.sign([path]))
    commands = {
        "python": (work.python, "-c", "pass"),
        "signkit --help": (*work.signkit, "--help"),
        "signkit verify, one small file": work.verify([path]),
        "signkit sign, one small file": work.sign([path], "--force"),
    }
    measures = {name: lambda command=command: work.run(command) for name, command in commands.items()}
    interleaved(2, measures)
    runs = interleaved(rounds, measures)
    peer = ("python -c pass", runs.pop("python"))
    limits = dict(zip(runs, (7, 12, 12), strict=True))
    return [compare(name, found, peer, limit=limits[name], within=False) for name, found in runs.items()]
