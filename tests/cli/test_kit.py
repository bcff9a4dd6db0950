"""``sign --kit``: what the consumer of a release gets works in a clean folder, with signkit and with openssl alone."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from signkit.algorithms import sm2
from signkit.report.printable import printable
from tests.support.commands import Ran, Workshop, environment
from tests.support.components import need_component

KEY_TYPES = ("EC_P256", "RSA_2048", "EC_SM2")
NAMES = ("app.bin", "sub/lib.so", "sub/-rf 'x' $(touch pwned) `.txt")
SCRIPTS = ("verify-with-signkit.sh", "verify-with-openssl.sh")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Keys whose chains end with the authority's root, which the lab hands over apart from the chain."""
    made = Workshop.create(tmp_path_factory.mktemp("shop"), *KEY_TYPES)
    for key_type, key in made.keys.items():
        made.do("cert", "import", key, made.folder / f"{key_type}.chain", made.root)
    return made


def need_key_type(key_type: str) -> None:
    if key_type == "EC_SM2" and sm2.backend().library is None:
        need_component("libcrypto with SM2")


def build(folder: Path) -> list[str]:
    """Build output with a harmless name, one in a folder, and one that a careless script would run."""
    (folder / "dist" / "sub").mkdir(parents=True)
    for name in NAMES:
        (folder / "dist" / name).write_bytes(f"artifact {name}\n".encode())
    return [f"dist/{name}" for name in NAMES]


@pytest.fixture
def release(tmp_path: Path, workdir: Path) -> list[str]:
    return build(workdir)


def consume(release_folder: Path, tmp_path: Path) -> Path:
    """The release and its kit as somebody has downloaded them: nothing else is around."""
    clean = tmp_path / "clean"
    shutil.copytree(release_folder / "dist", clean / "files")
    shutil.copytree(release_folder / "kit", clean / "kit")
    return clean


def verify(clean: Path, script: str, *arguments: str, folder: str = "files") -> Ran:
    """Run a script of the kit as its README says, with signkit on the PATH and no store."""
    programs = clean.parent / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "signkit"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m signkit "$@"\n')
    program.chmod(0o755)
    variables = environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", HOME=str(clean))
    done = subprocess.run(
        ["sh", f"../kit/{script}", *arguments], cwd=clean / folder, env=variables, capture_output=True, timeout=60
    )
    return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_both_scripts_accept_the_release_and_refuse_a_changed_file(
    key_type: str, shop: Workshop, release: list[str], workdir: Path, tmp_path: Path
) -> None:
    need_key_type(key_type)
    done = shop.do("sign", *release, "--key", shop.keys[key_type], "--kit", "kit")
    assert "wrote kit/README.md" in done.out
    clean = consume(workdir, tmp_path)
    for script in SCRIPTS:
        accepted = verify(clean, script)
        assert accepted.status == 0, (script, accepted.out, accepted.err)
    for name in NAMES:
        changed = clean / "files" / name
        before = changed.read_bytes()
        changed.write_bytes(before + b"!")
        assert verify(clean, SCRIPTS[0]).status == 12
        assert verify(clean, SCRIPTS[1]).status not in (0, 127), name
        changed.write_bytes(before)
    assert not list(clean.rglob("pwned"))
    assert all(verify(clean, script).status == 0 for script in SCRIPTS)


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", ["EC_P256", "EC_SM2"])
def test_another_key_of_the_same_authority_is_refused(
    key_type: str, shop: Workshop, release: list[str], workdir: Path, tmp_path: Path
) -> None:
    """The kit pins the signer, not only the root, which has certified others as well."""
    need_key_type(key_type)
    shop.do("sign", *release, "--key", shop.keys[key_type], "--kit", "kit")
    shop.do("sign", *release, "--key", shop.keys["RSA_2048"], "--force")
    clean = consume(workdir, tmp_path)
    assert verify(clean, SCRIPTS[0]).status == 19
    assert verify(clean, SCRIPTS[1]).status not in (0, 127)


@pytest.mark.component("openssl")
@pytest.mark.parametrize("key_type", ["EC_P256", "EC_SM2"])
def test_a_foreign_anchor_in_the_kit_is_refused(
    key_type: str, shop: Workshop, release: list[str], workdir: Path, tmp_path: Path
) -> None:
    need_key_type(key_type)
    shop.do("sign", *release, "--key", shop.keys[key_type], "--kit", "kit")
    shop.do("lab", "create", tmp_path / "foreign")
    clean = consume(workdir, tmp_path)
    foreign = tmp_path / "foreign" / "root.pem"
    for name in ("trust-anchors.pem", "path-2.pem"):
        if (clean / "kit" / name).exists():
            shutil.copy(foreign, clean / "kit" / name)
    assert verify(clean, SCRIPTS[0]).status == 14
    assert verify(clean, SCRIPTS[1]).status not in (0, 127)


