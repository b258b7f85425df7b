"""Client: list, create, update and delete products at one Robosize endpoint.

What a call means is here, how often it is made in `sender`.
"""

import json
import random
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from threading import Event
from typing import Any, Self, TypeVar

from reconciler.clock import Clock, SystemClock
from reconciler.errors import BadAnswer, Rejected
from reconciler.interpreter import paused
from reconciler.model import Body, Listing
from reconciler.progress import Progress, Silent
from reconciler.remote.answers import Address, asked_wait, created_id, misread
from reconciler.remote.calls import Calls
from reconciler.remote.pace import Pace
from reconciler.remote.pacing import Governor
from reconciler.remote.paging import read_whole
from reconciler.remote.redaction import Redactor
from reconciler.remote.sender import Sender
from reconciler.remote.transport import HttpTransport, Response, Transport
from reconciler.remote.wire import Page, read_page
from reconciler.remote.workers import Workers

_T = TypeVar("_T")
_R = TypeVar("_R")


class Client:
    """A connection to one store's products. Thread-safe; close it, or use it in a `with`.

    `calls` counts what was sent, by method, with "retries" among them, and `outcomes` the answers,
    by method and kind. `pace` is shared with other clients. `transport` makes what sends single
    calls; a test passes its own.
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
        self.retries = how.retries
        # A write that went unanswered may still be at work at the server after our time limit has
        # passed.
        self.settle = 2 * how.timeout if how.settle is None else how.settle
        self.progress = progress or Silent()
        self.how = how
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
        self._sender = Sender(
            self._transport, self.governor, self._endpoint, how.retries, self.clock, jitter
        )
        self.calls, self.outcomes = self._sender.calls, self._sender.outcomes
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
        answer = self._sender.once("POST", {}, _json(body), again=again)
        asked = asked_wait(answer, self.clock.utc())
        return created_id(answer, self._endpoint, asked)

    def update(self, ids: Sequence[str], body: Body, *, repeats: int | None = None) -> None:
        """Set the fields of `body` on all `ids` (product-sync-api.txt, "Update product").

        `repeats` bounds how often this call may still be repeated, instead of the setting
        `retries`; a RemoteError says in `repeats` how often it was.
        """
        sent = _json({"products": list(ids), **body})
        self._sender.repeatedly("PATCH", {}, sent, repeats=repeats)

    def delete(self, id: str, *, repeats: int | None = None) -> bool:
        """Delete one product; False if the server says that it does not exist (any more).

        `repeats` is as for `update`.
        """
        try:
            self._sender.repeatedly("DELETE", {"hash": id}, None, repeats=repeats)
        except Rejected as error:
            # A repeated DELETE finds nothing if the lost answer was to one that worked: the goal is
            # met.
            if error.status in (404, 410):
                return False
            raise
        return True

    def spread(self, function: Callable[[_T], _R], items: Iterable[_T]) -> Generator[_R]:
        """`function` of every item, side by side; results in order; the first error ends all."""
        return self._workers.spread(function, items)

    def _fetch(self, offset: int, limit: int | None) -> Page:
        query = _window(offset, limit)
        return self._page(query, self._sender.repeatedly("GET", query, None))

    def _fetch_all(self, offsets: Iterable[int], limit: int | None) -> Generator[Page]:
        """The pages at `offsets`, in that order.

        Workers only fetch answers; reading them is left to the caller's thread, so that no call
        waits until the answer before it has been read.
        """

        def fetch(offset: int) -> tuple[Mapping[str, str], Response]:
            query = _window(offset, limit)
            return query, self._sender.repeatedly("GET", query, None)

        # A reading that fails in the middle must not leave thousands of calls waiting in the pool.
        with closing(self.spread(fetch, offsets)) as answers:
            for query, answer in answers:
                yield self._page(query, answer)

    def _page(self, query: Mapping[str, str], answer: Response) -> Page:
        """One page; an answer that cannot be read is asked for once more, as a broken one is."""
        try:
            return read_page(answer, self._endpoint.redactor)
        except BadAnswer:
            answer = self._sender.repeatedly("GET", query, None, again=True)
        try:
            return read_page(answer, self._endpoint.redactor)
        except BadAnswer as error:
            # Raised outside of the `except` block, so that the first complaint does not show as its
            # context.
            problem = error
        raise misread("GET", answer, self._endpoint, problem)


def _window(offset: int, limit: int | None) -> dict[str, str]:
    """The query that asks for one window of the list."""
    asked = {"limit": limit, "offset": offset or None}
    return {name: str(value) for name, value in asked.items() if value is not None}


def _json(body: Mapping[str, Any]) -> bytes:
    """A body as JSON, keys in the order given; in ASCII, which every text survives."""
    return json.dumps(body, separators=(",", ":")).encode()
