"""Which store_id each remote product stands for: the listed one, unless the ledger knows better.

The ledger holds per id the store_id that it was last sent as and the `renamed_from` that brought it
there (`Known`). That pair answers every question about renames that a list cannot:

- The catalogue declares just this pair: the product stands for its store_id. It is on its way there
  (listed where it came from, or parked), or somebody renamed it by hand.
- It declares the pair no more, and the product is parked: the ring was taken back half done, so the
  product stands for where it came from. A product that took that place in the same ring returns
  to where it came from itself, and so on.
- It declares the pair no more, and nobody declares where the product is now: it stands for where
  it came from, if that is wanted and free. So a rename that is reverted is made back.

A ring that is done leaves no product parked: there nothing is taken back, and the list counts.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.codes import Code
from reconciler.model import Catalog, Known, Ledger, Listing, RemoteProduct
from reconciler.planning.likeness import lost_creates
from reconciler.planning.plan import Blocked

_PARKED: Final = "~moving-"
"""A ring of renames parks one product under its target's store_id, this, and its own id."""
_ASIDE: Final = re.compile(f"(.*){_PARKED}.*", re.DOTALL | re.IGNORECASE)
"""A parked store_id, also if the server keeps store_ids in another case."""


def parked_name(target: str, id: str) -> str:
    """The store_id under which the product `id` is parked on its way to `target`."""
    return f"{target}{_PARKED}{id}"


def parked_target(store_id: str | None) -> str | None:
    """Where a parked product is going; None if this is an ordinary store_id."""
    # Every store_id of a shop comes through here, and next to none has the mark.
    if store_id is None or _PARKED[0] not in store_id:
        return None
    found = _ASIDE.fullmatch(store_id)
    return found[1] if found else None


@dataclass(slots=True)
class Standing:
    """The remote by what its products stand for.

    `present` holds the product of each store_id, and `parked` those that are on their way to one
    that another may have yet; `blocked` is what cannot be decided. `here` is the
    declared form of the store_id that a product is listed with, by id, if the server writes it in
    another; `made` the store_id of the lost create that made a product, by its id; `by_hand` the
    ids of products whose store_id somebody has changed at the remote. `moves` says
    that some product stands for another store_id than it is listed with.
    """

    present: dict[str, RemoteProduct] = field(default_factory=dict)
    parked: dict[str, RemoteProduct] = field(default_factory=dict)
    blocked: list[Blocked] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    here: dict[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)
    moves: bool = False

    def block(self, store_id: str | None, products: Iterable[RemoteProduct], reason: Code) -> None:
        """Leave `products`, and what is declared as `store_id`, as they are."""
        ids = tuple(sorted(str(product.id) for product in products))
        self.blocked.append(Blocked(store_id, ids, reason))
        if store_id:
            self.held.add(store_id)

    def at(self, product: RemoteProduct) -> str:
        """The declared form of the store_id that `product` is listed with."""
        return self.here.get(str(product.id), str(product.store_id))


@dataclass(frozen=True, slots=True)
class _Wanderer:
    """A product that is not listed where it was last sent; `wishes` are where it may belong."""

    product: RemoteProduct
    known: Known
    wishes: tuple[str, ...]


def declares(catalog: Catalog, known: Known) -> bool:
    """Whether the catalogue declares just the rename that `known` tells of, or none if it does."""
    product = catalog.products.get(known.store_id)
    return product is not None and product.renamed_from == known.came_from


def standing(
    catalog: Catalog, targets: Mapping[str, str], remote: Listing, ledger: Ledger
) -> Standing:
    """What each remote product stands for; `targets` are the declared renames by their source."""
    found = Standing()
    wanted = catalog.products.keys() | targets.keys()
    found.made = dict(lost_creates(catalog, wanted, remote, ledger)) if ledger.creates else {}
    answered = {sent.id: store_id for store_id, sent in ledger.creates.items() if sent.id}
    own_forms = _own_forms(ledger)
    places: list[tuple[str, RemoteProduct]] = []
    wanderers: list[_Wanderer] = []
    for product in remote.products:
        id, listed = product.id, product.store_id
        if id is None:
            found.block(listed, [], Code.MISSING_ID)
        elif not listed or listed.isspace():
            found.block(None, [product], Code.MISSING_STORE_ID)
        elif (
            known := ledger.products.get(id) or _of_create(id, answered, found, ledger)
        ) is None or (known.store_id == listed and known.came_from is None):
            places.append((listed, product))
        elif (place := _place(product, known, wanted, found, own_forms)) is not None:
            places.append((place, product))
        elif _is_on_its_way(product, known, catalog, wanted, found):
            found.parked[known.store_id] = product
        else:
            wanderers.append(_Wanderer(product, known, _wishes(product, known, catalog)))
    wanderers = _take_places(found, places, wanderers)
    for wanderer in sorted(wanderers, key=lambda w: str(w.product.id)):
        _place_wanderer(found, wanderer, catalog, wanted, ledger)
    _return_reverted(found, catalog, targets, wanted, ledger)
    return found


