"""Coverage-guided fuzzing with atheris, each target in a process of its own and for a bounded time.

``python -m tests.fuzz.run --seconds 20`` runs all targets; ``python -m tests.fuzz.run TARGET`` one. What was learned
stays in ``build/fuzz/TARGET``; an input that breaks something is written there as ``crash-...``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "build" / "fuzz"
MAXIMUM_BYTES = 16384
SLOW_SECONDS = 10
"""An input that takes longer is a fault too: work has to be bounded."""
MEMORY_MEGABYTES = 1024


def main(arguments: list[str]) -> int:
    """Run the targets; the number of those that broke is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description="Fuzz signkit's parsers.")
    parser.add_argument("target", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)} [default: all]")
    parser.add_argument("--seconds", type=int, default=20, help="how long each target runs [default: 20]")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    unknown = [name for name in options.target if name not in TARGETS]
    if unknown:
        parser.error(f"no target '{unknown[0]}', expected one of {', '.join(TARGETS)}")
    if options.here:
        _fuzz(options.target[0], options.seconds)
    names = options.target or list(TARGETS)
    return sum(map(bool, [_run(name, options.seconds) for name in names if TARGETS[name].available]))


def _run(name: str, seconds: int) -> int:
    """One target in its own process; prints what it came to."""
    command = [sys.executable, "-m", "tests.fuzz.run", "--here", "--seconds", str(seconds), name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    ends = [line for line in done.stderr.splitlines() if line.startswith(("Done ", "stat::number_of_executed"))]
    print(f"{name}: {'ok' if done.returncode == 0 else 'BROKEN'} {' '.join(ends)}", flush=True)
    if done.returncode:
        print("\n".join(done.stderr.splitlines()[-60:]), flush=True)
    return done.returncode


def _fuzz(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["signkit"]):
        target = TARGETS[name]
        target(b"")  # loads its modules, instrumented
    folder = CORPUS / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.begin()):
        (folder / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-timeout={SLOW_SECONDS}", f"-rss_limit_mb={MEMORY_MEGABYTES}"]
    limits += [f"-max_len={MAXIMUM_BYTES}", f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, str(folder)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
