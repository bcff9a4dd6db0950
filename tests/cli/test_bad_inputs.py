"""Everything that goes wrong with files, terminals and signals ends with the right status, two lines, and no litter."""

from __future__ import annotations

import base64
import functools
import os
import random
import resource
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signkit.cli.progress import Progress
from signkit.x509 import pem
from tests.support import pki
from tests.support.commands import ERROR, HINT, Ran, Workshop, call, command_line, environment, listing, run
from tests.support.components import need_component

LARGE = 64 << 30
"""Bytes of a sparse file that nobody finishes hashing while a test waits."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.create(tmp_path_factory.mktemp("shop"), "EC_P256")


@pytest.fixture(scope="module")
def signed(shop: Workshop) -> tuple[bytes, bytes]:
    """An artifact and its signature."""
    artifact = shop.folder / "app.bin"
    artifact.write_bytes(b"an artifact\n")
    return artifact.read_bytes(), shop.sign(artifact).read_bytes()


# --- files that are not what they should be ---

BAD_FILES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "directory": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "socket": lambda path: os.mknod(path, 0o140600),
    "empty": lambda path: path.touch(),
    "random": lambda path: path.write_bytes(random.Random(1).randbytes(1000)),
    "text": lambda path: path.write_text("not what you think\n"),
    "half a PEM block": lambda path: path.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n"),
    "PEM that is not base64": lambda path: path.write_text("-----BEGIN CMS-----\n!!\n-----END CMS-----\n"),
    "PEM of something else": lambda path: path.write_text(pem.encode("PRIVATE KEY", b"\x30\x00")),
    "too large": lambda path: (path.touch(), os.truncate(path, 100 << 20)),
}
UNREADABLE = ("missing", "directory", "pipe", "link to nothing", "link to itself", "socket", "too large")
"""Those that are status 3 wherever signkit reads a small file; the others are malformed (11)."""

READERS: dict[str, tuple[str, ...]] = {
    "signature": ("verify", "app.bin", "--signature", "FILE", "--trust", "ROOT"),
    "trust anchor": ("verify", "app.bin", "--trust", "FILE"),
    "intermediate": ("verify", "app.bin", "--trust", "ROOT", "--intermediate", "FILE"),
    "certificate to import": ("--home", "HOME", "cert", "import", "KEY", "FILE"),
    "certificate to show": ("--home", "HOME", "cert", "show", "FILE"),
    "request to show": ("csr", "show", "FILE"),
    "request to check": ("csr", "check", "FILE"),
    "request to certify": ("lab", "issue", "LAB", "FILE", "--out", "chain.pem"),
    "anything": ("inspect", "FILE"),
}


@pytest.mark.parametrize("bad", BAD_FILES)
@pytest.mark.parametrize("reader", READERS)
def test_bad_small_file(reader: str, bad: str, shop: Workshop, signed: tuple[bytes, bytes], workdir: Path) -> None:
    (workdir / "app.bin").write_bytes(signed[0])
    (workdir / "app.bin.p7s").write_bytes(signed[1])
    BAD_FILES[bad](workdir / "bad")
    words = {"FILE": "bad", "ROOT": shop.root, "HOME": shop.home, "KEY": shop.key, "LAB": shop.folder / "lab"}
    status = 3 if bad in UNREADABLE else 11
    if (reader, bad) == ("signature", "missing"):
        status = 10
    message = refused(status, *(words.get(word, word) for word in READERS[reader]))
    assert ("bad" if status != 11 or reader != "signature" else "app.bin") in message


@pytest.mark.parametrize(
    ("bad", "status"),
    [(name, 3) for name in UNREADABLE if name != "too large"] + [("device", 3), ("-", 3), ("empty name", 3)],
)
@pytest.mark.parametrize("command", ["sign", "verify"])
def test_bad_artifact(command: str, bad: str, status: int, shop: Workshop, workdir: Path) -> None:
    name = {"device": "/dev/zero", "-": "-", "empty name": ""}.get(bad, "bad")
    if bad in BAD_FILES:
        BAD_FILES[bad](workdir / "bad")
    arguments = ("--key", shop.key) if command == "sign" else ("--trust", shop.root)
    message = refused(status, "--home", shop.home, command, name, *arguments)
    assert name in message


def refused(status: int, *arguments: str | Path) -> str:
    """Run a command that must fail, as text and with ``--json``; nothing in the current folder may change.

    Returns:
        The message.
    """
    before = listing(Path())
    message = call(*arguments).error(status)
    assert not message[0].isupper() or message.split()[0].isupper()  # an abbreviation
    as_json = call(*arguments, "--json")
    assert as_json.error(status) == message
    document = as_json.json()
    if "verify" in arguments and "schema" in document:
        assert document["exit_status"] == status
        assert document["accepted"] is False
    else:
        assert document.keys() == {"error"}
        assert document["error"].keys() == {"code", "message", "hint"}
        assert document["error"]["code"] != "InternalFailure"
        assert document["error"]["message"]
        assert document["error"]["hint"]
    assert listing(Path()) == before
    return message


def test_empty_artifact_is_signed_and_verified(shop: Workshop, workdir: Path) -> None:
    (workdir / "empty").touch()
    shop.sign(workdir / "empty")
    assert shop.verify("empty").status == 0
    (workdir / "empty").write_bytes(b"\n")
    shop.verify("empty").error(12)


def test_truncated_signature_is_malformed_at_every_length(
    shop: Workshop, signed: tuple[bytes, bytes], workdir: Path
) -> None:
    artifact, signature = signed
    (workdir / "app.bin").write_bytes(artifact)
    lengths = [*range(0, len(signature), 50), len(signature) - 1]
    for length in lengths:
        (workdir / "app.bin.p7s").write_bytes(signature[:length])
        shop.verify("app.bin").error(11)
    (workdir / "app.bin.p7s").write_bytes(signature + b"\0")
    shop.verify("app.bin").error(11)
    (workdir / "app.bin.p7s").write_bytes(signature)
    assert shop.verify("app.bin").status == 0


@pytest.mark.parametrize("size", [1, 2, 30, 1700, 100_000])
def test_random_bytes_as_signature_are_malformed(size: int, shop: Workshop, workdir: Path) -> None:
    (workdir / "app.bin").write_bytes(b"artifact")
    for seed in range(20):
        octets = random.Random(seed).randbytes(size)
        (workdir / "app.bin.p7s").write_bytes(octets if seed % 2 else b"\x30\x80" + octets)
        message = shop.verify("app.bin").error(11)
        assert len(message) < 500


def test_link_is_signed_only_when_links_are_followed(shop: Workshop, workdir: Path) -> None:
    (workdir / "app.bin").write_bytes(b"artifact")
    (workdir / "link").symlink_to("app.bin")
    assert "--follow" in shop("sign", "link", "--key", shop.key).err
    refused(3, "--home", shop.home, "sign", "link", "--key", shop.key)
    refused(3, "--home", shop.home, "sign", "app.bin", "link", "--key", shop.key)
    shop.do("sign", "link", "--key", shop.key, "--follow")
    assert {path.name for path in workdir.iterdir()} == {"app.bin", "link", "link.p7s"}
    assert shop.verify("link").status == 0


def test_pipe_does_not_hang(shop: Workshop, tmp_path: Path) -> None:
    """A process of its own, because the time limit must be able to end it."""
    os.mkfifo(tmp_path / "pipe")
    run("--home", shop.home, "sign", "pipe", "--key", shop.key, folder=tmp_path).error(3)
    run("verify", "pipe", "--trust", "pipe", folder=tmp_path).error(3)


# --- permissions; root is held to them by giving up its capabilities ---


@pytest.fixture
def unprivileged(tmp_path: Path) -> tuple[str, ...]:
    """A program that runs another one without the power to override permissions."""
    if os.geteuid() != 0:
        return ()
    need_component("setpriv")
    before = ("setpriv", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all")
    probe = tmp_path / "probe"
    probe.touch(0)
    if subprocess.run([*before, "cat", probe], capture_output=True).returncode == 0:
        pytest.skip("root can't give up its capabilities here")
    probe.unlink()
    return before


@pytest.mark.parametrize("which", ["app.bin", "app.bin.p7s", "root.pem", "folder"])
def test_unreadable_file(
    which: str, shop: Workshop, signed: tuple[bytes, bytes], unprivileged: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, data in (("app.bin", signed[0]), ("app.bin.p7s", signed[1]), ("root.pem", shop.root.read_bytes())):
        (folder / name).write_bytes(data)
    before = listing(folder)
    hidden = folder if which == "folder" else folder / which
    hidden.chmod(0)
    try:
        ran = run("verify", folder / "app.bin", "--trust", folder / "root.pem", before=unprivileged)
        as_json = run("--json", "verify", folder / "app.bin", "--trust", folder / "root.pem", before=unprivileged)
        if which != "root.pem":
            arguments = (folder / "app.bin", "--key", shop.key, "--force")
            signing = run("--home", shop.home, "sign", *arguments, before=unprivileged)
    finally:
        hidden.chmod(0o700)
    assert "not readable by this user" in ran.error(3) or which == "folder"
    assert as_json.error(3) == ran.error(3)
    if which in ("app.bin", "folder"):
        signing.error(3)
        assert listing(folder) == before


def test_read_only_folder(shop: Workshop, unprivileged: tuple[str, ...], tmp_path: Path) -> None:
    folder, out = tmp_path / "folder", tmp_path / "out"
    out.mkdir()
    folder.mkdir()
    (folder / "app.bin").write_bytes(b"artifact")
    before = listing(folder)
    folder.chmod(0o555)
    try:
        for arguments in (
            ("--home", shop.home, "sign", folder / "app.bin", "--key", shop.key),
            ("--home", shop.home, "csr", "create", shop.key, "--subject", "CN=A", "--out", folder / "a.csr"),
            ("--home", shop.home, "cert", "export", shop.key, "--out", folder / "a.pem"),
            ("lab", "create", folder / "lab"),
            ("--home", folder / "home", "init", "--root-key", f"file:{out / 'root.key'}"),
        ):
            ran = run(*arguments, before=unprivileged)
            ran.error(3)
            assert run(*arguments, "--json", before=unprivileged).json()["error"]["hint"]
        elsewhere = ("--home", shop.home, "sign", folder / "app.bin", "--key", shop.key, "--out-dir", out)
        assert run(*elsewhere, before=unprivileged).status == 0
    finally:
        folder.chmod(0o700)
    assert listing(folder) == before
    assert (out / "app.bin.p7s").exists()


# --- outputs ---


@pytest.mark.parametrize("existing", ["file", "link to nothing", "directory"])
def test_existing_output_is_not_overwritten(existing: str, shop: Workshop, workdir: Path) -> None:
    for name in ("a.bin", "b.bin"):
        (workdir / name).write_bytes(b"artifact")
    makers = {"file": Path.touch, "directory": Path.mkdir, "link to nothing": lambda path: path.symlink_to("nowhere")}
    makers[existing](workdir / "b.bin.p7s")
    status = 3 if existing == "directory" else 4
    refused(status, "--home", shop.home, "sign", "a.bin", "b.bin", "--key", shop.key)
    if existing == "directory":
        refused(3, "--home", shop.home, "sign", "a.bin", "b.bin", "--key", shop.key, "--force")
        return
    shop.do("sign", "a.bin", "b.bin", "--key", shop.key, "--force")
    assert not (workdir / "b.bin.p7s").is_symlink()
    assert not (workdir / "nowhere").exists()
    assert shop.verify("a.bin", "b.bin").status == 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("sign", "app.bin", "--key", "KEY", "--out-dir", "nowhere"), 3),
        (("sign", "app.bin", "--key", "KEY", "--out-dir", "app.bin"), 3),
        (("csr", "create", "KEY", "--subject", "CN=A", "--out", "nowhere/a.csr"), 3),
        (("csr", "create", "KEY", "--subject", "CN=A", "--out", "."), 3),
        (("csr", "create", "KEY", "--subject", "CN=A", "--out", "app.bin"), 4),
        (("csr", "create", "KEY", "--subject", "CN=A", "--out", "/dev/full"), 4),
        (("cert", "export", "KEY", "--out", "app.bin"), 4),
        (("key", "public", "KEY", "--out", "app.bin"), 4),
        (("lab", "create", "app.bin"), 3),
    ],
)
def test_output_that_can_not_be(arguments: tuple[str, ...], status: int, shop: Workshop, workdir: Path) -> None:
    (workdir / "app.bin").write_bytes(b"artifact")
    words = (shop.key if word == "KEY" else word for word in arguments)
    refused(status, "--home", shop.home, *words)


@pytest.mark.component("unshare")
def test_full_disk(shop: Workshop, tmp_path: Path) -> None:
    """A file system of five pages: three hold artifacts, and one is left for the first of three signatures."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")
    disk = tmp_path / "disk"
    disk.mkdir()
    sign = shlex.join(map(str, command_line("--home", shop.home, "sign", "--key", shop.key)))
    script = f"""
        mount -t tmpfs -o size=16k,nr_inodes=100 tmpfs {shlex.quote(str(disk))} || exit 99
        cd {shlex.quote(str(disk))}
        for name in a b c; do echo $name > $name; done
        head -c 4096 /dev/zero > filler
        ls -A > ../before
        {sign} a; echo "status $?"
        {sign} --json a > ../json; echo "status $?"
        ls -A > ../after
        rm filler
        {sign} a b c; echo "status $?"
        cp a.p7s ..; ls -A
    """
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, env=environment(), timeout=60
    )
    assert done.stdout.splitlines() == ["status 3"] * 3 + ["a", "a.p7s", "b", "c"], done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert [line.startswith((ERROR, HINT)[n % 2]) for n, line in enumerate(lines)] == [True] * 6
    assert all("the disk is full" in line for line in lines[::2])
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()
    assert Ran(3, (tmp_path / "json").read_text(), "").json()["error"]["code"] == "FileUnavailable"
    (tmp_path / "a").write_text("a\n")
    assert shop.verify(tmp_path / "a").status == 0


