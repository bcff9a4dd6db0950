"""``file:PATH``: made once, private, and refused in every other form."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from signkit.custody import SCHEMES, parse_root_key
from signkit.custody.file import FileRootKey
from signkit.errors import RootKeyError, UsageError

KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A root key file as it should be."""
    path = tmp_path / "root.key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


def load(path: Path) -> bytes:
    return parse_root_key(f"file:{path}").load().value


# Refused


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601, 0o777])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(RootKeyError, match=f"found mode {mode:04o}, expected 0600") as caught:
        load(path)
    assert f"chmod 600 {path}" in caught.value.hint


def test_a_symbolic_link_is_refused(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path)
    for use in (FileRootKey(str(link)).load, FileRootKey(str(link)).create):
        with pytest.raises(RootKeyError, match="is a symbolic link, expected a regular file"):
            use()


def test_a_dangling_link_is_refused_and_not_written_through(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    with pytest.raises(RootKeyError, match="is a symbolic link"):
        FileRootKey(str(link)).create()
    assert not target.exists()


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(RootKeyError, match="a device, pipe or socket, expected a regular file"):
        load(tmp_path / "pipe")
    with pytest.raises(RootKeyError, match="is a folder, expected a regular file"):
        load(tmp_path)


def test_another_users_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:  # root's files are accepted; make it somebody else's
        os.chown(path, 12345, -1)
    with pytest.raises(RootKeyError, match=r"belongs to user \d+, expected \d+ or root"):
        load(path)


@pytest.mark.parametrize("size", [0, 16, 31])
def test_a_short_file_is_refused(path: Path, size: int) -> None:
    path.write_bytes(bytes(size))
    with pytest.raises(RootKeyError, match=f"has {size} bytes, expected 32"):
        load(path)


@pytest.mark.parametrize("content", [KEY + b"\n", KEY.hex().encode(), bytes(1_000_000)])
def test_a_long_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RootKeyError, match="too large: expected at most 32 bytes"):
        load(path)


def test_a_missing_file_is_refused_and_not_made(path: Path) -> None:
    path.unlink()
    with pytest.raises(RootKeyError, match="is missing") as caught:
        load(path)
    assert caught.value.exit_status == 3
    assert caught.value.hint
    assert not path.exists()


def test_a_file_below_a_file_can_not_be_made(path: Path) -> None:
    with pytest.raises(RootKeyError, match="can't be made"):
        FileRootKey(str(path / "below" / "root.key")).create()


def test_nothing_is_left_of_a_file_that_could_not_be_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(RootKeyError, match="can't be made: No space left on device"):
        FileRootKey(str(tmp_path / "root.key")).create()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["", "file", "root.key", "files:/x", "keyring", "key:ring", "FILE:/x", "/etc/root.key"])
def test_an_unknown_scheme_is_refused_with_the_known_ones(uri: str) -> None:
    with pytest.raises(UsageError, match="expected one of file:, keyring:, credential:, prompt:"):
        parse_root_key(uri)


@pytest.mark.parametrize("uri", ["file:", "file:a\0b"])
def test_a_file_without_a_path_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="names no root key file"):
        parse_root_key(uri)


# Accepted


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(path: Path, mode: int) -> None:
    path.chmod(mode)
    secret = parse_root_key(f"file:{path}").load()
    assert (secret.kind, secret.value) == ("key", KEY)


def test_a_file_that_exists_is_used_and_never_overwritten(path: Path) -> None:
    assert FileRootKey(str(path)).create().value == KEY
    assert path.read_bytes() == KEY


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_a_new_file_and_its_folders_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "root.key" if umask == 0o277 else tmp_path / "a" / "b" / "root.key"
    before = os.umask(umask)
    try:
        secret = FileRootKey(str(path)).create()
    finally:
        os.umask(before)
    assert len(secret.value) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in path.relative_to(tmp_path).parents[:-1]:
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
    assert load(path) == secret.value


def test_two_new_files_differ(tmp_path: Path) -> None:
    assert FileRootKey(str(tmp_path / "1")).create().value != FileRootKey(str(tmp_path / "2")).create().value


def test_file_and_folder_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    FileRootKey(str(tmp_path / "new" / "root.key")).create()
    assert synced == [str(tmp_path), str(tmp_path / "new" / "root.key"), str(tmp_path / "new")]


def test_the_uri_holds_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_root_key("file:root.key").uri == f"file:{tmp_path}/root.key"


def test_the_table_of_schemes_is_frozen() -> None:
    with pytest.raises(TypeError):
        SCHEMES["env"] = SCHEMES["file"]  # type: ignore[index]
