"""workflows/release-signing, run as a pipeline runs it: all is signed and verified, or nothing is there."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Ran, Workshop, call, command_line, environment, listing
from tests.support.scripts import WORKFLOWS, error, script

SIGNING = WORKFLOWS / "release-signing" / "release-signing.sh"
NAMES = ("app.bin", "sub/-x 'y'\n.txt")
PASSPHRASE = "a long passphrase of the build server"  # noqa: S105


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A store under a passphrase, with a certified key, and the policy of its releases."""
    made = Workshop(tmp_path_factory.mktemp("shop"), {"EC_P256": "alias/release@1"})
    secret = made.folder / "passphrase"
    secret.touch(0o600)
    secret.write_text(PASSPHRASE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGNKIT_PASSPHRASE_FILE", str(secret))
        made.do("init", "--root-key", "prompt:")
        made.new_key(name="release")
        made.do("lab", "create", made.folder / "lab")
        request = made.request(made.key)
        made.do("lab", "issue", made.folder / "lab", request, "--out", made.folder / "chain.pem")
        made.do("cert", "import", made.key, made.folder / "chain.pem", made.root)
    (made.folder / "policy.toml").write_text(policy(made))
    return made


def policy(shop: Workshop, subject: str = "CN=Acme release") -> str:
    return f"""\
version = 1
[[policy]]
name = "release"
artifacts = ["dist/**"]
trust-anchors = ["{shop.root}"]
signers = [{{ subject = "{subject}" }}]
"""


@pytest.fixture
def work(shop: Workshop, tmp_path: Path) -> Path:
    """A checkout after the build; the secret is a file as CI systems write them, readable by others."""
    folder = tmp_path / "work"
    for name in NAMES:
        path = folder / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    shutil.copy(shop.folder / "policy.toml", folder)
    (folder / "secret").write_text(PASSPHRASE + "\n")
    (folder / "secret").chmod(0o644)
    return folder


def release(shop: Workshop, work: Path, *arguments: str, **variables: str) -> Ran:
    given = {
        "SIGNKIT_KEY": shop.key,
        "SIGNKIT_POLICY": "policy.toml",
        "SIGNKIT_HOME": str(shop.home),
        "SIGNKIT_PASSPHRASE_FILE": "secret",
    }
    return script(SIGNING, *(arguments or ("dist",)), folder=work, **{**given, **variables})


def test_release_is_signed_verified_and_has_a_kit(shop: Workshop, work: Path) -> None:
    done = release(shop, work, GITHUB_OUTPUT=str(work / "output"))
    assert done.status == 0, done.out + done.err
    assert (work / "output").read_text() == "exit-status=0\nkit=verification-kit\nreports=signkit-reports\n"
    assert (work / "signkit-reports" / "verification.xml").exists()
    for name in NAMES:
        assert call("verify", work / "dist" / name, "--trust", shop.root).status == 0
    consumer = script(Path("/bin/sh"), "verification-kit/verify-with-signkit.sh", "dist", folder=work)
    assert consumer.status == 0, consumer.err
    # Nothing secret has become public.
    assert PASSPHRASE not in done.out + done.err
    for path in work.rglob("*"):
        assert path.name == "secret" or path.is_dir() or PASSPHRASE.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({"SIGNKIT_KEY": ""}, 2),
        ({"SIGNKIT_POLICY": ""}, 2),
        ({"SIGNKIT_POLICY": "absent.toml"}, 3),
        ({"SIGNKIT_HOME": ""}, 2),
        ({"SIGNKIT_HOME": "absent"}, 3),
        ({"SIGNKIT_PASSPHRASE_FILE": "absent"}, 3),
        ({"SIGNKIT_PASSPHRASE_FILE": "empty"}, 3),
        ({"SIGNKIT_PASSPHRASE_FILE": "wrong"}, 3),
        ({"SIGNKIT_PASSPHRASE_FILE": ""}, 3),
        ({"SIGNKIT_KEY": "alias/absent@1"}, 3),
        ({"SIGNKIT_KEY": "alias/release"}, 2),
        ({"SIGNKIT_KIT_TRUST": "policy.toml"}, 11),
        ({"SIGNKIT_KIT": "dist"}, 4),
        ({"SIGNKIT": "signkit-that-is-absent"}, 127),
    ],
    ids=lambda value: "" if isinstance(value, int) else "=".join(*value.items()),
)
def test_a_job_that_lacks_something_fails_before_it_touches_anything(
    variables: dict[str, str], status: int, shop: Workshop, work: Path
) -> None:
    (work / "empty").touch()
    (work / "wrong").write_text("not the passphrase")
    before = listing(work)
    done = release(shop, work, **variables)
    assert done.status == status, done.out + done.err
    assert listing(work) == before
    if status != 127:
        error(done, status)


@pytest.mark.parametrize("kind", ["link", "empty", "signed already"])
def test_build_output_that_can_not_be_released(kind: str, shop: Workshop, work: Path) -> None:
    if kind == "link":
        (work / "dist" / "link").symlink_to("app.bin")
    elif kind == "empty":
        shutil.rmtree(work / "dist")
        (work / "dist").mkdir()
    else:
        (work / "dist" / "app.bin.p7s").touch()
    before = listing(work)
    error(release(shop, work), 4 if kind == "signed already" else 3)
    assert listing(work) == before


def test_what_the_own_policy_refuses_is_taken_away_again(shop: Workshop, work: Path) -> None:
    (work / "policy.toml").write_text(policy(shop, "CN=Somebody else"))
    before = listing(work / "dist")
    done = release(shop, work)
    assert done.status == 19, done.out + done.err
    assert listing(work / "dist") == before
    assert not (work / "verification-kit").exists()
    assert (work / "signkit-reports" / "verification.html").exists()  # why


@pytest.fixture
def tsa(shop: Workshop) -> Iterator[str]:
    """The authority's timestamps on loopback."""
    command = command_line("lab", "serve", shop.folder / "lab")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]
        server.send_signal(signal.SIGTERM)


def test_signatures_are_timestamped_where_an_authority_is_named(shop: Workshop, work: Path, tsa: str) -> None:
    if "--timestamp" not in call("sign", "--help").out:
        pytest.skip("this signkit takes no timestamps while it signs")
    required = policy(shop) + f'timestamp = "required"\ntsa-trust-anchors = ["{shop.root}"]\n'
    (work / "policy.toml").write_text(required)
    done = release(shop, work, SIGNKIT_TIMESTAMP_URL=tsa)
    assert done.status == 0, done.out + done.err
    shown = call("inspect", work / "dist" / "app.bin.p7s").out
    assert re.search("timestamp", shown, re.IGNORECASE)
