"""Client: list, create, update and delete products at one Robosize endpoint.

GET, PATCH and DELETE mean the same when they are made twice, so they are repeated with backoff and
full jitter, within a budget. POST is not: it is made once, and an answer that does not tell what
happened is an error with `may_have_landed`, to be settled by whoever knows what was there before.
"""

import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from threading import Event, Lock, local
from time import thread_time
from typing import Any, Final, Self, TypeVar

from reconciler.clock import Clock, SystemClock
from reconciler.errors import (
    BadAnswer,
    Interrupted,
    KeyRefused,
    Rejected,
    RemoteError,
    Unreachable,
)
from reconciler.interpreter import paused
from reconciler.model import Body, Listing
from reconciler.progress import Progress, Silent
from reconciler.remote.answers import (
    AGAIN,
    THROTTLE,
    Address,
    asked_wait,
    created_id,
    kind_of_answer,
    misread,
    succeeded,
    verdict,
)
from reconciler.remote.calls import Calls, Repeats
from reconciler.remote.pace import Pace
from reconciler.remote.pacing import LONGEST_WAIT, Governor
from reconciler.remote.paging import read_whole
from reconciler.remote.redaction import Redactor
from reconciler.remote.transport import HttpTransport, Method, Response, Transport
from reconciler.remote.wire import Page, read_page
from reconciler.remote.workers import Workers

_T = TypeVar("_T")
_R = TypeVar("_R")

_LOG: Final = logging.getLogger("reconciler.remote")


