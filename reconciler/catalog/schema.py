r"""JSON Schema of catalogue files, made from the field table, for editors.

An editor reads plain scalars by YAML's own rules, so `0123`, `1.10` and `No` reach the schema as
numbers and booleans that the catalogue takes as text: each may be used instead of text.
Nothing (`null`) may not. What holds between products (a store_id twice, a rename that contradicts
another product) is beyond a schema; `validate` checks it.

The patterns are written for both dialects that read them, ECMAScript's and Python's: white space is
spelled out, since `\s` differs, and the end is `(?![\s\S])`, since Python's `$` lets one line
break follow.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final, TypeAlias

from reconciler.linting.vocabulary import NO_VOCABULARY, Vocabulary, Words
from reconciler.model import FIELDS, NOTE_PREFIX, Field, Kind, is_invisible

Schema: TypeAlias = dict[str, Any]


_GLOB: Final = re.compile(r"(\*|\?|\[!?\]?[^\]]*\])")

_TEXT_KINDS: Final = ["string", "number", "boolean"]
_SAYS: Final = "patternErrorMessage"
"""A keyword of editors: what to say instead of the pattern. Validators pass over it."""
_BAD_TEXT: Final = (
    "Write text that is not blank, without white space at its ends or control characters."
)
_BAD_URL: Final = 'Write a whole address such as https://cdn.shop/1.jpg, or "" to clear it.'
_LAST_OF_PLANE: Final = 0xFFFF
_END: Final = r"(?![\s\S])"
_PORT: Final = (
    "0*(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
_RENAMED_FROM: Final = Field(
    "renamed_from",
    Kind.TEXT,
    readable=False,
    title="The store_id that the product has at the remote until this is applied.",
    example="9001",
)


def file_schema(vocabulary: Vocabulary = NO_VOCABULARY) -> Schema:
    """A whole catalogue file: one product, or many below `products:`."""
    return {
        **_head("A catalogue file", "One product, or many products with what they share."),
        "type": "object",
        # Not anyOf: an editor then says what is wrong with the shape that was meant.
        "if": {"anyOf": [{"required": ["products"]}, {"required": ["defaults"]}]},
        "then": {"$ref": "#/$defs/products"},
        "else": {"$ref": "#/$defs/product"},
        "examples": [_product_example(), {"products": [_product_example()]}],
        "$defs": {
            "product": _product(),
            "products": _products(),
            "defaults": _defaults(),
            **_field_definitions(vocabulary),
        },
    }


def product_schema(vocabulary: Vocabulary = NO_VOCABULARY) -> Schema:
    """One product."""
    return {
        **_head("A product", "One product of the catalogue."),
        **_product(),
        "$defs": _field_definitions(vocabulary),
    }


def defaults_schema(vocabulary: Vocabulary = NO_VOCABULARY) -> Schema:
    """A `_defaults.yaml`: what all products in and below its folder have unless they differ."""
    return {
        **_head("Defaults", "Values for all products in and below this folder."),
        **_defaults(),
        "$defs": _field_definitions(vocabulary),
    }


def _head(title: str, description: str) -> Schema:
    return {"title": title, "description": description}


def _product() -> Schema:
    return {
        "type": "object",
        "properties": _references(_rows()),
        "patternProperties": _notes(),
        "required": [field.key for field in FIELDS if field.required],
        # A misspelled field must be flagged: it would else be a value that is never sent.
        "additionalProperties": False,
        "examples": [_product_example()],
    }


def _products() -> Schema:
    name_in_defaults = {
        "required": ["defaults"],
        "properties": {"defaults": {"type": "object", "required": ["name"]}},
    }
    # Which fields are required depends on the defaults beside the products.
    own = {key: value for key, value in _product().items() if key != "required"}

    def listed(*required: str) -> Schema:
        return {"properties": {"products": {"items": {"required": list(required)}}}}

    return {
        "type": "object",
        "properties": {
            "defaults": {"$ref": "#/$defs/defaults"},
            "products": {
                "title": "The products of this file.",
                "type": "array",
                "items": own,
                "examples": [[_product_example()]],
            },
        },
        "required": ["products"],
        "additionalProperties": False,
        "if": name_in_defaults,
        "then": listed("store_id"),
        "else": listed("store_id", "name"),
    }


def _defaults() -> Schema:
    shared = [field for field in FIELDS if field.key != "store_id"]
    return {
        "title": "What the products share, unless they say otherwise.",
        "type": "object",
        "properties": _references(shared),
        "patternProperties": _notes(),
        "additionalProperties": False,
        "examples": [{"type": "top"}],
    }


def _notes() -> Schema:
    """The shop's own keys, which are never sent."""
    text = {"type": _TEXT_KINDS}
    either = {"anyOf": [text, {"type": "array", "items": text}]}
    return {f"^{NOTE_PREFIX}.": {"title": "A note of the shop's own; never sent.", **either}}


def _rows() -> tuple[Field, ...]:
    return (*FIELDS, _RENAMED_FROM)


