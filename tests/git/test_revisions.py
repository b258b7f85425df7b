"""Plans against revisions: whose change it is, and what a branch changes without any remote."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run import Ended, in_process
from tests.git.pipeline import COAT, SHIRT, Pipeline, git

HAT = "{store_id: '3', name: Hat}"


def write(folder: Path, *products: str) -> None:
    """Replace the catalogue of a checkout."""
    text = "products:\n" + "".join(f"  - {product}\n" for product in products)
    (folder / "catalog" / "all.yaml").write_text(text, encoding="utf-8")


def bare(changes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Changes without what only the API knows: ids, and what else the remote keeps."""
    unknown = ("id", "seen", "record")
    return [{k: v for k, v in change.items() if k not in unknown} for change in changes]


def offline(folder: Path, *arguments: str) -> Ended:
    """A command without a key, in a clone whose remote is gone."""
    return in_process(folder, *arguments, ROBOSIZE_API_URL="http://127.0.0.1:9/")


def test_base_tells_edits_from_drift(pipeline: Pipeline) -> None:
    """With --base each change says in every format whose it is, and the sum counts them."""
    pipeline.declare(SHIRT, COAT, HAT)
    pipeline.apply_once()
    (coat, hat) = (pipeline.sandbox.store.row(store_id) for store_id in ("2", "3"))
    assert coat is not None
    assert hat is not None
    pipeline.sandbox.store.update([str(coat.id), str(hat.id)], {"name": "Drifted"})
    folder = pipeline.clone()
    git(folder, "checkout", "--quiet", "-b", "branch")
    write(folder, SHIRT.replace("top", "dress"), COAT, HAT.replace("Hat", "Cap"))
    text = in_process(folder, "plan", "--base", "main", **pipeline.environ)
    assert text.code == 0
    assert "1 from this branch, 1 drift, 1 both" in text.out
    document = json.loads(
        in_process(folder, "plan", "--base", "main", "--format", "json", **pipeline.environ).out
    )
    origins = {change["store_id"]: change["origin"] for change in document["changes"]}
    assert origins == {"1": "edit", "2": "drift", "3": "both"}
    for kind in ("markdown", "html"):
        shown = in_process(folder, "plan", "--base", "main", "--format", kind, **pipeline.environ)
        assert "drift" in shown.out
    applied = in_process(folder, "apply", "--yes", "--base", "main", **pipeline.environ)
    assert (applied.code, "[drift]" in applied.out) == (0, True)


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("HEAD~1", "The clone is shallow"),
        ("mian", "fetch-depth: 0"),
        ("--all", "is not a git revision"),
        ("", "is not a git revision"),
    ],
)
def test_a_revision_that_is_not_there(pipeline: Pipeline, revision: str, told: str) -> None:
    """A base that the clone lacks is an error that says how to have it."""
    pipeline.declare(SHIRT)
    pipeline.declare(COAT)
    done = pipeline.run("plan", f"--base={revision}")
    assert done.code == 1
    assert told in done.err


def test_diff_shows_what_plan_would(pipeline: Pipeline) -> None:
    """A fork's clone, without key and network, shows the plan of an in-sync remote."""
    pipeline.declare(SHIRT, COAT, HAT)
    pipeline.apply_once()
    folder = pipeline.clone("--no-local")
    git(folder, "checkout", "--quiet", "-b", "branch")
    write(
        folder,
        SHIRT.replace("top", "dress"),
        "{store_id: '22', name: Coat, type: coat, renamed_from: '2'}",
        "{store_id: '4', name: Sock, type: sock, tags: [wool]}",
    )
    plan = json.loads(in_process(folder, "plan", "--format", "json", **pipeline.environ).out)
    git(folder, "remote", "remove", "origin")
    done = offline(folder, "diff", "main", "--format", "json", "--detailed-exitcode")
    assert done.code == 2, done.err
    diff = json.loads(done.out)
    assert len(diff["changes"]) == 4
    assert bare(diff["changes"]) == bare(plan["changes"])
    assert diff["summary"] == plan["summary"]
    assert {change["id"] for change in diff["changes"]} == {"1", "2", "3", None}

    git(folder, "commit", "--quiet", "--all", "-m", "Edit")
    for revisions in ("main..branch", "main...branch", "main.."):
        again = json.loads(offline(folder, "diff", revisions, "--format", "json").out)
        assert again["changes"] == diff["changes"]
    assert offline(folder, "diff", "HEAD", "--detailed-exitcode").code == 0
    narrow = offline(folder, "diff", "main..", "--select", "4", "--output", "out.md")
    assert (narrow.code, narrow.out) == (0, "")
    assert "Sock" in (folder / "out.md").read_text(encoding="utf-8")
    assert git(folder, "status", "--porcelain") == "?? out.md"


def test_diff_says_nothing_of_a_remote_that_it_did_not_ask(pipeline: Pipeline) -> None:
    """A rename in both revisions, a pattern for what is declared nowhere: both may be needed still.

    The warnings of `plan` about them would have their reader lose products.
    """
    pipeline.declare("{store_id: '22', name: Coat, type: coat, image_url: '', renamed_from: '2'}")
    folder = pipeline.clone()
    (folder / "reconciler.yaml").write_text('protected: ["gift-*"]\n', encoding="utf-8")
    done = offline(folder, "diff", "HEAD", "--format", "json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["warnings"] == []
    assert "warning" not in done.err


def test_a_saved_diff_is_not_applied(pipeline: Pipeline) -> None:
    """A diff knows no ids, so where it is taken for a plan it is refused as stale, and no more."""
    pipeline.declare(SHIRT)
    pipeline.apply_once()
    writes = pipeline.writes()
    folder = pipeline.clone()
    write(folder, SHIRT.replace("Shirt", "Blouse"))
    saved = offline(folder, "diff", "HEAD", "--format", "json", "--output", "diff.json")
    assert saved.code == 0
    assert in_process(folder, "show", "diff.json").code == 0
    assert in_process(folder, "apply", "diff.json", **pipeline.environ).code == 4
    assert pipeline.writes() == writes
