"""Records: one product as the list endpoint shows it. Pure.

Source: product-sync-api.txt, "List products". A record holds exactly the documented keys in the
documented order; what is written and never listed (`image_url`, `type`) is kept beside it.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from reconciler.model.fields import FIELDS, Kind, Value

DOCUMENTED: Final = (
    "id",
    "store_id",
    "name",
    "status",
    "brand",
    "tags",
    "fit_toughness",
    "comment",
    "image_md",
    "available_sizes",
    "size_chart",
    "fabric",
    "handle",
)
"""The keys of a record, in the order of the documentation."""

_READABLE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_BY_KEY: Final = {field.key: field for field in FIELDS}


def new_record(id: str | None, values: Mapping[str, Value]) -> dict[str, Any]:
    """The record of a product that was just made with these values."""
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
    """Write these values into a record; every key that is not named stays as it is."""
    for key, value in values.items():
        if key == "image_url":
            record["image_md"] = image_md(str(value))
        elif _BY_KEY[key].kind is Kind.TAGS:
            record[key] = [{"name": tag} for tag in value]
        elif _BY_KEY[key].readable:
            record[key] = value


def hidden(values: Mapping[str, Value]) -> dict[str, Value]:
    """Those of the values that the list never returns."""
    return {key: value for key, value in values.items() if not _BY_KEY[key].readable}


def product_id(serial: int) -> str:
    """The id of the n-th product ever made: opaque to clients, the same on every run."""
    return hashlib.sha256(f"product {serial}".encode()).hexdigest()[:24]


def image_md(image_url: str) -> str | None:
    """Where the service's own rendition of a picture is; None where there is no picture."""
    if not image_url:
        return None
    name = hashlib.sha256(image_url.encode()).hexdigest()[:16]
    return f"https://media.sandbox.invalid/md/{name}.jpg"


def handle(name: str) -> str:
    """The part of a page's address that is made from a product's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def to_json(value: object) -> str:
    """Compact JSON as the service sends it: readable text, escapes only where it must."""
    text = _READABLE.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, which only dirty rows hold, has no other form than an escape.
        return json.dumps(value, separators=(",", ":"))
    return text