def _of_create(
    id: str, answered: Mapping[str, str], found: Standing, ledger: Ledger
) -> Known | None:
    """What is known of a product that the ledger knows only from the create that made it."""
    store_id = answered.get(id) or found.made.get(id)
    if store_id is None:
        return None
    return Known(store_id, came_from=ledger.creates[store_id].came_from)


def _place(
    product: RemoteProduct,
    known: Known,
    wanted: Collection[str],
    found: Standing,
    own_forms: Mapping[str, str],
) -> str | None:
    """The store_id that a known product stands for; None if it is at none of its own."""
    here = str(product.store_id)
    sent = own_forms.get(here)
    if sent is not None and (sent in wanted or here not in wanted):
        here = found.here[str(product.id)] = sent
    if here == known.store_id:
        return here
    if here == known.came_from:
        return here
    target = parked_target(here)
    on_its_way = target is not None and target.casefold() == known.store_id.casefold()
    if on_its_way and known.came_from is not None and known.came_from not in wanted:
        return here  # It goes with the rename that is declared no more.
    return None


def _is_on_its_way(
    product: RemoteProduct,
    known: Known,
    catalog: Catalog,
    wanted: Collection[str],
    found: Standing,
) -> bool:
    """Whether a declared rename has begun to move `product`, and is to be carried to its end."""
    if known.came_from is None or not declares(catalog, known):
        return False
    return found.at(product) not in wanted and known.store_id not in found.parked


def _own_forms(ledger: Ledger) -> dict[str, str]:
    """What was sent, by the store_id that the server keeps for it."""
    return {
        str(kept.kept): str(kept.sent)
        for known in ledger.products.values()
        if known.kept and (kept := known.kept.get("store_id")) is not None
    }


def _wishes(product: RemoteProduct, known: Known, catalog: Catalog) -> tuple[str, ...]:
    """Where a product may belong that is neither where it came from nor where it was sent."""
    if known.came_from is None or declares(catalog, known):
        return (known.store_id,)
    if parked_target(product.store_id) is not None:
        return (known.came_from,)
    return known.came_from, known.store_id


def _take_places(
    found: Standing, places: list[tuple[str, RemoteProduct]], wanderers: list[_Wanderer]
) -> list[_Wanderer]:
    """Let each product have its place; two at one are blocked, as is one at a broken record's.

    Two that are listed alike are blocked too, whatever the ledger knows of one of them. Returns the
    wanderers that are listed alone.
    """
    here = Counter(found.at(product) for _, product in places) if wanderers else Counter()
    here.update(found.at(wanderer.product) for wanderer in wanderers)
    doubled = [w.product for w in wanderers if here[found.at(w.product)] > 1]
    places = [*places, *((found.at(product), product) for product in doubled)]
    present: dict[str, RemoteProduct] = {}
    twice: dict[str, list[RemoteProduct]] = {}
    for place, product in places:
        if place in present:
            twice.setdefault(place, [present[place]]).append(product)
        else:
            present[place] = product
    for place in found.held & present.keys():
        twice.setdefault(place, [present[place]])
    for place, products in twice.items():
        del present[place]
        found.block(place, products, Code.DUPLICATE_REMOTE)
    found.present = present
    return [w for w in wanderers if here[found.at(w.product)] == 1]


