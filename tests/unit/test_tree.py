"""Files below a folder: links are not followed out of it, and what changes under the reader is told."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from signkit.errors import FileError
from signkit.ports import TreeEntry
from signkit.tree import FileTree


def everything(_name: str) -> bool:
    return False


def digests(folder: Path, jobs: int = 1) -> dict[str, bytes]:
    tree = FileTree(jobs=jobs)
    files = [entry for entry in tree.entries(str(folder), everything) if entry.is_file]
    return {entry.name: digest for entry, digest in tree.digest(str(folder), files, "sha256")}


def entry(folder: Path, name: str) -> TreeEntry:
    (found,) = (one for one in FileTree().entries(str(folder), everything) if one.name == name)
    return found


def test_many_files_give_the_same_digests_with_any_number_of_processes(tmp_path: Path) -> None:
    for number in range(1200):
        path = tmp_path / f"d{number % 7}" / f"f{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(os.urandom(number))
    wanted = {str(p.relative_to(tmp_path)): hashlib.sha256(p.read_bytes()).digest() for p in tmp_path.glob("*/*")}
    assert digests(tmp_path, 1) == wanted == digests(tmp_path, 3)


def test_links_count_only_while_they_stay_inside(tmp_path: Path) -> None:
    outside, inside = tmp_path / "secret", tmp_path / "tree"
    inside.mkdir()
    (inside / "real").write_text("real")
    outside.write_text("secret")
    for name, target in (("in", "real"), ("out", "../secret"), ("gone", "nothing"), ("up", ".."), ("loop", "loop")):
        (inside / name).symlink_to(target)
    (inside / "d").mkdir()
    (inside / "d" / "linked-folder").symlink_to("..")
    found = {one.name: (one.is_file, one.is_link) for one in FileTree().entries(str(inside), everything)}
    assert found == {
        "real": (True, False),
        "in": (True, True),
        "out": (False, True),
        "gone": (False, True),
        "up": (False, True),
        "loop": (False, True),
        "d/linked-folder": (False, True),
    }
    assert digests(inside)["in"] == hashlib.sha256(b"real").digest()


def test_pipes_are_listed_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not entry(tmp_path, "pipe").is_file


def test_a_file_that_was_exchanged_since_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    listed = entry(tmp_path, "a")
    (tmp_path / "b").write_text("b")
    (tmp_path / "b").rename(tmp_path / "a")
    with pytest.raises(FileError, match="is another file than a moment ago"):
        list(FileTree(jobs=1).digest(str(tmp_path), [listed], "sha256"))


def test_a_file_that_became_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    listed = entry(tmp_path, "a")
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "a").symlink_to("b")
    with pytest.raises(FileError, match="can't be read"):
        list(FileTree(jobs=1).digest(str(tmp_path), [listed], "sha256"))


def test_a_missing_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        FileTree().entries(str(tmp_path / "nowhere"), everything)
    (tmp_path / "a").write_text("a")
    listed = entry(tmp_path, "a")
    (tmp_path / "a").unlink()
    with pytest.raises(FileError, match="No such file"):
        list(FileTree(jobs=1).digest(str(tmp_path), [listed], "sha256"))
