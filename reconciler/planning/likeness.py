"""Likeness: whether a remote product is what a create sent, but for how the server writes it."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from reconciler.model import (
    FIELDS,
    KEYS,
    READABLE,
    Catalog,
    Ledger,
    Listing,
    RemoteProduct,
    Value,
)

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
    """Whether two values are the same but for case, white space, Unicode form and order."""
    return _folded(one) == _folded(other)


def folded_text(text: str) -> str:
    """A text without case, white space and Unicode form."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _folded(value: Value | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    texts = (value,) if isinstance(value, str) else value
    return tuple(sorted({folded_text(text) for text in texts}))


def lost_creates(
    catalog: Catalog, wanted: Collection[str], remote: Listing, ledger: Ledger
) -> Iterator[tuple[str, str]]:
    """(id, store_id) of what creates made that no run saw the end of, if the server rewrites ids.

    Only a product that nobody declares or knows, and that is what was sent but for case, white
    space and Unicode form; and only if one such product stands before one such create.
    """
    listed = {product.store_id for product in remote.products}
    lost: defaultdict[Likeness, list[str]] = defaultdict(list)
    for store_id, sent in ledger.creates.items():
        if sent.id is None and store_id in catalog.products and store_id not in listed:
            values = dict(zip(KEYS, catalog.products[store_id].values, strict=True))
            lost[likeness_sent(values)].append(store_id)
    store_ids = {folded_text(store_id) for alike in lost.values() for store_id in alike}
    found: defaultdict[Likeness, list[str]] = defaultdict(list)
    for product in remote.products if lost else ():
        id, here = product.id, product.store_id
        if id is None or here is None or folded_text(here) not in store_ids:
            continue
        if not (here in wanted or id in ledger.products):
            found[likeness_of(product)].append(id)
    for likeness, ids in found.items():
        if len(ids) == len(lost.get(likeness, ())) == 1:
            yield ids[0], lost[likeness][0]
