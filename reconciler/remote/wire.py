"""What the API sends, as slim values: the only module that knows the shape of an answer's body.

pydantic's validator reads the JSON and builds only the fields of the field table. Remote data is
dirty: within a record everything is accepted and made into text, null or absence; around the
records nothing is.
"""

import json
import math
import zlib
from collections.abc import Iterable
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NotRequired

from annotated_types import Ge, Le
from pydantic import ConfigDict, Strict, TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict

from reconciler.errors import BadAnswer
from reconciler.model import FIELDS, Field, Kind, RemoteProduct, Value, canonical_tags, read_dirty

if TYPE_CHECKING:
    # Records are read offline too, without HTTP.
    from reconciler.remote.redaction import Redactor
    from reconciler.remote.transport import Response


class Page(NamedTuple):
    """One window of the list, and whether the server says that `more` follow.

    `raw` is the list of whole records, as deflated JSON.
    """

    total: int
    products: tuple[RemoteProduct, ...]
    raw: bytes
    more: bool = False


_MOST_PRODUCTS: Final = 1_000_000_000
_KEYS: Final = ("id", *(field.key for field in FIELDS if field.readable))
# Built from the field table, so that a row added there is read here.
_Record: Any = TypedDict("_Record", dict.fromkeys(_KEYS, Any), total=False)  # type: ignore[misc]
_Answer: Any = TypedDict(
    "_Answer",
    {
        "count": Annotated[int, Strict(), Ge(0), Le(_MOST_PRODUCTS)],
        "next": NotRequired[Any],
        "results": list[_Record],
    },
)
_ALL_TEXT: Final = {str}
# Texts are seldom the same in two products, so that keeping them at hand costs more than it saves.
for _shape in (_Record, _Answer):
    setattr(_shape, "__pydantic_config__", ConfigDict(cache_strings="keys"))  # noqa: B010  (as pydantic documents it; mypy does not know it)
_LIST: Final = TypeAdapter[Any](_Answer)
_RECORDS: Final = TypeAdapter[Any](list[_Record])
_TAGS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {}
_MOST_TAG_SETS: Final = 100_000


def read_page(answer: "Response", redactor: "Redactor") -> Page:
    """A list answer as a Page, without the key; BadAnswer, without any value, for anything else.

    Only the records are kept: what is around them, the links to other pages, holds the key.
    """
    body = answer.body
    start, end = body.find(b"[", body.find(b'"results"')), body.rfind(b"]") + 1
    # Read apart from the rest, so that the bytes that are kept never hold the key of a `next` link.
    records = body[start:end]
    try:
        page = _LIST.validate_json(b"%b[]%b" % (body[:start], body[end:]))
        page["results"] = _RECORDS.validate_json(records)
        odd = redactor.suspects(records)
    except ValidationError:
        odd = True
    if odd:
        page, records = _read_carefully(body, redactor)
    products = products_of(page["results"])
    # Level 1 is the fastest: every list pays for it, and few records are read again.
    return Page(page["count"], products, zlib.compress(records, 1), bool(page.get("next")))


def _read_carefully(body: bytes, redactor: "Redactor") -> tuple[Any, bytes]:
    """A list answer that holds the key, or that pydantic does not take; and its records as JSON.

    Half a surrogate pair, which only an escape can spell, a number of thousands of digits or deep
    nesting in one record would else make the whole list unreadable.
    """
    reason = "not JSON"
    with suppress(ValueError, RecursionError):
        text = redactor.mask(json.dumps(read_dirty(body), ensure_ascii=False))
        read = json.loads(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
        try:
            return _LIST.validate_python(read), json.dumps(read["results"]).encode()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise BadAnswer(
        f"The product list is not what the API documents ({reason}).",
        hint="Check that ROBOSIZE_API_URL is the product endpoint itself.",
    )


def products_of(records: list[Any]) -> tuple[RemoteProduct, ...]:
    """The products that records hold, made column by column: so only dirty data is slow."""
    ids = _texts([record.get("id") for record in records])
    columns = [_column(field, records) for field in FIELDS]
    return tuple(map(RemoteProduct, [id or None for id in ids], zip(*columns, strict=False)))


def _column(field: Field, records: list[Any]) -> Iterable[Value | None]:
    """The values of one field in every record; without end if the list does not return it."""
    if not field.readable:
        return repeat(None)
    key = field.key
    column = [record.get(key) for record in records]
    return list(map(_tags, column)) if field.kind is Kind.TAGS else _texts(column)


def _texts(column: list[Any]) -> list[str | None]:
    if {*map(type, column)} <= _ALL_TEXT:
        return column
    return [_text(value) for value in column]


def _text(value: object) -> str | None:
    """A number counts as its text; what is neither text nor number counts as absent."""
    if isinstance(value, str):
        return value
    # A bool is an int to Python, but "True" is no id or name that anybody gave.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if isinstance(value, int) or math.isfinite(value) else None


def _tags(tags: object) -> Value:
    """Tags as the API lists them, objects with a name, as the set that they are.

    A tag without a usable name counts as "", which nobody can declare: so it is a difference, and
    the next update of the product clears it.
    """
    if not tags or not isinstance(tags, list):
        return ()
    try:
        return _TAGS[tuple([tag["name"] for tag in tags])]
    except (KeyError, TypeError):
        return _met(tags)


def _met(tags: list[Any]) -> tuple[str, ...]:
    """Tags that were not met before, or that the API does not document."""
    names = []
    for tag in tags:
        name = tag.get("name") if type(tag) is dict else tag
        names.append(name if type(name) is str else _text(name) or "")
    listed = tuple(names)
    known = _TAGS.get(listed)
    if known is None:
        if len(_TAGS) >= _MOST_TAG_SETS:
            # A process that watches for months must not keep every tag set it ever met.
            _TAGS.clear()
        known = _TAGS[listed] = canonical_tags(listed)
    return known


def read_object(answer: "Response") -> dict[str, Any] | None:
    """The JSON object in an answer, or None if it holds something else."""
    try:
        value = from_json(answer.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
