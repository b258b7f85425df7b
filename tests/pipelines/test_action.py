"""The GitHub action in a real repository against the sandbox, with a stand-in for `gh`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.action import FOLDER, Run, Step, loaded
from tests.pipelines.conftest import KEY, Repository

MARKER = "<!-- reconciler:default -->"
DRIFT_MARKER = "<!-- reconciler-drift:default -->"
WRITES = {"POST", "PATCH", "DELETE"}


def writes(repository: Repository) -> int:
    """How many calls of the shop's API have written."""
    return sum(call.method in WRITES for call in repository.sandbox.store.calls())


def check_fine(ended: tuple[Run, list[Step]]) -> Run:
    """The run, all of whose steps must have succeeded."""
    run, steps = ended
    assert [(step.name, step.code) for step in steps if step.code] == [], steps[-1].log
    return run


def test_a_pull_request_has_one_comment(repository: Repository) -> None:
    """The first push of a pull request writes a comment, the second edits it."""
    check_fine(repository.run("apply"))
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("catalog/coat.yaml", "store_id: '2'\nname: Wool coat\ntype: coat\n")
    repository.push("topic")
    run = check_fine(repository.pull_request())
    assert run.values["steps.plan.outputs.changes"] == "true"
    (comment,) = repository.host["comments"]
    assert comment["number"] == 7
    assert comment["body"].startswith(f"{MARKER}\n")
    assert "Wool coat" in comment["body"]
    assert "(edit)" in comment["body"]
    assert comment["body"] == run.result("plan.md")
    assert comment["body"].startswith(run.summary)
    assert "Wool coat" in run.result("plan.html")
    assert json.loads(run.result("plan.json"))["summary"]["update"] == 1

    repository.write("catalog/coat.yaml", "store_id: '2'\nname: Silk coat\ntype: coat\n")
    repository.push("topic")
    check_fine(repository.pull_request())
    (comment,) = repository.host["comments"]
    assert "Silk coat" in comment["body"]
    assert "Wool coat" not in comment["body"]


def test_the_comment_says_how_a_rehearsal_went(repository: Repository) -> None:
    """With `rehearse: true` the comment has one line about it, and nothing is written."""
    before = writes(repository)
    check_fine(repository.pull_request(rehearse="true"))
    (comment,) = repository.host["comments"]
    assert "calls, converges." in comment["body"]
    assert writes(repository) == before


def test_somebody_elses_comment_is_left_alone(repository: Repository) -> None:
    """A comment with the marker that another user wrote is not edited; nor is another store's."""
    others = [
        {"id": 91, "number": 7, "mine": False, "body": f"{MARKER}\nnot yours"},
        {"id": 92, "number": 7, "mine": True, "body": "<!-- reconciler:default2 -->\n"},
        {"id": 93, "number": 8, "mine": True, "body": f"{MARKER}\nanother pull request's"},
    ]
    for other in others:
        repository.host_has("comments", **other)
    check_fine(repository.pull_request())
    check_fine(repository.pull_request())
    assert repository.host["comments"][:3] == others
    assert len(repository.host["comments"]) == 4


def test_no_comment_where_none_is_wanted(repository: Repository) -> None:
    """With `comment: false` the plan is in the summary alone."""
    run = check_fine(repository.pull_request(comment="false"))
    assert repository.host["calls"] == []
    assert MARKER in run.summary


def test_a_comment_that_is_not_allowed_fails_nothing(repository: Repository) -> None:
    """Without permission to comment the job goes on, and says what it lacks."""
    repository.environ["GH_BROKEN"] = "1"
    run, steps = repository.pull_request()
    check_fine((run, steps))
    assert "::warning::" in steps[-1].log
    assert "pull-requests: write" in steps[-1].log


def test_a_fork_is_shown_what_it_changes(repository: Repository) -> None:
    """A pull request from a fork has no key: it gets the catalogue's own difference, no comment."""
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("catalog/hat.yaml", "store_id: '3'\nname: Hat\ntype: hat\nimage_url: ''\n")
    repository.push("topic")
    run = check_fine(repository.pull_request(fork=True, api_key=""))
    assert "1 to create" in run.summary
    assert run.values["steps.plan.outputs.changes"] == "true"
    assert repository.host["calls"] == []
    assert list(repository.sandbox.store.calls()) == []


