"""Calls that are shared: none is older than its question, and one that fails fails alone."""

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from reconciler.ledger.git import GitLedger
from reconciler.ledger.holder import Holder
from reconciler.ledger.together import Together
from reconciler.model import Ledger
from tests.git.conftest import plain_git  # noqa: F401  (a fixture)


def test_those_who_wait_share_the_next_call() -> None:
    """While one call is under way the others gather, and are answered by one more."""
    calls: list[list[int]] = []
    first, gate = Event(), Event()

    def call(items: Sequence[int]) -> set[int]:
        calls.append([*items])
        if len(calls) == 1:
            first.set()
            gate.wait(10)
        return {*items}

    together: Together[int, set[int]] = Together(call, lambda answer: not answer)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(together, 0)]
        first.wait(10)
        answers += [pool.submit(together, number) for number in range(1, 8)]
        while len(together._waiting) < 7:
            first.wait(0.01)
        gate.set()
        assert all(number in answer.result() for number, answer in enumerate(answers))
    assert calls[0] == [0]
    assert [sorted(call) for call in calls[1:]] == [[*range(1, 8)]]


def test_what_fails_together_is_asked_for_alone() -> None:
    """A shared answer that failed is no answer: each item is called for again by itself."""
    calls: list[list[str]] = []
    first, gate = Event(), Event()

    def call(items: Sequence[str]) -> bool:
        calls.append([*items])
        if len(calls) == 1:
            first.set()
            gate.wait(10)
        return "bad" not in items

    together: Together[str, bool] = Together(call, lambda ok: not ok)
    with ThreadPoolExecutor(3) as pool:
        pool.submit(together, "first")
        first.wait(10)
        good, bad = pool.submit(together, "good"), pool.submit(together, "bad")
        while len(together._waiting) < 2:
            first.wait(0.01)
        gate.set()
        assert (good.result(), bad.result()) == (True, False)
    assert sorted(map(sorted, calls[1:])) == [["bad"], ["bad", "good"], ["good"]]


def test_an_error_is_everybody_s() -> None:
    """What the call raises is raised for each who waited for it, and the next call goes on."""
    calls: list[int] = []

    def call(items: Sequence[int]) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("no git")
        return 1

    together: Together[int, int] = Together(call, lambda _: False)
    with pytest.raises(ValueError, match="no git"):
        together(0)
    assert together(0) == 1


@pytest.mark.usefixtures("plain_git")
def test_many_ledgers_are_pushed_at_once(tmp_path: Path) -> None:
    """Stores that end together share pushes, and a refusal of one store's ref is its own."""
    origin, work = tmp_path / "origin.git", tmp_path / "work"
    subprocess.run(["git", "init", "-q", "--bare", str(origin)], check=True)
    subprocess.run(["git", "clone", "-q", str(origin), str(work)], check=True, capture_output=True)
    log = tmp_path / "pushes"
    hook = origin / "hooks" / "update"
    hook.write_text("#!/bin/sh\ncase $1 in *bad) exit 1;; esac\n")
    hook.chmod(0o755)
    counting = origin / "hooks" / "post-receive"
    counting.write_text(f"#!/bin/sh\nwc -l >> {log}\n")
    counting.chmod(0o755)
    names = [f"s{number}" for number in range(12)] + ["bad"]

    def save(name: str) -> Exception | None:
        store = GitLedger(work, store=name)
        try:
            with store.hold(timeout=0, holder=Holder.here()) as held:
                held.load()
                held.save(Ledger(), message="Save")
                held.save(Ledger(), message="Save again", last=True)
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(len(names)) as pool:
        errors = dict(zip(names, pool.map(save, names), strict=True))
    assert {name for name, error in errors.items() if error} == {"bad"}
    assert "refused the push" in str(errors["bad"])
    refs = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname)"], cwd=origin, check=True,
        capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert len(refs) == 12
    shared = [int(line) for line in log.read_text(encoding="utf-8").split()]
    assert sum(shared) == 24
    assert len(shared) < 24
