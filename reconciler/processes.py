"""Run CPU-bound tasks in processes, because threads share one interpreter lock.

Children are forked, so that they start with the modules and data of this process. That is safe only
while no other thread runs: it could hold a lock that nobody would ever free. So children are used
only on Linux, since /proc lists the threads there. Elsewhere, and if a child dies, this process
does the work.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

_R = TypeVar("_R")

# With more children this process would only be busy with unpickling their results.
_MOST_CHILDREN: Final = 5

# The function that a child runs per task. It is inherited by fork, since it cannot be pickled.
_work: Callable[[int], Any]


def spare_processes() -> int:
    """The number of child processes that is useful now."""
    if not can_fork():
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores, _MOST_CHILDREN) if cores > 1 else 0


def can_fork() -> bool:
    """Whether a child may be forked now: only on Linux, and while no other thread runs."""
    return sys.platform == "linux" and not _has_threads()


def _has_threads() -> bool:
    """Whether other threads run, in Python or in a library."""
    try:
        return len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208  (pathlib is slower to ask)
    except OSError:
        return True


@contextmanager
def spread(work: Callable[[int], _R], count: int, *, children: int) -> Iterator[Iterator[_R]]:
    """The results of the tasks 0 to `count` - 1, in order, to be read within the block.

    Children begin at once; without children a task runs when its result is read. Results must be
    picklable.
    """
    if children <= 0:
        yield map(work, range(count))
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_context

    others = active_children()
    pool = ProcessPoolExecutor(children, get_context("fork"), _begin, (work,))
    futures: deque[Future[_R]] = deque()
    whole = False
    try:
        for task in range(count):
            try:
                futures.append(pool.submit(_do, task))
            except BrokenProcessPool as error:  # a child has died already
                futures.append(Future())
                futures[-1].set_exception(error)
        yield _results(work, futures)
        whole = all(future.done() for future in futures)
    finally:
        if not whole:
            for child in active_children():
                # The pool keeps its processes to itself, and others may be children of the caller.
                if child not in others:
                    child.kill()
        pool.shutdown()


def _results(work: Callable[[int], _R], futures: "deque[Future[_R]]") -> Iterator[_R]:
    from concurrent.futures.process import BrokenProcessPool

    for task in range(len(futures)):
        try:
            # Popped, so that a result is freed as soon as the reader drops it.
            yield futures.popleft().result()
        except BrokenProcessPool:
            yield work(task)


def _begin(work: Callable[[int], Any]) -> None:
    """Set up a child that `spread` has forked."""
    global _work
    _work = work
    obey_parent()


def obey_parent() -> None:
    """Let this child leave signals to its parent, and end with it, however that comes."""
    from multiprocessing import parent_process
    from threading import Thread

    # An event loop of the caller may have set one: a signal to this child would wake that loop.
    signal.set_wakeup_fd(-1)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all of its group

    def end_with_parent() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
        os._exit(1)

    Thread(target=end_with_parent, daemon=True).start()


def _do(task: int) -> Any:
    return _work(task)
