"""What the API sends, as slim values: the only module that knows the shape of an answer's body.

pydantic's validator reads the JSON and builds only the fields of the field table. Remote data is
dirty: within a record everything is accepted and made into text, null or absence; around the
records nothing is.
"""

import json
import math
import zlib
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NotRequired

from annotated_types import Ge, Le
from pydantic import ConfigDict, Strict, TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict

from reconciler.errors import BadAnswer
from reconciler.model import (
    FIELDS,
    Field,
    Kind,
    RemoteProduct,
    Value,
    canonical_tags,
    finite_number,
    whole_number,
)

if TYPE_CHECKING:
    from reconciler.remote.transport import Response  # records are read offline too, without HTTP


class Page(NamedTuple):
    """One window of the list, and whether the server says that `more` follow.

    `raw` is the deflated body, for whole records.
    """

    total: int
    products: tuple[RemoteProduct, ...]
    raw: bytes
    more: bool = False


_NOT_JSON: Final = "not JSON"
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
_TAGS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {}
_MOST_TAG_SETS: Final = 100_000


def read_page(answer: "Response") -> Page:
    """A list answer as a Page; BadAnswer, without any of its values, if it is something else."""
    body = answer.body
    page, reason = _validated(_LIST.validate_json, body)
    if reason == _NOT_JSON and (repaired := _repaired(body)) is not None:
        body = repaired
        page, reason = _validated(_LIST.validate_python, json.loads(body))
    if reason:
        raise BadAnswer(
            f"The product list is not what the API documents ({reason}).",
            hint="Check that ROBOSIZE_API_URL is the product endpoint itself.",
        )
    products = products_of(page["results"])
    return Page(page["count"], products, zlib.compress(body, 1), bool(page.get("next")))


def _validated(validate: Callable[[Any], Any], answer: Any) -> tuple[Any, str]:
    """The list answer as it was sent, or what is wrong with it, in words that hold none of it."""
    try:
        return validate(answer), ""
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return None, _NOT_JSON
    return None, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _repaired(body: bytes) -> bytes | None:
    """The body as UTF-8 that another reader can read; None if it is no JSON.

    Half a surrogate pair, which only an escape can spell, a number of thousands of digits or deep
    nesting in one record would else make the whole list unreadable.
    """
    try:
        read = json.loads(
            body, parse_int=whole_number, parse_float=finite_number, parse_constant=str
        )
        text = json.dumps(read, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()


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
