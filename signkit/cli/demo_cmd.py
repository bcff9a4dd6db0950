"""``signkit demo``: the whole pipeline on programs of this machine, by the command lines that a user would type."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import typer

from signkit.cli.base import App, Session, session
from signkit.errors import FileError, OutputExistsError, SignkitError

app = App()


DAYS_LATER = 200
"""When the certificate, of 90 days, has expired."""


class Step(NamedTuple):
    """One command of the demo.

    Attributes:
        command: as it is typed; ``{one}`` and ``{two}`` stand for the programs that are signed, ``{later}``
            for a time after the end of the certificate.
        expected: the exit status it must end with.
        shows: what it shows, said before it and once more at the end; empty for the steps in between.
    """

    command: str
    expected: int = 0
    shows: str = ""


STEPS = (
    Step(
        "signkit --home store init --root-key file:root.key",
        shows="a store: private keys sealed under a root key, which is kept apart from it",
    ),
    Step(
        "signkit --home store key create --type EC_P256 --alias alias/release",
        shows="a key with version 1, and a certification request for that version",
    ),
    Step('signkit --home store csr create alias/release@1 --subject "CN=Acme Release,O=Acme,C=DE" --out release.csr'),
    Step("signkit lab create ca", shows="a throwaway authority issues a certificate, bound to the version it is for"),
    Step("signkit lab issue ca release.csr"),
    Step("signkit --home store cert import alias/release@1 release-chain.pem"),
    Step(
        "signkit --home store sign dist/{one} dist/{two} --key alias/release@1",
        shows="two programs signed; verified with the root and the expected signer alone, without the store",
    ),
    Step('signkit verify dist/{one} dist/{two} --trust ca/root.pem --signer "CN=Acme Release,O=Acme"'),
    Step("signkit verify tampered --signature dist/{two}.p7s --trust ca/root.pem", 12, "refused: one bit was changed"),
    Step("signkit verify unsigned --trust ca/root.pem", 10, "refused: there is no signature"),
    Step("signkit lab create other-ca", shows="a second authority, which never heard of this signer"),
    Step("signkit verify dist/{two} --trust other-ca/root.pem", 14, "refused: the signer is under another root"),
    Step(
        'signkit verify dist/{two} --trust ca/root.pem --signer "CN=Somebody Else" --quiet',
        19,
        "refused: a good signature, but of somebody else",
    ),
    Step(
        "signkit --home store version create alias/release",
        shows="rotation: a new version, which nobody uses until it is named; what version 1 signed stays good",
    ),
    Step("signkit verify dist/{two} --trust ca/root.pem --quiet"),
    Step(
        "signkit --home store sign dist/{one} --key alias/release@1 --timestamp lab:ca --force",
        shows="the first program signed anew, now with a timestamp by the throwaway authority",
    ),
    Step(
        "signkit verify dist/{one} --trust ca/root.pem --at {later}",
        shows="long after the certificate has expired: what was stamped while it was good stays good",
    ),
    Step(
        "signkit verify dist/{two} --trust ca/root.pem --at {later}", 15, "refused: expired, and there is no timestamp"
    ),
    Step(
        "signkit lab revoke ca release-chain.pem --reason keyCompromise",
        shows="the key was stolen: the authority revokes the certificate and publishes it on its CRL",
    ),
    Step("signkit verify dist/{two} --trust ca/root.pem --crl ca/crl.pem", 16, "refused: the certificate is revoked"),
)
"""The demo. Only ``init``, ``key``, ``version``, ``csr``, ``cert`` and ``sign`` need a store."""


@app.verb("demo")
def demo(
    context: typer.Context,
    directory: Annotated[
        str | None, typer.Option("--dir", metavar="DIR", help="Run in this new or empty folder, and keep it.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the temporary folder.")] = False,
) -> None:
    """Run the whole pipeline on programs of this machine, offline, with a throwaway authority."""
    run = session(context)
    kept = directory is not None or keep
    with _folder(directory, keep=kept) as folder, _without_settings():
        _say(run, [f"# All of this happens in {folder}, without network, configuration or other programs."])
        names = _prepare(run)
        steps = [_do(run, step, names) for step in STEPS]
        summary = [
            "",
            f"# {len(STEPS)} commands, each with the exit status that was expected:",
            *(f"# {step.expected:>4}  {step.shows}" for step in STEPS if step.shows),
            f"# The folder {folder} {'is kept' if kept else 'is removed now'}.",
            "# Next: 'signkit init' makes a store of your own, 'signkit --help' lists the commands.",
        ]
        run.emit({"ok": True, "folder": folder if kept else None, "steps": steps}, summary)


def _do(run: Session, step: Step, names: Mapping[str, str]) -> dict[str, Any]:
    """Run one command line in this process, show it with what it prints, and insist on its exit status.

    Returns:
        The command, its exit status, the expected one, and the lines of both streams in their order.
    """
    from signkit.cli import main
    from signkit.cli.root import INTERRUPTED

    command = step.command.format(**names)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(shlex.split(command)[1:])
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    output = printed.getvalue().splitlines()
    heading = ["", f"# {step.shows[:1].upper()}{step.shows[1:]}."] if step.shows else []
    _say(run, [*heading, f"$ {command}", *output, *([f"[exit {status}]"] if status else [])])
    if status != step.expected:
        reason = next((f" ({line})" for line in output if line.startswith("signkit: error: ")), "")
        raise SignkitError(
            f"the demo stopped: '{command}' ended with status {status}, expected {step.expected}{reason}",
            hint="'signkit doctor' tells what works here; --dir names another folder, and keeps it",
        )
    return {"command": command, "exit_status": status, "expected": step.expected, "output": output}


def _say(run: Session, lines: list[str]) -> None:
    """Show what happens as it happens; with ``--json`` there is one document, at the end."""
    if not run.json:
        run.emit({}, lines)


def _prepare(run: Session) -> dict[str, str]:
    """Copy two programs of this machine into the current folder, one of them also with a bit changed.

    Raises:
        FileError: there is nothing to copy, or no room.
    """
    try:
        os.mkdir("dist")
        found = _programs()
        for name, path in found.items():
            shutil.copyfile(path, os.path.join("dist", name))
        one, two = found
        with open(os.path.join("dist", two), "rb") as original:
            data = bytearray(original.read())
        with open("unsigned", "wb") as unsigned:
            unsigned.write(data)
        data[len(data) // 2] ^= 1
        with open("tampered", "wb") as tampered:
            tampered.write(data)
    except (OSError, ValueError) as error:
        raise _unusable(os.getcwd(), error) from error
    copies = [f"# dist/{name} is a copy of {path}" for name, path in found.items()]
    _say(run, [*copies, f"# unsigned and tampered are copies of dist/{two}; one bit of tampered was changed"])
    later = datetime.now(UTC) + timedelta(days=DAYS_LATER)
    return {"one": one, "two": two, "later": f"{later:%Y-%m-%dT%H:%M:%SZ}"}


def _programs() -> dict[str, str]:
    """Name to path of the Python interpreter and ``ls``; of other files where one of them can't be read."""
    candidates = (
        ("python3", sys.executable),
        ("ls", shutil.which("ls")),
        ("sh", shutil.which("sh")),
        ("os.py", os.__file__),
        ("demo_cmd.py", __file__),
    )
    paths = {name: os.path.realpath(path) for name, path in candidates if path}
    usable = [n for n, p in paths.items() if os.path.isfile(p) and os.access(p, os.R_OK) and os.path.getsize(p)]
    return {name: paths[name] for name in usable[:2]}


