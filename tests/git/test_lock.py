"""The lock is the lease: one apply at a time, and what a dead one left is taken care of."""

import os
import signal
from pathlib import Path

import pytest

from reconciler.sandbox.faults import Fault
from tests.cli.run import in_process
from tests.git.pipeline import COAT, SHIRT, Pipeline, git, wait_until


def test_of_two_applies_one_writes(pipeline: Pipeline) -> None:
    """While one apply goes on another is told who holds the store; one that may wait does."""
    pipeline.declare(SHIRT, COAT)
    pipeline.pause_pushes()
    with pipeline.started("apply", "--yes") as first:
        wait_until(pipeline.held)
        with pipeline.started("apply", "--yes", "--lock-timeout", "60") as patient:
            second = pipeline.run("apply", "--yes")
            assert second.code == 1
            assert f"(process {first.pid})" in second.err
            assert "--lock-timeout" in second.err
            pipeline.resume_pushes()
            out, err = first.communicate(timeout=60)
            assert first.returncode == 0, out + err
            out, err = patient.communicate(timeout=60)
            assert patient.returncode == 0, out + err
    assert pipeline.writes() == 2
    assert not pipeline.held()
    assert pipeline.changes() == []


def test_two_started_together_double_nothing(pipeline: Pipeline) -> None:
    """Two applies that start at the same moment make each product once."""
    pipeline.declare(SHIRT, COAT)
    pipeline.sandbox.misbehave(Fault("hang", method="POST", seconds=1, nth=(1,)))
    with pipeline.started("apply", "--yes") as one, pipeline.started("apply", "--yes") as other:
        ends = [(run.communicate(timeout=60), run.returncode) for run in (one, other)]
    assert 0 in [code for _, code in ends]
    for (_, err), code in ends:
        assert code == 0 or "held by" in err or "Another run wrote" in err
    assert pipeline.writes() == 2
    assert pipeline.changes() == []


@pytest.mark.parametrize("unlock", [False, True])
def test_killed_in_the_middle(pipeline: Pipeline, unlock: bool) -> None:
    """After kill -9 what was in doubt is sent again, though the edit was reverted meanwhile."""
    pipeline.declare(SHIRT)
    pipeline.apply_once()
    pipeline.declare(SHIRT.replace("top", "dress"))
    hang = Fault("hang", method="PATCH", seconds=600, moment="after", nth=(1,))
    pipeline.sandbox.misbehave(hang)
    with pipeline.started("apply", "--yes") as first:
        wait_until(lambda: pipeline.sold_as("1") == "dress")
        assert pipeline.run("apply", "--yes").code == 1
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    pipeline.sandbox.misbehave()
    assert pipeline.held()
    pipeline.declare(SHIRT)
    (change,) = pipeline.changes()
    assert change["fields"]["type"]["in_doubt"]
    assert "unfinished" in pipeline.run("log").out
    if unlock:
        freed = pipeline.run("unlock")
        assert (freed.code, f"(process {first.pid})" in freed.out) == (0, True)
        assert freed.err.startswith("warning: Make sure")
        assert pipeline.run("unlock").out == "There was no lock to free.\n"
    third = pipeline.run("apply", "--yes")
    assert third.code == 0, third.err
    assert ("A run that died held the store" in third.err) is not unlock
    assert pipeline.sold_as("1") == "top"
    assert pipeline.changes() == []


def test_a_refused_push_stops_before_the_first_write(pipeline: Pipeline) -> None:
    """A server that does not take the ledger's ref stops the apply, which says what to allow."""
    pipeline.declare(SHIRT)
    hook = pipeline.origin / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho 'no refs but branches' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    refused = pipeline.run("apply", "--yes")
    assert refused.code == 1
    assert "refused the push of refs/reconciler/default" in refused.err
    assert "contents: write" in refused.err
    assert pipeline.writes() == 0
    assert pipeline.run("plan").code == 0


def test_offline_stops_before_the_first_write(pipeline: Pipeline) -> None:
    """Without the git remote nothing is planned or written, and the remedy is named."""
    pipeline.declare(SHIRT)
    folder = pipeline.clone()
    away = Path(f"{pipeline.origin}.away")
    pipeline.origin.rename(away)
    for command in (("apply", "--yes"), ("plan",), ("log",), ("unlock",)):
        done = in_process(folder, *command, **pipeline.environ)
        assert done.code == 1
        assert "cannot be read from the remote 'origin'" in done.err
        assert "hint: " in done.err
    assert pipeline.writes() == 0
    assert git(folder, "status", "--porcelain") == ""
