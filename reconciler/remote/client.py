"""Client: list, create, update and delete products at one Robosize endpoint.

GET, PATCH and DELETE mean the same when they are made twice, so they are repeated with backoff and
full jitter, within a budget. POST is not: it is made once, and an answer that does not tell what
happened is an error with `may_have_landed`, to be settled by whoever knows what was there before.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event, Lock
from typing import Any, Final, Self, TypeVar

from urllib3.exceptions import InvalidHeader, MaxRetryError, ProtocolError
from urllib3.util import Retry

from reconciler.clock import Clock, SystemClock
from reconciler.errors import (
    BadAnswer,
    Interrupted,
    KeyRefused,
    Rejected,
    RemoteError,
    Unreachable,
)
from reconciler.model import Listing, Value
from reconciler.progress import Progress, Silent
from reconciler.remote.pacing import LONGEST_WAIT, Governor
from reconciler.remote.paging import read_whole
from reconciler.remote.transport import Answer, Method, Transport
from reconciler.remote.wire import Page, excerpt, read_object, read_page

T = TypeVar("T")
R = TypeVar("R")

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_THROTTLE: Final = frozenset({429, 503})
_REFUSED: Final = frozenset({400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422})
"""Statuses that say for certain that a create did not happen."""
_STILL_AT_WORK: Final = frozenset({408, 502, 504})
"""Statuses of something in between: the server behind it may not have ended."""
_TIMEOUTS_EACH: Final = 2
"""How often a call that timed out is repeated: each repeat costs a whole time limit more."""
_TIMED_OUT: Final = ProtocolError("timed out")
"""What Retry counts as a failed reading."""

Body = Mapping[str, Value]


class Client:
    """A connection to one store's products. Thread-safe; close it, or use it in a `with`.

    `retries` bounds the repeats of one call; all calls together may repeat `20 * retries` times and
    once for every ten calls. `calls` counts what was sent, by method, with "retries" among them.
    """

    def __init__(
        self,
        api_url: str,
        key: str,
        *,
        page_size: int = 200,
        concurrency: int = 16,
        timeout: float = 30.0,
        retries: int = 5,
        rate: float | None = None,
        proxy: str | None = None,
        ca_bundle: str | None = None,
        clock: Clock | None = None,
        stop: Event | None = None,
        progress: Progress | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock or SystemClock()
        self.stop = stop or Event()
        self.timeout = timeout
        self.progress = progress or Silent()
        self.governor = Governor(
            concurrency=concurrency, clock=self.clock, stop=self.stop, rate=rate
        )
        self.calls: Counter[str] = Counter()
        self._page_size = page_size
        self._retries = retries
        self._jitter = jitter
        self._count = Lock()
        self._transport = Transport(
            api_url,
            key,
            timeout=timeout,
            connections=concurrency,
            clock=self.clock,
            proxy=proxy,
            ca_bundle=ca_bundle,
        )
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="call")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what waits, let what is under way finish, and close the connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._transport.close()

    # The four calls of the API ---------------------------------------------------------------

    def list(self) -> Listing:
        """Every product at the remote, proven whole (see `paging`)."""
        return read_whole(
            self._fetch,
            self.spread,
            page_size=self._page_size,
            progress=self.progress,
            pause=self.governor.pause,
        )

    def create(self, body: Body) -> str:
        """Create one product and return its id (product-sync-api.txt, "Create product").

        Made once. A RemoteError with `may_have_landed` leaves open whether the product exists.
        """
        answer = self._once_sent("POST", {}, _json(body))
        if answer.status in _REFUSED or answer.status in (401, 403):
            raise self._rejection("POST", answer)
        if not 200 <= answer.status < 300:
            raise self._rejection("POST", answer, may_have_landed=True)
        result = (read_object(answer) if _is_json(answer) else None) or {}
        created, id = result.get("created"), result.get("id")
        if created == 0 and type(created) is int:
            raise BadAnswer("POST: the server answered that it created 0 products.")
        if created != 1 or not isinstance(id, str | int) or isinstance(id, bool) or id == "":
            raise self._misread("POST", answer)
        return str(id)

    def update(self, ids: Sequence[str], body: Body) -> None:
        """Set the fields of `body` on all `ids` (product-sync-api.txt, "Update product")."""
        self._repeatedly("PATCH", {}, _json({"products": list(ids), **body}))

    def delete(self, id: str) -> bool:
        """Delete one product; False where the server says that there is none (any more)."""
        try:
            self._repeatedly("DELETE", {"hash": id}, None)
        except Rejected as error:
            if error.status in (404, 410):
                return False
            raise
        return True

    # How calls are made ------------------------------------------------------------------------

    def spread(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """`function` of every item, side by side; results in order; the first error ends all."""
        futures = [self._pool.submit(function, item) for item in items]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failed = [f for f in futures if f in done and not f.cancelled() and f.exception()]
            if failed:
                failed[0].result()
        finally:
            for future in futures:
                future.cancel()
        return (future.result() for future in futures)

    def _fetch(self, offset: int, limit: int | None) -> Page:
        query = {"offset": str(offset)} if limit is None else {"limit": str(limit)}
        if limit is not None and offset:
            query["offset"] = str(offset)
        return self._reading(query)

    def _reading(self, query: Mapping[str, str]) -> Page:
        """One page; an answer that cannot be read is asked for once more, as a broken one is."""
        try:
            return read_page(self._repeatedly("GET", query, None))
        except BadAnswer:
            answer = self._repeatedly("GET", query, None, again=True)
        try:
            return read_page(answer)
        except BadAnswer as error:
            problem = error
        start = self._transport.redact(excerpt(answer.body))
        raise BadAnswer(
            f"GET: {problem.message} Status {answer.status}, {answer.content_type or 'no type'}: "
            f"{start!r}",
            hint=problem.hint,
        )

    def _once(
        self, method: Method, query: Mapping[str, str], body: bytes | None, *, again: bool = False
    ) -> Answer:
        """One call, when the governor lets it through; it hears what came of it."""
        with self.governor.slot():
            with self._count:
                self.calls[method] += 1
                self.calls["retries"] += again
            try:
                answer = self._transport.send(method, query, body)
            except Unreachable as error:
                self.governor.failed(error)
                raise
            if answer.status in _THROTTLE:
                self.governor.throttled(self._wish(answer) or 1.0)
            else:
                self.governor.answered()
            return answer

    def _once_sent(self, method: Method, query: Mapping[str, str], body: bytes) -> Answer:
        """One call that reaches the server at most once: repeated only where it surely did not."""
        retry, again = self._patience(), False
        while True:
            try:
                return self._once(method, query, body, again=again)
            except Unreachable as error:
                failure = error
            next_try = None if failure.may_have_landed else self._next(retry, method, failure)
            if next_try is None:
                raise failure
            retry, again = next_try, True
            if self.clock.wait(self._jitter() * retry.get_backoff_time(), self.stop):
                raise failure

    def _patience(self) -> Retry:
        return Retry(
            total=self._retries,
            read=_TIMEOUTS_EACH,
            allowed_methods=None,
            backoff_factor=0.5,
            backoff_max=20,
        )

    def _repeatedly(
        self,
        method: Method,
        query: Mapping[str, str],
        body: bytes | None,
        *,
        again: bool = False,
    ) -> Answer:
        """One call with a successful answer, repeated while that may help."""
        retry = self._patience()
        failure: RemoteError | None = None
        while True:
            lost = failure is not None and failure.may_have_landed
            asked: float | None = None
            try:
                answer = self._once(method, query, body, again=again)
            except Unreachable as error:
                failure = error
            except Interrupted:
                if failure is not None and lost:
                    raise failure from None
                raise
            else:
                if 200 <= answer.status < 300 and not self._suspicious(method, answer):
                    return answer
                failure = self._verdict(method, answer)
                asked = self._wish(answer)
            failure.may_have_landed = failure.may_have_landed or lost
            next_try = self._next(retry, method, failure)
            if next_try is None:
                raise failure
            retry, again = next_try, True
            delay = asked if asked is not None else self._jitter() * retry.get_backoff_time()
            if self.clock.wait(delay, self.stop):
                # No repeat any more: what is known of the call is what the last try told.
                raise failure

    def _next(self, retry: Retry, method: Method, failure: RemoteError) -> Retry | None:
        """The retry state after one more failure; None where no more is worth it."""
        if isinstance(failure, KeyRefused):
            return None
        if isinstance(failure, Rejected) and failure.status not in _AGAIN:
            return None
        with self._count:
            spent = self.calls["retries"] >= 20 * self._retries + self.calls.total() // 10
        if spent or self.governor.dead:
            return None
        timed_out = isinstance(failure, Unreachable) and failure.timed_out
        try:
            return retry.increment(method, None, error=_TIMED_OUT if timed_out else None)
        except MaxRetryError:
            return None

    def _suspicious(self, method: Method, answer: Answer) -> bool:
        """Whether a success is somebody else's, as a captive portal's is, and so proves nothing.

        A list proves itself. The API documents the JSON that a PATCH answers, and nothing of what a
        DELETE does.
        """
        if method == "GET" or answer.status == 204:
            return False
        if method == "DELETE":
            return answer.body.lstrip().startswith(b"<")
        return not _is_json(answer) or read_object(answer) is None

    def _verdict(self, method: Method, answer: Answer) -> RemoteError:
        if 200 <= answer.status < 300:
            return self._misread(method, answer)
        return self._rejection(
            method, answer, may_have_landed=method != "GET" and answer.status in _AGAIN
        )

    def _wish(self, answer: Answer) -> float | None:
        """The seconds that the server asks to wait; RemoteError where that is out of all reason."""
        if answer.retry_after is None:
            return None
        try:
            seconds = Retry().parse_retry_after(answer.retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            return None
        if seconds > LONGEST_WAIT:
            raise Rejected(
                f"The server asks to wait {seconds:.0f} s before the next call.",
                status=answer.status,
                hint="Run the command again after that.",
                may_have_landed=True,
            )
        return seconds

    # What answers mean -------------------------------------------------------------------------

    def _rejection(
        self, method: Method, answer: Answer, *, may_have_landed: bool = False
    ) -> RemoteError:
        if answer.status in (401, 403):
            return KeyRefused(
                f"{method}: the server refused the API key (status {answer.status}).",
                hint="Check ROBOSIZE_API_KEY; your account manager at Robosize issues keys.",
            )
        if 300 <= answer.status < 400:
            text = "redirects are not followed, since they would carry the key elsewhere"
            hint = "Set ROBOSIZE_API_URL to the product endpoint itself."
        else:
            text = self._transport.redact(excerpt(answer.body)) or "no body"
            hint = None
        return Rejected(
            f"{method}: status {answer.status}: {text}",
            status=answer.status,
            hint=hint,
            may_have_landed=may_have_landed,
            at_rest=answer.status not in _STILL_AT_WORK,
        )

    def _misread(self, method: Method, answer: Answer) -> BadAnswer:
        start = self._transport.redact(excerpt(answer.body)) or "no body"
        return BadAnswer(
            f"{method}: status {answer.status}, but the answer is not what the API documents: "
            f"{start}",
            may_have_landed=True,
        )


def _is_json(answer: Answer) -> bool:
    """Whether the answer calls itself JSON, or nothing at all."""
    return not answer.content_type or "json" in answer.content_type.lower()


def _json(body: Mapping[str, Any]) -> bytes:
    """A body as UTF-8 JSON, keys in the order given."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
