"""Records: a product as the list endpoint shows it. Pure.

Source: product-sync-api.txt, "List products". A record has exactly the documented keys in the
documented order; values that are never listed (`image_url`, `type`) are stored separately.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from reconciler.model.fields import FIELDS, Kind, Value

PICTURES: Final = "https://media.sandbox.invalid/"
"""Where pictures seem to be; a sandbox that stays shows them at its own address."""

_READABLE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_BY_KEY: Final = {field.key: field for field in FIELDS}


def new_record(id: str | None, values: Mapping[str, Value]) -> dict[str, Any]:
    """The record of a new product with these values."""
    record: dict[str, Any] = {
        "id": id,
        "store_id": "",
        "name": "",
        "status": "active",
        "brand": "",
        "tags": [],
        "fit_toughness": 5,
        "comment": None,
        "image_md": None,
        "available_sizes": "",
        "size_chart": {},
        "fabric": {},
        "handle": handle(str(values.get("name", ""))),
    }
    change_record(record, values)
    return record


def change_record(record: dict[str, Any], values: Mapping[str, Value]) -> None:
    """Write these values into a record; other keys stay as they are."""
    for key, value in values.items():
        if key == "image_url":
            record["image_md"] = image_md(str(value))
        elif _BY_KEY[key].kind is Kind.TAGS:
            record[key] = [{"name": tag} for tag in value]
        elif _BY_KEY[key].readable:
            record[key] = value


def hidden(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values that the list never returns."""
    return {key: value for key, value in values.items() if not _BY_KEY[key].readable}


def product_id(serial: int) -> str:
    """The id of the product with this serial number: opaque, and the same on every run."""
    # A digest, so that no code can come to rely on ids that count up.
    return hashlib.sha256(f"product {serial}".encode()).hexdigest()[:24]


def image_md(image_url: str) -> str | None:
    """The URL of the service's own rendition of a picture; None without a picture."""
    if not image_url:
        return None
    name = hashlib.sha256(image_url.encode()).hexdigest()[:16]
    return f"{PICTURES}md/{name}.svg"


def handle(name: str) -> str:
    """The part of a page's URL that is made from a product's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def to_json(value: object) -> str:
    """Compact JSON as the service sends it, with as few escapes as possible."""
    text = _READABLE.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, as dirty rows may hold, can only be written as an escape.
        return json.dumps(value, separators=(",", ":"))
    return text