@pytest.mark.component("openssl")
def test_commands_of_the_readme_work(shop: Workshop, release: list[str], workdir: Path, tmp_path: Path) -> None:
    shop.do("sign", *release, "--key", shop.key, "--kit", "kit")
    clean = consume(workdir, tmp_path)
    readme = (clean / "kit" / "README.md").read_text()
    for script in SCRIPTS:
        assert f"sh KIT/{script}\n" in readme
        # Another folder can stand behind the command.
        assert verify(clean, script, "../files", folder="kit").status == 0
    fingerprint = subprocess.run(
        ["openssl", "x509", "-in", clean / "kit" / "trust-anchors.pem", "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert fingerprint.strip().split("=")[1].replace(":", "").lower() in readme
    assert printable(readme) == readme.replace("\n", printable("\n"))


def test_policy_is_valid_and_names_the_key(shop: Workshop, release: list[str], workdir: Path) -> None:
    shop.do("sign", *release, "--key", shop.key, "--kit", "kit")
    shop.do("policy", "check", "kit/release.policy.toml")
    (policy,) = tomllib.loads(Path("kit/release.policy.toml").read_text())["policy"]
    listed = shop.do("version", "show", shop.key, "--json").json()
    assert policy["signers"] == [{"spki-sha256": listed["public_key_sha256"]}]
    assert policy["trust-anchors"] == ["trust-anchors.pem"]
    assert oct(Path("kit").stat().st_mode & 0o777) == oct(0o777 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# --- what is refused, before anything is signed ---


def test_a_chain_without_root_needs_a_named_anchor(shop: Workshop, release: list[str], workdir: Path) -> None:
    """The lab sends leaf and issuing certificate; a root that nobody named is never left out silently."""
    other = shop.new_key(name="without-root")
    request = shop.request(other)
    shop.do("lab", "issue", shop.folder / "lab", request, "--out", workdir / "chain.pem")
    leaf = (workdir / "chain.pem").read_text().split("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n"
    (workdir / "leaf.pem").write_text(leaf)
    shop.do("cert", "import", other, workdir / "leaf.pem")
    message = shop("sign", *release, "--key", other, "--kit", "kit").error(2)
    assert "no trust anchor for the kit" in message
    assert not list(workdir.rglob("*.p7s"))
    assert not Path("kit").exists()


def test_an_anchor_that_does_not_fit_is_refused(
    shop: Workshop, release: list[str], workdir: Path, tmp_path: Path
) -> None:
    shop.do("lab", "create", tmp_path / "foreign")
    root = tmp_path / "foreign" / "root.pem"
    message = shop("sign", *release, "--key", shop.key, "--kit", "kit", "--kit-trust", root).error(4)
    assert "would refuse this release" in message
    assert not list(workdir.rglob("*.p7s"))
    assert not Path("kit").exists()


def test_anchors_without_a_kit_are_wrong_usage(shop: Workshop, release: list[str]) -> None:
    shop("sign", *release, "--key", shop.key, "--kit-trust", shop.root).error(2)


def test_existing_kit_is_kept_without_force(shop: Workshop, release: list[str], workdir: Path) -> None:
    Path("kit").mkdir()
    Path("kit/README.md").write_text("mine")
    shop("sign", *release, "--key", shop.key, "--kit", "kit").error(4)
    assert not list(workdir.rglob("*.p7s"))
    assert Path("kit/README.md").read_text() == "mine"
    shop.do("sign", *release, "--key", shop.key, "--kit", "kit", "--force")
    assert Path("kit/README.md").read_text() != "mine"


def test_dry_run_writes_nothing(shop: Workshop, release: list[str], workdir: Path) -> None:
    done = shop.do("sign", *release, "--key", shop.key, "--kit", "kit", "--dry-run")
    assert "would write kit/README.md" in done.out
    assert not Path("kit").exists()


def test_named_anchor_is_the_one_that_is_pinned(shop: Workshop, release: list[str]) -> None:
    done = shop.do("sign", *release, "--key", shop.key, "--kit", "kit", "--kit-trust", shop.root, "--json")
    assert "kit/trust-anchors.pem" in done.json()["kit"]
    pinned = [line for line in Path("kit/trust-anchors.pem").read_text().splitlines() if not line.startswith("#")]
    assert pinned == [line for line in shop.root.read_text().splitlines() if not line.startswith("#")]


@pytest.mark.component("shellcheck")
@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_scripts_are_clean_shell(key_type: str, shop: Workshop, release: list[str]) -> None:
    need_key_type(key_type)
    shop.do("sign", *release, "--key", shop.keys[key_type], "--kit", "kit")
    scripts = [f"kit/{script}" for script in SCRIPTS]
    done = subprocess.run(["shellcheck", "--shell=sh", "--exclude=SC2016", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
