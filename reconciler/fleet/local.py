"""Workers on this machine: as many processes as cores, with several stores under way in each.

An apply waits for the API most of its time, so one process can work on several stores; and starting
a process costs more than planning a store does. A process pool runs one task in each child, and a
child that dies breaks it. Here only the tasks of that child are lost.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from reconciler.fleet.place import Place, WorkerLost
from reconciler.processes import can_fork, obey_parent

_GRACE: Final = 5.0
"""Seconds for a child to end after its last task."""


@contextmanager
def local_place(parallel: int, *, processes: int | None = None) -> Iterator[Place]:
    """A place with `parallel` slots in at most so many processes: one for each core by default.

    To be entered before this process starts threads, since children are then quicker to start.
    """
    number = max(1, min(processes or _cores(), parallel))
    executor = LocalExecutor(number, -(-parallel // number))
    try:
        yield Place(executor, parallel, executor.broadcast)
    finally:
        executor.shutdown()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalExecutor(Executor):
    """Runs tasks in `processes` children with `threads` each; a lost child's tasks are WorkerLost.

    Functions, arguments and results must be picklable.
    """

    def __init__(self, processes: int, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._numbers = count()
        self._closed = False
        # All children before the first thread: a fork beside threads could copy a held lock.
        self._children = [self._child() for _ in range(processes)]
        self._reader = threading.Thread(target=self._read, name="fleet-results", daemon=True)
        self._reader.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run `function(*args, **kwargs)` in the child that has the least to do."""
        future: Future[Any] = Future()
        # Before it is sent: the reader may settle it at once, if the child is just ending.
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            # All of them may have died by now, and stores still wait to be begun.
            if not self._children:
                self._children.append(self._child())
            child = min(self._children, key=lambda each: len(each.tasks))
            number = next(self._numbers)
            child.tasks[number] = future
            child.send((number, function, args, kwargs))
        return future

    def broadcast(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call `function` in every child, beside its tasks, without waiting for it."""
        with self._lock:
            for child in self._children:
                child.send((None, function, arguments, {}))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the tasks end, then the children; with `cancel_futures` they end at once."""
        with self._lock:
            self._closed = True
            children = [*self._children]
            for child in children:
                child.send(None)
        for child in children:
            if cancel_futures or not wait:
                child.process.kill()
            # A store under way may take hours; a child without tasks that does not end is stuck.
            child.process.join(None if wait and child.tasks else _GRACE)
            if child.process.is_alive():
                child.process.kill()
        if wait:
            self._reader.join()

    def _child(self) -> "_Child":
        # A forked child has everything imported already; it also has the settings (see `prepare`).
        context: Any = get_context("fork" if can_fork() else "spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._threads), daemon=True)
        process.start()
        # The child now has the only copy of its end, so its death ends the pipe.
        theirs.close()
        return _Child(process, ours)

    def _read(self) -> None:
        """Hand out results as they come, until no child is left."""
        while True:
            with self._lock:
                pipes = {child.pipe: child for child in self._children}
                if not pipes and self._closed:
                    return
            # A child that `submit` adds meanwhile is not among these pipes, hence the time limit.
            for pipe in wait([*pipes], timeout=0.5):
                self._take(pipes[pipe])  # type: ignore[index]  # what is ready is one of these

    def _take(self, child: "_Child") -> None:
        try:
            number, result, error = child.pipe.recv()
        except (EOFError, OSError):
            self._bury(child)
            return
        with self._lock:
            future = child.tasks.pop(number)
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _bury(self, child: "_Child") -> None:
        """Take a child away that has ended, and tell its tasks."""
        with self._lock:
            self._children.remove(child)
            lost = [*child.tasks.values()]
        child.pipe.close()
        child.process.join(_GRACE)
        for future in lost:
            future.set_exception(WorkerLost(f"The process {child.process.pid} ended early."))


class _Child:
    """One child process: its pipe, and the futures of what it has under way."""

    def __init__(self, process: BaseProcess, pipe: "Connection[Any, Any]") -> None:
        self.process = process
        self.pipe = pipe
        self.tasks: dict[int, Future[Any]] = {}

    def send(self, message: Any) -> None:
        """Send a message; a child that has ended is noticed by the reader."""
        with suppress(OSError):
            self.pipe.send(message)


def _serve(pipe: "Connection[Any, Any]", threads: int) -> None:
    """The life of a child: run what comes, until None comes."""
    obey_parent()
    sending = threading.Lock()
    with ThreadPoolExecutor(threads, thread_name_prefix="store") as pool:
        while (message := pipe.recv()) is not None:
            number, function, args, kwargs = message
            # Not in the pool: all its threads may be busy with the stores that this call is to
            # stop.
            if number is None:
                function(*args)
            else:
                pool.submit(_run, pipe, sending, number, function, args, kwargs)


def _run(
    pipe: "Connection[Any, Any]",
    sending: threading.Lock,
    number: int,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Run one task, and send its result or its error."""
    answer: tuple[int, Any, Exception | None]
    try:
        answer = (number, function(*args, **kwargs), None)
    except Exception as error:  # it is raised again when the result is asked for
        answer = (number, None, error)
    # Threads share the pipe, and two messages written at once would mix.
    with sending:
        pipe.send(answer)
