"""One call to a git host for many stores: who asks while one is under way shares the next.

A host answers a push, a fetch or a look at its refs in a second or so, however many refs are named.
The stores of a fleet would otherwise wait for each other, and a host counts calls.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Final, Generic, TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_MOST: Final = 100
"""Items in one call: a command's line is not endless."""


class Together(Generic[_Item, _Answer]):
    """Makes `call` for all items that wait, one call at a time. Thread-safe.

    A call begins after its items were asked for, so its answer is never older than the question. If
    an answer for several has `failed`, each item is called for again alone: one that the host
    refuses must not fail the others.
    """

    def __init__(
        self,
        call: Callable[[Sequence[_Item]], _Answer],
        failed: Callable[[_Answer], bool],
    ) -> None:
        self._call = call
        self._failed = failed
        self._turn = Lock()
        self._waiting: deque[tuple[_Item, Future[tuple[_Answer, bool]]]] = deque()

    def __call__(self, item: _Item) -> _Answer:
        """The answer to a call for this item, and perhaps for others."""
        mine: Future[tuple[_Answer, bool]] = Future()
        # Appended before the turn is waited for: whoever has the turn takes all that wait along.
        self._waiting.append((item, mine))
        while not mine.done():
            with self._turn:
                if not mine.done():
                    self._next()
        answer, shared = mine.result()
        if shared and self._failed(answer):
            with self._turn:
                # One ref that the host refuses must not fail the other stores of the fleet.
                return self._call([item])
        return answer

    def _next(self) -> None:
        """Make one call for those who wait now."""
        batch = [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]
        try:
            answer = self._call([item for item, _ in batch])
        except BaseException as error:
            for _, future in batch:
                future.set_exception(error)
        else:
            for _, future in batch:
                future.set_result((answer, len(batch) > 1))
