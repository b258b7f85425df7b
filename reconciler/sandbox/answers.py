"""Answers: what the sandbox says to one call, before it is sent. Pure."""

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
class Answer:
    """One HTTP answer: status, body and the headers beside Content-Length."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()


def answer(status: int, value: Mapping[str, Any], *headers: tuple[str, str]) -> Answer:
    """An answer whose body is this value as JSON."""
    return Answer(status, to_json(value).encode(), headers=headers)


def detail(status: int, message: str, *headers: tuple[str, str]) -> Answer:
    """A refusal in the form `{"detail": message}`."""
    return answer(status, {"detail": message}, *headers)


def spoil(right: Answer, fault: Fault, target: str) -> Answer:
    """What becomes of the right answer under a fault; `target` is the path and query of the call.

    Faults that concern the connection, the clock or the effect leave the answer as it is.
    """
    match fault.kind:
        case "status":
            return _status(fault)
        case "html":
            page = fault.body if fault.body is not None else _PAGE_OF_HTML
            return Answer(fault.status or 200, page.encode(), "text/html; charset=utf-8")
        case "redirect":
            headers = (("location", fault.location.rstrip("/") + target),)
            return Answer(fault.status or 302, b"", "text/html; charset=utf-8", headers)
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


def _status(fault: Fault) -> Answer:
    status = fault.status or 503
    headers = (("retry-after", fault.retry_after),) if fault.retry_after is not None else ()
    if fault.body is not None:
        return Answer(status, fault.body.encode(), headers=headers)
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown status"
    return detail(status, f"{phrase}.", *headers)


def _page(right: Answer, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    """A changed page; an answer that is none stays as it is."""
    page = json.loads(right.body)
    if "count" not in page:
        return right
    return replace(right, body=to_json(change(page)).encode())


def _alike(records: Sequence[dict[str, Any]], fault: Fault) -> list[dict[str, Any]]:
    """The records, the next `amount` after the first with the id of the first."""
    same = {"id": records[0].get("id")} if records else {}
    return [
        record | (same if number <= fault.amount else {}) for number, record in enumerate(records)
    ]
