"""One governor for all workers: who may call now, and when everyone waits.

A server that says "too many" (429) or "not now" (503) is believed by all workers at once: everyone
waits as long as it asks, the number of calls under way is halved, and grows back by one for each
full round of answers. A server that answers nothing at all is noticed soon.

Python runs one thread at a time. If a server answers at once, more calls under way only make
threads fight over the interpreter; if it is slow, they cost nothing. So the governor compares
the CPU time that calls take with the time that passes: fewer calls at once if that is most of
it, more, up to what the settings allow, if it is little.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Event
from typing import Final

from reconciler.clock import Clock
from reconciler.errors import Interrupted, RemoteError, Unreachable
from reconciler.remote.pace import Pace

LONGEST_WAIT: Final = 300.0
"""Seconds that a server may ask for. A longer wait is a pipeline's to make, not a call's."""

_FIRST_CONTACT: Final = 3
"""Failures in a row after which a server that has never answered is held to be dead."""


_BUSY: Final = 0.8
_AT_LEISURE: Final = 0.5
"""Parts of the time that passes which calls spend working: above the first fewer are let through,
below the second more. They are further apart than one step, so that it comes to rest between."""
_FEWEST: Final = 2
"""So many are let through however fast the server is: one works while the other waits."""
_WINDOW: Final = 8
"""Answers on which a step is based, at least; else two for each call under way."""


class Governor:
    """Lets calls through: `concurrency` at once, `rate` a second at the most, none while paused.

    `pace` is shared with the governors of other stores, and joined until `close`. Raises
    Interrupted in every waiting worker once `stop` is set.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        clock: Clock,
        stop: Event,
        rate: float | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._ceiling = concurrency
        self._limit = float(concurrency)
        self._useful = float(concurrency)
        self._answers = 0
        self._worked = 0.0
        self._since = clock.now()
        self._interval = 1 / rate if rate else 0.0
        self._pace = pace or Pace()
        self._pace.join()
        self._clock = clock
        self._stop = stop
        self._gate = Condition()
        self._under_way = 0
        self._not_before = 0.0
        self._next_start = 0.0
        self._answered = False
        self._failures = 0
        self._dead: RemoteError | None = None

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        return max(1, int(min(self._limit, self._useful)))

    @property
    def dead(self) -> bool:
        """Whether the server has stopped answering: no further call is let through."""
        return self._dead is not None

    def close(self) -> None:
        """Give the part of the shared pace back."""
        self._pace.leave()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for leave to make one call, and hold it while the call is under way."""
        self._enter()
        try:
            wait = self._pace.turn(now := self._clock.now()) - now
            if wait > 0 and self._clock.wait(wait, self._stop):
                raise Interrupted("Stopped before the call was made.")
            yield
        finally:
            with self._gate:
                self._under_way -= 1
                self._gate.notify()

    def _enter(self) -> None:
        while True:
            with self._gate:
                while self._under_way >= self.limit and not self._stop.is_set():
                    # A timeout, since setting `stop` wakes nobody: Ctrl-C must not wait for the
                    # next answer.
                    self._gate.wait(0.1)
                # Looked at after the wait too: the server may have died meanwhile.
                self._refuse_where_pointless()
                now = self._clock.now()
                start = max(self._not_before, self._next_start)
                if now >= start:
                    interval = max(self._interval, self._pace.interval)
                    # The turn is taken before the call is made, so that two workers cannot take the
                    # same one.
                    self._next_start = max(now, self._next_start) + interval
                    self._under_way += 1
                    return
            self._clock.wait(start - now, self._stop)

    def _refuse_where_pointless(self) -> None:
        if self._stop.is_set():
            raise Interrupted("Stopped before the call was made.")
        if self._dead is not None:
            raise Unreachable(self._dead.message, hint=self._dead.hint)

    def answered(self, worked: float = 0.0) -> None:
        """An answer came: the server lives, and may be asked a little more than before.

        `worked` is the CPU time, in seconds, that the worker spent since its last answer.
        """
        with self._gate:
            self._suit(worked)
            self._answered = True
            self._failures = 0
            # One more per full round of answers: a server that asked for less is tried gently.
            self._limit = min(float(self._ceiling), self._limit + 1 / max(1.0, self._limit))
            self._gate.notify()

    def _suit(self, worked: float) -> None:
        """Once there were enough answers: let fewer or more calls be under way, as suits them."""
        self._answers += 1
        self._worked += worked
        if self._answers < max(_WINDOW, 2 * self.limit):
            return
        now = self._clock.now()
        # Two answers may come within one tick of the clock.
        share = self._worked / max(now - self._since, 1e-9)
        if share > _BUSY:
            self._useful = max(min(_FEWEST, self._ceiling), self._useful * 0.75)
        elif share < _AT_LEISURE:
            self._useful = min(self._ceiling, self._useful * 1.5)
            self._gate.notify_all()
        self._answers, self._worked, self._since = 0, 0.0, now

    def throttled(self, seconds: float) -> None:
        """The server asks for less: everyone waits `seconds`, and half as many go on."""
        with self._gate:
            now = self._clock.now()
            # Calls that end while all wait had begun before: one burst halves once.
            if now >= self._not_before:
                self._limit = max(1.0, self._limit / 2)
            self._not_before = max(self._not_before, now + seconds)
            self._failures = 0
            self._answered = True

    def failed(self, error: RemoteError) -> None:
        """No answer came. Enough of these in a row, with none between, and the server is dead."""
        with self._gate:
            self._failures += 1
            # A server that worked before may restart, and each worker loses a call then.
            patience = 2 * self._ceiling + 6 if self._answered else _FIRST_CONTACT
            if self._failures >= patience:
                self._dead = error

    def give_up(self, error: RemoteError) -> None:
        """The server asks for more patience than a call has: nobody is let through any more."""
        with self._gate:
            self._dead = error

    def pause(self, seconds: float) -> None:
        """Let one worker wait `seconds` before it repeats a call; Interrupted if stopped."""
        if self._clock.wait(seconds, self._stop):
            raise Interrupted("Stopped while waiting to repeat a call.")