class Client:
    """A connection to one store's products. Thread-safe; close it, or use it in a `with`.

    All calls together may repeat `20 * retries` times and once for every ten calls. `calls` counts
    what was sent, by method, with "retries" among them, and `outcomes` the answers, by method and
    kind. `pace` is shared with other clients. `transport` makes what sends single calls; a test
    passes its own.
    """

    def __init__(
        self,
        api_url: str,
        key: str,
        calls: Calls | None = None,
        *,
        transport: Callable[[str, str, Calls, Clock], Transport] = HttpTransport,
        clock: Clock | None = None,
        stop: Event | None = None,
        progress: Progress | None = None,
        pace: Pace | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        how = calls or Calls()
        self.clock = clock or SystemClock()
        self.stop = stop or Event()
        self.timeout = how.timeout
        self.retries = how.retries
        # A write that went unanswered may still be at work at the server after our time limit has
        # passed.
        self.settle = 2 * how.timeout if how.settle is None else how.settle
        self.progress = progress or Silent()
        self.calls: Counter[str] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.how = how
        self._jitter = jitter
        self._count = Lock()
        self._thread = local()
        redactor = Redactor([key])
        # Somebody may have pasted the key into the URL, and this text goes into messages (P5).
        self.api_url = redactor.redact(api_url)
        self._endpoint = Address(self.api_url, how.key_variable, redactor)
        self._transport = transport(api_url, key, how, self.clock)
        self.governor = Governor(
            concurrency=how.concurrency,
            clock=self.clock,
            stop=self.stop,
            rate=how.rate,
            pace=pace,
        )
        self._workers = Workers(how.concurrency)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what waits, let what is under way finish, and close the connections."""
        self._workers.close()
        self._transport.close()
        self.governor.close()

    # The four calls of the API ---------------------------------------------------------------

    def list(self) -> Listing:
        """Every product at the remote, proven whole (see `paging`)."""
        with paused():
            return read_whole(
                self._fetch,
                self._fetch_all,
                page_size=self.how.page_size,
                progress=self.progress,
                pause=self.governor.pause,
            )

    def create(self, body: Body, *, again: bool = False) -> str:
        """Create one product and return its id (product-sync-api.txt, "Create product").

        Made once. A RemoteError with `may_have_landed` leaves open whether the product exists.
        `again` says that it was posted before, and counts as a repeat.
        """
        # A repeated POST would make a second product for one store_id (P2).
        answer = self._once_sent("POST", {}, _json(body), again=again)
        asked = asked_wait(answer, self.clock.utc())
        return created_id(answer, self._endpoint, asked)

    def update(self, ids: Sequence[str], body: Body, *, repeats: int | None = None) -> None:
        """Set the fields of `body` on all `ids` (product-sync-api.txt, "Update product").

        `repeats` bounds how often this call may still be repeated, instead of the setting
        `retries`; a RemoteError says in `repeats` how often it was.
        """
        sent = _json({"products": list(ids), **body})
        self._repeatedly("PATCH", {}, sent, repeats=repeats)

    def delete(self, id: str, *, repeats: int | None = None) -> bool:
        """Delete one product; False if the server says that it does not exist (any more).

        `repeats` is as for `update`.
        """
        try:
            self._repeatedly("DELETE", {"hash": id}, None, repeats=repeats)
        except Rejected as error:
            # A repeated DELETE finds nothing if the lost answer was to one that worked: the goal is
            # met.
            if error.status in (404, 410):
                return False
            raise
        return True

    # How calls are made ------------------------------------------------------------------------

    def spread(self, function: Callable[[_T], _R], items: Iterable[_T]) -> Generator[_R]:
        """`function` of every item, side by side; results in order; the first error ends all."""
        return self._workers.spread(function, items)

    def _fetch(self, offset: int, limit: int | None) -> Page:
        query = _window(offset, limit)
        return self._page(query, self._repeatedly("GET", query, None))

    def _fetch_all(self, offsets: Iterable[int], limit: int | None) -> Generator[Page]:
        """The pages at `offsets`, in that order.

        Workers only fetch answers; reading them is left to the caller's thread, so that no call
        waits until the answer before it has been read.
        """

        def fetch(offset: int) -> tuple[Mapping[str, str], Response]:
            query = _window(offset, limit)
            return query, self._repeatedly("GET", query, None)

        # A reading that fails in the middle must not leave thousands of calls waiting in the pool.
        with closing(self.spread(fetch, offsets)) as answers:
            for query, answer in answers:
                yield self._page(query, answer)

    def _page(self, query: Mapping[str, str], answer: Response) -> Page:
        """One page; an answer that cannot be read is asked for once more, as a broken one is."""
        try:
            return read_page(answer, self._endpoint.redactor)
        except BadAnswer:
            answer = self._repeatedly("GET", query, None, again=True)
        try:
            return read_page(answer, self._endpoint.redactor)
        except BadAnswer as error:
            # Raised outside of the `except` block, so that the first complaint does not show as its
            # context.
            problem = error
        raise misread("GET", answer, self._endpoint, problem)

    def _once(
        self, method: Method, query: Mapping[str, str], body: bytes | None, *, again: bool = False
    ) -> Response:
        """One call, when the governor lets it through; it hears what came of it."""
        with self.governor.slot():
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
                self.governor.failed(error)
                raise
            _LOG.debug("%s %s: status %d", method, dict(query), answer.status)
            self._came_of(method, kind_of_answer(method, answer))
            # A refusal is an answer too: it shows that the server lives and has room.
            if answer.status not in THROTTLE:
                self.governor.answered(self._worked())
                return answer
            asked = asked_wait(answer, self.clock.utc())
            if asked is not None and asked > LONGEST_WAIT:
                self.governor.give_up(verdict(method, answer, self._endpoint, asked))
            else:
                # Without a Retry-After a second's rest keeps all workers from asking again at once.
                self.governor.throttled(asked or 1.0)
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

    def _once_sent(
        self, method: Method, query: Mapping[str, str], body: bytes, *, again: bool
    ) -> Response:
        """One call that reaches the server at most once: repeated only if it surely did not."""
        repeats = Repeats(self.how.retries)
        while True:
            try:
                return self._once(method, query, body, again=again)
            except Unreachable as error:
                failure = error
            if failure.may_have_landed or not self._another(repeats, failure):
                raise failure
            again = True
            # Full jitter: workers that failed together would else all come back together.
            self.governor.pause(self._jitter() * repeats.backoff)

    def _repeatedly(
        self,
        method: Method,
        query: Mapping[str, str],
        body: bytes | None,
        *,
        again: bool = False,
        repeats: int | None = None,
    ) -> Response:
        """One call with a successful answer, repeated while that may help."""
        own, delay = Repeats(self.how.retries if repeats is None else repeats), 0.0
        failure: RemoteError | None = None
        while True:
            # An earlier try may have landed, so a later refusal does not prove that nothing was
            # written.
            lost = failure is not None and failure.may_have_landed
            unrest = failure is not None and lost and not failure.at_rest
            asked: float | None = None
            try:
                if failure is not None:
                    self.governor.pause(delay)
                answer = self._once(method, query, body, again=again)
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
                asked = asked_wait(answer, self.clock.utc())
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
            spent = self.calls["retries"] >= 20 * self.how.retries + self.calls.total() // 10
        if spent or self.governor.dead:
            return False
        timed_out = isinstance(failure, Unreachable) and failure.timed_out
        return repeats.another(timed_out=timed_out)


def _window(offset: int, limit: int | None) -> dict[str, str]:
    """The query that asks for one window of the list."""
    asked = {"limit": limit, "offset": offset or None}
    return {name: str(value) for name, value in asked.items() if value is not None}


def _json(body: Mapping[str, Any]) -> bytes:
    """A body as JSON, keys in the order given; in ASCII, which every text survives."""
    return json.dumps(body, separators=(",", ":")).encode()
