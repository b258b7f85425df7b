"""Which remote product is meant by which declared one: by store_id, by rename, by the ledger.

What cannot be decided is blocked, never guessed: a store_id that the remote holds twice, a product
without one, a rename whose source and target both exist.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from reconciler.codes import Code
from reconciler.model import Catalog, Ledger, Listing, RemoteProduct, Sent
from reconciler.planning.plan import Blocked
from reconciler.planning.standing import Standing, parked_target, standing

_UNLISTED: Final = timedelta(hours=1)
"""How long after its answer a create that is not listed is waited for."""


@dataclass(slots=True)
class Matching:
    """The declared and the remote side by side.

    `pairs` holds the remote product of each declared store_id that has one; `held` the declared
    store_ids that are blocked; `undeclared` the remote products that nothing declares;
    `ring_members` the declared store_ids of pending renames that form rings; `contested` those of
    renames whose source and target both exist; `stand` what each remote product stands for.
    """

    stand: Standing
    pairs: dict[str, RemoteProduct] = field(default_factory=dict)
    undeclared: list[RemoteProduct] = field(default_factory=list)
    ring_members: list[str] = field(default_factory=list)
    contested: set[str] = field(default_factory=set)

    @property
    def blocked(self) -> list[Blocked]:
        """What is left untouched, whatever is declared."""
        return self.stand.blocked

    @property
    def held(self) -> set[str]:
        """The store_ids that are blocked."""
        return self.stand.held


def match(
    catalog: Catalog,
    remote: Listing,
    ledger: Ledger,
    *,
    now: datetime | None = None,
    recreate: Collection[str] = (),
) -> Matching:
    """Pair every declared product with its remote product, if it has one.

    `now` is the time that the age of what the ledger holds is judged by; without it nothing is too
    old. `recreate` are the store_ids whose answered create is not waited for.
    """
    targets = {
        product.renamed_from: store_id
        for store_id, product in catalog.products.items()
        if product.renamed_from is not None
    }
    matching = Matching(standing(catalog, targets, remote, ledger))
    present = matching.stand.present
    parked = _take_parked(catalog, targets, matching.stand, ledger)
    takers = _takers(targets, present, parked, _Arrivals(catalog, ledger))
    leaving = _pending(takers, present, matching)
    _hold_targets(takers, present, leaving, matching)
    pairs, held = matching.pairs, matching.held
    arriving = {target: source for source, target in leaving.items()}
    for store_id in catalog.products:
        if store_id in held:
            continue
        if store_id in arriving:
            pairs[store_id] = present[arriving[store_id]]
        elif store_id in present and store_id not in leaving:
            pairs[store_id] = present[store_id]
        elif store_id in parked:
            pairs[store_id] = parked.pop(store_id)
        elif store_id not in recreate and (id := _awaited(ledger.creates.get(store_id), now)):
            matching.blocked.append(Blocked(store_id, (id,), Code.NOT_LISTED_YET))
            held.add(store_id)
    for product in parked.values():
        matching.stand.block(str(product.store_id), [product], Code.RENAME_CONFLICT)
    _keep_apart(catalog, targets, present, leaving, matching)
    if matching.stand.moves or matching.stand.parked:
        _hold_moves(remote, matching)
    return matching


def _awaited(sent: Sent | None, now: datetime | None) -> str | None:
    """The id of a create that was answered, and may still be on its way into the list."""
    if sent is None or now is None or sent.at is None:
        return None if sent is None else sent.id
    return sent.id if now - datetime.fromisoformat(sent.at) < _UNLISTED else None


def _take_parked(
    catalog: Catalog,
    targets: Mapping[str, str],
    stand: Standing,
    ledger: Ledger,
) -> dict[str, RemoteProduct]:
    """What is on its way to each store_id, also for a ring that the ledger does not know.

    If the ledger was lost in the middle of a ring, the store_id still says where it belongs.
    """
    present, parked = stand.present, dict(stand.parked)
    for store_id in [store_id for store_id in present if parked_target(store_id) is not None]:
        target = str(parked_target(store_id))
        known = ledger.products.get(str(present[store_id].id))
        if known is not None and known.came_from is not None:
            continue
        if target in parked or store_id in catalog.products or store_id in targets:
            continue
        if target in catalog.products:
            parked[target] = present.pop(store_id)
    return parked


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """Which products are where a declared rename, or a create in its stead, has brought them."""

    catalog: Catalog
    ledger: Ledger

    def settled(self, product: RemoteProduct | None, place: str) -> bool:
        """Whether a declared rename has brought `product` to `place`, and so none takes it away."""
        declared = self.catalog.products.get(place)
        if product is None or declared is None or declared.renamed_from is None:
            return False
        known = self.ledger.products.get(str(product.id))
        if known is not None:
            return (known.store_id, known.came_from) == (place, declared.renamed_from)
        sent = self.ledger.creates.get(place)
        return (
            sent is not None and sent.may_be(product.id) and sent.came_from == declared.renamed_from
        )

    def pushes(self, product: RemoteProduct | None, place: str) -> bool:
        """Whether `product` was applied at `place`, so that a newer rename takes it from there.

        A product that somebody put there by hand moves none that a rename has brought to its place.
        """
        known = None if product is None else self.ledger.products.get(str(product.id))
        return known is not None and known.store_id == place


def _takers(
    targets: Mapping[str, str],
    present: Mapping[str, RemoteProduct],
    parked: Collection[str],
    arrivals: _Arrivals,
) -> dict[str, str]:
    """The declared renames that are not done already: the target by the store_id that is given up.

    What one rename brought to a place is not what another takes from there, unless the place is
    wanted anew: a product that was applied where the first rename begins comes by a newer
    declaration that reads alike, and moves all before it on.
    """
    open_now = {source: target for source, target in targets.items() if target not in parked}
    takers: dict[str, str] = {}
    for start in open_now:
        if arrivals.settled(present.get(start), start):
            continue
        place = start
        while place in open_now and place not in takers:
            takers[place] = target = open_now[place]
            product = present.get(place)
            waits = arrivals.settled(present.get(target), target)
            if product is None or (waits and not arrivals.pushes(product, place)):
                break
            place = target
    return takers


def _pending(
    takers: Mapping[str, str], present: Mapping[str, RemoteProduct], matching: Matching
) -> dict[str, str]:
    """The renames still to be made: the declared store_id by the store_id that is given up.

    A rename is pending while its source is at the remote and its target is not, or is itself
    about to be renamed. Each depends on the next one only, so every chain is walked once.
    """
    pending: dict[str, bool] = {}
    for start in takers:
        path: dict[str, None] = {}
        place = start
        while place in present and place in takers and not (place in pending or place in path):
            path[place] = None
            place = takers[place]
        if place in path:
            verdict = True
            matching.ring_members += [takers[source] for source in path]
        elif place in pending:
            verdict = pending[place]
        else:
            verdict = place not in present and place not in matching.held
        pending.update(dict.fromkeys(path, verdict))
    return {source: takers[source] for source, waits in pending.items() if waits}


def _hold_targets(
    takers: Mapping[str, str],
    present: Mapping[str, RemoteProduct],
    leaving: Collection[str],
    matching: Matching,
) -> None:
    """Hold what would be created only because its source is blocked: it is there already."""
    blocked = {block.store_id: block for block in matching.blocked}
    for source, target in takers.items():
        cause = blocked.get(source)
        if cause and target not in blocked and (target not in present or target in leaving):
            matching.blocked.append(Blocked(target, cause.ids, cause.reason))
            matching.held.add(target)


def _hold_moves(remote: Listing, matching: Matching) -> None:
    """Hold what would move to where another product stays, and all that waits for it in turn.

    A product may stand for another store_id than the one that it is listed with; if it is blocked,
    it stays, and keeps that one from the product that is meant to have it.
    """
    stand, pairs = matching.stand, matching.pairs
    here = {str(product.id): stand.at(product) for product in remote.products}
    there = {at: id for id, at in here.items()}
    moves = {str(product.id): to for to, product in pairs.items() if here[str(product.id)] != to}
    comers = {to: id for id, to in moves.items()}
    waiting = [id for id, to in moves.items() if to in there and there[to] not in moves]
    while waiting:
        id = waiting.pop()
        to = moves.pop(id)
        ids = sorted({id, there.get(to, id)})
        matching.blocked.append(Blocked(to, tuple(ids), Code.RENAME_WAITS))
        matching.held.add(to)
        del pairs[to]
        if (comer := comers.get(here[id])) is not None:
            waiting.append(comer)


def _keep_apart(
    catalog: Catalog,
    targets: Mapping[str, str],
    present: Mapping[str, RemoteProduct],
    leaving: Collection[str],
    matching: Matching,
) -> None:
    """What is left is undeclared; but the source of a rename that cannot be made is not deleted."""
    for store_id, product in present.items():
        if store_id in catalog.products or store_id in leaving:
            continue
        if store_id in targets:
            ids = (str(product.id),)
            matching.blocked.append(Blocked(store_id, ids, Code.RENAME_CONFLICT))
            matching.contested.add(targets[store_id])
        else:
            matching.undeclared.append(product)
