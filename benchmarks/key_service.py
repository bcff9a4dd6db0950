"""The key service: its overhead over the bare library, over the store's bare commits, and its start.

``rows`` runs this file as a program of its own in the workspace, where it prints its rates as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness import Row, Workspace

SIGNERS = {
    "RSA_2048": ("RSA_PKCS1_SHA_256", 0.8),
    "EC_P256": ("ECDSA_SHA_256", 0.5),
    "EC_SM2": ("SM2DSA", 0.8),
}
"""Key type to its algorithm, and the least share of the peer's rate that signing in batches may reach."""

BATCH = 100
SECONDS = 0.4
SM3_SIZE = 100_000_000


def rows(work: Workspace, *, rounds: int) -> list[Row]:
    """Measure signing through the service, durable signing, loading a key, the start of ``raw sign``, and SM3."""
    from harness import Row, compare, interleaved

    child = (work.python, __file__, str(rounds))
    done = subprocess.run(child, cwd=work.folder, env=work.environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    out = []
    for name, (_, least) in SIGNERS.items():
        ours, peer, single = (found[name][what] for what in ("service", "peer", "single"))
        peer_name = "openssl speed" if name == "EC_SM2" else "library"
        what = f"{name} signatures in batches of {BATCH}, audit stubbed"
        out.append(_share(what, ours, (peer_name, peer), least))
        out.append(_share(f"{name} signatures one by one, audit stubbed", single, (peer_name, peer)))
    commits = ("bare commits", found["commits"])
    out.append(_share(f"EC_P256 signatures in batches of {BATCH}, durable", found["durable batch"], commits, 0.7))
    out.append(_share("EC_P256 signatures one by one, durable", found["durable"], commits))
    out.append(Row("open and load a sealed RSA_2048 key", f"{found['load'] * 1e3:.3f} ms", verdict=""))
    small = work.make_file(work.folder / "raw", 1000)
    command = (
        *work.signkit,
        "raw",
        "sign",
        work_key(),
        "--algorithm",
        "ECDSA_SHA_256",
        "--in",
        small,
        "--out",
        "s",
        "--force",
    )
    measures = {
        "python": lambda: work.run((work.python, "-c", "pass")),
        "raw sign": lambda: work.run(command),
    }
    interleaved(2, measures)
    runs = interleaved(3 * rounds, measures)
    out.append(
        compare("signkit raw sign", runs["raw sign"], ("python -c pass", runs["python"]), limit=12, within=False)
    )
    return [*out, _sm3(work, rounds)]


def work_key() -> str:
    """The key version of the workspace."""
    from harness import KEY

    return KEY


def _sm3(work: Workspace, rounds: int) -> Row:
    from harness import interleaved

    path = work.make_file(work.folder / "sm3", SM3_SIZE)
    script = f"from signkit.files import FileSource; FileSource().digest({path!r}, ['sm3'])"
    start = "from signkit.files import FileSource; from signkit.algorithms import digests; digests.new('sm3')"
    measures = {
        "ours": lambda: work.run((work.python, "-c", script)),
        "start": lambda: work.run((work.python, "-c", start)),
        "peer": lambda: work.run(("openssl", "dgst", "-sm3", path)),
        "peer start": lambda: work.run(("openssl", "dgst", "-sm3", "/dev/null")),
    }
    runs = interleaved(rounds, measures)
    fastest = {name: min(run.wall for run in found) for name, found in runs.items()}
    ours, peer = (
        SM3_SIZE / (fastest[one] - fastest[other]) for one, other in (("ours", "start"), ("peer", "peer start"))
    )
    row = _share("SM3 of a file of 100 MB, without start-up", ours, ("openssl dgst -sm3", peer), 0.9)
    return row._replace(found=f"{ours / 1e6:.0f} MB/s", peer=f"openssl dgst -sm3: {peer / 1e6:.0f} MB/s")


def _share(what: str, ours: float, peer: tuple[str, float], least: float | None = None) -> Row:
    """A row whose ratio is our rate over the peer's; None = for information only."""
    from harness import Row, verdict

    share = ours / peer[1]
    return Row(
        what,
        _per_second(ours),
        f"{peer[0]}: {_per_second(peer[1])}",
        f"{share:.2f}",
        target="" if least is None else f"at least {least:g}",
        verdict="" if least is None else verdict(share >= least),
    )


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}/s"


