"""Work spread over processes: the same results whoever makes them, and nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from reconciler import processes
from reconciler.processes import MOST_TASKS, spare_processes, spread
from tests.project import ROOT

T = TypeVar("T")

HERE = os.getpid()
LARGE = 3 * 1024 * 1024
"""Bytes that no pipe holds."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def outcome(work: Callable[[int], T], count: int, helpers: int) -> list[T]:
    """All results, and proof that no child of this process is left."""
    with spread(work, count, helpers=helpers) as results:
        made = list(results)
    assert_alone()
    return made


def assert_alone() -> None:
    """Check that this process has no child, running or ended."""
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def open_files() -> set[str]:
    """What this process has open."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def is_helper() -> bool:
    """Whether this is not the process that runs the tests."""
    return os.getpid() != HERE


@pytest.mark.parametrize("helpers", [0, 1, 3, 9])
@pytest.mark.parametrize("count", [0, 1, 2, 5, MOST_TASKS])
def test_results_come_in_order(helpers: int, count: int) -> None:
    """Every task is done, and its result is told at its place, however many processes there are."""
    assert outcome(lambda task: task * task, count, helpers) == [n * n for n in range(count)]


def test_helpers_do_the_work() -> None:
    """Each helper does the task that it begins with; without helpers all is done here."""
    makers = outcome(lambda _: os.getpid(), 8, 2)
    assert HERE not in makers[:2]
    assert makers[0] != makers[1]
    assert outcome(lambda _: os.getpid(), 8, 0) == [HERE] * 8


def test_large_results() -> None:
    """A result that is larger than any pipe arrives whole, while others are made here."""
    sizes = [len(str(made)) for made in outcome(lambda task: "x" * (LARGE + task), 6, 2)]
    assert sizes == [LARGE + task for task in range(6)]


@pytest.mark.parametrize("fatal", [{0}, {1}, {0, 1}, {3}, set(range(8))])
def test_a_helper_that_is_killed(fatal: set[int]) -> None:
    """What a helper was at when it was killed is done again here."""

    def work(task: int) -> int:
        if task in fatal and is_helper():
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    assert outcome(work, 8, 2) == list(range(8))


def test_a_helper_that_is_killed_in_the_midst_of_a_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half a result is none."""

    class Fatal:
        """Kills whoever pickles it."""

        def __reduce__(self) -> tuple[type[int], tuple[()]]:
            os.kill(os.getpid(), signal.SIGKILL)
            return int, ()

    def work(task: int) -> object:
        return task if not is_helper() else Fatal()

    assert outcome(work, 4, 2) == [0, 1, 2, 3]

    from multiprocessing.connection import Connection

    def half(connection: "Connection[object, object]", result: object) -> None:
        os.write(connection.fileno(), b"\0\0\0\x10" + b"half")
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Connection, "send", half)
    assert outcome(lambda task: task, 4, 2) == [0, 1, 2, 3]


def test_an_error_is_told_by_this_process(capfd: pytest.CaptureFixture[str]) -> None:
    """What fails in a helper fails again here, where it can be told; helpers say nothing."""

    def work(task: int) -> int:
        if task == 1:
            raise ValueError(os.getpid())
        return task

    with pytest.raises(ValueError, match=str(HERE)):
        outcome(work, 4, 2)
    assert_alone()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_system_without_room_for_processes(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no further process can be made, those that there are do the work."""
    forks = iter(range(allowed))
    fork = os.fork

    def limited() -> int:
        if next(forks, None) is None:
            raise BlockingIOError
        return fork()

    monkeypatch.setattr(os, "fork", limited)
    made = outcome(lambda task: (task, os.getpid()), 6, 3)
    assert [task for task, _ in made] == list(range(6))
    assert len({maker for _, maker in made}) == 1 + allowed


def test_the_block_ends_early() -> None:
    """Helpers end with the block, whatever they are at, and leave nothing open."""
    before = open_files()

    def block() -> None:
        with spread(lambda task: "x" * LARGE if task else task, 9, helpers=3) as results:
            next(results)
            raise KeyError

    with pytest.raises(KeyError):
        block()
    assert_alone()
    assert open_files() == before


def test_no_helpers_beside_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with threads forks none, nor one with a single core, nor one on another system."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3), raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert spare_processes() == 2
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert spare_processes() == 0
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(1))
    assert spare_processes() == 0
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(99))
    assert spare_processes() == processes._MOST_HELPERS
    monkeypatch.setattr(sys, "platform", "darwin")
    assert spare_processes() == 0


_INTERRUPTED = """
import os, signal, sys, time
from reconciler.processes import spread

def work(task):
    if task == 0:
        print("begun", flush=True)
        time.sleep(60)
    return task

def handle(number, frame):
    os.write(1, b"handled\\n")
    raise KeyboardInterrupt

signal.signal(signal.SIGINT, handle)
signal.signal(signal.SIGTERM, handle)
try:
    with spread(work, 2, helpers=1) as results:
        list(results)
except KeyboardInterrupt:
    print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_this_process_s_matter(number: int) -> None:
    """A signal to the whole group is handled once, by the process that has the helpers."""
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
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("handled\nended\n", "", 0)


_ORPHANED = """
import os, time
from reconciler.processes import spread

here = os.getpid()

def work(task):
    if os.getpid() == here:
        time.sleep(60)
    os.write(1, b"begun\\n")
    return "x" * 3_000_000

with spread(work, 9, helpers=2) as results:
    list(results)
"""


def test_helpers_end_with_their_process() -> None:
    """Helpers of a process that was killed end when they next tell a result."""
    with subprocess.Popen(
        [sys.executable, "-c", _ORPHANED], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        process.kill()
        # Whoever still runs has standard output open.
        out, _ = process.communicate(timeout=60)
    assert set(out.split()) <= {"begun"}
