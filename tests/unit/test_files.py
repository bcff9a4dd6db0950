"""Files: digests of streams, and outputs that are there whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from signkit.errors import FileError, OutputExistsError, SignkitError
from signkit.files import BUFFER, FileSink, FileSource

ROOT = Path(__file__).resolve().parents[2]
SIZES = [0, 1, 65535, 65536, 65537, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER + 17]


@pytest.mark.parametrize("size", SIZES)
def test_streaming_gives_the_same_digests_as_hashlib(tmp_path: Path, size: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    (tmp_path / "a").write_bytes(data)
    seen: list[int] = []
    found = FileSource(progress=seen.append).digest(str(tmp_path / "a"), ("sha256", "sha512", "sha1"))
    assert found.size == size
    assert found.values == {name: hashlib.new(name, data).digest() for name in ("sha256", "sha512", "sha1")}
    assert sum(seen) == size


def test_no_algorithm_reads_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert FileSource().digest(str(tmp_path / "a"), ()).size == 3


def overwrite_first_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"x")


def large(path: Path) -> Path:
    path.write_bytes(bytes(3 * BUFFER))
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"x" * (4 * BUFFER)),
        lambda path: os.truncate(path, BUFFER + 5),
        lambda path: os.utime(path, ns=(1, 1)),
        overwrite_first_byte,
    ],
    ids=["longer", "shorter", "other time", "overwritten"],
)
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = large(tmp_path / "a")
    os.utime(path, (1, 1))  # so that any write shows, however coarse the clock of the file system
    done: list[object] = []

    def once(count: int) -> None:
        if not done:
            done.append(change(path))

    with pytest.raises(FileError, match="changed while it was read"):
        FileSource(progress=once).digest(str(path), ("sha256",))
    assert done


def test_a_file_that_is_replaced_meanwhile_is_refused(tmp_path: Path) -> None:
    """What was opened is not what has the name at the end."""
    path = large(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"other")
    source = FileSource(progress=lambda count: os.path.exists(tmp_path / "b") and os.replace(tmp_path / "b", path))
    with pytest.raises(FileError, match="changed while it was read"):
        source.digest(str(path), ("sha256",))


@pytest.mark.parametrize("reader", ["digest", "read"])
def test_what_is_no_readable_file(tmp_path: Path, reader: str) -> None:
    def read(path: Path, **arguments: bool) -> None:
        source = FileSource(**arguments)
        if reader == "digest":
            source.digest(str(path), ("sha256",))
        else:
            source.read(str(path), limit=100, what="signature")

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_bytes(b"")
    for name, why in (
        ("absent", "no such file"),
        ("", "is a directory"),
        ("pipe", "is not a regular file"),
        ("dangling", "no such file"),
        ("loop", "symbolic link"),
        ("file/below", "can't be read"),
        ("x" * 300, "can't be read"),
    ):
        with pytest.raises(FileError, match=why) as caught:
            read(tmp_path / name)
        assert caught.value.exit_status == 3
        assert caught.value.path.startswith(str(tmp_path))
    with pytest.raises(FileError, match="is not a regular file"):
        read(Path("/dev/zero"))


def test_a_pipe_without_writer_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    finished = threading.Event()

    def attempt() -> None:
        with pytest.raises(FileError):
            FileSource().digest(str(tmp_path / "pipe"), ("sha256",))
        finished.set()

    threading.Thread(target=attempt, daemon=True).start()
    assert finished.wait(10)


def test_links_are_followed_only_when_they_may_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("a")
    assert FileSource(follow_links=True).digest(str(tmp_path / "link"), ("sha256",)).size == 3
    with pytest.raises(FileError, match="is a symbolic link") as caught:
        FileSource(follow_links=False).digest(str(tmp_path / "link"), ("sha256",))
    assert "--follow" in caught.value.hint


def test_small_inputs_have_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert FileSource().read(str(tmp_path / "a"), limit=100, what="signature") == b"x" * 100
    with pytest.raises(FileError, match="larger than 99 bytes, too large for a signature"):
        FileSource().read(str(tmp_path / "a"), limit=99, what="signature")


@pytest.mark.parametrize(
    "use", [lambda p: FileSource().digest(p, ()), lambda p: FileSource().read(p, limit=1, what="x")]
)
def test_a_nul_in_a_path_is_no_defect(use: Callable[[str], object]) -> None:
    with pytest.raises(SignkitError):
        use("a\0b")


# --- outputs ---


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole_and_alone(tmp_path: Path) -> None:
    FileSink().write(str(tmp_path / "out"), b"data", overwrite=False)
    assert (tmp_path / "out").read_bytes() == b"data"
    assert names(tmp_path) == ["out"]


def test_modes(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        FileSink().write(str(tmp_path / "public"), b"", overwrite=False)
        FileSink().write(str(tmp_path / "private"), b"", overwrite=False, private=True)
        os.umask(0)
        FileSink().write(str(tmp_path / "private open"), b"", overwrite=False, private=True)
        FileSink().make_folder(str(tmp_path / "deep" / "folder"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["public"] == 0o644
    assert modes["private"] == modes["private open"] == 0o600
    assert stat.S_IMODE((tmp_path / "deep" / "folder").stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["file", "dangling link", "directory"])
def test_what_exists_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "file":
        out.write_bytes(b"before")
    elif kind == "directory":
        out.mkdir()
    else:
        out.symlink_to("nowhere")
    with pytest.raises(SignkitError):
        FileSink().write(str(out), b"after", overwrite=False)
    with pytest.raises((OutputExistsError, FileError)):
        FileSink().check([str(out)], overwrite=False)
    assert names(tmp_path) == ["out"]
    if kind == "file":
        assert out.read_bytes() == b"before"


def test_overwriting_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "out").symlink_to("target")
    FileSink().write(str(tmp_path / "out"), b"new", overwrite=True)
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "out").is_symlink()
    assert (tmp_path / "out").read_bytes() == b"new"


def test_a_directory_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(FileError):
        FileSink().write(str(tmp_path / "out"), b"", overwrite=True)
    with pytest.raises(FileError, match="is a directory"):
        FileSink().check([str(tmp_path / "out")], overwrite=True)
    assert names(tmp_path) == ["out"]


def test_a_missing_folder(tmp_path: Path) -> None:
    for act in (
        lambda: FileSink().write(str(tmp_path / "no" / "out"), b"", overwrite=False),
        lambda: FileSink().check([str(tmp_path / "no" / "out")], overwrite=False),
    ):
        with pytest.raises(FileError, match="its folder does not exist"):
            act()


def test_of_two_writers_at_once_one_wins(tmp_path: Path) -> None:
    """Who looks first and writes then would let both win."""
    results: list[str] = []
    start = threading.Barrier(8)

    def attempt(number: int) -> None:
        start.wait()
        try:
            FileSink().write(str(tmp_path / "out"), str(number).encode() * 1000, overwrite=False)
            results.append(str(number))
        except OutputExistsError:
            results.append("refused")

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("refused") == 7
    [winner] = [result for result in results if result != "refused"]
    assert (tmp_path / "out").read_bytes() == winner.encode() * 1000
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool) -> None:
    import errno

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "out").write_bytes(b"before")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match="the disk is full") as caught:
        FileSink().write(str(tmp_path / ("out" if overwrite else "new")), b"after", overwrite=overwrite)
    assert caught.value.exit_status == 3
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out").read_bytes() == b"before"


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        FileSink().write(str(tmp_path / "out"), b"data", overwrite=False)
    assert names(tmp_path) == []


def test_partial_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:3])))
    FileSink().write(str(tmp_path / "out"), b"0123456789", overwrite=False)
    assert (tmp_path / "out").read_bytes() == b"0123456789"


def test_file_systems_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unsupported)
    FileSink().write(str(tmp_path / "out"), b"data", overwrite=False)
    with pytest.raises(OutputExistsError):
        FileSink().write(str(tmp_path / "out"), b"other", overwrite=False)
    assert (tmp_path / "out").read_bytes() == b"data"
    assert names(tmp_path) == ["out"]


def test_a_batch_writes_each_file_whole(tmp_path: Path) -> None:
    sink = FileSink()
    (tmp_path / "sub").mkdir()
    with sink.batch():
        for number in range(20):
            sink.write(str(tmp_path / "sub" / f"{number}"), b"data", overwrite=False)
        with pytest.raises(OutputExistsError):
            sink.write(str(tmp_path / "sub" / "0"), b"other", overwrite=False)
    assert len(names(tmp_path / "sub")) == 20
    assert all(path.read_bytes() == b"data" for path in (tmp_path / "sub").iterdir())


def test_an_error_in_a_batch_comes_through_and_what_was_written_stays(tmp_path: Path) -> None:
    sink = FileSink()
    with pytest.raises(RuntimeError), sink.batch():
        sink.write(str(tmp_path / "a"), b"data", overwrite=False)
        raise RuntimeError
    assert names(tmp_path) == ["a"]
    sink.write(str(tmp_path / "b"), b"data", overwrite=False)  # and the sink is whole again


def test_folders(tmp_path: Path) -> None:
    FileSink().make_folder(str(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError):
        FileSink().make_folder(str(tmp_path / "file"))
    with pytest.raises(FileError):
        FileSink().make_folder(str(tmp_path / "file" / "below"))


# --- durability, as the kernel sees it ---


def traced(tmp_path: Path, program: str) -> list[str]:
    """System calls of a program that concern its folder, in their order."""
    log = tmp_path / "strace.log"
    work = tmp_path / "work"
    work.mkdir()
    calls = "trace=openat,open,write,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,unlink,unlinkat"
    command = ["strace", "-f", "-o", str(log), "-y", "-e", calls, sys.executable, "-c", program, str(work)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    return [line.split(" ", 1)[1].strip() for line in log.read_text().splitlines() if str(work) in line]


def order(calls: list[str], *patterns: str) -> None:
    """Assert that calls which match the patterns come in that order."""
    position = -1
    for pattern in patterns:
        found = [n for n, call in enumerate(calls) if n > position and re.search(pattern, call)]
        assert found, f"no {pattern} after call {position} of:\n" + "\n".join(calls)
        position = found[0]


@pytest.mark.component("strace")
@pytest.mark.parametrize(("overwrite", "naming"), [(False, r"^link"), (True, r"^rename")])
def test_data_is_synced_before_the_name_and_the_folder_after_it(tmp_path: Path, overwrite: bool, naming: str) -> None:
    program = (
        "import sys; from signkit.files import FileSink; "
        f"FileSink().write(sys.argv[1] + '/out', b'data', overwrite={overwrite})"
    )
    calls = traced(tmp_path, program)
    order(calls, r"^open.*\.out\..*O_EXCL", r"^write\(.*\.out\.", r"^fsync\(.*\.out\.", naming, r"^fsync\(.*work>\)")


@pytest.mark.component("strace")
def test_a_batch_is_synced_once_at_its_end(tmp_path: Path) -> None:
    program = (
        "import sys; from signkit.files import FileSink; sink = FileSink()\n"
        "with sink.batch():\n"
        "    for n in range(5): sink.write(f'{sys.argv[1]}/{n}', b'data', overwrite=False)"
    )
    calls = traced(tmp_path, program)
    assert not [call for call in calls if call.startswith(("fsync", "fdatasync"))]
    assert len([call for call in calls if call.startswith("syncfs")]) == 1
    order(calls, r"^link", r"^link", r"^link", r"^link", r"^link", r"^syncfs")


def test_a_file_with_nothing_to_read_as_yet_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some files of the system claim to be regular; reading without waiting then gives None."""

    class Waiting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return None  # type: ignore[return-value]

    def opened(descriptor: int, mode: str) -> Waiting:
        os.close(descriptor)
        return Waiting()

    path = tmp_path / "kmsg"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "fdopen", opened)
    assert FileSource().read(str(path), limit=10, what="signature") == b""
