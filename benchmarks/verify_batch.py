"""Verifying many artifacts of one signer in one process, with and without timestamps: the rate of one core."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness import Row, Workspace, verdict

from signkit import algorithms, formats
from signkit.algorithms import digests
from signkit.cms import signed_data
from signkit.der import cms, oids
from signkit.der.cms import Attribute
from signkit.files import FileSource
from signkit.lab import timestamping
from signkit.lab.authority import Authority, SigningKey
from signkit.operations.verify import VerifyingService
from signkit.tsp import request, response
from signkit.x509 import certificate, names
from signkit.x509 import request as csr

FILES = 10_000
SIZE = 4096
LEAST = 3000
"""Artifacts a second that one core must verify."""


def rows(work: Workspace, *, files: int = FILES) -> list[Row]:
    """Measure verifying of so many files; CPU time, so that the other work of the machine does not count."""
    folder = work.folder / "batch"
    folder.mkdir()
    lab = Authority.create(datetime.now(UTC) - timedelta(minutes=1), os.urandom)
    root = folder / "root.der"
    root.write_bytes(lab.root.certificate.der)
    plain, stamped = _make_files(folder, lab, files)
    rate = files / _seconds(plain, root)
    with_timestamps = len(stamped) / _seconds(stamped, root)
    what = f"artifacts of {SIZE // 1024} kB, one signer, EC_P256, in one process"
    holds = verdict(rate >= LEAST)
    return [
        Row(f"verify {files:,} {what}", f"{rate:,.0f}/s per core", target=f"at least {LEAST:,}/s", verdict=holds),
        Row(f"verify {len(stamped):,} {what}, timestamped", f"{with_timestamps:,.0f}/s per core"),
    ]


def _seconds(artifacts: list[str], root: Path) -> float:
    service = VerifyingService(FileSource(), clock=lambda: datetime.now(UTC))
    began = time.process_time()
    result = service.verify(artifacts, trust=[str(root)])
    taken = time.process_time() - began
    if not result.accepted:
        raise SystemExit(f"the benchmark's own signatures are refused: {result.artifacts[0].reasons}")
    return taken


def _make_files(folder: Path, lab: Authority, count: int) -> tuple[list[str], list[str]]:
    """Signed files, and as many again of which each tenth exists, with timestamps of the lab."""
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
    for number in range(count):
        data = os.urandom(SIZE)
        attributes = chosen.to_be_signed(prepared, digests.digest("sha256", data), now)
        signature = chosen.assemble(prepared, attributes, key.sign(attributes))
        plain.append(_write(folder / f"{number:05}.bin", data, signature))
        if number % 10 == 0:
            stamped.append(_write(folder / f"{number:05}-stamped.bin", data, _stamp(signature, tsa)))
    return plain, stamped


def _write(path: Path, data: bytes, signature: bytes) -> str:
    path.write_bytes(data)
    path.with_name(f"{path.name}.p7s").write_bytes(signature)
    return str(path)


def _stamp(signature: bytes, tsa: timestamping.TimeStampingAuthority) -> bytes:
    found = signed_data.parse(signature).signed_data
    (info,) = found.signer_infos
    answer = response.decode(tsa.answer(request.over(info.signature, "sha256").encode()))
    token = Attribute(oids.SIGNATURE_TIME_STAMP, (answer.token or b"",))
    return cms.encode(found._replace(signer_infos=(info._replace(unsigned_attributes=(token,)),)))