def test_file_that_may_not_grow(shop: Workshop, tmp_path: Path) -> None:
    """As a full disk, where no file system can be mounted: no file of this process gets larger than 1,000 bytes."""
    request = shop.request(shop.key) if not (shop.folder / "EC_P256.csr").exists() else shop.folder / "EC_P256.csr"
    out = tmp_path / "out"
    out.mkdir()
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (1000, 1000))
    for flags in ((), ("--json",)):
        done = subprocess.run(
            command_line("lab", "issue", shop.folder / "lab", request, "--out", out / "chain.pem", *flags),
            capture_output=True,
            env=environment(),
            preexec_fn=limit,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "the disk is full" in ran.error(3)
        assert not flags or ran.json()["error"]
        assert list(out.iterdir()) == []


@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--home", "HOME", "key", "list"),
        ("--home", "HOME", "--json", "key", "list"),
        ("--home", "HOME", "key", "public", "KEY"),
        ("verify", "ARTIFACT", "--trust", "ROOT"),
        ("--json", "verify", "ARTIFACT"),
    ],
)
def test_full_standard_output_is_no_success(
    arguments: tuple[str, ...], variables: dict[str, str], shop: Workshop, signed: tuple[bytes, bytes]
) -> None:
    words = {"HOME": shop.home, "KEY": shop.key, "ROOT": shop.root, "ARTIFACT": shop.folder / "app.bin"}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command_line(*(words.get(word, word) for word in arguments)),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(**variables),
        )
    message = Ran(done.returncode, "", done.stderr.decode()).error(3)
    assert message == "the result could not be printed: No space left on device"


