"""Interpret an HTTP answer: a result, or the matching error. Pure."""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from reconciler.errors import BadAnswer, KeyRefused, Rejected, RemoteError
from reconciler.remote.pacing import LONGEST_WAIT
from reconciler.remote.redaction import Redactor
from reconciler.remote.transport import Method, Response
from reconciler.remote.wire import read_object

AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same call may succeed."""
THROTTLE: Final = frozenset({429, 503})
"""Statuses that ask all workers for less."""
_KEY_REFUSED: Final = frozenset({401, 403})
_REFUSED: Final = frozenset({400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422})
"""Statuses that say for certain that a write did not happen."""
_NO_ENDPOINT: Final = frozenset({404, 405, 410})
_WRONG_URL: Final = (
    "Check the path in ROBOSIZE_API_URL, or in the store's `api_url`: it names the product "
    "endpoint itself, as in https://api.robosize.com/api/v1/product/."
)
_REQUEST_TIMED_OUT: Final = 408
_NOT_NOW: Final = 503

_SECONDS: Final = re.compile(r"\s*(\d+(?:\.\d*)?)\s*", re.ASCII)


class Address(NamedTuple):
    """What messages name: the URL without the key, and the variable that the key is in."""

    url: str
    key_variable: str
    redactor: Redactor


def succeeded(method: Method, answer: Response) -> bool:
    """Whether the status is success, and the answer not somebody else's, as a captive portal's is.

    A list proves itself. The API documents the JSON that POST and PATCH answer, and nothing of what
    a DELETE does.
    """
    if not 200 <= answer.status < 300:
        return False
    if method == "GET" or answer.status == 204:
        return True
    if method == "DELETE":
        return not _is_page(answer)
    # A captive portal answers 200 to everything: a write counts only if the API itself answered.
    return _is_json(answer) and read_object(answer) is not None


def kind_of_answer(method: Method, answer: Response) -> str:
    """One word for what an answer is: ok, key_refused, throttled or rejected."""
    if succeeded(method, answer):
        return "ok"
    if answer.status in _KEY_REFUSED:
        return "key_refused"
    return "throttled" if answer.status in THROTTLE else "rejected"


def verdict(
    method: Method, answer: Response, endpoint: Address, asked: float | None
) -> RemoteError:
    """An unsuccessful answer as an error; `asked` is the server's wait in seconds."""
    if 200 <= answer.status < 300:
        return misread(method, answer, endpoint)
    if answer.status in _KEY_REFUSED:
        return KeyRefused(
            f"{method}: the server refused the API key in {endpoint.key_variable} "
            f"(status {answer.status}).",
            hint=f"Check {endpoint.key_variable}; your account manager at Robosize issues keys.",
        )
    what: str = method
    text, hint = _said(answer, endpoint), None
    # The key is in the query string, so following a redirect would hand it to another host (P5).
    if 300 <= answer.status < 400:
        text = "redirects are not followed, since they would carry the key elsewhere"
        what, hint = f"{method} {endpoint.url}", _WRONG_URL
    elif answer.status in _NO_ENDPOINT and method in ("GET", "POST"):
        what, hint = f"{method} {endpoint.url}", _WRONG_URL
    elif asked is not None and asked > LONGEST_WAIT:
        hint = f"The server asks to wait {asked:.0f} s. Run the command again after that."
    return Rejected(
        f"{what}: status {answer.status}: {text}",
        status=answer.status,
        hint=hint,
        may_have_landed=method != "GET" and answer.status not in _REFUSED,
        at_rest=_is_at_rest(answer.status, asked),
    )


def _is_at_rest(status: int, asked: float | None) -> bool:
    """Whether a status says that the server has ended its work on the call.

    One that refuses does, and so does "not now" that names a time. An error may be that of
    something in between, or of a server that queued the work: it says nothing of what goes on.
    """
    if status == _NOT_NOW:
        return asked is not None
    return status < 500 and status != _REQUEST_TIMED_OUT


def misread(
    method: Method, answer: Response, endpoint: Address, problem: BadAnswer | None = None
) -> BadAnswer:
    """A 2xx answer in the wrong shape, as an error; the server may still be at work on the call."""
    kind = endpoint.redactor.redact(answer.content_type) or "no content type"
    what = problem.message if problem else "The answer is not what the API documents."
    hint = _WRONG_URL if _is_page(answer) else problem.hint if problem else None
    return BadAnswer(
        f"{method} {endpoint.url}: {what} Status {answer.status}, {kind}: "
        f"{_said(answer, endpoint)}",
        hint=hint,
        may_have_landed=method != "GET",
        at_rest=False,
    )


def created_id(answer: Response, endpoint: Address, asked: float | None) -> str:
    """The new product's id (product-sync-api.txt, "Create product"); RemoteError without one."""
    if not succeeded("POST", answer):
        raise verdict("POST", answer, endpoint, asked)
    result = read_object(answer) or {}
    created, id = result.get("created"), result.get("id")
    # `False == 0` in Python, and a false is not the documented answer.
    if created == 0 and type(created) is int:
        raise BadAnswer("POST: the server answered that it created 0 products.")
    # An id of another kind cannot be adopted, but the product may exist: it is settled by a new
    # list.
    if created != 1 or not isinstance(id, str | int) or isinstance(id, bool) or id == "":
        raise misread("POST", answer, endpoint)
    return endpoint.redactor.redact(str(id))


def asked_wait(answer: Response, now: datetime) -> float | None:
    """The seconds of a Retry-After, in either of its forms; None if it cannot be read.

    A date is compared with the server's own clock, if the answer shows it, else with `now`.
    """
    if answer.retry_after is None:
        return None
    if seconds := _SECONDS.fullmatch(answer.retry_after):
        return float(seconds[1])
    until = _date(answer.retry_after)
    if until is None:
        return None
    # Rounded up, since HTTP dates have whole seconds: asking early would be refused again.
    return max(0.0, math.ceil((until - (_date(answer.date) or now)).total_seconds()))


def _is_page(answer: Response) -> bool:
    """Whether the body is a web page, as the wrong path or something in between answers."""
    return answer.body.lstrip().startswith(b"<")


def _said(answer: Response, endpoint: Address) -> str:
    """The body in short; of a web page only that it is one."""
    if _is_page(answer):
        return "a web page, not JSON"
    return endpoint.redactor.excerpt(answer.body) or "no body"


def _is_json(answer: Response) -> bool:
    """Whether the answer calls itself JSON, or nothing at all."""
    return not answer.content_type or "json" in answer.content_type.lower()


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
