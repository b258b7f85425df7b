"""Work spread over processes: the same results whoever makes them, and nothing left behind."""

import _thread
import os
import signal
import subprocess
import sys
import time
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

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child processes")


def outcome(work: Callable[[int], T], count: int, children: int) -> list[T]:
    """All results, and proof that no child of this process is left."""
    with spread(work, count, children=children) as results:
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


def is_child() -> bool:
    """Whether this is not the process that runs the tests."""
    return os.getpid() != HERE


@pytest.mark.parametrize("children", [0, 1, 3, 9])
@pytest.mark.parametrize("count", [0, 1, 2, 5, MOST_TASKS])
def test_results_come_in_order(children: int, count: int) -> None:
    """Every task is done, and its result is told at its place, however many processes there are."""
    assert outcome(lambda task: task * task, count, children) == [n * n for n in range(count)]


def test_children_do_the_work() -> None:
    """Each child does the task that it begins with; without children all is done here."""
    makers = outcome(lambda _: os.getpid(), 8, 2)
    assert HERE not in makers[:2]
    assert makers[0] != makers[1]
    assert outcome(lambda _: os.getpid(), 8, 0) == [HERE] * 8


def test_children_go_on_to_further_tasks() -> None:
    """A child takes what nobody has begun, as this process does."""

    def work(task: int) -> int:
        if not is_child():
            time.sleep(0.05)
        return os.getpid()

    makers = outcome(work, 30, 1)
    assert makers.count(makers[0]) > 1
    assert set(makers) == {makers[0], HERE}


def test_too_many_tasks() -> None:
    """More tasks than there are numbers for are refused, whoever would do them."""
    with (
        pytest.raises(ValueError, match=f"{MOST_TASKS + 1} tasks"),
        spread(lambda task: task, MOST_TASKS + 1, children=0),
    ):
        pass


def test_children_hear_signals_as_this_process_does() -> None:
    """What holds signals back while a child is made is let go in both."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        masks = outcome(lambda _: signal.pthread_sigmask(signal.SIG_BLOCK, ()), 3, 2)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert masks == [{*before, signal.SIGUSR2}] * 3


def test_large_results() -> None:
    """A result that is larger than any pipe arrives whole, while others are made here."""
    sizes = [len(str(made)) for made in outcome(lambda task: "x" * (LARGE + task), 6, 2)]
    assert sizes == [LARGE + task for task in range(6)]


@pytest.mark.parametrize("fatal", [{0}, {1}, {0, 1}, {3}, set(range(8))])
def test_a_child_that_is_killed(fatal: set[int]) -> None:
    """What a child was at when it was killed is done again here."""

    def work(task: int) -> int:
        if task in fatal and is_child():
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    assert outcome(work, 8, 2) == list(range(8))


def test_a_child_that_is_killed_in_the_midst_of_a_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half a result is none."""

    class Fatal:
        """Kills whoever pickles it."""

        def __reduce__(self) -> tuple[type[int], tuple[()]]:
            os.kill(os.getpid(), signal.SIGKILL)
            return int, ()

    def work(task: int) -> object:
        return task if not is_child() else Fatal()

    assert outcome(work, 4, 2) == [0, 1, 2, 3]

    from multiprocessing.connection import Connection

    def half(connection: "Connection[object, object]", result: object) -> None:
        os.write(connection.fileno(), b"\0\0\0\x10" + b"half")
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Connection, "send", half)
    assert outcome(lambda task: task, 4, 2) == [0, 1, 2, 3]


def test_an_error_is_told_by_this_process(capfd: pytest.CaptureFixture[str]) -> None:
    """What fails in a child fails again here, where it can be told; children say nothing."""

    def work(task: int) -> int:
        if task == 1:
            raise ValueError(os.getpid())
        return task

    with pytest.raises(ValueError, match=f"^{HERE}$"):
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
    """Children end with the block, whatever they are at, and leave nothing open."""
    before = open_files()

    def block() -> None:
        with spread(lambda task: "x" * LARGE if task else task, 9, children=3) as results:
            next(results)
            raise KeyError

    with pytest.raises(KeyError):
        block()
    assert_alone()
    assert open_files() == before