# In the program of its own


def main(rounds: int) -> None:
    """Print the rates: the best of some rounds, in which all are measured in turn."""
    import os

    from signkit.wiring import Wiring

    wiring = Wiring(os.environ)
    record = wiring.store.record
    measures: dict[tuple[str, str], Callable[[], float]] = {}
    for name, (algorithm, _) in SIGNERS.items():
        measures |= _of_key(wiring, name, algorithm)
    best: dict[str, dict[str, float]] = {name: {} for name in SIGNERS}
    for _ in range(rounds):
        wiring.store.record = lambda entries: 0  # type: ignore[method-assign]
        for (name, what), measure in measures.items():
            best[name][what] = max(best[name].get(what, 0), measure())
    wiring.store.record = record  # type: ignore[method-assign]
    found: dict[str, Any] = {**best, **_durable(wiring, rounds)}
    found["EC_SM2"]["peer"] = max(_openssl_sm2() for _ in range(rounds))
    print(json.dumps(found))


def _of_key(wiring: Any, name: str, algorithm_name: str) -> dict[tuple[str, str], Callable[[], float]]:
    from signkit import algorithms
    from signkit.keys.reference import parse_key_version
    from signkit.keys.sealing import RecordContext
    from signkit.operations import raw
    from signkit.operations.use import SignInput, signature_algorithm

    key, version = wiring.keys.create_key(name, alias=f"alias/{name}")
    reference, digest = parse_key_version(f"alias/{name}@1"), bytes(range(32))
    info = wiring.kek().open(version.locator, RecordContext.of(wiring.store.id, key, version, version.public_key_info))
    family = algorithms.family(algorithms.key_type(name).family)
    private, algorithm = family.load_private_key(info), signature_algorithm(name, algorithm_name)
    inputs = [SignInput(digest, digest, "file")] * BATCH
    return {
        (name, "service"): lambda: BATCH * _rate(lambda: wiring.keys.use.sign(reference, algorithm_name, inputs)),
        (name, "single"): lambda: _rate(lambda: raw.sign(wiring.keys, reference, algorithm_name, digest=digest)),
        (name, "peer"): lambda: _rate(lambda: family.sign(private, algorithm, digest)),
    }


def _durable(wiring: Any, rounds: int) -> dict[str, float]:
    from signkit.keys.reference import parse_key_version
    from signkit.operations import raw
    from signkit.operations.use import SignInput

    reference, digest = parse_key_version("alias/EC_P256@1"), bytes(range(32))
    [*_, entry] = wiring.store.audit_entries()
    inputs = [SignInput(digest, digest, "file")] * BATCH
    measures: dict[str, Callable[[], float]] = {
        "commits": lambda: _rate(lambda: wiring.store.record([entry])),
        "durable": lambda: _rate(lambda: raw.sign(wiring.keys, reference, "ECDSA_SHA_256", digest=digest)),
        "durable batch": lambda: BATCH * _rate(lambda: wiring.keys.use.sign(reference, "ECDSA_SHA_256", inputs)),
    }
    best = dict.fromkeys(measures, 0.0)
    for _ in range(rounds):
        for name, measure in measures.items():
            best[name] = max(best[name], measure())
    rsa = next(key for key in wiring.store.keys() if key.key_type == "RSA_2048")
    [version] = wiring.store.versions(rsa.id)
    return {**best, "load": 1 / _rate(lambda: wiring.software._load(rsa, version))}


def _rate(work: Callable[[], object]) -> float:
    """How often a second."""
    work()
    count, begun = 0, time.perf_counter()
    while (now := time.perf_counter()) < begun + SECONDS:
        work()
        count += 1
    return count / (now - begun)


def _openssl_sm2() -> float:
    """Signatures a second of ``openssl speed``; 0 where openssl has no SM2."""
    command = ("openssl", "speed", "-seconds", "1", "sm2")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"SM2.*?([0-9.]+)\s+([0-9.]+)\s*$", done.stdout, re.MULTILINE)
    return float(found[1]) if found else float("nan")


if __name__ == "__main__":
    main(int(sys.argv[1]))
