"""`rehearse` and `plan --rehearse`: a run that has not happened, told as if it had."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.server import Sandbox
from tests.cli.run import shop

from .here import Here

KEY = "hush-hush-key"


@pytest.fixture
def remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A remote of a few products, some of them dirty, and a catalogue of three."""
    shop(folder, "Shirt", "Coat", "Hat")
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
        sandbox.store.seed(
            [
                {"store_id": "0001", "name": "Old shirt"},
                {"store_id": "x", "name": "Stranger", "size_chart": {"M": 1}},
            ]
        )
        sandbox.store.insert([{"store_id": None, "name": None}, {"store_id": 77, "name": "Seven"}])
        yield sandbox


def state(folder: Path, remote: Sandbox) -> tuple[object, ...]:
    """All that a rehearsal must leave alone: the remote, and every file."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return remote.store.rows(), {call.method for call in remote.store.calls()} - {"GET"}, files


def document(text: str) -> Any:
    """A rehearsal's JSON."""
    return json.loads(text)


def test_the_run_is_told_and_nothing_is_written(folder: Path, remote: Sandbox, here: Here) -> None:
    """The remote is read once; its records are copied, dirt and all; nothing is changed."""
    before = state(folder, remote)
    done = here("rehearse", "--format", "json", "--allow-deletes", "9")
    assert (done.code, done.err) == (0, "")
    told = document(done.out)
    assert told["format"] == "reconciler.rehearsal/1"
    assert told["converges"] is True
    assert told["summary"]["create"] == 2
    assert told["summary"]["blocked"] == 1
    assert told["report"]["summary"] == {
        "applied": 5,
        "failed": 0,
        "not_attempted": 0,
        "unknown": 0,
    }
    assert [(d["store_id"], d["fields"]) for d in told["destroys"]] == [
        ("77", []),
        ("x", ["size_chart"]),
    ]
    assert told["calls"] == sum(
        count for name, count in told["report"]["requests"].items() if name != "retries"
    )
    assert state(folder, remote) == before
    assert len(remote.store.calls()) == 1


def test_text_names_what_would_be_destroyed(remote: Sandbox, here: Here) -> None:
    """People read the products that go, with their data, before the counts."""
    done = here("rehearse")
    assert done.code == 0
    destroyed, counts = done.out.split("Applied 5 of 5 changes")
    assert "x Stranger" in destroyed
    assert 'size_chart: {"M": 1}' in destroyed
    assert "at the remote nothing was changed" in destroyed
    assert counts.endswith("calls, converges.\nA second plan is empty.\n")


def test_faults_strike_the_copy(folder: Path, remote: Sandbox, here: Here) -> None:
    """Lost answers of creates are settled without a wait, and a server that fails is told of."""
    lost = [{"kind": "reset", "method": "POST", "moment": "after", "nth": [1]}]
    (folder / "faults.json").write_text(json.dumps(lost))
    done = here("rehearse", "--faults", "faults.json", "--format", "json")
    assert (done.code, document(done.out)["converges"]) == (0, True)
    dead = [{"kind": "status", "method": "PATCH", "status": 400}]
    (folder / "faults.json").write_text(json.dumps(dead))
    done = here("rehearse", "--faults", "faults.json", "--format", "json")
    told = document(done.out)
    assert (done.code, told["converges"]) == (5, False)
    assert told["report"]["summary"]["failed"] == 1


def test_a_saved_plan_is_rehearsed(folder: Path, remote: Sandbox, here: Here) -> None:
    """A plan file runs as `apply` would run it: refused if it is stale, nothing left if it fits."""
    assert here("plan", "--out", "plan.json").code == 0
    done = here("rehearse", "plan.json", "--format", "json", "--output", "told.json")
    told = document((folder / "told.json").read_text())
    assert (done.code, done.out, told["converges"]) == (0, "", True)
    remote.store.update([str(remote.store.rows()[0].id)], {"name": "Newer shirt"})
    done = here("rehearse", "plan.json")
    assert (done.code, done.out) == (4, "")
    assert "Newer shirt" in done.err


def test_a_refusal_is_that_of_apply(folder: Path, remote: Sandbox, here: Here) -> None:
    """What a guard refuses is refused here too, and a plan that is rehearsed still shows it."""
    (folder / "reconciler.yaml").write_text("limits: {deletes: 1, floor: 1}\n")
    assert here("rehearse").code == 3
    done = here("plan", "--rehearse")
    assert done.code == 0
    assert "too_many_deletes" in done.err + done.out
    assert "Rehearsed" not in done.out


@pytest.mark.parametrize("format", ["text", "markdown", "html", "github"])
def test_a_plan_says_how_its_rehearsal_went(
    format: str, folder: Path, remote: Sandbox, here: Here
) -> None:
    """The line stands in each format for people, also when a saved plan is shown later."""
    done = here("plan", "--rehearse", "--format", format, "--out", "plan.json")
    assert done.code == 0
    assert "Rehearsed: 8 calls, converges." in done.out
    assert len(remote.store.calls()) == 1
    shown = here("show", "plan.json", "--format", format)
    assert "Rehearsed: 8 calls, converges." in shown.out
    assert document((folder / "plan.json").read_text())["rehearsal"] == {
        "calls": 8,
        "converges": True,
    }


def test_a_part_of_the_catalogue_converges_for_itself(remote: Sandbox, here: Here) -> None:
    """With --select only what was selected has to be done."""
    done = here("rehearse", "--select", "0002", "--format", "json")
    told = document(done.out)
    assert (done.code, told["converges"], told["summary"]["create"]) == (0, True, 1)


def test_the_ledger_is_read_and_kept(folder: Path, remote: Sandbox, here: Here) -> None:
    """What the ledger knows counts in the copy, and the ledger stays as it was."""
    assert here("apply", "--yes").code == 0
    text = (folder / "catalog" / "0001.yaml").read_text()
    (folder / "catalog" / "0001.yaml").write_text(text.replace("type: top", "type: dress"))
    before = state(folder, remote)
    told = document(here("rehearse", "--format", "json").out)
    assert (told["summary"]["update"], told["converges"]) == (1, True)
    assert state(folder, remote) == before
