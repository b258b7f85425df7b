"""Work spread over processes: in one of them, what computes takes turns.

Children are forked, so that they begin with all that this process has loaded and read; they end
with the work, or with this process. A process is forked only where that is safe and of use: on
Linux, while no other thread runs (it could hold a lock that nobody would ever free), and where
there is a core for it. Where it is not, and whatever becomes of a child, this process does all the
work itself.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")

MOST_TASKS: Final = 256
"""A task is one byte in the pipe that all processes take their next task from."""

_MOST_CHILDREN: Final = 4
"""With more of them this process would do nothing but take in what they make."""
_AHEAD: Final = 1024 * 1024
"""Bytes of results that a child may be ahead: as many as Linux grants to anybody."""
_PR_SET_PDEATHSIG: Final = 1


def spare_processes() -> int:
    """How many child processes there may be now."""
    if sys.platform != "linux" or _has_threads():
        return 0
    return min(len(os.sched_getaffinity(0)) - 1, _MOST_CHILDREN)


def _has_threads() -> bool:
    """Whether other threads run, be they Python's or not."""
    try:
        return len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208  (pathlib is slower to ask)
    except OSError:
        return True


@contextmanager
def spread(work: Callable[[int], T], count: int, *, children: int) -> Iterator[Iterator[T]]:
    """The results of the tasks 0 to `count` - 1, in their order, to be taken within the block.

    Child processes begin at once. While this process waits for a result it does what nobody has
    begun, and last what was lost with a child. Results are pickled on their way. Raises ValueError
    for more than MOST_TASKS.
    """
    if count > MOST_TASKS:
        raise ValueError(f"{count} tasks, where {MOST_TASKS} are the most")
    pool = _Pool(work, count)
    try:
        pool.start(min(children, count))
        yield pool.results()
    finally:
        pool.close()


class _Pool(Generic[T]):
    """The processes that work on the tasks: children, with one each to begin with, and the parent.

    All take the other tasks one by one.
    """

    def __init__(self, work: Callable[[int], T], count: int) -> None:
        self._work = work
        self._count = count
        self._tasks: int | None = None
        self._children: list[int] = []
        self._sources: list[Connection] = []
        """Where results come from, for as long as they do."""

    def start(self, children: int) -> None:
        """Fork so many children, or as many as the system allows."""
        if children <= 0:
            return
        try:
            self._tasks, queue = os.pipe()
        except OSError:
            return
        try:
            with suppress(OSError, RuntimeError):
                while len(self._children) < children:
                    self._fork(queue)
            os.write(queue, bytes(range(len(self._children), self._count)))
        finally:
            os.close(queue)

    def _fork(self, queue: int) -> None:
        """Fork one child; `queue` is the end of the pipe that tasks are put into."""
        from multiprocessing.connection import Pipe  # most catalogues need no children

        source, results = Pipe(duplex=False)
        with results:
            _enlarge(results)
            # A signal's handler is this process's: it must not run in a child, nor before it is
            # known here that there is one.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            try:
                parent = os.getpid()
                pid = os.fork()
                if pid == 0:
                    self._run_child(parent, before, queue, (source, *self._sources), results)
                self._children.append(pid)
                self._sources.append(source)
            except BaseException:
                source.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run_child(
        self,
        parent: int,
        mask: set[signal.Signals | int],
        queue: int,
        sources: Iterable["Connection"],
        results: "Connection",
    ) -> NoReturn:
        """Be a child. It says nothing: what it cannot do is done again where it can be told."""
        try:
            _end_with(parent)
            _forget_handlers()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(queue)
            for source in sources:
                source.close()
            task: int | None = len(self._children)
            while task is not None:
                results.send((task, self._work(task)))
                task = self._next()
        finally:
            os._exit(0)

    def _next(self) -> int | None:
        """The next task that nobody has begun."""
        if self._tasks is None:
            return None
        task = os.read(self._tasks, 1)
        return task[0] if task else None

    def results(self) -> Iterator[T]:
        """The results in the order of the tasks."""
        made: dict[int, T] = {}
        for wanted in range(self._count):
            while wanted not in made:
                self._receive(made, timeout=0)
                if wanted in made:
                    break
                task = self._next()
                if task is not None:
                    made[task] = self._work(task)
                elif self._sources:
                    self._receive(made, timeout=None)
                else:
                    made[wanted] = self._work(wanted)
            yield made.pop(wanted)

    def _receive(self, made: dict[int, T], timeout: float | None) -> None:
        """Take in what children have sent; wait for something where `timeout` is None."""
        if not self._sources:
            return
        from multiprocessing.connection import wait

        ready = wait(self._sources, timeout)
        for source in [source for source in self._sources if source in ready]:
            try:
                task, result = source.recv()
            except (EOFError, OSError):  # it has ended, or was ended in the midst of a result
                self._sources.remove(source)
                source.close()
            else:
                made[task] = result

    def close(self) -> None:
        """End the children, whatever they are at."""
        for source in self._sources:
            source.close()
        self._sources.clear()
        if self._tasks is not None:
            os.close(self._tasks)
            self._tasks = None
        for pid in self._children:
            # Who ignores SIGCHLD, or waits for any child, has its number given to others already.
            with suppress(OSError):
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


def _enlarge(results: "Connection") -> None:
    """Let a child be ahead by some results, where the system lets it."""
    import fcntl  # Windows has none

    with suppress(OSError):
        fcntl.fcntl(results.fileno(), fcntl.F_SETPIPE_SZ, _AHEAD)


def _end_with(parent: int) -> None:
    """Let this child, which has its parent's pipes open, be killed when that ends."""
    with suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _forget_handlers() -> None:
    """Leave signals to the parent, which has the handlers."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all of its group