def test_a_merge_applies_and_a_second_applies_nothing(repository: Repository) -> None:
    """The first run on main writes what the catalogue declares, the next one writes nothing."""
    run = check_fine(repository.run("apply"))
    assert repository.names() == {"1": "Shirt", "2": "Coat"}
    report = json.loads(run.result("report.json"))
    assert report["summary"] == {"applied": 2, "failed": 0, "not_attempted": 0, "unknown": 0}
    assert "#### Applied" in run.summary
    before = writes(repository)
    assert before == 2
    run = check_fine(repository.run("apply"))
    assert writes(repository) == before
    assert run.values["steps.plan.outputs.changes"] == "false"
    assert json.loads(run.result("report.json"))["outcomes"] == []


def test_a_saved_plan_is_applied_or_refused(repository: Repository, tmp_path: Path) -> None:
    """A plan from elsewhere is applied as it was reviewed, and refused once the shop moved on."""
    planned = check_fine(repository.run("plan"))
    saved = tmp_path / "reviewed.json"
    saved.write_text(planned.result("plan.json"), encoding="utf-8")
    check_fine(repository.run("apply", plan=str(saved)))
    assert repository.names() == {"1": "Shirt", "2": "Coat"}
    done = writes(repository)
    check_fine(repository.run("apply", plan=str(saved)))
    assert writes(repository) == done, "a plan that was applied and holds is done"
    row = repository.sandbox.store.row("2")
    assert row is not None
    repository.sandbox.store.update([str(row.id)], {"name": "By hand"})
    _, steps = repository.run("apply", plan=str(saved))
    assert steps[-1].name == "Apply"
    assert steps[-1].code == 4


def test_a_guard_stops_the_merge_and_an_input_lets_it_pass(repository: Repository) -> None:
    """Too many deletes fail the job before the first write; allow-deletes permits them."""
    repository.write("reconciler.yaml", "ledger: git\nlimits: {deletes: 0, floor: 0}\n")
    check_fine(repository.run("apply"))
    (repository.folder / "catalog" / "coat.yaml").unlink()
    _, steps = repository.run("apply")
    assert (steps[-1].name, steps[-1].code) == ("Apply", 3)
    assert set(repository.names()) == {"1", "2"}
    check_fine(repository.run("apply", allow_deletes="1"))
    assert set(repository.names()) == {"1"}


def test_drift_has_one_issue(repository: Repository) -> None:
    """Drift opens an issue, more drift updates it, and its end closes it."""
    check_fine(repository.run("apply"))
    repository.host_has("issues", id=50, mine=False, body=f"{DRIFT_MARKER}\nnot yours")
    store = repository.sandbox.store
    coat = store.row("2")
    assert coat is not None
    for name in ("Coat in red", "Coat in blue"):
        store.update([str(coat.id)], {"name": name})
        check_fine(repository.run("drift"))
        other, issue = repository.host["issues"]
        assert issue["body"].startswith(f"{DRIFT_MARKER}\n")
        assert name in issue["body"]
        assert "(drift)" in issue["body"]
        assert "closed" not in issue

    store.update([str(coat.id)], {"name": "Coat"})
    check_fine(repository.run("drift"))
    other, issue = repository.host["issues"]
    assert "equal to the catalogue again" in issue["closed"]
    assert other == {"id": 50, "mine": False, "body": f"{DRIFT_MARKER}\nnot yours"}


def test_a_fault_stops_before_the_plan(repository: Repository) -> None:
    """A catalogue with a fault ends the job at its check, with an annotation at the place."""
    repository.write("catalog/coat.yaml", "store_id: '2'\nnmae: Coat\n")
    _, steps = repository.run("apply")
    assert [step.name for step in steps] == ["Validate"]
    assert steps[0].code == 1
    assert "::error file=catalog/coat.yaml,line=2,col=1::" in steps[0].log
    assert list(repository.sandbox.store.calls()) == []


def test_validate_needs_no_key(repository: Repository) -> None:
    """The command `validate` checks and does nothing else."""
    run, steps = repository.run("validate", api_key="")
    check_fine((run, steps))
    assert [step.name for step in steps] == ["Validate"]


