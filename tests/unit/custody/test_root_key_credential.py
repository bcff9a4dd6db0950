"""``credential:NAME``: a private file of 32 bytes in the folder that systemd names."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from signkit.custody import parse_root_key
from signkit.errors import RootKeyError, UsageError

KEY = bytes(range(32))
ME = os.geteuid()
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NOBODY = 0xFFFFFFFF


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The credentials of a service, one of them named ``root-key``."""
    credential = tmp_path / "root-key"
    credential.write_bytes(KEY)
    credential.chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def refused(match: str, name: str = "root-key") -> RootKeyError:
    for verb in ("create", "load"):
        with pytest.raises(RootKeyError, match=match) as caught:
            getattr(parse_root_key(f"credential:{name}"), verb)()
    assert caught.value.exit_status == 3
    return caught.value


def acl(*entries: tuple[int, int, int]) -> bytes:
    """An access control list as in the attribute ``system.posix_acl_access``: tag, permissions, user or group."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


# Refused


@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_outside_a_service_there_are_no_credentials(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    if value is not None:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", value)
    error = refused(r"the root key is the credential 'root-key', and \$CREDENTIALS_DIRECTORY names no folder")
    assert "LoadCredentialEncrypted=root-key" in error.hint


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../root-key", "/etc/passwd", "a\0", "a\n", "x" * 256])
def test_a_name_that_leaves_the_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="names no credential"):
        parse_root_key(f"credential:{name}")


def test_a_missing_credential_is_not_made(folder: Path) -> None:
    refused("the credential other .*/other is missing", "other")
    assert os.listdir(folder) == ["root-key"]


@pytest.mark.parametrize(("content", "match"), [(KEY[:31], "has 31 bytes"), (b"", "has 0 bytes"), (KEY + b"\n", "too large")])  # fmt: skip  # noqa: E501
def test_a_credential_has_32_bytes(folder: Path, content: bytes, match: str) -> None:
    (folder / "root-key").chmod(0o600)
    (folder / "root-key").write_bytes(content)
    refused(match)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o640])
def test_a_credential_open_to_others_is_refused(folder: Path, mode: int) -> None:
    (folder / "root-key").chmod(mode)
    refused(f"found mode {mode:04o}, expected 0600")


def test_a_link_is_refused(folder: Path) -> None:
    (folder / "link").symlink_to("root-key")
    refused("is a symbolic link", "link")


OWN = [(USER_OBJ, 4, NOBODY), (USER, 4, ME), (GROUP_OBJ, 0, NOBODY), (MASK, 4, NOBODY), (OTHER, 0, NOBODY)]


@pytest.mark.parametrize(
    "attribute",
    [
        b"",
        b"\0\0\0\0",
        acl(*OWN)[:-1],
        b"\1" + acl(*OWN)[1:],
        acl(*OWN, (USER, 4, ME + 12345)),
        acl(*OWN, (GROUP, 4, 0)),
        acl(*OWN[:2], (GROUP_OBJ, 4, NOBODY), *OWN[3:]),
        acl(*OWN[:4], (OTHER, 4, NOBODY)),
        acl(*OWN, (0x40, 4, ME)),
    ],
    ids=["empty", "other version", "cut short", "no list", "another user", "a group", "owner's group", "others", "odd"],
)
def test_a_credential_that_a_list_opens_to_others_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, attribute: bytes
) -> None:
    (folder / "root-key").chmod(0o440)
    monkeypatch.setattr(os, "getxattr", lambda descriptor, name: attribute)
    refused("found mode 0440")


def test_a_list_does_not_excuse_a_mode_that_is_open_to_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "root-key").chmod(0o444)
    monkeypatch.setattr(os, "getxattr", lambda descriptor, name: acl(*OWN))
    refused("found mode 0444")


# Accepted


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_private_credential_is_read(folder: Path, mode: int) -> None:
    (folder / "root-key").chmod(mode)
    source = parse_root_key("credential:root-key")
    assert source.load() == source.create() == ("key", KEY)
    assert source.uri == "credential:root-key"


def test_a_credential_that_a_list_opens_to_this_service_alone_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd does it for services that don't run as root: the group bits are the list's mask."""
    (folder / "root-key").chmod(0o440)
    monkeypatch.setattr(os, "getxattr", lambda descriptor, name: acl(*OWN))
    assert parse_root_key("credential:root-key").load().value == KEY


def test_a_list_that_the_system_keeps_is_understood(folder: Path) -> None:
    path = folder / "root-key"
    path.chmod(0o600)
    try:
        os.setxattr(path, "system.posix_acl_access", acl(*OWN))
    except OSError as error:
        pytest.skip(f"this file system has no access control lists: {error.strerror}")
    assert path.stat().st_mode & 0o777 == 0o440
    assert parse_root_key("credential:root-key").load().value == KEY
    os.setxattr(path, "system.posix_acl_access", acl(OWN[0], OWN[1], (USER, 4, ME + 12345), *OWN[2:]))
    refused("found mode 0440")