@contextlib.contextmanager
def _folder(wanted: str | None, *, keep: bool) -> Iterator[str]:
    """The folder of the demo as the current one; see ``_make_folder`` for what it raises."""
    path = _make_folder(wanted)
    way_back = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # holds also where its path does not any more
    try:
        os.chdir(path)
        yield path
    finally:
        os.fchdir(way_back)
        os.close(way_back)
        if not keep:
            shutil.rmtree(path, ignore_errors=True)


def _make_folder(wanted: str | None) -> str:
    """Make the folder, a temporary one when none is named.

    Raises:
        FileError: it can't be made.
        OutputExistsError: there is something in it.
    """
    try:
        if wanted is None:
            return tempfile.mkdtemp(prefix="signkit-demo-")
        os.makedirs(wanted, mode=0o700, exist_ok=True)
        if os.listdir(wanted):
            raise OutputExistsError(f"{wanted}: is not empty, expected a new or an empty folder", hint="name another")
        return os.path.abspath(wanted)
    except OSError as error:
        raise _unusable(wanted or "a temporary folder", error) from error


def _unusable(path: str, error: Exception) -> FileError:
    reason = getattr(error, "strerror", None) or str(error)
    return FileError(f"the demo can't work in {path}: {reason}", hint="name a writable folder with --dir")


@contextlib.contextmanager
def _without_settings() -> Iterator[None]:
    """Keep the caller's own store and settings out of it."""
    settings = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("SIGNKIT_")}
    try:
        yield
    finally:
        os.environ.update(settings)