@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    ("arguments", "redirection", "status", "out", "err"),
    [
        ("key list", ">&-", {3}, "", "signkit: error: the result could not be printed: "),
        ("--json key show nothing", "2>&-", {3}, '{\n  "error": {', ""),
        ("key show nothing", "2>/dev/full", {3}, "", ""),
        ("--json key show nothing", ">&- 2>&-", {3}, "", ""),
        ("inspect -", "<&-", {3}, "", "signkit: error: standard input: can't be read "),
        ("--json key list", "| true", {0, 3}, "", ""),
        ("--json key show nothing", "| true", {3}, "", "signkit: error: no key 'nothing'"),
        ("--json key show nothing", "| cat", {3}, '{\n  "error": {', "signkit: error: no key 'nothing'"),
        ("--json key list", "| cat", {0}, '{\n  "keys": [', ""),
        ("--version", "| cat", {0}, "signkit ", ""),
        ("--json --version", "| cat", {0}, '{\n  "name": "signkit"', ""),
        ("--help", "| head -n 1", {0, 3}, "Usage: ", ""),
    ],
)
def test_closed_and_broken_streams(
    arguments: str,
    redirection: str,
    status: set[int],
    out: str,
    err: str,
    variables: dict[str, str],
    shop: Workshop,
) -> None:
    command = shlex.join(map(str, command_line("--home", shop.home)))
    script = f"set -o pipefail; {command} {arguments} {redirection}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment(**variables))
    assert done.returncode in status, done.stdout + done.stderr
    assert done.stdout.startswith(out) if out else done.stdout == ""
    assert done.stderr.startswith(err) if err else done.stderr == ""
    assert "Traceback" not in done.stderr


