"""Which store_id each remote product stands for: the listed one, unless the ledger knows better.

The ledger holds per id the store_id that it was last sent as and the `renamed_from` that brought it
there (`Known`). That pair answers every question about renames that a list cannot:

- The catalogue declares just this pair: the product stands for its store_id. It is on its way there
  (listed with its old store_id, or parked), or somebody renamed it by hand.
- It declares the pair no more, and the product is parked: the ring was taken back half done, so the
  product stands for its old store_id. A product that took that one in the same ring stands for its
  own old store_id, and so on.
- It declares the pair no more, and does not declare the store_id that the product has now: it
  stands for its old one, if that is wanted and free. So a rename that is reverted is made back.

A ring that is done leaves no product parked: there nothing is taken back, and the list counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.codes import Code
from reconciler.model import KEYS, Catalog, Known, Ledger, Listing, RemoteProduct
from reconciler.planning.likeness import likely
from reconciler.planning.plan import Blocked
from reconciler.planning.renames import parked_target


@dataclass(slots=True)
class Standing:
    """The remote by what its products stand for; `targets` are the declared renames by source.

    `present` holds the product of each store_id, and `parked` those that are on their way to one
    that another may have yet; `blocked` is what cannot be decided, and `held` its store_ids. If the
    server writes a product's store_id in another form, `here` is the declared one by its id, and
    `kept` its id by that other form. `made` is the store_id of the lost create that made a product,
    by its id; `by_hand` the ids of products whose store_id somebody has changed at the remote.
    `moves` says that some product stands for another store_id than it is listed with.
    """

    catalog: Catalog
    ledger: Ledger
    targets: Mapping[str, str]
    present: dict[str, RemoteProduct] = field(default_factory=dict)
    parked: dict[str, RemoteProduct] = field(default_factory=dict)
    blocked: list[Blocked] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    here: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)
    moves: bool = False

    @classmethod
    def of(cls, catalog: Catalog, remote: Listing, ledger: Ledger) -> "Standing":
        """What each remote product stands for."""
        targets = {
            product.renamed_from: store_id
            for store_id, product in catalog.products.items()
            if product.renamed_from is not None
        }
        stand = cls(catalog, ledger, targets)
        stand._take_listed(remote)
        stand._move(stand._known())
        stand._take_parked()
        return stand

    def block(self, store_id: str | None, products: Iterable[RemoteProduct], reason: Code) -> None:
        """Leave `products`, and what is declared as `store_id`, as they are."""
        ids = tuple(sorted(str(product.id) for product in products))
        self.blocked.append(Blocked(store_id, ids, reason))
        if store_id:
            self.held.add(store_id)

    def at(self, product: RemoteProduct) -> str:
        """The declared form of the store_id that `product` is listed with."""
        return self.here.get(str(product.id), str(product.store_id))

    def declares(self, known: Known) -> bool:
        """Whether the catalogue declares the store_id and `renamed_from` that `known` records."""
        product = self.catalog.products.get(known.store_id)
        return product is not None and product.renamed_from == known.came_from

    def settled(self, store_id: str) -> bool:
        """Whether a declared rename, or a create in its stead, has given a product `store_id`."""
        product, declared = self.present.get(store_id), self.catalog.products.get(store_id)
        if product is None or declared is None or declared.renamed_from is None:
            return False
        known = self.ledger.products.get(str(product.id))
        if known is not None:
            return (known.store_id, known.came_from) == (store_id, declared.renamed_from)
        sent = self.ledger.creates.get(store_id)
        return (
            sent is not None and sent.may_be(product.id) and sent.came_from == declared.renamed_from
        )

    def _wanted(self, store_id: str) -> bool:
        return store_id in self.catalog.products or store_id in self.targets

    def _take_listed(self, remote: Listing) -> None:
        """Let products stand for what they are listed as; block duplicates and broken records."""
        # Else a server that lower-cases store_ids would make every product look renamed and
        # undeclared.
        own_forms = {
            str(kept.kept): str(kept.sent)
            for known in self.ledger.products.values()
            if known.kept and (kept := known.kept.get("store_id")) is not None
        }
        present = self.present
        twice: dict[str, list[RemoteProduct]] = {}
        for product in remote.products:
            id, here = product.id, product.store_id
            if id is None:
                self.block(here, [], Code.MISSING_ID)
                continue
            if not here or here.isspace():
                self.block(None, [product], Code.MISSING_STORE_ID)
                continue
            sent = own_forms.get(here) if own_forms and id in self.ledger.products else None
            if sent is not None and (self._wanted(sent) or not self._wanted(here)):
                self.kept[here] = id
                here = self.here[id] = sent
            if here in present:
                twice.setdefault(here, [present[here]]).append(product)
            else:
                present[here] = product
        # A record without an id stands there too, so the other one may be a duplicate of it.
        for here in self.held & present.keys():
            twice.setdefault(here, [present[here]])
        for here, products in twice.items():
            del present[here]
            self.block(here, products, Code.DUPLICATE_REMOTE)
        if self.ledger.creates:
            self._find_lost_creates(remote)

    def _find_lost_creates(self, remote: Listing) -> None:
        """Find the products of lost creates, if the server rewrites store_ids.

        It is a product that nobody declares or knows, and is alike in all that the list shows.
        """
        listed = {product.store_id for product in remote.products}
        lost = {
            store_id: dict(zip(KEYS, self.catalog.products[store_id].values, strict=True))
            for store_id, sent in self.ledger.creates.items()
            if sent.id is None and store_id in self.catalog.products and store_id not in listed
        }
        strangers = (
            product
            for product in remote.products
            if product.id is not None
            and product.id not in self.ledger.products
            and not self._wanted(str(product.store_id))
        )
        found = likely(lost, strangers)
        self.made = {twin.ids[0]: store_id for store_id, twin in found.items() if twin.sure}

    def _known(self) -> Iterator[tuple[str, RemoteProduct, Known]]:
        """The products that the ledger may know to belong elsewhere, each with its store_id."""
        creates, products = self.ledger.creates, self.ledger.products
        made = {**self.made, **{sent.id: id for id, sent in creates.items() if sent.id}}
        for here, product in self.present.items():
            known = products.get(product.id)  # type: ignore[arg-type]  # what is present has an id
            if known is None and product.id in made:
                created_as = made[product.id]
                known = Known(created_as, came_from=creates[created_as].came_from)
            if known is not None and (known.store_id != here or known.came_from is not None):
                yield here, product, known

    def _move(self, candidates: Iterable[tuple[str, RemoteProduct, Known]]) -> None:
        """Let products stand for the store_ids that the ledger knows for them."""
        wanderers, reverted = [], []
        for here, product, known in sorted(candidates, key=lambda found: str(found[1].id)):
            # It is where it was sent. Only a rename that the catalogue has taken back can move it.
            if here == known.store_id:
                if self._wanted(str(known.came_from)) and not self._wanted(here):
                    reverted.append((here, product, known))
            elif here != known.came_from and not self._goes_along(here, known):
                # All leave before any gets a store_id: in a ring each needs that of another.
                del self.present[here]
                wanderers.append((here, product, known))
        left = [w for w in wanderers if not self._is_on_its_way(*w)]
        # First those that keep their store_id, so that no other one takes it.
        for here, product, known in sorted(left, key=lambda w: self._may_leave(w[0], w[2])):
            self._assign(here, product, known)
        # If two products claim one old store_id, moving either would be a guess.
        claims = Counter(known.came_from for _, _, known in reverted)
        for here, product, known in reverted:
            source = str(known.came_from)
            alone = claims[source] == 1 and self.present.get(here) is product
            if alone and self._is_free(source, known):
                self.moves = True
                self.present[source] = self.present.pop(here)

    def _goes_along(self, here: str, known: Known) -> bool:
        """Whether a product is parked for a rename that is declared no more, source included."""
        target = parked_target(here)
        parked = target is not None and target.casefold() == known.store_id.casefold()
        return parked and known.came_from is not None and not self._wanted(known.came_from)

    def _is_on_its_way(self, here: str, product: RemoteProduct, known: Known) -> bool:
        """Whether a declared rename has begun to move `product`: then it is carried to its end."""
        if known.came_from is None or not self.declares(known):
            return False
        if self._wanted(here) or known.store_id in self.parked:
            return False
        self.parked[known.store_id] = product
        return True

    def _wishes(self, here: str, known: Known) -> list[str]:
        """What a product may stand for that is not listed as it was last sent, the best first."""
        if known.came_from is None or self.declares(known):
            return [known.store_id]
        parked = parked_target(here) is not None
        return [known.came_from] if parked else [known.came_from, known.store_id]

    def _may_leave(self, here: str, known: Known) -> bool:
        """Whether a product is not declared as it is listed, and one of its wishes is free."""
        free = any(self._is_free(wish, known) for wish in self._wishes(here, known))
        return free and here not in self.catalog.products

    def _assign(self, here: str, product: RemoteProduct, known: Known) -> None:
        """Give a product that is not listed as it was last sent its first wish that is free."""
        wishes = self._wishes(here, known)
        free = [wish for wish in wishes if self._is_free(wish, known)]
        if here in self.catalog.products and here not in self.present and here not in self.held:
            if known.store_id in free and self.declares(known):
                # Both are declared, and nobody can tell which one the product is meant to be.
                self.block(here, [product], Code.RENAME_CONFLICT)
                self.block(known.store_id, [product], Code.RENAME_CONFLICT)
            else:
                self.present[here] = product
        elif wishes[0] in free or self._make_room(wishes[0]):
            self._take(wishes[0], product, known)
        elif free:
            self._take(free[0], product, known)
        else:
            self._stay(here, product)

    def _take(self, store_id: str, product: RemoteProduct, known: Known) -> None:
        self.moves = True
        self.present[store_id] = product
        if store_id == known.store_id and parked_target(product.store_id) is None:
            self.by_hand.add(str(product.id))

    def _is_free(self, store_id: str, known: Known) -> bool:
        """Whether `store_id` is wanted, and no product has it, has just left it or is to get it."""
        if not self._wanted(store_id) or store_id in self.held or store_id in self.present:
            return False
        if self.declares(known):
            return True
        target, product = self.targets.get(store_id), self.catalog.products.get(store_id)
        if store_id in self.parked or (target is not None and self.settled(target)):
            return False
        return product is None or product.renamed_from not in self.present

    def _make_room(self, store_id: str) -> bool:
        """Free `store_id` by sending a reverted ring's products back; return whether that works."""
        present, start = self.present, store_id
        moves: dict[str, RemoteProduct] = {}
        if store_id not in present or store_id in self.held or not self._wanted(store_id):
            return False
        # A ring was taken back half done: each goes back to where it came from, or none does.
        while (occupant := present.get(store_id)) is not None:
            known = self.ledger.products.get(str(occupant.id))
            if known is None or known.came_from is None or self.declares(known):
                return False
            store_id = known.came_from
            if store_id in self.held or store_id in moves or store_id == start:
                return False
            if not self._wanted(store_id):
                return False
            moves[store_id] = occupant
        for occupant in moves.values():
            present.pop(self.at(occupant), None)
        present.update(moves)
        return True

    def _stay(self, here: str, product: RemoteProduct) -> None:
        """Leave a product its listed store_id, because its wishes are taken."""
        if parked_target(here) is not None:
            # Another has the store_id that it must return to. Nobody declares it, but it is not
            # lost.
            self.block(here, [product], Code.RENAME_CONFLICT)
        elif here in self.present or here in self.held:
            others = [self.present.pop(here)] if here in self.present else []
            self.block(here, [product, *others], Code.DUPLICATE_REMOTE)
        else:
            self.present[here] = product

    def _take_parked(self) -> None:
        """Take along what is on its way in a ring that the ledger does not know.

        If the ledger was lost in the middle of a ring, the store_id still says where it belongs.
        """
        for here in sorted(here for here in self.present if parked_target(here) is not None):
            target = str(parked_target(here))
            if self._wanted(here) or target in self.parked or target not in self.catalog.products:
                continue
            known = self.ledger.products.get(str(self.present[here].id))
            if known is None or known.came_from is None:
                self.parked[target] = self.present.pop(here)
