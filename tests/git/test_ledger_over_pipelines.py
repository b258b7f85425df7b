"""The ledger between pipelines: every edit is planned once, with its old value, and never again."""

import json
from typing import Any

from tests.cli.run import in_process
from tests.git.pipeline import COAT, SHIRT, Pipeline, git


def pair(fields: Any, key: str) -> tuple[object, object]:
    """The old and the new value of one field."""
    return fields[key]["before"], fields[key]["after"]


def test_every_edit_is_planned_once(pipeline: Pipeline) -> None:
    """Create, edit a type, revert it, rename, delete, adopt: each from a fresh shallow clone."""
    first = pipeline.declare(SHIRT, COAT)
    assert len(pipeline.apply_once()) == 2

    pipeline.declare(SHIRT.replace("top", "dress"), COAT)
    (fields,) = pipeline.apply_once()
    assert pair(fields, "type") == ("top", "dress")
    assert pipeline.sold_as("1") == "dress"

    pipeline.declare(SHIRT, COAT)
    (fields,) = pipeline.apply_once()
    assert pair(fields, "type") == ("dress", "top")

    before = pipeline.sandbox.store.row("2")
    pipeline.declare(SHIRT, "{store_id: '22', name: Coat, type: coat, renamed_from: '2'}")
    (fields,) = pipeline.apply_once()
    assert pair(fields, "store_id") == ("2", "22")
    after = pipeline.sandbox.store.row("22")
    assert before is not None
    assert after is not None
    assert before.id == after.id

    last = pipeline.declare(SHIRT)
    assert len(pipeline.apply_once()) == 1
    assert pipeline.sandbox.store.count() == 1
    assert pipeline.changes() == []

    log = json.loads(pipeline.run("log", "--format", "json").out)["entries"]
    assert [entry["summary"] for entry in log] == [
        "0 created, 0 updated, 1 deleted",
        "0 created, 1 updated, 0 deleted",
        "0 created, 1 updated, 0 deleted",
        "0 created, 1 updated, 0 deleted",
        "2 created, 0 updated, 0 deleted",
    ]
    assert (log[0]["catalog_commit"], log[-1]["catalog_commit"]) == (last, first)
    table = pipeline.run("log", "--limit", "2").out.splitlines()
    assert table[0].split() == ["time", "by", "changes", "result", "plan", "catalogue"]
    assert len(table) == 3
    assert "1 of 1 done" in table[1]
    assert last[:12] in table[1]


def test_an_adopted_product_is_remembered(pipeline: Pipeline) -> None:
    """What nobody knows is not sent; the first apply assumes it, and then every edit is seen."""
    pipeline.sandbox.store.create({"store_id": "1", "name": "Shirt", "type": "top"})
    pipeline.declare(SHIRT)
    told = pipeline.run("plan", "--detailed-exitcode")
    assert told.code == 0
    assert "1 unconfirmed" in told.out
    assert pipeline.apply_once() == []
    assert pipeline.writes() == 0
    assert "unconfirmed" not in pipeline.run("plan").out
    shown = json.loads(pipeline.run("ledger", "show", "1", "--format", "json").out)
    assert shown["products"][0]["fields"] == {"type": {"value": "top", "state": "assumed"}}

    pipeline.declare(SHIRT.replace("top", "dress"))
    (fields,) = pipeline.apply_once()
    assert pair(fields, "type") == ("top", "dress")
    assert pipeline.changes() == []
    assert pipeline.run("ledger", "show", "9").code == 1


def test_from_file_to_git_and_back(pipeline: Pipeline) -> None:
    """`ledger move` carries all that is remembered, says what to set, and leaves nothing behind."""
    pipeline.declare(SHIRT)
    folder = pipeline.clone()
    settings = folder / "reconciler.yaml"
    environ = {**pipeline.environ, "CI": "false"}
    settings.write_text("ledger: file\n", encoding="utf-8")
    assert in_process(folder, "apply", "--yes", **environ).code == 0

    moved = in_process(folder, "ledger", "move", "file", "git", **environ)
    assert (moved.code, "of 1 product to refs/reconciler/default" in moved.out) == (0, True)
    assert "write `ledger: git`" in moved.err
    assert not (folder / ".reconciler" / "ledger" / "default.jsonl").exists()
    assert in_process(folder, "ledger", "move", "file", "git", **environ).code == 1

    pipeline.declare(SHIRT.replace("top", "dress"))
    (change,) = pipeline.changes()
    assert pair(change["fields"], "type") == ("top", "dress")

    moved = in_process(folder, "ledger", "move", "git", "file", **environ)
    assert (moved.code, moved.err) == (0, "")
    assert "confirmed" in in_process(folder, "ledger", "show", **environ).out
    log = json.loads(in_process(folder, "log", "--format", "json", **environ).out)["entries"]
    assert [entry["result"] for entry in log] == ["1 of 1 calls done"]


def test_a_pipeline_without_memory_is_told(pipeline: Pipeline) -> None:
    """`ledger: file` in a pipeline without the file is warned of once, with the remedy."""
    pipeline.declare(SHIRT)
    folder = pipeline.clone()
    (folder / "reconciler.yaml").write_text("ledger: file\n", encoding="utf-8")
    told = in_process(folder, "plan", **pipeline.environ).err
    assert told.count("`ledger: git`") == 1
    assert told.count("Nothing is known of earlier runs") == 1
    elsewhere = in_process(folder, "plan", **{**pipeline.environ, "CI": ""}).err
    assert "Nothing is known of earlier runs" not in elsewhere
    assert in_process(folder, "apply", "--yes", **pipeline.environ).code == 0
    assert in_process(folder, "plan", **pipeline.environ).err == ""


def test_any_checkout_will_do(pipeline: Pipeline) -> None:
    """A detached HEAD and a linked work tree remember as a branch does."""
    pipeline.declare(SHIRT)
    folder = pipeline.clone("--depth=1", "--no-tags")
    git(folder, "checkout", "--quiet", "--detach")
    assert in_process(folder, "apply", "--yes", **pipeline.environ).code == 0
    tree = pipeline.folder / "tree"
    git(folder, "worktree", "add", "--quiet", "--detach", str(tree))
    (tree / "catalog" / "all.yaml").write_text(SHIRT.replace("top", "dress"), encoding="utf-8")
    done = in_process(tree, "plan", **pipeline.environ)
    assert "top → dress" in done.out
