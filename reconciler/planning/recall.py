"""What the ledger adds to the list: whose place a product has, and which renames were begun."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.model import KEYS, Catalog, Ledger, Link, Listing, RemoteProduct, Ring, Value
from reconciler.planning.likeness import Likeness, folded_text, likeness_of, likeness_sent

_PARKED: Final = "~moving-"
"""A ring of renames parks one product under its target's store_id, this, and its own id."""
_ASIDE: Final = re.compile(f"(.*){_PARKED}.*", re.DOTALL | re.IGNORECASE)
"""What stands aside, also where the server keeps store_ids in another case."""


def parked_name(target: str, id: str) -> str:
    """Where the product `id` stands aside on its way to `target`: a store_id that is its alone."""
    return f"{target}{_PARKED}{id}"


def parked_target(store_id: str | None) -> str | None:
    """Where a product that stands aside is going; None where it does not stand aside."""
    # Every store_id of a shop comes through here, and next to none has the mark.
    if store_id is None or _PARKED[0] not in store_id:
        return None
    found = _ASIDE.fullmatch(store_id)
    return found[1] if found else None


def is_parked(store_id: str | None) -> bool:
    """Whether a product with this store_id stands aside for a ring of renames."""
    return parked_target(store_id) is not None


@dataclass(slots=True)
class Memory:
    """What the ledger adds to the list.

    `places` holds the store_id that a remote id stands for, where that is not the listed one;
    `sent` by listed store_id the one that it was sent as, where the server is known to rewrite it;
    `settled` the declared store_ids whose rename needs no looking for; `moved` the (id, store_id)
    of products that a declared rename takes there, and `begun` of those that it takes away;
    `exchanged` the places of declared rings that were made of renames each remembered by itself.
    `released` is what is remembered of renames that the catalogue does not declare any more, and
    `undone` those of them that were left half done, and are taken back;
    `created` by id the store_id of a lost create that made the product, where it has another.
    """

    places: dict[str, str] = field(default_factory=dict)
    sent: dict[Value | None, str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    moved: set[tuple[str, str]] = field(default_factory=set)
    begun: set[tuple[str, str]] = field(default_factory=set)
    exchanged: set[str] = field(default_factory=set)
    released: list[Ring] = field(default_factory=list)
    undone: list[Ring] = field(default_factory=list)
    created: dict[str, str] = field(default_factory=dict)

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
    if not (rewritten or ledger.rings or ledger.creates):
        return memory
    wanted = catalog.products.keys() | targets.keys()
    for id, kept in rewritten.items():
        memory.sent[kept.kept] = str(kept.sent)
        if kept.sent in wanted:
            memory.places[id] = str(kept.sent)
    alone = _recall_renames(memory, catalog, wanted, remote, ledger)
    memory.exchanged.update(_exchanged(targets, alone))
    memory.created.update(_recall_creates(memory, catalog, wanted, remote, ledger))
    memory.places.update(memory.created)
    return memory


def _recall_creates(
    memory: Memory,
    catalog: Catalog,
    wanted: Collection[str],
    remote: Listing,
    ledger: Ledger,
) -> Iterator[tuple[str, str]]:
    """What creates made that no run saw the end of, where the server rewrites store_ids.

    Only a product that nobody declares, or remembers for another, and that is what was sent but for
    case, white space and Unicode form; and only where one such product stands before one such
    create.
    """
    listed = {product.store_id for product in remote.products}
    lost: defaultdict[Likeness, list[str]] = defaultdict(list)
    for store_id in ledger.creates.keys() & catalog.products.keys() - listed:
        values = dict(zip(KEYS, catalog.products[store_id].values, strict=True))
        lost[likeness_sent(values)].append(store_id)
    store_ids = {folded_text(store_id) for alike in lost.values() for store_id in alike}
    found: defaultdict[Likeness, list[str]] = defaultdict(list)
    for product in remote.products if lost else ():
        id, here = product.id, product.store_id
        if id is None or here is None or folded_text(here) not in store_ids:
            continue
        known = ledger.products.get(id)
        another = known is not None and known.store_id not in ledger.creates
        if not (here in wanted or id in memory.places or another):
            found[likeness_of(product)].append(id)
    for likeness, ids in found.items():
        if len(ids) == len(lost.get(likeness, ())) == 1:
            yield ids[0], lost[likeness][0]


def _recall_renames(
    memory: Memory,
    catalog: Catalog,
    wanted: Collection[str],
    remote: Listing,
    ledger: Ledger,
) -> Collection[str]:
    """What was begun, as far as the catalogue still declares it, or it has to be undone.

    Returns the targets of the declared renames that are remembered each by itself.
    """
    alone: dict[str, None] = {}
    ids = {link.id for ring in ledger.rings for link in ring.links}
    listed = {p.id: p.store_id for p in remote.products if p.id in ids}
    for ring in ledger.rings:
        links = ring.links
        if _declares(catalog, links):
            memory.moved.update((link.id, link.after) for link in links)
            memory.begun.update((link.id, link.before) for link in links)
            if len(links) > 1:
                memory.places.update((link.id, link.after) for link in links)
                memory.settled.update(link.after for link in links)
            else:
                alone[links[0].after] = None
        elif _can_be_undone(ring, listed, wanted):
            memory.places.update((link.id, link.before) for link in links)
            memory.undone.append(ring)
        else:
            memory.released.append(ring)
    return alone


def _exchanged(targets: Mapping[str, str], alone: Collection[str]) -> Iterator[str]:
    """The places of the declared rings of which every link is remembered, each by itself.

    Such are the rings of which the remote had a part only: the rest was created.
    """
    seen: set[str] = set()
    for start in alone:
        place = start
        line: list[str] = []
        while place not in seen:
            seen.add(place)
            line.append(place)
            place = targets.get(place, "")
        if line and place == start and all(member in alone for member in line):
            yield from line


def _can_be_undone(ring: Ring, listed: Mapping[str, str | None], wanted: Collection[str]) -> bool:
    """Whether a ring was left half done, and no product that goes has what one that stays needs."""
    return (
        len({link.id for link in ring.links}) > 1
        and any(_is_on_its_way(listed.get(link.id), link) for link in ring.links)
        and all(link.before in wanted or listed.get(link.id) not in wanted for link in ring.links)
    )


def _is_on_its_way(store_id: str | None, link: Link) -> bool:
    """Whether the product stands aside for this link, and not for one of another ring."""
    target = parked_target(store_id)
    return target is not None and target.casefold() == link.after.casefold()


def _declares(catalog: Catalog, links: Sequence[Link]) -> bool:
    """Whether the catalogue still has the renames that `links` remember.

    A link from a place aside is only the end of one: alone it does not tell of which.
    """
    begun = [link for link in links if not is_parked(link.before)]
    return bool(begun) and all(_renames(catalog, link) for link in begun)


def _renames(catalog: Catalog, link: Link) -> bool:
    product = catalog.products.get(link.after)
    return product is not None and product.renamed_from == link.before
