"""Likeness: whether a remote product is what a create sent, but for how the server writes it."""

import unicodedata
from collections.abc import Mapping
from typing import TypeAlias

from reconciler.model import FIELDS, READABLE, RemoteProduct, Value

Likeness: TypeAlias = tuple[tuple[str, ...] | None, ...]
"""The readable values without case, white space, Unicode form and order."""


def likeness_of(product: RemoteProduct) -> Likeness:
    """The likeness of a product as it is listed."""
    return tuple(_folded(product.values[position]) for position in READABLE)


def likeness_sent(values: Mapping[str, Value | None]) -> Likeness:
    """The likeness of what a create of these values makes; what it leaves out is empty."""
    rows = [FIELDS[position] for position in READABLE]
    sent = [row.empty if (value := values.get(row.key)) is None else value for row in rows]
    return tuple(map(_folded, sent))


def folded_text(text: str) -> str:
    """A text without case, white space and Unicode form."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _folded(value: Value | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    texts = (value,) if isinstance(value, str) else value
    return tuple(sorted({folded_text(text) for text in texts}))