def test_reader_that_leaves_early(shop: Workshop, workdir: Path) -> None:
    """More than a pipe holds, so that it breaks while signkit still prints."""
    artifacts = [f"artifact-{number:04}" for number in range(1000)]
    for name in artifacts:
        (workdir / name).write_bytes(b"artifact")
    verify = shlex.join(map(str, command_line("--json", "verify", *artifacts, "--trust", shop.root)))
    done = subprocess.run(
        ["bash", "-c", f"{verify} | head -n 1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "{\n", "")


# --- interruptions ---


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_interrupted_while_hashing(
    number: signal.Signals, status: int, flags: tuple[str, ...], shop: Workshop, tmp_path: Path
) -> None:
    artifact = tmp_path / "large.bin"
    with artifact.open("wb") as file:
        file.truncate(LARGE)
    before = listing(tmp_path)
    with subprocess.Popen(
        command_line("--home", shop.home, "sign", artifact, "--key", shop.key, *flags),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        wait_until(lambda: artifact in open_files(process.pid))
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert listing(tmp_path) == before
    ran = Ran(process.returncode, out.decode(), err.decode())
    if number is signal.SIGINT:
        assert ran.error(status) == "interrupted"
        assert not flags or ran.json()["error"]["code"] == "Interrupted"
    else:
        assert ran == (status, "", "")


def test_interrupted_at_any_moment_shows_no_traceback(shop: Workshop, tmp_path: Path) -> None:
    """From the first import of signkit on; before that, it is Python that answers."""
    artifact = tmp_path / "large.bin"
    with artifact.open("wb") as file:
        file.truncate(LARGE)
    before = listing(tmp_path)
    starter = (  # a timer that counts the process's own time, so that a busy machine does not matter
        "import signal, sys\n"
        "from signkit.cli import script\n"
        "signal.signal(signal.SIGVTALRM, signal.default_int_handler)\n"
        "signal.setitimer(signal.ITIMER_VIRTUAL, float(sys.argv.pop(1)))\n"
        "script()\n"
    )
    for milliseconds in (2, 5, 10, 20, 40, 80):
        arguments = ["--home", shop.home, "sign", artifact, "--key", shop.key]
        done = subprocess.run(
            [*command_line()[:2], "-c", starter, str(milliseconds / 1000), *arguments],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=30,
        )
        assert Ran(done.returncode, done.stdout, done.stderr).error(130) == "interrupted"
        assert listing(tmp_path) == before


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def open_files(process: int) -> Iterator[Path]:
    """Files that a process has open."""
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            yield descriptor.readlink()
        except OSError:  # closed meanwhile
            continue


@pytest.mark.parametrize("size", [0, 10, 1 << 20])
@pytest.mark.parametrize("change", ["longer", "shorter", "touched"])
def test_artifact_that_changes_while_it_is_read(
    size: int, change: str, shop: Workshop, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = workdir / "app.bin"

    def interfere(progress: Progress, count: int) -> None:
        if change == "longer":
            os.truncate(artifact, artifact.stat().st_size + 1)
        elif change == "shorter":
            os.truncate(artifact, size // 2)
        os.utime(artifact, ns=(1, 1))

    artifact.write_bytes(bytes(size))
    shop.sign(artifact)
    for arguments in (("sign", "app.bin", "--key", shop.key, "--force"), ("verify", "app.bin", "--trust", shop.root)):
        artifact.write_bytes(bytes(size))
        before = listing(workdir)
        with monkeypatch.context() as patched:
            patched.setattr(Progress, "advance", interfere)
            ran = shop(*arguments)
        assert "changed while it was read" in ran.error(3)
        assert listing(workdir)["app.bin.p7s"] == before["app.bin.p7s"]
        assert listing(workdir).keys() == before.keys()


def test_two_runs_at_once_over_the_same_files(shop: Workshop, tmp_path: Path) -> None:
    artifacts = [tmp_path / f"artifact-{number:03}" for number in range(50)]
    for artifact in artifacts:
        artifact.write_bytes(artifact.name.encode())
    command = command_line("--home", shop.home, "sign", *artifacts, "--key", shop.key)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, env=environment(), **pipes) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    ran = [
        Ran(process.returncode, out.decode(), err.decode())
        for process, (out, err) in zip(processes, outputs, strict=True)
    ]
    assert sorted(one.status for one in ran) == [0, 4], ran
    assert "exists already" in max(ran).error(4)
    assert shop.verify(*artifacts).status == 0
    assert len(list(tmp_path.iterdir())) == 2 * len(artifacts)


# --- certificates that can't serve ---

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def certified(shop: Workshop, name: str, **changes: object) -> str:
    """A key whose certificate differs from a good one by these changes."""
    key = shop.new_key(name=name)
    public = pem.decode(shop.do("key", "public", key).out.encode())[0].data
    leaf = pki.leaf(pki.SIGNER, public, pki.ROOT, pki.key(1), **{"not_after": NOW + DAY, **changes})
    file = shop.folder / f"{name}.pem"
    file.write_bytes(pki.as_pem(leaf))
    shop.do("cert", "import", key, file)
    return key


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("expired", {"not_after": NOW - DAY}, "has expired"),
        ("future", {"not_before": NOW + DAY, "not_after": NOW + 2 * DAY}, "is not yet valid"),
        ("no-purposes", {"purposes": None}, "is not for code signing"),
        ("other-purpose", {"purposes": ("1.3.6.1.5.5.7.3.1",)}, "is not for code signing"),
        ("other-usage", {"usages": ("keyEncipherment",)}, "is not for code signing"),
    ],
)
def test_certificate_that_can_not_sign(
    name: str, changes: dict[str, object], message: str, shop: Workshop, workdir: Path
) -> None:
    (workdir / "app.bin").write_bytes(b"artifact")
    key = certified(shop, name, **changes)
    found = refused(4, "--home", shop.home, "sign", "app.bin", "--key", key)
    assert message in found
    assert key in found


def test_certificate_of_another_key_is_refused_with_both_fingerprints(shop: Workshop, workdir: Path) -> None:
    key = shop.new_key(name="uncertified")
    shop("cert", "export", shop.key, "--out", "other.pem")
    message = refused(4, "--home", shop.home, "cert", "import", key, "other.pem")
    fingerprints = [shop.do("version", "show", one, "--json").json()["public_key_sha256"] for one in (key, shop.key)]
    assert all(fingerprint in message for fingerprint in fingerprints)
    assert shop.do("version", "show", key, "--json").json()["certificate_sha256"] is None
    (workdir / "app.bin").write_bytes(b"artifact")
    assert "no certificate" in refused(3, "--home", shop.home, "sign", "app.bin", "--key", key)


# --- names ---

NAMES = {
    "not UTF-8": (b"bad\xff\xfename", "bad\\udcff\\udcfename"),
    "newline": (b"new\nline\rback", "new\\nline\\rback"),
    "escape sequence": (b"esc\x1b[31m\x07red", "esc\\x1b[31m\\x07red"),
    "C1 control": ("csi\x9b31m".encode(), "csi\\x9b31m"),
    "bidirectional": ("bidi\u202egnp.exe\u2066".encode(), "bidi\\u202egnp.exe\\u2066"),
    "zero width": ("zero\u200bwidth\ufeff".encode(), "zero\\u200bwidth\\ufeff"),
    "long": ("\u6f22".encode() * 80, "\u6f22" * 80),
    "like an option": (b"--trust", "--trust"),
    "spaces": (b" a b ", " a b "),
    "accepted": (b"x: ACCEPTED\nx: ACCEPTED", "x: ACCEPTED\\nx: ACCEPTED"),
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_odd_file_names_are_shown_escaped(kind: str, locale: str, shop: Workshop, tmp_path: Path) -> None:
    name, shown = NAMES[kind]
    (tmp_path / os.fsdecode(name)).write_bytes(b"artifact")
    variables = {"LC_ALL": locale}
    sign = ("--home", shop.home, "sign", "--key", shop.key)
    verify = ("verify", "--trust", shop.root)
    unsigned = run(*verify, "--", name, folder=tmp_path, variables=variables)
    assert shown in unsigned.error(10)
    signed = run(*sign, "--", name, folder=tmp_path, variables=variables)
    assert signed.out.splitlines()[0] == f"signed {shown} -> {shown}.p7s"
    accepted = run(*verify, "--", name, folder=tmp_path, variables=variables)
    assert accepted.status == 0, accepted.err
    assert accepted.out.splitlines()[0] == f"{shown}: ACCEPTED"
    document = run("--json", *verify, "--", name, folder=tmp_path, variables=variables)
    assert document.json()["artifacts"][0]["artifact"] == os.fsdecode(name)
    assert document.out.replace("\n", "").isprintable()
    document = run("--json", *sign, "--force", "--", name, folder=tmp_path, variables=variables)
    assert document.json()["signatures"][0]["artifact"] == os.fsdecode(name)
    missing = run(*sign, "--", name + b"x", folder=tmp_path, variables=variables)
    assert shown in missing.error(3)


def test_names_that_leave_no_room_for_the_suffix(shop: Workshop, workdir: Path) -> None:
    (workdir / ("a" * 252)).write_bytes(b"artifact")
    assert "name too long" in refused(3, "--home", shop.home, "sign", "a" * 252, "--key", shop.key).lower()
    refused(3, "verify", "a" * 300)
    refused(3, "verify", "a/" * 5000)


def test_ascii_terminal_gets_escapes_and_valid_json(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "Zo\u00eb\U0001f511").write_bytes(b"artifact")
    variables = {"PYTHONIOENCODING": "ascii"}
    arguments = ("verify", "Zo\u00eb\U0001f511")
    assert "Zo\\xeb\\U0001f511" in run(*arguments, folder=tmp_path, variables=variables).error(10)
    document = run(*arguments, "--json", folder=tmp_path, variables=variables)
    assert document.json()["artifacts"][0]["artifact"] == "Zo\u00eb\U0001f511"


def test_other_text_that_is_not_utf8(shop: Workshop, tmp_path: Path) -> None:
    arguments = ("--home", shop.home, "key", "create", "--type", "EC_P256", "--description", b"odd\xff")
    assert "odd\\udcff" in run(*arguments).error(2)
    run("--home", shop.home, "csr", "create", shop.key, "--subject", b"CN=odd\xff").error(2)
    run("verify", "x", "--signer", b"CN=odd\xff").error(2)
    run(b"verify\xff").error(2)
    (tmp_path / os.fsdecode(b"chain\xff.pem")).write_bytes((shop.folder / "EC_P256.chain").read_bytes())
    imported = run("--home", shop.home, "cert", "import", shop.key, b"chain\xff.pem", "--json", folder=tmp_path)
    assert imported.json()["source"] == "chain\\udcff.pem"


@pytest.mark.parametrize(
    "subject",
    ["CN=" + "a" * 65, "CN=" + "a" * 100_000, ",".join(f"OU={number:060}" for number in range(1000)), "CN=" * 30_000],
    ids=["65 characters", "100,000 characters", "1,000 attributes", "30,000 levels"],
)
def test_huge_distinguished_name(subject: str, shop: Workshop, workdir: Path) -> None:
    (workdir / "app.bin").write_bytes(b"artifact")
    refused(2, "--home", shop.home, "csr", "create", shop.key, "--subject", subject, "--out", "a.csr")
    if len(subject) < 100:
        return  # a signer may have it, though no request of ours does
    ran = call("verify", "app.bin", "--signer", subject)
    ran.error(2)
    assert all(len(line) < 5000 for line in ran.err.splitlines())


# --- standard input as a file ---


def test_standard_input_as_small_file(shop: Workshop, signed: tuple[bytes, bytes], tmp_path: Path) -> None:
    (tmp_path / "app.bin").write_bytes(signed[0])
    verify = functools.partial(run, "verify", "app.bin", folder=tmp_path)
    assert verify("--signature", "-", "--trust", shop.root, stdin=signed[1]).status == 0
    verify("--signature", "-", "--trust", shop.root, stdin=signed[1][:-1]).error(11)
    verify("--signature", "-", "--trust", shop.root).error(11)
    (tmp_path / "app.bin.p7s").write_bytes(signed[1])
    assert verify("--trust", "-", stdin=shop.root.read_bytes()).status == 0
    verify("--trust", "-").error(11)
    assert run("inspect", "-", stdin=base64.b64decode(base64.b64encode(signed[1]))).out.startswith("kind: signature\n")
    run("inspect", "-").error(11)
    chain = (shop.folder / "EC_P256.chain").read_bytes()
    assert run("--home", shop.home, "cert", "import", shop.key, "-", stdin=chain).status == 0


def test_empty_option_values_are_not_taken_for_absent_ones(
    shop: Workshop, signed: tuple[bytes, bytes], workdir: Path
) -> None:
    """An empty variable of a script must not switch a check off."""
    (workdir / "app.bin").write_bytes(signed[0])
    (workdir / "app.bin.p7s").write_bytes(signed[1])
    trusted = ("verify", "app.bin", "--trust", shop.root)
    assert call(*trusted).status == 0
    for option in ("--signer", "--issuer", "--spki-sha256", "--at"):
        refused(2, *trusted, option, "")
    refused(10, *trusted, "--signature", "")
    refused(3, "verify", "app.bin", "--trust", "")
    refused(3, *trusted, "--intermediate", "")
    refused(2, "--home", shop.home, "sign", "app.bin", "--key", "")
