"""Sender: one call as often as it may be made, through the governor, and counted.

GET, PATCH and DELETE mean the same when they are made twice, so they are repeated with backoff and
full jitter, within a budget. POST is not: it is made once, and an answer that does not tell what
happened is an error with `may_have_landed`, to be settled by whoever knows what was there before.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock, local
from time import thread_time
from typing import Final

from reconciler.clock import Clock
from reconciler.errors import Interrupted, KeyRefused, Rejected, RemoteError, Unreachable
from reconciler.remote.answers import (
    AGAIN,
    THROTTLE,
    Address,
    asked_wait,
    kind_of_answer,
    succeeded,
    verdict,
)
from reconciler.remote.calls import Repeats
from reconciler.remote.pacing import LONGEST_WAIT, Governor
from reconciler.remote.transport import Method, Response, Transport

_LOG: Final = logging.getLogger("reconciler.remote")


class Sender:
    """Sends calls over `transport` when the `governor` lets them through. Thread-safe.

    One call is repeated `retries` times at the most, all of them together `20 * retries` times and
    once for every ten calls. `calls` and `outcomes` are those of the Client.
    """

    def __init__(
        self,
        transport: Transport,
        governor: Governor,
        endpoint: Address,
        retries: int,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self.calls: Counter[str] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._transport = transport
        self._governor = governor
        self._endpoint = endpoint
        self._retries = retries
        self._clock = clock
        self._jitter = jitter
        self._count = Lock()
        self._thread = local()

    def _send(
        self, method: Method, query: Mapping[str, str], body: bytes | None, *, again: bool = False
    ) -> Response:
        """One call, when the governor lets it through; it hears what came of it."""
        with self._governor.slot():
            with self._count:
                self.calls[method] += 1
                self.calls["retries"] += again
            try:
                answer = self._transport.send(method, query, body)
            except Unreachable as error:
                _LOG.debug("%s %s: %s", method, dict(query), error.message)
                self._came_of(method, "unreachable")
                # The governor counts failures of all workers: a dead server is noticed once, not
                # once a worker.
                self._governor.failed(error)
                raise
            _LOG.debug("%s %s: status %d", method, dict(query), answer.status)
            self._came_of(method, kind_of_answer(method, answer))
            # A refusal is an answer too: it shows that the server lives and has room.
            if answer.status not in THROTTLE:
                self._governor.answered(self._worked())
                return answer
            asked = asked_wait(answer, self._clock.utc())
            if asked is not None and asked > LONGEST_WAIT:
                self._governor.give_up(verdict(method, answer, self._endpoint, asked))
            else:
                # Without a Retry-After a second's rest keeps all workers from asking again at once.
                self._governor.throttled(asked or 1.0)
            return answer

    def _came_of(self, method: Method, outcome: str) -> None:
        with self._count:
            self.outcomes[method, outcome] += 1

    def _worked(self) -> float:
        """The CPU seconds that this thread spent since it last asked; none if it never did."""
        # The time of this thread alone: the process's would count the work of every other worker
        # too.
        now = thread_time()
        before: float = getattr(self._thread, "asked", now)
        self._thread.asked = now
        return now - before

    def once(
        self, method: Method, query: Mapping[str, str], body: bytes, *, again: bool
    ) -> Response:
        """One call that reaches the server at most once: repeated only if it surely did not."""
        repeats = Repeats(self._retries)
        while True:
            try:
                return self._send(method, query, body, again=again)
            except Unreachable as error:
                failure = error
            if failure.may_have_landed or not self._another(repeats, failure):
                raise failure
            again = True
            # Full jitter: workers that failed together would else all come back together.
            self._governor.pause(self._jitter() * repeats.backoff)

    def repeatedly(
        self,
        method: Method,
        query: Mapping[str, str],
        body: bytes | None,
        *,
        again: bool = False,
        repeats: int | None = None,
    ) -> Response:
        """One call with a successful answer, repeated while that may help."""
        own, delay = Repeats(self._retries if repeats is None else repeats), 0.0
        failure: RemoteError | None = None
        while True:
            # An earlier try may have landed, so a later refusal does not prove that nothing was
            # written.
            lost = failure is not None and failure.may_have_landed
            unrest = failure is not None and lost and not failure.at_rest
            asked: float | None = None
            try:
                if failure is not None:
                    self._governor.pause(delay)
                answer = self._send(method, query, body, again=again)
            except Interrupted:
                # What is known of a write that may have landed is what its last try told.
                if failure is not None and lost:
                    raise failure from None
                raise
            except Unreachable as error:
                failure = error
            else:
                if succeeded(method, answer):
                    return answer
                asked = asked_wait(answer, self._clock.utc())
                failure = verdict(method, answer, self._endpoint, asked)
            failure.may_have_landed = failure.may_have_landed or lost
            # The server may still be at work on the try before.
            failure.at_rest = failure.at_rest and not unrest
            if (asked or 0.0) > LONGEST_WAIT or not self._another(own, failure):
                raise failure
            again = True
            delay = asked if asked is not None else self._jitter() * own.backoff

    def _another(self, repeats: Repeats, failure: RemoteError) -> bool:
        """Whether to repeat a call after one more failure, which learns how often it was."""
        failure.repeats = repeats.made
        # A key that is wrong now is wrong at the next try.
        if isinstance(failure, KeyRefused):
            return False
        if isinstance(failure, Rejected) and failure.status not in AGAIN:
            return False
        # `repeats` counts what one call may still do; this, what all of them together may.
        with self._count:
            spent = self.calls["retries"] >= 20 * self._retries + self.calls.total() // 10
        if spent or self._governor.dead:
            return False
        timed_out = isinstance(failure, Unreachable) and failure.timed_out
        return repeats.another(timed_out=timed_out)
