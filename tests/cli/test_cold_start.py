"""No command imports what it does not use: names of modules, as ``python -X importtime`` lists them, not times.

A module that ``importlib.import_module`` was asked for (a command's own, a family of keys) is not in that list; what
such a module imports is.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import Workshop, command_line, environment

_LINE = re.compile(r"import time:\s+\d+ \|\s+\d+ \|\s+(\S+)")

DRAWING = ("rich", "pygments", "markdown_it")
"""What draws on terminals."""
TEMPLATES = ("asn1crypto", "oscrypto")
"""What builds and reads structures that only requests and the lab have."""
NEVER = ("pydantic", "asyncio", "http", "ssl", "unittest", "importlib.metadata", "pkg_resources", "signkit.api")
"""What no command on these paths has a use for."""
STORE = ("sqlite3", "signkit.store", "signkit.keys.sealing", "signkit.custody", "platformdirs")

PATHS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "help": (
        ("--help",),
        (*NEVER, *DRAWING, *TEMPLATES, *STORE, "cryptography", "signkit.operations", "signkit.wiring"),
        ("typer", "signkit.cli.root"),
    ),
    "version": (
        ("--version",),
        (*NEVER, *DRAWING, *TEMPLATES, *STORE, "cryptography", "signkit.operations", "signkit.wiring"),
        ("signkit.cli.root",),
    ),
    "help of a command": (
        ("verify", "--help"),
        (*NEVER, *DRAWING, *TEMPLATES, *STORE, "cryptography", "signkit.operations", "signkit.wiring"),
        ("typer", "signkit.cli.progress"),
    ),
    "verify": (
        ("verify", "app.bin", "--trust", "ROOT"),
        (*NEVER, *DRAWING, *TEMPLATES, *STORE, "tomllib", "tempfile", "signkit.operations.sign", "signkit.lab"),
        ("cryptography.x509", "signkit.verification.decide"),
    ),
    "verify --json": (
        ("--json", "verify", "app.bin", "--trust", "ROOT"),
        (*NEVER, *DRAWING, *TEMPLATES, *STORE, "tomllib", "signkit.report.text"),
        ("signkit.report.verification",),
    ),
    "sign": (
        ("--home", "HOME", "sign", "app.bin", "--key", "KEY", "--force"),
        (
            *NEVER,
            *DRAWING,
            *TEMPLATES,
            "cryptography.x509",
            "socket",
            "tomllib",
            "signkit.cli.verify_cmd",
            "signkit.lab",
        ),
        ("sqlite3", "signkit.keys.sealing", "signkit.operations.sign"),
    ),
    "key list": (
        ("--home", "HOME", "key", "list"),
        (*NEVER, *DRAWING, *TEMPLATES, "cryptography.x509", "socket", "tomllib", "signkit.cms", "signkit.lab"),
        ("sqlite3", "signkit.store.sqlite"),
    ),
    "inspect": (
        ("inspect", "app.bin.p7s"),
        (*NEVER, *DRAWING, *STORE, "tomllib", "signkit.wiring", "signkit.lab"),
        ("cryptography.x509", "signkit.operations.inspect"),
    ),
}
"""Path to its command line, the modules that must not be imported on it, and some that must."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    made = Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")
    (made.folder / "app.bin").write_bytes(b"artifact")
    made.sign(made.folder / "app.bin")
    return made


@pytest.mark.parametrize("path", PATHS)
def test_modules_of_a_command(path: str, shop: Workshop) -> None:
    arguments, unwanted, wanted = PATHS[path]
    words: dict[str, str | Path] = {"ROOT": shop.root, "HOME": shop.home, "KEY": shop.key}
    imported = modules(shop.folder, *(words.get(word, word) for word in arguments))
    assert set(wanted) <= imported
    assert [name for name in sorted(imported) if belongs(name, unwanted)] == []


def modules(folder: Path, *arguments: str | Path) -> set[str]:
    """Names of all modules that one command imports."""
    python, *rest = command_line(*arguments)
    done = subprocess.run(
        [python, "-X", "importtime", *rest], cwd=folder, capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 0, done.stderr
    return {match[1] for line in done.stderr.splitlines() if (match := _LINE.match(line))}


def belongs(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
