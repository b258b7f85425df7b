"""Workers: threads that make many calls side by side, without running far ahead of who waits."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

_AHEAD: Final = 4
"""Rounds of calls that are made before the first of them is looked at: enough that one slow answer
holds up no other call, few enough that answers do not pile up."""


class Workers:
    """A pool of `count` threads. What runs in it must not call `spread`, or it waits for itself."""

    def __init__(self, count: int) -> None:
        self._ahead = _AHEAD * count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="call")

    def close(self) -> None:
        """Drop what waits, and let what is under way finish."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def spread(self, function: Callable[[_T], _R], items: Iterable[_T]) -> Generator[_R]:
        """`function` of every item, side by side; results in order; the first error ends all."""
        errors: list[Exception] = []

        def guarded(item: _T) -> _R:
            # Calls that wait already must not be made once one has failed.
            if errors:
                raise errors[0]
            try:
                return function(item)
            except Exception as error:
                errors.append(error)
                raise

        waiting: deque[Future[_R]] = deque()
        rest = iter(items)
        try:
            for item in islice(rest, self._ahead):
                waiting.append(self._pool.submit(guarded, item))
            while waiting:
                yield waiting.popleft().result()
                # One more only when one was taken: a slow reader must not collect a whole
                # catalogue's answers.
                for item in islice(rest, 1):
                    waiting.append(self._pool.submit(guarded, item))
        finally:
            for future in waiting:
                # The reader may stop early: what has not begun would else still be sent.
                future.cancel()
