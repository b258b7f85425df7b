"""Checks the body of a call, with the service's error messages. Pure.

product-sync-api.txt shows only correct bodies. The error messages are those of the Django REST
framework, which the documented answers resemble: `{"field": ["message"]}`.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from reconciler.model.fields import FIELDS, Field, Kind, Value

Errors: TypeAlias = dict[str, Any]
"""Messages by field: a list, or for tags such lists by position."""

REQUIRED: Final = "This field is required."


def check_fields(body: Mapping[str, Any], *, partial: bool) -> tuple[dict[str, Value], Errors]:
    """The values of the known fields in a body, and the errors in them.

    Unknown keys are ignored. With `partial` no field is required.
    """
    values: dict[str, Value] = {}
    errors: Errors = {}
    for field in FIELDS:
        if field.key not in body:
            if field.required and not partial:
                errors[field.key] = [REQUIRED]
            continue
        value, complaint = _check(field, body[field.key])
        if complaint:
            errors[field.key] = complaint
        else:
            values[field.key] = value
    return values, errors


def check_ids(body: Mapping[str, Any]) -> tuple[list[str], Errors]:
    """The distinct ids that a PATCH names, and the errors in them."""
    if "products" not in body:
        return [], {"products": [REQUIRED]}
    ids = body["products"]
    if not isinstance(ids, list):
        return [], {"products": [_not_a_list(ids)]}
    if not ids:
        return [], {"products": ["This list may not be empty."]}
    wrong = {str(n): ["Not a valid string."] for n, id in enumerate(ids) if not isinstance(id, str)}
    if wrong:
        return [], {"products": wrong}
    return list(dict.fromkeys(ids)), {}


def _check(field: Field, value: object) -> tuple[Value, Any]:
    """The value of one field, and the error in it, which is empty if the value is good."""
    if value is None:
        return "", ["This field may not be null."]
    if field.kind is Kind.TAGS:
        return _check_tags(value)
    text, complaint = _check_text(value, may_be_blank=field.may_be_empty)
    if not complaint and field.kind is Kind.URL and text and not _is_url(text):
        return "", ["Enter a valid URL."]
    return text, complaint


def _check_tags(value: object) -> tuple[Value, Any]:
    if not isinstance(value, list):
        return (), [_not_a_list(value)]
    tags: list[str] = []
    errors: Errors = {}
    for number, tag in enumerate(value):
        text, complaint = _check_text(tag, may_be_blank=False)
        if complaint:
            errors[str(number)] = complaint
        tags.append(text)
    return tuple(tags), errors


def _check_text(value: object, *, may_be_blank: bool) -> tuple[str, list[str]]:
    """The text, or the text of a number, untrimmed, and the error in it."""
    # In Python True is an int, but the service does not take it for text.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "", ["Not a valid string."]
    text = str(value)
    if not may_be_blank and not text.strip():
        return "", ["This field may not be blank."]
    if "\0" in text:
        return "", ["Null characters are not allowed."]
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "", ["Surrogate characters are not allowed."]
    return text, []


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text
    except ValueError:
        return False


def _not_a_list(value: object) -> str:
    return f'Expected a list of items but got type "{type(value).__name__}".'
