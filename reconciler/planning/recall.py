"""What the ledger adds to the list: whose place a product has, and which renames were begun."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.model import Catalog, Ledger, Link, Listing, RemoteProduct, Ring, Value

_PARKED: Final = "~moving-"
"""A ring of renames parks one product under its target's store_id, this, and its own id."""
_ASIDE: Final = re.compile(f"(.*){_PARKED}.*", re.DOTALL | re.IGNORECASE)
"""What stands aside, also where the server keeps store_ids in another case."""


def parked_name(target: str, id: str) -> str:
    """Where the product `id` stands aside on its way to `target`: a store_id that is its alone."""
    return f"{target}{_PARKED}{id}"


def parked_target(store_id: str | None) -> str | None:
    """Where a product that stands aside is going; None where it does not stand aside."""
    found = _ASIDE.fullmatch(store_id or "")
    return found[1] if found else None


def is_parked(store_id: str | None) -> bool:
    """Whether a product with this store_id stands aside for a ring of renames."""
    return parked_target(store_id) is not None


@dataclass(slots=True)
class Memory:
    """What the ledger adds to the list.

    `places` holds the store_id that a remote id stands for, where it is not the listed one;
    `sent` by listed store_id the one that it was sent as, where the server is known to rewrite it;
    `settled` the declared store_ids whose rename needs no looking for; `moved` the (id, store_id)
    of products that a declared rename takes there, and `begun` of those that it takes away.
    `released` is what is remembered of renames that the catalogue does not declare any more.
    """

    places: dict[str, str] = field(default_factory=dict)
    sent: dict[Value | None, str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    moved: set[tuple[str, str]] = field(default_factory=set)
    begun: set[tuple[str, str]] = field(default_factory=set)
    released: list[Ring] = field(default_factory=list)

    def arrived(self, product: RemoteProduct, store_id: str) -> bool:
        """Whether a declared rename, or a create in its stead, brought `product` to `store_id`.

        What was brought to a place is not what another rename takes from it.
        """
        here = (str(product.id), store_id)
        return here in self.moved or (("", store_id) in self.moved and here not in self.begun)


def recall(catalog: Catalog, targets: Mapping[str, str], remote: Listing, ledger: Ledger) -> Memory:
    """What the ledger knows of these products: where the server keeps them, and what was renamed.

    A ring that is still declared is carried to its end. One that is not, but was left half done,
    is taken as never begun: else the product that stands aside would belong to nobody.
    """
    memory = Memory()
    rewritten = {
        id: kept
        for id, remembered in ledger.products.items()
        if remembered.kept and (kept := remembered.kept.get("store_id")) is not None
    }
    if not (rewritten or ledger.rings):
        return memory
    wanted = catalog.products.keys() | targets.keys()
    for id, kept in rewritten.items():
        memory.sent[kept.kept] = str(kept.sent)
        if kept.sent in wanted:
            memory.places[id] = str(kept.sent)
    ids = {link.id for ring in ledger.rings for link in ring.links}
    listed = {p.id: p.store_id for p in remote.products if p.id in ids}
    for ring in ledger.rings:
        links = ring.links
        if all(_declares(catalog, link) for link in links):
            memory.moved.update((link.id, link.after) for link in links)
            memory.begun.update((link.id, link.before) for link in links)
            if len(links) > 1:
                memory.places.update((link.id, link.after) for link in links)
                memory.settled.update(link.after for link in links)
        elif _can_be_undone(ring, listed, wanted):
            memory.places.update((link.id, link.before) for link in links)
        else:
            memory.released.append(ring)
    return memory


def _can_be_undone(ring: Ring, listed: Mapping[str, str | None], wanted: Collection[str]) -> bool:
    """Whether a ring was left half done, and no product that goes has what one that stays needs."""
    return (
        len(ring.links) > 1
        and any(is_parked(listed.get(link.id)) for link in ring.links)
        and all(link.before in wanted or listed.get(link.id) not in wanted for link in ring.links)
    )


def _declares(catalog: Catalog, link: Link) -> bool:
    """Whether the catalogue still has the rename that `link` remembers."""
    product = catalog.products.get(link.after)
    if product is None or product.renamed_from is None:
        return False
    return product.renamed_from == link.before or parked_target(link.before) == link.after
