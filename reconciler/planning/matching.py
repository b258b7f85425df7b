"""Which remote product is meant by which declared one: by store_id, by rename, by memory.

What cannot be decided is blocked, never guessed: a store_id that the remote holds twice, a product
without one, a rename whose source and target both exist.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.codes import Code
from reconciler.model import Catalog, Ledger, Listing, RemoteProduct, Ring, Value
from reconciler.planning.plan import Blocked
from reconciler.planning.recall import Memory, is_parked, parked_target, recall


@dataclass(slots=True)
class Matching:
    """The declared and the remote side by side.

    `pairs` holds the remote product of each declared store_id that has one; `held` the declared
    store_ids that are blocked; `undeclared` the remote products that nothing declares;
    `sources` what the pending renames are declared to begin at, by their targets; `sent` by listed
    store_id the one that it was sent as; `ring_members` the declared store_ids of pending renames
    that form rings; `released` what the ledger remembers of renames that the catalogue does not
    declare any more; `created` what lost creates made under another store_id (see `recall`).
    """

    pairs: dict[str, RemoteProduct] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    blocked: list[Blocked] = field(default_factory=list)
    undeclared: list[RemoteProduct] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    sent: Mapping[Value | None, str] = field(default_factory=dict)
    ring_members: list[str] = field(default_factory=list)
    released: list[Ring] = field(default_factory=list)
    created: Mapping[str, str] = field(default_factory=dict)


def match(catalog: Catalog, remote: Listing, ledger: Ledger) -> Matching:
    """Pair every declared product with its remote product, where it has one."""
    matching = Matching()
    targets = {
        product.renamed_from: store_id
        for store_id, product in catalog.products.items()
        if product.renamed_from is not None
    }
    memory = recall(catalog, targets, remote, ledger)
    matching.released, matching.sent = memory.released, memory.sent
    matching.created = memory.created
    present = _by_store_id(remote, memory.places, matching)
    parked = _take_parked(catalog, targets, present)
    takers = _takers(targets, present, parked, memory)
    leaving = _pending(takers, present, matching)
    _hold_targets(takers, present, leaving, matching)
    pairs, held = matching.pairs, matching.held
    arriving = {target: source for source, target in leaving.items()}
    for store_id in catalog.products:
        if store_id in held:
            continue
        if store_id in arriving:
            matching.sources[store_id] = arriving[store_id]
            pairs[store_id] = present[arriving[store_id]]
        elif store_id in present and store_id not in leaving:
            pairs[store_id] = present[store_id]
        elif store_id in parked:
            pairs[store_id] = parked.pop(store_id)
            if (origin := catalog.products[store_id].renamed_from) is not None:
                matching.sources[store_id] = origin
    for product in parked.values():
        _block(matching, str(product.store_id), [product], Code.RENAME_CONFLICT)
    _keep_apart(catalog, targets, present, leaving, matching)
    if memory.places:
        _hold_moves(remote, memory.undone, matching)
    return matching


def _by_store_id(
    remote: Listing, places: Mapping[str, str], matching: Matching
) -> dict[str, RemoteProduct]:
    """Remote products by the store_id that they stand for; what is ambiguous is blocked."""
    present: dict[str, RemoteProduct] = {}
    twice: dict[str, list[RemoteProduct]] = {}
    for product in remote.products:
        id, store_id = product.id, product.store_id
        if id is None:
            _block(matching, store_id, [], Code.MISSING_ID)
        elif not store_id or store_id.isspace():
            _block(matching, None, [product], Code.MISSING_STORE_ID)
        else:
            if places:
                store_id = places.get(id, store_id)
            if store_id in present:
                twice.setdefault(store_id, [present[store_id]]).append(product)
            else:
                present[store_id] = product
    for store_id in matching.held & present.keys():
        twice.setdefault(store_id, [present[store_id]])
    for store_id, products in twice.items():
        del present[store_id]
        _block(matching, store_id, products, Code.DUPLICATE_REMOTE)
    return present


def _block(
    matching: Matching, store_id: str | None, products: Iterable[RemoteProduct], reason: Code
) -> None:
    """Leave `products`, and what is declared as `store_id`, as they are."""
    ids = tuple(sorted(str(product.id) for product in products))
    matching.blocked.append(Blocked(store_id, ids, reason))
    if store_id:
        matching.held.add(store_id)


def _take_parked(
    catalog: Catalog, targets: Mapping[str, str], present: dict[str, RemoteProduct]
) -> dict[str, RemoteProduct]:
    """Take out of `present` what stands aside for a ring that the ledger does not know; by target.

    Where the ledger was lost in the middle of a ring, its store_id still says where it belongs.
    """
    parked: dict[str, RemoteProduct] = {}
    for store_id in [store_id for store_id in present if is_parked(store_id)]:
        target = str(parked_target(store_id))
        if target in catalog.products and not (store_id in catalog.products or store_id in targets):
            parked[target] = present.pop(store_id)
    return parked


def _takers(
    targets: Mapping[str, str],
    present: Mapping[str, RemoteProduct],
    parked: Collection[str],
    memory: Memory,
) -> dict[str, str]:
    """The declared renames that are not done already: the target by the store_id that is given up.

    What one rename brought to a place is not what another takes from there, unless the place is
    wanted anew: a product that stands where the first rename begins was put there since, by a
    newer declaration that reads alike, and moves all before it on.
    """
    open_now = {
        source: target
        for source, target in targets.items()
        if target not in memory.settled and target not in parked
    }
    takers: dict[str, str] = {}
    for start in open_now:
        if start in present and memory.arrived(present[start], start):
            continue
        place = start
        while place in open_now and place not in takers:
            takers[place] = open_now[place]
            if place not in present or takers[place] in memory.exchanged:
                break
            place = takers[place]
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


def _hold_moves(remote: Listing, undone: Iterable[Ring], matching: Matching) -> None:
    """Hold what would move to where another product stays, and all that waits for it in turn.

    A product may stand for another place than the one that it is listed at: blocked, it stays. A
    ring that cannot be undone whole is left as it is, since half undone it would look like one that
    is done; nor are its products deleted.
    """
    sent, pairs = matching.sent, matching.pairs
    here = {product.id: sent.get(product.store_id, product.store_id) for product in remote.products}
    there = {at: id for id, at in here.items()}
    moves = {product.id: to for to, product in pairs.items() if here[product.id] != to}
    comers = {to: id for id, to in moves.items()}
    mates = {link.id: ring.links for ring in undone for link in ring.links}
    waiting = [id for id, to in moves.items() if to in there and there[to] not in moves]
    waiting += [id for block in matching.blocked for id in block.ids if id in mates]
    staying: set[str | None] = set()
    while waiting:
        id = waiting.pop()
        if id in staying or id not in here:
            continue
        staying.add(id)
        if id in moves:
            to = moves[id]
            ids = sorted({str(id), str(there.get(to, id))})
            matching.blocked.append(Blocked(to, tuple(ids), Code.RENAME_WAITS))
            matching.held.add(to)
            del pairs[to]
        if (comer := comers.get(str(here[id]))) is not None:
            waiting.append(comer)
        waiting += [mate.id for mate in mates.get(str(id), ()) if here.get(mate.id) != mate.before]
    matching.blocked += [
        Blocked(product.store_id, (str(product.id),), Code.RENAME_WAITS)
        for product in matching.undeclared
        if product.id in staying
    ]
    matching.undeclared = [p for p in matching.undeclared if p.id not in staying]


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
        else:
            matching.undeclared.append(product)