def _place_wanderer(
    found: Standing,
    wanderer: _Wanderer,
    catalog: Catalog,
    wanted: Collection[str],
    ledger: Ledger,
) -> None:
    """Give a product that wanders the first of its wishes that is to be had."""
    product, present = wanderer.product, found.present
    here, first = found.at(product), wanderer.wishes[0]
    sent = wanderer.known.store_id
    free = [
        wish
        for wish in wanderer.wishes
        if wish in wanted and wish not in found.held and _is_free(wish, wanderer, found, catalog)
    ]
    if here in catalog.products and here not in present and here not in found.held:
        if sent in free and declares(catalog, wanderer.known):
            # Both are declared, and nobody can tell which one the product is meant to be.
            found.block(here, [product], Code.RENAME_CONFLICT)
            found.block(sent, [product], Code.RENAME_CONFLICT)
        else:
            present[here] = product
    elif free[:1] == [first] or _make_room(found, first, catalog, wanted, ledger):
        _take(found, first, wanderer)
    elif free:
        _take(found, free[0], wanderer)
    else:
        _stay(found, here, product)


def _take(found: Standing, place: str, wanderer: _Wanderer) -> None:
    found.moves = True
    found.present[place] = wanderer.product
    if place == wanderer.known.store_id and parked_target(wanderer.product.store_id) is None:
        found.by_hand.add(str(wanderer.product.id))


def _is_free(place: str, wanderer: _Wanderer, found: Standing, catalog: Catalog) -> bool:
    """Whether no product has `place`, and no other one is about to be renamed to it."""
    product = catalog.products.get(place)
    if place in found.present:
        return False
    if product is None or product.renamed_from is None or declares(catalog, wanderer.known):
        return True
    return product.renamed_from not in found.present


def _make_room(
    found: Standing, place: str, catalog: Catalog, wanted: Collection[str], ledger: Ledger
) -> bool:
    """Send back what took `place` in a ring that was taken back, and so on; whether that works."""
    present = found.present
    if place not in present or place not in wanted or place in found.held:
        return False
    moves: dict[str, RemoteProduct] = {}
    start = place
    while (occupant := present.get(place)) is not None:
        known = ledger.products.get(str(occupant.id))
        if known is None or known.came_from not in wanted or declares(catalog, known):
            return False
        place = str(known.came_from)
        if place in moves or place == start or place in found.held:
            return False
        moves[place] = occupant
    for occupant in moves.values():
        present.pop(found.at(occupant), None)
    present.update(moves)
    return True


def _stay(found: Standing, here: str, product: RemoteProduct) -> None:
    """Leave a product for which there is no room where it is listed."""
    if parked_target(here) is not None:
        # Another has the place that it must return to. Nobody declares it, but it is not lost.
        found.block(here, [product], Code.RENAME_CONFLICT)
    elif here in found.present or here in found.held:
        others = [found.present.pop(here)] if here in found.present else []
        found.block(here, [product, *others], Code.DUPLICATE_REMOTE)
    else:
        found.present[here] = product


def _return_reverted(
    found: Standing,
    catalog: Catalog,
    targets: Mapping[str, str],
    wanted: Collection[str],
    ledger: Ledger,
) -> None:
    """Let a product stand for where it came from, if nobody wants where it was brought to."""
    present = found.present
    candidates = list(_reverted(present, catalog, wanted, ledger))
    claims = Counter(source for source, _ in candidates)
    for source, place in candidates:
        target = targets.get(source)
        done = target is not None and _was_brought(present.get(target), target, source, ledger)
        if claims[source] == 1 and not done and not _is_filled(source, found, catalog):
            found.moves = True
            present[source] = present.pop(place)


def _was_brought(product: RemoteProduct | None, place: str, source: str, ledger: Ledger) -> bool:
    """Whether the rename from `source` has brought `product` to `place`."""
    known = None if product is None else ledger.products.get(str(product.id))
    return known is not None and (known.store_id, known.came_from) == (place, source)


def _is_filled(place: str, found: Standing, catalog: Catalog) -> bool:
    """Whether another product has `place`, or is to be renamed to it."""
    if place in found.present or place in found.parked or place in found.held:
        return True
    product = catalog.products.get(place)
    return product is not None and product.renamed_from in found.present


def _reverted(
    present: Mapping[str, RemoteProduct],
    catalog: Catalog,
    wanted: Collection[str],
    ledger: Ledger,
) -> Iterator[tuple[str, str]]:
    """(Where it came from, where it is) of the products whose rename is declared no more."""
    for id, known in ledger.products.items():
        source, place = known.came_from, known.store_id
        if source is not None and source in wanted and place not in wanted:
            product = present.get(place)
            if product is not None and product.id == id and not declares(catalog, known):
                yield source, place
