"""The remote right after a catalogue was applied: `diff` compares a later catalogue with it."""

from types import MappingProxyType
from typing import Final

from reconciler.model import (
    FIELDS,
    READABLE,
    WRITE_ONLY,
    Catalog,
    Entry,
    Known,
    Ledger,
    Listing,
    Product,
    RemoteProduct,
    State,
    Value,
)

_WIDTH: Final = len(FIELDS)


def in_sync(catalog: Catalog) -> tuple[Listing, Ledger]:
    """The list and the ledger right after a whole apply of `catalog` to a remote without products.

    No id is known without asking the API, so each product has its store_id for its id. A field
    that is unmanaged is empty, as a create that leaves it out makes it; write-only values are
    confirmed; every rename is done.
    """
    listing = Listing(tuple(_remote(product) for product in catalog.products.values()))
    known = {store_id: _known(product) for store_id, product in catalog.products.items()}
    return listing, Ledger(MappingProxyType(known))


def _remote(product: Product) -> RemoteProduct:
    values = tuple(
        _value(product, position) if position in READABLE else None for position in range(_WIDTH)
    )
    return RemoteProduct(product.store_id, values)


def _known(product: Product) -> Known:
    entries = tuple(Entry(_value(product, position), State.CONFIRMED) for position in WRITE_ONLY)
    # With `came_from` the rename counts as done, so a later catalogue does not repeat it.
    return Known(product.store_id, entries, came_from=product.renamed_from)


def _value(product: Product, position: int) -> Value:
    value = product.values[position]
    return FIELDS[position].empty if value is None else value
