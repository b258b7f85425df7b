"""What the ledger knows of the commits that were applied, as pipelines use it (P4)."""

import json
import subprocess

import pytest

from tests.cli.run import Ended, in_process
from tests.git.pipeline import COAT, REF, SHIRT, Pipeline, git

HAT = "{store_id: '3', name: Hat, type: hat}"
SHIPPED = ("--base", "applied", "--only", "edit", "--only", "both")


def at(pipeline: Pipeline, commit: str, *arguments: str, depth: str = "--depth=1") -> Ended:
    """One command in a fresh clone that stands at a certain commit, as a job that is run again."""
    folder = pipeline.clone(depth)
    git(folder, "fetch", "--quiet", "--depth=1", "origin", commit)
    git(folder, "checkout", "--quiet", "--detach", commit)
    return in_process(folder, *arguments, **pipeline.environ)


@pytest.fixture
def two(pipeline: Pipeline) -> tuple[str, str]:
    """Two commits of main, of which the newer was applied; origin answers for any commit."""
    git(pipeline.origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(pipeline.origin, "config", "uploadpack.allowFilter", "true")
    older = pipeline.declare(SHIRT)
    newer = pipeline.declare(SHIRT, COAT)
    assert pipeline.run("apply", "--yes").code == 0
    return older, newer


@pytest.mark.parametrize("depth", ["--depth=1", "--no-tags"], ids=["shallow", "whole"])
def test_an_older_commit_is_refused(pipeline: Pipeline, two: tuple[str, str], depth: str) -> None:
    """An old pipeline that is run again changes nothing: exit 4, in a shallow clone too."""
    older, newer = two
    before = pipeline.writes()
    for command in (("apply", "--yes"), ("apply", "--yes", *SHIPPED)):
        done = at(pipeline, older, *command, depth=depth)
        assert done.code == 4, done.err
        assert f"the commit {older[:12]} is older than {newer[:12]}" in done.err
        assert "--allow-older" in done.err
    assert pipeline.writes() == before
    assert at(pipeline, newer, "apply", "--yes", depth=depth).code == 0
    allowed = at(pipeline, older, "apply", "--yes", "--allow-older", "--allow-deletes", "9")
    assert allowed.code == 0, allowed.err
    assert pipeline.writes() == before + 1


def test_a_saved_plan_of_an_older_commit_is_refused(pipeline: Pipeline) -> None:
    """Two merges at once: the plan of the first, applied after the second, is exit 4."""
    pipeline.declare(SHIRT)
    first = pipeline.clone()
    saved = ("plan", "--out", "plan.json")
    assert in_process(first, *saved, **pipeline.environ).code == 0
    pipeline.declare(COAT)
    assert pipeline.run("apply", "--yes").code == 0
    for more in ((), ("--dry-run",)):
        done = in_process(first, "apply", "plan.json", *more, **pipeline.environ)
        assert (done.code, done.out) == (4, ""), done.err
        assert "is older than" in done.err


def test_a_commit_on_another_branch_is_not_older(pipeline: Pipeline, two: tuple[str, str]) -> None:
    """Only the past is refused: a branch beside, and the next commit, are applied."""
    older, _ = two
    git(pipeline.desk, "checkout", "--quiet", "-b", "side", older)
    (pipeline.desk / "catalog" / "all.yaml").write_text(f"products: [{SHIRT}, {HAT}, {COAT}]\n")
    git(pipeline.desk, "commit", "--quiet", "-am", "Side")
    git(pipeline.desk, "push", "--quiet", "origin", "side")
    side = git(pipeline.desk, "rev-parse", "HEAD")
    done = at(pipeline, side, "apply", "--yes")
    assert done.code == 0, done.err


def test_an_age_that_cannot_be_told_is_a_warning(pipeline: Pipeline, two: tuple[str, str]) -> None:
    """Where the history cannot be fetched, because it was rewritten, the apply goes on."""
    git(pipeline.desk, "checkout", "--quiet", "--orphan", "fresh")
    git(pipeline.desk, "commit", "--quiet", "-m", "Anew")
    git(pipeline.desk, "push", "--quiet", "--force", "origin", "HEAD:main")
    git(pipeline.origin, "reflog", "expire", "--expire=now", "--all")
    git(pipeline.origin, "gc", "--quiet", "--prune=now")
    done = pipeline.run("apply", "--yes")
    assert done.code == 0, done.err
    assert "is not known" in done.err


def test_base_applied_is_fetched_into_a_shallow_clone(pipeline: Pipeline) -> None:
    """P4: a clone without the commit applied last compares with it; an older one is exit 4."""
    older = pipeline.declare(SHIRT)
    pipeline.declare(SHIRT, COAT)
    assert pipeline.run("apply", "--yes", *SHIPPED).code == 0
    pipeline.declare(SHIRT, COAT, HAT)
    made = pipeline.changes("--base", "applied")
    assert [(change["store_id"], change["origin"]) for change in made] == [("3", "edit")]
    git(pipeline.origin, "update-ref", "refs/heads/old", older)
    folder = pipeline.clone("--depth=1", "--branch=old")
    for command in (("plan", "--base", "applied"), ("apply", "--yes", *SHIPPED)):
        done = in_process(folder, *command, **pipeline.environ)
        assert done.code == (4 if "apply" in command else 0), done.err
    assert "is older than" in done.err


def test_nothing_in_the_ledger_is_an_option_of_git(pipeline: Pipeline) -> None:
    """P4: a ledger that names a command where a commit should be does not make git run it."""
    pipeline.declare(SHIRT)
    assert pipeline.run("apply", "--yes").code == 0
    spy = pipeline.folder / "spy"
    git(pipeline.desk, "fetch", "--quiet", "origin", f"{REF}:{REF}")
    text = git(pipeline.desk, "show", f"{REF}:ledger.jsonl")
    commit = git(pipeline.desk, "rev-parse", "HEAD")
    assert f'"commit":"{commit}"' in text
    (pipeline.desk / "forged").write_text(
        text.replace(commit, f"--upload-pack=touch {spy};") + "\n"
    )
    blob = git(pipeline.desk, "hash-object", "-w", "forged")
    (pipeline.desk / "tree").write_text(f"100644 blob {blob}\tledger.jsonl\n")
    with (pipeline.desk / "tree").open() as entries:
        made = subprocess.run(
            ["git", "mktree"], cwd=pipeline.desk, stdin=entries, check=True, capture_output=True
        )
    forged = git(pipeline.desk, "commit-tree", "-m", "Forged", made.stdout.decode().strip())
    git(pipeline.desk, "push", "--quiet", "--force", "origin", f"{forged}:{REF}")
    done = pipeline.run("apply", "--yes")
    assert not spy.exists()
    assert done.code == 0, done.err
    assert "is not known" in done.err


def by_hand(pipeline: Pipeline, count: int) -> None:
    """Add products at Robosize that nobody declares."""
    pipeline.sandbox.store.seed(
        {"store_id": f"h{n}", "name": f"Hand {n}", "tags": [], "image_url": "", "type": "top"}
        for n in range(count)
    )


def test_the_shipped_apply_does_what_was_reviewed_and_leaves_drift(pipeline: Pipeline) -> None:
    """Five products added by hand since the review stay; the one edit is applied, exit 0."""
    pipeline.declare(SHIRT, COAT)
    assert pipeline.run("apply", "--yes", *SHIPPED).code == 0
    by_hand(pipeline, 5)
    pipeline.declare(SHIRT.replace("Shirt", "Silk shirt"), COAT)
    folder = pipeline.clone("--no-tags")
    done = in_process(folder, "apply", "--yes", *SHIPPED, **pipeline.environ)
    assert done.code == 0, done.err
    assert "5 products left as they are, by --only: 5 to delete (origin: drift)" in done.err
    names = {str(row.value("name")) for row in pipeline.sandbox.store.rows()}
    assert names == {"Silk shirt", "Coat", *(f"Hand {n}" for n in range(5))}
    assert "Converged" not in done.out
    left = pipeline.changes("--base", "applied")
    assert [change["origin"] for change in left] == ["drift"] * 5
    assert pipeline.changes("--base", "applied", "--only", "edit", "--only", "both") == []


def test_base_applied_is_the_commit_applied_last(pipeline: Pipeline) -> None:
    """Several merges since are all edits; before the first apply everything declared is one."""
    pipeline.declare(SHIRT)
    by_hand(pipeline, 1)
    first = pipeline.run("plan", "--format", "json", "--base", "applied")
    document = json.loads(first.out)
    assert [(c["action"], c["origin"]) for c in document["changes"]] == [
        ("create", "edit"),
        ("delete", "drift"),
    ]
    assert "nothing_applied" in [found["code"] for found in document["warnings"]]
    assert pipeline.run("apply", "--yes", *SHIPPED).code == 0
    pipeline.declare(SHIRT, COAT)
    pipeline.declare(SHIRT, COAT, HAT)
    folder = pipeline.clone("--no-tags")
    done = in_process(folder, "plan", "--format", "json", "--base", "applied", **pipeline.environ)
    origins = {c["store_id"]: c["origin"] for c in json.loads(done.out)["changes"]}
    assert origins == {"2": "edit", "3": "edit", "h0": "drift"}


def test_only_needs_a_base(pipeline: Pipeline) -> None:
    """Without a revision to compare with no change has an origin: a usage error, exit 1."""
    pipeline.declare(SHIRT)
    for command in (("plan",), ("apply", "--yes"), ("apply", "--dry-run")):
        done = pipeline.run(*command, "--only", "edit")
        assert done.code == 1
        assert "--only needs --base" in done.err


@pytest.mark.parametrize("spoiled", [False, True])
def test_a_plan_that_was_applied_before_is_already_applied(
    pipeline: Pipeline, spoiled: bool
) -> None:
    """Applied again it writes nothing and ends with 0, as long as it still holds; else exit 4."""
    pipeline.declare(SHIRT, COAT)
    assert pipeline.run("apply", "--yes").code == 0
    pipeline.declare(SHIRT.replace("Shirt, type: top", "Silk shirt, type: dress"), HAT)
    folder = pipeline.clone()

    def run(*arguments: str) -> Ended:
        return in_process(folder, *arguments, **pipeline.environ)

    assert run("plan", "--out", "plan.json").code == 0
    assert run("apply", "plan.json").code == 0
    before = pipeline.writes(), git(pipeline.origin, "rev-parse", "refs/reconciler/default")
    code = 4 if spoiled else 0
    if spoiled:
        row = pipeline.sandbox.store.row("1")
        assert row is not None
        pipeline.sandbox.store.update([str(row.id)], {"name": "By hand"})
    dry = run("apply", "plan.json", "--dry-run")
    assert (dry.code, dry.out) == (code, "")
    done = run("apply", "plan.json", "--report", "report.json")
    assert done.code == code, done.err
    after = pipeline.writes(), git(pipeline.origin, "rev-parse", "refs/reconciler/default")
    assert after == before
    if code == 0:
        assert "already applied" in done.err
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        assert (report["outcomes"], report["converged"]) == ([], True)


@pytest.mark.parametrize("ledger", ["git", "file"])
def test_a_catalogue_that_was_edited_is_told_as_such(pipeline: Pipeline, ledger: str) -> None:
    """The log names no commit for what none has: by the ledger's history and by the journals."""
    commit = pipeline.declare(SHIRT)
    folder = pipeline.clone()
    environ = {**pipeline.environ, "RECONCILER_LEDGER": ledger}
    assert in_process(folder, "apply", "--yes", **environ).code == 0
    (folder / "catalog" / "edited.yaml").write_text(COAT, encoding="utf-8")
    assert in_process(folder, "apply", "--yes", **environ).code == 0
    entries = json.loads(in_process(folder, "log", "--format", "json", **environ).out)["entries"]
    assert [entry["catalog_commit"] for entry in entries] == [commit, commit]
    assert [entry["catalog_dirty"] for entry in entries] == [True, False]
    lines = in_process(folder, "log", **environ).out.splitlines()
    assert lines[1].endswith(f"{commit[:12]}, edited")
    assert lines[2].endswith(commit[:12])
