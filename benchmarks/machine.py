"""What the numbers were taken on, in one line."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def describe(folder: Path) -> str:
    """CPU, cores, Python, openssl, and what ``folder`` is stored on."""
    cores = len(os.sched_getaffinity(0))
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return "; ".join(
        [
            f"{_cpu()}, {cores} cores",
            f"{platform.python_implementation()} {platform.python_version()}",
            f"OpenSSL {openssl}",
            _disk(folder),
            f"load average {os.getloadavg()[0]:.2f}",
        ]
    )


def _cpu() -> str:
    """Model, and whether it has instructions for SHA-256, which decide what digesting costs."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    features = fields.get("flags", fields.get("Features", "")).split()
    sha = "with" if {"sha_ni", "sha2"} & set(features) else "without"
    return f"{fields.get('model name', platform.machine())} {sha} SHA instructions"


def _disk(folder: Path) -> str:
    """File system and kind of disk, as Linux says it (proc(5), sysfs)."""
    device = os.stat(folder).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    kind = "unknown file system"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split()[2] == number:
            kind = rest.split()[0]
    block = Path("/sys/dev/block", number).resolve()
    for queue in (block / "queue", block.parent / "queue"):  # a partition's queue is its disk's
        if (queue / "rotational").exists():
            spinning = (queue / "rotational").read_text().strip() == "1"
            name = queue.parent.name
            disk = "a virtual disk" if name.startswith(("vd", "xvd")) else "a hard disk" if spinning else "flash"
            return f"{kind} on {disk} ({name})"
    return kind