def _references(fields: Iterable[Field]) -> Schema:
    return {field.key: {"$ref": f"#/$defs/{field.key}"} for field in fields}


def _field_definitions(vocabulary: Vocabulary) -> Schema:
    return {field.key: _definition(field, vocabulary.get(field.key, ())) for field in _rows()}


def _definition(field: Field, words: Sequence[Words]) -> Schema:
    example = list(field.example) if isinstance(field.example, tuple) else field.example
    told: Schema = {"title": field.key, "description": field.title, "examples": [example]}
    if field.kind is Kind.TAGS:
        # An editor completes single tags, so a whole list would be no example.
        items = {**_text(), "examples": example[:1], **_allowed(words)}
        return told | {"type": "array", "items": items}
    if field.kind is Kind.URL:
        pattern = _url_pattern(may_be_empty=field.may_be_empty)
        return told | {"type": "string", "pattern": pattern, _SAYS: _BAD_URL}
    return told | _text() | _allowed(words)


def _allowed(words: Sequence[Words]) -> Schema:
    """What completes a text, and complains about one that is not among the words."""
    return {"allOf": [_any_of(each) for each in words]} if words else {}


def _any_of(words: Words) -> Schema:
    exact = [word for word in words.allowed if not _GLOB.search(word)]
    patterns = [word for word in words.allowed if _GLOB.search(word)]
    # An editor reads `38` as a number, which the text "38" would not match.
    choices: list[Schema] = [{"enum": [*exact, *_unquoted(exact)]}] if exact else []
    choices += [{"type": "string", "pattern": _glob_pattern(glob)} for glob in patterns]
    # Words that need not hold for every product are completed, and nothing else is flagged.
    return {"anyOf": choices if words.strict else [*choices, {"type": _TEXT_KINDS}]}


def _unquoted(texts: Iterable[str]) -> Iterator[object]:
    """The numbers that editors read instead of such texts, if these are not in quotes."""
    for text in texts:
        with suppress(ValueError):
            value = json.loads(text)
            if isinstance(value, int | float):
                yield value


def _glob_pattern(glob: str) -> str:
    """A shell pattern as a regular expression of both dialects."""
    signs = {"*": r"[\s\S]*", "?": r"[\s\S]"}
    parts = [
        signs.get(part) or (f"[^{part[2:]}" if part.startswith("[!") else part)
        if _GLOB.fullmatch(part)
        else re.sub(r"[^\w\s]", r"\\\g<0>", part)
        for part in _GLOB.split(glob)
        if part
    ]
    return f"^{''.join(parts)}{_END}"


def _text() -> Schema:
    return {"type": _TEXT_KINDS, "pattern": _text_pattern(), _SAYS: _BAD_TEXT}


def _product_example() -> Schema:
    return {
        field.key: list(field.example) if isinstance(field.example, tuple) else field.example
        for field in FIELDS
    }


# Each pattern looks at every character of a plane, and a schema has each of them several times.
@cache
def _text_pattern() -> str:
    """Text that shows something, has no white space at its ends and no control character."""
    blank, control = _class(_spaces() + _invisible()), _class(_controls())
    inner, edge = f"[^{control}]", f"[^{control}{_class(_spaces())}]"
    return rf"^(?=[\s\S]*[^{blank}]){edge}(?:{inner}*{edge})?{_END}"


@cache
def _url_pattern(*, may_be_empty: bool) -> str:
    """An http(s) address with a host, perhaps a port, and no white space."""
    space = _class(_spaces())
    some = f"[^{space}{_class(_controls())}]"
    user = rf"(?:[^{space}/?#]*@)?"
    host = rf"(?:\[[0-9A-Fa-f:.]+\]|[^{space}/?#@:\[\]]+)"
    url = rf"[Hh][Tt][Tt][Pp][Ss]?://{user}{host}(?::{_PORT})?(?:[/?#]{some}*)?"
    return f"^(?:{url})?{_END}" if may_be_empty else f"^{url}{_END}"


def _spaces() -> list[int]:
    return [point for point in range(_LAST_OF_PLANE + 1) if chr(point).isspace()]


def _invisible() -> list[int]:
    # Those of the higher planes would break a pattern that is read without the flag `u`.
    return [
        point
        for point in range(_LAST_OF_PLANE + 1)
        if is_invisible(chr(point)) and not chr(point).isspace()
    ]


def _controls() -> list[int]:
    return [
        point
        for point in range(_LAST_OF_PLANE + 1)
        if unicodedata.category(chr(point)) == "Cc" and chr(point) not in "\t\n\r"
    ]


def _class(points: Iterable[int]) -> str:
    r"""The inside of a character class that holds these code points, as `\uXXXX` ranges."""
    ranges: list[list[int]] = []
    for point in sorted(set(points)):
        if ranges and point == ranges[-1][1] + 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(
        f"\\u{first:04x}" if first == last else f"\\u{first:04x}-\\u{last:04x}"
        for first, last in ranges
    )
