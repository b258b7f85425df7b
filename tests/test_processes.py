"""Work spread over processes: the same results whoever makes them, and nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children
from typing import TypeVar

import pytest

from reconciler.processes import spare_processes, spread
from tests.project import ROOT

T = TypeVar("T")

HERE = os.getpid()
LARGE = 3 * 1024 * 1024
"""Bytes that no pipe holds."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child processes"),
    # The process of a test may have threads, of xdist's.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
]


def outcome(work: Callable[[int], T], count: int, children: int) -> list[T]:
    """All results, and proof that no child of this process is left."""
    with spread(work, count, children=children) as results:
        made = list(results)
    assert active_children() == []
    return made


@pytest.mark.parametrize("children", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 130])
def test_results_come_in_order(children: int, count: int) -> None:
    """Every task is done, and its result is told at its place, however many processes there are."""
    assert outcome(lambda task: task * task, count, children) == [n * n for n in range(count)]


def test_children_do_the_work() -> None:
    """With children this process only takes their results; without any it does all itself."""
    assert HERE not in outcome(lambda _: os.getpid(), 8, 2)
    assert outcome(lambda _: os.getpid(), 8, 0) == [HERE] * 8


def test_large_results() -> None:
    """A result that is larger than any pipe arrives whole."""
    assert [len(made) for made in outcome(lambda _: b"x" * LARGE, 3, 2)] == [LARGE] * 3


def test_a_child_that_is_killed() -> None:
    """What was lost with a child is done here, and what had arrived is not done again."""

    def work(task: int) -> int:
        if task == 3 and os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    assert outcome(work, 9, 1) == list(range(9))


def test_a_child_that_is_killed_before_the_last_task_is_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pool that takes no more tasks leaves them to this process."""
    submit = ProcessPoolExecutor.submit

    def refuse(pool: ProcessPoolExecutor, function: Callable[..., int], task: int) -> Future[int]:
        if task > 1:
            raise BrokenProcessPool
        return submit(pool, function, task)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", refuse)
    assert outcome(lambda task: task * task, 5, 2) == [0, 1, 4, 9, 16]


def test_an_error_is_told_by_this_process(capfd: pytest.CaptureFixture[str]) -> None:
    """What fails in a child fails here, where it can be told; children say nothing."""

    def work(task: int) -> int:
        if task == 1:
            raise ValueError("the second task")
        return task

    with pytest.raises(ValueError, match="the second task"):
        outcome(work, 3, 2)
    assert active_children() == []
    assert capfd.readouterr() == ("", "")


def test_the_block_ends_early() -> None:
    """Children end with the block, whatever they are at."""
    with spread(lambda task: time.sleep(60 * task), 3, children=2) as results:
        next(results)
    assert active_children() == []


def test_no_children_beside_threads() -> None:
    """A process with threads forks none: one could hold a lock that a child would wait for."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert spare_processes() == 0
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(("cores", "children"), [(1, 0), (2, 2), (64, 5)])
def test_no_more_children_than_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, children: int
) -> None:
    """One core is best used alone; many are more than this process can take results from."""
    monkeypatch.setattr("reconciler.processes._has_threads", lambda: False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert spare_processes() == children


_INTERRUPTED = """
import os, signal, sys, time
from reconciler.processes import spread

def work(task):
    os.write(1, b"begun\\n")
    time.sleep(60)

def handle(number, frame):
    os.write(1, b"handled\\n")
    raise KeyboardInterrupt

signal.signal(signal.SIGINT, handle)
signal.signal(signal.SIGTERM, handle)
try:
    with spread(work, 2, children=1) as results:
        list(results)
except KeyboardInterrupt:
    print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_this_process_s_matter(number: int) -> None:
    """A signal to the whole group is handled once, by the process that has the children."""
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("handled\nended\n", "", 0)


_ORPHANED = """
import os, time
from reconciler.processes import spread

def work(task):
    os.write(1, b"begun\\n")
    time.sleep(60)

with spread(work, 9, children=2) as results:
    list(results)
"""


def test_children_end_with_their_process() -> None:
    """Children of a process that was killed end at once."""
    with subprocess.Popen(
        [sys.executable, "-c", _ORPHANED], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        process.kill()
        # Whoever still runs has standard output open.
        process.communicate(timeout=30)
