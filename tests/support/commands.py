"""signkit as its users call it, in this process (fast) or as one of its own, and a store that is ready to sign."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from signkit.cli import main

ERROR, HINT = "signkit: error: ", "signkit: hint: "
TIMEOUT_SECONDS = 60


class Ran(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    def error(self, status: int) -> str:
        """The message, after asserting the status and that stderr ends with the two lines of an error."""
        assert self.status == status, f"exit {self.status}, expected {status}\n{self.out}{self.err}"
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.startswith((ERROR, HINT))]
        assert self.err.splitlines()[-2:] == lines, self.err
        message, hint = lines[0].removeprefix(ERROR), lines[1].removeprefix(HINT)
        assert lines[0].startswith(ERROR) and lines[1].startswith(HINT), self.err
        assert message and hint
        assert not message.endswith(".")
        assert "defect" not in message
        return message


def call(*arguments: str | Path) -> Ran:
    """Run one command line in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    return Ran(status, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def command_line(*arguments: str | Path | bytes) -> list[str | Path | bytes]:
    """The command that runs signkit as a process of its own."""
    return [sys.executable, "-P", "-m", "signkit", *arguments]


def environment(**changes: str) -> dict[str, str]:
    """The variables of this process without those that change how signkit or Python behave."""
    dropped = ("SIGNKIT_", "XDG_", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "LC_", "LANG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "LC_ALL": "C.UTF-8", **changes}


def run(
    *arguments: str | Path | bytes,
    folder: Path | None = None,
    before: Sequence[str] = (),
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
) -> Ran:
    """Run one command line as a process of its own.

    Args:
        arguments: the command line after ``signkit``.
        folder: the current folder; None = this process's.
        before: a program with its arguments that runs it, such as ``setpriv``.
        stdin: what it reads from standard input.
        variables: changes to its environment.
    """
    done = subprocess.run(
        [*before, *command_line(*arguments)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=environment(**(variables or {})),
        timeout=TIMEOUT_SECONDS,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def listing(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Everything below a folder, hidden or not: type, size and time of last change, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        changed = 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
        found[os.fsdecode(path.relative_to(folder))] = (stat.S_IFMT(status.st_mode), status.st_size, changed)
    return found


@dataclass(frozen=True)
class Workshop:
    """A store with certified keys, and the throwaway authority that certified them.

    Attributes:
        folder: holds all of it.
        keys: key type to ``alias/...@1``.
    """

    folder: Path
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, *key_types: str) -> Workshop:
        """Make the store, the authority, and one certified key of each type."""
        shop = cls(folder)
        shop.do("init", "--root-key", f"file:{folder / 'root.key'}")
        shop.do("lab", "create", folder / "lab")
        for key_type in key_types:
            shop.keys[key_type] = shop.new_key(key_type)
            request = shop.request(shop.keys[key_type])
            shop.do("lab", "issue", folder / "lab", request, "--out", request.with_suffix(".chain"))
            shop.do("cert", "import", shop.keys[key_type], request.with_suffix(".chain"))
        return shop

    @property
    def home(self) -> Path:
        """Folder of the store."""
        return self.folder / "home"

    @property
    def root(self) -> Path:
        """The authority's root, PEM."""
        return self.folder / "lab" / "root.pem"

    @property
    def key(self) -> str:
        """The first key's version 1."""
        return next(iter(self.keys.values()))

    def __call__(self, *arguments: str | Path) -> Ran:
        """Run one command line in this process, with this store."""
        return call("--home", self.home, *arguments)

    def do(self, *arguments: str | Path) -> Ran:
        """Run one command line that must end well."""
        done = self(*arguments)
        assert done.status == 0, f"{arguments}: exit {done.status}\n{done.out}{done.err}"
        return done

    def new_key(self, key_type: str = "EC_P256", name: str = "") -> str:
        """A new key without certificate; returns its version 1."""
        alias = f"alias/{name or key_type}"
        self.do("key", "create", "--type", key_type, "--alias", alias)
        return f"{alias}@1"

    def request(self, key: str) -> Path:
        """A certification request for a key version, PEM."""
        path = self.folder / f"{key.removeprefix('alias/').removesuffix('@1')}.csr"
        self.do("csr", "create", key, "--subject", f"CN=Acme {path.stem},O=Acme,C=DE", "--out", path)
        return path

    def sign(self, artifact: Path, key: str = "", *options: str) -> Path:
        """Sign one artifact; returns the path of the signature."""
        self.do("sign", artifact, "--key", key or self.key, *options)
        return artifact.with_name(f"{artifact.name}.p7s")

    def verify(self, *arguments: str | Path) -> Ran:
        """Verify under the authority's root; needs no store."""
        return call("verify", *arguments, "--trust", self.root)
