"""The workers on this machine: processes, each with several tasks under way."""

import os
import signal
import threading
from concurrent.futures import wait
from pathlib import Path

import pytest

from reconciler.fleet.local import LocalExecutor, _Child, local_place
from reconciler.fleet.place import WorkerLost

_seen: list[str] = []


def pid_of(_: int) -> int:
    """The process of a worker."""
    return os.getpid()


def meet(folder: str, number: int, others: int) -> int:
    """Say that this task is under way, and wait for the others: they must be so too."""
    path = Path(folder)
    (path / str(number)).touch()
    pause = threading.Event()
    while len([*path.iterdir()]) < others:
        pause.wait(0.005)
    return os.getpid()


def die() -> None:
    """End the worker at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    """Raise."""
    raise ValueError("of the task")


def note(text: str) -> None:
    """Keep a text in the worker."""
    _seen.append(text)


def noted() -> list[str]:
    """The texts that the worker has kept."""
    return _seen


def test_tasks_share_processes_and_die_alone(tmp_path: Path) -> None:
    """Four tasks meet in two processes; one that dies takes only its own tasks with it."""
    with local_place(4, processes=2) as place:
        executor = place.executor
        meeting = [executor.submit(meet, str(tmp_path), number, 4) for number in range(4)]
        assert len({future.result(timeout=60) for future in meeting}) == 2
        with pytest.raises(ValueError, match="of the task"):
            executor.submit(fail).result(timeout=60)
        place.broadcast(note, "to all")
        assert executor.submit(noted).result(timeout=60) == ["to all"]
        lost = executor.submit(die)
        with pytest.raises(WorkerLost):
            lost.result(timeout=60)
        rest = [executor.submit(pid_of, number) for number in range(6)]
        wait(rest, timeout=60)
        assert len({future.result() for future in rest}) == 1
        # With none left, the next task has a new one.
        with pytest.raises(WorkerLost):
            executor.submit(die).result(timeout=60)
        assert executor.submit(pid_of, 0).result(timeout=60) != os.getpid()


def test_nothing_is_taken_after_the_end() -> None:
    """An executor that was shut down refuses tasks; shutting it down at once ends its children."""
    executor = LocalExecutor(1, 1)
    executor.shutdown(cancel_futures=True)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(pid_of, 0)


def test_a_task_may_be_settled_as_soon_as_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ends meanwhile loses its task, and does not end the run."""
    executor = LocalExecutor(1, 1)
    with monkeypatch.context() as patched:
        lost = WorkerLost("ended")
        patched.setattr(_Child, "send", lambda child, m: child.tasks.pop(m[0]).set_exception(lost))
        future = executor.submit(pid_of, 0)
    executor.shutdown()
    assert future.exception() is lost
