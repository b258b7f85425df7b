"""What the API sends, as slim values: the only place that knows the shape of an answer's body.

pydantic's validator reads the JSON and builds only the fields of the field table. Remote data is
dirty: within a record everything is accepted and made into text, null or absence; around the
records nothing is.
"""

import zlib
from typing import Annotated, Any, Final, NamedTuple

from annotated_types import Ge
from pydantic import Strict, TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict

from reconciler.errors import BadAnswer
from reconciler.model import FIELDS, Kind, RemoteProduct, Value, canonical_tags
from reconciler.remote.transport import Answer

_EXCERPT: Final = 160


class Page(NamedTuple):
    """One window of the list. `raw` is the deflated body, for whole records."""

    total: int
    products: tuple[RemoteProduct, ...]
    raw: bytes


_KEYS: Final = ("id", "image_md", *(field.key for field in FIELDS if field.readable))
# Built from the field table, so that a row added there is read here.
_Record: Any = TypedDict("_Record", dict.fromkeys(_KEYS, Any), total=False)  # type: ignore[misc]
_Answer: Any = TypedDict(
    "_Answer", {"count": Annotated[int, Strict(), Ge(0)], "results": list[_Record]}
)
_LIST: Final = TypeAdapter[Any](_Answer)
_TAGS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {}
_MOST_TAG_SETS: Final = 100_000


def read_page(answer: Answer) -> Page:
    """A list answer as a Page; BadAnswer, without any of its values, where it is something else."""
    try:
        page = _LIST.validate_json(answer.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = "not JSON" if first["type"] == "json_invalid" else f"{place}: {first['msg']}"
    else:
        products = tuple([_product(record) for record in page["results"]])
        return Page(page["count"], products, zlib.compress(answer.body, 1))
    raise BadAnswer(
        f"The product list is not what the API documents ({reason}).",
        hint="Check that ROBOSIZE_API_URL is the product endpoint itself.",
    )


def _product(record: Any) -> RemoteProduct:
    values: list[Value | None] = []
    for field in FIELDS:
        if not field.readable:
            values.append(None)
        elif field.kind is Kind.TAGS:
            values.append(_tags(record.get(field.key)))
        else:
            value = record.get(field.key)
            values.append(value if type(value) is str else _text(value))
    image = record.get("image_md")
    return RemoteProduct(
        _text(record.get("id")) or None, tuple(values), image if isinstance(image, str) else None
    )


def _text(value: object) -> str | None:
    """A number counts as its text; what is neither text nor number counts as absent."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _tags(tags: object) -> Value:
    """Tags as the API lists them, objects with a name, as the set that they are.

    A tag without a usable name counts as "", which nobody can declare: so it is a difference, and
    the next update of the product clears it.
    """
    if not tags or not isinstance(tags, list):
        return ()
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


def read_object(answer: Answer) -> dict[str, Any] | None:
    """The JSON object in an answer, or None where it holds something else."""
    try:
        value = from_json(answer.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def excerpt(body: bytes) -> str:
    """The beginning of an answer as one short line, for a message. The caller redacts it."""
    text = " ".join(body[: 4 * _EXCERPT].decode("utf-8", "replace").split())
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