def test_no_children_beside_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with threads forks none, be they known to Python or not."""
    monkeypatch.setattr(processes, "_has_threads", lambda: False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3))
    assert spare_processes() == 2
    monkeypatch.undo()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3))
    end = _thread.allocate_lock()
    end.acquire()
    _thread.start_new_thread(end.acquire, ())
    assert spare_processes() == 0
    end.release()


def test_no_more_children_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core is this process's own; many are more than it can take results from."""
    monkeypatch.setattr(processes, "_has_threads", lambda: False)
    for cores, children in ((1, 0), (2, 1), (4, 3), (99, processes._MOST_CHILDREN)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: range(cores))
        assert spare_processes() == children
    monkeypatch.setattr(sys, "platform", "darwin")
    assert spare_processes() == 0


def test_a_system_that_does_not_tell_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /proc is not to be had there may be threads."""

    def refuse(_: str) -> list[str]:
        raise FileNotFoundError

    monkeypatch.setattr(os, "listdir", refuse)
    assert spare_processes() == 0


def test_no_descriptors_left() -> None:
    """Where no pipe can be opened this process does the work."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limit[1]))
    try:
        made = outcome(lambda _: os.getpid(), 4, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert made == [HERE] * 4


def test_children_that_nobody_waits_for() -> None:
    """A program that ignores the end of its children gets the same results."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert outcome(lambda task: task, 9, 3) == list(range(9))
    finally:
        signal.signal(signal.SIGCHLD, before)


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
    with spread(work, 2, children=1) as results:
        list(results)
except KeyboardInterrupt:
    print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_this_process_s_matter(number: int) -> None:
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
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("handled\nended\n", "", 0)


_ORPHANED = """
import os, sys, time
from reconciler.processes import spread

here = os.getpid()

def work(task):
    if os.getpid() == here:
        time.sleep(60)
    os.write(1, b"begun\\n")
    if sys.argv[1] == "busy":
        time.sleep(60)
    return "x" * 3_000_000

if sys.argv[1] == "telling":
    sys.modules["ctypes"] = None  # it cannot ask to be told

with spread(work, 9, children=2) as results:
    list(results)
"""


@pytest.mark.parametrize("at", ["busy", "telling"])
def test_children_end_with_their_process(at: str) -> None:
    """Children of a process that was killed end: at once, or when they next tell a result."""
    with subprocess.Popen(
        [sys.executable, "-c", _ORPHANED, at], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        process.kill()
        # Whoever still runs has standard output open.
        out, _ = process.communicate(timeout=30)
    assert set(out.split()) <= {"begun"}


def said(program: str) -> tuple[str, str]:
    """What a program, in a group of its own, says on both streams until it ends well."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        start_new_session=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout, done.stderr


_HANDLED = """
import os, signal, socket, sys, time
from reconciler.processes import spread

woken, waking = socket.socketpair()
waking.setblocking(False)
signal.set_wakeup_fd(waking.fileno())

def handle(number, frame):
    os.write(1, b"handled\\n")

signal.signal(signal.SIGUSR1, handle)
here = os.getpid()

def work(task):
    if os.getpid() == here:
        time.sleep(0.01)
    elif task == 0:
        os.killpg(0, signal.SIGUSR1)
        time.sleep(60)
    return task

with spread(work, 3, children=1) as results:
    print(list(results), len(woken.recv(99)))
"""


def test_handlers_are_this_process_s_own() -> None:
    """A signal to the whole group is handled once; a child that it ends is not missed."""
    assert said(_HANDLED) == ("handled\n[0, 1, 2] 1\n", "")


_FORKING = """
import os, signal
from reconciler.processes import spread

os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    with spread(lambda task: signal.pause(), 9, children=2) as results:
        list(results)
except KeyboardInterrupt:
    try:
        print(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        print("alone")
"""


def test_ctrl_c_while_a_child_is_made() -> None:
    """A child is known, and so ended, before any signal is handled."""
    assert said(_FORKING) == ("alone\n", "")
