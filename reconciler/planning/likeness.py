"""Likeness: whether a remote product is what a create sent, in the server's own spelling."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

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


def alike(one: Value | None, other: Value | None) -> bool:
    """Whether two values differ at most in case, white space, Unicode form and order."""
    return _folded(one) == _folded(other)


def folded_text(text: str) -> str:
    """A text without case, white space and Unicode form."""
    # NFKC first: only then do two spellings of one letter fold alike.
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _folded(value: Value | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    texts = (value,) if isinstance(value, str) else value
    # A set: order and repeats of tags do not count, and servers re-order them.
    return tuple(sorted({folded_text(text) for text in texts}))


class Twin(NamedTuple):
    """Products that a lost create may have made; `sure`: just one of them, for just this create."""

    ids: tuple[str, ...]
    sure: bool


def likely(
    lost: Mapping[str, Mapping[str, Value | None]], products: Iterable[RemoteProduct]
) -> dict[str, Twin]:
    """Which of `products` may be what creates of the values `lost`, by store_id, have made.

    They differ from what was sent at most in case, white space and Unicode form.
    """
    sent: defaultdict[Likeness, list[str]] = defaultdict(list)
    for store_id, values in lost.items():
        sent[likeness_sent(values)].append(store_id)
    forms = {folded_text(store_id) for store_id in lost}
    found: defaultdict[Likeness, list[str]] = defaultdict(list)
    for product in products if lost else ():
        # The store_id alone soon tells of most products that they are others.
        if product.store_id is not None and folded_text(product.store_id) in forms:
            found[likeness_of(product)].append(str(product.id))
    return {
        store_id: Twin(tuple(ids), len(ids) == len(sent[likeness]) == 1)
        for likeness, ids in found.items()
        for store_id in sent.get(likeness, ())
    }
