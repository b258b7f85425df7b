"""HTTP answers of the sandbox, and the faults that change them. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from reconciler.sandbox.faults import Fault
from reconciler.sandbox.records import to_json

JSON_TYPE: Final = "application/json"
_PAGE_OF_HTML: Final = (
    "<!DOCTYPE html>\n<html><head><title>Robosize</title></head>"
    "<body><h1>We will be back soon.</h1></body></html>\n"
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP answer: status, body and all headers except Content-Length."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()


def answer(status: int, value: Mapping[str, Any], *headers: tuple[str, str]) -> HttpAnswer:
    """An answer whose body is this value as JSON."""
    return HttpAnswer(status, to_json(value).encode(), headers=headers)


def detail(status: int, message: str, *headers: tuple[str, str]) -> HttpAnswer:
    """An error answer of the form `{"detail": message}`."""
    return answer(status, {"detail": message}, *headers)


def spoil(right: HttpAnswer, fault: Fault, target: str) -> HttpAnswer:
    """The answer as a fault changes it; `target` is the path and query of the call.

    Faults of the connection, the timing or the effect leave the answer unchanged.
    """
    match fault.kind:
        case "status":
            return _status(fault)
        case "html":
            page = fault.body if fault.body is not None else _PAGE_OF_HTML
            return HttpAnswer(fault.status or 200, page.encode(), "text/html; charset=utf-8")
        case "redirect":
            headers = (("location", fault.location.rstrip("/") + target),)
            return HttpAnswer(fault.status or 302, b"", "text/html; charset=utf-8", headers)
        case "empty":
            return replace(right, body=b"")
        case "content_type":
            return replace(right, content_type="text/plain; charset=utf-8")
        case "shape":
            if fault.body is not None:
                return replace(right, body=fault.body.encode())
            return replace(right, body=b'{"data":' + right.body + b"}")
        case "lying_count":
            return _page(right, lambda page: page | {"count": page["count"] + fault.amount})
        case "same_id":
            return _page(right, lambda page: page | {"results": _alike(page["results"], fault)})
    return right


def _status(fault: Fault) -> HttpAnswer:
    status = fault.status or 503
    headers = (("retry-after", fault.retry_after),) if fault.retry_after is not None else ()
    if fault.body is not None:
        return HttpAnswer(status, fault.body.encode(), headers=headers)
    try:
        phrase = HTTPStatus(status).phrase
    # A fault may have any status, also one that HTTP has no name for.
    except ValueError:
        phrase = "Unknown status"
    return detail(status, f"{phrase}.", *headers)


def _page(right: HttpAnswer, change: Callable[[dict[str, Any]], dict[str, Any]]) -> HttpAnswer:
    """The answer with its page changed; unchanged if it is not a page."""
    page = json.loads(right.body)
    # An error has no count and no products to lie about.
    if "count" not in page:
        return right
    return replace(right, body=to_json(change(page)).encode())


def _alike(records: Sequence[dict[str, Any]], fault: Fault) -> list[dict[str, Any]]:
    """The records, with the first one's id also in the next `amount`."""
    same = {"id": records[0].get("id")} if records else {}
    return [
        record | (same if number <= fault.amount else {}) for number, record in enumerate(records)
    ]
