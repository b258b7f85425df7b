"""The remote as it is once a catalogue has been applied: what `diff` compares a later one with."""

from types import MappingProxyType
from typing import Final

from reconciler.model import (
    FIELDS,
    READABLE,
    WRITE_ONLY,
    Catalog,
    Entry,
    Ledger,
    Link,
    Listing,
    Product,
    Remembered,
    RemoteProduct,
    Ring,
    State,
    Value,
)

_WIDTH: Final = len(FIELDS)


def in_sync(catalog: Catalog) -> tuple[Listing, Ledger]:
    """The list and the ledger right after a whole apply of `catalog` to a remote without products.

    No id is known without asking the API, so each product has its store_id for its id. A field
    that is unmanaged is empty, as a create that leaves it out makes it; write-only values are
    confirmed; every rename is done, and remembered.
    """
    listing = Listing(tuple(_remote(product) for product in catalog.products.values()))
    known = {store_id: _remembered(product) for store_id, product in catalog.products.items()}
    return listing, Ledger(MappingProxyType(known), rings=_renames(catalog))


def _remote(product: Product) -> RemoteProduct:
    values = tuple(
        _value(product, position) if position in READABLE else None for position in range(_WIDTH)
    )
    return RemoteProduct(product.store_id, values)


def _remembered(product: Product) -> Remembered:
    entries = tuple(Entry(_value(product, position), State.CONFIRMED) for position in WRITE_ONLY)
    return Remembered(product.store_id, entries)


def _value(product: Product, position: int) -> Value:
    value = product.values[position]
    return FIELDS[position].empty if value is None else value


def _renames(catalog: Catalog) -> tuple[Ring, ...]:
    """The renames of `catalog`: those that exchange store_ids in rings, any other by itself."""
    sources = {
        store_id: product.renamed_from
        for store_id, product in catalog.products.items()
        if product.renamed_from is not None
    }
    rings: list[Ring] = []
    placed: set[str] = set()
    for start in sources:
        path: dict[str, None] = {}
        place = start
        while place in sources and place not in path and place not in placed:
            path[place] = None
            place = sources[place]
        members = list(path)
        ring = members[members.index(place) :] if place in path else []
        placed.update(path)
        if ring:
            rings.append(Ring(tuple(_link(sources, member) for member in ring)))
        rings += [Ring((_link(sources, m),)) for m in members if m not in ring]
    return tuple(rings)


def _link(sources: dict[str, str], store_id: str) -> Link:
    return Link(store_id, sources[store_id], store_id)