def test_inputs_are_never_commands(repository: Repository) -> None:
    """Whatever an input holds is taken for a name, and no shell reads it."""
    text = "$(touch pwned)`touch pwned`'; touch pwned; '\"; touch pwned #"
    for name in ("store", "base", "plan", "allow_deletes"):
        _, steps = repository.run("apply", None, **{name: text})
        assert steps[-1].code
    _, steps = repository.run("validate", catalog=text)
    assert steps[-1].code
    assert not list(repository.folder.parent.rglob("pwned"))


def test_no_script_holds_an_expression() -> None:
    """Nothing of an input or an event is written into a script: all of it travels as `env`."""
    scripts = [
        step["run"] for step in loaded(FOLDER / "action.yml")["runs"]["steps"] if "run" in step
    ]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_the_key_is_in_no_output(repository: Repository) -> None:
    """No log, summary, plan, page or report holds the key."""
    for command in ("apply", "drift"):
        run, steps = repository.run(command)
        texts = [step.log for step in steps] + [run.summary]
        texts += [file.read_text() for file in (run.temporary / "reconciler").iterdir()]
        assert texts
        assert [text for text in texts if KEY in text] == []


def installing(folder: Path, action: Path, package: str) -> subprocess.CompletedProcess[str]:
    """What the step `install` of the action in a folder does, with a python that tells it."""
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text(
        '#!/bin/sh\nif [ "$3" = venv ]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"\n'
        'else printf "%s\\n" "$*"; fi\n'
    )
    python.chmod(0o755)
    return subprocess.run(
        ["bash", str(FOLDER / "reconcile.sh"), "install"],
        env={
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(action),
            "GITHUB_PATH": str(folder / "path"),
            "RUNNER_TEMP": str(folder),
            "INPUT_PACKAGE": package,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "package", ["robosize-reconciler==1.2.3", "robosize-reconciler @ git+https://h/x.git@c0ffee"]
)
def test_installs_what_is_named_and_nothing_by_its_name_alone(tmp_path: Path, package: str) -> None:
    """The source is said whole; it is installed apart, and put on the PATH."""
    done = installing(tmp_path, tmp_path / "action", package)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(package)
    assert (tmp_path / "path").read_text() == f"{tmp_path}/reconciler-venv/bin\n"


def test_beside_its_source_the_action_installs_that(tmp_path: Path) -> None:
    """In this repository, and where it is used from it, the tool beside the action is taken."""
    done = installing(tmp_path, FOLDER, "")
    assert done.stdout.strip().endswith("/.github/actions/reconcile/../../..[sandbox]")


def test_without_a_source_nothing_is_installed(tmp_path: Path) -> None:
    """P5: a package that only has the name could be anybody's, in the job that holds the key."""
    action = tmp_path / "shop" / ".github" / "actions" / "reconcile"
    action.mkdir(parents=True)
    done = installing(tmp_path, action, "")
    assert done.returncode == 1
    assert "Set the input 'package'" in done.stdout
    assert "install" not in done.stdout.replace("is installed from", "")


def test_python_takes_no_module_of_the_repository(tmp_path: Path) -> None:
    """P4: a file of the branch that is called like a module of Python's is not run in its place."""
    (tmp_path / "venv.py").write_text("raise SystemExit('taken')\n", encoding="utf-8")
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    # Without pip, which takes seconds to unpack, an environment is made all the same.
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@" --without-pip\n', encoding="utf-8")
    python.chmod(0o755)
    done = subprocess.run(
        ["bash", str(FOLDER / "reconcile.sh"), "install"],
        cwd=tmp_path,
        env={
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(tmp_path / "action"),
            "GITHUB_PATH": str(tmp_path / "path"),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "INPUT_PACKAGE": str(tmp_path / "nothing"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "taken" not in done.stderr
    assert (tmp_path / "temp" / "reconciler-venv" / "bin" / "python").exists()


def test_a_tag_called_like_the_branch_is_not_compared_with(repository: Repository) -> None:
    """P6: whoever may push a tag must not choose what a pull request is compared with."""
    check_fine(repository.run("apply"))
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("catalog/coat.yaml", "store_id: '2'\nname: Wool coat\ntype: coat\n")
    repository.push("topic")
    repository.git("tag", "origin/main")
    check_fine(repository.pull_request())
    (comment,) = repository.host["comments"]
    assert "(edit)" in comment["body"]


def test_the_plan_of_another_use_is_not_taken_for_this_ones(
    repository: Repository, tmp_path: Path
) -> None:
    """P6: a second store of the same job whose installation fails gets no plan of the first."""
    first = check_fine(repository.pull_request())
    done = installing(first.temporary, tmp_path, "")
    assert done.returncode == 1
    assert list((first.temporary / "reconciler").iterdir()) == []


def test_dependabot_goes_the_way_of_a_fork(repository: Repository) -> None:
    """A pull request that is given no secrets is shown what it changes, and is not red."""
    repository.write("catalog/hat.yaml", "store_id: '3'\nname: Hat\ntype: hat\nimage_url: ''\n")
    run = check_fine(repository.pull_request(author="dependabot[bot]", api_key=""))
    assert "Hat" in run.result("plan.md")
    assert repository.host["comments"] == []
    assert list(repository.sandbox.store.calls()) == []
    _, steps = repository.pull_request(api_key="")
    assert steps[-2].code, "somebody else without a key is told that there is none"


@pytest.mark.parametrize("broken", ["catalog", "plan"])
def test_a_stale_comment_says_what_is_wrong(repository: Repository, broken: str) -> None:
    """After a push that breaks the catalogue, or a failed plan, no old plan stands there."""
    check_fine(repository.pull_request())
    (comment,) = repository.host["comments"]
    assert "2 to create" in comment["body"]
    for part in ("Commit 4ead4ead4ead, 20", "/shop/catalog/actions/runs/4711#artifacts"):
        assert part in comment["body"]
    if broken == "catalog":
        repository.write("catalog/coat.yaml", "store_id: '2'\nnmae: Coat\n")
        _, steps = repository.pull_request()
    else:
        _, steps = repository.pull_request(base="nowhere")
    assert any(step.code for step in steps)
    (comment,) = repository.host["comments"]
    assert comment["body"].startswith(f"{MARKER}\n")
    assert "There is no plan of this commit" in comment["body"]
    said = "catalog/coat.yaml:2:1" if broken == "catalog" else "no revision nowhere"
    assert said in comment["body"]
    assert "2 to create" not in comment["body"]
    assert "Commit 4ead4ead4ead" in comment["body"]


def test_what_others_did_is_left_to_the_drift_job(repository: Repository) -> None:
    """P4: reviewed was one edit; products added by hand since stay, and the job for drift tells."""
    check_fine(repository.run("apply"))
    repository.sandbox.store.seed(
        {"store_id": f"h{n}", "name": f"Hand {n}", "tags": [], "image_url": "", "type": ""}
        for n in range(5)
    )
    repository.write("catalog/coat.yaml", "store_id: '2'\nname: Parka\ntype: coat\nimage_url: ''\n")
    repository.push("main")
    run = check_fine(repository.run("apply"))
    assert set(repository.names().values()) == {"Shirt", "Parka", *(f"Hand {n}" for n in range(5))}
    assert "5 products left as they are" in run.summary
    check_fine(repository.run("drift"))
    (issue,) = repository.host["issues"]
    assert "5 to delete" in issue["body"]


def test_an_old_pipeline_that_is_run_again_applies_nothing(repository: Repository) -> None:
    """P4: the workflow of an older commit, run after a newer one, ends with exit 4."""
    repository.push("main")
    repository.write("catalog/hat.yaml", "store_id: '3'\nname: Hat\ntype: hat\nimage_url: ''\n")
    repository.push("main")
    check_fine(repository.run("apply"))
    repository.git("checkout", "--quiet", "--detach", "HEAD~1")
    before = writes(repository)
    _, steps = repository.run("apply")
    assert (steps[-1].name, steps[-1].code) == ("Apply", 4)
    assert "is older than" in steps[-1].log
    assert writes(repository) == before


def test_what_is_kept_holds_no_records() -> None:
    """Artefacts are public where the repository is: the page and the report, never the plan."""
    step = loaded(FOLDER / "action.yml")["runs"]["steps"][-1]
    kept = [line.rpartition("/")[2] for line in step["with"]["path"].splitlines()]
    assert kept == ["plan.html", "report.json"]
