"""The pipelines' files: valid for those who read them, alike where they must be, few rights."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import COMMANDS
from tests.pipelines.action import FOLDER, loaded
from tests.project import ROOT

TEMPLATES = ROOT / "reconciler" / "templates" / "ci"
WORKFLOWS = sorted((TEMPLATES / "github").glob("catalog-*.yml"))
FLEET = sorted((TEMPLATES / "github").glob("fleet-*.yml"))
CHECKED = [
    ("vendor.github-actions", [FOLDER / "action.yml"], ()),
    (
        "vendor.github-workflows",
        [*WORKFLOWS, *FLEET, *sorted((ROOT / ".github" / "workflows").glob("*.yml"))],
        (),
    ),
    (
        "vendor.gitlab-ci",
        [TEMPLATES / "gitlab" / ".gitlab-ci.yml"],
        ("--data-transform", "gitlab-ci"),
    ),
]
LEAST: dict[str, Any] = {
    "catalog-plan.yml": {"contents": "read", "pull-requests": "write"},
    "catalog-apply.yml": {"contents": "write"},
    "catalog-drift.yml": {"contents": "read", "issues": "write"},
    "fleet-plan.yml": {"contents": "read", "pull-requests": "write"},
    "fleet-apply.yml": {"contents": "write"},
}


@pytest.mark.parametrize(("schema", "files", "more"), CHECKED, ids=lambda value: str(value)[:30])
def test_each_file_fits_its_schema(schema: str, files: list[Path], more: tuple[str, ...]) -> None:
    """Actions, workflows and pipelines are what the published schemas say that they are."""
    tool = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema)
    done = subprocess.run(
        [*tool, *more, *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_copy_for_init_is_the_action() -> None:
    """`init` hands out the very action that is tested here."""
    for name in ("action.yml", "reconcile.sh"):
        copy = (TEMPLATES / "github" / name).read_bytes()
        assert copy == (FOLDER / name).read_bytes(), f"copy {FOLDER / name} to {TEMPLATES}/github"


def test_scripts_pass_shellcheck() -> None:
    """The action's script has none of the faults that shellcheck knows."""
    tool = Path(sys.executable).parent / "shellcheck"
    scripts = [FOLDER / "reconcile.sh", ROOT / ".ci" / "run"]
    done = subprocess.run([tool, *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", [*WORKFLOWS, *FLEET], ids=lambda file: file.name)
def test_permissions_are_the_least(file: Path) -> None:
    """Each workflow may do what its command needs and nothing else."""
    workflow = loaded(file)
    assert workflow["permissions"] == LEAST[file.name]
    assert all("permissions" not in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_give_the_action_what_it_takes(file: Path) -> None:
    """Each input that a workflow gives is one of the action's; the command is its own."""
    inputs = loaded(FOLDER / "action.yml")["inputs"]
    (job,) = loaded(file)["jobs"].values()
    (step,) = (step for step in job["steps"] if step["uses"] == "./.github/actions/reconcile")
    assert set(step["with"]) <= set(inputs)
    assert file.name == f"catalog-{step['with']['command']}.yml"


@pytest.mark.parametrize("file", FLEET, ids=lambda file: file.name)
def test_a_fleet_s_jobs_are_the_action_s_steps(file: Path) -> None:
    """Each job takes one step of the fleet, with inputs that the action has."""
    inputs = loaded(FOLDER / "action.yml")["inputs"]
    script = (FOLDER / "reconcile.sh").read_text(encoding="utf-8")
    for job in loaded(file)["jobs"].values():
        (step,) = (step for step in job["steps"] if step["uses"] == "./.github/actions/reconcile")
        assert set(step["with"]) <= set(inputs)
        assert f"fleet_{step['with']['fleet']}() {{" in script


def test_other_peoples_actions_are_pinned() -> None:
    """Every action from elsewhere is held to a commit, its tag beside it: tags move."""
    files = [*WORKFLOWS, FOLDER / "action.yml", *(ROOT / ".github" / "workflows").glob("*.yml")]
    used = [
        line.split("uses:")[1].strip()
        for file in files
        for line in file.read_text().splitlines()
        if "uses:" in line
    ]
    assert used
    pinned = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    foreign = [name for name in used if not name.startswith("./")]
    assert [name for name in foreign if not pinned.fullmatch(name)] == []


def test_only_the_default_branch_is_applied() -> None:
    """Started by hand on any branch, the workflows that hold the key do nothing but on one."""
    for name in ("catalog-apply.yml", "catalog-drift.yml"):
        (job,) = loaded(TEMPLATES / "github" / name)["jobs"].values()
        assert job["if"] == (
            "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
        ), "a tag may be called like the branch"


def test_nothing_of_an_event_is_written_into_a_script() -> None:
    """No `run:` of any workflow holds an expression."""
    for file in (*WORKFLOWS, *(ROOT / ".github" / "workflows").glob("*.yml")):
        for job in loaded(file)["jobs"].values():
            assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


def test_hooks_call_commands_that_exist() -> None:
    """Both pre-commit hooks name a command of the tool and look at the whole catalogue."""
    hooks = {hook["id"]: hook for hook in loaded(ROOT / ".pre-commit-hooks.yaml")}
    assert set(hooks) == {"reconciler-validate", "reconciler-fmt"}
    for hook in hooks.values():
        program, command = hook["entry"].split()
        assert program == "reconciler"
        assert command in COMMANDS
        assert hook["pass_filenames"] is False
        assert hook["always_run"] is True, "a commit that only deletes files names none"
        assert "files" not in hook
        assert hook["args"] == ["--if-present"]
