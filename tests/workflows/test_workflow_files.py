"""What CI systems read is valid by their schemas, runs the scripts that are tested here, and takes no input as code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.commands import Workshop, call
from tests.support.scripts import ROOT, WORKFLOWS

NAMES = ("ca-onboarding", "release-signing", "verification-gate")
KINDS = {
    "action.yml": ("vendor.github-actions",),
    "github-workflow.yml": ("vendor.github-workflows",),
    "gitlab-ci.yml": ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}
FILES = [WORKFLOWS / name / kind for name in NAMES for kind in KINDS]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def steps(path: Path) -> list[dict[str, Any]]:
    """All steps of an action or a workflow."""
    document = load(path)
    if "runs" in document:
        return document["runs"]["steps"]
    return [step for job in document["jobs"].values() for step in job["steps"]]


def test_every_workflow_is_complete() -> None:
    assert sorted(path.name for path in WORKFLOWS.iterdir() if path.is_dir()) == list(NAMES)
    for name in NAMES:
        found = {path.name for path in (WORKFLOWS / name).iterdir()}
        assert found == {"README.md", f"{name}.sh", *KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_valid_by_the_schema_of_their_system(kind: str) -> None:
    schema = ["--builtin-schema", *KINDS[kind]]
    files = [path for path in FILES if path.name == kind]
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", *schema, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.component("shellcheck")
def test_scripts_are_clean_shell() -> None:
    scripts = sorted(
        [*WORKFLOWS.glob("*/*.sh"), ROOT / ".ci" / "components", ROOT / ".ci" / "lock", ROOT / ".ci" / "run"]
    )
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "gitlab-ci.yml"], ids=name_of)
def test_no_input_becomes_code(path: Path) -> None:
    """An expression inside ``run`` is put into the script as text; as a variable it stays a value."""
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("name", NAMES)
def test_every_caller_runs_the_script(name: str) -> None:
    script = f"{name}.sh"
    action = WORKFLOWS / name / "action.yml"
    assert any(f'"$GITHUB_ACTION_PATH/{script}"' in step.get("run", "") for step in steps(action))
    assert any(step.get("uses") == f"./workflows/{name}" for step in steps(WORKFLOWS / name / "github-workflow.yml"))
    jobs = load(WORKFLOWS / name / "gitlab-ci.yml").values()
    assert any(line.startswith(f"workflows/{name}/{script}") for job in jobs for line in job.get("script", ()))


@pytest.mark.parametrize("name", NAMES)
def test_callers_set_only_variables_that_the_script_reads(name: str) -> None:
    known = set(re.findall(r"\bSIGNKIT_[A-Z_]+", (WORKFLOWS / name / f"{name}.sh").read_text()))
    (step,) = (step for step in steps(WORKFLOWS / name / "action.yml") if step.get("id"))
    given = {variable for variable in step["env"] if variable.startswith("SIGNKIT")}
    jobs = load(WORKFLOWS / name / "gitlab-ci.yml").values()
    given |= {variable for job in jobs for variable in job.get("variables", {})}
    assert given <= known
    inputs = set(load(WORKFLOWS / name / "action.yml")["inputs"])
    workflow = [
        step for step in steps(WORKFLOWS / name / "github-workflow.yml") if step.get("uses", "").startswith(".")
    ]
    assert workflow and all(set(step["with"]) <= inputs for step in workflow)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_secrets_go_into_files_only(path: Path) -> None:
    """No secret stands on a command line; a workflow hands it to a file by a variable of that one step."""
    text = path.read_text()
    for line in text.splitlines():
        if "secrets." in line:
            assert line.strip() == "PASSPHRASE: ${{ secrets.SIGNKIT_PASSPHRASE }}"
    assert "passphrase:" not in text


def test_pre_commit_hook_verifies_the_files_it_is_given(tmp_path: Path, workdir: Path) -> None:
    """As pre-commit runs it: the entry, then the user's args, then the files that neither pattern leaves out."""
    (hook,) = load(ROOT / ".pre-commit-hooks.yaml")
    assert hook["language"] == "python" and hook["id"] == "signkit-verify"
    program, *words = hook["entry"].split()
    assert program == "signkit"
    shop = Workshop.create(tmp_path, "EC_P256")
    (workdir / "app.bin").write_bytes(b"artifact")
    shop.sign(workdir / "app.bin")
    files = [path.name for path in sorted(workdir.iterdir()) if not re.search(hook["exclude"], path.name)]
    assert files == ["app.bin"]
    assert call(*words, "--trust", shop.root, *files).status == 0
    (workdir / "app.bin").write_bytes(b"changed")
    assert call(*words, "--trust", shop.root, *files).status == 12
