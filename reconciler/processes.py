"""Work spread over processes: in one of them, what computes takes turns.

Helpers are forked, so that they begin with all that this process has loaded and read; they end
with the work, or with this process. A process is forked only where that is safe and of use: on
Linux, while no other thread runs (it could hold a lock that nobody would ever free), and where
there is a core for it. Where it is not, and whatever becomes of a helper, this process does all the
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

_MOST_HELPERS: Final = 4
"""With more of them this process would do nothing but take in what they make."""
_AHEAD: Final = 1024 * 1024
"""Bytes of results that a helper may be ahead: as many as Linux grants to anybody."""
_PR_SET_PDEATHSIG: Final = 1


def spare_processes() -> int:
    """How many helpers this process may have now."""
    if sys.platform != "linux" or _has_threads():
        return 0
    return min(len(os.sched_getaffinity(0)) - 1, _MOST_HELPERS)


def _has_threads() -> bool:
    """Whether other threads run, be they Python's or not."""
    try:
        return len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208  (pathlib is slower to ask)
    except OSError:
        return True


@contextmanager
def spread(work: Callable[[int], T], count: int, *, helpers: int) -> Iterator[Iterator[T]]:
    """The results of the tasks 0 to `count` - 1, MOST_TASKS at the most, in their order.

    Helpers begin at once. While this process waits for a result it does what nobody has begun, and
    last what was lost with a helper. Results are pickled on their way from helpers.
    """
    team = _Team(work, count)
    try:
        team.call_in(min(helpers, count))
        yield team.results()
    finally:
        team.dismiss()


class _Team(Generic[T]):
    """Whoever works on the tasks: helpers, who begin with one each, and the process that has them.

    All take the other tasks one by one.
    """

    def __init__(self, work: Callable[[int], T], count: int) -> None:
        self._work = work
        self._count = count
        self._tasks: int | None = None
        self._helpers: list[int] = []
        self._sources: list[Connection] = []
        """What helpers send results by, for as long as they do."""

    def call_in(self, helpers: int) -> None:
        """Fork so many helpers, or as many as the system allows."""
        if helpers <= 0:
            return
        try:
            self._tasks, giving = os.pipe()
        except OSError:
            return
        try:
            with suppress(OSError, RuntimeError):
                while len(self._helpers) < helpers:
                    self._fork(giving)
            os.write(giving, bytes(range(len(self._helpers), self._count)))
        finally:
            os.close(giving)

    def _fork(self, giving: int) -> None:
        """Fork one helper; `giving` is the end of the pipe that tasks come from."""
        from multiprocessing.connection import Pipe  # most catalogues need no helpers

        source, results = Pipe(duplex=False)
        with results:
            _enlarge(results)
            # A signal's handler is this program's: it must not run in a helper, nor before it is
            # known here that there is one.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            try:
                parent = os.getpid()
                pid = os.fork()
                if pid == 0:
                    self._help(parent, before, giving, (source, *self._sources), results)
                self._helpers.append(pid)
                self._sources.append(source)
            except BaseException:
                source.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _help(
        self,
        parent: int,
        mask: set[signal.Signals | int],
        giving: int,
        sources: Iterable["Connection"],
        results: "Connection",
    ) -> NoReturn:
        """Be a helper. It says nothing: what it cannot do is done again where it can be told."""
        try:
            _end_with(parent)
            _forget_handlers()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(giving)
            for source in sources:
                source.close()
            task: int | None = len(self._helpers)
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
                self._receive(made, patience=0)
                if wanted in made:
                    break
                task = self._next()
                if task is not None:
                    made[task] = self._work(task)
                elif self._sources:
                    self._receive(made, patience=None)
                else:
                    made[wanted] = self._work(wanted)
            yield made.pop(wanted)

    def _receive(self, made: dict[int, T], patience: float | None) -> None:
        """Take in what helpers have sent; wait for something where `patience` is None."""
        if not self._sources:
            return
        from multiprocessing.connection import wait

        ready = wait(self._sources, patience)
        for source in [source for source in self._sources if source in ready]:
            try:
                task, result = source.recv()
            except (EOFError, OSError):  # it has ended, or was ended in the midst of a result
                self._sources.remove(source)
                source.close()
            else:
                made[task] = result

    def dismiss(self) -> None:
        """End the helpers, whatever they are at."""
        for source in self._sources:
            source.close()
        if self._tasks is not None:
            os.close(self._tasks)
        for pid in self._helpers:
            # Who ignores SIGCHLD, or waits for any child, has its number given to others already.
            with suppress(OSError):
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


def _enlarge(results: "Connection") -> None:
    """Let a helper be ahead by some results, where the system lets it."""
    import fcntl  # Windows has none

    with suppress(OSError):
        fcntl.fcntl(results.fileno(), fcntl.F_SETPIPE_SZ, _AHEAD)


def _end_with(parent: int) -> None:
    """Let this helper be killed when its parent ends, which may have its locks and pipes open."""
    with suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _forget_handlers() -> None:
    """Leave signals to the process that has handlers for them."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all of its group
