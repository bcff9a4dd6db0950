"""Verifying many artifacts of one signer in one process, with and without timestamps: the rate of one core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Row, Workspace, verdict

if TYPE_CHECKING:
    from signkit.lab.authority import Authority
    from signkit.lab.timestamping import TimeStampingAuthority

FILES = 10_000
STAMPED = 1_000
SIZE = 4096
LEAST = 3000
"""Artifacts a second that one core must verify."""


def rows(work: Workspace) -> list[Row]:
    """Measure both in a process of their own; CPU time, so that the other work of the machine does not count."""
    folder = work.folder / "batch"
    folder.mkdir()
    done = subprocess.run(
        (work.python, __file__, str(folder)), env=work.environment, check=True, capture_output=True, text=True
    )
    rate, with_timestamps = map(float, done.stdout.split())
    what = f"artifacts of {SIZE // 1024} kB, one signer, EC_P256, in one process"
    found = f"{rate:,.0f}/s per core"
    return [
        Row(f"verify {FILES:,} {what}", found, target=f"at least {LEAST:,}/s", verdict=verdict(rate >= LEAST)),
        Row(f"verify {STAMPED:,} {what}, timestamped", f"{with_timestamps:,.0f}/s per core"),
    ]


def _measure(folder: Path) -> None:
    """Print how many artifacts a second are verified: plain, and timestamped."""
    from signkit.lab.authority import Authority

    lab = Authority.create(datetime.now(UTC) - timedelta(minutes=1), os.urandom)
    root = folder / "root.der"
    root.write_bytes(lab.root.certificate.der)
    for artifacts in _make_files(folder, lab):
        print(len(artifacts) / _seconds(artifacts, root))


def _seconds(artifacts: list[str], root: Path) -> float:
    from signkit.files import FileSource
    from signkit.operations.verify import VerifyingService

    service = VerifyingService(FileSource(), clock=lambda: datetime.now(UTC))
    began = time.process_time()
    result = service.verify(artifacts, trust=[str(root)])
    taken = time.process_time() - began
    if not result.accepted:
        raise SystemExit(f"the benchmark's own signatures are refused: {result.artifacts[0].reasons}")
    return taken


def _make_files(folder: Path, lab: Authority) -> tuple[list[str], list[str]]:
    """Signed files, and some of them once more with timestamps of the lab."""
    from signkit import algorithms, formats
    from signkit.algorithms import digests
    from signkit.formats.base import SignedPart
    from signkit.lab import timestamping
    from signkit.lab.authority import SigningKey
    from signkit.x509 import certificate, names
    from signkit.x509 import request as csr

    now = datetime.now(UTC)
    key = SigningKey.generate()
    info = csr.to_be_signed(
        names.parse("CN=Release"), key.public_key_info, key_usage=("digital_signature",), purposes=()
    )
    leaf, issuing = lab.issue(csr.assemble(info, key.algorithm, key.sign(info)), now=now, random=os.urandom)
    chosen = formats.format_named("cms")
    algorithm = algorithms.signature_algorithm("EC_P256")
    prepared = chosen.prepare(certificate.load(leaf), (issuing,), algorithm, "sha256")
    tsa = timestamping.create(lab, clock=lambda: datetime.now(UTC), random=os.urandom)
    plain, stamped = [], []
    for number in range(FILES):
        data = os.urandom(SIZE)
        attributes = chosen.to_be_signed(prepared, digests.digest("sha256", data), now)
        signature = chosen.assemble([SignedPart(prepared, attributes, key.sign(attributes))])
        plain.append(_write(folder / f"{number:05}.bin", data, signature))
        if number < STAMPED:
            stamped.append(_write(folder / f"{number:05}-stamped.bin", data, _stamp(signature, tsa)))
    return plain, stamped


def _write(path: Path, data: bytes, signature: bytes) -> str:
    path.write_bytes(data)
    path.with_name(f"{path.name}.p7s").write_bytes(signature)
    return str(path)


def _stamp(signature: bytes, tsa: TimeStampingAuthority) -> bytes:
    from signkit.cms import signed_data
    from signkit.tsp import request, response

    (info,) = signed_data.parse(signature).signed_data.signer_infos
    answer = response.decode(tsa.answer(request.over(info.signature, "sha256").encode()))
    return signed_data.with_timestamp(signature, answer.token or b"")


if __name__ == "__main__":
    _measure(Path(sys.argv[1]))
