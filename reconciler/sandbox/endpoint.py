"""The product endpoint: the documented calls, as functions of a request and the store.

Source: product-sync-api.txt. It does not say the following, so it is decided here: a create answers
201, a delete 200 with a message; an unknown id is 404 and changes nothing; a wrong body is 400 with
the messages by field; a missing or unknown key is 401.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin
from zlib import crc32

from reconciler.model.fields import Value
from reconciler.sandbox.answers import JSON_TYPE, HttpAnswer, answer, detail
from reconciler.sandbox.calls import Effect
from reconciler.sandbox.faults import Fault, Moment, first
from reconciler.sandbox.paging import PAGE_MAX, next_link, previous_link, window
from reconciler.sandbox.records import PICTURES, product_id, to_json
from reconciler.sandbox.store import SandboxStore, StoredRow
from reconciler.sandbox.validation import REQUIRED, Errors, check_fields, check_ids


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `url` is the endpoint without its query, `query` holds the key."""

    method: str
    url: str
    query: Mapping[str, str]
    body: bytes = b""
    content_type: str = JSON_TYPE
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to a call, and its effect, if any."""

    answer: HttpAnswer
    effect: Effect | None = None


class _Refused(Exception):
    """A call that is answered with an error and has no effect."""

    def __init__(self, refusal: HttpAnswer) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


class Endpoint:
    """The documented API over a SandboxStore.

    With `api_key` None any key but an empty one is accepted. `page_max` is the largest page.
    With `own_pictures` it lists the addresses at which it shows pictures itself.
    """

    def __init__(
        self,
        store: SandboxStore,
        *,
        api_key: str | None = None,
        page_max: int = PAGE_MAX,
        unique_store_ids: bool = False,
        own_pictures: bool = False,
    ) -> None:
        self._store = store
        self._api_key = api_key
        self._page_max = page_max
        self._unique_store_ids = unique_store_ids
        self._own_pictures = own_pictures
        self._calls: Mapping[str, Callable[[Request], Done]] = {
            "GET": self._list,
            "POST": self._create,
            "PATCH": self._update,
            "DELETE": self._delete,
        }

    def handle(self, request: Request) -> Done:
        """Carry out one call; to be called in a transaction of the store."""
        call = self._calls.get(request.method)
        try:
            self._check_key(request)
            if call is None:
                allow = ("allow", ", ".join(self._calls))
                raise _Refused(detail(405, f'Method "{request.method}" not allowed.', allow))
            lag = first(request.faults, "lag")
            with self._store.unseen(lag.lists, lag.seconds) if lag else nullcontext():
                return call(request)
        except _Refused as refused:
            return Done(refused.refusal)

    def _check_key(self, request: Request) -> None:
        key = request.query.get("api_key", "")
        if not key:
            raise _Refused(detail(401, "Authentication credentials were not provided."))
        if self._api_key is not None and key != self._api_key:
            raise _Refused(detail(401, "Invalid API key."))

    def _list(self, request: Request) -> Done:
        seen = window(request.query, self._page_max)
        self._meddle(request.faults, "before")
        # A client reads one list in many calls; the first page is all that tells when one begins.
        if seen.offset == 0:
            self._store.begin_list()
        count, records = self._store.page(seen.offset, seen.limit)
        following = next_link(request.url, request.query, seen, count)
        previous = previous_link(request.url, request.query, seen)
        head = to_json({"count": count, "next": following, "previous": previous})
        # The records are JSON already; parsing and writing them again would take most of the time.
        body = f'{head[:-1]},"results":[{",".join(records)}]}}'
        if self._own_pictures:
            body = body.replace(PICTURES, urljoin(request.url, "/"))
        self._meddle(request.faults, "after")
        return Done(HttpAnswer(200, body.encode()), Effect("listed"))

    def _create(self, request: Request) -> Done:
        values = _checked(*check_fields(_body(request), partial=False))
        values = _as_stored(values, request.faults)
        self._refuse_taken(values, but=())
        # Behind the checks: the service took the call, and says that it created nothing.
        if first(request.faults, "created_zero"):
            return Done(answer(201, {"created": 0}))
        copies = 2 if first(request.faults, "duplicate_create") else 1
        ids = tuple(self._store.create(values) for _ in range(copies))
        store_id = str(values.get("store_id", ""))
        effect = Effect("created", ids, (store_id,) * copies)
        wrong = first(request.faults, "wrong_id")
        told = self._wrong_id(wrong, request, ids) if wrong else ids[0]
        return Done(answer(201, {"created": 1, "id": told}), effect)

    def _update(self, request: Request) -> Done:
        body = _body(request)
        ids, wrong_ids = check_ids(body)
        values, wrong_fields = check_fields(body, partial=True)
        _checked(values, {**wrong_ids, **wrong_fields})
        if self._store.missing(ids):
            raise _Refused(detail(404, "Not found."))
        values = _as_stored(values, request.faults)
        self._refuse_taken(values, but=ids)
        partial = first(request.faults, "partial_patch")
        reached = ids[: partial.amount] if partial else ids
        rows = self._store.update(reached, values)
        return Done(answer(200, {"message": "Products updated"}), _effect("updated", rows))

    def _delete(self, request: Request) -> Done:
        id = request.query.get("hash", "")
        if not id:
            raise _Refused(answer(400, {"hash": [REQUIRED]}))
        rows = self._store.delete(id)
        if not rows:
            raise _Refused(detail(404, "Not found."))
        return Done(answer(200, {"message": "Product deleted"}), _effect("deleted", rows))

    def _refuse_taken(self, values: Mapping[str, Value], *, but: Sequence[str]) -> None:
        """Refuse a store_id that another product has, or that several products would share."""
        store_id = values.get("store_id")
        if not self._unique_store_ids or store_id is None:
            return
        if len(but) > 1 or self._store.taken(str(store_id), but=but):
            message = "product with this store id already exists."
            raise _Refused(answer(400, {"store_id": [message]}))

    def _wrong_id(self, fault: Fault, request: Request, own: Sequence[str]) -> str:
        """The id of another product as `fault.way` says, or one that no product has."""
        if fault.way == "listed":
            # The product that the fault names comes first, so that a test can choose it.
            for row in (self._store.row(fault.store_id), *self._store.rows()):
                if row is not None and row.id and row.id not in own:
                    return row.id
        if fault.way == "earlier":
            posts = self._store.calls("POST")
            if made := [call.ids[0] for call in posts if call.effect == "created"]:
                return made[-1]
        # Real serials are positive, and the body makes the id different for each product.
        return product_id(-1 - crc32(request.body))

    def _meddle(self, faults: Sequence[Fault], moment: Moment) -> None:
        """Apply the faults that change the products before or after a list is read."""
        for fault in faults:
            if fault.moment != moment:
                continue
            if fault.kind == "shift":
                self._shift(fault)
            elif fault.kind == "new_id":
                self._store.renew(fault.store_id)
            elif fault.kind == "unlist":
                self._store.unlist(fault.store_id, fault.lists, fault.seconds)

    def _shift(self, fault: Fault) -> None:
        """Add and delete real products, as another user would."""
        for _ in range(fault.amount):
            _, first = self._store.page(0, 1)
            if fault.way != "insert" and first:
                self._store.delete(str(json.loads(first[0])["id"]))
            if fault.way != "delete":
                # An earlier shift may have left a product of that name.
                number = self._store.count()
                while self._store.taken(f"shift-{number}"):
                    number += 1
                values = {"store_id": f"shift-{number}", "name": f"Shifted {number}"}
                self._store.create(values, front=fault.way == "insert")


def _body(request: Request) -> Mapping[str, Any]:
    """The body as a JSON object; _Refused if it is something else."""
    # The service checks the type before it parses, so a form is 415 and not 400.
    if request.content_type.partition(";")[0].strip().lower() != JSON_TYPE:
        message = f'Unsupported media type "{request.content_type}" in request.'
        raise _Refused(detail(415, message))
    try:
        body = json.loads(request.body)
    # JSON that is nested without end raises RecursionError, and is a bad body like any other.
    except (ValueError, RecursionError) as error:
        raise _Refused(detail(400, f"JSON parse error - {error}")) from error
    if not isinstance(body, dict):
        message = f"Invalid data. Expected a dictionary, but got {type(body).__name__}."
        raise _Refused(answer(400, {"non_field_errors": [message]}))
    return body


def _checked(values: dict[str, Value], errors: Errors) -> dict[str, Value]:
    if errors:
        raise _Refused(answer(400, errors))
    return values


def _effect(kind: Any, rows: Sequence[StoredRow]) -> Effect:
    return Effect(kind, tuple(str(row.id) for row in rows), tuple(row.store_id for row in rows))


def _as_stored(values: Mapping[str, Value], faults: Sequence[Fault]) -> dict[str, Value]:
    """The values that are stored, as the faults change them."""
    stored = dict(values)
    for fault in faults:
        value = stored.get(fault.field or "")
        if value is None or fault.field is None:
            continue
        if fault.kind == "ignore_field":
            del stored[fault.field]
        elif fault.kind == "normalise" and isinstance(value, str):
            stored[fault.field] = _normal(value, fault.way)
        elif fault.kind == "normalise":
            stored[fault.field] = tuple(_normal(tag, fault.way) for tag in value)
    return stored


def _normal(text: str, way: str) -> str:
    match way:
        case "lower":
            return text.lower()
        case "upper":
            return text.upper()
        case "title":
            return text.title()
        case "strip":
            return text.strip()
    return text[::-1]
